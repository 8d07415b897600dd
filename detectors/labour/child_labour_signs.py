"""Signs of child labour: ages that look as if they had been written down to fit.

Where children work on other people's papers, birth dates heap on 1 January,
many are exactly eighteen, and documents are missing. Each share is held against
the site's own past and its country's base rate, because there are countries
where everybody's birth is registered on 1 January.

Next: detectors/labour/falsified_timesheet.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from detectors.base import Benign
from detectors.labour.figures import people, subjects
from detectors.labour.sign import Sign
from detectors.labour.signs import Signs

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from detectors.base import Abstention
    from detectors.features import Features

__all__ = ["ChildLabourSigns"]

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
    version: ClassVar = "2"
    peers_are: ClassVar = "facility-months of the country, the site's own first"
    reads: ClassVar = (
        "facility/1 /country",
        "labour/1 /headcount",
        "labour/1 /share_age_docs_missing",
        "labour/1 /share_birthdate_jan1",
        "labour/1 /share_age_exactly_18",
        "labour/1 /migrant_share",
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
        del site
        migrants = np.maximum(window["z_migrants"].to_numpy(np.float64), 0)
        z = window["z_born_on_1_january"].to_numpy(np.float64)
        return window.assign(z_born_on_1_january=np.where(z > 0, np.maximum(z - migrants, 0), z))
