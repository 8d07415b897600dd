"""Lanes on a map, as SVG: great circles, flagged ones in the warning colour.

The coast is Natural Earth's 1:110m land (public domain), as world-atlas 2.0.2
publishes it, rounded to tenths of a degree (`land.txt`: x is longitude, y is
minus latitude, both times ten).

Next: api/report/charts.py
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from math import asin, atan2, cos, degrees, hypot, radians, sin
from typing import TYPE_CHECKING, Final, NamedTuple

from markupsafe import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from detectors.overview import Lane

__all__ = ["lane_map"]

_TENTHS: Final = 10
_STEP_DEGREES: Final = 2.0
_MARGIN: Final = 60.0
_LEAST_SPAN: Final = 240.0
_WIDTHS: Final = (1.0, 4.0)
_Point = tuple[float, float]


class _Frame(NamedTuple):
    """The part of the world that is shown, in tenths of a degree."""

    left: float
    top: float
    width: float
    height: float


def lane_map(lanes: Sequence[Lane]) -> str:
    """Draw lanes whose ends are known; empty when there is none.

    Args:
        lanes: Any order; wider lines are lanes with more shipments.
    """
    known = [lane for lane in lanes if lane.start and lane.end]
    if not known:
        return ""
    sites = {
        name: (point[1] * _TENTHS, -point[0] * _TENTHS)
        for lane in known
        for name, point in ((lane.source, lane.start), (lane.target, lane.end))
        if point is not None
    }
    ordered = sorted(known, key=lambda lane: (lane.flagged > 0, lane.shipments))
    ways = [(lane, list(_parts(lane))) for lane in ordered]
    frame = _frame(point for _, parts in ways for part in parts for point in part)
    unit = frame.width / 1000
    most = max(lane.shipments for lane in known)
    drawn = "".join(_lane(lane, parts, unit, most) for lane, parts in ways)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{3.2 * unit:.2f}"><title>{escape(name)}</title>'
        "</circle>"
        for name, (x, y) in sorted(sites.items())
    )
    flagged = sum(lane.flagged > 0 for lane in known)
    label = f"{len(known)} lanes between {len(sites)} sites; {flagged} of them with flags"
    return (
        f'<svg class="map" role="img" aria-label="{label}" viewBox="{frame.left:.1f} '
        f'{frame.top:.1f} {frame.width:.1f} {frame.height:.1f}" '
        f'preserveAspectRatio="xMidYMid slice">'
        f'<path class="land" d="{_land()}"/><g class="lanes">{drawn}</g>'
        f'<g class="sites">{dots}</g></svg>'
    )


@cache
def _land() -> str:
    text = resources.files("api.report").joinpath("land.txt").read_text(encoding="ascii")
    return "".join(text.split("\n"))


def _frame(points: Iterable[_Point]) -> _Frame:
    """Show all points with a margin, at least a region, twice as wide as high."""
    xs, ys = zip(*points, strict=True)
    left, right = min(xs) - _MARGIN, max(xs) + _MARGIN
    top, bottom = min(ys) - _MARGIN, max(ys) + _MARGIN
    height = max(bottom - top, (right - left) / 2, _LEAST_SPAN / 2)
    width = max(right - left, 2 * height)
    middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
    return _Frame(middle_x - width / 2, middle_y - height / 2, width, height)


def _lane(lane: Lane, parts: Sequence[Sequence[_Point]], unit: float, most: int) -> str:
    thin, thick = _WIDTHS
    width = unit * (thin + (thick - thin) * (lane.shipments / most) ** 0.5)
    kind = ' class="flagged"' if lane.flagged else ""
    told = f"{lane.source} to {lane.target}: {lane.shipments:,} shipments"
    if lane.flagged:
        told += f", {lane.flagged:,} with a flag"
    paths = "".join(map(_path, parts))
    return (
        f'<path{kind} d="{paths}" stroke-width="{width:.2f}"><title>{escape(told)}</title></path>'
    )


def _path(points: Sequence[_Point]) -> str:
    return "M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in points)


def _parts(lane: Lane) -> Iterator[list[_Point]]:
    """Yield the great circle in pieces that do not cross the edge of the map."""
    part: list[_Point] = []
    for latitude, longitude in _circle(lane.start or (0, 0), lane.end or (0, 0)):
        x, y = longitude * _TENTHS, -latitude * _TENTHS
        if part and abs(x - part[-1][0]) > 180 * _TENTHS:
            yield part
            part = []
        part.append((x, y))
    if part:
        yield part


def _circle(start: _Point, end: _Point) -> Iterator[_Point]:
    """Yield latitude and longitude along the great circle, both ends included."""
    a, b = (_vector(point) for point in (start, end))
    angle = 2 * asin(min(1.0, hypot(*(p - q for p, q in zip(a, b, strict=True))) / 2))
    count = max(int(degrees(angle) / _STEP_DEGREES), 1)
    yield start
    for number in range(1, count):
        share = number / count
        u, v = sin((1 - share) * angle) / sin(angle), sin(share * angle) / sin(angle)
        x, y, z = (u * p + v * q for p, q in zip(a, b, strict=True))
        yield degrees(atan2(z, hypot(x, y))), degrees(atan2(y, x))
    yield end


def _vector(point: _Point) -> tuple[float, float, float]:
    latitude, longitude = radians(point[0]), radians(point[1])
    return cos(latitude) * cos(longitude), cos(latitude) * sin(longitude), sin(latitude)
