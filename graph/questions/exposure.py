"""Whether an item comes from a place or a party that is on a list: yes, no, or unknown.

Every item upstream is compared: where it was made and handled, who recorded
that, and what origin was declared. "No" is said only where everything upstream
is documented down to its origin and every place on the way is known; whatever
is missing makes it "unknown", and is named.

Regions are countries (ISO 3166-1) or parts of them (ISO 3166-2); a country
covers its parts. Names are compared by their words, letter case and
punctuation aside; the detectors also find likenesses. Goods by country are
context and never a yes.

Next: graph/questions/coverage.py
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from graph.keys import class_of, is_item, parse_key
from graph.model import EdgeKind, RecordKind
from graph.questions.ledger import Act, ledger
from graph.store import DEFAULT_DEPTH, DEFAULT_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from graph.lineage import Lineage
    from graph.questions.ledger import Move
    from graph.store import GraphStore
    from provenance.entries import Content, Tier

__all__ = [
    "KINDS",
    "Exposure",
    "Hit",
    "ListEntry",
    "Missing",
    "Verdict",
    "entries_on_record",
    "exposure",
]

KINDS: Final = ("region", "entity", "facility", "party", "goods_country")
"""What a list can name."""
_EVER: Final = 2**63 - 1
_WORDS: Final = re.compile(r"[^\W_]+")
_CONTEXT: Final = "goods_country"
_NEEDS: Final = {"region": {"country"}, "entity": {"name"}}
"""What has to be known of a site before anybody can say that it is not listed."""


class Verdict(StrEnum):
    """What can be said of an exposure."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class ListEntry(Struct, frozen=True):
    """One line of a watchlist.

    Attributes:
        list_name: Which list.
        kind: `region`, `entity`, `facility`, `party` or `goods_country` (HS prefix, "|", country).
        value: What is listed.
        goods: Which goods the list means there, for the reader.
    """

    list_name: str
    kind: str
    value: str
    goods: str = ""


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


def entries_on_record(store: GraphStore, tier: Tier, name: str = "") -> list[ListEntry]:
    """Return the lines of the watchlists in the log, or of the one with a name."""
    found = [_entry(record.attrs) for record in store.records(RecordKind.WATCHLIST, tier)]
    return [entry for entry in found if not name or entry.list_name == name]


def _entry(content: Content) -> ListEntry:
    names = ("list_name", "kind", "value", "goods")
    list_name, kind, value, goods = (str(content.get(name) or "").strip() for name in names)
    return ListEntry(list_name, kind.lower(), value, goods)


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
    lists = _Lists(entries)
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
    listed = tuple(hit for hit in hits if hit.kind != _CONTEXT)
    truncated = lineage.truncated or book.truncated
    unsure = Verdict.UNKNOWN if missing or truncated else Verdict.NO
    return Exposure(
        item=key,
        tier=tier,
        position=lineage.position,
        at=at,
        verdict=Verdict.YES if listed else unsure,
        hits=listed,
        context=tuple(hit for hit in hits if hit.kind == _CONTEXT),
        missing=missing,
        items=len(items),
        entries=len(entries),
        truncated=truncated,
    )


class _Lists:
    """List entries by what they name."""

    def __init__(self, entries: Iterable[ListEntry]) -> None:
        self._by: dict[tuple[str, str], list[ListEntry]] = defaultdict(list)
        self._goods: dict[str, list[tuple[str, ListEntry]]] = defaultdict(list)
        self.needs: set[str] = set()
        for entry in entries:
            if entry.kind == _CONTEXT:
                good, _, country = entry.value.partition("|")
                self._goods[country.strip().upper()].append((good.strip(), entry))
            else:
                self.needs |= _NEEDS.get(entry.kind, set())
                self._by[entry.kind, _spelled(entry.kind, entry.value)].append(entry)

    def named(self, kind: str, value: object) -> list[ListEntry]:
        """Return the entries of a kind that name a value."""
        return self._by.get((kind, _spelled(kind, str(value))), []) if value else []

    def region(self, code: object) -> list[ListEntry]:
        """Return the entries that name a place's code, or the country it is part of."""
        text = str(code or "").strip().upper()
        country = text.partition("-")[0]
        found = self.named("region", text)
        return found if country == text else [*found, *self.named("region", country)]

    def goods(self, code: object, country: object) -> list[ListEntry]:
        """Return the entries that name a good, by its HS code, from a country."""
        digits = re.sub(r"\D", "", str(code or ""))
        return [
            entry
            for good, entry in self._goods.get(str(country or "").upper(), ())
            if good == "*" or (digits and digits.startswith(good))
        ]


def _spelled(kind: str, value: str) -> str:
    if kind == "region":
        return value.strip().upper()
    return " ".join(_WORDS.findall(value.casefold())) if kind == "entity" else value.strip()


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
    lineage: Lineage, moves: Iterable[Move], nodes: Mapping[str, Content], lists: _Lists
) -> Iterator[Hit]:
    for move in moves:
        product = nodes.get(class_of(move.item), {})
        for place in _places(move):
            for entry in _listed(lists, place, nodes.get(place, {}), product):
                yield _hit(lineage, move, place, entry)
        declared = nodes.get(move.event, {}).get("declared_origin_country")
        for entry in (*lists.region(declared), *_of_party(lists, move.party)):
            yield _hit(lineage, move, "", entry)


def _first_each(hits: Iterable[Hit]) -> list[Hit]:
    """Keep of hits that differ in nothing but the event the one logged first."""
    found: dict[tuple[str, ...], Hit] = {}
    for hit in sorted(hits):
        found.setdefault((hit.item, hit.place, hit.list_name, hit.kind, hit.value), hit)
    return sorted(found.values())


def _listed(lists: _Lists, place: str, site: Content, product: Content) -> Iterator[ListEntry]:
    yield from lists.named("facility", parse_key(place)[1][0])
    yield from lists.named("entity", site.get("name"))
    yield from _of_party(lists, site.get("party"))
    for name in ("region", "country", "country_region"):
        yield from lists.region(site.get(name))
    yield from lists.goods(product.get("hs_code"), site.get("country"))


def _of_party(lists: _Lists, party: object) -> Iterator[ListEntry]:
    yield from lists.named("party", party)
    yield from lists.named("entity", party)


def _hit(lineage: Lineage, move: Move, place: str, entry: ListEntry) -> Hit:
    hops = lineage.hops[move.item]
    found = (entry.list_name, entry.kind, entry.value)
    return Hit(hops, move.item, place, move.index, *found)


def _missing(
    lineage: Lineage, moves: Iterable[Move], nodes: Mapping[str, Content], lists: _Lists
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
