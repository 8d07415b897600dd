"""Signs of child labour: ages that look as if they had been written down to fit.

Where children work on other people's papers, birth dates heap on 1 January,
many are exactly eighteen, and documents are missing. Each share is held against
the site's own past and its country's base rate, because there are countries
where everybody's birth is registered on 1 January.

Next: detectors/labour/falsified_timesheet.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
import pandas as pd

from detectors.base import Benign
from detectors.labour.figures import people, subjects
from detectors.labour.sign import Sign
from detectors.labour.signs import Signs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.base import Abstention
    from detectors.features import Features

__all__ = ["ChildLabourSigns"]

_AROUND: Final = 3
"""Months each way that tell by how much the share of foreign workers changed."""
_SHARES = {
    "papers_missing": "share_age_docs_missing",
    "born_on_1_january": "share_birthdate_jan1",
    "exactly_18": "share_age_exactly_18",
    "migrants": "migrant_share",
}


class ChildLabourSigns(Signs):
    """Do the workers' ages look as if they had been made up?"""

    name: ClassVar = "child_labour_signs"
    type: ClassVar = "child_labour"
    version: ClassVar = "6"
    peers_are: ClassVar = "facility-months of the country, the site's own first"
    reads: ClassVar = (
        "facility/1 /country",
        "labour/1 /headcount",
        "labour/1 /share_age_docs_missing",
        "labour/1 /share_birthdate_jan1",
        "labour/1 /share_age_exactly_18",
        "labour/1 /migrant_share",
        "labour/1 /output_product_id",
    )
    signs: ClassVar = (
        Sign(
            "papers_missing",
            "{value} of the workers had no proof of age, where {usual} is usual",
            kind="people",
            between=True,
        ),
        Sign(
            "born_on_1_january",
            "{value} were born on 1 January, where {usual} is usual",
            kind="people",
        ),
        Sign(
            "exactly_18",
            "{value} were exactly 18, where {usual} is usual",
            kind="people",
            between=True,
        ),
        Sign("migrants", kind="people", counts=False),
    )
    benign: ClassVar = (
        Benign("a country where births are registered on 1 January", "ruled out"),
        Benign("more foreign workers: their birth dates are often registered so", "ruled out"),
        Benign("few workers, so that one of them is a large share", "ruled out"),
        Benign("a school year that ended, and leavers of eighteen", "not checked"),
    )
    caveat: ClassVar = (
        "It does not say that children work there: it says that the papers should be looked at."
    )

    def collect(self, shared: Features) -> tuple[pd.DataFrame, tuple[Abstention, ...]]:
        """Take the three shares, and that of foreign workers, on a scale of chance."""
        months = shared.facility_months
        table = subjects(months)
        for sign, column in _SHARES.items():
            table[f"value_{sign}"], table[f"noise_{sign}"] = people(months, column)
        return table, ()

    def adjust(self, window: pd.DataFrame, site: NDArray[np.int64]) -> pd.DataFrame:
        """Let a rise in foreign workers explain as much of a rise in 1 January."""
        migrants = np.maximum(window["z_migrants"].to_numpy(np.float64), 0)
        migrants = _beside(migrants, site)
        z = window["z_born_on_1_january"].to_numpy(np.float64)
        rest = np.minimum(z - migrants, z - _as_many(window, site))
        return window.assign(z_born_on_1_january=np.where(z > 0, np.maximum(rest, 0), z))


def _as_many(window: pd.DataFrame, site: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the spreads of births on 1 January that as many more foreign workers make."""
    value, centre, spread = (
        window[f"{part}_migrants"].to_numpy(np.float64) for part in ("value", "centre", "spread")
    )
    away = _share_of(value) - _share_of(centre)
    beyond = _share_of(value) - _share_of(centre + spread)
    more = np.fmax(_beside(beyond, site), _around(away, site))
    born = window["value_born_on_1_january"].to_numpy(np.float64)
    without = np.arcsin(np.sqrt(np.clip(_share_of(born) - more, 0, 1)))
    spread = window["spread_born_on_1_january"].to_numpy(np.float64)
    return np.asarray(np.nan_to_num((born - without) / spread))


def _around(values: NDArray[np.float64], site: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean of a month and those around it: one month of a share tells little."""
    own = pd.Series(values).groupby(site)
    mean = own.rolling(2 * _AROUND + 1, center=True, min_periods=_AROUND).mean()
    return np.asarray(mean.to_numpy(np.float64))


def _share_of(value: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sin(np.clip(value, 0, np.pi / 2)) ** 2)


def _beside(values: NDArray[np.float64], site: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the largest of a month and those before and after, 0 at least: people stay."""
    own = pd.Series(values).groupby(site)
    months = [own.shift(n).to_numpy(np.float64) for n in (-1, 0, 1)]
    return np.asarray(np.fmax.reduce([*months, np.zeros(len(values))]), np.float64)
