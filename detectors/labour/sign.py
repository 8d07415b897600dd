"""A sign: one figure of a facility-month that moves when something is wrong.

Next: detectors/labour/telling.py
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Sign"]


@dataclass(frozen=True, slots=True)
class Sign:
    """One figure that moves when something is wrong.

    Attributes:
        name: The table holds it as `value_{name}`, its chance spread as `noise_{name}`.
        phrase: What a departure means; {value}, {usual} and {factor} are filled in.
        side: Which way is strange.
        kind: How the figure is written for people; "log" is the log of a number, "people"
            the arcsine of the square root of a share of the workers.
        reach: Neighbouring months each way that are the site's past; None is all.
        between: Whether a site that always departs from its peers is strange, too.
        most: Beyond this many spreads one sign alone counts no more.
        least: A usual below this counts as this; for figures with a natural limit.
        needs: Signs that must point the same way; the weakest of them counts.
        counts: Whether it counts by itself, or only where another sign needs it.
    """

    name: str
    phrase: str = ""
    side: Literal["up", "down", "both"] = "up"
    kind: Literal["share", "people", "debt", "count", "log", "number"] = "number"
    reach: int | None = None
    between: bool = False
    most: float = 12.0
    least: float | None = None
    needs: tuple[str, ...] = ()
    counts: bool = True
