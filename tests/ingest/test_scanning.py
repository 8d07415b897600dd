"""What is done for many rows, or entries, at once is what is done for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from provenance.entries import Outcome
from provenance.ingest.batches import Claim, RootStream, ranges_of
from provenance.ingest.columns import EVENTS
from provenance.ingest.decisions import Evidence, TimeReader, TimeSettings
from provenance.ingest.layout import native_recipe
from provenance.ingest.rows import RowReader, Scanner, in_groups
from provenance.ingest.scratch import KnownMakers, Scratch
from provenance.ingest.table import Row
from provenance.ingest.times import split
from provenance.ingest.values import MISSING, Unacceptable

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADER = ("event_id", "event_time", "event_type", "product_id", "lot_id", "source_system")
CELLS = st.sampled_from(["", "-", " L1", "L1", "l1", "\uff2c1", "N/A", "P", "p ", "\xa0P"])
TIMES = st.sampled_from(
    [
        *("2024-03-01", " 2024-03-01", "05/06/2024", "30/06/2024 ", "06/30/24", "1/2-3", " 1/2-3"),
        *("01/02/2023", "2-Jun-06", "12-Jun-99", " 2-Jun-99", "never", "", "1700000000"),
    ]
)
WORDS = st.sampled_from(["produce", " Transform ", "ship", "PRODUCE", ""])
ROWS = st.lists(st.tuples(CELLS, TIMES, WORDS, CELLS, CELLS, CELLS), max_size=30)


def found(rows: list[Row], size: int) -> tuple[Any, ...]:
    """All that a first pass learns, in groups of some size."""
    evidence = Evidence()
    scanner = Scanner(native_recipe(EVENTS, HEADER), HEADER, evidence)
    lots = [lot for at in range(0, len(rows), size) for lot in scanner.scan(rows[at : at + size])]
    orders = {key: repr(proof) for key, proof in evidence.orders.items()}
    return lots, orders, evidence.years, evidence.names.seen, evidence.names.alike


def naive(rows: list[Row]) -> tuple[Any, ...]:
    """The same, said row by row."""
    evidence, lots = Evidence(), []
    for _line, (_id, time, word, product, lot, source), *_ in rows:
        evidence.observe(time.strip(), source.strip(), _line, ahead=False)
        for space, name in (("product", product.strip()), ("lot", lot.strip())):
            if name not in MISSING:
                evidence.names.add(space, name)
        makes = word.strip().casefold() in {"produce", "transform"}
        if makes and lot.strip() not in MISSING and product.strip() not in MISSING:
            lots.append((lot.strip(), product.strip()))
    orders = {key: repr(proof) for key, proof in evidence.orders.items()}
    return lots, orders, evidence.years, evidence.names.seen, evidence.names.alike


@given(ROWS, st.integers(1, 7))
def test_columns_say_what_rows_say(cells: list[tuple[str, ...]], size: int) -> None:
    """The first pass over groups of rows finds the same times, ids and lots as row by row."""
    rows = [Row(line, list(row)) for line, row in enumerate(cells, 2)]
    assert found(rows, size) == found(rows, 1) == naive(rows)


def test_a_time_that_is_passed_over_says_nothing() -> None:
    """What looks like 2024-... decides no order and no century; anything else is looked at."""
    for text in ("2024-03-01", "2024-13-45", "0001-1", "12345"):
        try:
            parts = split(text)
        except Unacceptable:
            continue
        assert text[4:5] != "-" or not (parts.open or parts.short)


def test_groups_hold_every_row_once() -> None:
    """In order, whatever their number."""
    for many in (0, 1, 499, 500, 501, 1_203):
        rows = [Row(line, []) for line in range(many)]
        groups = list(in_groups(iter(rows)))
        assert [row for group in groups for row in group] == rows
        assert all(groups)


KINDS = st.sampled_from(["appended", "appended", "appended", "duplicate"])


@given(st.lists(st.lists(st.tuples(KINDS, st.integers(0, 2)), max_size=6), max_size=6))
def test_a_claim_of_runs_is_a_claim_of_entries(batches: list[list[tuple[str, int]]]) -> None:
    """Whether entries come as runs or with gaps: the same ranges and root, each entry once."""
    claim, stream, index = Claim(), RootStream(), 10
    taken: list[int] = []

    class Log:
        def entries(self, start: int, stop: int) -> Any:
            """Entries of which the body digest is asked for."""
            for at in range(start, stop):
                yield type("E", (), {"leaf": bytes(24) + at.to_bytes(32) + bytes(32)})()

    for batch in batches:
        outcomes = []
        for kind, gap in batch:
            index += 1 + (gap == 2)
            again = kind == "duplicate" and taken and gap == 1
            at = taken[0] if again else index
            digest = at.to_bytes(32) if kind == "appended" else None
            outcomes.append(Outcome(kind, at, digest))  # type: ignore[arg-type] # one of them
        claim.take(iter(outcomes), Log())  # type: ignore[arg-type] # all that it asks for
        for outcome in outcomes:
            if outcome.index not in taken:
                taken.append(outcome.index)
                stream.extend([outcome.index.to_bytes(32)])
    ranges: list[list[int]] = []
    ranges_of(taken, ranges)
    assert claim.ranges == ranges
    assert (claim.stream.count, claim.stream.root()) == (stream.count, stream.root())


LOTS = st.sampled_from(["L1", "L2", "L3", "a'b", '"', "L1 ", "\u00e9", "x\0y", "x"])
MADE = st.tuples(LOTS, st.sampled_from(["acme", "bolt"]), st.sampled_from(["P", "Q"]))


@given(st.lists(MADE), st.lists(MADE), st.lists(st.lists(LOTS)))
def test_makers_of_many_lots_are_the_makers_of_each(
    logged: list[tuple[str, str, str]],
    made: list[tuple[str, str, str]],
    groups: list[list[str]],
) -> None:
    """Whatever was foreseen, and whatever lot is asked for: those of the log and of the files."""
    made = [lot for lot in made if "\0" not in lot[0]]  # no row makes such a lot
    scratch = Scratch()
    for lot, party, product in made:
        scratch.add_lot(lot, party, product)
    asked: list[str] = []

    def makers_of(lots: Sequence[str]) -> list[tuple[str, str, str]]:
        asked.extend(lots)
        return [one for one in logged if one[0] in lots]

    makers = KnownMakers(makers_of, scratch.makers_of)
    for group in groups:
        makers.foresee(group)
    for lot in ("L1", "L2", *(lot for group in groups for lot in group)):
        expected = sorted(
            {(party, product) for name, party, product in (*logged, *made) if name == lot}
        )
        assert makers(lot) == expected
    assert len(asked) == len(set(asked))
    scratch.close()


@given(st.lists(st.tuples(CELLS, st.sampled_from(["", "A;B", " A ; L1", "-", "\0;C", ";"]))))
def test_the_lots_of_rows_are_foreseen(cells: list[tuple[str, str]]) -> None:
    """All that the rows name, however they write them; none that cannot be one."""
    header = ("event_id", "event_time", "event_type", "lot_id", "input_lots")
    evidence = Evidence()
    times = TimeReader(evidence, TimeSettings(), 0)
    reader = RowReader(native_recipe(EVENTS, header), times)
    rows = [Row(at, ["", "", "", *two]) for at, two in enumerate(cells)]
    parts = [part.strip() for two in cells for text in two for part in text.split(";")]
    wanted = {part for part in parts if part not in MISSING and "\0" not in part}
    assert reader.lots([*rows, Row(0, ["too", "short"], "is too short")]) == wanted
    assert RowReader(native_recipe(EVENTS, header[:3]), times).lots(rows) == set()
