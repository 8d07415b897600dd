"""Who is let in: tokens, the header, and what is left of a token afterwards."""

from __future__ import annotations

import gc
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.settings import ApiSettings
from api.viewer import ANONYMOUS, OPERATOR, Gate, mint_token
from provenance.entries import Tier
from provenance.errors import AccessDenied

TOKEN = mint_token(random.Random(1).randbytes)


def test_no_header_is_the_consumer() -> None:
    """Who shows nothing is anonymous: public tier, no lists."""
    viewer = Gate(TOKEN).admit(None)
    assert viewer is ANONYMOUS
    assert (viewer.tier, viewer.may_list) == (Tier.PUBLIC, False)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_right_token_is_the_operator(scheme: str) -> None:
    """The token opens everything; the scheme's case does not matter (RFC 9110, 11.1)."""
    viewer = Gate(TOKEN).admit(f"{scheme} {TOKEN}")
    assert viewer is OPERATOR
    assert (viewer.tier, viewer.may_list) == (Tier.PRIVATE, True)


@given(st.text(max_size=60))
def test_any_other_header_is_refused(shown: str) -> None:
    """A header that is not the token is refused, never taken for anonymous."""
    for header in (shown, f"Bearer {shown}", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer"):
        with pytest.raises(AccessDenied):
            Gate(TOKEN).admit(header)


def test_without_a_token_nobody_is_the_operator() -> None:
    """A server without an operator admits no token, not even an empty one."""
    for header in ("Bearer ", "Bearer None", f"Bearer {TOKEN}", ""):
        with pytest.raises(AccessDenied):
            Gate(None).admit(header)


def test_tokens_are_long_and_new() -> None:
    """A token is 32 bytes of entropy in 43 URL-safe characters; the next one is another."""
    entropy = random.Random(2).randbytes
    first, second = mint_token(entropy), mint_token(entropy)
    assert first != second
    assert len(first) == len(second) == 43
    assert set(first) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_the_gate_keeps_no_token() -> None:
    """Neither the gate nor the settings' repr holds the token's text."""
    gate = Gate(TOKEN)
    assert all(TOKEN not in str(each) for each in gc.get_referents(gate))
    assert TOKEN not in repr(ApiSettings(base="https://x", token=TOKEN))
