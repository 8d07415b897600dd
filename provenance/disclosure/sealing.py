"""Sealing in bulk: what `privacy.seal` does to one draft, for all drafts of an append.

The bodies and openings are the same; the steps are fewer. Contents of one
version with the same names are cast in one mould, worked out once: how the body
begins, what is committed, how each preimage begins. Salts and nonces come from
one call each, commitments are written as text together, and a content that is
dumped already is not dumped again: the format's own names sort before all
others that are in use, so a body is the content with them put in front.

Next: provenance/proving/merkle.py
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain, groupby, repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from provenance import canonical
from provenance.disclosure.privacy import (
    NONCE_SIZE,
    SALT_SIZE,
    b64_each,
    hides,
    lanes,
    own_tiers,
    refuse_large,
    refuse_own_names,
    split,
)
from provenance.hashing import HASH_SIZE, field_commitments

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provenance.clock import Entropy
    from provenance.disclosure.privacy import Parted, PlainOpening
    from provenance.disclosure.tiers import Plan, TierPolicy
    from provenance.entries import Content, Draft, Tier

__all__ = ["SealedAll", "Shape", "opened", "seal_all"]

Shape = tuple[tuple[str, ...], tuple["Tier", ...]]
"""What an entry commits to: paths in their order, and the tier of each."""

_OWN_NAMES_END: Final = "_"
"""Names whose first letter is beyond sort after `_c`, `_n`, `_t` and `_v`."""
_KEPT: Final = 1024
_BY_PATH: Final = itemgetter(0)


class SealedAll(NamedTuple):
    """Sealed drafts, in columns.

    Attributes:
        bodies: One a draft.
        shapes: One a draft; those that are equal are mostly one object.
        sealed: `salt || preimage` of each commitment, draft after draft.
    """

    bodies: list[bytes]
    shapes: list[Shape]
    sealed: list[bytes]


class _Mould(NamedTuple):
    """How contents with the same names are cast, where nothing is hidden within their parts.

    Attributes:
        shape: What is committed.
        names: The same, as names.
        beginnings: How the preimages begin.
        parted: What has to be looked into first.
        head: How a body is put together; see `_Cast`.
    """

    shape: Shape
    names: tuple[str, ...]
    beginnings: tuple[bytes, ...]
    parted: tuple[Parted, ...]
    head: _Head


class _Head(NamedTuple):
    """How a body begins.

    Attributes:
        pieces: What stands before each commitment, before the nonce, and after it.
        follows: The content's own names sort after the format's, so that they can come next.
    """

    pieces: tuple[bytes, ...]
    follows: bool


class _Cast(NamedTuple):
    """Drafts parted, in columns; the first three have one a draft.

    Attributes:
        shapes: What is committed.
        heads: How bodies begin.
        clears: What stays clear; None where all does.
        beginnings: How the preimages begin.
        values: What is hidden.
    """

    shapes: list[Shape]
    heads: list[_Head]
    clears: list[Content | None]
    beginnings: list[bytes]
    values: list[Any]


def seal_all(
    drafts: Sequence[Draft], wholes: Sequence[bytes], policy: TierPolicy, entropy: Entropy
) -> SealedAll:
    """Seal drafts whose contents are in the canonical domain.

    Args:
        drafts: Plain contents.
        wholes: `canonical.encode` of each content.
        policy: The workspace's tiers.
        entropy: Source of nonces and salts.

    Raises:
        EncodingError: A content uses a name that is reserved for the format, or makes a body
            over 16 MiB.
    """
    cast = _cast(drafts, policy)
    rests = iter(canonical.dump_each([clear for clear in cast.clears if clear is not None]))
    clears = [
        whole if clear is None else next(rests)
        for clear, whole in zip(cast.clears, wholes, strict=True)
    ]
    values = canonical.dump_each(cast.values)
    nonces = b64_each(_slices(entropy(NONCE_SIZE * len(drafts)), NONCE_SIZE), NONCE_SIZE)
    salts = _slices(entropy(SALT_SIZE * len(values)), SALT_SIZE)
    parts = zip(salts, cast.beginnings, values, [b"]"] * len(values), strict=True)
    sealed = [*map(b"".join, parts)]
    committed = b64_each(field_commitments(sealed), HASH_SIZE)
    bodies = _put_together(cast.heads, committed, nonces, clears)
    if max(map(len, bodies), default=0) > canonical.MAX_BODY:
        for body in bodies:
            refuse_large(body)
    return SealedAll(bodies, cast.shapes, sealed)


def opened(shapes: Sequence[Shape], sealed: Sequence[bytes]) -> Iterator[list[PlainOpening]]:
    """Yield the openings of each draft, in the order of their paths."""
    rest = iter(sealed)
    for paths, tiers in shapes:
        yield [
            (path, tier, one[:SALT_SIZE], one[SALT_SIZE:])
            for path, tier, one in zip(paths, tiers, rest, strict=False)
        ]


def _slices(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def _cast(drafts: Sequence[Draft], policy: TierPolicy) -> _Cast:
    """Part drafts."""
    cast = _Cast([], [], [], [], [])
    moulds: dict[object, _Mould] = {}
    for draft in drafts:
        content = draft.content
        alike = (draft.version, tuple(content), tuple(draft.tiers.items()) if draft.tiers else ())
        mould = moulds.get(alike) or moulds.setdefault(alike, _mould_of(draft, policy))
        if mould.parted and hides(content, mould.parted):
            _cast_in_parts(draft, policy, cast)
            continue
        cast.shapes.append(mould.shape)
        cast.heads.append(mould.head)
        clear = None
        if mould.names:
            clear = content.copy()
            cast.beginnings.extend(mould.beginnings)
            cast.values.extend([clear.pop(name) for name in mould.names])
        cast.clears.append(clear)
    return cast


def _cast_in_parts(draft: Draft, policy: TierPolicy, cast: _Cast) -> None:
    """Do as `_cast` where something is hidden within an object or a list of the content."""
    clear, hidden = split(draft, policy)
    hidden.sort(key=_BY_PATH)
    paths = tuple([path for path, _, _ in hidden])
    cast.shapes.append((paths, tuple([tier for _, _, tier in hidden])))
    cast.heads.append(_head(draft.version, paths, _own(draft), min(clear, default="")[:1]))
    cast.beginnings.extend(map(_beginning, paths))
    cast.values.extend([value for _, value, _ in hidden])
    cast.clears.append(clear)


def _own(draft: Draft) -> tuple[tuple[str, str], ...]:
    return tuple(own_tiers(draft).items())


def _mould_of(draft: Draft, policy: TierPolicy) -> _Mould:
    plan = policy.plan(draft.version, draft.tiers)
    return _mould(draft.version, plan, tuple(draft.content), _own(draft))


@lru_cache(maxsize=_KEPT)
def _mould(
    version: str, plan: Plan, names: tuple[str, ...], own: tuple[tuple[str, str], ...]
) -> _Mould:
    refuse_own_names(names)
    whole, parted = lanes(plan, names)
    ordered = sorted(whole, key=lambda lane: lane[1])
    hidden = tuple([name for name, _, _ in ordered])
    paths = tuple([step for _, step, _ in ordered])
    clear = [name for name in names if name not in hidden]
    return _Mould(
        shape=(paths, tuple([tier for _, _, tier in ordered])),
        names=hidden,
        beginnings=tuple(map(_beginning, paths)),
        parted=tuple(parted),
        head=_head(version, paths, own, min(clear, default="")[:1]),
    )


@lru_cache(maxsize=_KEPT)
def _beginning(path: str) -> bytes:
    return canonical.dump([path])[:-1] + b","


@lru_cache(maxsize=_KEPT)
def _head(
    version: str, paths: tuple[str, ...], own: tuple[tuple[str, str], ...], first: str
) -> _Head:
    """Write how a body begins; `first` is the first letter of the first clear name, if any."""
    pieces = [b'",' + canonical.encode(path) + b':"' for path in paths]
    if pieces:
        pieces[0] = b'{"_c":{' + pieces[0].removeprefix(b'",')
    pieces.append(b'"},"_n":"' if paths else b'{"_n":"')
    tiers = b',"_t":' + canonical.encode(dict(own)) if own else b""
    follows = first > _OWN_NAMES_END
    end = b"," if follows else b"}"
    pieces.append(b'"' + tiers + b',"_v":' + canonical.encode(version) + end)
    return _Head(tuple(pieces), follows)


def _put_together(
    heads: Sequence[_Head],
    committed: Sequence[bytes],
    nonces: Sequence[bytes],
    clears: Sequence[bytes],
) -> list[bytes]:
    """Write bodies; those that follow each other and begin alike column by column."""
    bodies: list[bytes] = []
    start = 0
    for head, run in groupby(heads):
        at = slice(len(bodies), len(bodies) + len([*run]))
        width = len(head.pieces) - 2
        stop = start + width * (at.stop - at.start)
        columns = [committed[first:stop:width] for first in range(start, start + width)]
        rest = [clear[1:] for clear in clears[at]] if head.follows else repeat(b"")
        filled = zip(map(repeat, head.pieces), [*columns, nonces[at], rest], strict=True)
        # Pieces are endless, what stands between them is not.
        begun = map(b"".join, zip(*chain.from_iterable(filled), strict=False))
        bodies += begun if head.follows else map(_merged, begun, clears[at])
        start = stop
    return bodies


def _merged(head: bytes, clear: bytes) -> bytes:
    return canonical.dump(canonical.loads(head) | canonical.loads(clear))
