"""Cells that hold a code or a calendar's word: countries, currencies, GS1 numbers, months.

Next: provenance/ingest/times.py
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

import pycountry

from provenance.errors import InputError
from provenance.identifiers import check_gtin, check_sscc
from provenance.ingest.values import Unacceptable, ident, whole, within

__all__ = [
    "container",
    "country",
    "currency",
    "goods_country",
    "gtin",
    "hours_of_week",
    "month",
    "week_of_month",
    "zeros_lost",
]

_MONTH: Final = re.compile(r"(\d{4})[-/.]?(\d{2})\Z|(\d{1,2})[/.-](\d{4})\Z", re.ASCII)
_FIRST_OF_MONTH: Final = re.compile(r"(\d{4})-(\d{2})-01(?:[T ]00:00(?::00)?)?\Z", re.ASCII)
_LENGTHS_OF_THE_SHORTENED: Final = frozenset({7, 9, 10, 11})
_USER_ASSIGNED: Final = frozenset({"XK"})  # Kosovo: not in ISO 3166-1, used by customs everywhere
_HOURS_OF_A_WEEK: Final = 168
_WEEKS_TOUCHING_A_MONTH: Final = 6


@cache
def _countries() -> frozenset[str]:
    return frozenset(country.alpha_2 for country in pycountry.countries) | _USER_ASSIGNED


@cache
def _currencies() -> frozenset[str]:
    return frozenset(currency.alpha_3 for currency in pycountry.currencies)


def country(value: str) -> str:
    """Read an ISO 3166-1 code of two letters; `NA` is Namibia."""
    if value not in _countries():
        raise Unacceptable("is not an ISO 3166-1 code of two capital letters", value)
    return value


def currency(value: str) -> str:
    """Read an ISO 4217 code."""
    if value not in _currencies():
        raise Unacceptable("is not an ISO 4217 currency code", value)
    return value


def goods_country(value: str) -> str:
    """Read `GOOD|CC`: a product_id, an HS prefix or `*`, and a country."""
    good, bar, code = value.rpartition("|")
    if not bar or not good:
        raise Unacceptable("is not GOOD|CC, for example 5201|UZ", value)
    country(code)
    return value


def zeros_lost(value: str) -> bool:
    """Say whether a number is a GTIN whose leading zeros a spreadsheet took off."""
    return value.isascii() and value.isdigit() and len(value) in _LENGTHS_OF_THE_SHORTENED


def gtin(value: str) -> str:
    """Read a GTIN of 8, 12, 13 or 14 digits as 14 digits; leading zeros that it lost come back.

    Zeros in front change nothing about a check digit, so it tells a shortened GTIN from
    another number nine times out of ten.
    """
    if zeros_lost(value):
        value = value.zfill(8 if len(value) < 8 else 12)  # noqa: PLR2004
    try:
        return check_gtin(value)
    except InputError as error:
        raise Unacceptable(_bare(error), value) from None


def container(value: str) -> str:
    """Read a container's id; 18 digits are an SSCC and need a right check digit."""
    if len(value) == 18 and value.isascii() and value.isdigit():  # noqa: PLR2004
        try:
            return check_sscc(value)
        except InputError as error:
            raise Unacceptable(_bare(error), value) from None
    return ident(value)


def _bare(error: InputError) -> str:
    """An identifier's error as a reason: without the value, so that it can be counted."""
    message = str(error)
    if "check digit" in message:
        return "has a wrong check digit"
    if "spreadsheet" in message:
        return "was rounded by a spreadsheet; export the column as text"
    return "is not a GTIN of 8, 12, 13 or 14 digits"


def month(value: str) -> str:
    """Read a month as YYYY-MM; also YYYY/MM, YYYYMM, MM/YYYY and the first of a month."""
    first = _FIRST_OF_MONTH.match(value)
    match = _MONTH.match(value)
    parts = (first.groups() if first else None) or (match.groups() if match else None)
    if parts is None:
        raise Unacceptable("is not a month; write YYYY-MM", value)
    year, number_ = (parts[0], parts[1]) if parts[0] else (parts[3], parts[2])
    if not 1 <= int(number_) <= 12 or not 1900 <= int(year) <= 2200:  # noqa: PLR2004
        raise Unacceptable("is not a month that exists", value)
    return f"{year}-{int(number_):02}"


def hours_of_week(value: str) -> Any:
    """Read the hours worked in one week, 0 to 168."""
    return within(value, 0, _HOURS_OF_A_WEEK)


def week_of_month(value: str) -> int:
    """Read a week's count within its month, 1 to 6."""
    found = whole(value)
    if not 1 <= found <= _WEEKS_TOUCHING_A_MONTH:
        raise Unacceptable("is no week of a month; weeks count from 1 within the month", value)
    return found
