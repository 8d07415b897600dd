"""What was inside what, when, and how much: pack and unpack events paired into windows of time.

Stores keep each pack and unpack as a fact of its own, so they may arrive in any
order; the pairing is done here when a question is asked. Events at equal times
count in the order of their event ids. Containers may be inside containers, by
mistake even inside themselves: what is in a case is on the pallet for as long
as the case is.

Next: graph/lineage.py
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from graph.keys import NodeKind, entry_key, kind_of, parse_key
from graph.model import EdgeKind, Role
from provenance import canonical

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from decimal import Decimal

    from graph.model import Edge
    from graph.store import GraphStore
    from provenance.entries import Tier

__all__ = ["Amount", "Enclosure", "Moment", "Window", "contents_at", "enclosures", "moments"]

Moment = tuple[int, str, str]
"""When an event took place, so that it can be ordered: microseconds, event id, party."""


class Amount(NamedTuple):
    """How much of an item; without a quantity nobody knows."""

    quantity: Decimal | None
    unit: str | None


_NOTHING: Final = Amount(None, None)


class Window(NamedTuple):
    """A time during which so much of something was inside; `end` is None while it still is."""

    start: Moment
    end: Moment | None
    amount: Amount

    def covers(self, moment: Moment) -> bool:
        """Say whether it was inside at a moment, the packing included, the unpacking not."""
        return self.start <= moment and (self.end is None or moment < self.end)

    def while_in(self, outer: Window) -> Window | None:
        """Return the part of it during which what it is inside of was itself inside."""
        ends = [end for end in (self.end, outer.end) if end is not None]
        both = Window(max(self.start, outer.start), min(ends, default=None), self.amount)
        return None if both.end is not None and both.end <= both.start else both


class Enclosure(NamedTuple):
    """That an item was inside a container for a time, directly or within another container.

    Attributes:
        item: The item.
        container: The container.
        holder: The container that the item was in directly.
        window: When, and how much of the item.
    """

    item: str
    container: str
    holder: str
    window: Window


def contents_at(
    store: GraphStore, container: str, tier: Tier, at: int | None, limit: int | None = None
) -> list[Edge]:
    """Return the pack edges of what was inside a container, of containers within it too.

    Args:
        store: Where to read.
        container: Its key.
        tier: The viewer's.
        at: When, microseconds since the epoch; None means ever.
        limit: Once so many things were found inside, no more containers are opened.
    """
    found: list[Edge] = []
    seen, level = {container}, [container]
    while level and (limit is None or len(seen) <= limit):
        here = _packed(store, level, tier) if at is None else _inside(store, level, tier, at)
        found += here
        inside = {edge.dst for edge in here} - seen
        level = [key for key in sorted(inside) if kind_of(key) is NodeKind.CONTAINER]
        seen |= inside
    return found


def _packed(store: GraphStore, containers: Collection[str], tier: Tier) -> list[Edge]:
    kind, packing = EdgeKind.CONTAINED, (Role.PACKED,)
    return store.edges(containers, tier, kind, "downstream", roles=packing)


def _inside(store: GraphStore, containers: Collection[str], tier: Tier, at: int) -> list[Edge]:
    moves = store.edges(containers, tier, EdgeKind.CONTAINED, "downstream")
    inside = {
        pair
        for pair, windows in _paired(store, moves, tier).items()
        if any(
            window.start[0] <= at and (window.end is None or at < window.end[0])
            for window in windows
        )
    }
    return [
        edge
        for edge in moves
        if edge.role is Role.PACKED
        and (edge.src, edge.dst) in inside
        and edge.time_us is not None
        and edge.time_us <= at
    ]


def enclosures(store: GraphStore, items: Collection[str], tier: Tier) -> set[Enclosure]:
    """Return in which containers items were, and when.

    A container that is inside itself ends: the same window is not followed twice.
    """
    found: set[Enclosure] = set()
    inner: dict[str, list[Enclosure]] = {}
    asked, level = set(items), set(items)
    while level:
        moves = store.edges(level, tier, EdgeKind.CONTAINED, "upstream")
        new = {
            enclosure
            for (container, inside), windows in _paired(store, moves, tier).items()
            for window in windows
            for enclosure in _enclosed(
                container, window, inner.get(inside, ()), inside if inside in asked else None
            )
        } - found
        found |= new
        inner = defaultdict(list)
        for enclosure in new:
            inner[enclosure.container].append(enclosure)
        asked, level = set(), set(inner)
    return found


def _enclosed(
    container: str, window: Window, inner: Iterable[Enclosure], item: str | None
) -> Iterator[Enclosure]:
    if item is not None:
        yield Enclosure(item, container, container, window)
    for each in inner:
        both = each.window.while_in(window)
        if both is not None:
            yield Enclosure(each.item, container, each.holder, both)


def _paired(
    store: GraphStore, moves: Iterable[Edge], tier: Tier
) -> dict[tuple[str, str], list[Window]]:
    """Pair the `contained` edges of each container and content."""
    pairs: dict[tuple[str, str], list[Edge]] = defaultdict(list)
    for edge in moves:
        pairs[edge.src, edge.dst].append(edge)
    containers = {container for container, _ in pairs}
    emptied: dict[str, list[Edge]] = defaultdict(list)
    roles = (Role.EMPTIED,)
    for edge in store.edges(containers, tier, EdgeKind.INVOLVES, "upstream", roles=roles):
        emptied[edge.dst].append(edge)
    stated = [edge for edges in (*pairs.values(), *emptied.values()) for edge in edges]
    when = moments(store, stated, tier)
    return {pair: _windows([*own, *emptied[pair[0]]], when) for pair, own in pairs.items()}


def moments(store: GraphStore, edges: Iterable[Edge], tier: Tier) -> dict[int, Moment]:
    """Return when the events that state the edges took place, by log index; undated ones lack."""
    dated = {e.index: e.time_us for e in edges if e.time_us is not None}
    nodes = store.fetch([entry_key(index) for index in dated], tier)
    found = {}
    for index, time_us in dated.items():
        node = nodes.get(entry_key(index))
        if node is not None:
            party, event_id = (part or "" for part in parse_key(node.key)[1][:2])
            found[index] = (time_us, event_id, party)
    return found


def _windows(moves: Iterable[Edge], when: Mapping[int, Moment]) -> list[Window]:
    """Pair the packing and unpacking of one item in one container, a window for each amount.

    An unpack that names less than what is inside leaves the rest there; one that names no
    amount, or another unit, takes everything out.
    """
    found: list[Window] = []
    start: Moment | None = None
    inside = _NOTHING
    for edge in sorted((e for e in moves if e.index in when), key=lambda e: when[e.index]):
        moment, moved = when[edge.index], _amount(edge)
        if start is None and edge.role is not Role.PACKED:
            continue
        if start is not None and start < moment:
            found.append(Window(start, moment, inside))
        if edge.role is Role.PACKED:
            inside = moved if start is None else _added(inside, moved)
            start = moment
        else:
            left = _left(inside, moved)
            start, inside = (moment, left) if left else (None, _NOTHING)
    return [*found, Window(start, None, inside)] if start else found


def _amount(edge: Edge) -> Amount:
    unit = edge.attrs.get("quantity_unit")
    return Amount(canonical.decimal(edge.attrs.get("quantity")), unit and str(unit))


def _added(inside: Amount, more: Amount) -> Amount:
    if inside.unit != more.unit or inside.quantity is None or more.quantity is None:
        return Amount(None, more.unit)
    return Amount(inside.quantity + more.quantity, more.unit)


def _left(inside: Amount, taken: Amount) -> Amount | None:
    """Return what is left inside after taking some out; None when nothing is."""
    if inside.unit != taken.unit or inside.quantity is None or taken.quantity is None:
        return None
    rest = inside.quantity - taken.quantity
    return Amount(rest, inside.unit) if rest > 0 else None
