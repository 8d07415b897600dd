"""Entries of watchlists count on the days on which they held."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from graph_factories import event, item, record
from hypothesis import given
from hypothesis import strategies as st
from test_graph_histories import _micros, logged

from graph.questions.exposure import exposure
from graph.questions.lists import ListEntry
from graph.stores.memory import MemoryStore
from graph.sync import catch_up
from provenance.entries import Tier

DAYS = st.dates(date(2024, 1, 1), date(2024, 1, 9))


@given(DAYS, st.none() | DAYS, st.none() | DAYS)
def test_an_entry_counts_on_the_days_it_held(
    day: date, since: date | None, until: date | None
) -> None:
    """Both ends are days on which it held, ends nobody names are open, and so is a day unknown."""
    entry = ListEntry("l", "party", "P", "", str(since or ""), str(until or ""))
    held = (since is None or since <= day) and (until is None or day <= until)
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    for moment in (midnight, midnight + timedelta(days=1, microseconds=-1)):
        assert entry.held(_micros(moment)) is held
    assert entry.held(None)
    assert ListEntry("l", "party", "P", "", "some day", "").held(_micros(midnight))


@pytest.mark.parametrize(
    ("days", "verdict"),
    [(("2024-01-01", ""), "yes"), (("2030-01-01", ""), "no"), (("", "2023-12-31"), "no")],
)
def test_exposure_is_to_what_was_listed_then(days: tuple[str, str], verdict: str) -> None:
    """A place that was listed years later, or no longer was, is no exposure."""
    site = record("facility", facility_id="F1", name="F1", country="DE")
    made = event(1, "produce", item("P", "1"), facility_id="F1")
    store = MemoryStore()
    catch_up(logged([site, made]), store)
    listed = [ListEntry("list", "facility", "F1", "", *days)]
    assert exposure(store, "item:acme/P/10/1", Tier.PRIVATE, listed).verdict == verdict
