"""What people decided on flags, as each viewer sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import api_world
import pytest
from api_asker import Asker
from api_world import GTIN, LOT, TOKEN

from api.app import build_app
from api.readers import Readers
from api.settings import ApiSettings
from api.store_reading import open_reading
from detectors.casework.reviews import State, draft
from graph.model import RecordKind
from provenance.entries import Tier

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workspace.workspace import Workspace

PRODUCT = f"""{{ product(gtin: "{GTIN}", lot: "{LOT}") {{
  flags {{ nodes {{ index state reason reviewer }} }} }} }}"""
LIST = """query($state: FlagState) {
  flags(filter: {state: $state}, first: 100) { nodes { index state } } }"""


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Workspace]:
    """A chain of this test's own."""
    with api_world.build(tmp_path / "chain") as made:
        yield made


@pytest.fixture
def asker(chain: Workspace) -> Iterator[Asker]:
    """Its app."""
    pool = Readers(lambda: open_reading(chain))
    yield Asker(build_app(pool, ApiSettings(base=api_world.BASE, token=TOKEN)))
    pool.close()


def decide(chain: Workspace, index: int, state: State) -> None:
    """Review one flag."""
    flags = chain.graph.records(RecordKind.FLAG, Tier.PRIVATE)
    flag = next(one for one in flags if one.index == index)
    chain.log.append([draft(flag, state, reason="SECRETreason", reviewer="SECRETana", party="p")])
    chain.sync_graph()


def seen(answer: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """The flags of an item's answer, by index."""
    return {one["index"]: one for one in answer["data"]["product"]["flags"]["nodes"]}


def test_a_flag_is_open_until_somebody_decides(chain: Workspace, asker: Asker) -> None:
    """Confirmed flags say so to everybody; why and by whom is for operators."""
    before = seen(asker.graphql(PRODUCT))
    assert before
    assert {one["state"] for one in before.values()} == {"OPEN"}
    index = next(iter(before))
    decide(chain, index, State.CONFIRMED)
    public = seen(asker.graphql(PRODUCT))[index]
    assert public == {"index": index, "state": "CONFIRMED", "reason": None, "reviewer": None}
    told = seen(asker.graphql(PRODUCT, operator=True))[index]
    assert (told["reason"], told["reviewer"]) == ("SECRETreason", "SECRETana")


def test_a_dismissed_flag_is_not_held_against_an_item(chain: Workspace, asker: Asker) -> None:
    """A dismissed flag leaves the item's list and the page; taking it back brings it again."""
    index = next(iter(seen(asker.graphql(PRODUCT))))
    decide(chain, index, State.DISMISSED)
    assert index not in seen(asker.graphql(PRODUCT))
    decide(chain, index, State.OPEN)
    assert seen(asker.graphql(PRODUCT))[index]["state"] == "OPEN"


def test_operators_list_flags_by_state(chain: Workspace, asker: Asker) -> None:
    """Without a state dismissed flags are left out; each state lists its own and no other."""

    def listed(state: str | None) -> set[int]:
        answer = asker.graphql(LIST, operator=True, state=state)
        return {one["index"] for one in answer["data"]["flags"]["nodes"]}

    every = listed(None)
    dismissed, asked = sorted(every)[:2]
    decide(chain, dismissed, State.DISMISSED)
    decide(chain, asked, State.NEEDS_INFORMATION)
    assert listed(None) == every - {dismissed}
    assert listed("DISMISSED") == {dismissed}
    assert listed("NEEDS_INFORMATION") == {asked}
    assert listed("OPEN") == every - {dismissed, asked}
    assert listed("CONFIRMED") == set()
