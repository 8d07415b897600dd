"""A model of what people confirm: gradient boosting on profiles and figures, calibrated in time.

Examples are put in order of time. The first part is learnt from, the next makes
probabilities of scores (isotonic), and the last, which neither has seen, says
how good the probabilities are. Then the ranking is learnt once more from all of
them; the report is that of the first model, which knew less. All of it runs on
one thread, so that the same examples give the same numbers everywhere.

Next: detectors/learned/outcomes.py
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from detectors.learned.profiles import Profiles, out_of_fold

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Examples", "Learned", "Report", "brier", "expected_error", "learn"]

_LEARN, _CALIBRATE = 0.70, 0.85
"""Shares of the examples, in order of time, at which the next part begins."""
_BINS: Final = 10
_ROUNDS: Final = 300
_RATE: Final = 0.05
_LEAVES: Final = 31
_LEAST_LEAF: Final = 20


class Examples(NamedTuple):
    """Cases with what is known of them.

    Attributes:
        names: Text columns; "" where there is none.
        figures: Numbers, NaN where unknown; shape (cases, figures).
        at: Time of each case, any unit that sorts.
    """

    names: pd.DataFrame
    figures: NDArray[np.float64]
    at: NDArray[np.int64]

    def rows(self, chosen: NDArray[np.int64]) -> Examples:
        """Return some of the cases."""
        return Examples(self.names.iloc[chosen], self.figures[chosen], self.at[chosen])


class Report(NamedTuple):
    """How good the probabilities were on the last examples.

    Attributes:
        learnt: How many examples the model was learnt from.
        assessed: How many it was assessed on.
        share: The confirmed share among those.
        brier: Mean squared error of the probabilities; knowing nothing gives share x (1 - share).
        error: Expected calibration error, ten bins of equal width.
    """

    learnt: int
    assessed: int
    share: float
    brier: float
    error: float


@dataclass(frozen=True, slots=True)
class _Ranking:
    """Profiles and boosting learnt from the same examples."""

    profiles: Profiles
    known: NDArray[np.bool_]
    boosting: Any

    def scores(self, cases: Examples) -> NDArray[np.float64]:
        figures = cases.figures[:, self.known]
        return _score(self.boosting, np.column_stack([self.profiles.figures(cases.names), figures]))


@dataclass(frozen=True, slots=True)
class Learned:
    """A fitted model; `report` says how good it was on cases it had not seen."""

    report: Report
    _ranking: _Ranking
    _isotonic: Any

    def probabilities(self, cases: Examples) -> NDArray[np.float64]:
        """Return for each case the probability that people confirm it, 0 to 1."""
        return np.asarray(self._isotonic.predict(self.scores(cases)), np.float64)

    def scores(self, cases: Examples) -> NDArray[np.float64]:
        """Return the scores before calibration: they rank more finely than probabilities."""
        return self._ranking.scores(cases)


def learn(examples: Examples, outcomes: NDArray[np.bool_], seed: int) -> Learned | None:
    """Learn from decided cases.

    Args:
        examples: The cases.
        outcomes: Whether each was confirmed.
        seed: Of folds and boosting.

    Returns:
        The model; None where one of the three parts has only one kind of outcome.
    """
    from sklearn.isotonic import IsotonicRegression  # noqa: PLC0415 - takes a second

    order = np.lexsort((np.arange(len(outcomes)), examples.at))
    first, second = (int(len(order) * share) for share in (_LEARN, _CALIBRATE))
    parts = [order[:first], order[first:second], order[second:]]
    if any(outcomes[part].all() or not outcomes[part].any() for part in parts):
        return None
    early = _rank(examples.rows(parts[0]), outcomes[parts[0]], seed)
    isotonic = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    isotonic.fit(early.scores(examples.rows(parts[1])), outcomes[parts[1]])
    last = outcomes[parts[2]]
    given = np.asarray(isotonic.predict(early.scores(examples.rows(parts[2]))), np.float64)
    report = Report(
        first, len(last), float(last.mean()), brier(given, last), expected_error(given, last)
    )
    return Learned(report, _rank(examples.rows(order), outcomes[order], seed), isotonic)


def _rank(examples: Examples, outcomes: NDArray[np.bool_], seed: int) -> _Ranking:
    # A figure that no example has cannot be learnt from.
    known = np.asarray(np.isfinite(examples.figures).any(axis=0), bool)
    profiled = out_of_fold(examples.names, outcomes, seed)
    boosting = _boost(np.column_stack([profiled, examples.figures[:, known]]), outcomes, seed)
    return _Ranking(Profiles(examples.names, outcomes), known, boosting)


def _boost(figures: NDArray[np.float64], outcomes: NDArray[np.bool_], seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - as above
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    with threadpool_limits(1):
        return HistGradientBoostingClassifier(
            max_iter=_ROUNDS,
            learning_rate=_RATE,
            max_leaf_nodes=_LEAVES,
            min_samples_leaf=_LEAST_LEAF,
            l2_regularization=1.0,
            early_stopping=False,
            random_state=seed,
        ).fit(figures, outcomes)


def _score(boosting: Any, figures: NDArray[np.float64]) -> NDArray[np.float64]:
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - as above

    if not len(figures):
        return np.empty(0)
    with threadpool_limits(1):
        return np.asarray(boosting.predict_proba(figures)[:, 1])


def brier(probabilities: NDArray[np.float64], outcomes: NDArray[np.bool_]) -> float:
    """Return the mean squared error of probabilities (Brier, 1950)."""
    return float(np.mean((probabilities - outcomes) ** 2))


def expected_error(probabilities: NDArray[np.float64], outcomes: NDArray[np.bool_]) -> float:
    """Return how far probabilities are from shares, weighted over ten bins of equal width."""
    place = np.minimum((probabilities * _BINS).astype(int), _BINS - 1)
    error = 0.0
    for number in range(_BINS):
        own = place == number
        if own.any():
            error += own.mean() * abs(float(probabilities[own].mean() - outcomes[own].mean()))
    return error
