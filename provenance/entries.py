"""What goes into the log and what comes out of it: drafts and entries.

A `Draft` is plain content on its way in; an `Entry` is what storage gives
back. Between the two stand `privacy` (commitments), `canonical` (bytes) and
`log` (order). Paths are RFC 6901 JSON pointers into the content.

Next: provenance/canonical.py
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Content",
    "Draft",
    "Entry",
    "EntryType",
    "Identity",
    "Known",
    "OnChange",
    "Opening",
    "Outcome",
    "Tier",
]

Content = dict[str, Any]
"""Body content: JSON objects within the canonical domain."""

OnChange = Literal["conflict", "version"]
"""What a known key with other content means: a `conflict` is not appended, a
`version` is appended and valid from its entry on."""


class Tier(IntEnum):
    """Disclosure tier: who may see a field. A viewer sees its own tier and those below."""

    PUBLIC = 0
    PARTNER = 1
    PRIVATE = 2


class EntryType(IntEnum):
    """The type byte of a leaf. Unknown types still verify as included; 128-255 are local."""

    EVENT = 1
    MASTER_DATA = 2
    LABOUR = 3
    CERTIFICATE = 4
    FLAG = 5
    REVIEW = 6
    MODEL = 7
    ERASURE = 8
    POLICY = 9
    ANCHOR = 10
    BATCH = 11
    REFERENCE_DATA = 12
    GRANT = 13
    CORRECTION = 14


class Identity(NamedTuple):
    """What makes a row the same row again.

    Attributes:
        key: The row key, its kind first, for example ("event", "acme", "E-1").
        content: What a second arrival is compared on; None means the draft's whole content.
    """

    key: tuple[str, ...]
    content: Any = None


@dataclass(frozen=True, slots=True)
class Known:
    """An identity that the log holds already.

    Attributes:
        index: The entry that it stands for.
        same: Whether the content is equal; of an erased one nobody can say, so it is not.
        erased: What the content was has been erased.
    """

    index: int
    same: bool
    erased: bool = False


class Opening(NamedTuple):
    """What opens one commitment.

    The commitment is `hashing.field_commitment(salt, preimage)`; the preimage is the
    canonical bytes of `[path, value]`.
    """

    path: str
    tier: Tier
    salt: bytes
    preimage: bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """Plain content on its way into the log.

    Attributes:
        type: The entry type.
        version: The body's `_v`, for example "event/1".
        content: Every field in clear, within the canonical JSON domain.
        identities: Row keys for idempotency, usually one; none means "always new".
        on_change: What known keys with other content mean.
        tiers: Tier per path, over the workspace's policy (a mapping's word on its extra columns;
            a flag's values, which take the strictest tier of their inputs).
        lots: (lot_id, maker's party, product_id) of lots that this draft is the first to name;
            `Log.makers` finds them by lot.
        subjects: Whom a path, and what is below it, is about: a text of its own for each person.
            Where the workspace keeps subject keys, their openings are stored under them.
    """

    type: EntryType
    version: str
    content: Content
    identities: tuple[Identity, ...] = ()
    on_change: OnChange = "conflict"
    tiers: Mapping[str, Tier] = field(default_factory=dict)
    lots: tuple[tuple[str, str, str], ...] = ()
    subjects: Mapping[str, str] | None = None


class Outcome(NamedTuple):
    """What became of a draft.

    Attributes:
        kind: "appended", "duplicate" (known, same content), "conflict" (known, other
            content, not appended), or "stale" (some of several identities became known
            meanwhile: draft again).
        index: The entry appended, or the known one.
        digest: The body digest of the entry appended, 32 bytes; None where nothing was.
    """

    kind: Literal["appended", "duplicate", "conflict", "stale"]
    index: int  # type: ignore[assignment]  # hides what tuples have by this name
    digest: bytes | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as storage holds it.

    Attributes:
        index: Position in the log, from 0.
        type: The leaf's type byte (an int: unknown types are kept).
        ingest_time_us: When it was appended, microseconds since the epoch, never decreasing.
        leaf: The 88 bytes.
        leaf_hash: SHA-256(0x00 || leaf), RFC 6962.
        body: The exact canonical bytes, or None after an erasure.
        openings: What is still there to open its commitments.
    """

    index: int
    type: int
    ingest_time_us: int
    leaf: bytes
    leaf_hash: bytes
    body: bytes | None
    openings: tuple[Opening, ...]
