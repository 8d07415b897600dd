"""Rules of the canonical bytes, with the `rfc8785` package as the oracle."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance import canonical
from provenance.canonical import MAX_INT
from provenance.errors import EncodingError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEYS = st.text(st.characters(max_codepoint=127), max_size=6)
INTEGERS = st.integers(-MAX_INT, MAX_INT)
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


class Number(IntEnum):
    """An int that is not exactly an int."""

    ONE = 1


class Text(str):
    """Text that is not exactly a str."""

    __slots__ = ()


@given(VALUES)
def test_within_the_domain_the_bytes_are_those_of_rfc_8785(value: Any) -> None:
    """For every value of the domain, an independent RFC 8785 encoder writes the same bytes."""
    assert canonical.encode(value) == rfc8785.dumps(value)


@given(st.lists(VALUES, max_size=5))
def test_many_at_once_are_written_as_one_by_one(values: list[Any]) -> None:
    """Values that share a call do not run into each other, whatever their texts hold."""
    assert canonical.encode_each(values) == list(map(rfc8785.dumps, values))
    assert canonical.dump_each(values) == list(map(rfc8785.dumps, values))


@given(VALUES)
def test_decoding_gives_the_value_back(value: Any) -> None:
    """What was encoded decodes to an equal value of the same types."""
    back = canonical.decode(canonical.encode(value))

    assert json.dumps(back, sort_keys=True) == json.dumps(value, sort_keys=True)


@given(st.dictionaries(KEYS, VALUES, min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_order_of_keys_does_not_matter(value: dict[str, Any], shuffle: Any) -> None:
    """Equal content has equal bytes, whatever order its keys were put in."""
    names = list(value)
    shuffle.shuffle(names)

    assert canonical.encode({name: value[name] for name in names}) == canonical.encode(value)


REWRITINGS: dict[str, Callable[[Any], bytes]] = {
    "spaces": lambda value: json.dumps(value, ensure_ascii=False, sort_keys=True).encode(),
    "indented": lambda value: json.dumps(value, ensure_ascii=False, indent=1).encode(),
    "escapes": lambda value: json.dumps(
        value, ensure_ascii=True, separators=(",", ":"), sort_keys=True
    ).encode(),
    "key order": lambda value: json.dumps(
        dict(sorted(value.items(), reverse=True)), ensure_ascii=False, separators=(",", ":")
    ).encode(),
    "newline": lambda value: canonical.encode(value) + b"\n",
    "byte order mark": lambda value: b"\xef\xbb\xbf" + canonical.encode(value),
    "duplicate key": lambda value: b'{"a":1,' + canonical.encode(value | {"a": 1})[1:],
}


@given(st.sampled_from(sorted(REWRITINGS)), st.dictionaries(KEYS, VALUES, max_size=4))
def test_only_canonical_bytes_decode(rewrite: str, value: dict[str, Any]) -> None:
    """Other JSON texts for the same value are refused, unless they are the canonical bytes."""
    data = REWRITINGS[rewrite](value)

    if data == canonical.encode(value):
        assert canonical.decode(data) == value
    else:
        with pytest.raises(EncodingError):
            canonical.decode(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" 1",
        b"1.0",
        b"1e2",
        b"-0",
        b"01",
        b"NaN",
        b"[NaN]",
        b"Infinity",
        b"9007199254740992",
        b"-9007199254740992",
        b"18446744073709551616",
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        b'{"b":1,"a":2}',
        b'{"a":1,}',
        b'"\\u0061"',
        b'"\\/"',
        b'"\\u00C4"',
        b'"\\ud800"',
        b'{"\xc3\xa4":1}',
        b'"\xff"',
        b"nul",
        b"[" * 2000 + b"]" * 2000,
        b"[" * 33 + b"]" * 33,
    ],
    ids=lambda data: repr(data[:24]),
)
def test_other_bytes_do_not_decode(data: bytes) -> None:
    """Floats, NaN, ints beyond 2**53-1, duplicate keys, other spellings: refused in one line."""
    with pytest.raises(EncodingError) as caught:
        canonical.decode(data)

    assert "\n" not in str(caught.value)


def _loop() -> list[Any]:
    loop: list[Any] = []
    loop.append(loop)
    return loop


def _nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


OUTSIDE: dict[str, Any] = {
    "float": 1.0,
    "nan": math.nan,
    "infinity": math.inf,
    "2**53": 2**53,
    "-(2**53)": -(2**53),
    "bytes": b"x",
    "decimal": Decimal(1),
    "set": {1},
    "int subclass": Number.ONE,
    "text subclass": Text("x"),
    "umlaut key": {"ä": 1},
    "number key": {1: "x"},
    "lone surrogate": "\ud800",
    "surrogate key": {"\ud800": 1},
    "too deep": _nested(33),
    "endless": _loop(),
}


@pytest.mark.parametrize("bad", OUTSIDE)
def test_values_outside_the_domain_are_refused(bad: str) -> None:
    """What has no canonical form is refused with one line, never written as something else."""
    with pytest.raises(EncodingError) as caught:
        canonical.encode({"here": [OUTSIDE[bad]]})

    assert "\n" not in str(caught.value)
    with pytest.raises(EncodingError) as among_others:
        canonical.encode_each([{"a": "\n"}, {"here": [OUTSIDE[bad]]}, {"b": "ö"}])
    assert str(among_others.value) == str(caught.value)


@settings(max_examples=50)
@given(VALUES, st.lists(KEYS | st.integers(0, 3), max_size=6))
def test_the_message_says_where(filler: Any, steps: list[str | int]) -> None:
    """A float anywhere inside is found, and the message names its path."""
    value: Any = 0.5
    for step in reversed(steps):
        value = {step: value, "~~": filler} if isinstance(step, str) else [filler] * step + [value]
    path = "".join(f"/{step}" for step in steps) or "/"

    with pytest.raises(EncodingError) as caught:
        canonical.check(value)

    assert str(caught.value) == f"{ascii(path)[1:-1]}: float has no canonical form"


def test_the_borders_of_the_domain() -> None:
    """Exactly 2**53-1 and 32 levels are inside, one more is outside."""
    assert canonical.decode(canonical.encode([MAX_INT, -MAX_INT])) == [2**53 - 1, 1 - 2**53]
    assert canonical.decode(canonical.encode(_nested(32))) == _nested(32)
    with pytest.raises(EncodingError, match="beyond"):
        canonical.encode(MAX_INT + 1)
    with pytest.raises(EncodingError, match="deeper"):
        canonical.encode(_nested(33))


NUMBERS = st.from_regex(
    r"[+-]?([0-9]{1,20}(\.[0-9]{0,12})?|\.[0-9]{1,12})([eE][+-]?[0-9]{1,3})?", fullmatch=True
).filter(str.isascii)


@given(NUMBERS)
def test_numbers_keep_their_value_and_their_text(text: str) -> None:
    """A number's text has a canonical value that reads back as the same number, digit for digit."""
    value = canonical.number(text)

    assert canonical.decimal(canonical.decode(canonical.encode(value))) == Decimal(text)
    assert canonical.real(value) == float(Decimal(text))
    assert (str(value) if isinstance(value, int) else value["_d"]) == text


@pytest.mark.parametrize(
    "text", ["", "1,5", "٣", "1_000", "nan", "inf", "0x1", " 1", "1 ", "1\n", "--1", "1e1000", "."]
)
def test_other_texts_are_no_numbers(text: str) -> None:
    """What is no plain decimal number is refused, as text and as a stored value."""
    with pytest.raises(EncodingError):
        canonical.number(text)
    with pytest.raises(EncodingError):
        canonical.decimal({"_d": text})
    with pytest.raises(EncodingError):
        canonical.real({"_d": text})


@pytest.mark.parametrize("value", [True, 1.5, "1", {}, {"_d": 1}, {"_d": "1", "x": 1}, [1]])
def test_other_values_are_no_numbers(value: Any) -> None:
    """Only an int or one `_d` text is read as a number."""
    with pytest.raises(EncodingError):
        canonical.decimal(value)
    with pytest.raises(EncodingError):
        canonical.real(value)


# What the published RFC 8785 pairs hold that our narrower domain leaves out.
JCS_OUTSIDE = {
    "french.json": "the key 'p\\xe9ch\\xe9' is not ASCII",
    "values.json": "/numbers/0: float",
    "weird.json": "is not ASCII",
}


@pytest.mark.parametrize(
    "name",
    ["arrays.json", "french.json", "structures.json", "unicode.json", "values.json", "weird.json"],
)
def test_published_vectors(test_data: Path, name: str) -> None:
    """RFC 8785's own outputs are our bytes; those with floats or other keys are refused."""
    data = (test_data / "vectors" / "jcs" / "output" / name).read_bytes()

    if name in JCS_OUTSIDE:
        with pytest.raises(EncodingError) as caught:
            canonical.decode(data)
        assert JCS_OUTSIDE[name] in str(caught.value)
    else:
        assert canonical.encode(json.loads(data)) == data
        assert canonical.decode(data) == json.loads(data)
