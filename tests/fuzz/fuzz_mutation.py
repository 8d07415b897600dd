"""Spoiling valid bytes so that they get past a first check, seeded; and shortening them again."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

TOKENS = [
    *(b"", b"\n", b"\n\n", b"\r\n", b"\0", b" ", b"=", b"==", b"+", b"/", b"-", b"_", b"x"),
    *(b"A" * 44, b"\xff", b"\xc0\x80", b"\xed\xa0\x80", "\u2014".encode(), "\u0661".encode()),
    *(b"0", b"-1", b"00", b"1e9", b"1.0", b"NaN", b"null", b"true", b'"', b"{}", b"[]"),
    *(b"[" * 2000, b"9" * 19, b"9" * 400, b"18446744073709551616", b"../", b"%2e", b"\\ud800"),
]
NUMBERS = [0, 1, -1, 255, 256, 2**31, 2**32, 2**53, 2**63 - 1, 2**63, 2**64, 10**40]
VALUES: list[Any] = [None, True, 0, -1, 2**53, 2**64, 1.5, "", "A", "\u0000", "AAAA", [], {}, [[]]]
_DIGITS = re.compile(rb"[0-9]+")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{8,}={0,2}")


def mutant(random: Random, samples: Sequence[bytes]) -> bytes:
    """Spoil one of the samples once to four times."""
    data = random.choice(samples)
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 4))):
        data = random.choice(OPERATIONS)(random, data, samples)
    return data


def _span(random: Random, data: bytes) -> tuple[int, int]:
    start = random.randint(0, len(data))
    longest = random.choice((1, 2, 8, 64, len(data)))
    return start, min(len(data), start + random.randint(0, longest))


def flip_bit(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """One bit the other way."""
    if not data:
        return data
    at = random.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]


def set_byte(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """One byte replaced."""
    at = random.randint(0, len(data))
    return data[:at] + random.randbytes(1) + data[at + 1 :]


def cut(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """A stretch left out."""
    start, stop = _span(random, data)
    return data[:start] + data[stop:]


def truncate(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """The end, or the beginning, left out."""
    at = random.randint(0, len(data))
    return random.choice((data[:at], data[at:]))


def duplicate(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """A stretch put in again."""
    start, stop = _span(random, data)
    return data[:stop] + data[start:stop] + data[stop:]


def insert(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """Something that means something put in, or in the place of a stretch."""
    start, stop = _span(random, data)
    return data[:start] + random.choice(TOKENS) + data[random.choice((start, stop)) :]


def splice(random: Random, data: bytes, samples: Sequence[bytes]) -> bytes:
    """The beginning of one and the end of another."""
    other = random.choice(samples)
    return data[: random.randint(0, len(data))] + other[random.randint(0, len(other)) :]


def lines(random: Random, data: bytes, samples: Sequence[bytes]) -> bytes:
    """A line left out, doubled, moved, or taken from another."""
    found, at = data.split(b"\n"), 0
    at = random.randrange(len(found))
    line = found.pop(at)
    other = random.choice(random.choice(samples).split(b"\n"))
    new = random.choice(([], [line, line], [other], [line, other]))
    place = random.choice((at, random.randint(0, len(found))))
    return b"\n".join(found[:place] + new + found[place:])


def number(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """A number replaced by one at a border."""
    found = list(_DIGITS.finditer(data))
    if not found:
        return data
    match = random.choice(found)
    near = int(match[0][:30]) + random.choice((-1, 1, 256, -256))
    new = str(random.choice((*NUMBERS, near))).encode()
    return data[: match.start()] + new + data[match.end() :]


def within_base64(random: Random, data: bytes, samples: Sequence[bytes]) -> bytes:
    """What stands in base64, spoilt and encoded again: the form stays good."""
    found = list(_BASE64.finditer(data))
    if not found:
        return data
    match = random.choice(found)
    url = b"-" in match[0] or b"_" in match[0] or b"=" not in match[0]
    alphabet = b"-_" if url else b"+/"
    try:
        inner = base64.b64decode(match[0] + b"=" * (-len(match[0]) % 4), alphabet)
    except ValueError:
        return data
    spoil = random.choice((flip_bit, set_byte, cut, truncate, duplicate))
    new = base64.b64encode(spoil(random, inner, samples), alphabet)
    return data[: match.start()] + (new.rstrip(b"=") if url else new) + data[match.end() :]


def within_json(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """A value somewhere in JSON replaced, left out, doubled or renamed: the form stays good."""
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError):
        return data
    top = [whole]
    holder: Any = top
    key: Any = 0
    while isinstance(holder[key], dict | list) and holder[key] and random.random() < 0.8:
        holder = holder[key]
        key = random.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    match random.randrange(4):
        case 0:
            holder[key] = random.choice(VALUES)
        case 1 if holder is not top:
            del holder[key]
        case 2 if isinstance(holder, dict):
            holder[random.choice(["", "_v", "x", "/a", f"{key}x"])] = holder[key]
        case _ if isinstance(holder, list) and holder is not top:
            holder.insert(random.randint(0, len(holder)), holder[key])
    text = json.dumps(top[0], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    end = b"\n" if data.endswith(b"\n") else b""
    return text.encode(errors="surrogatepass") + end


OPERATIONS: list[Callable[[Random, bytes, Sequence[bytes]], bytes]] = [
    *(flip_bit, set_byte, cut, truncate, duplicate, insert, splice, lines, number),
    *(within_base64, within_base64, within_json, within_json),
]


def smallest(data: bytes, fails: Callable[[bytes], bool], tries: int = 2_000) -> bytes:
    """Leave out of `data` what can be left out while it still fails."""
    step = max(1, len(data) // 2)
    while step and tries:
        at = 0
        while at < len(data) and tries:
            tries -= 1
            shorter = data[:at] + data[at + step :]
            if fails(shorter):
                data = shorter
            else:
                at += step
        step //= 2
    return data
