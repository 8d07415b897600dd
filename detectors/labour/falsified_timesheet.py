"""Falsified timesheets: hours that people wrote down and no clock recorded.

Whole hours where the clock counts minutes, weeks that repeat, months copied
from a colleague, everybody alike, a heap just under the limit, sheets that
contradict the report: each against the site's own months.

Next: detectors/labour/fabricated_payroll.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from detectors.base import Benign
from detectors.booked import weeks_booked
from detectors.holiday_calendar import of_month
from detectors.labour.clocks import by_clock, by_shifts
from detectors.labour.figures import ratio, subjects
from detectors.labour.hour_signs import MIN_ROWS, by_usual, hour_signs
from detectors.labour.sign import Sign
from detectors.labour.signs import Signs
from detectors.labour.stops import by_limit
from detectors.rules import not_judged

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from detectors.base import Abstention, Case
    from detectors.features import Features

__all__ = ["FalsifiedTimesheet"]

_CHANCE: Final = 0.01
_NO_ERROR: Final = 0.1
"""What the mean of sheets is taken to be off by where their workers do not tell."""
_WORKING_DAYS: Final = 260 / 12
_MOST_REST: Final = 10.0
"""Holidays of a month that may be paid without being worked."""


class FalsifiedTimesheet(Signs):
    """Do the timesheets look like what a clock records?"""

    name: ClassVar = "falsified_timesheet"
    type: ClassVar = "falsified_timesheet"
    version: ClassVar = "10"
    peers_are: ClassVar = "facility-months with timesheets, the site's own first"
    libraries: ClassVar = ("holidays", "numpy", "pandas", "scipy")
    reads: ClassVar = (
        "facility/1 /country",
        "labour/1 /avg_weekly_hours",
        "labour/1 /headcount",
        "labour/1 /total_hours",
        "labour/1 /output_product_id",
        "legal_limit/1 /max_weekly_hours",
        "timesheet/1 /workers",
    )
    signs: ClassVar = (
        Sign(
            "whole",
            "{value} more of the weeks than its clock explains had whole hours",
            kind="share",
        ),
        Sign("alike", "{value} more of the weeks than usual had the same hours", kind="share"),
        Sign(
            "week_to_week",
            "a worker's weeks differed {factor} times as much as usual",
            side="down",
            kind="log",
        ),
        Sign(
            "worker_to_worker",
            "hours differed {factor} times as much as usual among workers and weeks",
            side="down",
            kind="log",
        ),
        Sign("repeated", "{value} more weeks than chance repeated the week before", kind="share"),
        Sign(
            "copied",
            "{value} of the workers had exactly the weeks of another, or of an earlier month",
            kind="share",
        ),
        Sign(
            "under_limit",
            "{value} more weeks than expected ended just under the limit",
            kind="share",
        ),
        Sign(
            "sheets_against_report",
            "timesheets showed {value} times the reported hours, where {usual} is usual",
            side="both",
            kind="log",
            between=True,
        ),
        Sign(
            "sheets_against_totals",
            "timesheets showed {value} times the hours of the totals, where {usual} is usual",
            side="both",
            kind="log",
            between=True,
        ),
    )
    benign: ClassVar = (
        Benign("a clock that counts quarter or half hours", "ruled out"),
        Benign("what this site's sheets always look like", "ruled out"),
        Benign("holidays that were paid and not worked", "ruled out"),
        Benign("a slip in the report or in the totals: the other agrees", "ruled out"),
        Benign("part-timers who are not on every sheet", "ruled out"),
        Benign("few sheets, so that chance is large", "ruled out"),
        Benign("shifts or days of fixed length", "ruled out"),
        Benign("weeks that end before the legal limit, which comes near", "ruled out"),
        Benign("books that close by weeks, or hold a month that was not reported", "ruled out"),
    )
    caveat: ClassVar = (
        "It does not say who wrote the hours or that they are wrong: a new system or a lost clock "
        "can look the same."
    )

    def collect(self, shared: Features) -> tuple[pd.DataFrame, tuple[Abstention, ...]]:
        """Measure the sheets of each facility-month, and hold their mean against the report."""
        months, keys = shared.facility_months, ["facility_id", "month"]
        limits = shared.sheets.months.merge(months[[*keys, "max_weekly_hours"]], "left", on=keys)
        found = hour_signs(shared.sheets, limits["max_weekly_hours"].to_numpy(np.float64))
        table = subjects(months).merge(found, "left", on=keys)
        totals = months["total_hours"] / months["headcount"].where(months["headcount"] > 0)
        middle = table["middle"].set_axis(months.index)
        error = (table["middle_error"] / table["middle"]).fillna(_NO_ERROR).to_numpy(np.float64)
        mean = months["sheet_hours"]
        mean_error = (months["sheet_error"] / mean).fillna(_NO_ERROR).to_numpy(np.float64)
        enough = table["value_whole"].notna().to_numpy()
        for name, other in (
            ("sheets_against_report", months["avg_weekly_hours"]),
            ("sheets_against_totals", totals / weeks_booked(months)),
        ):
            value = ratio(middle, other)
            table[f"value_{name}"] = np.where(enough, value, np.nan)
            table[f"noise_{name}"] = np.hypot(error, _CHANCE)
            table[f"mean_value_{name}"] = np.where(enough, ratio(mean, other), np.nan)
            table[f"mean_noise_{name}"] = np.hypot(mean_error, _CHANCE)
        without = months["subject_id"][~enough]
        return table, not_judged(
            self.name, {f"timesheets of fewer than {MIN_ROWS} worker-weeks": without}
        )

    def prepare(self, window: pd.DataFrame) -> pd.DataFrame:
        """Take off what the clock explains, and give shares the noise of the site's usual ones."""
        return by_usual(
            by_shifts(by_limit(by_clock(window))), ("whole", "alike", "repeated", "copied")
        )

    def adjust(self, window: pd.DataFrame, site: NDArray[np.int64]) -> pd.DataFrame:
        """Let paid holidays explain as many hours, and report and totals speak with one voice."""
        del site
        rest = np.nan_to_num(of_month(window["country"], window["month"]))
        allowed = -np.log1p(-np.minimum(rest, _MOST_REST) / _WORKING_DAYS)
        found = {}
        for name in ("sheets_against_report", "sheets_against_totals"):
            z, spread = (window[f"{part}_{name}"].to_numpy(np.float64) for part in ("z", "spread"))
            fewer = (window[f"value_{name}"] < window[f"centre_{name}"]).to_numpy(bool)
            found[f"z_{name}"] = np.where(fewer, np.maximum(z - allowed / spread, 0), z)
        report, totals = found.values()
        both = window[["value_sheets_against_report", "value_sheets_against_totals"]]
        alone = both.isna().any(axis=1).to_numpy()
        return window.assign(
            z_sheets_against_report=np.where(alone, report, np.minimum(report, totals)),
            z_sheets_against_totals=np.where(alone, totals, 0.0),
        )

    def sheet_entries(self, case: Case) -> tuple[int, ...]:
        """Return the entries of the timesheets."""
        return case.shared.sheet_entries(case.row["facility_id"], case.row["month"])
