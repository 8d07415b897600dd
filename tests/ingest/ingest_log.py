"""A log in memory, as naive as its contract allows, and helpers to feed it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from provenance import canonical
from provenance.entries import Entry, Known, Outcome
from provenance.hashing import body_digest, leaf_hash
from provenance.ingest.run import ingest
from provenance.proving.leaf import encode_leaf

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from provenance.entries import Draft, Identity
    from provenance.ingest.mapping_form import Mapping
    from provenance.ingest.receipt import Receipt

NOW_US = 1_795_000_000_000_000
"""2026-11-18T10:40:00Z."""


def clock() -> int:
    """A clock that stands still."""
    return NOW_US


def entropy(size: int) -> bytes:
    """Bytes that look random and are always the same."""
    return bytes(at * 197 % 251 for at in range(size))


class MemoryLog:
    """What `LogWriter` asks for, in dictionaries."""

    origin = "log.example/memory"

    def __init__(self, fail_after: int | None = None) -> None:
        """Begin with a policy entry; the append after `fail_after` ones dies."""
        self.drafts: list[Draft | None] = [None]
        self.rows: dict[tuple[str, ...], tuple[str, int]] = {}
        self.lots: dict[str, set[tuple[str, str]]] = {}
        self.appends = 0
        self.fail_after = fail_after

    @property
    def size(self) -> int:
        """Number of entries."""
        return len(self.drafts)

    def _content(self, identity: Identity, draft: Draft) -> str:
        content = draft.content if identity.content is None else identity.content
        return json.dumps(content, sort_keys=True)

    def append(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """Append what is new."""
        if self.fail_after is not None and self.appends >= self.fail_after:
            raise KeyboardInterrupt
        self.appends += 1
        for draft in drafts:
            canonical.encode(draft.content)
        return [self._one(draft) for draft in drafts]

    def _one(self, draft: Draft) -> Outcome:
        pairs = [(identity.key, self._content(identity, draft)) for identity in draft.identities]
        hits = [self.rows[key] for key, _ in pairs if key in self.rows]
        same = [
            index for key, text in pairs for t, index in [self.rows.get(key, ("", 0))] if t == text
        ]
        if hits and len(same) == len(pairs):
            return Outcome("duplicate", same[-1])
        if hits and len(pairs) > 1 and (same or draft.on_change == "conflict"):
            return Outcome("stale", hits[0][1])
        if hits and draft.on_change == "conflict":
            return Outcome("conflict", hits[0][1])
        index = self.size
        self.drafts.append(draft)
        self.rows.update((key, (text, index)) for key, text in pairs)
        for lot, party, product in draft.lots:
            self.lots.setdefault(lot, set()).add((party, product))
        return Outcome("appended", index)

    def known(self, identities: Sequence[Identity]) -> list[Known | None]:
        """Look identities up."""
        found: list[Known | None] = []
        for key, content in identities:
            hit = self.rows.get(key)
            text = json.dumps(content, sort_keys=True)
            found.append(None if hit is None else Known(hit[1], hit[0] == text))
        return found

    def makers(self, lot_id: str) -> list[tuple[str, str]]:
        """Who made a lot."""
        return sorted(self.lots.get(lot_id, ()))

    def makers_of(self, lot_ids: Sequence[str]) -> list[tuple[str, str, str]]:
        """Who made some lots."""
        return [(lot, *pair) for lot in lot_ids for pair in self.lots.get(lot, ())]

    def indexes(self, types: Iterable[int], start: int, stop: int) -> list[int]:
        """Indexes of some types."""
        wanted = set(types)
        return [at for at in range(max(start, 1), stop) if self.entry(at).type in wanted]

    def entry(self, index: int) -> Entry:
        """An entry whose body is the plain content."""
        draft = self.drafts[index]
        assert draft is not None
        body = canonical.encode(draft.content)
        leaf = encode_leaf(draft.type, index, NOW_US, body_digest(body), bytes(32))
        return Entry(index, draft.type, NOW_US, leaf, leaf_hash(leaf), body, ())

    def entries(self, start: int, stop: int | None = None) -> Iterator[Entry]:
        """Entries of a range."""
        return (self.entry(index) for index in range(start, stop or self.size))

    def checkpoint(self) -> str:
        """Something in place of a note."""
        return f"{self.origin}\n{self.size}\n"

    def contents(self, version: str = "") -> list[dict[str, Any]]:
        """The contents appended so far, of one version or all but batches."""
        there = [draft for draft in self.drafts if draft is not None]
        wanted = [
            d for d in there if d.version == version or (not version and d.version != "batch/1")
        ]
        return [draft.content for draft in wanted]


def feed(
    log: Any,
    place: Path,
    text: str | bytes,
    *,
    name: str = "events.csv",
    party: str = "acme",
    mapping: Mapping | None = None,
    **options: Any,
) -> Receipt:
    """Write one file and ingest it; quarantine goes to `place/quarantine`."""
    path = place / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return feed_paths(log, place, [path], party=party, mapping=mapping, **options)


def feed_paths(
    log: Any, place: Path, paths: Sequence[Path | str], *, party: str = "acme", **options: Any
) -> Receipt:
    """Ingest files that are there, and check the sum that every receipt must show."""
    receipt = ingest(
        [str(path) for path in paths],
        log,
        party=party,
        quarantine=place / "quarantine",
        clock=clock,
        entropy=entropy,
        **options,
    )
    for part in (*receipt.parts, receipt.total):
        assert part.accepted + part.duplicate + part.quarantined == part.rows
        assert part.reasons.total() == part.quarantined
    return receipt


def counts(receipt: Receipt) -> tuple[int, int, int, int, int]:
    """rows, accepted, duplicate, quarantined, appended."""
    total = receipt.total
    return total.rows, total.accepted, total.duplicate, total.quarantined, total.appended
