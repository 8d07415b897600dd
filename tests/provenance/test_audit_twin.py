"""Rules of an audit's shortcuts: they find what looking at every entry by itself finds."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from log_factories import Rig, event, facility

from provenance.auditing import openings
from provenance.auditing.recompute import Recomputation
from provenance.entries import Tier

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.auditing.audit import AuditReport

MOVED = "CAST(substr(salt, 32) || preimage AS BLOB)"
DAMAGE = [
    "UPDATE leaf SET leaf = {changed} WHERE idx = {index}",
    "UPDATE body SET body = {changed} WHERE idx = {index}",
    "UPDATE opening SET {column} = {changed} WHERE idx = {index}",
    "UPDATE opening SET tier = tier + 1 WHERE idx = {index}",
    "UPDATE opening SET path = '/other' WHERE idx = {index} AND path = '/shipment_id'",
    "UPDATE opening SET path = CAST(x'2fff' AS TEXT) WHERE idx = {index} AND path = '/ext'",
    "INSERT OR IGNORE INTO opening SELECT idx, '/a%b', 1, salt, preimage FROM opening",
    "DELETE FROM opening WHERE idx = {index}",
    "DELETE FROM opening WHERE idx = {index} AND path = '/shipment_id'",
    "DELETE FROM body WHERE idx = {index}",
    "UPDATE body SET body = NULL WHERE idx = {index}",
    "DELETE FROM leaf WHERE idx = {index}",
    "UPDATE leaf SET leaf = x'' WHERE idx = {index}",
    "UPDATE opening SET (salt, preimage) = (substr(salt, 1, 31), "
    + MOVED
    + ") WHERE idx = {index}",
    "UPDATE body SET body = CAST(replace(body, x'2f3122', x'ff22') AS BLOB) WHERE idx = {index}",
    "UPDATE leaf SET idx = 1000 WHERE idx = {index}",
]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """A log whose bodies begin in all the ways there are."""
    (tmp_path / "log").mkdir()
    rig = Rig(tmp_path / "log").filled(12, batch=5)
    log = rig.open()
    log.append([facility("F-1"), facility("F-2", latitude={"_d": "1.5"})])
    more = {"ext": [["%b", "x"], ["}", "y"]], 'a"}%b': "z", "A": "before the format's own"}
    drafts = [event(number, **more) for number in range(20, 24)]
    rig.clock.now_us += 1
    log.append([*drafts, *[_with_own_tiers(event(number)) for number in range(30, 33)]])
    log.close()
    return rig


def _with_own_tiers(draft: Any) -> Any:
    return type(draft)(
        draft.type, draft.version, draft.content, draft.identities, tiers={"/party": Tier.PARTNER}
    )


def without_shortcuts(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> AuditReport:
    """Audit entry by entry, opening by opening."""
    with monkeypatch.context() as patched:
        patched.setattr(Recomputation, "_fitting", lambda *_: None)
        patched.setattr(openings, "_are_as_committed", lambda *_: False)
        return rig.audit()


def test_a_sound_log_is_sound_either_way(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways end in the same report, and it has nothing to tell."""
    report = rig.audit()

    assert report == without_shortcuts(rig, monkeypatch)
    assert report.problems == []
    assert report.size == 22


def test_ordinary_entries_need_no_long_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is wrong, no leaf and no opening is looked at by itself."""
    rig = Rig(tmp_path).filled(12)
    monkeypatch.delattr(Recomputation, "_check_leaves")
    monkeypatch.delattr(openings.Openings, "_explain")

    assert rig.audit().problems == []


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_told_either_way(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, damage: str
) -> None:
    """Whatever is changed, the shortcuts lead to the same lines as the long way."""
    dice = random.Random(damage)
    for turn in range(4):
        copy = rig.copied(tmp_path / f"{turn}")
        column = dice.choice(["salt", "preimage"])
        index = 20 if "/ext" in damage else dice.randrange(1, 22)
        place = dice.randrange(1, 88 if "leaf" in damage else 32)
        name = "leaf" if "leaf" in damage else "body" if "UPDATE body" in damage else column
        changed = f"substr({name}, 1, {place - 1}) || x'0d' || substr({name}, {place + 1})"
        with copy.attacked() as database:
            database.execute(
                damage.format(changed=f"CAST({changed} AS BLOB)", column=column, index=index)
            )

        report = copy.audit()

        assert report == without_shortcuts(copy, monkeypatch)
        assert report.problems or "opening" in damage  # some entries have none
