"""Canonical JSON: equal content has equal bytes, and only those bytes decode.

The domain is narrowed until orjson with sorted keys *is* RFC 8785: ASCII keys,
no floats, integers within 2**53 - 1, strings without lone surrogates. Every
value is checked before it is hashed, because orjson alone would write NaN as
null and accept what other readers see differently. Non-integers are decimal
text in `{"_d": "26.50"}`, exactly as given.

Next: provenance/hashing.py
"""

from __future__ import annotations

import re
from contextlib import suppress
from decimal import Decimal
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final

import orjson

from provenance.errors import EncodingError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "MAX_BODY",
    "MAX_INT",
    "check",
    "decimal",
    "decode",
    "dump",
    "dump_each",
    "encode",
    "encode_each",
    "loads",
    "number",
    "real",
]

MAX_BODY: Final = 16 * 1024 * 1024
"""Largest body in bytes."""
MAX_INT: Final = 2**53 - 1
_MAX_DEPTH: Final = 32
_OPTIONS: Final = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
_BREAK: Final = orjson.Fragment(b"\n")
_INTEGER: Final = re.compile(r"-?(?:0|[1-9]\d{0,15})\Z", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?\Z", re.ASCII)


def encode(value: Any) -> bytes:
    """Write the canonical bytes of `value`.

    Args:
        value: Objects, lists, strings, integers, booleans and None.

    Raises:
        EncodingError: Something in it is outside the domain; the message names the path.
    """
    if _plain(value, _MAX_DEPTH):
        try:
            data = dump(value)
        except EncodingError:
            check(value)  # says where, if a key is at fault
            raise
        # Where all of it is ASCII, so are the keys: mostly there is no need to look at them.
        if data.isascii() or _has_ascii_keys(value):
            return data
    raise EncodingError(_fault(value, "", _MAX_DEPTH))


def check(value: Any) -> None:
    """Refuse what lies outside the domain; `encode` does it too.

    Raises:
        EncodingError: Something in it is outside the domain; the message names the path.
    """
    if not _within(value, _MAX_DEPTH):
        raise EncodingError(_fault(value, "", _MAX_DEPTH))


def dump(value: Any) -> bytes:
    """Write the canonical bytes of a value that `check` has seen, alone or as part of a whole.

    Raises:
        EncodingError: A string holds a lone surrogate.
    """
    # orjson writes into a large buffer that its result keeps hold of. The slice is
    # a copy of the right size; thousands of them cost a tenth of the time, which
    # was spent on fetching fresh memory.
    try:
        return orjson.dumps(value, option=_OPTIONS)[:-1]
    except orjson.JSONEncodeError as error:
        raise EncodingError(f"cannot be written as UTF-8: {error}") from None


def encode_each(values: Sequence[Any]) -> list[bytes]:
    """`encode` of each, in one go.

    Raises:
        EncodingError: As for `encode`, of the first that is outside the domain.
    """
    if all(map(_plain, values, repeat(_MAX_DEPTH))):
        # Where one cannot be written, it is told below what is wrong with it, and where.
        with suppress(EncodingError):
            pairs = zip(values, dump_each(values), strict=True)
            return [
                data if data.isascii() or _has_ascii_keys(value) else encode(value)
                for value, data in pairs
            ]
    return [encode(value) for value in values]


def dump_each(values: Sequence[Any]) -> list[bytes]:
    """`dump` of each, in one go: for many small values the calls cost more than the work.

    Raises:
        EncodingError: A string holds a lone surrogate.
    """
    # Within JSON a line break is always escaped, so a bare one parts the values safely.
    parted = [part for value in values for part in (value, _BREAK)]
    if not parted:
        return []
    try:
        return orjson.dumps(parted, option=orjson.OPT_SORT_KEYS)[1:-3].split(b",\n,")
    except orjson.JSONEncodeError:
        return [dump(value) for value in values]


def decode(data: bytes) -> Any:
    """Read canonical bytes, and only those.

    Raises:
        EncodingError: Not JSON, or not in canonical form (order, spacing, duplicate keys, floats).
    """
    value = loads(data)
    if encode(value) != data:
        raise EncodingError("JSON, but not in canonical form")
    return value


def loads(data: bytes) -> Any:
    """Read bytes that this program stored, without a check of their form.

    Raises:
        EncodingError: Not JSON.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise EncodingError(f"not JSON: {error}") from None


def number(text: str) -> int | dict[str, str]:
    """Turn a number's text into its canonical value: an int, or `{"_d": text}`.

    Raises:
        EncodingError: `text` is not a plain decimal number.

    >>> number("100"), number("26.50")
    (100, {'_d': '26.50'})
    """
    if _INTEGER.match(text) and text != "-0":
        value = int(text)
        if -MAX_INT <= value <= MAX_INT:
            return value
    if not _DECIMAL.match(text):
        raise EncodingError(f"{text[:40]!r} is not a decimal number")
    return {"_d": text}


def decimal(value: Any) -> Decimal | None:
    """Read a number written by `number`; None for None.

    Raises:
        EncodingError: The value is neither an int nor `{"_d": text}`.
    """
    if value is None:
        return None
    if type(value) is int:
        return Decimal(value)
    if isinstance(value, dict) and len(value) == 1 and isinstance(value.get("_d"), str):
        if _DECIMAL.match(value["_d"]):
            return Decimal(value["_d"])
        raise EncodingError(f"{value['_d'][:40]!r} is not a decimal number")
    raise EncodingError(f"{str(value)[:40]!r} is not a number of this format")


def real(value: Any) -> float:
    """Read a number written by `number` as the float nearest to it.

    Raises:
        EncodingError: The value is neither an int nor `{"_d": text}`.
    """
    if type(value) is dict and len(value) == 1:
        text = value.get("_d")
        if type(text) is str and _DECIMAL.match(text):
            return float(text)
    if type(value) is int:
        return float(value)
    raise EncodingError(f"{str(value)[:40]!r} is not a number of this format")


def _within(value: Any, depth: int) -> bool:
    """Say whether a value is in the domain, nested at most `depth` deep."""
    return _plain(value, depth) and _has_ascii_keys(value)


def _plain(value: Any, depth: int) -> bool:
    """Say whether a value is in the domain, whatever its keys are.

    Every entry passes here, so this only says yes or no and looks at strings,
    most of the values, without a call.
    """
    kind = type(value)
    if kind is dict:
        children = value.values()
    elif kind is list or kind is tuple:
        children = value
    elif kind is int:
        return bool(-MAX_INT <= value <= MAX_INT)
    else:
        return kind is str or value is None or kind is bool
    if depth <= 0:
        return False
    for item in children:  # noqa: SIM110 - a generator would cost twice as much
        if type(item) is not str and not _plain(item, depth - 1):
            return False
    return True


def _has_ascii_keys(value: Any) -> bool:
    if type(value) is dict:
        try:
            ours = "".join(value).isascii()
        except TypeError:
            return False
        return ours and all(map(_has_ascii_keys, value.values()))
    return type(value) not in {list, tuple} or all(map(_has_ascii_keys, value))


def _fault(value: Any, path: str, depth: int) -> str:
    """Say what is wrong with a value that is not in the domain, and where."""
    kind = type(value)
    here = ascii(path or "/")[1:-1]  # on one line, whatever the keys hold
    if kind is int:
        return f"{here}: the integer is beyond 2**53 - 1"
    if kind not in {dict, list, tuple}:
        return f"{here}: {kind.__name__} has no canonical form"
    if depth <= 0:
        return f"{here}: nested deeper than {_MAX_DEPTH}"
    for key in value if kind is dict else ():
        if not isinstance(key, str) or not key.isascii():
            return f"{here}: the key {key!a} is not ASCII text"
    children = value.items() if kind is dict else enumerate(value)
    name, item = next(child for child in children if not _within(child[1], depth - 1))
    return _fault(item, f"{path}/{name}", depth - 1)
