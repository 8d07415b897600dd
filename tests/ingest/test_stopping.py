"""Asked to stop, an ingest stops between two batches, and the same call goes on."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest
from ingest_log import MemoryLog, counts, feed

from provenance.errors import Interrupted
from provenance.ingest.sink import GROUP

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 3 * GROUP + 200
TEXT = "event_id,event_time,event_type\nbad,yesterday,ship\n" + "".join(
    f"E{number},2024-01-01,inspect\n" for number in range(ROWS)
)


@pytest.mark.parametrize("asked", [3, 6, 8])
def test_it_stops_between_batches_and_goes_on(tmp_path: Path, asked: int) -> None:
    """Whole batches are there, nothing of the next; the same call completes them in order."""
    log, times = MemoryLog(), count(1)
    with pytest.raises(Interrupted, match=r"the same command goes on from there") as stopped:
        feed(log, tmp_path, TEXT, stop=lambda: next(times) >= asked)
    logged = log.size - 1
    assert logged % GROUP == 0
    assert ("while reading" in str(stopped.value)) == (asked <= 4)
    assert not logged or f"{logged + 1:,} of its rows are settled" in str(stopped.value)
    assert [path.suffix for path in tmp_path.glob("quarantine/*.csv")] == []

    receipt = feed(log, tmp_path, TEXT)
    assert counts(receipt) == (ROWS + 1, ROWS - logged, logged, 1, ROWS - logged)
    assert [content["event_id"] for content in log.contents()] == [f"E{n}" for n in range(ROWS)]
    assert receipt.parts[0].ranges == [[1, ROWS]]


def test_nobody_asks(tmp_path: Path) -> None:
    """Without a wish to stop, it does not."""
    assert counts(feed(MemoryLog(), tmp_path, TEXT, stop=lambda: False))[1] == ROWS
