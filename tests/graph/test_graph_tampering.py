"""Bytes of the graph's file changed: the audit tells each change of what the file says."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from graph_tampering import GraphTampering

if TYPE_CHECKING:
    from pathlib import Path


def test_a_changed_byte_is_told(tmp_path: Path) -> None:
    """No change of what any table or index says goes untold, and none crashes the audit."""
    tampering = GraphTampering(tmp_path)
    dice = random.Random(5)
    for _ in range(80):
        tampering.change(dice)
    assert tampering.tally.faults == []
    assert tampering.tally.seen > 20
