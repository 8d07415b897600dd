"""Whether an item comes from a place or a party that is on a list: yes, no, or unknown.

Every item upstream is compared: where it was made and handled, who recorded
that, and what origin was declared. "No" is said only where everything upstream
is documented down to its origin and every place on the way is known; whatever
is missing makes it "unknown", and is named. What is compared is what held on the
day of each event.

Next: graph/questions/lists.py
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from graph.keys import class_of, is_item
from graph.model import EdgeKind
from graph.questions.ledger import Act, ledger
from graph.questions.lists import CONTEXT, Lists
from graph.store import DEFAULT_DEPTH, DEFAULT_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from graph.lineage import Lineage
    from graph.questions.ledger import Move
    from graph.questions.lists import ListEntry
    from graph.store import GraphStore
    from provenance.entries import Content, Tier

__all__ = [
    "Exposure",
    "Hit",
    "Missing",
    "Verdict",
    "exposure",
]

_EVER: Final = 2**63 - 1


class Verdict(StrEnum):
    """What can be said of an exposure."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Hit(Struct, frozen=True, order=True):
    """Something upstream that is on a list.

    Attributes:
        hops: How many transformations upstream.
        item: Key of the item.
        place: Key of the facility or location; "" where the item's declared origin or the
            party is what is listed.
        index: The log entry of the event that puts the item there.
        list_name: Which list.
        kind: The entry's kind.
        value: The entry's value.
    """

    hops: int
    item: str
    place: str
    index: int
    list_name: str
    kind: str
    value: str


class Missing(Struct, frozen=True, order=True):
    """Something without which nobody can say no.

    Attributes:
        hops: How many transformations upstream.
        item: Key of the item.
        reason: A gap's reason, or `no_place` where no event says where it was, or
            `unknown_place` where nothing is recorded of a place.
        what: The name of what is missing, or the key of the place.
    """

    hops: int
    item: str
    reason: str
    what: str = ""


@dataclass(frozen=True, slots=True)
class Exposure:
    """Whether an item is exposed to what a list names.

    Attributes:
        item: Key of the item asked for.
        tier: Whose view this is.
        position: The log position that the answer is true for.
        at: The time that it was asked for; None for all that is recorded.
        verdict: Yes, no, or unknown.
        hits: What is on a list, nearest first.
        context: Goods by country that fit; they never make a yes.
        missing: What stands against a no.
        items: How many items were compared.
        entries: How many list entries they were compared with.
        truncated: Whether a limit left something out, which makes a no unknown.
    """

    item: str
    tier: Tier
    position: int
    at: int | None
    verdict: Verdict
    hits: tuple[Hit, ...]
    context: tuple[Hit, ...]
    missing: tuple[Missing, ...]
    items: int
    entries: int
    truncated: bool


def exposure(
    store: GraphStore,
    key: str,
    tier: Tier,
    entries: Sequence[ListEntry],
    *,
    depth: int = DEFAULT_DEPTH,
    limit: int = DEFAULT_LIMIT,
    at: int | None = None,
) -> Exposure:
    """Say whether an item comes from what a list names.

    Args:
        store: Where to read.
        key: An item or a container.
        tier: The viewer's.
        entries: The list.
        depth: How many transformations to look back.
        limit: How many items to compare at most.
        at: Microseconds since the epoch: only events up to then count.

    Raises:
        NotFound: There is no such item for this viewer.
        UsageError: The key names something that is neither item nor container.
    """
    lists = Lists(entries)
    with store.snapshot():
        lineage = store.upstream(key, tier, depth=depth, limit=limit, at=at)
        items = [item for item in lineage.hops if is_item(item)]
        book = ledger(store, items, tier, at)
        moves = _that_concern(lineage, book.moves)
        named = {class_of(item) for item in items} | {move.event for move in moves}
        named |= {place for move in moves for place in _places(move)}
        nodes = {node: found.attrs for node, found in store.fetch(named, tier).items()}
    hits = _first_each(_hits(lineage, moves, nodes, lists))
    missing = tuple(sorted(set(_missing(lineage, moves, nodes, lists))))
    listed = tuple(hit for hit in hits if hit.kind != CONTEXT)
    truncated = lineage.truncated or book.truncated
    unsure = Verdict.UNKNOWN if missing or truncated else Verdict.NO
    return Exposure(
        item=key,
        tier=tier,
        position=lineage.position,
        at=at,
        verdict=Verdict.YES if listed else unsure,
        hits=listed,
        context=tuple(hit for hit in hits if hit.kind == CONTEXT),
        missing=missing,
        items=len(items),
        entries=len(entries),
        truncated=truncated,
    )


def _that_concern(lineage: Lineage, moves: Iterable[Move]) -> list[Move]:
    """Return what befell items before they were last used for the one asked for.

    What an upstream lot went through afterwards is about other goods of it.
    """
    last: dict[str, int] = {}
    for edge in lineage.edges:
        if edge.kind is EdgeKind.BECAME:
            until = _EVER if edge.time_us is None else edge.time_us
            last[edge.src] = max(until, last.get(edge.src, until))
    return [
        move
        for move in moves
        if not lineage.hops[move.item] or (move.time_us or 0) <= last.get(move.item, _EVER)
    ]


def _places(move: Move) -> set[str]:
    """Return where an item was: where the event took place, and where it came from."""
    came_from = move.other if move.act is Act.RECEIVED else ""
    return {move.place, came_from} - {""}


def _hits(
    lineage: Lineage, moves: Iterable[Move], nodes: Mapping[str, Content], lists: Lists
) -> Iterator[Hit]:
    for move in moves:
        product = nodes.get(class_of(move.item), {})
        for place in _places(move):
            for entry in lists.site(place, nodes.get(place, {}), product):
                if entry.held(move.time_us):
                    yield _hit(lineage, move, place, entry)
        declared = nodes.get(move.event, {}).get("declared_origin_country")
        for entry in (*lists.region(declared), *lists.party(move.party)):
            if entry.held(move.time_us):
                yield _hit(lineage, move, "", entry)


def _first_each(hits: Iterable[Hit]) -> list[Hit]:
    """Keep of hits that differ in nothing but the event the one logged first."""
    found: dict[tuple[str, ...], Hit] = {}
    for hit in sorted(hits):
        found.setdefault((hit.item, hit.place, hit.list_name, hit.kind, hit.value), hit)
    return sorted(found.values())


def _hit(lineage: Lineage, move: Move, place: str, entry: ListEntry) -> Hit:
    hops = lineage.hops[move.item]
    found = (entry.list_name, entry.kind, entry.value)
    return Hit(hops, move.item, place, move.index, *found)


def _missing(
    lineage: Lineage, moves: Iterable[Move], nodes: Mapping[str, Content], lists: Lists
) -> Iterator[Missing]:
    """Yield the gaps upstream, the items nobody placed, the places nobody described."""
    for gap in lineage.gaps:
        yield Missing(lineage.hops.get(gap.item, 0), gap.item, str(gap.reason), gap.missing)
    placed = set()
    for move in moves:
        for place in _places(move):
            placed.add(move.item)
            site = nodes.get(place, {})
            known = {"name"} if site.get("name") else set()
            known |= {"country"} if site.get("country") or site.get("country_region") else set()
            if lists.needs - known:
                yield Missing(lineage.hops[move.item], move.item, "unknown_place", place)
    others = sum(hops == 0 for hops in lineage.hops.values()) > 1
    for item, hops in lineage.hops.items():
        # A class or a serial is told of through its lots or its lot.
        if is_item(item) and item not in placed and not (others and item == lineage.start):
            yield Missing(hops, item, "no_place")
