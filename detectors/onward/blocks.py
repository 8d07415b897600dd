"""Blocks: cases and abstentions sorted by the block of goods that they are about.

Next: detectors/onward/keeping.py
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.base import Abstention

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["Blocks", "merged"]

_EXAMPLES: Final = 5


class Blocks:
    """To which block each entry and each event id belongs."""

    def __init__(
        self,
        entries: NDArray[np.int64],
        block: NDArray[np.int64],
        rows: pd.DataFrame,
        *,
        in_part: bool,
    ) -> None:
        """Know the blocks.

        Args:
            entries: Log indices of all rows, ascending.
            block: Of each of them.
            rows: The shared rows of which subjects may be named.
            in_part: Whether they are not all of them: the others are left out.
        """
        self._entries = entries
        self._block = block
        self._rows = rows
        self._in_part = in_part

    def of(self, entries: NDArray[np.int64]) -> NDArray[np.object_]:
        """Return the label of the block of each entry."""
        number, labels = pd.factorize(self._block[np.searchsorted(self._entries, entries)])
        return labels.astype(str).astype(object)[number]

    def left_out(
        self, abstentions: Iterable[Abstention]
    ) -> dict[str, tuple[Abstention, ...]] | None:
        """Sort what was not judged; None where it is not said who that was."""
        found: dict[str, list[Abstention]] = {}
        for one in abstentions:
            if one.subjects is None:
                return None
            names = np.array(sorted(one.subjects), dtype=object)
            mine = self._rows["event_id"].isin(names).to_numpy()
            told = self._rows[["event_id", "index"]][mine].drop_duplicates("event_id")
            blocks = pd.Series(self.of(told["index"].to_numpy()), index=told["event_id"])
            if len(blocks) < len(names) and not self._in_part:
                return None
            for label, own in blocks.groupby(blocks).groups.items():
                found.setdefault(str(label), []).append(_about(one, [str(name) for name in own]))
        return {label: tuple(own) for label, own in found.items()}


def _about(abstention: Abstention, names: list[str]) -> Abstention:
    few = tuple(sorted(names)[:_EXAMPLES])
    return replace(abstention, count=len(names), examples=few, subjects=frozenset(names))


def merged(abstentions: Iterable[Abstention]) -> tuple[Abstention, ...]:
    """Put abstentions for the same reason together; each subject is in one of them."""
    by_reason: dict[tuple[str, str], list[Abstention]] = {}
    for one in abstentions:
        by_reason.setdefault((one.detector, one.reason), []).append(one)
    return tuple(
        Abstention(
            *reason,
            sum(one.count for one in every),
            tuple(sorted(name for one in every for name in one.examples)[:_EXAMPLES]),
            frozenset[str]().union(*(one.subjects or () for one in every)),
        )
        for reason, every in sorted(by_reason.items())
    )
