"""What rules about events are made of: each looks at one value and its place. Pure.

A rule raises `InvalidEvent` with the JSON pointer of the culprit. Bounds of
nesting, texts and numbers are checked once for a whole event, before its rules.

Next: provenance/epcis/rules.py
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from provenance.epcis.eventhash import utc_milliseconds
from provenance.epcis.jsonpull import Number, Twice
from provenance.epcis.keys import parse_key
from provenance.epcis.vocabulary import WORDS
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Rule = Callable[[Any, str], None]

__all__ = [
    "MOST_LEVELS",
    "InvalidEvent",
    "check_bounds",
    "is_anything",
    "is_boolean",
    "is_extension",
    "is_key",
    "is_number",
    "is_quantity",
    "is_text",
    "is_time",
    "is_uri",
    "list_of",
    "members",
    "object_of",
    "one_of",
    "one_or_list_of",
    "pointer_step",
    "shaped",
    "word_of",
]

MOST_LEVELS: Final = 20
"""How deep values may be nested in an event."""
_LONGEST_TEXT: Final = 128 << 10
_SHOWN: Final = 80
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\x00-\x1f\x7f\"<>\\^`{|}]+\Z")
_DECIMAL: Final = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3})?\Z", re.ASCII)


class InvalidEvent(Exception):  # noqa: N818 - a verdict; never leaves whoever reads events
    """An event that breaks a rule.

    Attributes:
        pointer: JSON pointer of the culprit within the event.
        reason: Why, without the value, so that equal reasons can be counted.
        value: What stood there, shortened.
    """

    def __init__(self, pointer: str, reason: str, value: object = "") -> None:
        """Keep the parts."""
        super().__init__(f"{pointer}: {reason}")
        self.pointer = pointer
        self.reason = reason
        self.value = str(value)[:_SHOWN]


def is_extension(name: str) -> bool:
    """Say whether a member's name is an extension's: with a namespace, or a full URI."""
    return bool(_URI.match(name))


def check_bounds(event: Any) -> None:
    """Check what holds for every value of an event: nesting, length of texts, form of numbers.

    Of a member of the event itself that stands twice the last one counts, as JSON readers
    do it; further down it is not clear what was meant.

    Raises:
        InvalidEvent: A value is out of bounds.
    """
    if type(event) is Twice:
        for _name, value in event.earlier:
            _check_value(value, MOST_LEVELS - 1)
        event = dict(event)
    _check_value(event, MOST_LEVELS)


def _check_value(value: Any, levels: int) -> None:
    if type(value) is str:
        _check_text(value)
    elif type(value) is Number:
        if not _DECIMAL.match(value) or len(value) > _SHOWN:
            raise InvalidEvent("", "is no number that can be kept", value)
    elif isinstance(value, dict | list):
        if not levels:
            raise InvalidEvent("", f"is nested deeper than {MOST_LEVELS} levels")
        if isinstance(value, Twice):
            raise InvalidEvent("", "names a member twice", value.earlier[0][0])
        for name, part in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(name, str):
                _check_text(name)
            try:
                _check_value(part, levels - 1)
            except InvalidEvent as error:
                # Put together on the way out: nearly always there is nothing to tell.
                error.pointer = f"/{pointer_step(name)}{error.pointer}"
                raise


def _check_text(text: str) -> None:
    if len(text) > _LONGEST_TEXT:
        raise InvalidEvent("", f"is a text of more than {_LONGEST_TEXT} characters")
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise InvalidEvent("", "is not Unicode text: it holds half a surrogate pair")


def pointer_step(name: object) -> str:
    """Write one step of a JSON pointer, RFC 6901."""
    return str(name).replace("~", "~0").replace("/", "~1")


def is_text(value: Any, at: str) -> None:
    """Rule: text."""
    if type(value) is not str:
        raise InvalidEvent(at, "is not text", value)


def is_uri(value: Any, at: str) -> None:
    """Rule: a URI, or a name with a prefix."""
    if type(value) is not str or not _URI.match(value):
        raise InvalidEvent(at, "is not a URI", value)


def is_key(value: Any, at: str) -> None:
    """Rule: a URI, and where it names a GS1 key a right one."""
    is_uri(value, at)
    try:
        parse_key(value)
    except InputError as error:
        raise InvalidEvent(at, str(error), value) from None


def is_time(value: Any, at: str) -> None:
    """Rule: an instant with its offset."""
    try:
        utc_milliseconds(value if type(value) is str else "")
    except (ValueError, OverflowError):
        reason = "is not a time with its offset, such as 2024-03-23T22:17:32+01:00"
        raise InvalidEvent(at, reason, value) from None


def is_number(value: Any, at: str) -> None:
    """Rule: a number."""
    if type(value) is not Number:
        raise InvalidEvent(at, "is not a number", value)


def is_quantity(value: Any, at: str) -> None:
    """Rule: a number that is not negative."""
    is_number(value, at)
    if Decimal(value) < 0:
        raise InvalidEvent(at, "is negative", value)


def is_boolean(value: Any, at: str) -> None:
    """Rule: true or false."""
    if type(value) is not bool:
        raise InvalidEvent(at, "is neither true nor false", value)


def shaped(shape: re.Pattern[str], reason: str) -> Rule:
    """Make a rule: text of a shape."""

    def rule(value: Any, at: str) -> None:
        if type(value) is not str or not shape.match(value):
            raise InvalidEvent(at, reason, value)

    return rule


def word_of(kind: str) -> Rule:
    """Make a rule: a word of a vocabulary of CBV, or anybody's own URI."""
    words = frozenset(WORDS[kind].split())

    def rule(value: Any, at: str) -> None:
        if type(value) is not str or not (value in words or _URI.match(value)):
            raise InvalidEvent(at, "is neither a word of CBV 2.0 nor a URI", value)

    return rule


def one_of(*words: str) -> Rule:
    """Make a rule: one of these words."""

    def rule(value: Any, at: str) -> None:
        if type(value) is not str or value not in words:
            raise InvalidEvent(at, f"is not one of {', '.join(words)}", value)

    return rule


def list_of(rule: Rule, least: int = 0, *, unique: bool = False) -> Rule:
    """Make a rule: a list of at least so many, each by `rule`."""

    def of_list(value: Any, at: str) -> None:
        if not isinstance(value, list):
            raise InvalidEvent(at, "is not a list", value)
        if len(value) < least:
            raise InvalidEvent(at, "is empty")
        for place, item in enumerate(value):
            rule(item, f"{at}/{place}")
        if unique and len(set(value)) < len(value):
            raise InvalidEvent(at, "names something twice")

    return of_list


def one_or_list_of(rule: Rule) -> Rule:
    """Make a rule: one value or a list of them, each by `rule`."""
    listed = list_of(rule)
    return lambda value, at: (listed if isinstance(value, list) else rule)(value, at)


def object_of(required: str, members: Mapping[str, Rule], *, closed: bool = False) -> Rule:
    """Make a rule: an object with members by their rules; extensions too, unless it is `closed`."""

    def rule(value: Any, at: str) -> None:
        if not isinstance(value, dict):
            raise InvalidEvent(at, "is not an object", value)
        for name in required.split():
            if name not in value:
                raise InvalidEvent(f"{at}/{name}", "is missing")
        for name, part in value.items():
            known = members.get(name)
            if known is not None:
                known(part, f"{at}/{name}")
            elif closed or not _URI.match(name):
                reason = "is no member known here, and has no namespace"
                raise InvalidEvent(f"{at}/{pointer_step(name)}", reason)

    return rule


def members(rule: Rule, names: str) -> dict[str, Rule]:
    """Give several members one rule."""
    return dict.fromkeys(names.split(), rule)


def is_anything(_value: Any, _at: str) -> None:
    """Anything: its bounds have been checked."""
