"""A lineage as boxes and arrows, small enough to be looked at.

Goods flow along the arrows. Where a lineage has more items than a person can
take in, alike ones share a box that says how many they are, and quantities are
summed: first lots of one product that go into the same boxes at the same
distance; if that is not enough, those that one site made; then all of one
product. What is flagged never shares a box with what is not: that is what
people look for. Where the records stop there is a box that says so, at a dashed
arrow.

Next: graph/drawing/layout.py
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from graph.keys import class_of, is_item
from graph.model import EdgeKind
from provenance.canonical import decimal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from graph.drawing.cards import Card
    from graph.lineage import Gap, Lineage
    from graph.model import Edge

__all__ = ["DETAIL", "Arrow", "Box", "Picture", "picture"]

DETAIL: Final = 40
"""So many items are drawn one by one; of more, alike ones share a box."""
_READABLE: Final = 60
"""So many boxes are aimed at where boxes are shared."""
_MOST_BOXES: Final = 400


@dataclass(frozen=True, slots=True)
class Box:
    """One item, several alike, or a gap.

    Attributes:
        keys: The items it stands for; none for a gap.
        lines: What is written on it, the heading first.
        severity: Of the worst flag on any of them; "" where there is none.
        flags: How many flags there are.
        gap: Whether it marks a place where the records stop.
        asked: Whether it holds the item that was asked for.
        column: Where it stands from the left, from 0; None where the arrows decide.
        place: Whether it is a place, not goods.
    """

    keys: tuple[str, ...]
    lines: tuple[str, ...]
    severity: str = ""
    flags: int = 0
    gap: bool = False
    asked: bool = False
    column: int | None = None
    place: bool = False


@dataclass(frozen=True, slots=True)
class Arrow:
    """Goods that flow from one box to another.

    Attributes:
        src: Place of the box in the picture.
        dst: As `src`.
        label: How much; "" where that is not known of every part.
        dashed: Whether it leads to or from a gap.
        plain: Whether nothing flows: one end stands for the goods of the other.
        weight: How much of all that flows in the picture, 0 to 1, for its width; 0 for a line.
        severity: Of the worst flag on it; "" where there is none.
    """

    src: int
    dst: int
    label: str = ""
    dashed: bool = False
    plain: bool = False
    weight: float = 0.0
    severity: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn.

    Attributes:
        title: What the picture shows, for its heading.
        notes: What a reader has to know to read it rightly, a line each.
        boxes: In order of distance from the item asked for.
        arrows: In order of their boxes.
    """

    title: str
    notes: tuple[str, ...]
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


@dataclass(slots=True)
class _Flow:
    """What flows between two boxes, summed while every part of it says how much."""

    total: Decimal | None = Decimal(0)
    units: set[str] = field(default_factory=set)

    def add(self, edge: Edge) -> None:
        amount = decimal(edge.attrs.get("consumed"))
        self.total = None if amount is None or self.total is None else self.total + amount
        self.units.add(str(edge.attrs.get("consumed_unit", "")))

    def words(self) -> str:
        if self.total is None or len(self.units) != 1:
            return ""
        return f"{self.total:,f} {self.units.copy().pop()}".strip()


def picture(
    lineage: Lineage, about: Mapping[str, Card], title: str, *, detail: int = DETAIL
) -> Picture:
    """Make the picture of a lineage.

    Args:
        lineage: What to draw.
        about: What to write on each item, from `cards`.
        title: The heading.
        detail: How many items are drawn one by one before alike ones share a box.
    """
    groups = _groups(lineage, about, single=len(lineage.hops) <= detail)
    left_out = len(groups) - _MOST_BOXES
    groups = groups[:_MOST_BOXES]
    boxes = [_box(keys, about, lineage.start) for keys in groups]
    place = {key: at for at, keys in enumerate(groups) for key in keys}
    arrows = _arrows(lineage, place)
    for gap, count in _gap_places(lineage.gaps, place).items():
        at, reason, missing = gap
        boxes.append(Box((), _gap_lines(reason, missing, count), gap=True))
        ends = (len(boxes) - 1, at) if lineage.direction == "upstream" else (at, len(boxes) - 1)
        arrows.append(Arrow(*ends, dashed=True))
    return Picture(title, _notes(lineage, left_out), tuple(boxes), tuple(arrows))


def _groups(lineage: Lineage, about: Mapping[str, Card], *, single: bool) -> list[tuple[str, ...]]:
    """Gather what shares a box, nearest first, as finely as can still be read."""
    if single:
        return [(key,) for key in lineage.hops]
    finest = _gathered(lineage, about, _by_onward(lineage, about))
    site = _gathered(lineage, about, {key: about[key].place for key in lineage.hops})
    coarsest = _gathered(lineage, about, dict.fromkeys(lineage.hops, ""))
    readable = (groups for groups in (finest, site) if len(groups) <= _READABLE)
    return next(readable, coarsest)


def _gathered(
    lineage: Lineage, about: Mapping[str, Card], more: Mapping[str, object]
) -> list[tuple[str, ...]]:
    """Gather items of one product, distance and severity, and alike in `more`."""
    alone = {gap.item for gap in lineage.gaps} | {lineage.start}
    found: dict[object, list[str]] = defaultdict(list)
    for key, hop in lineage.hops.items():
        single = key in alone or not is_item(key)
        name = key if single else (hop, class_of(key), about[key].severity, more[key])
        found[name].append(key)
    return [tuple(keys) for keys in found.values()]


def _by_onward(lineage: Lineage, about: Mapping[str, Card]) -> dict[str, object]:
    """Name each item by the boxes that it leads to, which are nearer and so named already."""
    nearer = _nearer(lineage)
    number: dict[object, int] = {}
    box: dict[str, int] = {}
    onward: dict[str, object] = {}
    for key, hop in lineage.hops.items():
        onward[key] = frozenset(box[other] for other in nearer[key])
        alike = (hop, class_of(key), about[key].severity, onward[key]) if is_item(key) else key
        box[key] = number.setdefault(alike, len(number))
    return onward


def _nearer(lineage: Lineage) -> dict[str, set[str]]:
    """Return for each item the neighbours that are nearer to the item asked for."""
    hops = lineage.hops
    found: dict[str, set[str]] = defaultdict(set)
    for edge in lineage.edges:
        for here, there in ((edge.src, edge.dst), (edge.dst, edge.src)):
            if hops[there] < hops[here]:
                found[here].add(there)
    return found


def _box(keys: tuple[str, ...], about: Mapping[str, Card], start: str) -> Box:
    shown = [about[key] for key in keys]
    first = shown[0]
    if len(keys) == 1:
        lines = [first.product, first.lot, first.place, first.day]
    else:
        lines = [first.product, f"{len(keys)} lots", _common([one.place for one in shown], "sites")]
        lines.append(_span([one.day for one in shown if one.day]))
    return Box(
        keys,
        tuple(line for line in lines if line),
        severity=first.severity,
        flags=sum(one.flags for one in shown),
        asked=start in keys,
    )


def _common(values: Sequence[str], what: str) -> str:
    known = sorted({value for value in values if value})
    return known[0] if len(known) == 1 else f"{len(known)} {what}" if known else ""


def _span(days: Sequence[str]) -> str:
    first, last = min(days, default=""), max(days, default="")
    return first if first == last else f"{first} to {last}"


def _arrows(lineage: Lineage, place: Mapping[str, int]) -> list[Arrow]:
    edges, start, upstream = lineage.edges, lineage.start, lineage.direction == "upstream"
    flows: dict[tuple[int, int], _Flow] = defaultdict(_Flow)
    same: set[tuple[int, int]] = set()
    for edge in edges:
        if edge.src not in place or edge.dst not in place:
            continue
        src, dst = place[edge.src], place[edge.dst]
        if edge.kind is EdgeKind.BECAME:
            flows[src, dst].add(edge)
        elif start == edge.dst or not upstream:
            same.add((src, dst))
        else:
            # From a class to its lots no goods flow; in the drawing it stands behind them.
            same.add((dst, src))
    drawn = [Arrow(*ends, label=flow.words()) for ends, flow in sorted(flows.items())]
    return drawn + [Arrow(*ends, plain=True) for ends in sorted(same - flows.keys())]


def _gap_places(gaps: Iterable[Gap], place: Mapping[str, int]) -> dict[tuple[int, str, str], int]:
    """Count the gaps by the box they stand at, their reason, and what is missing."""
    counts: dict[tuple[int, str, str], int] = defaultdict(int)
    for gap in gaps:
        if gap.item in place:
            counts[place[gap.item], gap.reason.replace("_", " "), gap.missing] += 1
    return counts


def _gap_lines(reason: str, missing: str, count: int) -> tuple[str, ...]:
    times = f"{count} times" if count > 1 else ""
    return tuple(line for line in ("not documented", reason, missing, times) if line)


def _notes(lineage: Lineage, left_out: int) -> tuple[str, ...]:
    notes = [f"{len(lineage.hops)} items, true for log position {lineage.position:,}."]
    if lineage.gaps:
        notes.append("Where the records stop, more may lie behind; a gap is not an absence.")
    if rings := lineage.cycles():
        notes.append(f"Goods go round in {len(rings)} places.")
    if lineage.truncated:
        notes.append("Cut short by a limit: there is more than is drawn.")
    if left_out > 0:
        notes.append(f"The {left_out} farthest boxes are not drawn.")
    return tuple(notes)
