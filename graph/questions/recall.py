"""A recall: everything that goods went into, who holds it now, and who was sent it.

Asked of an item, of a container, of a facility (all that was made, handled or
stored there, or that came from there by the word of whoever received it; what was
only used up there counts through what was made of it), or of a certificate.

Next: graph/questions/balance.py
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from graph.containment import contents_at, enclosures, moments
from graph.keys import NodeKind, is_item, kind_of
from graph.lineage import Gap, gaps_along, same_goods
from graph.model import EdgeKind, Role
from graph.questions.custody import Stay, stays
from graph.questions.ledger import MOST_MOVES, Act, ledger
from graph.store import DEFAULT_DEPTH, DEFAULT_LIMIT
from provenance.errors import NotFound, UsageError
from provenance.store.preparing import collector_at_rest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from graph.model import Edge
    from graph.questions.ledger import Move
    from graph.store import GraphStore
    from provenance.entries import Tier

__all__ = ["Affected", "Customer", "Recall", "items_at", "recall"]

_SUBJECTS: Final = (NodeKind.ITEM, NodeKind.CONTAINER, NodeKind.FACILITY, NodeKind.CERTIFICATE)
_ITEM: Final = f"{NodeKind.ITEM}:"
_NOT_THERE: Final = (Role.INPUT, Role.EMPTIED)


class Affected(Struct, frozen=True, gc=False):
    """An item that has to be called back.

    Attributes:
        item: Its key.
        hops: How many transformations after what the recall is of.
        quantity: How much was made of it; None where that is not recorded.
        unit: Of the quantity.
    """

    item: str
    hops: int
    quantity: Decimal | None
    unit: str | None


class Customer(Struct, frozen=True, gc=False):
    """A place that affected goods were sent to, or arrived at: somebody to be told.

    Attributes:
        place: Key of the facility or location.
        items: How many of the affected items.
        quantities: How much was sent there, or arrived unannounced, by unit, in order of
            unit; without what nobody measured.
        unmeasured: How many deliveries say no quantity.
        last_us: When the last of it left or arrived; None where no time is known.
    """

    place: str
    items: int
    quantities: tuple[tuple[str, Decimal], ...]
    unmeasured: int
    last_us: int | None


@dataclass(frozen=True, slots=True)
class Recall:
    """What has to be called back, and from whom.

    Attributes:
        subject: Key of what the recall is of.
        tier: Whose view this is.
        position: The log position that the answer is true for.
        at: The time that it was asked for; None for all that is recorded.
        affected: The items, nearest first, equal ones by key.
        held: Where some of them is now, or under way to; what was used up or sent on is not.
        customers: Who was sent some of them, in order of place.
        gaps: Where the records stop, so that more may be affected than is listed.
        truncated: Whether a limit left something out.
    """

    subject: str
    tier: Tier
    position: int
    at: int | None
    affected: tuple[Affected, ...]
    held: tuple[Stay, ...]
    customers: tuple[Customer, ...]
    gaps: tuple[Gap, ...]
    truncated: bool


def recall(
    store: GraphStore,
    subject: str,
    tier: Tier,
    *,
    depth: int = DEFAULT_DEPTH,
    limit: int = DEFAULT_LIMIT,
    at: int | None = None,
) -> Recall:
    """Say what has to be called back, and from whom.

    Args:
        store: Where to read.
        subject: Key of an item, a container, a facility or a certificate.
        tier: The viewer's.
        depth: How many transformations to look ahead.
        limit: How many items to list at most, the nearest.
        at: Microseconds since the epoch: only events up to then count.

    Raises:
        NotFound: There is no such thing for this viewer.
        UsageError: The key names something else.
    """
    if kind_of(subject) not in _SUBJECTS:
        kinds = ", ".join(_SUBJECTS)
        raise UsageError(f"a recall is of one of {kinds}, not of {subject!r}")
    if depth < 0 or limit < 1:
        raise UsageError(f"depth {depth}, limit {limit}: at least 0 hops and 1 item")
    with store.snapshot(), collector_at_rest():
        if not store.fetch([subject], tier):
            raise NotFound(f"the graph knows no {subject!r}, or it may not be shown at this tier")
        starts, cut = _starts(store, subject, tier, limit, at)
        walk = store.walk(starts, tier, "downstream", depth=depth, limit=limit, at=at)
        gaps = sorted(set(gaps_along(store, walk, "downstream", tier, at)))
        items = [key for key in walk.hops if key.startswith(_ITEM)]
        book = ledger(store, items, tier, at)
        position = store.position()
    return Recall(
        subject=subject,
        tier=tier,
        position=position,
        at=at,
        affected=_affected(walk.hops, items, book.moves),
        held=tuple(stay for stay in stays(book.moves) if not stay.ended),
        customers=_customers(book.moves),
        gaps=tuple(gaps),
        truncated=walk.truncated or book.truncated or cut,
    )


def _starts(
    store: GraphStore, subject: str, tier: Tier, limit: int, at: int | None
) -> tuple[list[str], bool]:
    """Return the items that a recall begins with, and whether more were left out."""
    kind = kind_of(subject)
    if kind is NodeKind.FACILITY:
        there, cut = items_at(store, subject, tier, at, without=_NOT_THERE)
        # Who has them may be the only one to say where they came from.
        came = store.edges(
            [subject], tier, EdgeKind.MOVED, "downstream", roles=(Role.RECEIVED,), limit=MOST_MOVES
        )
        from_it = {str(edge.attrs["item"]) for edge in _until(came, at) if "item" in edge.attrs}
        return sorted({*there, *from_it}), cut or len(came) == MOST_MOVES
    if kind is NodeKind.CERTIFICATE:
        edges = store.edges([subject], tier, EdgeKind.CERTIFIES, "downstream", limit=MOST_MOVES)
        return sorted({edge.dst for edge in _until(edges, at)}), len(edges) == MOST_MOVES
    same = same_goods(store, subject, tier, limit, at)
    others = {end for edge in same for end in (edge.src, edge.dst)} - {subject}
    return [subject, *sorted(others)], False


def items_at(
    store: GraphStore, facility: str, tier: Tier, at: int | None, *, without: Sequence[Role] = ()
) -> tuple[list[str], bool]:
    """Return the items that events at a facility involve, and whether there were too many.

    Those that left for it and those that came from it are among them only where they were
    recorded there.

    Args:
        store: Where to read; the caller holds a snapshot.
        facility: Its key.
        tier: The viewer's.
        at: Only events up to this time.
        without: Roles that do not count.
    """
    there = store.edges([facility], tier, EdgeKind.AT, "upstream", limit=MOST_MOVES)
    events = {edge.src for edge in _until(there, at) if kind_of(edge.src) is NodeKind.EVENT}
    involved = store.edges(events, tier, EdgeKind.INVOLVES, "downstream", limit=MOST_MOVES)
    counted = [edge for edge in involved if edge.role not in without]
    found = {edge.dst for edge in counted if is_item(edge.dst)}
    found |= _inside(store, [e for e in counted if e.role is Role.CARRIED], tier)
    ends = [
        *store.edges([facility], tier, EdgeKind.MOVED, "downstream", roles=(Role.SHIPPED,)),
        *store.edges([facility], tier, EdgeKind.MOVED, "upstream", roles=(Role.RECEIVED,)),
    ]
    found |= {str(edge.attrs["item"]) for edge in _until(ends, at) if "item" in edge.attrs}
    return sorted(found), MOST_MOVES in (len(there), len(involved))


def _inside(store: GraphStore, carried: list[Edge], tier: Tier) -> set[str]:
    """Return what was inside containers when events were about them."""
    ever = {
        edge.dst
        for container in {edge.dst for edge in carried}
        for edge in contents_at(store, container, tier, None)
    }
    when = moments(store, carried, tier)
    told: dict[str, list[Edge]] = defaultdict(list)
    for edge in carried:
        if edge.index in when:
            told[edge.dst].append(edge)
    return {
        inside.item
        for inside in enclosures(store, [key for key in ever if is_item(key)], tier)
        if any(inside.window.covers(when[edge.index]) for edge in told[inside.container])
    }


def _until(edges: Iterable[Edge], at: int | None) -> list[Edge]:
    return [e for e in edges if at is None or e.time_us is None or e.time_us <= at]


def _affected(
    hops: dict[str, int], items: list[str], moves: Iterable[Move]
) -> tuple[Affected, ...]:
    made: dict[str, list[Move]] = defaultdict(list)
    for move in moves:
        if move.act is Act.MADE:
            made[move.item].append(move)
    return tuple(Affected(key, hops[key], *_total(made[key])) for key in items)


def _total(made: Sequence[Move]) -> tuple[Decimal | None, str | None]:
    """Sum quantities of one unit; nothing where one of them is not known, or of another unit."""
    if len(made) == 1:
        one = made[0]
        return one.quantity, None if one.quantity is None else one.unit
    known = [move.quantity for move in made if move.quantity is not None]
    if not made or len(known) < len(made) or len({move.unit for move in made}) > 1:
        return None, None
    return sum(known[1:], known[0]), made[0].unit


def _customers(moves: Sequence[Move]) -> tuple[Customer, ...]:
    """Gather deliveries by place; an arrival counts where no departure for there is recorded."""
    sent = [(move.other, move) for move in moves if move.act is Act.SENT and move.other]
    announced = {(place, move.item, move.shipment) for place, move in sent}
    arrived = [(move.place, move) for move in moves if move.act is Act.RECEIVED and move.place]
    found: dict[str, list[Move]] = defaultdict(list)
    for place, move in sent:
        found[place].append(move)
    for place, move in arrived:
        if (place, move.item, move.shipment) not in announced:
            found[place].append(move)
    return tuple(_customer(place, own) for place, own in sorted(found.items()))


def _customer(place: str, moves: list[Move]) -> Customer:
    sums: dict[str, Decimal] = {}
    for move in moves:
        if move.quantity is not None:
            unit = move.unit or ""
            sums[unit] = sums.get(unit, 0) + move.quantity
    times = [move.time_us for move in moves if move.time_us is not None]
    return Customer(
        place=place,
        items=len({move.item for move in moves}),
        quantities=tuple(sorted(sums.items())),
        unmeasured=sum(move.quantity is None for move in moves),
        last_us=max(times, default=None),
    )
