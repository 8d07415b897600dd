"""What the shared features do with numbers and sorted columns, against the same done row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from frame_factories import World, chain
from hypothesis import given
from hypothesis import strategies as st

from detectors import custody
from detectors.columns import Grouped, at, codes, firsts
from detectors.features import Features
from detectors.routes.company import in_company

NAMES = st.sampled_from(["a", "b", "ab", None])
PAIRS = st.lists(st.tuples(NAMES, st.sampled_from([1.0, 2.0, np.nan])), max_size=30)
STEP = st.tuples(
    st.integers(0, 2),
    st.integers(-1, 1),
    st.sampled_from([1.0, -1.0]),
    st.sampled_from([1.0, 2.0, 3.5, np.nan]),
    st.integers(0, 5),
    st.booleans(),
)


@given(PAIRS)
def test_codes_number_combinations_as_they_come(pairs: list[Any]) -> None:
    """Equal combinations have one number, numbers begin at 0; missing is a value too."""
    table = pd.DataFrame(
        {
            "name": pd.Series([name for name, _ in pairs], dtype="str"),
            "value": pd.Series([value for _, value in pairs], dtype="float64"),
        }
    )
    seen: dict[Any, int] = {}
    keys = [(name, str(value)) for name, value in pairs]
    wanted = [seen.setdefault(key, len(seen)) for key in keys]
    found = codes(table, ["name", "value"])
    assert found.tolist() == wanted
    assert [keys[row] for row in firsts(found)] == list(seen)
    grouped = Grouped(found)
    for number in range(-1, len(seen) + 1):
        assert grouped.of(number).tolist() == [i for i, one in enumerate(wanted) if one == number]


def test_a_column_is_read_by_position_and_missing_where_there_is_none() -> None:
    """-1 is nobody's position."""
    found = pd.Series(at(pd.Series(["a", None, "c"], dtype="str"), np.array([2, -1, 1, 0])))
    assert found.fillna("?").tolist() == ["c", "?", "?", "a"]
    assert pd.isna(at(pd.Series([], dtype="str"), np.array([-1]))).all()


@given(st.lists(STEP, max_size=25))
def test_shortfalls_are_those_of_a_ledger_kept_by_hand(steps: list[Any]) -> None:
    """What leaves beyond what came so far and half as much again is short, once; a naive twin."""
    table = pd.DataFrame(
        [
            {
                "stock": int(custody.stock(np.int64(lot), np.int64(site))),
                "sign": sign,
                "amount": amount,
                "at": when * 3_600_000_000,
                "day": day,
                "kind": "receive" if sign > 0 else "ship",
                "index": row,
                "position": row,
            }
            for row, (lot, site, sign, amount, when, day) in enumerate(steps)
        ],
        columns=["stock", "sign", "amount", "at", "day", "kind", "index", "position"],
    )
    table = table.astype({"stock": "int64", "at": "int64", "index": "int64", "position": "int64"})
    found = custody.shortfalls(table, tolerance=0.5, clock_us=0).set_index("position")
    assert found.index.tolist() == [row for row, step in enumerate(steps) if step[2] < 0]
    for _, own in table.groupby("stock"):
        _check_ledger(own, found)


def _check_ledger(own: Any, found: Any) -> None:
    def moment(row: Any) -> Any:
        inward = row.sign > 0
        return row.at if inward else row.at + custody.DAY_US * row.day, not inward, row.position

    rows = sorted(own.itertuples(), key=moment)
    balance, arrivals = 0.0, 0
    for row in rows:
        known = 0.0 if row.amount != row.amount else row.amount
        if row.sign > 0:
            balance += 1.5 * known
            arrivals += 1
            continue
        one = found.loc[row.position]
        assert np.isclose(one["short"], max(known - balance, 0.0))
        assert one["arrivals"] == arrivals
        assert bool(one["known"]) == bool(own["amount"].notna().all())
        balance = max(balance - known, 0.0)


def test_flows_and_rows_of_a_lot_are_those_that_a_search_finds() -> None:
    """Sorted columns and positions give what looking at every row gives, in the same order."""
    shared = Features(chain(World()).frames())
    flows, rows = shared.flows, shared.rows
    for lot in [*flows["lot"].unique()[:5].tolist(), 10_000]:
        own = flows[flows["lot"] == lot].sort_values(["at", "index", "position"])
        assert shared.flows_of(lot).entry.tolist() == own["index"].tolist()
        assert shared.flows_of(lot).stock.tolist() == own["stock"].tolist()
    wanted = [*rows["index"].iloc[[3, 0, 3]].tolist(), 10_000]
    assert shared.rows_of(wanted).tolist() == rows.index[rows["index"].isin(wanted)].tolist()
    assert shared.row(2)["event_id"] == rows["event_id"].iloc[2]


def test_sites_have_numbers_in_the_order_of_their_names() -> None:
    """A number is a name: equal where the names are, smaller where they come first."""
    rows = Features(chain(World()).frames()).rows
    for name in ("site", "shipper", "to_site"):
        number = rows[f"{name}_number"]
        assert (number < 0).tolist() == rows[name].isna().tolist()
        pairs = rows.assign(number=number)[[name, "number"]].dropna().drop_duplicates()
        assert pairs.sort_values(name)["number"].is_monotonic_increasing
        assert not pairs["number"].duplicated().any()


WEEK = st.tuples(st.booleans(), st.integers(0, 30), st.integers(0, 2), st.booleans())


@given(st.lists(WEEK, max_size=20))
def test_company_is_told_of_those_asked_as_it_is_of_everybody(cases: list[Any]) -> None:
    """The same answer whoever else is asked about, and the answer of counting by hand."""
    odd, at_, codes_, asked = (np.array(one) for one in zip(*cases, strict=True)) if cases else (
        np.zeros(0, bool), np.zeros(0, int), np.zeros(0, int), np.zeros(0, bool)
    )  # fmt: skip
    limits: dict[str, Any] = {"reach_us": 10, "least": 1, "share": 0.5}
    found = in_company(odd, at_, codes_, **limits, asked=asked)
    assert found.tolist() == (in_company(odd, at_, codes_, **limits) & asked).tolist()
    for row in np.flatnonzero(asked):
        near = (codes_ == codes_[row]) & (np.abs(at_ - at_[row]) <= 10)
        near[row] = False
        count = int(odd[near].sum())
        assert found[row] == (count >= 1 and count >= 0.5 * near.sum())
