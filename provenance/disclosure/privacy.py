"""Sealing and opening: fields above the public tier become commitments.

A sealed body keeps public fields in clear. Every other field is replaced by a
commitment under `_c`, keyed by its RFC 6901 path, and its salt and value go to
the openings. Deleting an opening forgets the field; no proof changes, because
the log's hashes cover the commitment, never the value. The nonce `_n` hides a
body as a whole, so that it can be erased too. `_t` holds the draft's own tier
rules, so that the tier of every opening can be checked against the log.

Next: provenance/disclosure/sealing.py
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from functools import lru_cache
from itertools import chain, pairwise
from struct import Struct
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from provenance import canonical
from provenance.entries import Content, Draft, Entry, Opening, Tier
from provenance.errors import EncodingError, WorkspaceDamaged
from provenance.hashing import field_commitment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from provenance.clock import Entropy
    from provenance.disclosure.tiers import Plan, TierPolicy

__all__ = [
    "NONCE_SIZE",
    "SALT_SIZE",
    "Hidden",
    "Parted",
    "PlainOpening",
    "Sealed",
    "Whole",
    "b64",
    "b64_each",
    "hides",
    "lanes",
    "open_entry",
    "own_tiers",
    "refuse_large",
    "refuse_own_names",
    "seal",
    "split",
    "unb64",
]

SALT_SIZE: Final = 32
NONCE_SIZE: Final = 16
_MARKERS: Final = frozenset(("_v", "_n", "_c", "_t"))
_HIDDEN: Final = object()
_TOGETHER: Final = 64
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
_PLAIN: Final = bytes.maketrans(b"-_", b"+/")

PlainOpening = tuple[str, Tier, bytes, bytes]
Hidden = tuple[str, Any, Tier]
"""Path, value and tier of a field that is to be committed."""
Whole = tuple[str, str, Tier]
"""Name, step and tier of what is committed whole."""
Parted = tuple[str, str, "Plan"]
"""Name, step and rules of what has to be looked into."""


class Sealed(NamedTuple):
    """A body ready to be hashed, and what opens its commitments.

    The openings have the fields of `Opening`, as plain tuples: many thousands
    pass through an ingest, and only plain tuples cost the garbage collector nothing.
    """

    body: bytes
    openings: list[PlainOpening]


def seal(draft: Draft, policy: TierPolicy, entropy: Entropy) -> Sealed:
    """Turn a draft into the bytes that are hashed.

    `sealing` does the same for many drafts at once; this is what both mean.

    Args:
        draft: Plain content; its own `tiers` go before the policy.
        policy: The workspace's tiers.
        entropy: Source of the nonce and of one salt per committed field.

    Raises:
        EncodingError: The content is outside the canonical domain, uses a name that is
            reserved for the format, or makes a body over 16 MiB.
    """
    canonical.check(draft.content)
    clear, hidden = split(draft, policy)
    hidden.sort(key=_path_order)
    nonce, salts = entropy(NONCE_SIZE), entropy(SALT_SIZE * len(hidden))
    starts = range(0, len(salts), SALT_SIZE)
    openings = [
        (path, tier, salts[start : start + SALT_SIZE], canonical.dump([path, value]))
        for start, (path, value, tier) in zip(starts, hidden, strict=True)
    ]
    body: Content = {**clear, "_v": draft.version, "_n": b64(nonce)}
    if draft.tiers:
        body["_t"] = own_tiers(draft)
    if openings:
        body["_c"] = {path: b64(field_commitment(*opens)) for path, _, *opens in openings}
    return Sealed(refuse_large(canonical.encode(body)), openings)


def own_tiers(draft: Draft) -> dict[str, str]:
    """Write a draft's own tier rules as they stand in its body."""
    return {pattern: tier.name.lower() for pattern, tier in draft.tiers.items()}


def refuse_large(body: bytes) -> bytes:
    """Return a body; refuse, as an EncodingError, one over 16 MiB."""
    if len(body) > canonical.MAX_BODY:
        raise EncodingError(f"a body of {len(body)} bytes; at most {canonical.MAX_BODY} are taken")
    return body


def split(draft: Draft, policy: TierPolicy) -> tuple[Content, list[Hidden]]:
    """Part a draft's content, which is in the canonical domain, into clear and hidden.

    Returns:
        What stays clear, the content itself where all does; and everything else.

    Raises:
        EncodingError: It uses a name that is reserved for the format.
    """
    hidden: list[Hidden] = []
    refuse_own_names(tuple(draft.content))
    plan = policy.plan(draft.version, draft.tiers)
    return _split_object(draft.content, "", plan, hidden), hidden


def refuse_own_names(names: Iterable[str]) -> None:
    """Refuse, by an EncodingError, a content that poses as a part of the format."""
    if not _MARKERS.isdisjoint(names):
        raise EncodingError("the names _v, _n, _c and _t are the format's own")


def hides(content: Content, parted: Iterable[Parted]) -> bool:
    """Say whether anything is hidden in the parts of a content that have to be looked into."""
    hidden: list[Hidden] = []
    for name, step, below in parted:
        value = content[name]
        if type(value) is not list or not value or not below.shows_all(value):
            _split(value, step, below, hidden)
    return bool(hidden)


def _path_order(field: Hidden) -> tuple[int, str]:
    return len(field[0]), field[0]


def _split(value: Any, path: str, plan: Plan, hidden: list[Hidden]) -> Any:
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


def _split_object(value: Content, path: str, plan: Plan, hidden: list[Hidden]) -> Content:
    whole, parted = lanes(plan, tuple(value))
    clear = value
    if whole:
        clear = dict(value)
        hidden += [(path + step, clear.pop(name), tier) for name, step, tier in whole]
    for name, step, below in parted:
        item = value[name]
        kept = _split(item, path + step, below, hidden)
        if kept is item:
            continue
        if clear is value:
            clear = dict(value)
        if kept is _HIDDEN:
            del clear[name]
        else:
            clear[name] = kept
    return clear


@lru_cache(maxsize=1024)
def lanes(plan: Plan, names: tuple[str, ...]) -> tuple[list[Whole], list[Parted]]:
    """Say which names of an object are committed whole, and which have to be looked into.

    Objects of one version mostly have the same names: it is worked out once for all of them.
    """
    whole: list[Whole] = []
    parted: list[Parted] = []
    for name in names:
        below = plan.below(name)
        step = f"/{name.replace('~', '~0').replace('/', '~1')}"
        if not below.flat:
            parted.append((name, step, below))
        elif below.tier is not Tier.PUBLIC:
            whole.append((name, step, below.tier))
    return whole, parted


def _split_list(value: Sequence[Any], path: str, plan: Plan, hidden: list[Hidden]) -> Any:
    """Split a list; when one item is hidden whole, its siblings are committed whole too.

    A clear list with holes would let one path name a clear value and a committed
    one. Each item takes the strictest tier of the rules at and below its path.
    """
    if plan.shows_all(value):  # as nearly all lists are
        return value
    parts: list[Hidden] = []
    kept = [
        _split(item, f"{path}/{position}", plan.below(str(position)), parts)
        for position, item in enumerate(value)
    ]
    if not parts:
        return value
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


def b64(data: bytes) -> str:
    """Write bytes as base64url without padding, RFC 4648 section 5."""
    return b2a_base64(data, newline=False).translate(_URL_SAFE).rstrip(b"=").decode()


def b64_each(parts: Sequence[bytes], size: int) -> list[bytes]:
    """`b64` of many parts of `size` bytes each, in one go; as ASCII bytes."""
    pad = bytes(-size % 3)
    width, kept = 4 * -(-size // 3), -(-8 * size // 6)
    text = b2a_base64(pad.join([*parts, b""]), newline=False).translate(_URL_SAFE)
    # Cut many at a time: a slice for each costs three times as much.
    many = len(text) - len(text) % (width * _TOGETHER)
    cut = _cut(kept, width - kept, _TOGETHER).iter_unpack(text[:many])
    rest = _cut(kept, width - kept, len(parts) % _TOGETHER).unpack(text[many:])
    return [*chain.from_iterable(cut), *rest]


@lru_cache(maxsize=4 * _TOGETHER)
def _cut(kept: int, left_out: int, count: int) -> Struct:
    return Struct(f"{kept}s{left_out}x" * count)


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
