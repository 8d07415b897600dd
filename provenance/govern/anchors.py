"""Anchors: what somebody outside said of the log's state at a size, kept in the log.

A timestamp service, a newspaper or a public ledger attests to the text of a
checkpoint: origin, size and root. What it gave is kept as an entry, and travels
with the proof of every entry that the attested tree holds. The rule that ties
the two is one inclusion path: the entry is in the tree of that size and root,
which is independent of every later checkpoint and of every signature.

What the attestation is worth only its own software can tell; see
`provenance.govern.anchor_checks`.

Next: provenance/govern/anchor_checks.py
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from provenance.disclosure.privacy import b64, open_entry, unb64
from provenance.entries import Draft, EntryType, Tier
from provenance.errors import EncodingError, UsageError, WorkspaceDamaged
from provenance.govern.acts import acts_of, append_acts
from provenance.hashing import HASH_SIZE
from provenance.notes.checkpoint import Checkpoint, format_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.entries import Content, Entry
    from provenance.log import Log
    from provenance.store.reading import LogReader

__all__ = ["MAX_DATA", "Anchor", "Anchors", "anchored_text", "anchors_of", "record"]

VERSION: Final = "anchor/1"
MAX_DATA: Final = 256 << 10
"""Bytes; what timestamp services give has a few thousand."""
_KIND: Final = "anchor"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")


class Anchor(NamedTuple):
    """One attestation, as the log has it.

    Attributes:
        entry: Index of the anchor entry.
        kind: What made it, such as "opentimestamps".
        size: Of the tree that it attests to.
        root: Of that tree, 32 bytes.
        data: What was given, in the form of its kind.
    """

    entry: int
    kind: str
    size: int
    root: bytes
    data: bytes


def anchored_text(origin: str, size: int, root: bytes) -> bytes:
    """Return what is attested: the three lines of a checkpoint, without its signatures."""
    return format_text(Checkpoint(origin, size, root)).encode()


def record(log: Log, kind: str, data: bytes, size: int) -> int:
    """Keep an attestation as an entry.

    Args:
        log: Where to.
        kind: What made it; plug-ins that check it go by this name.
        data: What was given for the `anchored_text` at this size.
        size: 1 to the log's size.

    Returns:
        The index of the anchor entry.

    Raises:
        UsageError: A value is out of form, or the log has no such size.
    """
    if not _NAME.fullmatch(kind):
        raise UsageError(f"an anchor's kind is lower-case letters, digits, . and -, not {kind!a}")
    if not 0 < len(data) <= MAX_DATA:
        raise UsageError(f"an anchor has 1 to {MAX_DATA} bytes, not {len(data)}")
    most = log.size
    if not 0 < size <= most:
        raise UsageError(f"the log has {most} entries; none of its trees has {size}")
    content = {"kind": kind, "size": size, "root": b64(log.root_at(size)), "data": b64(data)}
    # Public whatever a policy says: an attestation that nobody sees attests nothing.
    draft = Draft(EntryType.ANCHOR, VERSION, content, tiers={"*": Tier.PUBLIC})
    return append_acts(log, _KIND, [draft])[0]


def anchors_of(reader: LogReader, start: int = 1) -> Iterator[Anchor | None]:
    """Yield the anchors from number `start` on, oldest first; None for one that was erased.

    Raises:
        WorkspaceDamaged: An entry cannot be read as one.
    """
    for entry in acts_of(reader, _KIND, start):
        yield None if entry.body is None else _anchor(entry)


def _anchor(entry: Entry) -> Anchor:
    content = open_entry(entry, Tier.PUBLIC)
    try:
        root, data = unb64(content["root"]), unb64(content["data"])
        return Anchor(entry.index, str(content["kind"]), int(content["size"]), root, data)
    except (AttributeError, EncodingError, KeyError, TypeError, ValueError):
        raise WorkspaceDamaged(f"entry {entry.index}: is no {VERSION}; run `verify`") from None


class Anchors:
    """The anchors of one log, for putting them into bundles; reads each of them once."""

    def __init__(self, reader: LogReader) -> None:
        """Read through `reader`."""
        self._reader = reader
        self._known: list[Anchor | None] = []

    def put_into(self, bundle: Content) -> Content:
        """Return a proof bundle with the anchors that cover its entry, and how they do.

        Of each kind the one of the smallest tree that holds the entry goes in: it says
        most about when. An anchor that the log itself contradicts is left out.
        """
        self._known += anchors_of(self._reader, len(self._known) + 1)
        index = bundle["index"]
        covering: dict[str, Anchor] = {}
        for anchor in self._known:
            if anchor is None or anchor.size <= index:
                continue
            best = covering.get(anchor.kind)
            if best is None or anchor.size < best.size:
                covering[anchor.kind] = anchor
        found = [self._part(index, one) for _, one in sorted(covering.items())]
        return {**bundle, "anchors": [part for part in found if part is not None]}

    def _part(self, index: int, anchor: Anchor) -> Content | None:
        if len(anchor.root) != HASH_SIZE or self._reader.root_at(anchor.size) != anchor.root:
            return None
        path = self._reader.inclusion_path(index, anchor.size)
        return {
            "kind": anchor.kind,
            "size": anchor.size,
            "root": b64(anchor.root),
            "path": [b64(node) for node in path],
            "data": b64(anchor.data),
        }
