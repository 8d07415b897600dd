"""JSON pulled out of a text piece by piece: what a document holds, with flat memory.

The standard library parses each value; this module only finds where the next
one begins, so a document may be longer than memory. Numbers keep their text.
What JSON leaves open is not decided here in silence: an object that names a
member twice is marked, and NaN is kept as a number that no rule admits.

Next: provenance/epcis/keys.py
"""

from __future__ import annotations

import json
import re
from json.decoder import JSONDecodeError
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["LONGEST", "JsonText", "Number", "Pulled", "Twice", "parse"]

LONGEST: Final = 16 << 20
"""Most characters that one value may have."""
_PIECE: Final = 1 << 16
_SPACE: Final = re.compile(r"[ \t\n\r]*")
# An error this close to the end of what has been read may only say that more is to come.
_MARGIN: Final = 16


class Number(str):
    """A number as it was written."""

    __slots__ = ()


class Twice(dict[str, Any]):
    """An object that names a member more than once; as a mapping it holds the last of each.

    Attributes:
        earlier: The names and values that others of the same name follow.
    """

    earlier: list[tuple[str, Any]]


class Pulled(NamedTuple):
    """One value.

    Attributes:
        value: Objects, lists, texts, booleans, None, and numbers as `Number`.
        text: As it stood in the document.
    """

    value: Any
    text: str


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    marked = Twice(found)
    last = {name: place for place, (name, _) in enumerate(pairs)}
    marked.earlier = [pair for place, pair in enumerate(pairs) if last[pair[0]] != place]
    return marked


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=Number, parse_int=Number, parse_constant=Number
)


def parse(text: str) -> Any:
    """Parse one whole value, in the form of `Pulled.value`.

    Raises:
        InputError: It is not JSON.
    """
    try:
        return _DECODER.decode(text)
    except (JSONDecodeError, RecursionError) as error:
        raise InputError(f"is not JSON: {_said(error)}") from None


def _said(error: Exception) -> str:
    if isinstance(error, JSONDecodeError):
        unclosed = error.msg.startswith("Unterminated")
        return "a closing quote is missing" if unclosed else error.msg[:1].lower() + error.msg[1:]
    return "it is nested too deeply"


class JsonText:
    """A JSON text that is read from the front; each method goes on where the last one ended.

    Attributes:
        name: Of the text, for messages.
    """

    def __init__(self, read: Callable[[int], str], name: str) -> None:
        """Read with `read`, which gives up to so many characters, "" at the end."""
        self._read = read
        self.name = name
        self._buffer = ""
        self._at = 0
        self._lines = 1
        self._ended = False

    def next_char(self) -> str:
        """Return the next character that is not space, without taking it; "" at the end."""
        while True:
            self._at = _SPACE.match(self._buffer, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more(_PIECE):
                return ""

    def members(self) -> Iterator[str]:
        """Yield the names of an object's members; the caller takes each one's value.

        Raises:
            InputError: It is no object, or names a member twice.
        """
        self._take("{")
        seen: set[str] = set()
        while self.next_char() != "}":
            if seen:
                self._take(",")
            name = self.value().value if self.next_char() == '"' else self._fail("a name")
            if name in seen:
                raise self._error(f"the name {name[:80]!r} stands twice in one object")
            seen.add(name)
            self._take(":")
            yield name
        self._take("}")

    def items(self) -> Iterator[int]:
        """Yield the numbers of a list's items, from 0; the caller takes each item.

        Raises:
            InputError: It is no list.
        """
        self._take("[")
        number = 0
        while self.next_char() != "]":
            if number:
                self._take(",")
            yield number
            number += 1
        self._take("]")

    def value(self) -> Pulled:
        """Take the next value.

        Raises:
            InputError: It is not JSON, has more than `LONGEST` characters, or is nested too deeply.
        """
        self.next_char()
        self._more(_PIECE - (len(self._buffer) - self._at))
        while True:
            try:
                value, end = _DECODER.raw_decode(self._buffer, self._at)
            except JSONDecodeError as error:
                self._more_or_fail(error)
                continue
            except RecursionError:
                raise self._error("nested too deeply") from None
            # A number at the end of what has been read may go on.
            if end == len(self._buffer) and type(value) is Number and self._more(_PIECE):
                continue
            text = self._buffer[self._at : end]
            self._at = end
            if len(text) > LONGEST:
                raise self._error(f"a value of more than {LONGEST} characters")
            return Pulled(value, text)

    def end(self) -> None:
        """Make sure that nothing follows.

        Raises:
            InputError: Something does.
        """
        if self.next_char():
            self._fail("the end")

    def _more_or_fail(self, error: JSONDecodeError) -> None:
        cut_off = error.pos >= len(self._buffer) - _MARGIN or error.msg.startswith("Unterminated")
        rest = len(self._buffer) - self._at
        if cut_off and rest <= LONGEST and self._more(rest):
            return
        if cut_off and rest > LONGEST:
            raise self._error(f"a value of more than {LONGEST} characters, or a quote is missing")
        if cut_off and error.pos >= len(self._buffer) - _MARGIN:
            raise self._error("is not JSON: it ends too early")
        self._at = error.pos
        raise self._error(f"is not JSON: {_said(error)}")

    def _more(self, count: int) -> bool:
        """Read at least `count` characters more, unless the text ends; forget what was taken."""
        if count <= 0 or self._ended:
            return False
        self._lines += self._buffer.count("\n", 0, self._at)
        pieces = [self._buffer[self._at :]]
        self._at = 0
        found = 0
        while found < count:
            piece = self._read(max(count - found, _PIECE))
            if not piece:
                self._ended = True
                break
            pieces.append(piece)
            found += len(piece)
        self._buffer = "".join(pieces)
        return found > 0

    def _take(self, wanted: str) -> None:
        if self.next_char() != wanted:
            self._fail(repr(wanted))
        self._at += 1

    def _fail(self, wanted: str) -> str:
        found = self.next_char()
        here = repr(found) if found else "the end"
        raise self._error(f"is not JSON: {wanted} is expected, not {here}")

    def _error(self, reason: str) -> InputError:
        line = self._lines + self._buffer.count("\n", 0, self._at)
        return InputError(f"{self.name}: line {line}: {reason}")
