"""Drift: small excesses that repeat, each within what is ordinary, together beyond it.

A cumulative sum (Page, 1954) of how far each batch is over what it may be, in
spreads of its product, less half a spread. It grows only while excesses repeat
and starts anew at nothing. Where every batch lay exactly at its limit, with
normal noise, the sum would pass its limit about once in a million batches
(Siegmund, 1985); an excess of one and a half spreads passes it after thirteen.

Next: detectors/pools.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BIAS", "LIMIT", "MANY", "SLACK", "Runs", "runs", "spreads"]

LIMIT: Final = 12.0
SLACK: Final = 0.5
"""Half the repeated excess, in spreads, that is found soonest."""
FARTHEST: Final = 2.0
"""One batch adds no more: what repeats is asked about, not what is far off once."""
BIAS: Final = 0.005
"""Scales that are off by half a percent are off in every batch, and honest."""
MANY: Final = 30
"""Batches of a product that tell how exactly they keep to its rate."""
_LEAST_SPREAD: Final = 0.002
_OUTER, _NORMAL_OUTER = 0.9, 1.645


class Runs(NamedTuple):
    """The sum at each batch, and where the run of excesses it is about began.

    Attributes:
        total: The sum after the batch.
        start: Position, in the order given, of the first batch of the run; -1 outside of one.
    """

    total: NDArray[np.float64]
    start: NDArray[np.int64]


def spreads(
    product: NDArray[np.int64], place: NDArray[np.int64], over: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how many spreads of its product each batch is over what it may be; NaN for few.

    What a batch may be is its declared rate with a scale's error, or what most of the product's
    batches are, where that is more. The spread is that from one batch to the next of a site: a
    site that is over all the time does not hide in its own excess.

    Args:
        product: A number for each product.
        place: A number for each site.
        over: Logarithm of need over supply, finite, in the order of time.
    """
    table = pd.DataFrame({"product": product, "place": place, "over": over})
    step = table.groupby(["product", "place"])["over"].diff().abs() / np.sqrt(2)
    by_product = step.groupby(product)
    around = 1.4826 * by_product.transform("median")
    outer = by_product.transform(lambda one: one.quantile(_OUTER)) / _NORMAL_OUTER
    spread = around.clip(lower=outer).clip(lower=_LEAST_SPREAD).to_numpy(np.float64)
    grouped = table.groupby("product")["over"]
    far = (over - grouped.transform("median").clip(lower=BIAS).to_numpy(np.float64)) / spread
    many = (by_product.transform("count") >= MANY).to_numpy(bool)
    return np.where(many, np.clip(far, -FARTHEST, FARTHEST), np.nan)


def runs(place: NDArray[np.int64], far: NDArray[np.float64], batches: NDArray[np.float64]) -> Runs:
    """Sum up excesses place by place; a sum beyond the limit begins anew after it.

    Args:
        place: Number of the site and material of each batch.
        far: `spreads`; NaN is passed over.
        batches: How many batches each stands for.
    """
    total, start = np.zeros(len(place)), np.full(len(place), -1)
    sums: dict[int, float] = {}
    starts: dict[int, int] = {}
    steps = zip(place.tolist(), ((far - SLACK) * batches).tolist(), strict=True)
    for position, (where, step) in enumerate(steps):
        before = sums.get(where, 0.0)
        now = before if np.isnan(step) else max(before + step, 0.0)
        if before <= 0 < now:
            starts[where] = position
        total[position] = now
        if now > 0:
            start[position] = starts[where]
        sums[where] = 0.0 if now > LIMIT else now
    return Runs(total, start)
