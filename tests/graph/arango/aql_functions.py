"""The functions of AQL that queries here and the recorded runs call."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Any

from aql_values import compare, number, order_key, plain, rank, text, truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Function = "Callable[..., Any]"


def same(left: Any, right: Any) -> bool:
    """Say whether two values are equal."""
    return compare(left, right) == 0


def unique(values: Iterable[Any]) -> list[Any]:
    """Return each value once, where it first comes."""
    seen: dict[Any, Any] = {}
    for value in values:
        seen.setdefault(hashable(value), value)
    return list(seen.values())


def hashable(value: Any) -> Any:
    """Return what can be a key of a dictionary, the same for equal values alone."""
    if isinstance(value, list):
        return ("list", *map(hashable, value))
    if isinstance(value, dict):
        return ("object", frozenset((name, hashable(one)) for name, one in value.items()))
    return rank(value), value


def within(value: Any, values: Any) -> bool:
    """Say whether a list holds a value."""
    if not isinstance(values, list):
        return False
    if isinstance(value, str):
        return value in values
    return any(same(value, one) for one in values)


def _numbers(values: Any) -> list[Any] | None:
    if not isinstance(values, list):
        return None
    found = [one for one in values if one is not None]
    return found if all(rank(one) == 2 for one in found) else None


def _of(calculate: Callable[[list[Any]], Any], empty: Any = None) -> Callable[[Any], Any]:
    def run(values: Any) -> Any:
        found = _numbers(values)
        if found is None:
            return None
        return plain(calculate(found)) if found else empty

    return run


def _flatten(values: Any, depth: int = 1) -> Any:
    flat: list[Any] = []
    for one in values:
        flat += _flatten(one, depth - 1) if isinstance(one, list) and depth > 0 else [one]
    return flat


def _substring(given: Any, start: int, length: int | None = None) -> str:
    whole = text(given)
    begin = max(len(whole) + start, 0) if start < 0 else start
    return whole[begin:] if length is None else whole[begin : begin + max(length, 0)]


def _slice(values: Any, start: int, length: int | None = None) -> Any:
    begin = max(len(values) + start, 0) if start < 0 else start
    if length is None:
        return values[begin:]
    return values[begin:length] if length < 0 else values[begin : begin + length]


def _length(value: Any) -> int:
    if isinstance(value, (list, dict)):
        return len(value)
    return 0 if value is None else 1 if value is True else 0 if value is False else len(text(value))


def _interleave(*lists: Any) -> list[Any]:
    longest = max(map(len, lists))
    return [one[place] for place in range(longest) for one in lists if place < len(one)]


def _merge(*objects: Any) -> Any:
    given = objects[0] if len(objects) == 1 and isinstance(objects[0], list) else objects
    return {name: value for one in given for name, value in one.items()}


def _round(value: Any) -> Any:
    return plain(math.floor(number(value) + 0.5))


def _position(values: Any, wanted: Any, index: Any = None) -> Any:
    for place, one in enumerate(values):
        if same(one, wanted):
            return place if index else True
    return -1 if index else False


def _not_null(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _range(start: Any, stop: Any, step: Any = None) -> list[Any]:
    by = (1 if stop >= start else -1) if step is None else step
    count = math.floor((stop - start) / by) + 1
    return [plain(start + by * place) for place in range(max(count, 0))]


def _unset(given: Any, *names: Any) -> Any:
    gone = {one for name in names for one in (name if isinstance(name, list) else [name])}
    return {name: value for name, value in given.items() if name not in gone}


def _keep(given: Any, *names: Any) -> Any:
    kept = {one for name in names for one in (name if isinstance(name, list) else [name])}
    return {name: value for name, value in given.items() if name in kept}


def _find(where: Any, what: Any, *bounds: Any) -> int:
    if not bounds:
        return text(where).find(text(what))
    last = int(bounds[1]) + 1 if len(bounds) > 1 else None
    return text(where)[:last].find(text(what), int(bounds[0]))


FUNCTIONS: dict[str, Any] = {
    "ABS": lambda value: plain(abs(number(value))),
    "APPEND": lambda one, other, only=False: (
        unique([*(one or []), *other]) if only else [*(one or []), *other]
    ),
    "AVERAGE": _of(lambda values: sum(values) / len(values)),
    "AVG": _of(lambda values: sum(values) / len(values)),
    "CEIL": lambda value: math.ceil(number(value)),
    "CHAR_LENGTH": lambda value: len(text(value)),
    "CONCAT": lambda *values: "".join(
        text(value)
        for value in (values[0] if len(values) == 1 and isinstance(values[0], list) else values)
    ),
    "CONCAT_SEPARATOR": lambda by, *values: text(by).join(
        text(value)
        for value in (values[0] if len(values) == 1 and isinstance(values[0], list) else values)
        if value is not None
    ),
    "CONTAINS": lambda where, what, index=False: (
        _find(where, what) if index else text(what) in text(where)
    ),
    "CONTAINS_ARRAY": _position,
    "COUNT": _length,
    "COUNT_DISTINCT": lambda values: len(unique(values)),
    "COUNT_UNIQUE": lambda values: len(unique(values)),
    "FIND_FIRST": _find,
    "FIRST": lambda values: values[0] if isinstance(values, list) and values else None,
    "FLATTEN": _flatten,
    "FLOOR": lambda value: math.floor(number(value)),
    "HAS": lambda given, name: isinstance(given, dict) and name in given,
    "INTERLEAVE": _interleave,
    "IS_ARRAY": lambda value: isinstance(value, list),
    "IS_BOOL": lambda value: isinstance(value, bool),
    "IS_LIST": lambda value: isinstance(value, list),
    "IS_NULL": lambda value: value is None,
    "IS_NUMBER": lambda value: rank(value) == 2,
    "IS_OBJECT": lambda value: isinstance(value, dict),
    "IS_STRING": lambda value: isinstance(value, str),
    "KEEP": _keep,
    "LAST": lambda values: values[-1] if isinstance(values, list) and values else None,
    "LEFT": lambda value, count: text(value)[: max(int(count), 0)],
    "LENGTH": _length,
    "LOWER": lambda value: text(value).lower(),
    "LTRIM": lambda value, chars=None: text(value).lstrip(chars),
    "MAX": lambda values: max(
        (one for one in values if one is not None), key=order_key, default=None
    ),
    "MEDIAN": _of(statistics.median),
    "MERGE": _merge,
    "MIN": lambda values: min(
        (one for one in values if one is not None), key=order_key, default=None
    ),
    "NOT_NULL": _not_null,
    "NTH": lambda values, place: values[place] if 0 <= place < len(values) else None,
    "POP": lambda values: None if values is None else values[:-1],
    "POSITION": _position,
    "PRODUCT": _of(math.prod, 1),
    "PUSH": lambda values, value, only=False: (
        values if only and within(value, values) else [*(values or []), value]
    ),
    "RANGE": _range,
    "REMOVE_NTH": lambda values, place: [
        one for at, one in enumerate(values) if at not in (place, place + len(values))
    ],
    "REMOVE_VALUES": lambda values, gone: [one for one in values if not within(one, gone)],
    "REVERSE": lambda value: value[::-1],
    "RIGHT": lambda value, count: text(value)[-int(count) :] if count > 0 else "",
    "ROUND": _round,
    "RTRIM": lambda value, chars=None: text(value).rstrip(chars),
    "SHIFT": lambda values: None if values is None else values[1:],
    "SLICE": _slice,
    "SORTED": lambda values: sorted(values, key=order_key),
    "SORTED_UNIQUE": lambda values: sorted(unique(values), key=order_key),
    "SQRT": lambda value: plain(math.sqrt(number(value))) if number(value) >= 0 else None,
    "STARTS_WITH": lambda where, what: (
        any(text(where).startswith(one) for one in what)
        if isinstance(what, list)
        else text(where).startswith(what)
    ),
    "SUBSTRING": _substring,
    "SUM": _of(sum, 0),
    "TO_ARRAY": lambda value: (
        value
        if isinstance(value, list)
        else []
        if value is None
        else list(value.values())
        if isinstance(value, dict)
        else [value]
    ),
    "TO_BOOL": truth,
    "TO_NUMBER": number,
    "TO_STRING": text,
    "TYPENAME": lambda value: ("null", "bool", "number", "string", "array", "object")[rank(value)],
    "UNION": lambda *lists: [one for each in lists for one in each],
    "UNIQUE": unique,
    "UNSET": _unset,
    "UNSHIFT": lambda values, value, only=False: (
        values if only and within(value, values) else [value, *(values or [])]
    ),
    "UPPER": lambda value: text(value).upper(),
    "VALUES": lambda given, internal=False: [
        value for name, value in given.items() if not (internal and name.startswith("_"))
    ],
    "ZIP": lambda names, values: dict(zip(names, values, strict=True)),
}
