"""A site month by month, as SVG: hours against the law, pay against the law, output per hour.

Next: docs/detection.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from markupsafe import escape

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from api.report.gather import SiteTold

__all__ = ["site_chart"]

_WIDTH, _HEIGHT = 300, 92
_LEFT, _RIGHT, _TOP, _BOTTOM = 8, 62, 20, 16
_HEADROOM: Final = 1.08
_LINE: Final = 11
"""Height of a line of text."""
_Values = list[float | None]


class _Panel(NamedTuple):
    """One small chart.

    Attributes:
        title: What the line is, with its unit.
        values: Per month.
        limits: The legal limit per month; empty for none.
        types: Flag types that are about this figure.
    """

    title: str
    values: _Values
    limits: _Values
    types: frozenset[str]


_OF_HOURS: Final = frozenset(("excess_hours", "falsified_timesheet"))
_OF_PAY: Final = frozenset(("wage_below_minimum", "fabricated_payroll", "coercion_indicators"))
_OF_OUTPUT: Final = frozenset(("output_beyond_capacity",))
_DRAWN: Final = _OF_HOURS | _OF_PAY | _OF_OUTPUT


def site_chart(site: SiteTold) -> str:
    """Draw a site's months; flagged ones are marked in the figure that the flag is about.

    What is flagged for another reason is marked on the axis of the first figure.
    """
    months = site.months
    currency = next((month.currency for month in months if month.currency), "")
    none: _Values = []
    panels = (
        _Panel(
            "hours a week",
            [month.hours for month in months],
            [month.most_hours for month in months],
            _OF_HOURS,
        ),
        _Panel(
            f"pay an hour, {currency}" if currency else "pay an hour",
            [month.pay for month in months],
            [month.least_pay for month in months],
            _OF_PAY,
        ),
        _Panel("output an hour", [month.output for month in months], none, _OF_OUTPUT),
    )
    names = [month.month for month in months]
    others = [
        (_LEFT + at * _step(len(names)), _HEIGHT - _BOTTOM, name, types)
        for at, name in enumerate(names)
        if (types := set(site.flagged.get(name, ())) - _DRAWN)
    ]
    drawn = [_mark(*other, kind="other") for other in others] + [
        f'<g transform="translate({number * _WIDTH} 0)">{_panel(panel, names, site)}</g>'
        for number, panel in enumerate(panels)
    ]
    label = escape(f"{site.site}: hours, pay and output from {names[0]} to {names[-1]}")
    size = f"{len(panels) * _WIDTH} {_HEIGHT}"
    return f'<svg class="months" role="img" aria-label="{label}" viewBox="0 0 {size}">' + (
        "".join(drawn) + "</svg>"
    )


def _panel(panel: _Panel, names: Sequence[str], site: SiteTold) -> str:
    title = f'<text x="{_LEFT}" y="11" class="title">{escape(panel.title)}</text>'
    known = [value for value in (*panel.values, *panel.limits) if value is not None]
    if not any(value is not None for value in panel.values):
        return f'{title}<text x="{_LEFT}" y="50">not reported</text>'
    top = max(known) * _HEADROOM or 1.0
    points = _points(panel.values, top)
    marks = "".join(
        _mark(*point, names[at], types)
        for at, point in enumerate(points)
        if point is not None and (types := panel.types & set(site.flagged.get(names[at], ())))
    )
    last = next(value for value in reversed(panel.values) if value is not None)
    return (
        f'{title}<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{_HEIGHT - _BOTTOM}" '
        f'y2="{_HEIGHT - _BOTTOM}"/>'
        f'{_limit(panel.limits, top, last)}<path class="value" d="{_line(points)}"/>{marks}'
        f'<text x="{_WIDTH - _RIGHT + 6}" y="{_y(last, top) + 4:.1f}">{last:,.4g}</text>'
        f'<text x="{_LEFT}" y="{_HEIGHT - 4}" class="month">{escape(names[0])}</text>'
        f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 4}" class="month" text-anchor="end">'
        f"{escape(names[-1])}</text>"
    )


def _limit(limits: _Values, top: float, value: float) -> str:
    if not any(limit is not None for limit in limits):
        return ""
    last = next(limit for limit in reversed(limits) if limit is not None)
    # The two figures at the end of the lines stand one above the other, never over each other.
    beside, other = _y(last, top), _y(value, top)
    place = min(beside, other - _LINE) if last >= value else max(beside, other + _LINE)
    return (
        f'<path class="limit" d="{_line(_points(limits, top))}"/><text class="legal" '
        f'x="{_WIDTH - _RIGHT + 6}" y="{place + 4:.1f}">law {last:,.4g}</text>'
    )


def _mark(x: float, y: float, month: str, types: Collection[str], kind: str = "mark") -> str:
    told = escape(f"{month}: {', '.join(sorted(types))}")
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="4"><title>{told}</title></circle>'


def _step(count: int) -> float:
    return (_WIDTH - _LEFT - _RIGHT) / max(count - 1, 1)


def _points(values: _Values, top: float) -> list[tuple[float, float] | None]:
    step = _step(len(values))
    return [
        None if value is None else (_LEFT + at * step, _y(value, top))
        for at, value in enumerate(values)
    ]


def _y(value: float, top: float) -> float:
    """From zero: a figure that halves looks half as high."""
    return _HEIGHT - _BOTTOM - max(value, 0.0) / top * (_HEIGHT - _BOTTOM - _TOP)


def _line(points: Sequence[tuple[float, float] | None]) -> str:
    """Draw from month to month; a month without a value leaves a gap."""
    parts, pen = [], "M"
    for point in points:
        if point is None:
            pen = "M"
            continue
        parts.append(f"{pen}{point[0]:.1f} {point[1]:.1f}")
        pen = "L"
    return "".join(parts)
