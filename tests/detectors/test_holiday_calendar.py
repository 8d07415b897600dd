"""Holidays: which days a country rests on, and what is unknown."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.holiday_calendar import days_off, of_month


def test_days_off_are_those_of_the_year_and_place() -> None:
    """Christmas is one in Germany; Corpus Christi only in some of its parts."""
    whole, part = days_off("DE", 2024), days_off("DE", 2024, "DE-BY")
    assert np.datetime64("2024-12-25") in whole
    assert np.datetime64("2024-05-30") not in whole
    assert np.datetime64("2024-05-30") in part
    assert (np.diff(whole) > np.timedelta64(0)).all()
    assert np.array_equal(days_off("DE", 2024, "DE-ZZ"), whole)


def test_unknown_countries_and_months_have_no_number() -> None:
    """Nothing is guessed: NaN for a country that is none, a month that is none, and absence."""
    countries = ["XX", "DE", None, "DE"]
    months = ["2024-12", "2024-13", "2024-12", None]
    assert np.isnan(of_month(countries, months)).all()


@pytest.mark.parametrize(("month", "count"), [("2024-12", 2), ("2024-07", 0), ("2023-01", 0)])
def test_only_working_days_count(month: str, count: int) -> None:
    """Christmas 2024 takes two working days; New Year 2023 fell on a Sunday."""
    assert of_month(["DE"], [month]).tolist() == [count]
