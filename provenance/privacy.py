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

from binascii import a2b_base64, b2a_base64
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from provenance import canonical
from provenance.entries import Content, Draft, Entry, Opening, Tier
from provenance.errors import EncodingError, WorkspaceDamaged
from provenance.hashing import field_commitment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provenance.clock import Entropy
    from provenance.tiers import Plan, TierPolicy

__all__ = [
    "NONCE_SIZE",
    "PlainOpening",
    "Sealed",
    "b64",
    "open_entry",
    "seal",
    "seal_checked",
    "unb64",
]

SALT_SIZE: Final = 32
NONCE_SIZE: Final = 16
_MARKERS: Final = frozenset(("_v", "_n", "_c", "_t"))
_HIDDEN: Final = object()
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
_PLAIN: Final = bytes.maketrans(b"-_", b"+/")

PlainOpening = tuple[str, Tier, bytes, bytes]
_Hidden = list[tuple[str, Any, Tier]]


class Sealed(NamedTuple):
    """A body ready to be hashed, and what opens its commitments.

    The openings have the fields of `Opening`, as plain tuples: many thousands
    pass through an ingest, and only plain tuples cost the garbage collector nothing.
    """

    body: bytes
    openings: list[PlainOpening]


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
    canonical.check(draft.content)
    return Sealed(*seal_checked(draft, policy, entropy(NONCE_SIZE), entropy))


def seal_checked(
    draft: Draft, policy: TierPolicy, nonce: bytes, entropy: Entropy
) -> tuple[bytes, list[PlainOpening]]:
    """`seal` for content that `canonical.check` has passed, with a fresh nonce of 16 bytes.

    The one function that every entry passes on its way in. Parts of a checked
    whole need no check of their own, so none is made here.

    Returns:
        The fields of `Sealed`.
    """
    if not _MARKERS.isdisjoint(draft.content):
        raise EncodingError("the names _v, _n, _c and _t are the format's own")
    hidden: _Hidden = []
    plan = policy.plan(draft.version, draft.tiers)
    clear = {
        **_split_object(draft.content, "", plan, hidden),
        "_v": draft.version,
        "_n": b64(nonce),
    }
    if draft.tiers:
        clear["_t"] = {pattern: own.name.lower() for pattern, own in draft.tiers.items()}
        canonical.check(clear["_t"])
    openings: list[PlainOpening] = []
    if hidden:
        clear["_c"], openings = _commit(hidden, entropy(SALT_SIZE * len(hidden)))
    body = canonical.dump(clear)
    if len(body) > canonical.MAX_BODY:
        raise EncodingError(f"a body of {len(body)} bytes; at most {canonical.MAX_BODY} are taken")
    return body, openings


def _commit(hidden: _Hidden, salts: bytes) -> tuple[dict[str, str], list[PlainOpening]]:
    hidden.sort(key=_path_order)
    commitments = {}
    openings = []
    for start, (path, value, tier) in zip(range(0, len(salts), SALT_SIZE), hidden, strict=True):
        salt = salts[start : start + SALT_SIZE]
        preimage = canonical.dump([path, value])
        commitments[path] = b64(field_commitment(salt, preimage))
        openings.append((path, tier, salt, preimage))
    return commitments, openings


def _path_order(field: tuple[str, Any, Tier]) -> tuple[int, str]:
    return len(field[0]), field[0]


def _split(value: Any, path: str, plan: Plan, hidden: _Hidden) -> Any:
    """Return what of `value` stays clear, or `_HIDDEN`; the rest goes to `hidden`.

    An empty object or list has no parts that could be hidden in its place, so it
    is treated as a plain value.
    """
    if not plan.flat and value:
        if isinstance(value, dict):
            return _split_object(value, path, plan, hidden)
        if isinstance(value, list | tuple):
            return _split_list(value, path, plan, hidden)
    if plan.tier is Tier.PUBLIC:
        return value
    hidden.append((path, value, plan.strictest))
    return _HIDDEN


def _split_object(value: Content, path: str, plan: Plan, hidden: _Hidden) -> Content:
    # Most objects have many public fields and few with a rule: only those are looked at.
    names = plan.steps.keys() & value.keys() if plan.named_only else value.keys()
    if not names:
        return value
    clear = dict(value)
    for name in names:
        below = plan.below(name)
        # Most rules are for one plain field: settled here, without a call.
        if below.flat and below.tier is not Tier.PUBLIC:
            hidden.append((f"{path}/{_escape(name)}", clear.pop(name), below.tier))
            continue
        kept = _split(value[name], f"{path}/{_escape(name)}", below, hidden)
        if kept is _HIDDEN:
            del clear[name]
        else:
            clear[name] = kept
    return clear


def _split_list(value: Sequence[Any], path: str, plan: Plan, hidden: _Hidden) -> Any:
    """Split a list; when one item is hidden whole, its siblings are committed whole too.

    A clear list with holes would let one path name a clear value and a committed
    one. Each item takes the strictest tier of the rules at and below its path.
    """
    parts: _Hidden = []
    kept = [
        _split(item, f"{path}/{position}", plan.below(str(position)), parts)
        for position, item in enumerate(value)
    ]
    if _HIDDEN not in kept:
        hidden += parts
        return kept
    hidden += [
        (f"{path}/{position}", item, plan.below(str(position)).strictest)
        for position, item in enumerate(value)
    ]
    return _HIDDEN


def open_entry(entry: Entry, tier: Tier) -> Content:
    """Return what a viewer of `tier` may see of an entry; erased fields are absent.

    The content is put together from the clear part of the body and the
    openings up to `tier`, without the format's own `_v`, `_n`, `_c` and `_t`. An
    entry whose body was erased gives an empty content.

    Raises:
        WorkspaceDamaged: Body and openings do not fit together.
    """
    if entry.body is None:
        return {}
    try:
        return _put_together(entry.body, entry.openings, tier)
    except (AttributeError, EncodingError, LookupError, TypeError, ValueError):
        raise WorkspaceDamaged(
            f"entry {entry.index}: its body and openings do not fit together; run `verify`"
        ) from None


def _put_together(body: bytes, openings: Sequence[Opening], tier: Tier) -> Content:
    content: Content = canonical.loads(body)
    for marker in _MARKERS:
        content.pop(marker, None)
    for opening in openings:
        if opening.tier <= tier:
            path, value = canonical.loads(opening.preimage)
            _place(content, list(_steps(path)), value)
    return content


def _place(content: Any, steps: list[str], value: Any) -> None:
    """Put `value` at the path `steps`.

    Only a list that was hidden whole has to be made anew: objects are never
    hidden but as one value. Openings come shorter paths first, then in order of
    text, so the items of a list arrive in its order and are appended; one that
    was erased or is above the tier only closes the gap.
    """
    here = content
    for step, following in pairwise(steps):
        if isinstance(here, list):
            here = here[int(step)]
        else:
            here = here.setdefault(step, []) if following.isdigit() else here[step]
    if isinstance(here, list):
        here.append(value)
    else:
        here[steps[-1]] = value


def _steps(path: str) -> Iterator[str]:
    for step in path[1:].split("/"):
        yield step.replace("~1", "/").replace("~0", "~")


@lru_cache(maxsize=1024)
def _escape(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


def b64(data: bytes) -> str:
    """Write bytes as base64url without padding, RFC 4648 section 5."""
    return b2a_base64(data, newline=False).translate(_URL_SAFE).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Read what `b64` wrote, and nothing else.

    Raises:
        EncodingError: Not base64url, padded, or with stray bits.
    """
    try:
        data = a2b_base64(text.encode().translate(_PLAIN) + b"=" * (-len(text) % 4))
    except ValueError:
        raise EncodingError("not base64url") from None
    if b64(data) != text:
        raise EncodingError("base64url in another form than ours")
    return data
