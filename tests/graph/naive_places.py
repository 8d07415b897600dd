"""The naive twin of questions about places: stays, lanes, what stands against a no, ways.

Written from the rules in the documentation, with piles of goods that are added to and taken
from; knows movements as `naive_questions` tells them, and nothing of edges.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from naive_graph import NaiveGraph, key_of, serials_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from decimal import Decimal

    from naive_questions import NaiveMove

UNDER_WAY = "shipment:"


@dataclass
class Pile:
    """Some of an item in a place, or under way."""

    first: NaiveMove
    place: str
    shipment: str
    quantity: Decimal | None
    rest: Decimal | None
    until: datetime | None = None
    ended: bool = False
    doubts: set[str] = field(default_factory=set)

    def add(self, move: NaiveMove) -> None:
        """Put more on it; the sum of what is not known, or of different units, is not known."""
        same = move.unit == self.first.unit and move.quantity is not None
        self.quantity = (
            self.quantity + move.quantity if same and self.quantity is not None else None
        )
        self.rest = self.rest + move.quantity if same and self.rest is not None else None

    def take(self, move: NaiveMove) -> None:
        """Take from it; without a quantity all of it leaves."""
        known = self.rest is not None and move.unit == self.first.unit
        left = self.rest - move.quantity if known and move.quantity is not None else None
        if move.quantity is None or (left is not None and left <= 0):
            self.end(move, "overdrawn" if left else "")
        else:
            self.rest = left

    def end(self, move: NaiveMove, doubt: str = "") -> None:
        """Say that it is gone."""
        self.ended, self.until = True, move.time
        self.doubts |= {doubt} - {""}
        self.rest = self.rest if doubt == "short" else 0  # type: ignore[assignment]


def stays(moves: Iterable[NaiveMove]) -> list[Pile]:
    """The piles of every item, those that are gone too."""
    by_item: dict[str, list[NaiveMove]] = defaultdict(list)
    for move in moves:
        by_item[move.item].append(move)
    return [pile for own in by_item.values() for pile in _piles(own)]


def _way(move: NaiveMove) -> str:
    return move.shipment or UNDER_WAY


def _piles(moves: list[NaiveMove]) -> list[Pile]:
    floor = _Floor(moves)
    for move in moves:
        floor.pass_by(move)
    for pile in floor.piles:
        pile.doubts |= {"not_received"} if pile.shipment and not pile.ended else set()
    return floor.piles


class _Floor:
    """Where the piles of one item lie while its movements pass."""

    def __init__(self, moves: list[NaiveMove]) -> None:
        """Begin with none."""
        self.one = "/21/" in moves[0].item
        self.piles: list[Pile] = []
        self.sent = {_way(move) for move in moves if move.act == "sent"}
        self.expected = Counter(_way(move) for move in moves if move.act == "received")
        self.due = Counter(self.expected)

    def there(self, place: str, way: str = "") -> Pile | None:
        """The pile in a place, or under way."""
        lasting = [pile for pile in self.piles if not pile.ended and pile.shipment == way]
        return next((pile for pile in lasting if way or pile.place == place), None)

    def put(self, move: NaiveMove, place: str, way: str = "") -> Pile:
        """Put it on a pile, or begin one."""
        pile = self.there(place, way)
        if pile is None:
            pile = Pile(move, place, way, move.quantity, move.quantity)
            self.piles.append(pile)
        elif not self.one:
            pile.add(move)
        return pile

    def pass_by(self, move: NaiveMove) -> None:
        """Let one movement happen."""
        if self.one and move.place:
            self._gone_from_elsewhere(move)
        if move.act == "received":
            self._arrive(move)
        elif move.act == "made":
            self.put(move, move.place)
        elif self.there(move.place) is None and (move.place or move.act != "seen"):
            self.put(move, move.place).doubts.add("no_arrival")
        if move.act in {"sent", "used"}:
            left = self.there(move.place)
            assert left is not None
            left.take(move)
        if move.act == "sent":
            self._leave(move)

    def _gone_from_elsewhere(self, move: NaiveMove) -> None:
        for pile in [pile for pile in self.piles if not pile.ended]:
            arriving = move.act == "received" and pile.shipment == _way(move)
            if not arriving and (pile.shipment or pile.place != move.place):
                pile.end(move, "not_received" if pile.shipment else "")

    def _arrive(self, move: NaiveMove) -> None:
        way = _way(move)
        self.due[way] -= 1
        self.put(move, move.place).doubts |= set() if way in self.sent else {"not_shipped"}
        under_way = self.there("", way)
        if under_way is not None:
            under_way.take(move)
            if not under_way.ended and not self.due[way]:
                under_way.end(move, "short" if under_way.rest else "")

    def _leave(self, move: NaiveMove) -> None:
        way = _way(move)
        new = self.there("", way) is None
        pile = self.put(move, move.other, way)
        if new and way in self.expected and not self.due[way]:
            pile.end(move)


def lanes(twin: NaiveGraph, at: datetime | None) -> dict[tuple[str, str], list[Any]]:
    """Departures between sites, and arrivals that no departure announces, by their ends."""
    found: dict[tuple[str, str], list[Any]] = defaultdict(list)
    announced = set()
    for word in ("ship", "receive"):
        for event in twin.until(at):
            own = {"ship": "from_facility_id", "receive": "to_facility_id"}[word]
            ends = {**event, own: event.get(own) or event.get("facility_id")}
            lane = (ends.get("from_facility_id"), ends.get("to_facility_id"))
            if event["event_type"] != word or None in lane:
                continue
            for one in event["items"]:
                name = (lane, event.get("shipment_id"), key_of(one))
                if word == "ship" or not event.get("shipment_id") or name not in announced:
                    found[f"facility:{lane[0]}", f"facility:{lane[1]}"].append(one)
                    announced.add(name)
    return found


def ways(twin: NaiveGraph) -> Iterator[tuple[str, str]]:
    """Every pair of things that some event brings together; who wrote it brings nobody together."""
    for event in twin.events:
        yield from _met(*event)
    for pair in twin.made():
        if pair.src and pair.dst:
            yield pair.src, pair.dst
    for key in twin.items():
        yield from ((key, other) for other in twin.stands_for(key))
        if key.count("/") == 3:
            yield key, "/".join(key.split("/")[:2])


def _met(_index: int, event: dict[str, Any]) -> Iterator[tuple[str, str]]:
    named = f"event:{event['party']}/{event['event_id']}"
    word, container = event["event_type"], event.get("container_id")
    items = [key_of(one) for one in event["items"]]
    serials = [key_of(one, s) for one in event["items"] for s in serials_of(one)]
    inner = [f"container:{one}" for one in event.get("container_ids", [])]
    for name in ("facility_id", "from_facility_id", "to_facility_id"):
        if event.get(name) and name == "facility_id":
            yield named, f"facility:{event[name]}"
    met = [*items, *serials, *inner, *([f"container:{container}"] if container else [])]
    met += [f"shipment:{event['shipment_id']}"] if "shipment_id" in event else []
    if word in ("transform", "produce"):
        met += [key_of(given) for given in event.get("inputs", []) if "party" in given]
    yield from ((named, other) for other in met)
    if container and word in ("pack", "unpack"):
        yield from ((f"container:{container}", one) for one in [*items, *serials, *inner])
    if "certificate_id" in event:
        yield from ((f"certificate:{event['certificate_id']}", one) for one in items)
    if word in ("ship", "receive") and items:
        own = {"ship": "from_facility_id", "receive": "to_facility_id"}[word]
        ends = {**event, own: event.get(own) or event.get("facility_id")}
        pair = [ends.get("from_facility_id"), ends.get("to_facility_id")]
        way = f"shipment:{event['shipment_id']}" if "shipment_id" in event else None
        sites = [f"facility:{end}" if end else way for end in pair]
        if any(pair) and None not in sites:
            yield sites[0], sites[1]  # type: ignore[misc]
