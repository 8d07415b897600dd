"""Sealing in bulk: what `privacy.seal` does to one draft, for all drafts of an append.

The bodies and openings are the same; the steps are fewer. Salts and nonces come
from one call each, commitments are written as text together, and a content that
is dumped already is not dumped again: the format's own names sort before all
others that are in use, so a body is the content with them put in front.

Next: provenance/merkle.py
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from provenance import canonical
from provenance.hashing import HASH_SIZE, field_commitment
from provenance.privacy import (
    NONCE_SIZE,
    SALT_SIZE,
    b64_each,
    own_tiers,
    refuse_large,
    split,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provenance.clock import Entropy
    from provenance.entries import Draft
    from provenance.privacy import PlainOpening
    from provenance.tiers import TierPolicy

__all__ = ["seal_all"]

_OWN_NAMES_END: Final = b"_"
"""Names whose first byte is beyond sort after `_c`, `_n`, `_t` and `_v`."""
_FORMS_KEPT: Final = 1024


def seal_all(
    drafts: Sequence[Draft], wholes: Sequence[bytes], policy: TierPolicy, entropy: Entropy
) -> tuple[list[bytes], list[list[PlainOpening]]]:
    """Seal drafts whose contents are in the canonical domain.

    Args:
        drafts: Plain contents.
        wholes: `canonical.encode` of each content.
        policy: The workspace's tiers.
        entropy: Source of nonces and salts.

    Returns:
        The body of each draft; and its openings, in no order.

    Raises:
        EncodingError: A content uses a name that is reserved for the format, or makes a body
            over 16 MiB.
    """
    splits = [split(draft, policy) for draft in drafts]
    fields = [field for _, hidden in splits for field in hidden]
    preimages = [_beginning(path) + canonical.dump(value) + b"]" for path, value, _ in fields]
    nonces = b64_each(_slices(entropy(NONCE_SIZE * len(drafts)), NONCE_SIZE), NONCE_SIZE)
    salts = _slices(entropy(SALT_SIZE * len(fields)), SALT_SIZE)
    committed = b64_each([*map(field_commitment, salts, preimages)], HASH_SIZE)
    paths, _, tiers = zip(*fields, strict=True) if fields else ((), (), ())
    opened = list(zip(paths, tiers, salts, preimages, strict=True))
    bodies: list[bytes] = []
    openings: list[list[PlainOpening]] = []
    start = 0
    for draft, whole, (clear, hidden), nonce in zip(drafts, wholes, splits, nonces, strict=True):
        own = slice(start, start + len(hidden))
        rest = canonical.dump(clear) if hidden else whole
        bodies.append(_body(draft, paths[own], committed[own], nonce, rest))
        openings.append(opened[own])
        start = own.stop
    return bodies, openings


def _slices(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@lru_cache(maxsize=_FORMS_KEPT)
def _beginning(path: str) -> bytes:
    return canonical.dump([path])[:-1] + b","


def _body(
    draft: Draft, paths: tuple[str, ...], committed: list[bytes], nonce: bytes, clear: bytes
) -> bytes:
    own = tuple(own_tiers(draft).items()) if draft.tiers else ()
    form, order = _form(draft.version, paths, own)
    head = form % (*[committed[at] for at in order], nonce)
    if clear[2:3] > _OWN_NAMES_END:
        return refuse_large(head + b"," + clear[1:])
    return refuse_large(canonical.dump(canonical.loads(head + b"}") | canonical.loads(clear)))


@lru_cache(maxsize=_FORMS_KEPT)
def _form(
    version: str, paths: tuple[str, ...], own: tuple[tuple[str, str], ...]
) -> tuple[bytes, list[int]]:
    """Write how a body begins, with `%b` for each commitment and for the nonce.

    Returns:
        The beginning without the closing brace, and in which order it takes the commitments.
    """
    order = sorted(range(len(paths)), key=paths.__getitem__)
    parts = [b'"_n":"%b"', *([b'"_t":' + _literal(dict(own))] if own else [])]
    if paths:
        fields = [_literal(paths[at]) + b':"%b"' for at in order]
        parts.insert(0, b'"_c":{' + b",".join(fields) + b"}")
    return b"{" + b",".join([*parts, b'"_v":' + _literal(version)]), order


def _literal(value: object) -> bytes:
    return canonical.encode(value).replace(b"%", b"%%")
