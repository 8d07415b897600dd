"""An ingest that is killed, interrupted and runs into a full disk ends as if nothing had been."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from ingest_soak import soak

if TYPE_CHECKING:
    from pathlib import Path


def test_blows_leave_no_trace(tmp_path: Path) -> None:
    """Same ids and contents in the same order, one batch over all, a graph that fits, no orphan."""
    blows = ["full", "interrupt", "kill", "kill", "kill"]
    counts = soak(tmp_path, 3_000, blows, random.Random(4))
    assert (counts["kill"], counts["interrupt"]) == (3, 1)
    assert counts["full disk refused"] == 1
