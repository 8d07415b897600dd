"""Families by quarter: every row judged once, against what came up to its close."""

from __future__ import annotations

import numpy as np
import pandas as pd
from frame_factories import World
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.features import Features
from detectors.quarters import AT_ITS_END, Closing, families, families_in_time
from detectors.routes.statistical import LATER_TOO, Statistical

DAYS = st.lists(st.integers(0, 3_000), max_size=120)
CLOSINGS = st.builds(Closing, st.integers(3, 12), st.integers(0, 2), st.integers(1, 4))


def times(days: list[int]) -> pd.Series:
    """Days after the start of 2018."""
    return pd.Series(pd.to_datetime("2018-01-01") + pd.to_timedelta(days, unit="D"))


@settings(max_examples=60)
@given(days=DAYS, minimum=st.integers(1, 40), closing=CLOSINGS)
def test_rows_are_judged_once_and_against_no_future(
    days: list[int], minimum: int, closing: Closing
) -> None:
    """All rows, or none where they are too few; a window holds its own rows, enough of them, and
    nothing beyond the quarters that must follow.
    """
    at = times(days)
    quarter = np.array([time.year * 4 + time.quarter - 1 for time in at], np.int64)
    found = list(families(at, minimum, closing))
    judged = [row for family in found for row in family.own]
    assert sorted(judged) == (list(range(len(days))) if len(days) >= minimum else [])
    for family in found:
        assert set(family.own) <= set(family.window)
        assert len(family.window) >= minimum
        close = quarter[family.own].max() + closing.following
        assert quarter[family.window].max() <= close


@settings(max_examples=60)
@given(days=DAYS, minimum=st.integers(1, 40), more=DAYS, closing=CLOSINGS)
def test_what_comes_later_changes_no_closed_quarter(
    days: list[int], minimum: int, more: list[int], closing: Closing
) -> None:
    """Rows of later quarters leave the families of closed ones as they were."""
    at = times(days)
    if not len(at):
        return
    later = [max(days) + 100 * (closing.following + 1) + day for day in more]
    before = list(families(at, minimum, closing))
    after = list(families(times(days + later), minimum, closing))
    closed = before[: -closing.following - 1]
    for one, other in zip(closed, after, strict=False):
        assert one.label == other.label
        assert list(one.own) == list(other.own)
        assert list(one.window) == list(other.window)


@settings(max_examples=60)
@given(days=DAYS, minimum=st.integers(1, 40))
def test_spans_are_the_same_families(days: list[int], minimum: int) -> None:
    """Of a table in the order of time, as slices."""
    at = times(sorted(days))
    spans = families_in_time(at.astype("datetime64[us]").astype("int64"), minimum)
    rows = np.arange(len(days))
    for span, family in zip(spans, families(at, minimum, AT_ITS_END), strict=True):
        assert span.label == family.label
        assert list(rows[span.own]) == list(family.own)
        assert list(rows[span.window]) == list(family.window)


class _Told(Statistical):
    """Says of each case how far its peers reach."""

    name, type, version, reads, closing = "told", "told", "1", (), LATER_TOO

    def cases(self, shared: Features) -> tuple[pd.DataFrame, tuple[()]]:
        days = pd.date_range("2020-01-01", "2023-12-31", freq="D").to_numpy()
        at = days.astype("datetime64[us]").astype(np.int64)
        table = pd.DataFrame({"subject_id": [f"E{n}" for n in range(len(at))], "at": at})
        return table.assign(subject_party=None, index=range(len(at))), ()

    def standing(self, window: pd.DataFrame) -> pd.DataFrame:
        reach = {"begin": window["at"].min(), "end": window["at"].max()}
        return pd.DataFrame({"z": 0.0, **reach}, index=window.index)


def test_peers_may_come_later_and_every_case_is_judged_once() -> None:
    """A quarter is held against those that follow it too, by its own cases alone."""
    table = _Told().features(Features(World().frames())).table
    assert table["subject_id"].is_unique
    assert len(table) == 4 * 365 + 1
    quarter, begin, end = (
        pd.to_datetime(table[name], unit="us").dt.to_period("Q").map(lambda one: one.ordinal)
        for name in ("at", "begin", "end")
    )
    latest = quarter.max()
    closed = quarter <= latest - LATER_TOO.following
    first = quarter < quarter[table["family"] == table["family"].iloc[0]].max()
    later = end - quarter
    assert (later[closed & ~first] == LATER_TOO.following).all()
    assert (closed & ~first).sum() > 365
    assert (end[~closed] == latest).all()
    assert (end - begin < LATER_TOO.window).all()
