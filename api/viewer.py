"""Who is asking, and what that lets them see.

There are two viewers: the anonymous consumer (public tier, only what it can
name by id) and the operator (everything in the workspace), who shows a bearer
token that is made when the server starts. The token exists in the operator's
hands and in the memory of the process that prints it; the gate keeps a digest.

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

__all__ = ["ANONYMOUS", "OPERATOR", "Gate", "Role", "Viewer", "mint_token"]

_TOKEN_BYTES = 32
_SCHEME = "bearer"


class Role(Enum):
    """The kinds of viewer that there are."""

    CONSUMER = "consumer"
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
OPERATOR = Viewer(Role.OPERATOR, Tier.PRIVATE)


def mint_token(entropy: Entropy) -> str:
    """Make a fresh operator token: 32 random bytes as 43 URL-safe characters."""
    return base64.urlsafe_b64encode(entropy(_TOKEN_BYTES)).rstrip(b"=").decode("ascii")


class Gate:
    """Turns an `Authorization` header into a viewer.

    It holds the token's SHA-256, never the token, and compares digests in
    constant time. A plain hash is enough here: the token is 256 random bits,
    not a password that could be guessed.
    """

    def __init__(self, token: str | None) -> None:
        """Open the gate for one operator token; None means that there is no operator."""
        self._digest = None if token is None else _digest(token)

    def admit(self, authorization: str | None) -> Viewer:
        """Say who shows this header.

        Args:
            authorization: The header's value, or None when there is none.

        Returns:
            The consumer without a header, the operator with the right token.

        Raises:
            AccessDenied: A header is shown, but not a valid one. It is refused rather than
                treated as anonymous, so that an operator with a mistyped token notices.
        """
        if authorization is None:
            return ANONYMOUS
        scheme, _, shown = authorization.partition(" ")
        right = self._digest is not None and hmac.compare_digest(
            self._digest, _digest(shown.strip())
        )
        if scheme.lower() != _SCHEME or not right:
            raise AccessDenied(
                "the token is not valid; use the one printed when the server started"
            )
        return OPERATOR


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
