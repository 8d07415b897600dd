"""Sealing and opening: fields above the public tier become commitments.

A sealed body keeps public fields in clear. Every other field is replaced by a
commitment under `_c`, keyed by its RFC 6901 path, and its salt and value go to
the openings. Deleting an opening forgets the field; no proof changes, because
the log's hashes cover the commitment, never the value. The nonce `_n` hides a
body as a whole, so that it can be erased too. `_t` holds the draft's own tier
rules, so that the tier of every opening can be checked against the log.

Next: provenance/merkle.py
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from provenance import canonical
from provenance.entries import Content, Draft, Entry, Opening, Tier
from provenance.errors import EncodingError
from provenance.hashing import field_commitment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.clock import Entropy
    from provenance.tiers import Plan, TierPolicy

__all__ = ["Sealed", "b64", "open_entry", "seal", "unb64"]

SALT_SIZE: Final = 32
NONCE_SIZE: Final = 16
_MARKERS: Final = ("_v", "_n", "_c", "_t")
_HIDDEN: Final = object()

_Hidden = list[tuple[str, Any, Tier]]


class Sealed(NamedTuple):
    """A body ready to be hashed, and what opens its commitments."""

    body: bytes
    openings: tuple[Opening, ...]


def seal(draft: Draft, policy: TierPolicy, entropy: Entropy) -> Sealed:
    """Turn a draft into the bytes that are hashed.

    Args:
        draft: Plain content; its own `tiers` go before the policy.
        policy: The workspace's tiers.
        entropy: Source of the nonce and of one salt per committed field.

    Raises:
        EncodingError: The content is outside the canonical domain, uses a name that is
            reserved for the format, or makes a body over 16 MiB.
    """
    if any(marker in draft.content for marker in _MARKERS):
        raise EncodingError("the names _v, _n, _c and _t are the format's own")
    hidden: _Hidden = []
    plan = policy.plan(draft.version, draft.tiers)
    default = plan.tier or Tier.PUBLIC
    clear = _split_object(draft.content, "", plan, default, hidden)
    clear["_v"] = draft.version
    if draft.tiers:
        clear["_t"] = {pattern: own.name.lower() for pattern, own in draft.tiers.items()}
    randomness = entropy(NONCE_SIZE + SALT_SIZE * len(hidden))
    clear["_n"] = b64(randomness[:NONCE_SIZE])
    openings = _commit(hidden, randomness, clear)
    body = canonical.encode(clear)
    if len(body) > canonical.MAX_BODY:
        raise EncodingError(f"a body of {len(body)} bytes; at most {canonical.MAX_BODY} are taken")
    return Sealed(body, openings)


def _commit(hidden: _Hidden, randomness: bytes, clear: Content) -> tuple[Opening, ...]:
    commitments: dict[str, str] = {}
    openings = []
    hidden.sort(key=_path_order)
    start = NONCE_SIZE
    for path, value, tier in hidden:
        salt = randomness[start : start + SALT_SIZE]
        start += SALT_SIZE
        preimage = canonical.encode([path, value])
        commitments[path] = b64(field_commitment(salt, preimage))
        openings.append(Opening(path, tier, salt, preimage))
    if commitments:
        clear["_c"] = commitments
    return tuple(openings)


def _path_order(field: tuple[str, Any, Tier]) -> tuple[int, str]:
    return len(field[0]), field[0]


def _split(value: Any, path: str, plan: Plan, tier: Tier, hidden: _Hidden) -> Any:
    """Return what of `value` stays clear, or `_HIDDEN`; the rest goes to `hidden`."""
    if plan.steps and isinstance(value, dict):
        return _split_object(value, path, plan, tier, hidden)
    if plan.steps and isinstance(value, list):
        return _split_list(value, path, plan, tier, hidden)
    if tier is Tier.PUBLIC:
        return value
    hidden.append((path, value, tier))
    return _HIDDEN


def _split_object(
    value: Content, path: str, plan: Plan, tier: Tier, hidden: _Hidden
) -> dict[str, Any]:
    clear = {}
    for name, item in value.items():
        below = plan.below(name)
        own = tier if below.tier is None else below.tier
        if own is Tier.PUBLIC and not below.steps:
            clear[name] = item
            continue
        kept = _split(item, f"{path}/{_escape(name)}", below, own, hidden)
        if kept is not _HIDDEN:
            clear[name] = kept
    return clear


def _split_list(value: list[Any], path: str, plan: Plan, tier: Tier, hidden: _Hidden) -> Any:
    """Split a list; when one item is hidden whole, its siblings are committed too.

    Each keeps its own tier. A clear list with holes would let one path name a
    clear value and a committed one.
    """
    plans = [plan.below(str(position)) for position in range(len(value))]
    tiers = [tier if below.tier is None else below.tier for below in plans]
    whole = any(
        own is not Tier.PUBLIC and not below.steps for own, below in zip(tiers, plans, strict=True)
    )
    if whole:
        hidden.extend(
            (f"{path}/{position}", item, own)
            for position, (item, own) in enumerate(zip(value, tiers, strict=True))
        )
        return _HIDDEN
    return [
        _split(item, f"{path}/{position}", below, own, hidden)
        for position, (item, below, own) in enumerate(zip(value, plans, tiers, strict=True))
    ]


def open_entry(entry: Entry, tier: Tier) -> Content:
    """Return what a viewer of `tier` may see of an entry; erased fields are absent.

    The content is put together from the clear part of the body and the
    openings up to `tier`, without the format's own `_v`, `_n`, `_c` and `_t`. An
    entry whose body was erased gives an empty content.
    """
    if entry.body is None:
        return {}
    content: Content = canonical.loads(entry.body)
    for marker in _MARKERS:
        content.pop(marker, None)
    for opening in entry.openings:
        if opening.tier <= tier:
            path, value = canonical.loads(opening.preimage)
            _place(content, list(_steps(path)), value)
    return content


def _place(content: Any, steps: list[str], value: Any) -> None:
    """Put `value` at the path `steps`, making the containers on the way.

    Openings come shorter paths first, then in order of text, so the items of
    one list arrive in its order and are appended; one that was erased or is
    above the tier only closes the gap.
    """
    here = content
    for step, following in pairwise(steps):
        if isinstance(here, list):
            here = here[int(step)]
        else:
            here = here.setdefault(step, [] if following.isdigit() else {})
    if isinstance(here, list):
        here.append(value)
    else:
        here[steps[-1]] = value


def _steps(path: str) -> Iterator[str]:
    for step in path[1:].split("/"):
        yield step.replace("~1", "/").replace("~0", "~")


def _escape(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


def b64(data: bytes) -> str:
    """Write bytes as base64url without padding, RFC 4648 section 5."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Read what `b64` wrote, and nothing else.

    Raises:
        EncodingError: Not base64url, padded, or with stray bits.
    """
    try:
        data = urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
    except ValueError:
        raise EncodingError("not base64url") from None
    if b64(data) != text:
        raise EncodingError("base64url in another form than ours")
    return data
