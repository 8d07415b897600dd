"""What a server is started with.

Next: api/app.py
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provenance.entries import Tier

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ApiSettings"]


def _nothing(_tier: Tier) -> None:
    """Say that nothing keeps detection up."""


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """How the app answers.

    Attributes:
        base: The address that printed codes begin with, without a slash at its end.
        token: The operator's bearer token; None for a server without an operator. It is kept
            out of `repr`, so that it reaches no log.
        partner_token: The partners' bearer token; None for a server without partners.
        introspection: Whether callers may ask for the GraphQL schema.
        readers: How many requests may read at once, at least 1.
        capture: Whether the operator may send EPCIS documents into the log.
        party: Whose events are meant where an id does not say it.
        bodies: The tier from which on a viewer may read whole bodies by their number.
        detection: Says what keeps detection up with the log is doing: for everybody, and what
            the operator alone may know; None where nothing does.
    """

    base: str
    token: str | None = field(default=None, repr=False)
    partner_token: str | None = field(default=None, repr=False)
    introspection: bool = False
    readers: int = 4
    capture: bool = False
    party: str = ""
    bodies: Tier = Tier.PUBLIC
    detection: Callable[[Tier], dict[str, Any] | None] = _nothing
