"""Entries in columns: what `entries` gives without what opens them, or nothing at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from log_factories import Rig, event

from provenance.errors import WorkspaceDamaged

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """A log of twenty events."""
    return Rig(tmp_path).filled(20)


def test_columns_are_the_entries(rig: Rig) -> None:
    """The same leaves and bodies, and of every opening its tier and what it says, in one order."""
    log = rig.reader()
    for start, stop in ((0, 21), (3, 9), (7, 7)):
        columns, entries = log.columns(start, stop), list(log.entries(start, stop))
        assert columns is not None
        assert columns.types == [entry.type for entry in entries]
        assert columns.leaf_hashes == [entry.leaf_hash for entry in entries]
        assert columns.bodies == [entry.body for entry in entries]
        for entry, tiers, said in zip(entries, columns.tiers, columns.said, strict=True):
            in_order = sorted(entry.openings, key=lambda opening: opening.path)
            assert tiers == "".join(str(opening.tier.value) for opening in in_order)
            assert said == b",".join(opening.preimage for opening in in_order)
    log.close()


def test_an_erased_body_and_a_lost_opening_are_not_there(rig: Rig) -> None:
    """As in the entries."""
    with rig.attacked() as database:
        database.execute("UPDATE body SET body = NULL WHERE idx = 5")
        database.execute("DELETE FROM opening WHERE idx = 6")
    log = rig.reader()
    columns = log.columns(5, 8)
    assert columns is not None
    assert [body is None for body in columns.bodies] == [True, False, False]
    assert [bool(said) for said in columns.said] == [True, False, True]
    log.close()


def test_where_an_entry_is_missing_there_are_no_columns(rig: Rig) -> None:
    """`entries` says which."""
    with rig.attacked() as database:
        database.execute("DELETE FROM leaf WHERE idx = 5")
    log = rig.reader()
    assert log.columns(0, 9) is None
    assert log.columns(15, 22) is None
    assert log.columns(6, 9) is not None
    with pytest.raises(WorkspaceDamaged, match="entry 5 is missing"):
        list(log.entries(0, 9))
    log.close()


def test_openings_that_are_no_text_are_given_as_they_are(rig: Rig) -> None:
    """Whoever reads them finds out; reading does not fail."""
    with rig.attacked() as database:
        database.execute("UPDATE opening SET preimage = x'ff00' WHERE idx = 5")
    log = rig.reader()
    columns = log.columns(5, 6)
    assert columns is not None
    assert columns.said[0].startswith(b"\xff\x00")
    log.close()


@pytest.mark.parametrize(
    "spoilt", ["x''", "x'00'", "CAST(leaf || 'x' AS BLOB)", "substr(leaf, 1, 87)"]
)
def test_a_leaf_that_is_none_is_left_to_the_entries(rig: Rig, spoilt: str) -> None:
    """Of another size or form, though others that begin alike are leaves."""
    with rig.attacked() as database:
        database.execute(f"UPDATE leaf SET leaf = {spoilt} WHERE idx = 5")
    log = rig.reader()
    assert log.columns(0, 9) is None
    with pytest.raises(WorkspaceDamaged, match="entry 5: "):
        list(log.entries(0, 9))
    log.close()


def test_makers_of_many_lots_are_the_makers_of_each(rig: Rig) -> None:
    """In any order; of lots that nobody made there are none."""
    log = rig.open()
    log.append([replace(event(100), lots=(("L-1", "bolt", "Q"), ("a'b\u00e9", "acme", "P-1")))])
    wanted = ["L-1", "L-2", "a'b\u00e9", "never", ""]
    pairs = sorted((lot, *pair) for lot in wanted for pair in log.makers(lot))
    assert len(pairs) == 4
    assert sorted(log.makers_of(wanted)) == pairs
    assert log.makers_of([]) == []
    log.close()
