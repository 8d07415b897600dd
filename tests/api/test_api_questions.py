"""Custody, recall and exposure over GraphQL: the same answers, cut to the viewer, within limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import api_world
import pytest
from api_world import FARM, GTIN, LOT, SECRETS

from api.store_reading import StoreReading

if TYPE_CHECKING:
    from api_asker import Asker

SHIRTS = f'item: {{gtin: "{GTIN}", lot: "{LOT}"}}'
CLOTH = f'item: {{party: "{FARM}", productId: "{api_world.COTTON}", lot: "C-1"}}'
_STAY = "facility { facilityId name country } underWay since until ended rest unit doubts index"
_CUSTODY = f"{{ custody({SHIRTS}) {{ position truncated stays {{ {_STAY} }} }} }}"
_RECALL = f"""{{ recall({CLOTH}) {{ position truncated
    items {{ item {{ productId lot }} depth quantity unit }}
    held {{ {_STAY} item {{ lot }} }} customers {{ facility {{ facilityId }} items last }}
    gaps {{ reason missing }} }} }}"""
_EXPOSURE = f"""{{ exposure({SHIRTS}) {{ verdict position items truncated
    hits {{ item {{ lot }} depth facility {{ name }} listName kind value index }}
    missing {{ item {{ lot }} depth reason what }} }} }}"""


def test_custody_names_places_and_times(ask: Asker) -> None:
    """Stays in order of time, with the site's name and the log entry that says so."""
    told = ask.graphql(_CUSTODY)["data"]["custody"]
    assert told["position"] > 10
    assert not told["truncated"]
    assert told["stays"][0]["facility"]["name"] == "Dhaka unit 4"
    times = [stay["since"] for stay in told["stays"]]
    assert times == sorted(times)


def test_a_recall_reaches_what_was_made_of_it(ask: Asker) -> None:
    """The lot itself and what it went into, nearest first."""
    told = ask.graphql(_RECALL)["data"]["recall"]
    lots = [(one["item"]["lot"], one["depth"]) for one in told["items"]]
    assert lots[0] == ("C-1", 0)
    assert (LOT, 2) in lots
    assert {stay["item"]["lot"] for stay in told["held"]} <= {lot for lot, _ in lots}


def test_exposure_is_asked_of_the_lists_on_record(ask: Asker, listed: Asker) -> None:
    """Yes with the place; without a list there is nothing to compare with, and that is said."""
    told = listed.graphql(_EXPOSURE)["data"]["exposure"]
    assert told["verdict"] == "YES"
    assert {(hit["facility"]["name"], hit["value"]) for hit in told["hits"]} == {
        ("Kutch gin", "F-FARM")
    }
    named = _EXPOSURE.replace(SHIRTS, f'{SHIRTS}, watchlist: "Nobody"')
    for answer in (ask.graphql(_EXPOSURE), listed.graphql(named)):
        assert answer["errors"][0]["extensions"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize("query", [_CUSTODY, _RECALL, _EXPOSURE])
def test_a_consumer_is_told_no_secret(listed: Asker, query: str) -> None:
    """What is for partners or the operator is in no answer of the public tier."""
    text = str(listed.graphql(query))
    assert [secret for secret in SECRETS if secret in text] == []


@pytest.mark.parametrize("root", ["recall", "exposure"])
def test_depths_are_bounded(ask: Asker, root: str) -> None:
    """As those of a trace."""
    for depth in (0, 21):
        answer = ask.graphql(f"{{ {root}({SHIRTS}, depth: {depth}) {{ position }} }}")
        assert answer["errors"][0]["extensions"]["code"] == "BAD_INPUT"


def test_an_answer_takes_few_reads(listed: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sites are read once an answer, however many stays and hits there are."""
    calls: list[str] = []
    whole: Any = StoreReading.facilities

    def counted(self: StoreReading, *given: Any) -> Any:
        calls.append("facilities")
        return whole(self, *given)

    monkeypatch.setattr(StoreReading, "facilities", counted)
    for query in (_CUSTODY, _RECALL, _EXPOSURE):
        calls.clear()
        assert "errors" not in listed.graphql(query)
        assert len(calls) <= 1
