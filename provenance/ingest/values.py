"""One cell's text to one value: numbers, codes, words and lists.

A converter takes the stripped text of a cell that is not missing and gives
back canonical content, or raises `Unacceptable`. Nothing is guessed and
nothing is rounded: a number keeps its decimal text, and a text that could be
two numbers is refused with the way out.

Next: provenance/ingest/codes.py
"""

from __future__ import annotations

import re
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any, Final

from rapidfuzz import fuzz, process

from provenance import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "MISSING",
    "Converter",
    "Unacceptable",
    "boolean",
    "ident",
    "ident_list",
    "latitude",
    "longitude",
    "nearest",
    "number",
    "number_list",
    "scaled",
    "share",
    "signed",
    "text",
    "whole",
    "with_decimal",
    "within",
    "word_of",
]

if TYPE_CHECKING:
    Converter = Callable[[str], Any]

MISSING: Final = frozenset({"", "-", "N/A", "n/a", "NULL", "null", "Null"})
"""Cells that say nothing. `NA` is not among them: in a country column it is Namibia."""


class Unacceptable(Exception):  # noqa: N818 - caught per row, never leaves this package
    """A row that cannot be taken.

    Attributes:
        reason: Why, without the value, so that equal reasons can be counted.
        column: The header of the column, "" until the row's reader fills it in.
        value: What stood there; it goes into the quarantine file, never into a receipt.
        detail: What else helps with this one row; not counted, not in a receipt either.
    """

    def __init__(self, reason: str, value: str = "", column: str = "", detail: str = "") -> None:
        """Keep the parts; the message is put together where it is shown."""
        super().__init__(reason)
        self.reason = reason
        self.value = value
        self.column = column
        self.detail = detail

    def __str__(self) -> str:
        """Return the reason with its detail, and the value that it is about."""
        shown = self.value if len(self.value) <= _SHOWN else self.value[:_SHOWN] + "…"
        text = f"{self.reason}: {self.detail}" if self.detail else self.reason
        return f"{text} (found {shown!r})" if self.value else text


_SHOWN: Final = 80
_AS_LOGGED: Final = re.compile(r"-?(?:[1-9]\d{0,14}|0(?=\.))(?:\.\d{1,30})?\Z", re.ASCII)
_PLAIN: Final = re.compile(r"[+-]?\d{1,30}(?:\.\d{1,30})?\Z", re.ASCII)
_SCIENTIFIC: Final = re.compile(r"[+-]?\d{1,20}(?:[.,]\d{1,20})?[eE][+-]?\d{1,2}\Z", re.ASCII)
_DECIMAL_COMMA: Final = re.compile(
    r"[+-]?(?:\d{1,30},(?:\d{1,2}|\d{4,30})|(?:0|\d{4,30}),\d{3})\Z", re.ASCII
)
_GROUPED: Final = re.compile(
    r"[+-]?\d{1,3}(?:(?P<group>[,. '\u2019\u00a0\u202f])\d{3})(?:(?P=group)\d{3})*"
    r"(?:(?!(?P=group))(?P<point>[.,])\d{1,30})?\Z",
    re.ASCII,
)
_SPOILT: Final = re.compile(
    r"(?P<rounded>\d(?:[.,]\d+)?E\+\d{2})\Z|#(?:N/A|REF!|VALUE!|NAME\?|NULL!|NUM!|DIV/0!)\Z",
    re.ASCII,
)
_SPOILT_START: Final = frozenset("#0123456789")
_TRUE: Final = frozenset({"true", "yes", "y", "1", "t"})
_FALSE: Final = frozenset({"false", "no", "n", "0", "f"})
_MAX_ID: Final = 512
_MAX_IDS: Final = 10_000


def text(value: str) -> str:
    """Keep text as it is."""
    return value


def ident(value: str) -> str:
    """Keep an id as it is; refuse what nobody can see or print, and what a spreadsheet spoilt."""
    if value[0] in _SPOILT_START and (found := _SPOILT.match(value)):
        reason = "was rounded by a spreadsheet; export the column as text"
        raise Unacceptable(reason if found["rounded"] else "is an error of a spreadsheet", value)
    if not value.isprintable():
        raise Unacceptable("holds a character that cannot be seen", value)
    if len(value) > _MAX_ID:
        raise Unacceptable(f"is longer than {_MAX_ID} characters", value)
    if value[0] == "." and value in (".", ".."):
        raise Unacceptable("cannot be an id", value)
    return value


def ident_list(value: str) -> list[str]:
    """Read ids separated by semicolons; empty ones between them are dropped."""
    ids = [ident(part) for part in (part.strip() for part in value.split(";")) if part]
    if len(ids) > _MAX_IDS:
        raise Unacceptable(f"names more than {_MAX_IDS} ids; split the row")
    return ids


def signed(value: str) -> Any:
    """Read a number of either sign; its decimal text is kept exactly.

    Thousands separators are taken where the text can mean one number only:
    "1,234.50", "1.234,56" and "1,234,567" are clear, "1,234" is not.
    """
    if _AS_LOGGED.match(value):  # what canonical.number gives, without its own matching
        return {"_d": value} if "." in value else int(value)
    plain = value if _PLAIN.match(value) else _normal(value)
    sign = "-" if plain[0] == "-" else ""
    whole_part, _, fraction = plain.lstrip("+-").partition(".")
    digits = whole_part.lstrip("0") or "0"
    if not fraction:
        return canonical.number(f"{sign if digits != '0' else ''}{digits}")
    return canonical.number(f"{sign}{digits}.{fraction}")


def _normal(value: str) -> str:
    """Rewrite a number that is not plain digits with at most one point, or refuse it."""
    if _DECIMAL_COMMA.match(value):
        return value.replace(",", ".")
    if _SCIENTIFIC.match(value):
        return format(Decimal(value.replace(",", ".")), "f")
    grouped = _GROUPED.match(value)
    if grouped is None:
        raise Unacceptable("is not a number; leave the cell empty where it is missing", value)
    group, point = grouped["group"], grouped["point"]
    if group in ",." and point is None and value.count(group) == 1:
        raise Unacceptable("could be a thousands separator or a decimal sign; write it out", value)
    plain = value.replace(group, "")
    return plain.replace(",", ".") if point == "," else plain


def with_decimal(convert: Converter, sign: str) -> Converter:
    """Make a converter of numbers whose decimal sign is known.

    Args:
        convert: For numbers with a point.
        sign: "," or "."; the other one, spaces and apostrophes can only group thousands.
    """
    group = "." if sign == "," else ","
    form = re.compile(
        rf"[+-]?(?:\d{{1,30}}|\d{{1,3}}(?P<group>[{group} '\u2019\u00a0\u202f])\d{{3}}"
        rf"(?:(?P=group)\d{{3}})*)(?:[{sign}]\d{{1,30}})?(?:[eE][+-]?\d{{1,2}})?\Z",
        re.ASCII,
    )

    def read(value: str) -> Any:
        return convert(";".join(one(part.strip()) for part in value.split(";")))

    def one(value: str) -> str:
        if not value:
            return value
        found = form.match(value)
        if found is None:
            raise Unacceptable(f"is not a number with the decimal sign {sign!r}", value)
        plain = value.replace(found["group"], "") if found["group"] else value
        return plain.replace(sign, ".")

    return read


def scaled(convert: Converter, factor: str) -> Converter:
    """Make a converter whose numbers are multiplied, exactly."""

    def read(value: str) -> Any:
        exact = canonical.decimal(convert(value))
        if exact is None:
            raise Unacceptable("is not a number that can be multiplied", value)
        with localcontext(prec=80):
            product = exact * Decimal(factor)
        return convert(format(product.normalize(), "f"))

    return read


def number(value: str) -> Any:
    """Read a number that cannot be negative."""
    if value.isdigit() and value.isascii() and len(value) < 16 and value[0] != "0":  # noqa: PLR2004
        return int(value)
    found = signed(value)
    if value[0] == "-" and found != 0:
        raise Unacceptable("is negative", value)
    return found


def whole(value: str) -> int:
    """Read a whole number that cannot be negative."""
    found = number(value)
    if type(found) is int:
        return found
    exact = canonical.decimal(found)
    if exact is None or exact != exact.to_integral_value() or exact > canonical.MAX_INT:
        raise Unacceptable("is not a whole number", value)
    return int(exact)


def number_list(value: str) -> list[Any]:
    """Read numbers separated by semicolons; an empty place is kept as None."""
    return [number(part) if part else None for part in (part.strip() for part in value.split(";"))]


def within(value: str, low: int, high: int) -> Any:
    """Read a number between two bounds, both included."""
    found = signed(value)
    rough = found if type(found) is int else float(found["_d"])
    if low < rough < high:
        return found
    exact = canonical.decimal(found)
    if exact is None or not low <= exact <= high:
        raise Unacceptable(f"is not between {low} and {high}", value)
    return found


def share(value: str) -> Any:
    """Read a share of a whole, 0 to 1."""
    if value.endswith("%"):
        raise Unacceptable("is a percentage; a share is between 0 and 1", value)
    return within(value, 0, 1)


def latitude(value: str) -> Any:
    """Read degrees north, -90 to 90."""
    return within(value, -90, 90)


def longitude(value: str) -> Any:
    """Read degrees east, -180 to 180."""
    return within(value, -180, 180)


def boolean(value: str) -> bool:
    """Read true or false in the usual spellings."""
    folded = value.casefold()
    if folded in _TRUE:
        return True
    if folded in _FALSE:
        return False
    raise Unacceptable("is neither true nor false", value)


def word_of(*words: str) -> Converter:
    """Make a converter for a fixed vocabulary, in any case; an unknown word gets the nearest."""
    known = {word.casefold(): word for word in words}

    def convert(value: str) -> str:
        found = known.get(value) or known.get(value.casefold())
        if found is None:
            close = nearest(value, words, 1)
            hint = f"did you mean {close[0]}?" if close else ""
            raise Unacceptable(f"is not one of {', '.join(words)}", value, detail=hint)
        return found

    return convert


def nearest(value: str, words: Iterable[str], limit: int) -> list[str]:
    """Return up to `limit` words that look like `value`, the nearest first."""
    found = process.extract(
        value.casefold(), list(words), scorer=fuzz.WRatio, limit=limit, score_cutoff=60
    )
    return [word for word, _score, _place in found]
