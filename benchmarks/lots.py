"""Lots for the benchmarks: sealed events of any number, a lot that went far, what copies own.

Next: benchmarks/bench_lineage.py
"""

from __future__ import annotations

import itertools
import random
import time
from typing import TYPE_CHECKING, Any, Final

from graph.changes import Changes, Mention
from graph.model import EdgeFact, EdgeKind, EntryFact, Role
from provenance.disclosure.privacy import seal
from provenance.disclosure.tiers import DEFAULT_POLICY
from provenance.entries import Draft, Entry, EntryType, Opening, Tier

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LAYERS", "OWN", "REACHED", "Log", "Spread", "item_of", "plain_spread"]

LAYERS: Final = 20
REACHED: Final = 10_000
EVENTS_A_LOT: Final = 3
OWN: Final = (
    "event_id",
    "lot_id",
    "shipment_id",
    "bill_of_lading",
    "facility_id",
    "from_facility_id",
    "to_facility_id",
    "container_id",
    "certificate_id",
)
"""What each copy of the sample world has its own of; products, places and laws are shared."""


class Log:
    """Sealed events: lots in layers, each made from a few of the layer before, and shipped.

    Made while they are read, once: a million need no memory but for who was made of whom.
    """

    def __init__(self, events: int) -> None:
        """Promise about `events` entries."""
        self.rng = random.Random(1)
        self.width = max(10, events // EVENTS_A_LOT // LAYERS)
        self.size = self.width * LAYERS * EVENTS_A_LOT
        self.pairs: list[tuple[int, int]] = []
        self.spent = 0.0
        self._made = self._all()
        self._last: Entry | None = None

    def entries(self, start: int, stop: int) -> Iterator[Entry]:
        """Yield entries, which have to be asked for in order; `spent` is what sealing took."""
        if self._last is not None and (start, stop) == (self._last.index, self._last.index + 1):
            yield self._last
            return
        begin = time.process_time()
        made = list(itertools.islice(self._made, stop - start))
        self.spent += time.process_time() - begin
        assert made[0].index == start
        self._last = made[-1]
        yield from made

    def lots(self) -> Iterator[list[Draft]]:
        """Yield the events of each lot."""
        for lot in range(self.width * LAYERS):
            yield list(self._drafts(lot))

    def _all(self) -> Iterator[Entry]:
        numbers = itertools.count()
        for drafts in self.lots():
            for draft in drafts:
                sealed = seal(draft, DEFAULT_POLICY, self.rng.randbytes)
                openings = tuple(Opening(*plain) for plain in sealed.openings)
                digest = self.rng.randbytes(32)
                yield Entry(next(numbers), draft.type, 0, b"", digest, sealed.body, openings)

    def _drafts(self, lot: int) -> Iterator[Draft]:
        layer, place = divmod(lot, self.width)
        near = (layer - 1) * self.width + place // 10 * 10
        last = layer * self.width - 1
        sources = {
            min(last, near + self.rng.randrange(10)) for _ in range(self.rng.choice((1, 2, 2, 3)))
        }
        inputs = (
            [{**item_of(source), "quantity": 40} for source in sorted(sources)] if layer else []
        )
        self.pairs += [(source, lot) for source in sources] if layer else []
        yield from _life(lot, f"F-{place % 97:03}", inputs)


def _life(lot: int, facility: str, inputs: list[dict[str, Any]]) -> Iterator[Draft]:
    """Yield how a lot is made, sent and received."""
    word = "transform" if inputs else "produce"
    made = {"facility_id": facility, **({"inputs": inputs} if inputs else {})}
    yield _event(lot, 0, word, made, lot)
    movement = {
        "shipment_id": f"S-{lot:07}",
        "from_facility_id": facility,
        "to_facility_id": f"F-{lot % 89:03}",
        "transport_mode": "sea",
        "carrier": "Carrier & Sons",
        "declared_value_usd": {"_d": "1234.50"},
    }
    yield _event(lot, 1, "ship", movement, lot)
    yield _event(lot, 2, "receive", movement, lot)


def item_of(lot: int) -> dict[str, Any]:
    """Name a lot by its number."""
    return {"party": f"party-{lot % 50}", "product_id": f"P-{lot % 97}", "lot_id": f"LOT-{lot:07}"}


def _event(lot: int, number: int, word: str, more: dict[str, Any], seed: int) -> Draft:
    content = {
        "party": f"party-{lot % 50}",
        "event_id": f"E-{lot:07}-{number}",
        "event_type": word,
        "type": "ObjectEvent",
        "biz_step": "shipping",
        "event_time": f"2024-{1 + seed % 12:02}-{1 + seed % 28:02}T{8 + number:02}:00:00Z",
        "time_text": "2024-01-01 08:00",
        "items": [{**item_of(lot), "quantity": 100, "quantity_unit": "kg"}],
    }
    return Draft(EntryType.EVENT, "event/1", content | more)


class Spread(Log):
    """A lot and 10,000 made of it, as events: each made, shipped and received."""

    def __init__(self) -> None:
        """Promise them."""
        super().__init__(0)
        self.size = (REACHED + 1) * EVENTS_A_LOT

    def lots(self) -> Iterator[list[Draft]]:
        """Yield the events of each lot."""
        for lot in range(REACHED + 1):
            below = _below(lot, self.rng)
            source = [] if below is None else [{**item_of(below), "quantity": 40}]
            yield list(_life(lot, f"F-{lot % 97:03}", source))


def _below(lot: int, rng: random.Random) -> int | None:
    """Return what a lot is made of: one of the layer before."""
    layer = (lot - 1) // 2_500
    if not lot:
        return None
    return rng.randrange(1 + 2_500 * (layer - 1), 1 + 2_500 * layer) if layer else 0


def plain_spread() -> Changes:
    """A lot, 10,000 made of it in four layers, and the event that made each."""
    rng = random.Random(2)
    changes = Changes(0, 1)
    changes.entries.append(EntryFact(0, bytes(32), "event/1", None, []))
    amounts = [{"consumed": 40, "produced": 100, "quantity": 100, "quantity_unit": "kg"}]

    def state(src: str, kind: EdgeKind, dst: str, role: Role | None = None) -> None:
        for key in (src, dst):
            changes.nodes[key] = Mention(Tier.PUBLIC, None)
        number = len(changes.edges)
        changes.edges.append(
            EdgeFact(src, kind, dst, 0, number, role, Tier.PUBLIC, number, amounts)
        )

    for at in range(1, REACHED + 1):
        item = f"item:a/P/10/{at}"
        state(f"item:a/P/10/{_below(at, rng)}", EdgeKind.BECAME, item)
        state(f"event:a/{at}", EdgeKind.INVOLVES, item, Role.OUTPUT)
    return changes
