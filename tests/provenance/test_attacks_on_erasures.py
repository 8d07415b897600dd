"""Attacks on erasing: gaps that nobody owns up to, and erasures that were not carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from erase_tools import erase, everything
from log_factories import ORIGIN, Rig

from provenance.auditing import audit as audit_module
from provenance.disclosure.erased import erasure_drafts
from provenance.errors import WorkspaceDamaged
from provenance.forget.wanted import record_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two files of an attacked log stay apart for ever: look once, not for a second."""
    monkeypatch.setattr(audit_module, "_LOOK_SECONDS", 0)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """A log of everything."""
    return everything(Rig(tmp_path))


ATTACKS = {
    "an opening taken out": (
        "DELETE FROM opening WHERE idx = 3 AND path = '/shipment_id'",
        "opening /shipment_id of entry 3: missing, and no erasure",
    ),
    "a body taken out": ("UPDATE body SET body = NULL WHERE idx = 3", "body 3: missing, and no"),
    "an erasure taken out": ("UPDATE body SET body = NULL WHERE idx = 14", "body 14: missing, and"),
    "an erased opening put back": (
        "INSERT INTO opening VALUES (2, '/shipment_id', 1, zeroblob(32), zeroblob(9))",
        "opening /shipment_id of entry 2: still stored, though entry 14 erased it",
    ),
    "the key of an erasure taken out": (
        "DELETE FROM event_id WHERE idx = 14",
        "event_id: readers do not find the erasure in entry 14",
    ),
    "the list of an erasure changed": (
        (
            "UPDATE body SET body = CAST(replace(body, '/shipment_id', '/carrier') AS BLOB) "
            "WHERE idx = 14"
        ),
        "body 14: not the content that was logged",
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_an_insider_takes_out_or_puts_back_is_found(rig: Rig, attack: str) -> None:
    """Gaps without an erasure, and erasures without a gap, are problems with their place."""
    log = rig.open()
    erase(rig, log, record_of(log.entry(2), ("shipment_id",)))
    log.close()
    assert rig.audit().problems == []
    statement, expected = ATTACKS[attack]
    with rig.attacked() as database:
        database.execute(statement)
        assert database.changes()

    assert [problem for problem in rig.audit().problems if problem.startswith(expected)]


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({2: {"/shipment_id"}}, "opening /shipment_id of entry 2: still stored, though entry 14"),
        ({2: None}, "body 2: still stored, though entry 14 erased it"),
        ({2: {"/made_up"}}, "body 14: erases /made_up of entry 2, which never was there"),
        ({99: None}, "body 14: erases what came after it, entry 99"),
    ],
)
def test_an_erasure_that_was_not_carried_out_is_found(
    rig: Rig, named: dict[int, Any], expected: str
) -> None:
    """An entry that names what is there, or never was, is a problem: the log would lie."""
    log = rig.open()
    log.append(erasure_drafts(ORIGIN, 1, named, "acme"))
    log.close()

    assert [problem for problem in rig.audit().problems if problem.startswith(expected)]


def test_nothing_is_erased_where_it_cannot_be_said(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where an erasure's number is taken already, by whatever means, nothing is taken out."""
    log = rig.open()
    erase(rig, log, record_of(log.entry(2), ("shipment_id",)))
    before = log.entry(3)
    monkeypatch.setattr("provenance.forget.run.count_acts", lambda *_: 0)

    with pytest.raises(WorkspaceDamaged, match="numbered"):
        erase(rig, log, record_of(before, ()))

    assert log.entry(3) == before
    log.close()
    assert rig.audit().problems == []


def test_the_register_cannot_be_erased_away(rig: Rig) -> None:
    """An erasure that names the founding entry, or an erasure, hides neither."""
    log = rig.open()
    erase(rig, log, record_of(log.entry(2), ("shipment_id",)))
    log.append(erasure_drafts(ORIGIN, 2, {14: None}, "acme"))
    log.close()
    with rig.attacked() as database:
        database.execute("UPDATE body SET body = NULL WHERE idx = 14")

    assert any(problem.startswith("body 14: missing") for problem in rig.audit().problems)
