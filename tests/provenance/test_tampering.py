"""Rules of tampering: a byte changed anywhere is told, or changes nothing that is read."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tamper_tools import Tampering, build

from provenance.auditing import audit as audit_module

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_single_bytes_changed_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the files then say differently is found and located; nothing crashes the audit.

    A sample; `make tamper` changes a thousand and more.
    """
    monkeypatch.setattr(audit_module, "_LOOK_SECONDS", 0)
    tampering = Tampering(build(tmp_path), tmp_path / "hit")

    dice = random.Random(5)
    for _ in range(80):
        tampering.change(dice)

    assert tampering.tally.faults == []
    assert set(tampering.tally.seen) == {"log.db", "log.db-wal", "checkpoint", "high-water"}
