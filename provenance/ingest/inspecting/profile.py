"""What the cells of a column are like: how many look like dates, numbers, countries, codes.

Next: provenance/ingest/inspecting/scoring.py
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from provenance.ingest import codes, values
from provenance.ingest.amounts import parted
from provenance.ingest.inspecting.countries import country_code
from provenance.ingest.inspecting.vocabulary import event_word, mode_word, unit_word
from provenance.ingest.times import split, split_serial
from provenance.ingest.values import MISSING, Unacceptable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Profile", "number_of", "profile_of"]

_LOCODE: Final = re.compile(r"([A-Z]{2}) ?[A-Z2-9]{3}\Z")
_HS: Final = re.compile(r"\d{4}(?:[.\s]?\d{2}){1,3}\Z", re.ASCII)
_ISO_BOX: Final = re.compile(r"[A-Z]{3}[UJZ]\s?-?\d{6}-?\d\Z", re.ASCII)
_LETTERS: Final = re.compile(r"[^\W\d_]")
_CODE: Final = re.compile(r"[A-Za-z0-9#][A-Za-z0-9 ./_#:()*+-]{0,39}\Z", re.ASCII)
_COMMA: Final = re.compile(
    r"[+-]?(?:\d{1,3}(?:[.' \u00a0\u202f]\d{3})+,\d+|\d+,(?:\d{1,2}|\d{4,}))\Z"
)
_POINT: Final = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+\.\d+|\d+\.(?:\d{1,2}|\d{4,}))\Z")
_EITHER: Final = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}\Z")
_SIGNS: Final = frozenset({"$", "€", "£", "¥", "₹", "US$", "%", "°C", "ºC", "°F", "ºF", "℃"})
_DAYS: Final = (20_000, 80_000)
_SHOWN: Final = 5
_TRIED: Final = 400
_LONG: Final = 40


@dataclass
class Profile:
    """Shares are of the cells that hold something.

    Attributes:
        filled: How many cells hold something.
        rows: How many were looked at.
        share: What -> share of cells that look like it.
        distinct: Different texts, as a share.
        repeated: Whether texts stand in several rows.
        length: Usual length.
        samples: Frequent or first texts.
        texts: Texts that are no number and no date -> how often, for columns with few of them.
        comma: Numbers that prove a decimal comma.
        point: Numbers that prove a decimal point.
        either: Numbers that could have either.
        dates: Shapes of dates -> how often.
        units: Units and currencies that stand in the cells of numbers -> how often.
    """

    filled: int = 0
    rows: int = 0
    share: dict[str, float] = field(default_factory=dict)
    distinct: float = 0.0
    length: int = 0
    samples: list[str] = field(default_factory=list)
    texts: Counter[str] = field(default_factory=Counter)
    all_texts: Counter[str] = field(default_factory=Counter)
    comma: int = 0
    point: int = 0
    either: int = 0
    dates: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)

    def has(self, what: str) -> float:
        """A share, 0 where nothing looks like it."""
        return self.share.get(what, 0.0)


def profile_of(cells: Sequence[str]) -> Profile:
    """Look at the cells of one column."""
    found = Profile(rows=len(cells))
    texts = Counter(text for cell in cells if (text := cell.strip()) not in MISSING)
    found.filled = texts.total()
    if not found.filled:
        return found
    looks: Counter[str] = Counter()
    tried = list(texts.items())[:: max(1, len(texts) // _TRIED)]
    for text, count in tried:
        kinds = _kinds(text)
        looks.update(dict.fromkeys(kinds, count))
        number, unit = _amount(text)
        found.comma += count * bool(_COMMA.match(number))
        found.point += count * bool(_POINT.match(number))
        found.either += count * bool(_EITHER.match(number))
        if unit and "number" in kinds:
            found.units[unit] += count
        if "date" in kinds:
            found.dates[_shape(text)] += count
        elif "number" not in kinds:
            found.texts[text] += count
    looked_at = sum(count for _, count in tried)
    found.share = {what: count / looked_at for what, count in looks.items()}
    found.distinct = len(texts) / found.filled
    found.length = sorted(len(text) for text in texts)[len(texts) // 2]
    often = found.distinct < 0.5  # noqa: PLR2004 - a vocabulary rather than names of each row
    chosen = [text for text, _ in texts.most_common(_SHOWN)] if often else list(texts)[:_SHOWN]
    found.samples = [text[:_LONG] for text in chosen]
    found.all_texts = texts
    return found


@lru_cache(maxsize=65536)
def _kinds(text: str) -> tuple[str, ...]:
    """What one text looks like; most look like several things."""
    found = [name for name, test in _TESTS.items() if test(text)]
    return tuple(found)


def number_of(text: str) -> float | None:
    """A number however it is written, roughly; None for none."""
    plain = _amount(text)[0].replace("\u00a0", " ").strip()
    if plain and _EITHER.match(plain):
        return float(plain.replace(",", "").replace(".", ""))
    try:
        found = values.signed(plain) if plain else None
    except (Unacceptable, ArithmeticError, ValueError):
        return None
    return None if found is None else float(found["_d"] if isinstance(found, dict) else found)


def _amount(text: str) -> tuple[str, str]:
    """A number and its unit, where it is one that is known; else the text as it stands."""
    found = parted(text)
    if found is None or not found[1]:
        return text, ""
    unit = found[1]
    money = unit in _SIGNS or (unit.isupper() and _accepts(codes.currency, unit))
    if money or (unit_word(unit) and text[-1] == unit[-1] and (unit[1:] or text[-2] == " ")):
        return found
    return text, ""


def _is_date(text: str) -> bool:
    plain = text.replace(".", "", 1)
    if plain.isdigit() and len(plain) != 8:  # noqa: PLR2004 - epochs are looked at as serials are
        return False
    return _splits(text) and not _EITHER.match(text)


def _splits(text: str) -> bool:
    try:
        parts = split(text)
    except Unacceptable:
        return False
    return 1900 <= (parts.year + 2000 if parts.short else parts.year) <= 2200  # noqa: PLR2004


def _is_serial(text: str) -> bool:
    number = number_of(text)
    return number is not None and _DAYS[0] < number < _DAYS[1] and bool(split_serial(text, "1900"))


def _is_epoch(text: str) -> bool:
    whole = text.removesuffix(".0")
    return whole.isdigit() and len(whole) in {10, 13} and text[0] == "1" and _splits(whole)


def _shape(text: str) -> str:
    """The form of a date: digits become 9, letters A."""
    return re.sub(r"[^\W\d_]+", "A", re.sub(r"\d", "9", text))


def _accepts(convert: values.Converter, text: str) -> bool:
    try:
        convert(text)
    except Unacceptable:
        return False
    return True


def _is_gtin(text: str) -> bool:
    return text.isdigit() and len(text) in {8, 12, 13, 14} and _accepts(codes.gtin, text)


def _is_sscc(text: str) -> bool:
    plain = text.removeprefix("(00)").removeprefix("00") if len(text) > 18 else text  # noqa: PLR2004
    return plain.isdigit() and len(plain) == 18 and _accepts(codes.container, plain)  # noqa: PLR2004


def _within(text: str, most: int) -> bool:
    number = number_of(text)
    return number is not None and -most <= number <= most and ("." in text or "," in text)


def _is_box(text: str) -> bool:
    """Whether the check digit of a container number is right (ISO 6346, annex A)."""
    plain = re.sub(r"[\s-]", "", text)
    total = sum(_box_value(char) << at for at, char in enumerate(plain[:-1]))
    return total % 11 % 10 == int(plain[-1])


def _box_value(char: str) -> int:
    """Digits as they are, letters from 10 on without the multiples of 11."""
    number = int(char, 36)
    return number + (number > 10) + (number > 20) + (number > 30)  # noqa: PLR2004 - passed over


def _is_locode(text: str) -> bool:
    match = _LOCODE.match(text)
    return match is not None and bool(country_code(match[1]))


_TESTS: Final[dict[str, Callable[[str], bool]]] = {
    "date": _is_date,
    "serial": _is_serial,
    "epoch": _is_epoch,
    "number": lambda text: number_of(text) is not None,
    "whole": lambda text: (n := number_of(text)) is not None and n == int(n),
    "country": lambda text: bool(country_code(text)),
    "currency": lambda text: _accepts(codes.currency, text),
    "mode": lambda text: bool(mode_word(text)),
    "event": lambda text: bool(event_word(text)),
    "unit": lambda text: bool(unit_word(text)),
    "gtin": _is_gtin,
    "sscc": _is_sscc,
    "box": lambda text: bool(_ISO_BOX.match(text)) and _is_box(text),
    "box like": lambda text: bool(_ISO_BOX.match(text)),
    "locode": _is_locode,
    "hs": lambda text: bool(_HS.match(text)),
    "latitude": lambda text: _within(text, 90),
    "longitude": lambda text: _within(text, 180),
    "letters": lambda text: bool(_LETTERS.search(text)),
    "code": lambda text: bool(_CODE.match(text)) and any(c.isdigit() for c in text),
    "words": lambda text: " " in text.strip(),
    "list": lambda text: any(mark in text for mark in ";|,"),
    "rounded": lambda text: bool(re.match(r"\d[.,]\d+E\+\d\d\Z", text)),
}
