"""A laid-out picture as one SVG file: no script, no font, no address to be fetched.

It follows the reader's light or dark setting, can be printed, and says its
content to a screen reader: title, description, and a title on every box. What
comes from records is text and nothing else.

Next: graph/drawing/formats.py
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

from graph.drawing.cards import SEVERITIES
from graph.drawing.layout import BOX_WIDTH, LINE_HEIGHT, lay_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from graph.drawing.layout import Plan, Point
    from graph.drawing.picture import Arrow, Box, Picture

__all__ = ["svg"]

_MARGIN: Final = 24.0
_HEAD: Final = 58.0
_LEGEND: Final = 46.0
_NARROWEST: Final = 640.0
_ROOM: Final = BOX_WIDTH - 18.0
_ROOM_BESIDE_FLAGS: Final = BOX_WIDTH - 56.0
_NARROW: Final = frozenset(" iljtfrI.,:;'|()[]/-!")
_WIDE: Final = frozenset("mwMWQ@%&")
_BOLD: Final = 1.1
_MOST_IN_TITLE: Final = 110
_TITLE_LETTER: Final = 9.6
_MOST_LABELS: Final = 80
"""Of more arrows the quantities would cover each other: pointing at an arrow tells its own."""
_TIP: Final = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" '
    'markerHeight="7" orient="auto"><path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>'
)
_NO_XML: Final = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_STYLE: Final = """
svg{--ink:#1d2433;--soft:#566074;--line:#8b95a8;--paper:#fff;--box:#f5f7fa;--asked:#dcebff;
--info:#2b6cb0;--low:#b7791f;--medium:#c05621;--high:#c53030;--critical:#97106a;
font:12px system-ui,sans-serif}
@media(prefers-color-scheme:dark){svg{--ink:#e8ecf4;--soft:#a3adc0;--line:#69758a;--paper:#12161f;
--box:#1d2431;--asked:#1d3a5f;--info:#63b3ed;--low:#ecc94b;--medium:#f6ad55;--high:#fc8181;
--critical:#f687d0}}
text{fill:var(--ink)}.soft{fill:var(--soft)}.title{font-size:17px;font-weight:600}
.head{font-weight:600}.box rect{fill:var(--box);stroke:var(--line)}
.asked rect{fill:var(--asked);stroke-width:2}.gap rect{fill:none;stroke-dasharray:5 4}
.flagged rect{stroke:var(--mark);stroke-width:2.5}.flagged .mark{fill:var(--mark)}
.info{--mark:var(--info)}.low{--mark:var(--low)}.medium{--mark:var(--medium)}
.high{--mark:var(--high)}.critical{--mark:var(--critical)}
.arrow{fill:none;stroke:var(--line);stroke-width:1.4}.tip{fill:var(--line)}
.marked{stroke:var(--mark);stroke-width:2}.wide{stroke-width:calc(var(--w)*1px)}
.place rect{rx:14px;stroke-width:1.6}.dashed{stroke-dasharray:5 4}.dotted{stroke-dasharray:1.5 4}
.crowded .arrow:not(.wide){stroke-opacity:.35}
.label{font-size:10.5px;fill:var(--soft);paint-order:stroke;stroke:var(--paper);stroke-width:4px}
.paper{fill:var(--paper)}
"""


def svg(picture: Picture) -> str:
    """Draw a picture; the file ends with a newline."""
    plan = lay_out(picture)
    crowded = ' class="crowded"' if len(picture.arrows) > _MOST_LABELS else ""
    legend = list(_legend_of(picture))
    title = _cut(picture.title, _MOST_IN_TITLE)
    needed = max(sum(map(_legend_width, legend)), len(title) * _TITLE_LETTER, _NARROWEST)
    width = max(plan.width, needed) + 2 * _MARGIN
    height = plan.height + _HEAD + _LEGEND + 2 * _MARGIN + 16 * (len(picture.notes) - 1)
    top = _MARGIN + _HEAD + 16 * (len(picture.notes) - 1)
    size = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="t d">',
        f'<title id="t">{_text(picture.title)}</title>',
        f'<desc id="d">{_text(" ".join(picture.notes))}</desc>',
        f"<style>{_STYLE}</style>",
        _TIP,
        '<rect class="paper" width="100%" height="100%"/>',
        *_heading(title, picture.notes),
        f'<g{crowded} transform="translate({_MARGIN} {top})">',
        *_arrows(picture, plan),
        *_boxes(picture, plan),
        "</g>",
        *_legend(legend, height - _MARGIN - 8),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _text(value: str) -> str:
    # Records may hold what XML cannot say, not even escaped.
    return escape(_NO_XML.sub("\ufffd", value))


def _heading(title: str, notes: Sequence[str]) -> Iterator[str]:
    yield f'<text class="title" x="{_MARGIN}" y="{_MARGIN + 14}">{_text(title)}</text>'
    for at, note in enumerate(notes):
        y = _MARGIN + 34 + 16 * at
        yield f'<text class="soft" x="{_MARGIN}" y="{y:.0f}">{_text(note)}</text>'


def _arrows(picture: Picture, plan: Plan) -> Iterator[str]:
    for arrow, route in zip(picture.arrows, plan.routes, strict=True):
        start, end = plan.centres[arrow.src], plan.centres[arrow.dst]
        if arrow.src == arrow.dst:
            yield _loop(arrow, start)
            continue
        if start[0] == end[0]:
            yield _path(arrow, _beside(start, end))
            continue
        # Against the flow where a circle is closed: out on the left, in on the right.
        side = BOX_WIDTH / 2 if end[0] > start[0] else -BOX_WIDTH / 2
        points = [(start[0] + side, start[1]), *route, (end[0] - side, end[1])]
        yield _path(arrow, _curve(points))
        if arrow.label and len(picture.arrows) <= _MOST_LABELS:
            x, y = _label_place(points)
            yield (
                f'<text class="label" text-anchor="middle" x="{x:.1f}" y="{y:.1f}">'
                f"{_text(arrow.label)}</text>"
            )


def _path(arrow: Arrow, line: str) -> str:
    kind = "arrow dashed" if arrow.dashed else "arrow dotted" if arrow.plain else "arrow"
    if arrow.severity in SEVERITIES:
        kind = f"{kind} marked {arrow.severity}"
    tip = "" if arrow.plain else ' marker-end="url(#tip)"'
    told = f"<title>{_text(arrow.label)}</title>" if arrow.label else ""
    if arrow.weight:
        # A wide line ends flat: a tip of its width would hide the box.
        faint = 0.8 if arrow.severity else 0.25 + 0.5 * arrow.weight
        look = f"--w:{1 + 11 * arrow.weight:.1f};opacity:{faint:.2f}"
        return f'<path class="{kind} wide" style="{look}" d="{line}">{told}</path>'
    return f'<path class="{kind}" d="{line}"{tip}>{told}</path>'


def _loop(arrow: Arrow, centre: Point) -> str:
    x, y = centre[0] + BOX_WIDTH / 2, centre[1]
    return _path(arrow, f"M{x:.1f} {y - 10:.1f}c34 -14 34 34 0 20")


def _beside(start: Point, end: Point) -> str:
    """Go from a box to one above or below it, round those between them."""
    x, out = start[0] + BOX_WIDTH / 2, min(110.0, 24 + abs(end[1] - start[1]) / 8)
    return (
        f"M{x:.1f} {start[1] + 6:.1f}C{x + out:.1f} {start[1] + 6:.1f} "
        f"{x + out:.1f} {end[1] - 6:.1f} {x:.1f} {end[1] - 6:.1f}"
    )


def _curve(points: list[Point]) -> str:
    """Go through the points, level at each of them."""
    line = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x1, y1), (x2, y2) in pairwise(points):
        middle = (x1 + x2) / 2
        line.append(f"C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}")
    return "".join(line)


def _label_place(points: list[Point]) -> Point:
    """Near the end of the last stretch: arrows that part later have parted there."""
    (x1, y1), (x2, y2) = points[0], points[1]
    return x1 + (x2 - x1) * 0.5, y1 + (y2 - y1) * 0.5 - 4


def _boxes(picture: Picture, plan: Plan) -> Iterator[str]:
    for box, centre in zip(picture.boxes, plan.centres, strict=True):
        yield from _one_box(box, centre)


def _one_box(box: Box, centre: Point) -> Iterator[str]:
    height = len(box.lines) * LINE_HEIGHT + 14
    x, y = centre[0] - BOX_WIDTH / 2, centre[1] - height / 2
    yield f"<g class={quoteattr(_kind(box))}><title>{_text(_told(box))}</title>"
    yield (f'<rect x="{x:.1f}" y="{y:.1f}" width="{BOX_WIDTH:.0f}" height="{height:.0f}" rx="6"/>')
    for at, line in enumerate(box.lines):
        kind = "head" if at == 0 else "soft" if at > 1 else ""
        yield (
            f'<text class="{kind}" x="{x + 10:.1f}" y="{y + 18 + LINE_HEIGHT * at:.1f}">'
            f"{_text(_short(line, _room(box, at)))}</text>"
        )
    if box.flags:
        yield (
            f'<text class="mark head" text-anchor="end" x="{x + BOX_WIDTH - 8:.1f}" '
            f'y="{y + 18:.1f}">⚑ {box.flags}</text>'
        )
    yield "</g>"


def _kind(box: Box) -> str:
    severity = box.severity if box.severity in SEVERITIES else ""
    words = ["box", severity and f"flagged {severity}", "gap" if box.gap else ""]
    words += ["asked" if box.asked else "", "place" if box.place else ""]
    return " ".join(word for word in words if word)


def _told(box: Box) -> str:
    flags = f"{box.flags} flags, the worst {box.severity}" if box.flags else ""
    return "\n".join(line for line in [*box.lines, flags] if line)


def _room(box: Box, at: int) -> float:
    """Return how many pixels of plain text a line of a box takes; its head is bold."""
    if at:
        return _ROOM
    return (_ROOM_BESIDE_FLAGS if box.flags else _ROOM) / _BOLD


def _short(line: str, room: float) -> str:
    """Cut a line of 12 px text where it would leave its box, going by the widths of most fonts."""
    used = 0.0
    for at, letter in enumerate(line):
        used += 4.3 if letter in _NARROW else 10.8 if letter in _WIDE else _letter(letter)
        if used > room:
            return f"{line[: max(1, at - 1)]}…"
    return line


def _letter(letter: str) -> float:
    return 6.9 if letter.islower() else 8.6


def _cut(line: str, most: int) -> str:
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _legend_of(picture: Picture) -> Iterator[tuple[str, str]]:
    """Yield what is in the picture and wants a word, as class and words."""
    if any(box.asked for box in picture.boxes):
        yield "box asked", "asked for"
    if any(box.gap for box in picture.boxes):
        yield "box gap", "not documented"
    if any(box.place and not box.keys for box in picture.boxes):
        yield "place box", "holds some, or awaits it where the arrow is dashed"
    marks = {box.severity for box in picture.boxes} | {arrow.severity for arrow in picture.arrows}
    for severity in SEVERITIES[::-1]:
        if severity in marks:
            yield f"box flagged {severity}", f"flagged {severity}"


def _legend_width(each: tuple[str, str]) -> float:
    return 40 + 7 * len(each[1])


def _legend(legend: Iterable[tuple[str, str]], y: float) -> Iterator[str]:
    x = _MARGIN
    for kind, words in legend:
        yield (
            f'<g class="{kind}"><rect x="{x:.0f}" y="{y - 10:.0f}" width="18" height="12" rx="3"/>'
            f'<text class="soft" x="{x + 24:.0f}" y="{y:.0f}">{words}</text></g>'
        )
        x += _legend_width((kind, words))
