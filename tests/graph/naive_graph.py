"""The naive twin: answers questions by reading every event again, each time.

Knows the contents of events as one viewer sees them and nothing of the graph
room but the spelling of keys, which it writes itself.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import networkx as nx

if TYPE_CHECKING:
    from collections.abc import Iterable

Content = dict[str, Any]


class Made(NamedTuple):
    """One became pair; an end that is None is not documented."""

    src: str | None
    dst: str | None
    index: int
    time: datetime
    missing: str
    consumed: int | None = None


def key_of(item: Content, serial: str | None = None) -> str:
    """Spell an item's key; ids are plain letters and digits here."""
    lot = f"/10/{item['lot_id']}" if "lot_id" in item else ""
    return f"item:{item['party']}/{item['product_id']}{lot}" + (f"/21/{serial}" if serial else "")


def serials_of(item: Content) -> list[str]:
    """The serials that an item of an event names."""
    found: list[str] = item.get("serial_ids", [])
    return found


def pairs_of(state: dict[str, dict[str, int | None]]) -> list[tuple[str, str]]:
    """Container and content."""
    return [(container, inside) for container, held in state.items() for inside in held]


def reached(pairs: Iterable[tuple[str, str]], start: str, *, itself: bool = False) -> set[str]:
    """Whatever can be reached from a container; itself only if it is inside itself."""
    graph: nx.DiGraph[str] = nx.DiGraph(pairs)
    graph.add_node(start)
    found: set[str] = nx.descendants(graph, start)
    return found | ({start} if itself or graph.has_edge(start, start) else set())


def _without_goods(event: Content) -> Content:
    kept = ("party", "event_id", "event_time", "facility_id")
    return {"event_type": "", "items": [], **{name: event[name] for name in kept if name in event}}


def _only_seen(event: Content, declaration: bool) -> Content:
    return {**event, "event_type": "declare"} if declaration else event


class NaiveGraph:
    """Events as (index, content), in any order."""

    def __init__(
        self,
        events: Iterable[tuple[int, Content]],
        wrong: Iterable[int] = (),
        said: Iterable[int] = (),
    ) -> None:
        """Hold the events, in order of time and event id.

        Of those at the indexes `wrong` what they say of goods does not hold; those at `said`
        only say so, and were there.
        """
        given = sorted(events, key=lambda e: (e[1]["event_time"], e[1]["event_id"], e[0]))
        self.named = [event for _, event in given]
        self.events = [
            (index, _without_goods(event) if index in wrong else _only_seen(event, index in said))
            for index, event in given
        ]

    def until(self, at: datetime | None) -> list[Content]:
        """The events up to a time."""
        return [
            e for _, e in self.events if at is None or datetime.fromisoformat(e["event_time"]) <= at
        ]

    @cache  # noqa: B019 - a twin lives for one example
    def items(self) -> set[str]:
        """Every class, lot and serial that any event names."""
        named = set()
        for event in self.named:
            for one in [*event.get("items", []), *self._known_inputs(event)]:
                named |= {key_of({**one, "lot_id": one["lot_id"]})} if "lot_id" in one else set()
                named.add(f"item:{one['party']}/{one['product_id']}")
                named |= {key_of(one, serial) for serial in one.get("serial_ids", [])}
        return named

    @property
    def units(self) -> dict[str, str]:
        """The unit in which events count an item."""
        return {
            key_of(one): one["quantity_unit"]
            for event in self.named
            for one in event["items"]
            if "quantity_unit" in one
        }

    def containers(self) -> set[str]:
        """Every container that any event names."""
        named = {event["container_id"] for event in self.named if "container_id" in event}
        named |= {one for event in self.named for one in event.get("container_ids", [])}
        return {f"container:{one}" for one in named}

    @staticmethod
    def _known_inputs(event: Content) -> list[Content]:
        return [given for given in event.get("inputs", []) if "party" in given]

    @cache  # noqa: B019 - a twin lives for one example
    def made(self, at: datetime | None = None) -> list[Made]:
        """Every pair of input and output up to a time."""
        found = []
        for index, event in self.events:
            time = datetime.fromisoformat(event["event_time"])
            word, inputs, outputs = event["event_type"], event.get("inputs", []), event["items"]
            making = word == "transform" or (word == "produce" and inputs)
            if not making or not (inputs or outputs) or (at is not None and time > at):
                continue
            for given, made in product(inputs or [None], outputs or [None]):
                src = key_of(given) if given and "party" in given else None
                missing = given["lot_id"] if given and src is None else ""
                amount = given.get("quantity") if given else None
                out = key_of(made) if made else None
                found.append(Made(src, out, index, time, missing, amount))
        return found

    @cache  # noqa: B019 - a twin lives for one example
    def _produced(self, at: datetime | None) -> tuple[set[str], dict[str, list[tuple[Any, ...]]]]:
        """Items that were produced, and those that came out of transformations, by event."""
        produced: set[str] = set()
        put_out: dict[str, list[tuple[Any, ...]]] = {}
        for index, event in self.events:
            time = datetime.fromisoformat(event["event_time"])
            if at is None or time <= at:
                for one in event["items"]:
                    keys = [key_of(one), *(key_of(one, s) for s in one.get("serial_ids", []))]
                    if event["event_type"] == "produce":
                        produced |= set(keys)
                    if event["event_type"] == "transform":
                        named = f"event:{event['party']}/{event['event_id']}"
                        for key in keys:
                            put_out.setdefault(key, []).append((time, named, index))
        return produced, put_out

    @cache  # noqa: B019 - a twin lives for one example
    def stands_for(self, key: str, at: datetime | None = None) -> set[str]:
        """What else a question about `key` is about: a serial's lot, a class's lots, contents."""
        if key.startswith("container:"):
            return self.inside(key, at)
        parts = key.split("/")
        if "21" in parts[2:5:2] and len(parts) == 6:
            return {"/".join(parts[:4])}
        if len(parts) == 2:
            return {k for k in self.items() if k.startswith(f"{key}/") and k.count("/") == 3}
        return set()

    def hops(
        self, key: str, direction: str, depth: int, limit: int, at: datetime | None = None
    ) -> tuple[dict[str, int], bool]:
        """Distances of all within reach, nearest first, and whether something is left out."""
        graph = nx.DiGraph()
        graph.add_nodes_from(self.items())
        for pair in self.made(at):
            if pair.src and pair.dst:
                ends = (pair.dst, pair.src) if direction == "upstream" else (pair.src, pair.dst)
                graph.add_edge(*ends)
        starts = [key, *sorted(self.stands_for(key, at) - {key})]
        graph.add_node(key)
        graph.add_edges_from(("start", start) for start in starts[:limit])
        far = nx.single_source_shortest_path_length(graph, "start")
        order = sorted((d - 1, k) for k, d in far.items() if k != "start" and d - 1 <= depth)
        kept = dict.fromkeys(k for _, k in order[:limit])
        outside = any(other not in kept for k in kept for other in graph.successors(k))
        return {k: d for d, k in order[:limit]}, outside or len(starts) > limit

    def gaps(self, key: str, direction: str, hops: dict[str, int], at: datetime | None) -> set[Any]:
        """Where the trail stops, as (item, reason, missing, index)."""
        found: set[Any] = set()
        documented = set()
        for pair in self.made(at):
            here, there = (pair.dst, pair.src)[:: 1 if direction == "upstream" else -1]
            if here in hops:
                documented.add(here)
                if there is None and pair.missing:
                    found.add((here, "unknown_lot", pair.missing, pair.index))
                elif there is None:
                    side = "no_inputs" if direction == "upstream" else "no_outputs"
                    found.add((here, side, "", pair.index))
        produced, put_out = self._produced(at)
        for item, far in hops.items():
            if far and item.count("/") == 1:
                found.add((item, "no_lot", "", -1))
            elif direction == "upstream" and item not in documented and item not in produced:
                if item in put_out:
                    found.add((item, "no_inputs", "", min(put_out[item])[2]))
                else:
                    found.add((item, "no_origin", "", -1))
        return {
            gap
            for gap in found
            if gap[0] != key
            or key.startswith("container:")
            or not self.stands_for(key, at)
            or ("/21/" not in key and gap[1] not in ("no_origin", "no_lot"))
        } - ({gap for gap in found if gap[0].startswith("container:")})

    @cache  # noqa: B019 - a twin lives for one example
    def states(self) -> list[dict[str, dict[str, int | None]]]:
        """What is directly inside each container after each event, with amounts where known."""
        found = []
        held: dict[str, dict[str, int | None]] = defaultdict(dict)
        for _, event in self.events:
            if "container_id" in event and event["event_type"] in ("pack", "unpack"):
                self._move(held[f"container:{event['container_id']}"], event)
            found.append({key: dict(inside) for key, inside in held.items()})
        return found

    @staticmethod
    def _move(inside: dict[str, int | None], event: Content) -> None:
        moved = [(key_of(one), one.get("quantity")) for one in event["items"]]
        moved += [(key_of(one, s), None) for one in event["items"] for s in serials_of(one)]
        moved += [(f"container:{one}", None) for one in event.get("container_ids", [])]
        for key, amount in moved:
            before = inside.get(key, 0)
            known = before is not None and amount is not None
            if event["event_type"] == "pack":
                inside[key] = before + amount if known else None
            elif key in inside and known and before > amount:
                inside[key] = before - amount
            else:
                inside.pop(key, None)
        if event["event_type"] == "unpack" and not event["items"]:
            inside.clear()

    def inside(self, container: str, at: datetime | None = None) -> set[str]:
        """What was inside a container at a time, or ever, in containers within it too."""
        states = self.states()
        if at is None:
            return reached([pair for state in states for pair in pairs_of(state)], container)
        past = sum(datetime.fromisoformat(event["event_time"]) <= at for _, event in self.events)
        return reached(pairs_of(states[past - 1]), container) if past else set()

    def carried(self, at: int) -> set[str]:
        """What is inside the containers that the event at a position is about, but for packing."""
        event, pairs = self.events[at][1], pairs_of(self.states()[at])
        about = {f"container:{one}" for one in event.get("container_ids", [])}
        if "container_id" in event and event["event_type"] not in ("pack", "unpack"):
            about.add(f"container:{event['container_id']}")
        return {item for container in about for item in reached(pairs, container, itself=True)}

    def journey(self, key: str) -> list[tuple[str, int, tuple[str, ...]]]:
        """The events of a journey as (event key, hops, items), in order of time."""
        hops, _ = self.hops(key, "upstream", 10_000, 10_000)
        pairs = [p for p in self.made() if p.src in hops and p.dst in hops]
        steps = []
        for at, (index, event) in enumerate(self.events):
            aboard = self.carried(at)
            time = datetime.fromisoformat(event["event_time"])
            concerned = set()
            for item, far in hops.items():
                own = [
                    one
                    for one in event["items"]
                    if item in (key_of(one), *(key_of(one, s) for s in one.get("serial_ids", [])))
                ]
                making = event["event_type"] in ("transform", "produce")
                used = making and item in (key_of(g) for g in self._known_inputs(event))
                carried = item in aboard
                if far:
                    uses = [p for p in pairs if p.src == item]
                    in_time = time <= max(p.time for p in uses)
                    used = used and index in {p.index for p in uses}
                    own, carried = own if in_time else [], carried and in_time
                    used = used and in_time
                if own or used or carried:
                    concerned.add(item)
            if concerned:
                named = f"event:{event['party']}/{event['event_id']}"
                near = min(hops[item] for item in concerned)
                steps.append((named, near, tuple(sorted(concerned))))
        return steps
