"""What typed detectors are compared with: global outlier models on plain columns, and chance.

Each event and each facility-month is a row of the figures that its record holds;
one model ranks all rows. This is what a general tool does without knowing what
it looks for.

Next: docs/evaluation.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from detectors.columns import numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = ["MODELS", "event_figures", "month_figures", "outlier_scores"]

MODELS: Final = ("random", "IForest", "ECOD")
_TREES: Final = 200
_MONTHLY: Final = (
    "headcount",
    "avg_weekly_hours",
    "total_hours",
    "gross_wages",
    "output_units",
    "min_worker_age",
    "share_age_docs_missing",
    "share_birthdate_jan1",
    "share_age_exactly_18",
    "migrant_share",
    "recruitment_fee_usd",
    "passports_held_share",
    "wage_deduction_share",
    "grievances",
)


def event_figures(shared: Features) -> tuple[list[str], NDArray[np.float64]]:
    """Return event ids and their figures: amounts, per-unit amounts, place, way and time."""
    rows = shared.rows
    legs = shared.legs.drop_duplicates("receive").set_index("receive")
    way = legs.reindex(np.arange(len(rows)))
    amount = rows["quantity"].to_numpy(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        figures = [
            np.log(amount),
            np.log(rows["gross_weight"].to_numpy(np.float64)),
            np.log(rows["declared_value_usd"].to_numpy(np.float64)),
            np.log(rows["gross_weight"].to_numpy(np.float64) / amount),
            np.log(rows["declared_value_usd"].to_numpy(np.float64) / amount),
            rows["latitude"].to_numpy(np.float64),
            rows["longitude"].to_numpy(np.float64),
            way["hours"].to_numpy(np.float64),
            way["distance_km"].to_numpy(np.float64),
            way["distance_km"].to_numpy(np.float64) / way["hours"].to_numpy(np.float64),
        ]
    first = ~rows.duplicated("event_id").to_numpy()
    ids = rows["event_id"].to_numpy()[first]
    return [str(one) for one in ids], _filled(np.column_stack(figures)[first])


def month_figures(labour: pd.DataFrame) -> tuple[list[str], NDArray[np.float64]]:
    """Return facility-months and the numbers that labour.csv gives for them."""
    latest = labour.sort_values("index").drop_duplicates(["facility_id", "month"], keep="last")
    ids = latest["facility_id"].astype(str) + "|" + latest["month"].astype(str)
    return list(ids), _filled(np.column_stack([numbers(latest, name) for name in _MONTHLY]))


def _filled(figures: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put the column's median where nothing is known, and drop what does not vary."""
    figures = np.where(np.isfinite(figures), figures, np.nan)
    kept = [column for column in figures.T if np.isfinite(column).any()]
    filled = [np.where(np.isnan(column), np.nanmedian(column), column) for column in kept]
    varied = [column for column in filled if column.std() > 0]
    return np.column_stack(varied) if varied else np.zeros((len(figures), 1))


def outlier_scores(model: str, figures: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Score all rows with one global model; higher is stranger.

    Args:
        model: One of `MODELS`.
        figures: Rows of figures without gaps.
        seed: For whatever draws random numbers.
    """
    if model == "random":
        return np.random.default_rng(seed).random(len(figures))
    fitted = _fit(model, figures, seed)
    return np.asarray(fitted, np.float64)


def _fit(model: str, figures: NDArray[np.float64], seed: int) -> Sequence[float]:
    from pyod.models.ecod import ECOD  # noqa: PLC0415 - takes seconds
    from pyod.models.iforest import IForest  # noqa: PLC0415

    chosen = (
        IForest(n_estimators=_TREES, random_state=seed, n_jobs=1) if model == "IForest" else ECOD()
    )
    scores: Sequence[float] = chosen.fit(figures).decision_scores_
    return scores
