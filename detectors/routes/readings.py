"""Readings of temperature, and those whose thermometer shows degrees Fahrenheit.

Next: detectors/routes/cold_chain_breach.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.columns import numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = ["FAHRENHEIT", "LEAST_SLIPS", "celsius", "readings", "several"]

FAHRENHEIT: Final = "degrees Fahrenheit written as Celsius"
LEAST_SLIPS: Final = 3
"""Thawed goods may by chance be as warm as the Fahrenheit figure of what they should be; several
such readings at one site are a thermometer's scale."""


def readings(shared: Features) -> pd.DataFrame:
    """Collect every reading of an event that names a product and a time, one row per item.

    Returns:
        `subject_id`, `subject_party`, `index`, `at` (microseconds), `month` (since 1970),
        `product_id`, `item_party`, `site` and `degrees` (Celsius).
    """
    events, rows = shared.frames.events, shared.rows
    degrees = pd.Series(numbers(events, "temperature_c"), index=events["index"].to_numpy())
    degrees = degrees[degrees.notna() & ~degrees.index.duplicated()]
    known = rows["index"].isin(degrees.index) & rows["product_id"].notna() & rows["timed"]
    read = rows[["event_id", "party", "index", "at", "product_id", "item_party", "site"]][known]
    return pd.DataFrame(
        {
            "subject_id": read["event_id"].to_numpy(),
            "subject_party": read["party"].to_numpy(),
            "index": read["index"].to_numpy(),
            "at": read["at"].to_numpy(),
            "month": read["at"].to_numpy("datetime64[us]").astype("datetime64[M]").astype(np.int64),
            "product_id": read["product_id"].to_numpy(),
            "item_party": read["item_party"].to_numpy(),
            "site": read["site"].to_numpy(),
            "degrees": degrees.reindex(read["index"]).to_numpy(),
        }
    )


def celsius(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what figures in degrees Fahrenheit are in degrees Celsius."""
    return np.asarray((degrees - 32) / 1.8)


def several(fits: NDArray[np.bool_], site: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark those of the figures that fit as Fahrenheit whose site shows several of them."""
    shown = pd.Series(fits).groupby(site).transform("sum").to_numpy()
    return np.asarray(fits & (shown >= LEAST_SLIPS), bool)
