"""A log held in memory, and short ways to write what goes into it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from provenance.disclosure.privacy import seal
from provenance.disclosure.tiers import DEFAULT_POLICY
from provenance.entries import Draft, Entry, EntryType, Opening, Tier
from provenance.hashing import body_digest, chain_next, chain_start, leaf_hash
from provenance.proving.leaf import encode_leaf

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provenance.disclosure.tiers import TierPolicy

ORIGIN = "log.example/graph"
COTTON, YARN, SHIRT = "item:acme/COTTON/10/C1", "item:bolt/YARN/10/Y1", "item:bolt/SHIRT/10/T1"
SERIAL = f"{SHIRT}/21/s1"


class ListLog:
    """What `graph.sync` needs of a log: entries that were really sealed and chained."""

    def __init__(
        self, drafts: Iterable[Draft] = (), policy: TierPolicy = DEFAULT_POLICY, seed: int = 1
    ) -> None:
        """Append the drafts."""
        self.held: list[Entry] = []
        self._policy = policy
        self._entropy = random.Random(seed).randbytes
        self._chain = chain_start(ORIGIN)
        self.append(*drafts)

    @property
    def size(self) -> int:
        """Number of entries."""
        return len(self.held)

    def append(self, *drafts: Draft) -> None:
        """Append drafts."""
        for draft in drafts:
            sealed = seal(draft, self._policy, self._entropy)
            index, time_us = self.size, 1_700_000_000_000_000 + self.size
            digest = body_digest(sealed.body)
            leaf = encode_leaf(draft.type, index, time_us, digest, self._chain)
            self._chain = chain_next(leaf)
            hashed = leaf_hash(leaf)
            openings = tuple(Opening(*plain) for plain in sealed.openings)
            self.held.append(Entry(index, draft.type, time_us, leaf, hashed, sealed.body, openings))

    def entries(self, start: int, stop: int) -> Iterator[Entry]:
        """Yield entries in order."""
        yield from self.held[start:stop]

    def forget(self, index: int, path: str | None = None) -> None:
        """Erase one field of an entry, or its whole body."""
        old = self.held[index]
        openings = tuple(o for o in old.openings if path is not None and o.path != path)
        body = old.body if path is not None else None
        self.held[index] = Entry(
            *(old.index, old.type, old.ingest_time_us, old.leaf, old.leaf_hash, body, openings)
        )


class ListLogUpTo:
    """The beginning of a log."""

    def __init__(self, log: ListLog, size: int) -> None:
        """End at `size`."""
        self.log, self.size = log, size

    def entries(self, start: int, stop: int) -> Iterator[Entry]:
        """Yield entries."""
        return self.log.entries(start, stop)


def item(product: str, lot: str | None = None, quantity: int | None = None, **more: Any) -> Any:
    """An item as events name it; `party` defaults to acme."""
    named: dict[str, Any] = {"party": "acme", "product_id": product}
    if lot is not None:
        named["lot_id"] = lot
    if quantity is not None:
        named["quantity"] = quantity
    return named | more


def event(number: int | str, event_type: str, *items: Any, **more: Any) -> Draft:
    """An event at hour `number` (where it is a number) of 2024."""
    hours = number if isinstance(number, int) else 0
    day = f"2024-{1 + hours // 600:02}-{1 + hours // 24 % 25:02}"
    content = {
        "party": "acme",
        "event_id": f"E-{number}",
        "event_type": event_type,
        "event_time": f"{day}T{hours % 24:02}:00:00Z",
        "items": list(items),
    }
    return Draft(EntryType.EVENT, "event/1", content | more)


def flag(subject: str, kind: str = "event", **more: Any) -> Draft:
    """A flag about a subject."""
    content = {
        "type": "custody_gap",
        "subject_kind": kind,
        "subject_id": subject,
        "detector": "custody_gap",
        "detector_version": "1",
        "severity": "high",
        "score": {"_d": "2.5"},
    }
    own = {"/score": Tier.PRIVATE} | {
        f"/{name}": Tier.PUBLIC for name in content if name != "score"
    }
    own |= {"/subject_party": Tier.PUBLIC}
    return Draft(EntryType.FLAG, "flag/1", content | more, tiers=own)


def record(version: str, **content: Any) -> Draft:
    """A master, labour or reference record."""
    kind = {
        "labour": EntryType.LABOUR,
        "timesheet": EntryType.LABOUR,
        "legal_limit": EntryType.REFERENCE_DATA,
        "watchlist": EntryType.REFERENCE_DATA,
    }.get(version, EntryType.MASTER_DATA)
    return Draft(kind, f"{version}/1", {"party": "acme"} | content)


def chain() -> ListLog:
    """Cotton to yarn to shirts between two parties, with master data, flags and one gap."""
    return ListLog(
        [
            record("facility", facility_id="F1", name="Farm", latitude={"_d": "1.5"}),
            event(1, "produce", item("COTTON", "C1", 100), facility_id="F1", locode="INBOM"),
            event(2, "ship", item("COTTON", "C1", 100), shipment_id="S1", carrier="X"),
            event(3, "receive", item("COTTON", "C1", 90), shipment_id="S1", party="bolt"),
            event(
                *(4, "transform", item("YARN", "Y1", 80, party="bolt")),
                party="bolt",
                inputs=[item("COTTON", "C1", 90), {"lot_id": "X9"}],
            ),
            event(
                *(5, "transform", item("SHIRT", "T1", 50, party="bolt", serial_ids=["s1"])),
                party="bolt",
                inputs=[item("YARN", "Y1", 70, party="bolt")],
                certificate_id="CERT",
            ),
            flag("E-4", subject_party="bolt"),
            flag("E-4", subject_party="bolt", severity="low"),
            flag("E-4", subject_party="bolt", detector="other"),
            record("product", product_id="COTTON", gtin="09506000134352", reference_value_usd=3),
        ]
    )
