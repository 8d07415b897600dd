"""Who held an item, where and when; and where nobody says.

Each place where some of it was is a stay, and so is each shipment under way.
A stay begins with a making, an arrival, or the first sign of it there, and ends
when everything that came has left or was used up. Stays side by side are no
contradiction: a lot may be in several places. An instance cannot, so seen
elsewhere it has left.

What leaves without a quantity leaves whole; what leaves with one, from a stock
that nobody has measured, leaves an unknown rest behind. A shipment ends with its
last recorded arrival, and what had not arrived by then is said.

Next: graph/questions/recall.py
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from graph.keys import NodeKind, is_serial, kind_of, lot_of
from graph.questions.ledger import Act, ledger
from provenance.errors import NotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graph.questions.ledger import Move
    from graph.store import GraphStore
    from provenance.entries import Tier

__all__ = ["NO_SHIPMENT", "Custody", "Doubt", "Stay", "custody", "stays"]

NO_SHIPMENT: Final = "shipment:"
"""What goods under way bear that no shipment id was recorded of."""


class Doubt(StrEnum):
    """What the records leave open about a stay."""

    NO_ARRIVAL = "no_arrival"
    """It was there, and no record says how it came."""
    NOT_RECEIVED = "not_received"
    """It was sent and no arrival is recorded; it may be under way."""
    NOT_SHIPPED = "not_shipped"
    """It arrived with a shipment whose departure nobody recorded."""
    SHORT = "short"
    """Less arrived than was sent."""
    OVERDRAWN = "overdrawn"
    """More left or was used up than had come."""

    __hash__ = str.__hash__


class Stay(Struct, frozen=True, gc=False):
    """Some of an item in one place, or under way, for a time.

    Attributes:
        item: Key of the item.
        place: Key of the facility or location; of a shipment under way the facility that it
            is for. "" where that is not known.
        party: Who recorded that it was there, or that it left.
        shipment: Of goods under way the key of the shipment, `NO_SHIPMENT` where it has no id;
            "" for goods in a place.
        since_us: When it began; None where no time is known.
        until_us: When it ended; None while it lasts, and where no time is known.
        ended: Whether it has ended.
        quantity: How much came, or was sent, in all; None where nobody measured it.
        rest: How much is there still, or under way; None where that is not known.
        unit: Of the quantities.
        index: The log entry of the event that it begins with.
        doubts: What the records leave open.
    """

    item: str
    place: str
    party: str
    shipment: str
    since_us: int | None
    until_us: int | None
    ended: bool
    quantity: Decimal | None
    rest: Decimal | None
    unit: str | None
    index: int
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True, slots=True)
class Custody:
    """Where an item was, when, and in whose hands.

    Attributes:
        item: Key of the item asked for.
        tier: Whose view this is.
        position: The log position that the answer is true for.
        at: The time that it was asked for; None for all that is recorded.
        stays: In the order in which they began; those without a time last.
        truncated: Whether a limit left something out.
    """

    item: str
    tier: Tier
    position: int
    at: int | None
    stays: tuple[Stay, ...]
    truncated: bool

    def held(self) -> tuple[Stay, ...]:
        """Return the stays that last."""
        return tuple(stay for stay in self.stays if not stay.ended)


def custody(
    store: GraphStore, key: str, tier: Tier, *, at: int | None = None, limit: int = 10_000
) -> Custody:
    """Say who held an item, where and when.

    Args:
        store: Where to read.
        key: An item; of a serial nobody recorded by itself its lot's custody is told.
        tier: The viewer's.
        at: Microseconds since the epoch: only events up to then count.
        limit: How many stays to return at most, the earliest.

    Raises:
        NotFound: There is no such item for this viewer.
        UsageError: The key names something else.
    """
    if kind_of(key) is not NodeKind.ITEM:
        raise UsageError(f"custody is asked of an item, not of {key!r}")
    with store.snapshot():
        if not store.fetch([key], tier):
            raise NotFound(f"the graph knows no {key!r}, or it may not be shown at this tier")
        found = ledger(store, [key], tier, at)
        lot = lot_of(key)
        if not found.moves and lot is not None:
            found = ledger(store, [lot], tier, at)
        position = store.position()
    told = stays(found.moves)
    return Custody(
        item=key,
        tier=tier,
        position=position,
        at=at,
        stays=tuple(told[:limit]),
        truncated=found.truncated or len(told) > limit,
    )


def stays(moves: Iterable[Move]) -> list[Stay]:
    """Put movements, in the order of a ledger, together to stays in the order of their beginning.

    Args:
        moves: Of any number of items.
    """
    by_item: dict[str, list[Move]] = defaultdict(list)
    for move in moves:
        by_item[move.item].append(move)
    found: list[Stay] = []
    for item, own in by_item.items():
        if len(own) == 1 and own[0].act is Act.MADE:
            found.append(_begun(own[0], own[0].place, ""))
        else:
            found += _Account(item, own).close()
    return sorted(found, key=_beginning)


_NEVER: Final = 2**63


def _beginning(stay: Stay) -> tuple[int, str, str, str, int, bool]:
    since = _NEVER if stay.since_us is None else stay.since_us
    return since, stay.item, stay.place, stay.shipment, stay.index, stay.ended


class _Account:
    """One item's stays while its movements are gone through."""

    def __init__(self, item: str, moves: Sequence[Move]) -> None:
        self._single = is_serial(item)
        self._done: list[Stay] = []
        self._open: dict[tuple[str, str], Stay] = {}
        self._sent: set[str] = set()
        self._arrivals: dict[str, int] = {}
        for move in moves:
            if move.act is Act.SENT:
                self._sent.add(_shipment(move))
            if move.act is Act.RECEIVED:
                name = _shipment(move)
                self._arrivals[name] = 1 + self._arrivals.get(name, 0)
        for move in moves:
            self._pass(move)

    def close(self) -> list[Stay]:
        """Return the stays, those that last with what they lack."""
        lasting = [
            _doubted(stay, Doubt.NOT_RECEIVED) if stay.shipment else stay
            for stay in self._open.values()
        ]
        return [*self._done, *lasting]

    def _pass(self, move: Move) -> None:
        here = (move.place, "")
        if self._single:
            self._leave_elsewhere(move)
        if move.act is Act.RECEIVED:
            self._arrive(move)
        elif move.act is Act.MADE:
            self._come(move)
        elif here not in self._open and (move.place or move.act is not Act.SEEN):
            self._come(move, Doubt.NO_ARRIVAL)
        if move.act in (Act.SENT, Act.USED):
            self._take(here, move)
        if move.act is Act.SENT:
            self._set_out(move)

    def _leave_elsewhere(self, move: Move) -> None:
        """End what an instance has left behind: it is here now."""
        for place, shipment in list(self._open) if move.place else ():
            arrives = move.act is Act.RECEIVED and shipment == _shipment(move)
            if (place != move.place or shipment) and not arrives:
                stay = self._open.pop((place, shipment))
                self._end(_doubted(stay, Doubt.NOT_RECEIVED) if shipment else stay, move)

    def _come(self, move: Move, doubt: Doubt | None = None) -> None:
        """Begin a stay, or add to the one that there is."""
        here = (move.place, "")
        there = self._open.get(here)
        if there is None:
            there = _begun(move, move.place, "")
        elif not self._single:
            there = _increased(there, move)
        self._open[here] = there if doubt is None else _doubted(there, doubt)

    def _set_out(self, move: Move) -> None:
        """Begin a shipment, or add to it; one whose arrivals all lie behind ends at once."""
        name = _shipment(move)
        known = self._open.get(("", name))
        if known is None:
            stay = _begun(move, move.other, name)
            if name in self._arrivals and not self._arrivals[name]:
                self._end(stay, move)
            else:
                self._open["", name] = stay
        elif not self._single:
            self._open["", name] = _increased(known, move)

    def _arrive(self, move: Move) -> None:
        """Take out of a shipment what arrives, and end it with the last arrival."""
        name = _shipment(move)
        self._arrivals[name] -= 1
        self._come(move, None if name in self._sent else Doubt.NOT_SHIPPED)
        under_way = ("", name)
        if under_way in self._open:
            self._take(under_way, move)
        if under_way in self._open and not self._arrivals[name]:
            stay = self._open.pop(under_way)
            self._end(_doubted(stay, Doubt.SHORT) if stay.rest else stay, move)

    def _take(self, where: tuple[str, str], move: Move) -> None:
        """Take out what leaves, arrives or is used up, and end the stay if nothing remains."""
        stay = self._open.pop(where)
        rest = _difference(stay, move)
        if move.quantity is None or (rest is not None and rest <= 0):
            self._end(_doubted(stay, Doubt.OVERDRAWN) if rest else stay, move)
        else:
            self._open[where] = replace(stay, rest=rest)

    def _end(self, stay: Stay, move: Move) -> None:
        rest = stay.rest if Doubt.SHORT in stay.doubts else Decimal(0)
        self._done.append(replace(stay, until_us=move.time_us, ended=True, rest=rest))


def _begun(move: Move, place: str, shipment: str) -> Stay:
    item, party, since_us, quantity = move.item, move.party, move.time_us, move.quantity
    unit, index = move.unit, move.index
    return Stay(
        item, place, party, shipment, since_us, None, False, quantity, quantity, unit, index
    )


def _shipment(move: Move) -> str:
    return move.shipment or NO_SHIPMENT


def _doubted(stay: Stay, doubt: Doubt) -> Stay:
    doubts = tuple(sorted({*stay.doubts, doubt})) if stay.doubts else (doubt,)
    return replace(stay, doubts=doubts)


def _increased(stay: Stay, move: Move) -> Stay:
    more = move.quantity if stay.unit == move.unit else None
    return replace(stay, quantity=_sum(stay.quantity, more), rest=_sum(stay.rest, more))


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other


def _difference(stay: Stay, move: Move) -> Decimal | None:
    if stay.rest is None or move.quantity is None or stay.unit != move.unit:
        return None
    return stay.rest - move.quantity
