"""What events of one shape state: found by stating the facts of one with marks in its fields.

Next: graph/stencils.py
"""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from graph.events import project_event
from graph.facts import Facts, Watched

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graph.facts import Form, Stated
    from graph.model import EdgeFact, EdgeKind, Role
    from provenance.entries import Content, Tier

__all__ = [
    "HOLDERS",
    "NEVER",
    "PART_TEXTS",
    "PART_VALUES",
    "TEXTS",
    "Stencil",
    "picker",
    "stencil_of",
]

TEXTS: Final = (
    *("party", "event_id", "facility_id", "locode", "shipment_id", "from_facility_id"),
    *("to_facility_id", "container_id", "certificate_id", "gtin"),
)
"""Fields that name something."""
PART_TEXTS: Final = ("party", "product_id", "lot_id", "gtin")
"""Those of an item or input; its serials come after them."""
PART_VALUES: Final = ("quantity", "quantity_unit")
HOLDERS: Final = ("items", "inputs")
NEVER: Final = frozenset(["container_ids", "corrects", "declared"])
"""Fields whose facts follow from more than the shape."""
_READ: Final = NEVER | {*TEXTS, *HOLDERS, "event_type", "event_time", "epcis"}
_READ_IN_PARTS: Final = frozenset([*PART_TEXTS, *PART_VALUES, "serial_ids"])
_TIME: Final = "2000-01-01T00:00:00Z"
_NUMBERS: Final = 10**12
_Fact = TypeVar("_Fact")
_MARK: Final = re.compile(r"~(\d+)~")

Pick = Callable[[Any], tuple[Any, ...]]
"""Takes some fields of a content, or some places of a list."""


class MarkedEdge(NamedTuple):
    """An edge; ends are numbers of keys, and values are taken from the event's pool."""

    src: int
    kind: EdgeKind
    dst: int
    seq: int
    role: Role | None
    tier: Tier
    layers: tuple[tuple[tuple[str, ...], tuple[int, ...]], ...]


class Stencil(NamedTuple):
    """What events of one shape state.

    Attributes:
        first: Where in the event's pool the keys begin, after its texts and values.
        texts: Picks what the keys are put together from, of the event's quoted texts.
        form: All keys, one a line, with `%s` for each of these.
        quoted_twice: Some keys hold keys: only texts that need no quoting will do.
        nodes: As (key, tier, whether it is the event's own).
        links: As (source, kind, target, tier).
        names: As (field, place of the value in the pool, key, tier).
        edges: In their order.
        key: Of the event.
    """

    first: int
    texts: Pick
    form: str
    quoted_twice: bool
    nodes: tuple[tuple[int, Tier, bool], ...]
    links: tuple[tuple[int, EdgeKind, int, Tier], ...]
    names: tuple[tuple[str, int, int, Tier], ...]
    edges: tuple[MarkedEdge, ...]
    key: int


def picker(places: Sequence[Any]) -> Pick:
    """Return what takes these names, or places, of what it is given."""
    if not places:
        return lambda _from: ()
    if len(places) == 1:
        (only,) = places
        return lambda those: (those[only],)
    return itemgetter(*places)


def stencil_of(content: Content, form: Form) -> Stencil | None:
    """Make the stencil of an event's shape; None where its facts follow from more than that."""
    marked = _Marked(content)
    facts = Facts(0, form)
    key = project_event(marked.content, facts)
    if not marked.is_known() or facts.is_more():
        return None
    return marked.stencil(facts.stated, key)


class _Marked:
    """An event with a mark in each field that facts are made from.

    Attributes:
        content: That event; it knows which of its fields were read.
    """

    def __init__(self, content: Content) -> None:
        """Put marks where `_take_apart` takes texts and values from."""
        self._texts = 0
        self._values = 0
        own: dict[str, Any] = {name: self._mark() for name in TEXTS if name in content}
        self._parts: list[Watched] = []
        for holder in HOLDERS:
            if holder in content:
                own[holder] = [self._part(part, content, own) for part in content[holder]]
        epcis = [name for name in content.get("epcis", ()) if name == "errorDeclaration"]
        stands = {"event_type": content.get("event_type"), "event_time": _TIME}
        stands["epcis"] = dict.fromkeys(epcis)
        own |= {name: value for name, value in stands.items() if name in content}
        self.content = Watched(own)

    def _mark(self) -> str:
        self._texts += 1
        return f"~{self._texts - 1}~"

    def _part(self, part: Content, content: Content, own: Content) -> Watched:
        marked: Content = {name: self._mark() for name in PART_TEXTS if name in part}
        if "party" in part and part["party"] == content["party"]:
            marked["party"] = own["party"]
        if "serial_ids" in part:
            marked["serial_ids"] = [self._mark() for _ in part["serial_ids"]]
        for name in PART_VALUES:
            if name in part:
                marked[name] = _NUMBERS + self._values
                self._values += 1
        self._parts.append(Watched(marked))
        return self._parts[-1]

    def is_known(self) -> bool:
        """Say whether nothing was read that bears no mark."""
        in_parts = {name for part in self._parts for name in part.read}
        return self.content.read <= _READ and in_parts <= _READ_IN_PARTS

    def stencil(self, stated: Stated, key: str) -> Stencil | None:
        """Make the stencil from what the marked event states."""
        ends = [end for edge in stated.edges for end in (edge.src, edge.dst)]
        ends += [end for link in stated.links for end in (link[0], link[2])]
        held = [value for edge in stated.edges for layer in edge.layers for value in layer.values()]
        ends += [value for value in held if type(value) is str and not _MARK.fullmatch(value)]
        named = [key, *(node for node, _, _ in stated.nodes), *(name[2] for name in stated.names)]
        numbers = {one: number for number, one in enumerate(dict.fromkeys([*named, *ends]))}
        marks = [int(mark) for one in numbers for mark in _MARK.findall(one)]
        lines = "\n".join(numbers)
        twice = "%" in lines
        return Stencil(
            self._texts + self._values,
            picker(marks),
            _MARK.sub("%s", lines.replace("%", "%%")),
            twice,
            _each_once((numbers[node], tier, own is not None) for node, tier, own in stated.nodes),
            _each_once((numbers[s], kind, numbers[d], tier) for s, kind, d, tier in stated.links),
            _each_once((f, _place(value), numbers[node], t) for f, value, node, t in stated.names),
            tuple([self._edge(edge, numbers) for edge in stated.edges]),
            numbers[key],
        )

    def _edge(self, edge: EdgeFact, numbers: dict[str, int]) -> MarkedEdge:
        layers = []
        for layer in edge.layers:
            places = tuple([self._held(value, numbers) for value in layer.values()])
            layers.append((tuple(layer), places))
        ends = numbers[edge.src], edge.kind, numbers[edge.dst]
        return MarkedEdge(*ends, edge.seq, edge.role, edge.tier, tuple(layers))

    def _held(self, value: Any, numbers: dict[str, int]) -> int:
        """Return where in the pool of texts, values and keys an edge's value lies."""
        if type(value) is int:
            return self._texts + value - _NUMBERS
        if _MARK.fullmatch(value):
            return _place(value)
        return self._texts + self._values + numbers[value]


def _each_once(facts: Iterable[_Fact]) -> tuple[_Fact, ...]:
    return tuple(dict.fromkeys(facts))


def _place(mark: str) -> int:
    found = _MARK.fullmatch(mark)
    if found is None:
        raise ValueError(mark)
    return int(found[1])
