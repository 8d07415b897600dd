"""Chances: distributions by the special functions behind them.

`scipy.stats` takes longer to load than a run over a few new entries takes; the
functions that its distributions are made of load in a fraction, and give the same
numbers to the digit.

Next: detectors/nulls.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["as_many", "beyond", "deviate", "negative_binomial", "t_beyond", "t_quantile"]


def as_many(counts: ArrayLike, mean: ArrayLike) -> NDArray[np.float64]:
    """Return how probable a Poisson number at least as large as each count is.

    Args:
        counts: 0 or more; between whole ones it is what the gamma function makes of them.
        mean: 0 or more.
    """
    counts, mean = np.broadcast_arrays(np.asarray(counts, np.float64), np.asarray(mean, np.float64))
    some = counts > 0
    found = np.asarray(_special().gammainc(np.where(some, counts, 1.0), mean), np.float64)
    return np.where(some, found, 1.0)


def beyond(deviates: ArrayLike) -> NDArray[np.float64]:
    """Return how probable a standard normal value above each of these is."""
    return np.asarray(_special().ndtr(-np.asarray(deviates, np.float64)), np.float64)


def deviate(p: ArrayLike) -> NDArray[np.float64]:
    """Return the normal deviates beyond which so much lies; infinite for 0 and 1."""
    return np.asarray(-_special().ndtri(np.asarray(p, np.float64)), np.float64)


def t_beyond(values: ArrayLike, dof: ArrayLike) -> NDArray[np.float64]:
    """Return how probable a Student-t value above each of these is, by degrees of freedom."""
    return np.asarray(_special().stdtr(dof, -np.asarray(values, np.float64)), np.float64)


def t_quantile(share: ArrayLike, dof: ArrayLike) -> NDArray[np.float64]:
    """Return the value below which such a share of a Student t lies, by degrees of freedom."""
    return np.asarray(_special().stdtrit(dof, share), np.float64)


def negative_binomial(
    counts: NDArray[np.int64], shape: float, share: ArrayLike
) -> NDArray[np.float64]:
    """Return how probable counts are before the `shape`-th success.

    Args:
        counts: 0 or more.
        shape: Above 0, not necessarily whole.
        share: How probable success is each time, above 0 and up to 1.
    """
    special, share = _special(), np.asarray(share, np.float64)
    logs = special.xlogy(shape, share) + special.xlog1py(counts, -share)
    return np.asarray(np.exp(logs - special.betaln(shape, counts + 1.0)) / (counts + shape))


def _special() -> Any:
    from scipy import special  # noqa: PLC0415 - 0.3 s, only for statistical detectors

    return special
