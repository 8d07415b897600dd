"""What the law asks for, by country and date: pay, hours, age.

The figures are rounded from public minimum-wage tables of the years 2022 to
2024 (monthly wages divided by the usual hours) and are illustrations, not
legal advice. Hours include the overtime a law allows.

Next: samples/labour.py
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LAWS", "Law", "law_in"]

# country currency USD-per-unit effective-from minimum-per-hour hours-a-week age
_TABLE = """
BD BDT 0.0098 2018-12-01 38.46 60 14
BD BDT 0.0091 2023-12-01 60.10 60 14
BE EUR 1.02 2022-08-01 11.63 50 15
BE EUR 1.07 2023-11-01 12.11 50 15
CI XOF 0.00160 2013-11-20 346.20 55 16
CI XOF 0.00163 2023-01-01 432.70 55 16
DE EUR 0.99 2022-10-01 12.00 60 15
DE EUR 1.09 2024-01-01 12.41 60 15
EC USD 1 2022-01-01 2.66 52 15
EC USD 1 2023-01-01 2.81 52 15
EC USD 1 2024-01-01 2.88 52 15
GH GHS 0.125 2022-01-01 1.69 56 15
GH GHS 0.081 2023-02-01 1.86 56 15
GH GHS 0.083 2024-01-01 2.27 56 15
IN INR 0.0122 2022-04-01 48.00 60 15
IN INR 0.0122 2023-04-01 50.20 60 15
IN INR 0.0120 2024-04-01 52.90 60 15
LK LKR 0.0028 2016-01-01 64.10 57 16
LK LKR 0.0033 2024-09-01 89.70 57 16
NL EUR 1.02 2022-07-01 10.67 60 16
NL EUR 1.07 2023-01-01 11.75 60 16
NL EUR 1.09 2023-07-01 12.12 60 16
NL EUR 1.09 2024-01-01 13.27 60 16
TR TRY 0.0540 2022-07-01 28.76 57 15
TR TRY 0.0535 2023-01-01 44.48 57 15
TR TRY 0.0384 2023-07-01 59.62 57 15
TR TRY 0.0337 2024-01-01 88.90 57 15
US USD 1 2009-07-24 7.25 60 16
"""


@dataclass(frozen=True, slots=True)
class Law:
    """One row of the table; `text` keeps the numbers as they are written."""

    country: str
    currency: str
    since: str
    minimum: float
    max_hours: int
    min_age: int
    text: tuple[str, ...]


def _read(line: str) -> Law:
    """Read one row."""
    cells = tuple(line.split())
    country, currency, _, since, minimum, hours, age = cells
    return Law(country, currency, since, float(minimum), int(hours), int(age), cells)


LAWS = tuple(_read(line) for line in _TABLE.strip().splitlines())


def law_in(country: str, month: str) -> Law:
    """Return what holds in a country on the first day of a month (`YYYY-MM`)."""
    valid = [law for law in LAWS if law.country == country and law.since <= f"{month}-01"]
    return max(valid, key=lambda law: law.since)
