"""From a header and some rows to what each column is.

Next: provenance/ingest/inspecting/plan.py
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from provenance.ingest.inspecting.matching import assign
from provenance.ingest.inspecting.profile import Profile, number_of, profile_of
from provenance.ingest.inspecting.roles import ROLES
from provenance.ingest.inspecting.scoring import LEAST, Score, score

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SAMPLE", "Guess", "recognise_columns"]

SAMPLE: Final = 2_000
"""Rows that are looked at, spread over the file."""
_CHECKED: Final = 200
_AGREE: Final = 0.8
_NEAR: Final = 0.02
_OTHERS: Final = 3
_FACTOR: Final = -0.4
_NUMBERS_TRIED: Final = 14
_PREFIXED: Final = 4
_MOST_OF: Final = 0.7
_LEFT: Final = 2


@dataclass(frozen=True)
class Guess:
    """What a column is taken for.

    Attributes:
        column: Its place.
        header: Its name.
        best: The role that it has, or None.
        others: Roles that it could have had, the best first.
        profile: Its values.
    """

    column: int
    header: str
    best: Score | None
    others: tuple[Score, ...]
    profile: Profile


def recognise_columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Guess]:
    """Give each column its role, each role to at most one column.

    Args:
        header: The columns.
        rows: Cells of some rows, as wide as the header.
    """
    profiles = [profile_of([row[at] for row in rows]) for at in range(len(header))]
    sums = _sums(rows, profiles)
    titles = _without_prefix(header)
    scores = [
        {name: score(title, profile, name, sums.get((at, name), 0.0)) for name in ROLES}
        for at, (title, profile) in enumerate(zip(titles, profiles, strict=True))
    ]
    names = list(ROLES)
    gains = [[_gain(found[name].confidence) for name in names] for found in scores]
    chosen = assign(gains)
    return [
        _guess(at, title, profiles[at], scores[at], None if role is None else names[role])
        for at, (title, role) in enumerate(zip(header, chosen, strict=True))
    ]


def _without_prefix(header: Sequence[str]) -> list[str]:
    """Headers without the table's name in front, as in `order_status, order_delivered_date`.

    What stands in front of most columns tells them not apart; where too little is left, such as
    the `id` of `order_id`, it stays.
    """
    parts = [re.split(r"[ _.]", title.strip()) for title in header]
    first, count = Counter(each[0].casefold() for each in parts).most_common(1)[0]
    if count < max(_PREFIXED, _MOST_OF * len(header)):
        return list(header)
    return [
        " ".join(each[1:]) if len(each) > _LEFT and each[0].casefold() == first else title
        for title, each in zip(header, parts, strict=True)
    ]


def _gain(confidence: float) -> float:
    """Worth of an assignment; squared, so that a sure one is not traded for two weak ones."""
    return confidence * confidence if confidence >= LEAST else 0.0


def _guess(
    at: int, header: str, profile: Profile, found: dict[str, Score], role: str | None
) -> Guess:
    best = found[role] if role else None
    ranked = sorted(found.values(), key=lambda one: -one.confidence)
    others = tuple(one for one in ranked if one is not best and one.confidence >= LEAST)
    return Guess(at, header, best, others[:_OTHERS], profile)


def _sums(rows: Sequence[Sequence[str]], profiles: list[Profile]) -> dict[tuple[int, str], float]:
    """Columns of which one is the product of two others: value, quantity and price."""
    numeric = [
        at
        for at, profile in enumerate(profiles)
        if profile.has("number") > _AGREE and profile.filled
    ][:_NUMBERS_TRIED]
    if len(numeric) < 3:  # noqa: PLR2004 - two factors and a product
        return {}
    table = [[number_of(row[at].strip()) for at in numeric] for row in rows[:_CHECKED]]
    found: dict[tuple[int, str], float] = {}
    for product in range(len(numeric)):
        for one in range(len(numeric)):
            for other in range(one):
                if product not in (one, other) and _multiplies(table, one, other, product):
                    found[numeric[product], "value"] = 0.5
                    for factor in (one, other):
                        found.setdefault((numeric[factor], "value"), _FACTOR)
                        whole = profiles[numeric[factor]].has("whole") > _AGREE
                        found[numeric[factor], "quantity" if whole else "unit_price"] = 0.3
    return found


def _multiplies(table: list[list[float | None]], one: int, other: int, product: int) -> bool:
    agreeing = tried = 0
    for row in table:
        a, b, c = row[one], row[other], row[product]
        # Ones and zeros multiply to anything.
        if a is None or b is None or c is None or 0 in (a, b, c) or 1 in (a, b):
            continue
        tried += 1
        agreeing += abs(a * b - c) <= _NEAR * abs(c)
    return tried >= 3 and agreeing >= _AGREE * tried  # noqa: PLR2004 - less may be chance
