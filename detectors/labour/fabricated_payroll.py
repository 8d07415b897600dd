"""Fabricated payroll: pay that was written to please a reader and not paid out.

Round figures where there were none, one sum for many workers, pay that does not
follow hours, totals that repeat or contradict the sheets, heads and wages that
rise while nobody makes more: each against the site's own months.

Next: detectors/labour/audit_lapsed.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from detectors.base import Benign
from detectors.booked import weeks_booked
from detectors.chances import deviate
from detectors.labour.figures import ratio, subjects
from detectors.labour.hour_signs import by_usual
from detectors.labour.pay_signs import by_same_hours, by_wages, pay_signs, roundness
from detectors.labour.persistence import settled
from detectors.labour.sign import Sign
from detectors.labour.signs import Signs

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from detectors.base import Abstention, Case
    from detectors.features import Features

    Floats = NDArray[np.float64]

__all__ = ["FabricatedPayroll"]

_CHANCE: Final = 0.01
_REPEAT: Final = 1e-4
"""No total repeats with less chance than this, whatever its figures say."""
_THOUSAND: Final = 6.9078
"""The log of a thousand: totals are written in thousands here and there."""
_BONUS: Final = 0.81
"""The log of 2.25: a December's pay with a thirteenth month, or somewhat more."""
_SHORT: Final = 0.05
"""Log of the shortfall of hours from which on weeks were not worked."""
_NEW_MONTHS: Final = 6
"""Months of round totals, to the end of what is known, that are the way of a new program."""
_AROUND: Final = 9
"""Months each way that are compared where sites grow and shrink."""


class FabricatedPayroll(Signs):
    """Does the payroll look like one that was paid out?"""

    name: ClassVar = "fabricated_payroll"
    type: ClassVar = "fabricated_payroll"
    version: ClassVar = "8"
    peers_are: ClassVar = "facility-months, the site's own first"
    reads: ClassVar = (
        "labour/1 /gross_wages",
        "labour/1 /total_hours",
        "labour/1 /headcount",
        "labour/1 /output_units",
        "labour/1 /output_product_id",
        "labour/1 /avg_weekly_hours",
        "timesheet/1 /workers",
    )
    signs: ClassVar = (
        Sign("rounded", "pay ended on {value} zeros on average, where {usual} is usual"),
        Sign(
            "same_pay",
            "{value} more than their hours explain had the pay of somebody else to the cent",
            kind="share",
        ),
        Sign(
            "pay_without_hours",
            "hourly pay strayed {factor} times as much as usual from week to week",
            kind="log",
            most=4.0,
        ),
        Sign("first_digits", "first digits were spread unlike those of grown figures", most=4.0),
        Sign("round_total", "the month's total was a round figure", most=5.0),
        Sign("repeated_total", "the month's total was that of another month, to the cent"),
        Sign(
            "total_against_sheets",
            "the total came to {value} times the sheets' pay an hour, where {usual} is usual",
            side="both",
            kind="log",
        ),
        Sign("heads", kind="log", reach=_AROUND, counts=False),
        Sign("heads_per_output", kind="log", reach=_AROUND, counts=False),
        Sign(
            "workers_without_work",
            "it took {factor} times the usual heads to make the same",
            kind="log",
            needs=("heads", "heads_per_output"),
        ),
    )
    benign: ClassVar = (
        Benign("an employer that always pays round or equal sums", "ruled out"),
        Benign("a bonus or holiday pay that many sites pay in this month", "ruled out"),
        Benign("a thirteenth month in December, weeks that were paid and not worked", "ruled out"),
        Benign("a payroll program that rounds otherwise from some month on", "ruled out"),
        Benign("few sheets, so that chance is large", "ruled out"),
        Benign("new hands that are still being trained", "not checked"),
    )
    caveat: ClassVar = (
        "It does not say that wages were not paid: a changed payroll system can look the same."
    )

    def collect(self, shared: Features) -> tuple[pd.DataFrame, tuple[Abstention, ...]]:
        """Measure the sheets' pay and the month's totals."""
        months, keys = shared.facility_months, ["facility_id", "month"]
        sheets = pay_signs(shared.sheets)
        table = subjects(months).merge(sheets, "left", on=keys)
        money = months["currency"].fillna(months["limit_currency"]).fillna("")
        table["site"] = months["facility_id"] + "|" + money
        size, wages = len(months), months["gross_wages"]
        hourly = wages / months["total_hours"].where(months["total_hours"] > 0)
        error = table["hourly_error"].fillna(1.0).to_numpy(np.float64)
        table["value_total_against_sheets"] = _whole_units(ratio(hourly, table["hourly"]))
        table["noise_total_against_sheets"] = np.hypot(error, _CHANCE)
        table["value_round_total"] = _surprise(roundness(wages.to_numpy(np.float64)))
        table["noise_round_total"] = np.ones(size)
        table["idle"] = _idle(months)
        table["paid"] = wages.where(wages > 0).to_numpy(np.float64)
        table["value_repeated_total"] = _repeated(months)
        heads = np.log(months["headcount"].where(months["headcount"] > 0))
        table["value_heads"] = heads.to_numpy(np.float64)
        table["noise_heads"] = np.full(size, _CHANCE)
        table["weekly"] = months["avg_weekly_hours"].where(months["avg_weekly_hours"] > 0)
        table["value_heads_per_output"] = ratio(months["headcount"], months["output_units"])
        table["noise_heads_per_output"] = np.full(size, _CHANCE)
        return table, ()

    def prepare(self, window: pd.DataFrame) -> pd.DataFrame:
        """Finish what depends on the site's months: hands at work, and what chance repeats."""
        heads = window["value_heads_per_output"] + np.log(_time_worked(window))
        window = window.assign(
            value_heads_per_output=heads,
            noise_repeated_total=_one_in(window),
            chance_same_pay=0.0,
        )
        return by_same_hours(by_usual(by_wages(window), ("same_pay",)))

    def adjust(self, window: pd.DataFrame, site: NDArray[np.int64]) -> pd.DataFrame:
        """Let a bonus of December and weeks paid but not worked explain a total beyond the sheets.

        A level of round totals that stays is other software, and such totals come up again.
        """
        z = window["z_total_against_sheets"].to_numpy(np.float64)
        beyond = _beyond_usual(window)
        paid = np.where(window["month"].str.endswith("-12"), _BONUS, 0.0) + window["idle"]
        spread = window["spread_total_against_sheets"].to_numpy(np.float64)
        # Of sites of which some pay a bonus, those that pay none are as usual, too.
        explained = (paid > 0) & (beyond > -spread)
        rest = np.maximum(beyond - paid, 0.0) / spread
        z = np.where(explained, np.minimum(z, rest), z)
        rounded, again = (
            window[f"z_{name}"].to_numpy(np.float64) for name in ("round_total", "repeated_total")
        )
        new = settled(rounded, site, _NEW_MONTHS)
        return window.assign(
            z_total_against_sheets=z,
            z_round_total=np.where(new, 0.0, rounded),
            z_repeated_total=np.where(new, 0.0, again),
        )

    def sheet_entries(self, case: Case) -> tuple[int, ...]:
        """Return the entries of the timesheets."""
        return case.shared.sheet_entries(case.row["facility_id"], case.row["month"])


def _beyond_usual(window: pd.DataFrame) -> Floats:
    """Return how far totals are beyond the sheets, compared with the site's usual months alone."""
    value = window["value_total_against_sheets"]
    usual = value.groupby(window["site"]).transform("median")
    return np.asarray((value - usual).fillna(0.0).to_numpy(np.float64))


def _idle(months: pd.DataFrame) -> Floats:
    """Return by how much a month's hours fall short of the week that was worked, as a log.

    Holidays, a stoppage, a strike: whoever has a salary is paid for them, and no sheet shows it.
    """
    hours = months["total_hours"] / months["headcount"].where(months["headcount"] > 0)
    week = months["avg_weekly_hours"].fillna(months["sheet_hours"])
    short = np.nan_to_num(-ratio(hours / weeks_booked(months), week))
    return np.where(short > _SHORT, short, 0.0)


def _surprise(zeros: Floats) -> Floats:
    """Return the normal deviate of so many zeros at the end: each is one chance in ten."""
    return np.asarray(deviate(0.5 * 10.0 ** -np.maximum(zeros, 0)))


def _whole_units(away: Floats) -> Floats:
    """Take totals in thousands for whole ones: that is a slip of units."""
    return np.asarray(away - _THOUSAND * np.round(away / _THOUSAND))


def _time_worked(window: pd.DataFrame) -> pd.Series:
    """Return a month's weekly hours as a share of the site's usual, at most 1."""
    usual = window["weekly"].groupby(window["site"]).transform("median")
    return (window["weekly"] / usual).clip(upper=1.0).fillna(1.0)


def _repeated(months: pd.DataFrame) -> Floats:
    """Return 1 where a site's total is that of one of its earlier months, 0 where not."""
    paid = months["gross_wages"].where(months["gross_wages"] > 0)
    table = months[["facility_id", "first_day"]].assign(paid=paid.round(2)).sort_values("first_day")
    again = table.duplicated(["facility_id", "paid"]).reindex(months.index)
    return np.where(paid.isna(), np.nan, again.astype(np.float64))


def _one_in(window: pd.DataFrame) -> Floats:
    """Return the noise that makes of 1 the normal deviate of the chance that a total repeats.

    Rounded totals coincide, and so do those that hardly vary. That they are round is a sign of its
    own.
    """
    own = window["paid"].groupby(window["site"])
    step = 0.01 * 10.0 ** np.floor(roundness(window["paid"].to_numpy(np.float64)))
    wide = (own.transform("quantile", 0.75) - own.transform("quantile", 0.25)).clip(lower=1e-9)
    chance = np.nan_to_num((own.transform("count") * step / wide).to_numpy(np.float64), nan=0.5)
    return np.asarray(1 / deviate(np.clip(chance, _REPEAT, 0.4)))
