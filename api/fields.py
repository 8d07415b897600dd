"""How a field of the schema reads a field of a record.

Content arrives cut to the viewer's tier, so a field that may not be seen is
absent and reads null, like one that was never recorded. A value of an
unexpected kind reads null too: old records must not break new answers.

Next: api/paging.py
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

import strawberry

from api.vocabulary import JSON, DateTime, Decimal
from provenance.canonical import decimal
from provenance.disclosure.privacy import b64
from provenance.errors import EncodingError

if TYPE_CHECKING:
    from collections.abc import Callable

    from provenance.entries import Content

__all__ = [
    "flag_field",
    "global_id",
    "json_field",
    "number",
    "number_field",
    "plain",
    "text",
    "text_field",
    "time_field",
    "whole",
    "whole_field",
    "word",
    "word_field",
]

E = TypeVar("E", bound=Enum)

_LARGEST_INT = 2**31 - 1


def text(content: Content, name: str) -> str | None:
    """Return a field's text; None when it is absent or not text."""
    value = content.get(name)
    return value if isinstance(value, str) else None


def whole(content: Content, name: str) -> int | None:
    """Return a field's integer within GraphQL's 32 bits; None when it is something else."""
    value = content.get(name)
    return value if type(value) is int and abs(value) <= _LARGEST_INT else None


def number(content: Content, name: str) -> Decimal | None:
    """Return a field's exact number; None when it is absent or not a number."""
    try:
        value = decimal(content.get(name))
    except EncodingError:
        return None
    return None if value is None else Decimal(str(value))


def word(kind: type[E], value: object) -> E | None:
    """Return the enum's member for a recorded word: OTHER for an unknown one, else None."""
    for member in kind:
        if member.value == value:
            return member
    return None if value is None else getattr(kind, "OTHER", None)


def plain(value: object) -> JSON:
    """Return content as plain JSON: `{"_d": "26.50"}` becomes "26.50"."""
    if isinstance(value, dict):
        if set(value) == {"_d"}:
            return JSON(value["_d"])
        return JSON({name: plain(item) for name, item in value.items()})
    if isinstance(value, list | tuple):
        return JSON([plain(item) for item in value])
    return JSON(value)


def global_id(kind: str, key: str) -> strawberry.ID:
    """Make an opaque id that is unique over all types."""
    return strawberry.ID(b64(f"{kind}:{key}".encode()))


def _field(read: Callable[[Content], Any], description: str | None) -> Any:
    def resolve(root: Any) -> Any:
        return read(root.content)

    # The type is the one annotated on the class; a resolver's own annotation would win over it.
    del resolve.__annotations__["return"]
    return strawberry.field(resolver=resolve, description=description)


def text_field(name: str, description: str | None = None) -> Any:
    """Declare a nullable String read from the record's field `name`."""
    return _field(lambda content: text(content, name), description)


def time_field(name: str, description: str | None = None) -> Any:
    """Declare a nullable DateTime."""

    def read(content: Content) -> DateTime | None:
        value = text(content, name)
        return None if value is None else DateTime(value)

    return _field(read, description)


def whole_field(name: str, description: str | None = None) -> Any:
    """Declare a nullable Int."""
    return _field(lambda content: whole(content, name), description)


def flag_field(name: str, description: str | None = None) -> Any:
    """Declare a nullable Boolean."""

    def read(content: Content) -> bool | None:
        value = content.get(name)
        return value if isinstance(value, bool) else None

    return _field(read, description)


def number_field(name: str, description: str | None = None) -> Any:
    """Declare a nullable Decimal."""
    return _field(lambda content: number(content, name), description)


def word_field(kind: type[Enum], name: str, description: str | None = None) -> Any:
    """Declare a nullable enum."""
    return _field(lambda content: word(kind, content.get(name)), description)


def json_field(name: str, description: str | None = None) -> Any:
    """Declare a nullable JSON value, numbers as exact text."""
    return _field(lambda content: plain(content[name]) if name in content else None, description)
