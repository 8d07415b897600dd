"""What was inside what, and when: pack and unpack events paired into windows of time.

Stores keep each pack and unpack as a fact of its own, so they may arrive in any
order; the pairing is done here when a question is asked. Events at equal times
count in the order of their event ids.

Next: graph/lineage.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from graph.keys import entry_key, parse_key
from graph.model import EdgeKind, Role
from provenance import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal

    from graph.model import Edge
    from graph.store import GraphStore
    from provenance.entries import Tier

__all__ = ["Moment", "Window", "contents_at", "moments", "windows"]

Moment = tuple[int, str, str]
"""When an event took place, so that it can be ordered: microseconds, event id, party."""


class Window(NamedTuple):
    """A time during which something was inside a container; `end` is None while it still is."""

    start: Moment
    end: Moment | None

    def covers(self, moment: Moment) -> bool:
        """Say whether it was inside at a moment, the packing included, the unpacking not."""
        return self.start <= moment and (self.end is None or moment < self.end)


def contents_at(store: GraphStore, container: str, tier: Tier, at: int | None) -> list[Edge]:
    """Return the pack edges of what was inside a container; `at` None means ever."""
    facts = store.edges([container], tier, EdgeKind.CONTAINED, "downstream")
    packed = [edge for edge in facts if edge.role is Role.PACKED]
    if at is None:
        return packed
    emptied = store.edges([container], tier, EdgeKind.INVOLVES, "upstream", roles=(Role.EMPTIED,))
    when = moments(store, [*facts, *emptied], tier)
    inside = {
        item
        for item in {edge.dst for edge in facts}
        if any(
            window.start[0] <= at and (window.end is None or at < window.end[0])
            for window in windows((e for e in facts if e.dst == item), emptied, when)
        )
    }
    return [
        edge
        for edge in packed
        if edge.dst in inside and edge.time_us is not None and edge.time_us <= at
    ]


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


def windows(
    moves: Iterable[Edge], emptied: Iterable[Edge], when: Mapping[int, Moment]
) -> list[Window]:
    """Pair the packing and unpacking of one item in one container.

    An unpack that names less than what is inside leaves the rest there; one that names no
    amount, or another unit, takes everything out.

    Args:
        moves: `contained` edges of the item in the container, in any order.
        emptied: The container's events of role `emptied`.
        when: The moment of each, by log index; edges without one are left out.
    """
    dated = [edge for edge in (*moves, *emptied) if edge.index in when]
    found: list[Window] = []
    start: Moment | None = None
    inside: _Amount | None = None
    for edge in sorted(dated, key=lambda edge: when[edge.index]):
        moment, amount = when[edge.index], _amount(edge)
        if edge.role is Role.PACKED:
            inside = amount if start is None else _added(inside, amount)
            start = start or moment
        elif start is not None:
            inside = _left(inside, amount)
            if inside is None:
                found.append(Window(start, moment))
                start = None
    return [*found, Window(start, None)] if start else found


class _Amount(NamedTuple):
    """How much of an item; without a quantity nobody knows."""

    quantity: Decimal | None
    unit: object


def _amount(edge: Edge) -> _Amount:
    quantity = canonical.decimal(edge.attrs.get("quantity"))
    return _Amount(quantity, edge.attrs.get("quantity_unit"))


def _added(inside: _Amount | None, more: _Amount) -> _Amount:
    if inside is None or inside.unit != more.unit:
        return _Amount(None, more.unit)
    if inside.quantity is None or more.quantity is None:
        return _Amount(None, more.unit)
    return _Amount(inside.quantity + more.quantity, more.unit)


def _left(inside: _Amount | None, taken: _Amount) -> _Amount | None:
    """Return what is left inside after taking some out; None when nothing is."""
    if inside is None or inside.unit != taken.unit:
        return None
    if inside.quantity is None or taken.quantity is None or taken.quantity >= inside.quantity:
        return None
    return _Amount(inside.quantity - taken.quantity, inside.unit)
