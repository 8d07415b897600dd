"""Taint: which lots carry something of a lot, through how many transformations.

Next: detectors/listed_source.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from detectors.features import Features

__all__ = ["Became"]


class Became:
    """What each lot became: the lots of every transform that used it."""

    def __init__(self, shared: Features) -> None:
        """Read the transforms of a run once."""
        made = shared.rows.loc[shared.rows["kind"] == "transform", ["index", "lot"]]
        used = shared.inputs.loc[shared.inputs["has_lot"], ["index", "lot"]]
        edges = used.merge(made, on="index", suffixes=("_in", "_out")).drop_duplicates()
        order = np.argsort(edges["lot_in"].to_numpy(), kind="stable")
        self._before = edges["lot_in"].to_numpy(np.int64)[order]
        self._after = edges["lot_out"].to_numpy(np.int64)[order]

    def _next(self, lot: int) -> list[int]:
        first, last = np.searchsorted(self._before, [lot, lot + 1])
        following: list[int] = self._after[first:last].tolist()
        return following

    def follow(
        self, lots: Iterable[int], stop: Callable[[int], bool] = lambda _: False
    ) -> dict[int, int]:
        """Return every lot reached from `lots`, with the transformations it is away.

        Args:
            lots: Where to begin, at 0.
            stop: What a lot is reached for, but not followed beyond. Cycles end.
        """
        hops = dict.fromkeys(lots, 0)
        frontier = list(hops)
        while frontier:
            following = []
            for lot in frontier:
                for after in () if stop(lot) else self._next(lot):
                    if after not in hops:
                        hops[after] = hops[lot] + 1
                        following.append(after)
            frontier = following
        return hops
