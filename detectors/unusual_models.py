"""The general outlier models: a seeded forest, a frozen tail and distance to neighbours.

Each is fitted to a reference and scores a row by itself, whatever other rows
are scored with it. Nothing here uses threads or matrix products, whose sums
depend on how many threads there are; the answers are bit-identical across
processes. pyod takes seconds to import and is loaded when a model is fitted; a
fitted one is plain numbers, which a run can keep for the next one.

Next: detectors/unusual_overall.py
"""

from __future__ import annotations

import hashlib
import io
import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from detectors import nulls
from detectors.chances import deviate
from detectors.unusual_forest import Forest, planted, strangeness

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "FOREST_ROWS",
    "NEIGHBOUR_ROWS",
    "TREES",
    "Fitted",
    "Model",
    "deviates",
    "draw",
    "fit",
    "fitted",
    "packed",
    "unpacked",
]

TREES: Final = 200
FOREST_ROWS: Final = 20_000
NEIGHBOUR_ROWS: Final = 2_000
NEIGHBOURS: Final = 5
_SAME: Final = 0.05
"""Distances below this, in usual residuals, are as good as none."""
_FARTHEST: Final = 37.0
"""Normal deviate of about the smallest positive double; scores end here."""


class Model(NamedTuple):
    """The three fitted models, and the null of their mean on the reference.

    Attributes:
        forest: How soon rows are alone.
        tails: The reference columns, sorted.
        near: At most `NEIGHBOUR_ROWS` reference rows.
        nulls: Null of each model's own score.
        overall: Null of their standardised mean.
    """

    forest: Forest
    tails: NDArray[np.float64]
    near: NDArray[np.float64]
    nulls: tuple[nulls.RobustT, ...]
    overall: nulls.RobustT


class Fitted(NamedTuple):
    """What became of a reference.

    Attributes:
        digest: Names the reference by its numbers.
        size: How many rows it has.
        model: Fitted to it; None where it does not spread.
    """

    digest: str
    size: int
    model: Model | None


def fitted(reference: NDArray[np.float64], seed: int) -> Fitted:
    """Name a reference, and fit the models to it; arguments as for `fit`."""
    return Fitted(_digest(reference), len(reference), fit(reference, seed))


def fit(reference: NDArray[np.float64], seed: int) -> Model | None:
    """Fit the models to reference rows, most of them ordinary.

    Args:
        reference: Rows of scaled peer residuals (`draw` keeps them to `FOREST_ROWS`), without
            missing values, in a fixed order.
        seed: Seed of the forest and of every draw of rows.

    Returns:
        The model, or None where the reference does not spread.
    """
    from pyod.models.iforest import IForest  # noqa: PLC0415 - takes seconds

    grown = IForest(n_estimators=TREES, random_state=seed, n_jobs=1).fit(reference)
    forest = planted(grown.detector_)
    near = draw(reference, NEIGHBOUR_ROWS, seed + 1)
    tails = np.sort(reference, axis=0)
    # pyod has scored its reference; less its offset, that is `strangeness` to the digit.
    strange = grown.decision_scores_ - forest.offset
    parts = np.log(strange), _tail(tails, reference), _distance(near, reference)
    found = [nulls.fit(part, "upper") for part in parts]
    usual = tuple(null for null in found if null is not None)
    if len(usual) < len(found):
        return None
    overall = nulls.fit(_mean(parts, usual), "upper")
    return None if overall is None else Model(forest, tails, near, usual, overall)


def deviates(model: Model, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Score rows as normal deviates: 0 is the median, 3 is one ordinary row in 740.

    Each row's score depends on the model and on that row alone.
    """
    parts = _parts(model.forest, model.tails, model.near, rows)
    mean = _mean(parts, model.nulls)
    p = nulls.p_values(model.overall, mean, "upper")
    return np.asarray(np.clip(deviate(p), -_FARTHEST, _FARTHEST))


def packed(found: Fitted) -> bytes:
    """Write down what became of a reference."""
    words = json.dumps([found.digest, found.size]).encode()
    arrays: dict[str, NDArray[Any]] = {"named": np.frombuffer(words, np.uint8)}
    if found.model is not None:
        model = found.model
        arrays |= {name: np.asarray(value) for name, value in model.forest._asdict().items()}
        arrays |= {"tails": model.tails, "near": model.near}
        arrays["nulls"] = np.array([*model.nulls, model.overall])
    whole = io.BytesIO()
    np.savez(whole, allow_pickle=False, **arrays)
    return whole.getvalue()


def unpacked(whole: bytes) -> Fitted:
    """Read what `packed` wrote."""
    with np.load(io.BytesIO(whole), allow_pickle=False) as arrays:
        digest, size = json.loads(arrays["named"].tobytes())
        if "nulls" not in arrays:
            return Fitted(digest, size, None)
        *own, overall = (nulls.RobustT(*one) for one in arrays["nulls"].tolist())
        column, limit, depth = (arrays[name] for name in ("column", "limit", "depth"))
        forest = Forest(column, limit, depth, float(arrays["usual"]), float(arrays["offset"]))
        model = Model(forest, arrays["tails"], arrays["near"], tuple(own), overall)
    return Fitted(digest, size, model)


def _digest(reference: NDArray[np.float64]) -> str:
    data = np.ascontiguousarray(reference, dtype="<f8").tobytes()
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def draw(rows: NDArray[np.float64], most: int, seed: int) -> NDArray[np.float64]:
    """Take at most `most` rows, the same ones for the same rows and seed, in their order."""
    if len(rows) <= most:
        return rows
    chosen = np.random.Generator(np.random.PCG64(seed)).choice(len(rows), most, replace=False)
    return rows[np.sort(chosen)]


def _parts(
    forest: Forest,
    tails: NDArray[np.float64],
    near: NDArray[np.float64],
    rows: NDArray[np.float64],
) -> tuple[NDArray[np.float64], ...]:
    """Return the three models' own scores, on scales whose upper tails are light.

    The forest's is 2 ** (-depth / usual depth); its log is the depth.
    """
    return np.log(strangeness(forest, rows)), _tail(tails, rows), _distance(near, rows)


def _tail(tails: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum how far out each column is in the frozen reference, as -log of the tail's share.

    The cube root makes the sum of such logs nearly symmetrical (Wilson and Hilferty, 1931).
    """
    total = np.zeros(len(rows))
    for column in range(rows.shape[1]):
        reference, values = tails[:, column], rows[:, column]
        below = np.searchsorted(reference, values, "left")
        upto = np.searchsorted(reference, values, "right")
        share = ((below + upto) / 2 + 0.5) / (len(reference) + 1)
        total -= np.log(np.minimum(1.0, 2 * np.minimum(share, 1 - share)))
    return np.cbrt(total)


def _distance(near: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance to the fifth neighbour; a row does not count as its own."""
    from scipy.spatial import cKDTree  # noqa: PLC0415 - as above

    distances, _ = cKDTree(near).query(rows, k=NEIGHBOURS + 1, workers=1)
    own = distances[:, 0] == 0
    return np.asarray(np.log(_SAME + np.where(own, distances[:, -1], distances[:, -2])))


def _mean(
    parts: tuple[NDArray[np.float64], ...], fitted: tuple[nulls.RobustT, ...]
) -> NDArray[np.float64]:
    total = np.zeros(len(parts[0]))
    for part, null in zip(parts, fitted, strict=True):
        total += (part - null.centre) / null.scale
    return total / len(parts)
