"""The interpreter of AQL is believed because it answers as a real server was recorded to."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aql_query
import aql_recorded
import pytest
from aql_values import AqlError

if TYPE_CHECKING:
    from aql_recorded import Recorded

DATA = os.environ.get("PROVENANCE_TEST_DATA")
UNDETERMINED = {
    "GRAPHKSP_03_Aberdeen_to_London_single": "three paths tie for the last two of three places",
    "GRAPHTRAV_07_traverse_7_single": "draws a random number",
}
AS_A_SET = {"GRAPHKP_01_Aberdeen_to_London_single"}
"""Paths of equal length come in no order that is documented."""
IN_SCRIPTS = ("GRAPHSP_02_A_to_D_single", "GRAPHSP_03_A_to_D_single")
QUERY = re.compile(r"db\._query\(`(.*?)`\)", re.DOTALL)
CURSOR = re.compile(r"^\[object ArangoQueryCursor.*$", re.MULTILINE)
GENERATED = re.compile(r"\d{5}")
LEAST_ON_GRAPHS, LEAST_OTHERS = 40, 100


@pytest.fixture(scope="module")
def recorded() -> list[dict[str, Any]]:
    """All recorded runs."""
    if DATA is None:
        pytest.skip("PROVENANCE_TEST_DATA unset")
    return aql_recorded.runs(Path(DATA) / "arango" / "recorded_runs_3.12.jsonl")


def renamed(answer: Any) -> Any:
    """Number generated keys in the order in which they come: each run made its own."""
    names: dict[str, str] = {}
    text = json.dumps(answer)
    return json.loads(
        GENERATED.sub(lambda match: names.setdefault(match.group(), f"#{len(names)}"), text)
    )


def check(name: str, query: str, binds: Any, wanted: Any, graph: Recorded) -> None:
    """Compare one answer with the recorded one."""
    answers = renamed(aql_query.run(query, binds, graph)), renamed(wanted)
    if name in AS_A_SET:
        answers = tuple(sorted(map(json.dumps, answer)) for answer in answers)  # type: ignore[assignment]
    assert answers[0] == answers[1], name


def test_recorded_traversals_and_paths_are_reproduced(recorded: list[dict[str, Any]]) -> None:
    """Every run on a graph whose contents were recorded gives what the server gave."""
    graphs, count = aql_recorded.graphs(recorded), 0
    for run in recorded:
        graph = run["options"].get("dataset")
        if run["kind"] != "aql" or graph not in graphs or run["name"] in UNDETERMINED:
            continue
        binds = run["options"].get("bindVars") or {}
        check(run["name"], run["input"], binds, json.loads(run["output"]), graphs[graph])
        count += 1
    for run in recorded:
        if run["name"] in IN_SCRIPTS:
            queries = QUERY.findall(run["input"])
            answers = aql_recorded.documents_in(CURSOR.sub("", run["output"]))
            for query, wanted in zip(queries, answers, strict=True):
                check(run["name"], query, {}, wanted, graphs["traversalGraph"])
                count += 1
    assert count >= LEAST_ON_GRAPHS


def test_other_recorded_queries_are_reproduced_or_refused(recorded: list[dict[str, Any]]) -> None:
    """Of the runs on no stored data each gives what the server gave, or is not of the subset."""
    count = 0
    for run in recorded:
        if run["kind"] != "aql" or run["options"].get("dataset"):
            continue
        try:
            wanted = json.loads(run["output"])
            answer = aql_query.run(
                run["input"], run["options"].get("bindVars") or {}, aql_recorded.Recorded()
            )
        except (json.JSONDecodeError, AqlError):
            continue
        assert json.dumps(answer, sort_keys=True) == json.dumps(wanted, sort_keys=True), run["name"]
        count += 1
    assert count >= LEAST_OTHERS


@pytest.mark.parametrize(
    ("query", "binds", "number"),
    [
        ("RETURN", {}, 1501),
        ("FOR x IN [1] RETURN x y", {}, 1501),
        ("RETURN @a", {}, 1551),
        ("RETURN 1", {"a": 1}, 1552),
        ("RETURN NO_SUCH(1)", {}, 1540),
        ("FOR x IN nowhere RETURN x", {}, 1203),
        ("FOR x IN 5 RETURN x", {}, 1563),
        ("FOR v IN 1..2 OUTBOUND 'a/1' GRAPH 'none' RETURN v", {}, 1924),
    ],
)
def test_what_a_server_refuses_is_refused(query: str, binds: Any, number: int) -> None:
    """With the error number that is documented."""
    with pytest.raises(AqlError) as refused:
        aql_query.run(query, binds, aql_recorded.Recorded())
    assert refused.value.number == number


def test_text_is_ordered_by_collation() -> None:
    """Words, not bytes: who needs the order of code points has to store it."""
    texts = ["b", "A", "a", "B", "1", "_"]
    assert aql_query.run("FOR x IN @t SORT x RETURN x", {"t": texts}, aql_recorded.Recorded()) == [
        *("_", "1", "a", "A", "b", "B")
    ]
