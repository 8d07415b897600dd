"""Typed cells as texts: one way to write each number, time and truth value.

A number keeps what a spreadsheet itself keeps of it, 15 significant digits.
One with more is written as a spreadsheet shows it, 1.23456789012346E+17, so
that nobody takes it for an id: its last digits are lost already.

Next: provenance/ingest/formats/spool.py
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["float_text", "typed_text"]

_EXACT: Final = 1e15
_SMALL: Final = 1e-9


def float_text(value: float, decimal: str = "") -> str:
    """Write a number of a spreadsheet.

    Args:
        value: As stored.
        decimal: "," where the texts of the same table have decimal commas.
    """
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - NaN
        return "NaN" if value != value else "inf"  # noqa: PLR0124 - as above
    if abs(value) >= _EXACT:
        text = f"{value:.15g}".replace("e+", "E+")
        mantissa, _, exponent = (text if "E+" in text else f"{value:.14E}").partition("E+")
        plain = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        text = f"{plain}E+{int(exponent):02}"
    elif value and abs(value) < _SMALL:
        text = f"{value:.15g}".replace("e", "E")
    elif value == int(value):
        text = str(int(value))
    else:
        text = format(Decimal(f"{value:.15g}"), "f")
    return text.replace(".", ",") if decimal == "," else text


def typed_text(value: Any, decimal: str = "") -> str:
    """Write any typed value; None is empty, a date has no time of day."""
    write = _WAYS.get(type(value))
    if write is not None:
        return write(value)
    if isinstance(value, float):
        return float_text(value, decimal)
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.replace(".", ",") if decimal == "," else text
    return str(value)


def _instant(value: datetime) -> str:
    if value.tzinfo is None:
        return value.isoformat(sep=" ")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _duration(value: timedelta) -> str:
    seconds = round(value.total_seconds())
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


_WAYS: Final[dict[type, Callable[[Any], str]]] = {
    type(None): lambda _: "",
    bool: lambda value: "true" if value else "false",
    bytes: lambda value: value.decode("utf-8", errors="replace"),
    date: lambda value: value.isoformat(),
    datetime: _instant,
    str: lambda value: value,
    time: lambda value: value.isoformat(),
    timedelta: _duration,
}
