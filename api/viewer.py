"""Who is asking, and what that lets them see.

There are three viewers: the anonymous consumer (public tier, only what it can
name by id), the partner (the same, up to the partner tier) and the operator
(everything in the workspace). The last two show bearer tokens that are made
when the server starts. A token exists in its bearer's hands and in the memory
of the process that prints it; the gate keeps a digest.

Next: api/reading.py
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from provenance.entries import Tier
from provenance.errors import AccessDenied

if TYPE_CHECKING:
    from provenance.clock import Entropy

__all__ = ["ANONYMOUS", "OPERATOR", "PARTNER", "Gate", "Role", "Viewer", "mint_token"]

_TOKEN_BYTES = 32
_SCHEME = "bearer"


class Role(Enum):
    """The kinds of viewer that there are."""

    CONSUMER = "consumer"
    PARTNER = "partner"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Viewer:
    """One who asks.

    Attributes:
        role: What kind of viewer it is.
        tier: The highest disclosure tier that it sees; every store call is made with it.
    """

    role: Role
    tier: Tier

    @property
    def may_list(self) -> bool:
        """Whether it may ask for lists; others ask by id."""
        return self.role is Role.OPERATOR


ANONYMOUS = Viewer(Role.CONSUMER, Tier.PUBLIC)
PARTNER = Viewer(Role.PARTNER, Tier.PARTNER)
OPERATOR = Viewer(Role.OPERATOR, Tier.PRIVATE)


def mint_token(entropy: Entropy) -> str:
    """Make a fresh token: 32 random bytes as 43 URL-safe characters."""
    return base64.urlsafe_b64encode(entropy(_TOKEN_BYTES)).rstrip(b"=").decode("ascii")


class Gate:
    """Turns an `Authorization` header into a viewer.

    It holds the tokens' SHA-256, never the tokens, and compares digests in
    constant time. A plain hash is enough here: the token is 256 random bits,
    not a password that could be guessed.
    """

    def __init__(self, token: str | None, partner_token: str | None = None) -> None:
        """Open the gate for an operator's and a partners' token; None means there is none."""
        shown = ((token, OPERATOR), (partner_token, PARTNER))
        self._known = [(_digest(one), viewer) for one, viewer in shown if one is not None]

    def admit(self, authorization: str | None) -> Viewer:
        """Say who shows this header.

        Args:
            authorization: The header's value, or None when there is none.

        Returns:
            The consumer without a header, else whose token it is.

        Raises:
            AccessDenied: A header is shown, but not a valid one. It is refused rather than
                treated as anonymous, so that an operator with a mistyped token notices.
        """
        if authorization is None:
            return ANONYMOUS
        scheme, _, shown = authorization.partition(" ")
        digest = _digest(shown.strip())
        # All are compared, whichever it is: the time says nothing about where it stands.
        found = [viewer for known, viewer in self._known if hmac.compare_digest(known, digest)]
        if scheme.lower() != _SCHEME or not found:
            raise AccessDenied(
                "the token is not valid; use the one printed when the server started"
            )
        return found[0]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
