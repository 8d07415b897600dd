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
from decimal import Decimal
from typing import Any, Final

import orjson

from provenance.errors import EncodingError

__all__ = ["MAX_BODY", "MAX_INT", "decimal", "decode", "encode", "loads", "number"]

MAX_BODY: Final = 16 * 1024 * 1024
"""Largest body in bytes."""
MAX_INT: Final = 2**53 - 1
_MAX_DEPTH: Final = 32
_INTEGER: Final = re.compile(r"-?(?:0|[1-9]\d{0,15})\Z", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?\Z", re.ASCII)


def encode(value: Any) -> bytes:
    """Write the canonical bytes of `value`.

    Args:
        value: Objects, lists, strings, integers, booleans and None.

    Raises:
        EncodingError: Something in it is outside the domain; the message names the path.
    """
    _check(value, "", 0)
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise EncodingError(f"a string cannot be written as UTF-8: {error}") from None


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


def _check(value: Any, path: str, depth: int) -> None:
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return
    if kind is int:
        if not -MAX_INT <= value <= MAX_INT:
            raise EncodingError(f"{path or '/'}: the integer is beyond 2**53 - 1")
    elif kind is dict:
        _check_object(value, path, depth)
    elif kind is list or kind is tuple:
        if depth >= _MAX_DEPTH:
            raise EncodingError(f"{path}: nested deeper than {_MAX_DEPTH}")
        for position, item in enumerate(value):
            if type(item) is not str:
                _check(item, f"{path}/{position}", depth + 1)
    else:
        raise EncodingError(f"{path or '/'}: {kind.__name__} has no canonical form")


def _check_object(value: dict[Any, Any], path: str, depth: int) -> None:
    if depth >= _MAX_DEPTH:
        raise EncodingError(f"{path}: nested deeper than {_MAX_DEPTH}")
    for key, item in value.items():
        if type(key) is not str or not key.isascii():
            raise EncodingError(f"{path or '/'}: the key {key!r} is not ASCII text")
        if type(item) is not str:
            _check(item, f"{path}/{key}", depth + 1)
