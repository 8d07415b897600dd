"""The naive twin of the questions: reads the events again for each, knows nothing of edges."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from naive_graph import NaiveGraph, key_of, pairs_of, reached, serials_of

if TYPE_CHECKING:
    from collections.abc import Collection

RANKS = ["made", "received", "seen", "sent", "used"]
WORDS = {"produce": "made", "transform": "made", "ship": "sent", "receive": "received"}


class NaiveMove(NamedTuple):
    """One event's effect on one item."""

    time: datetime
    rank: int
    event_id: str
    party: str
    number: int
    item: str
    quantity: Decimal | None
    unit: str | None
    place: str
    other: str
    shipment: str
    container: str

    @property
    def act(self) -> str:
        """What befell it."""
        return RANKS[self.rank]


def moves(twin: NaiveGraph, items: Collection[str], at: datetime | None) -> list[NaiveMove]:
    """What befell items, in order."""
    found: list[NaiveMove] = []
    for place, (index, event) in enumerate(twin.events):
        time = datetime.fromisoformat(event["event_time"])
        if at is None or time <= at:
            found += [_move(index, event, time, told) for told in _told(twin, place, items)]
    units = defaultdict(set)
    for move in found:
        units[move.item] |= {move.unit} - {None}
    named = [
        move._replace(unit=next(iter(units[move.item])))
        if move.unit is None and len(units[move.item]) == 1
        else move
        for move in found
    ]
    return sorted(named, key=lambda m: (*m[:6], str(m.quantity)))


Told = tuple[str, str, Any, "str | None", str]
"""Act, item, quantity, unit and container."""


def _told(twin: NaiveGraph, place: int, items: Collection[str]) -> list[Told]:
    """What an event says of the items asked for."""
    event = twin.events[place][1]
    named = _named(event, items)
    about = {key for _, key, *_ in named} | _included(event, items)
    return [*named, *_aboard(twin, place, set(items) - about)]


def _named(event: dict[str, Any], items: Collection[str]) -> list[Told]:
    word = event["event_type"]
    act = WORDS.get(word, "seen")
    found: list[Told] = []
    for one in event["items"]:
        key = key_of(one)
        found.append((act, key, one.get("quantity"), one.get("quantity_unit"), ""))
        if key not in items:
            found += [(act, key_of(one, s), 1, None, "") for s in serials_of(one)]
    for given in event.get("inputs", []) if word in ("transform", "produce") else ():
        if "party" in given:
            found.append(("used", key_of(given), given.get("quantity"), None, ""))
    return [each for each in found if each[1] in items]


def _included(event: dict[str, Any], items: Collection[str]) -> set[str]:
    """Instances that an event names as part of a lot that is asked for too."""
    return {
        key_of(one, s) for one in event["items"] if key_of(one) in items for s in serials_of(one)
    }


def _aboard(twin: NaiveGraph, place: int, items: Collection[str]) -> list[Told]:
    """What befell items inside the containers that an event is about."""
    event, state = twin.events[place][1], twin.states()[place]
    word = event["event_type"]
    about = {f"container:{one}" for one in event.get("container_ids", [])}
    if "container_id" in event and word not in ("pack", "unpack"):
        about.add(f"container:{event['container_id']}")
    act = {"ship": "sent", "receive": "received"}.get(word, "seen")
    found: dict[tuple[str, str], Told] = {}
    for container in sorted(about):
        for holder in sorted(reached(pairs_of(state), container, itself=True)):
            for item, amount in state.get(holder, {}).items():
                known = 1 if amount is None and "/21/" in item else amount
                unit = None if amount is None else twin.units.get(item)
                if item in items:
                    found.setdefault((item, holder), (act, item, known, unit, container))
    return list(found.values())


def _move(index: int, event: dict[str, Any], time: datetime, told: Told) -> NaiveMove:
    act, item, quantity, unit, container = told
    here = {"sent": "from_facility_id", "received": "to_facility_id"}.get(act, "facility_id")
    there = {"sent": "to_facility_id", "received": "from_facility_id"}.get(act, "")
    place = event.get(here) or event.get("facility_id")
    return NaiveMove(
        time=time,
        rank=RANKS.index(act),
        event_id=event["event_id"],
        party=event["party"],
        number=index,
        item=item,
        quantity=None if quantity is None else Decimal(quantity),
        unit=unit,
        place=f"facility:{place}" if place else "",
        other=f"facility:{event[there]}" if event.get(there) else "",
        shipment=f"shipment:{event['shipment_id']}" if "shipment_id" in event else "",
        container=container,
    )


def share(
    twin: NaiveGraph, hops: dict[str, int], start: str, at: datetime | None
) -> tuple[Fraction, bool]:
    """What is documented of the start, and whether amounts were missing."""
    breaks = {"unknown_lot", "no_inputs", "no_origin", "no_lot"}
    broken = {g[0] for g in twin.gaps(start, "upstream", hops, at) if g[1] in breaks}
    inputs: dict[str, list[tuple[str | None, Any]]] = defaultdict(list)
    for pair in twin.made(at):
        if pair.dst in hops:
            inputs[pair.dst].append((pair.src, pair.consumed))
    estimated = set()

    def documented(key: str | None, above: frozenset[str]) -> Fraction | None:
        """None where a circle keeps it from an answer."""
        if key is None or key not in hops:
            return Fraction(0)
        if key in above:
            return None
        given = inputs[key]
        if not given:
            return Fraction(key not in broken)
        parts = [documented(src, above | {key}) for src, _ in given]
        if any(part is None for part in parts):
            return None
        amounts = [amount for _, amount in given]
        classes = {src.split("/10/")[0] for src, _ in given if src}
        alike = None in amounts or len(classes) > 1
        if len(given) > 1 and alike:
            estimated.add(key)
        weights = [1] * len(given) if alike else amounts
        total = sum((w * (p or 0) for w, p in zip(weights, parts, strict=True)), Fraction(0))
        return total / sum(weights)

    same = twin.stands_for(start, at) - {start}
    told = [key for key, far in hops.items() if not far and not (same and key == start)]
    own = [documented(key, frozenset()) or Fraction(0) for key in told if key.startswith("item:")]
    for key in hops:
        documented(key, frozenset())
    guessed = bool(estimated) or len(own) > 1
    return (sum(own, Fraction(0)) / len(own) if own else Fraction(0)), guessed
