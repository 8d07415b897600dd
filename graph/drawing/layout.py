"""Where boxes and arrows go: layers from left to right, few crossings.

The layers and the order within them come from a library that implements
Sugiyama's method with the coordinates of Brandes and Köpf; here the result is
turned on its side and stretched to the size of boxes. It is given numbers, in
a fixed order, so the same picture is laid out the same everywhere.

Next: graph/drawing/svg.py
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graph.drawing.picture import Picture

__all__ = ["Plan", "Point", "lay_out"]

Point = tuple[float, float]

BOX_WIDTH: Final = 196.0
LINE_HEIGHT: Final = 15.0
_COLUMN: Final = BOX_WIDTH + 124.0  # room for arrows and what is written on them
_ROW: Final = 4 * LINE_HEIGHT + 38.0
_SWEEPS: Final = 8
_WIDEST: Final = 900.0


class Plan(NamedTuple):
    """A laid-out picture; lengths in CSS pixels, y downwards.

    Attributes:
        width: Of all of it.
        height: Of all of it.
        centres: The centre of each box.
        routes: For each arrow the points between its boxes that it goes through, in its direction.
    """

    width: float
    height: float
    centres: list[Point]
    routes: list[list[Point]]


def lay_out(picture: Picture) -> Plan:
    """Find a place for everything in a picture."""
    if any(box.column is not None for box in picture.boxes):
        return _in_columns(picture)
    edges = sorted({(arrow.src, arrow.dst) for arrow in picture.arrows if arrow.src != arrow.dst})
    if not edges:
        centres = [(BOX_WIDTH / 2, _ROW * at + _ROW / 2) for at in range(len(picture.boxes))]
        return Plan(BOX_WIDTH, _ROW * len(centres), centres, [[] for _ in picture.arrows])
    places, links = _place(edges)
    count = len(picture.boxes)
    below = max(y for _, y in places.values())
    alone = [at for at in range(count) if at not in places]
    places |= {at: (0.0, below + _ROW * (n + 1)) for n, at in enumerate(alone)}
    left = min(x for x, _ in places.values()) - BOX_WIDTH / 2
    top = min(y for _, y in places.values()) - _ROW / 2
    moved = {at: (x - left, y - top) for at, (x, y) in places.items()}
    return Plan(
        max(x for x, _ in moved.values()) + BOX_WIDTH / 2,
        max(y for _, y in moved.values()) + _ROW / 2,
        [moved[at] for at in range(count)],
        [_route(arrow.src, arrow.dst, links, moved) for arrow in picture.arrows],
    )


def _place(edges: list[tuple[int, int]]) -> tuple[dict[int, Point], dict[int, list[int]]]:
    """Return the place of each box and of each bend, and which follow each other on an arrow."""
    from fast_sugiyama import from_edges  # noqa: PLC0415 - only pictures need it

    # The library numbers bends from the number of boxes on, so boxes get numbers without holes.
    boxes = sorted({at for edge in edges for at in edge})
    number = {at: n for n, at in enumerate(boxes)}
    plain = sorted({(number[src], number[dst]) for src, dst in _without_circles(edges)})
    places: dict[int, Point] = {}
    links: dict[int, list[int]] = defaultdict(list)

    def name(node: int) -> int:
        return boxes[node] if node < len(boxes) else -node

    under = 0.0
    for positions, _, _, arrows in from_edges(
        plain, vertex_spacing=1, dummy_vertices=True, dummy_size=0.5, check_layout=False
    ):
        ranks = {rank: at for at, rank in enumerate(sorted({-y for _, (_, y) in positions}))}
        top = min(x for _, (x, _) in positions)
        for node, (x, y) in positions:
            places[name(int(node))] = (ranks[-y] * _COLUMN, under + (x - top) * _ROW)
        under = max(y for _, y in places.values()) + _ROW
        for src, dst in arrows or ():
            links[name(int(src))].append(name(int(dst)))
    return places, links


def _in_columns(picture: Picture) -> Plan:
    """Put boxes into the columns that they ask for, each near what it is connected with."""
    columns: dict[int, list[int]] = defaultdict(list)
    for at, box in enumerate(picture.boxes):
        columns[box.column or 0].append(at)
    near: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for arrow in picture.arrows:
        near[arrow.src].append((arrow.dst, 0.1 + arrow.weight))
        near[arrow.dst].append((arrow.src, 0.1 + arrow.weight))
    tallest = max(map(len, columns.values()))
    height: dict[int, float] = {}
    for own in columns.values():
        height |= _heights(own, tallest)
    for _ in range(_SWEEPS):
        for number in sorted(columns):
            columns[number].sort(key=lambda at: (_pull(at, near, height), at))
            height |= _heights(columns[number], tallest)
    order = {number: place for place, number in enumerate(sorted(columns))}
    # Few tall columns stand further apart: what runs between them is steep otherwise.
    apart = min(_WIDEST, max(_COLUMN, tallest * _ROW / (2 * max(1, len(columns) - 1))))
    centres = [
        (BOX_WIDTH / 2 + order[box.column or 0] * apart, (height[at] + 0.5) * _ROW)
        for at, box in enumerate(picture.boxes)
    ]
    width = (len(columns) - 1) * apart + BOX_WIDTH
    return Plan(width, tallest * _ROW, centres, [[] for _ in picture.arrows])


def _pull(at: int, near: dict[int, list[tuple[int, float]]], height: dict[int, float]) -> float:
    """Return the height at which a box would be nearest to what it is connected with."""
    weights = sum(weight for _, weight in near[at])
    return sum(height[n] * w for n, w in near[at]) / weights if weights else height[at]


def _heights(column: list[int], tallest: int) -> dict[int, float]:
    """Spread a column over the height of the tallest one."""
    step = tallest / len(column)
    return {at: (n + 0.5) * step - 0.5 for n, at in enumerate(column)}


def _without_circles(edges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Turn round the arrows that close a circle: the library ends the process where one is left.

    A depth-first search finishes a box after everything behind it, except behind
    an arrow that leads back. Turned round, those agree with the others.
    """
    onward: dict[int, list[int]] = defaultdict(list)
    for src, dst in edges:
        onward[src].append(dst)
    finished: dict[int, int] = {}
    seen: set[int] = set()
    for start in sorted(onward):
        pending = [(start, iter(onward[start]))] if start not in seen else []
        seen.add(start)
        while pending:
            here, rest = pending[-1]
            there = next((one for one in rest if one not in seen), None)
            if there is None:
                finished[here] = len(finished)
                pending.pop()
            else:
                seen.add(there)
                pending.append((there, iter(onward[there])))
    return [(src, dst) if finished[src] > finished[dst] else (dst, src) for src, dst in edges]


def _route(
    src: int, dst: int, links: Mapping[int, list[int]], places: Mapping[int, Point]
) -> list[Point]:
    """Follow the bends of an arrow, which have negative numbers, from `src` to `dst`.

    An arrow that was turned round has its bends in the other order.
    """
    for start, end, step in ((src, dst, 1), (dst, src, -1)):
        for bend in links.get(start, ()):
            path = [bend]
            while path[-1] < 0:
                path += links[path[-1]]
            if path[-1] == end:
                return [places[at] for at in path[:-1]][::step]
    return []
