"""Silence: how improbable it is that firms who trade with each other do so only once.

Loads on a lane come at the shipper's usual rate; how unlike lanes are is the shape of a
gamma distribution of rates. Where lanes of three loads are more than that explains,
silent ones will be, too, and count less.

Next: detectors/routes/lane_novelty.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.custody import DAY_US

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "LEAST_SHAPE",
    "MOST_SHAPE",
    "ONE_LOAD_DAYS",
    "SHIPPER_SIZE",
    "WAIT_DAYS",
    "among_all",
    "how_seldom",
    "loads_of",
    "rates",
    "shape_of",
    "silence",
]

WAIT_DAYS: Final = 60
ONE_LOAD_DAYS: Final = 7
"""Shipments so near each other are one load."""
SHIPPER_SIZE: Final = 10.0
LEAST_SHAPE, MOST_SHAPE = 0.2, 6.0
_SELDOM: Final = 3
"""Loads of a lane that hardly repeats."""
_BUSY: Final = 0.05
"""Lanes on which silence is less probable than this should have seen many."""
_TINY: Final = 1e-300


def loads_of(uses: pd.DataFrame) -> pd.DataFrame:
    """Count the loads of each lane, and find the first: `loads`, `first`.

    Args:
        uses: Shipments, with `lane` and `at`.
    """
    first = uses.groupby("lane")["at"].transform("min")
    load = (uses["at"] - first) // (ONE_LOAD_DAYS * DAY_US)
    loads = uses.assign(load=load).drop_duplicates(["lane", "load"]).groupby("lane").size()
    return pd.DataFrame({"loads": loads, "first": uses.groupby("lane")["at"].min()})


def rates(uses: pd.DataFrame, lanes: pd.DataFrame, end: int) -> tuple[pd.Series, float]:
    """Return each shipper's typical loads a day on a lane, and how alike the lanes are.

    A load speaks for its lane, so that busy lanes count more. How alike they are is the shape of a
    gamma distribution of rates, read off the lanes that saw more than one load.

    Args:
        uses: Shipments, with `lane`, `maker` and `at`.
        lanes: `loads_of` them.
        end: When the record ends.
    """
    days = ((end - lanes["first"]) / DAY_US).clip(lower=float(WAIT_DAYS))
    rate = uses["lane"].map(pd.Series(np.log(lanes["loads"] / days)))
    whole = float(rate.median())
    grouped = rate.groupby(uses["maker"])
    size, own = grouped.size(), grouped.median()
    typical = pd.Series(np.exp((size * own + SHIPPER_SIZE * whole) / (size + SHIPPER_SIZE)))
    maker = uses.drop_duplicates("lane").set_index("lane")["maker"]
    expected = maker.map(typical).reindex(lanes.index) * days
    return typical, shape_of(lanes["loads"].to_numpy(np.float64), expected.to_numpy(np.float64))


def shape_of(loads: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """Return the shape that explains best how loads of the lanes that saw several spread.

    Args:
        loads: Of each lane.
        expected: Further loads that the shipper's usual rate lets expect.
    """
    from scipy import stats  # noqa: PLC0415 - 0.5 s, only for statistical detectors

    often = loads > 1
    more, mean = loads[often] - 1, np.maximum(expected[often], _TINY)

    def height(shape: float, level: float) -> float:
        chance = shape / (shape + level * mean)
        seen = stats.nbinom.logpmf(more, shape, chance)
        return float(np.sum(seen - np.log1p(-np.minimum(chance**shape, _SURE))))

    tried = [(shape, level) for shape in _SHAPES for level in _FACTORS]
    return max(tried, key=lambda one: height(*one))[0] if often.any() else MOST_SHAPE


_SHAPES: Final = tuple(float(one) for one in np.geomspace(LEAST_SHAPE, MOST_SHAPE, 12))
_FACTORS: Final = tuple(float(one) for one in np.geomspace(0.4, 1.6, 7))
_SURE: Final = 1 - 1e-9


def silence(
    repeats: NDArray[np.float64], expected: NDArray[np.float64], shape: float
) -> NDArray[np.float64]:
    """Return how probable so few repeats are where so many were to be expected.

    Args:
        repeats: Loads after the first.
        expected: As in `shape_of`.
        shape: How alike lanes are.
    """
    from scipy import stats  # noqa: PLC0415 - 0.5 s, only for statistical detectors

    few = np.nan_to_num(repeats, nan=1e9)
    chance = shape / (shape + np.maximum(np.nan_to_num(expected), 1e-12))
    return np.asarray(np.minimum(stats.nbinom.cdf(few, shape, chance), 1.0))


def among_all(
    p: NDArray[np.float64], attainable: NDArray[np.float64], seldom: float
) -> NDArray[np.float64]:
    """Return how often, on the mean over all lanes, chance alone gives a p-value so small.

    A lane is silent or not: its p-value is what silence is worth there, or none. Most lanes never
    could be as improbable as the least probable one, and are no trials of it (Heyse, 2011).

    Args:
        p: P-values of silence.
        attainable: What silence would be worth on each lane that is judged.
        seldom: How many times more often lanes are silent than that.
    """
    worth = np.sort(attainable)
    below = (
        seldom * np.append(0.0, np.cumsum(worth))[np.searchsorted(worth, p * _JUST, side="right")]
    )
    return np.asarray(np.clip(below / max(len(worth), 1), _TINY, 1.0))


_JUST: Final = 1 + 1e-9


def how_seldom(loads: NDArray[np.int64], expected: NDArray[np.float64], shape: float) -> float:
    """Return how many times more lanes of three loads there are than the model has.

    What is so for lanes that hardly repeat will be so for those that never do. A lane of two may
    be one deed done twice, and shows nothing of this.

    Args:
        loads: Of each lane.
        expected: As in `shape_of`.
        shape: How alike lanes are.
    """
    from scipy import stats  # noqa: PLC0415 - 0.5 s, only for statistical detectors

    chance = shape / (shape + np.maximum(expected, 1e-12))
    busy = chance**shape < _BUSY
    model = float(stats.nbinom.pmf(_SELDOM - 1, shape, chance[busy]).sum())
    seen = int((busy & (loads == _SELDOM)).sum())
    return max(1.0, (seen + 1) / (model + 1))
