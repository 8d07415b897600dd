"""What is known of flagged events, and what people decided on them.

An example is one flag on one event: the names the event carries, its figures
beside those of the same product, and how far the flag was beyond its limit.

Next: detectors/learned/confirmed_before.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.columns import texts
from detectors.learned.model import Examples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = ["decided", "flag_cases", "flagged_events"]

_DECIDED: Final = ("confirmed", "dismissed")
_NAMES: Final = (
    "product_id",
    "site",
    "shipper",
    "to_site",
    "carrier",
    "transport_mode",
    "declared_origin_country",
)
_PAIRS: Final = (
    ("detector", "site"),
    ("detector", "carrier"),
    ("detector", "product_id"),
    ("site", "to_site"),
    ("product_id", "declared_origin_country"),
)
_BETWEEN: Final = "\x1f"


def flagged_events(shared: Features) -> pd.DataFrame:
    """Return one row per current flag on an event that is on record.

    Returns:
        `flag_index`, `detector`, `type`, `margin` (score over threshold), `position` (row in
        `shared.rows`), `index`, `at`, `event_id`, `party`, and `confirmed`: True, False, or NA
        where nobody has decided.
    """
    events = _current(shared)
    table = pd.DataFrame(
        {
            "flag_index": events["index"].to_numpy(np.int64),
            "detector": texts(events, "detector").to_numpy(),
            "type": texts(events, "type").to_numpy(),
            "margin": (events["score"] / events["threshold"]).to_numpy(np.float64),
            "event_id": texts(events, "subject_id").to_numpy(),
            "party": texts(events, "subject_party").to_numpy(),
        }
    )
    rows = shared.rows[["party", "event_id", "index", "at"]]
    rows = rows[rows["event_id"].isin(table["event_id"])].drop_duplicates(["party", "event_id"])
    rows = rows.assign(position=rows.index.to_numpy())
    table = table.merge(rows, on=["party", "event_id"])
    table = table.merge(_decisions(shared), on="flag_index", how="left")
    return table.sort_values("flag_index").reset_index(drop=True)


def decided(shared: Features) -> int:
    """Count the current flags on events that people have decided on; looks at no event."""
    return int(_current(shared)["index"].isin(_decisions(shared)["flag_index"]).sum())


def _current(shared: Features) -> pd.DataFrame:
    flags = shared.frames.flags
    current = flags[texts(flags, "cause").isna()]
    events = current[texts(current, "subject_kind") == "event"]
    # The flags of this class are left out: it must not learn from itself.
    return events[~texts(events, "type").isin(["confirmed_before"])]


def _decisions(shared: Features) -> pd.DataFrame:
    reviews = shared.frames.reviews
    decided = reviews[texts(reviews, "state").isin(_DECIDED) & reviews["flag_index"].notna()]
    confirmed = (texts(decided, "state") == _DECIDED[0]).astype("boolean")
    return pd.DataFrame(
        {
            "flag_index": decided["flag_index"].astype(np.int64).to_numpy(),
            "confirmed": confirmed.to_numpy(),
        }
    ).astype({"confirmed": "boolean"})


def flag_cases(shared: Features, flags: pd.DataFrame) -> Examples:
    """Put together what a model may know of flags.

    Args:
        shared: The features of the run.
        flags: Rows of `flagged_events`.
    """
    rows = shared.rows.iloc[flags["position"]]
    names = pd.DataFrame({name: texts(rows, name).fillna("").to_numpy() for name in _NAMES})
    names["detector"] = flags["detector"].to_numpy()
    names["type"] = flags["type"].to_numpy()
    for one, other in _PAIRS:
        names[f"{one} {other}"] = names[one] + _BETWEEN + names[other]
    figures = _beside_product(shared)[flags["position"]]
    margin = flags["margin"].to_numpy(np.float64)
    return Examples(names, np.column_stack([figures, margin]), flags["at"].to_numpy(np.int64))


def _beside_product(shared: Features) -> NDArray[np.float64]:
    """Return logs of amount, weight and value per unit, less the median of the same product."""
    rows = shared.rows
    amount = rows["amount"].to_numpy(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        figures = np.log(
            np.column_stack(
                [
                    amount,
                    rows["gross_weight"].to_numpy(np.float64) / amount,
                    rows["declared_value_usd"].to_numpy(np.float64) / amount,
                ]
            )
        )
    figures = np.where(np.isfinite(figures), figures, np.nan)
    table = pd.DataFrame(figures)
    usual = table.groupby(rows["product"].to_numpy()).transform("median")
    return np.asarray(table - usual, np.float64)
