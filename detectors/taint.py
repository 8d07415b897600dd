"""Taint: which lots carry something of a lot, through how many transformations.

Next: detectors/listed_source.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
        self._next: dict[int, list[int]] = {}
        for before, after in zip(edges["lot_in"], edges["lot_out"], strict=True):
            self._next.setdefault(int(before), []).append(int(after))

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
                for after in () if stop(lot) else self._next.get(lot, ()):
                    if after not in hops:
                        hops[after] = hops[lot] + 1
                        following.append(after)
            frontier = following
        return hops
