"""Times as people write them: the shape of a value says how to read it.

`split` takes a value apart without deciding anything: a shape may leave open
whether the day or the month comes first, and which century two digits mean.
That is decided once per shape from the whole file, in `decisions`.

Read without a decision: ISO 8601, `2024-03-23 22:17:32`, `20240323`,
`Aug 01 2023 12:14 PM`, `1 August 2023`, `Tue, 01 Aug 2023 12:14:00 GMT`,
epoch seconds (9 or 10 digits) and milliseconds (13 digits). With a decision:
`30/06/2023 22:23` (also with `.` or `-`), `2-Jun-06`, `6/30/06`.

Next: provenance/ingest/decisions.py
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, NamedTuple

from provenance.ingest.values import Unacceptable

__all__ = ["Clock", "Parts", "exists", "instant_text", "split", "split_serial"]


class Clock(NamedTuple):
    """The time of day in a value; `offset` is None where it names none."""

    hour: int
    minute: int
    second: int
    micro: int
    offset: timezone | None


class Parts(NamedTuple):
    """A value taken apart.

    Attributes:
        year: As written; 0-99 where `short`.
        short: The year has two digits, so its century is open.
        first: The month, or the first number where `open`.
        second: The day, or the second number where `open`.
        open: Whether `first` is the day or the month is open.
        clock: Time of day, or None for a date alone.
        shape: What all values of this form share, in words a person can read.
    """

    year: int
    short: bool
    first: int
    second: int
    open: bool
    clock: Clock | None
    shape: str


_NAMES: Final = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
# German, French, Spanish, Portuguese, Italian and Dutch; no word means different months.
_OTHER_NAMES: Final = (
    "januar jänner janvier janv enero ene janeiro gennaio gen januari",
    "februar février fevrier févr febrero fevereiro fev febbraio februari",
    "märz maerz mär mrz mars marzo março marco maart mrt",
    "avril avr abril abr aprile",
    "mai mayo maio maggio mag mei",
    "juni juin junio junho giugno giu",
    "juli juillet juil julio julho luglio lug",
    "août aout agosto ago augustus",
    "septembre septiembre setembro settembre set",
    "oktober okt octobre octubre outubro out ottobre ott",
    "novembre noviembre novembro",
    "dezember dez décembre decembre déc diciembre dic dezembro dicembre",
)
_MONTHS: Final = {
    **{name: number for number, name in enumerate(_NAMES, start=1)},
    **{name[:3]: number for number, name in enumerate(_NAMES, start=1)},
    **{name: number for number, text in enumerate(_OTHER_NAMES, start=1) for name in text.split()},
    "sept": 9,
}
_WORD: Final = r"[A-Za-z\u00c0-\u017f]{3,10}"
_DATE: Final = (
    r"(?:(?P<y>\d{4})(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})"
    r"|(?P<yc>\d{4})(?P<mc>\d{2})(?P<dc>\d{2})"
    r"|(?P<a>\d{1,2})(?P<t>[-/.])(?P<b>\d{1,2})(?P=t)(?P<yn>\d{4}|\d{2})"
    r"|(?P<dd>\d{1,2})(?:st|nd|rd|th)?[-/. ]{0,2}(?P<dm>" + _WORD + r")\.?,?[-/. ]{0,2}"
    r"(?P<dy>\d{4}|\d{2})"
    r"|(?P<mm>" + _WORD + r")\.?[- ]{1,2}(?P<md>\d{1,2})(?:st|nd|rd|th)?,?[- ]{1,2}(?P<my>\d{4})"
    r"|(?P<ny>\d{4})[- ](?P<nm>" + _WORD + r")[- ](?P<nd>\d{1,2}))"
)
_TIME: Final = (
    r"(?:(?:T|,?[ ]{1,2})(?P<H>\d{1,2})(?P<c>[:.])(?P<M>\d{2})"
    r"(?:(?P=c)(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
    r"(?:[ ]?(?P<half>[AaPp])\.?[Mm]\.?)?)?"
)
# An offset may be followed by the name of the zone that it was taken from.
_OFFSET: Final = (
    r"(?:[ ]?(?P<z>Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)"
    r"(?:[ ](?:UTC|GMT)|\[[A-Za-z_/+-]{1,40}\])?)?"
)
_WEEKDAY: Final = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},?[ ])?"
_VALUE: Final = re.compile(_WEEKDAY + _DATE + _TIME + _OFFSET + r"\Z", re.ASCII)
_FLOAT: Final = re.compile(r"(\d{9,10})\.(\d{1,6})\Z", re.ASCII)
_HAN: Final = str.maketrans("年月时時分", "--:::", "日秒")
_BASIC: Final = re.compile(r"(\d{8})[T ]?(\d{2})(\d{2})(\d{2})?(Z|[+-]\d{4})?\Z", re.ASCII)
_SERIAL: Final = re.compile(r"\d{4,5}(?:[.,]\d{1,15})?\Z", re.ASCII)
_DAY_ZERO: Final = datetime(1899, 12, 30, tzinfo=UTC)
_SECONDS_DIGITS: Final = (9, 10)
_MILLIS_DIGITS: Final = 13
_NOON: Final = 12
_LAST_HOUR: Final = 23
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST: Final = 64
_SHORT: Final = 2


def split(value: str) -> Parts:
    """Take a value apart by its shape.

    Raises:
        Unacceptable: No known shape, or a time of day that cannot be.
    """
    if value.isascii() and value.isdigit():
        digits = len(value)
        if digits in _SECONDS_DIGITS:
            return _epoch(int(value), 0)
        if digits == _MILLIS_DIGITS:
            return _epoch(*divmod(int(value), 1000))
    if float_text := _FLOAT.match(value):
        return _epoch(int(float_text[1]), 0, int(float_text[2].ljust(6, "0")))
    plain = value.translate(_HAN).rstrip(":") if "年" in value else value
    match = _VALUE.match(plain) if len(value) <= _LONGEST else None
    if match is None:
        return _split_basic(value)
    clock = _clock(match, value)
    if match["y"]:
        return _fixed(match["y"], match["m"], match["d"], clock)
    if match["a"]:
        year = match["yn"]
        shape = f"n{match['t']}n{match['t']}{'y' * len(year)}{_clock_shape(match)}"
        numbers = int(match["a"]), int(match["b"])
        return Parts(int(year), len(year) == _SHORT, *numbers, True, clock, shape)
    if match["yc"]:
        return _fixed(match["yc"], match["mc"], match["dc"], clock)
    return _with_name(match, clock, value)


def _fixed(year: str, month: str, day: str, clock: Clock | None) -> Parts:
    return Parts(int(year), False, int(month), int(day), False, clock, "")


def _with_name(match: re.Match[str], clock: Clock | None, value: str) -> Parts:
    name = match["dm"] or match["mm"] or match["nm"]
    month = _MONTHS.get(name.casefold())
    if month is None:
        raise Unacceptable("has a month that is not known; use numbers", value)
    year = match["dy"] or match["my"] or match["ny"]
    day = int(match["dd"] or match["md"] or match["nd"])
    shape = f"n Mon {'y' * len(year)}{_clock_shape(match)}"
    return Parts(int(year), len(year) == _SHORT, month, day, False, clock, shape)


def _clock_shape(match: re.Match[str]) -> str:
    if match["H"] is None:
        return ""
    return " h:mm" + (":ss" if match["S"] else "") + (" AM" if match["half"] else "")


def _split_basic(value: str) -> Parts:
    """ISO 8601 basic form: 20240323T221732Z, 20240323221732."""
    match = _BASIC.match(value)
    if match is None and _SERIAL.match(value):
        raise Unacceptable("is a spreadsheet's day number; set times.serial in a mapping", value)
    if match is None:
        raise Unacceptable("is not a time of a known form; write it as 2024-03-23T22:17:32Z", value)
    date, hour, minute, second, offset = match.groups()
    clock = Clock(int(hour), int(minute), int(second or 0), 0, _offset(offset, value))
    _check(clock, value)
    return _fixed(date[:4], date[4:6], date[6:], clock)


def split_serial(value: str, first_year: str) -> Parts | None:
    """Take a spreadsheet's day number apart; None where the value is none.

    Args:
        value: Days since the epoch, a fraction being the time of day, to the second.
        first_year: "1900" or "1904": which epoch the workbook counts from.
    """
    if not _SERIAL.match(value):
        return None
    # The program that began this thought 1900 a leap year, so days count from 30 December.
    base = datetime(1904, 1, 1, tzinfo=UTC) if first_year == "1904" else _DAY_ZERO
    time = base + timedelta(seconds=round(float(value.replace(",", ".")) * 86_400))
    whole = "." not in value and "," not in value
    clock = None if whole else Clock(time.hour, time.minute, time.second, 0, None)
    return Parts(time.year, False, time.month, time.day, False, clock, "")


def _epoch(seconds: int, millis: int, micros: int = 0) -> Parts:
    time = _EPOCH + timedelta(seconds=seconds, milliseconds=millis, microseconds=micros)
    clock = Clock(time.hour, time.minute, time.second, time.microsecond, UTC)
    return Parts(time.year, False, time.month, time.day, False, clock, "")


def _clock(match: re.Match[str], value: str) -> Clock | None:
    if match["H"] is None:
        if match["z"]:
            raise Unacceptable("has an offset but no time of day", value)
        return None
    hour, half = int(match["H"]), match["half"]
    if half:
        if not 1 <= hour <= _NOON:
            raise Unacceptable("is a time of day that does not exist", value)
        hour = hour % _NOON + (_NOON if half in "Pp" else 0)
    micro = int((match["f"] or "0")[:6].ljust(6, "0"))
    clock = Clock(hour, int(match["M"]), int(match["S"] or 0), micro, _offset(match["z"], value))
    _check(clock, value)
    return clock


def _check(clock: Clock, value: str) -> None:
    if clock.hour > _LAST_HOUR or clock.minute > 59 or clock.second > 59:  # noqa: PLR2004
        raise Unacceptable("is a time of day that does not exist", value)


def _offset(text: str | None, value: str) -> timezone | None:
    if text is None:
        return None
    if text in ("Z", "z", "UTC", "GMT"):
        return UTC
    hours, minutes = int(text[1:3]), int(text[3:].lstrip(":") or 0)
    if hours > 15 or minutes > 59:  # noqa: PLR2004 - +14:00 is the largest in use
        raise Unacceptable("has an offset from UTC that does not exist", value)
    delta = timedelta(hours=hours, minutes=minutes)
    return timezone(-delta if text[0] == "-" else delta)


def exists(year: int, month: int, day: int) -> bool:
    """Tell whether the calendar has this day."""
    try:
        datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        return False
    return True


def instant_text(time: datetime) -> str:
    """Write an aware time in UTC: seconds, and a fraction only when it is not zero."""
    text = time.astimezone(UTC).isoformat().removesuffix("+00:00")
    return f"{text.rstrip('0') if '.' in text else text}Z"
