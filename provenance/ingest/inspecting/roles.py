"""What a column of a shipment file can be: its role, the headers that say so, and its values.

A role is more than a native field: a planned date or a country of destination
fills none by itself, and must be told from the one that does. The roles stand
in roles.toml beside this file.

Next: provenance/ingest/inspecting/profile.py
"""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any, Final, Literal, NamedTuple

__all__ = ["ROLES", "Role"]

Values = Literal[
    "date", "number", "id", "name", "country", "currency", "mode", "gtin", "container",
    "locode", "unit", "latitude", "longitude", "hs", "event", "text", "list",
]  # fmt: skip


class Role(NamedTuple):
    """One role.

    Attributes:
        title: For people.
        values: What its cells hold.
        says: Headers as sets of concepts, the most telling first, each with its weight.
        against: Concepts in a header that speak against it.
        native: The native fields that it is for, in the order of events.
    """

    title: str
    values: Values
    says: tuple[tuple[frozenset[str], float], ...]
    against: frozenset[str] = frozenset()
    native: str = ""


_OF_DATES: Final = frozenset(
    ["date", "expiry", "planned", "produced", "quoted", "recorded", "time"]
)


def _role(title: str, values: Values, says: str, **more: Any) -> Role:
    """Expand "a+b c:0.8": each word a header, its concepts joined by plus."""
    patterns = []
    for word in says.split():
        concepts, _, weight = word.partition(":")
        patterns.append((frozenset(concepts.split("+")), float(weight or 1)))
    denied = frozenset(more.get("against", "").split())
    if not more.get("dated", False):
        denied |= _OF_DATES
    return Role(title, values, tuple(patterns), denied, more.get("native", ""))


def _roles() -> dict[str, Role]:
    file = resources.files("provenance.ingest.inspecting") / "roles.toml"
    found = tomllib.loads(file.read_text(encoding="utf-8"))
    return {name: _role(**given) for name, given in found.items()}


ROLES: Final = _roles()
"""By name, as `inspect` shows them."""
