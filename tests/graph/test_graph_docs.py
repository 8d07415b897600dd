"""docs/graph.md names what there is, and nothing that there is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from graph.connect import _STORES
from graph.keys import NodeKind
from graph.lineage import GapReason
from graph.store import GraphStore

TEXT = (Path(__file__).parent.parent.parent / "docs" / "graph.md").read_text()


def names(heading: str) -> list[str]:
    """The first column of the table with this heading."""
    table = TEXT.split(f"| {heading} |")[1].split("\n\n")[0]
    return re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)


@pytest.mark.parametrize(
    ("heading", "there_are"),
    [("node", list(map(str, NodeKind))), ("gap", [str(r) for r in GapReason])],
)
def test_every_word_of_the_graph_is_explained(heading: str, there_are: list[str]) -> None:
    """Each kind of node and of gap has its row, in the order of the code."""
    assert names(heading) == there_are


def test_the_questions_are_methods_of_the_port() -> None:
    """Each question that the document lists can be asked of a store."""
    asked = {name.partition("(")[0] for name in names("question")}
    assert asked <= {name for name in vars(GraphStore) if not name.startswith("_")}
    assert len(asked) >= 8


def test_the_stores_are_those_that_can_be_opened() -> None:
    """Each store has its row."""
    assert [url.partition(":")[0] for url in names("url")] == list(_STORES)
