"""Values as AQL compares, orders and converts them.

Text is ordered as a server does: by a collation of words, not by code points. A
query that needs another order has to see to it itself.
"""

from __future__ import annotations

import functools
import json
import math
from typing import Any


class AqlError(Exception):
    """A query that a server refuses: its error number and message."""

    def __init__(self, number: int, message: str) -> None:
        """Say which error it is."""
        super().__init__(message)
        self.number = number


def rank(value: Any) -> int:
    """Return where a type stands: null < bool < number < text < list < object."""
    if value is None:
        return 0
    if isinstance(value, bool):
        return 1
    if isinstance(value, (int, float)):
        return 2
    if isinstance(value, str):
        return 3
    return 4 if isinstance(value, list) else 5


def collated(text: str) -> tuple[list[tuple[int, str]], str]:
    """Return the key by which text is ordered: signs, digits, letters; small before capital."""
    letters = []
    for letter in text:
        kind = 2 if letter.isalpha() else 1 if letter.isdigit() else 0
        letters.append((kind, letter.casefold()))
    return letters, text.swapcase()


def compare(left: Any, right: Any) -> int:
    """Order two values: below 0, 0, or above 0."""
    kinds = rank(left), rank(right)
    if kinds[0] != kinds[1]:
        return -1 if kinds[0] < kinds[1] else 1
    if kinds[0] == 0:
        return 0
    if kinds[0] == 3:
        left, right = collated(left), collated(right)
    elif kinds[0] == 4:
        for one, other in zip(left, right, strict=False):
            if order := compare(one, other):
                return order
        left, right = len(left), len(right)
    elif kinds[0] == 5:
        for name in sorted(left.keys() | right.keys(), key=collated):
            if order := compare(left.get(name), right.get(name)):
                return order
        return 0
    return (left > right) - (left < right)


order_key = functools.cmp_to_key(compare)


def truth(value: Any) -> bool:
    """Say whether a value counts as true: empty lists and objects do."""
    return rank(value) > 3 or bool(value)


def number(value: Any) -> float:
    """Convert to a number: what is none counts as 0."""
    if isinstance(value, list):
        return number(value[0]) if len(value) == 1 else 0
    if isinstance(value, str):
        try:
            return plain(float(value))
        except ValueError:
            return 0
    return value if isinstance(value, (int, float)) else 0


def plain(value: Any) -> Any:
    """Return a number as JSON writes it: whole ones without a fraction, none that is not finite."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    return value


def text(value: Any) -> str:
    """Convert to text as CONCAT does."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, dict)):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return value if isinstance(value, str) else repr(plain(value))


def member(value: Any, name: Any) -> Any:
    """Read an attribute; what has none gives null."""
    return value.get(name) if isinstance(value, dict) and isinstance(name, str) else None


def at(value: Any, place: Any) -> Any:
    """Read by index, from the end if negative, or by the name of an attribute."""
    if isinstance(value, dict):
        return value.get(text(place))
    if isinstance(value, list) and rank(place) == 2:
        index = int(place)
        return value[index] if -len(value) <= index < len(value) else None
    return None
