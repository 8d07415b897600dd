"""Signs of coercion: several of the ILO's indicators of forced labour at once.

Debts from recruitment, retained papers, withheld wages, excessive hours, low
pay and complaints (or sudden silence) are each held against the site's own past
and its country. One of them has many reasons; several together are what labour
inspectors look for.

Next: detectors/labour/coercion_indicators.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from detectors.base import Benign
from detectors.labour.figures import people, ratio, subjects
from detectors.labour.sign import Sign
from detectors.labour.signs import Signs

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from detectors.base import Abstention
    from detectors.features import Features

__all__ = ["CoercionSigns"]

_FEE_USD: Final = 50.0
"""Fees below this are compared by their difference, those above by their ratio."""
_CHANCE_FEE: Final = 0.05
_CHANCE_DEDUCTION: Final = 0.004
_CHANCE: Final = 0.02
_POISSON: Final = 0.375
_ALONE: Final = 1.5
"""Spreads by which the strongest indicator counts beyond the next: one alone says little."""


class CoercionSigns(Signs):
    """Do several indicators of forced labour rise together?"""

    name: ClassVar = "coercion_signs"
    type: ClassVar = "coercion_indicators"
    version: ClassVar = "6"
    peers_are: ClassVar = "facility-months of the country, the site's own first"
    reads: ClassVar = (
        "facility/1 /country",
        "labour/1 /headcount",
        "labour/1 /recruitment_fee_usd",
        "labour/1 /passports_held_share",
        "labour/1 /wage_deduction_share",
        "labour/1 /grievances",
        "labour/1 /avg_weekly_hours",
        "labour/1 /gross_wages",
        "labour/1 /output_product_id",
    )
    signs: ClassVar = (
        Sign(
            "recruitment_fee",
            "workers had paid {value} USD each for recruitment, where {usual} is usual",
            kind="debt",
            between=True,
            most=4.5,
        ),
        Sign(
            "passports_held",
            "the passports of {value} were held, where {usual} is usual",
            kind="people",
            between=True,
            most=4.5,
        ),
        Sign(
            "deductions",
            "{value} of wages were deducted, where {usual} is usual",
            kind="share",
            between=True,
            most=3.5,
        ),
        Sign(
            "grievances",
            "workers complained {value} times, where {usual} is usual",
            side="both",
            kind="count",
            most=2.5,
        ),
        Sign("weekly_hours", "the week had {value} hours, where {usual} is usual", most=2.0),
        Sign(
            "hourly_pay",
            "an hour paid {factor} times what it usually does",
            side="down",
            kind="log",
            most=2.0,
        ),
    )
    benign: ClassVar = (
        Benign("one indicator alone: an advance paid back, papers kept for a renewal", "ruled out"),
        Benign("what is usual at this site or in its country", "ruled out"),
        Benign("fees that were paid back to the workers", "not checked"),
        Benign("deductions that workers agreed to, such as housing or savings", "not checked"),
    )
    caveat: ClassVar = (
        "It does not say that anyone is forced to work: it says that what inspectors look for "
        "came together here."
    )

    def collect(self, shared: Features) -> tuple[pd.DataFrame, tuple[Abstention, ...]]:
        """Take each indicator on a scale on which sites and months compare."""
        months = shared.facility_months
        size = len(months)
        table = subjects(months).assign(
            value_recruitment_fee=np.arcsinh(months["recruitment_fee_usd"] / _FEE_USD),
            noise_recruitment_fee=np.full(size, _CHANCE_FEE),
            value_deductions=months["wage_deduction_share"],
            noise_deductions=np.full(size, _CHANCE_DEDUCTION),
            value_grievances=2 * np.sqrt(months["grievances"] + _POISSON),
            noise_grievances=np.ones(size),
            value_weekly_hours=months["avg_weekly_hours"],
            noise_weekly_hours=np.full(size, 0.5),
            value_hourly_pay=ratio(months["gross_wages"], months["total_hours"])
            - np.log(
                months["min_hourly_wage"].where(months["currency"] == months["limit_currency"])
            ),
            noise_hourly_pay=np.full(size, _CHANCE),
        )
        table["value_passports_held"], table["noise_passports_held"] = people(
            months, "passports_held_share"
        )
        return table, ()

    def adjust(self, window: pd.DataFrame, site: NDArray[np.int64]) -> pd.DataFrame:
        """Let the strongest indicator count only as far as others come with it."""
        del site
        found: dict[str, NDArray[np.float64]] = {}
        for what in ("z", "apart", "month"):
            names = [f"{what}_{sign.name}" for sign in self.signs]
            most = [sign.most for sign in self.signs]
            strength = np.minimum(window[names].to_numpy(np.float64), most)
            second = np.maximum(np.sort(strength, axis=1)[:, -2:-1], 0.0)
            found |= dict(zip(names, np.minimum(strength, second + _ALONE).T, strict=True))
        return window.assign(**found)
