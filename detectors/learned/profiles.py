"""Risk profiles: how often what shares a name with a case turned out to be right.

A name (a site, a carrier, a product with an origin) becomes two figures: the
share of its earlier cases that were confirmed, drawn towards the overall share
when there are few, and how many there were. A case's own outcome never enters
its own profile: examples are profiled by models that have not seen them.

Source: smoothed target statistics, Micci-Barreca (2001).

Next: detectors/learned/model.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["FOLDS", "SMOOTHING", "Profiles", "out_of_fold"]

FOLDS: Final = 5
SMOOTHING: Final = 10.0
"""Cases of the overall share that every name starts with."""


class Profiles:
    """Shares and counts by name, learnt from examples."""

    def __init__(self, names: pd.DataFrame, outcomes: NDArray[np.bool_]) -> None:
        """Learn from examples.

        Args:
            names: One text column per kind of name; "" where there is none.
            outcomes: Whether each was confirmed.
        """
        self.overall = float(outcomes.mean()) if len(outcomes) else 0.0
        self._tables: Mapping[str, tuple[pd.Series, pd.Series]] = {
            str(column): self._table(names[column], outcomes) for column in names
        }

    def _table(self, names: pd.Series, outcomes: NDArray[np.bool_]) -> tuple[pd.Series, pd.Series]:
        found = (
            pd.Series(outcomes.astype(np.float64)).groupby(names.to_numpy()).agg(["sum", "size"])
        )
        share = (found["sum"] + SMOOTHING * self.overall) / (found["size"] + SMOOTHING)
        return share, np.log1p(found["size"])

    def figures(self, names: pd.DataFrame) -> NDArray[np.float64]:
        """Return two columns per kind of name: share, and log of 1 + count."""
        columns = []
        for column, (share, count) in self._tables.items():
            columns.append(names[column].map(share).fillna(self.overall).to_numpy(np.float64))
            columns.append(names[column].map(count).fillna(0.0).to_numpy(np.float64))
        return np.column_stack(columns) if columns else np.empty((len(names), 0))


def out_of_fold(names: pd.DataFrame, outcomes: NDArray[np.bool_], seed: int) -> NDArray[np.float64]:
    """Profile examples, each by those of the other folds alone.

    Args:
        names: As for `Profiles`.
        outcomes: Likewise.
        seed: Of the assignment to folds.
    """
    fold = np.random.default_rng(seed).permutation(len(names)) % FOLDS
    figures = np.empty((len(names), 2 * names.shape[1]))
    for number in range(FOLDS):
        own = fold == number
        figures[own] = Profiles(names[~own], outcomes[~own]).figures(names[own])
    return figures
