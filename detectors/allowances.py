"""What each family may flag, once every detector has said how rare its cases are.

The families of one period and one kind of subject share the false-discovery
level: Benjamini and Hochberg (1995) over all their p-values together, weighted
(Genovese, Roeder and Wasserman, 2006) so that every detector begins with the
same share of the false flags that are allowed, however many cases it judges,
and has more the more it finds by itself. What is found again and again in one
family is held to its own company; what stands alone, to that of all.

Only what is rare takes part: `COMMONEST` bounds how far good company can carry
a case, and how much has to be remembered of a family that is not judged again.

Next: detectors/judging.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from detectors.base import Decisions
from detectors.nulls import adjust, adjust_families, members_of, thresholds
from detectors.ranking import GENERAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.base import Detector

__all__ = ["COMMONEST", "NOTHING", "Allowance", "Rare", "allowances", "by_family", "rare_of"]

COMMONEST: Final = 0.005
"""Nothing that one in 200 ordinary cases shows is flagged, in whatever company."""
_GENERAL_SHARE: Final = 0.25
"""Of a specific question's: general models are the weaker evidence."""
_TO_BEGIN_WITH: Final = 4
"""Every family counts as having found so many, besides what it finds by itself."""
_DIGITS: Final = ".12g"
"""As many as the log keeps, so that a replay decides by the same number."""
_SLACK: Final = 1 + 1e-9
"""So that rounding leaves out nobody whose p-value is the largest that is flagged."""


class Rare(NamedTuple):
    """What a family brings to the others.

    Attributes:
        size: How many cases it judged.
        p: Those of its p-values that are at most `COMMONEST`, ascending.
    """

    size: int
    p: tuple[float, ...]


class Allowance(NamedTuple):
    """What a family may flag.

    Attributes:
        cut: The largest p-value that is flagged; 0 where nothing is.
        p: p-values, ascending.
        q: The smallest false-discovery level at which each of them would be flagged.
    """

    cut: float
    p: NDArray[np.float64]
    q: NDArray[np.float64]

    def q_of(self, p: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the q-value of p-values of the family; 1 for what is never flagged."""
        return np.append(self.q, 1.0)[np.searchsorted(self.p, p)]


NOTHING: Final = Allowance(0.0, np.empty(0), np.empty(0))


def by_family(p: NDArray[np.float64], family: NDArray[np.object_], level: float) -> Decisions:
    """Decide what each family flags by itself: what survives Benjamini-Hochberg within it.

    Args:
        p: How rare each case is.
        family: The label of each.
        level: False-discovery level.
    """
    q = adjust_families(p, family)
    innocent = np.zeros(len(p), bool)
    return Decisions(q <= level, thresholds(q, family, level), innocent, p, q, family)


def rare_of(decisions: Decisions) -> dict[str, Rare]:
    """Return what each family of a detector brings; nothing where it has no null."""
    if decisions.family is None or decisions.p is None:
        return {}
    p = decisions.p
    return {
        label: Rare(len(own), tuple(np.sort(p[own][p[own] <= COMMONEST]).tolist()))
        for label, own in members_of(decisions.family).items()
    }


def allowances(
    answers: Mapping[str, tuple[Detector, Mapping[str, Rare]]], level: float
) -> dict[str, dict[str, Allowance]]:
    """Return what each family of each detector may flag, by the detector's name and the label.

    Args:
        answers: By name, the detectors and what their families bring.
        level: False-discovery level of the run.
    """
    periods: dict[tuple[str, str], list[tuple[str, Rare, float]]] = {}
    for name, (detector, families) in sorted(answers.items()):
        weight = _GENERAL_SHARE if detector.type == GENERAL else 1.0
        for label, rare in families.items():
            period = periods.setdefault((detector.subject_kind.value, label), [])
            period.append((name, rare, weight))
    found: dict[str, dict[str, Allowance]] = {name: {} for name in answers}
    for (_, label), members in periods.items():
        for (name, _, _), allowed in zip(members, _shared(members, level), strict=True):
            found[name][label] = allowed
    return found


def _shared(members: list[tuple[str, Rare, float]], level: float) -> list[Allowance]:
    """Share the level among the families of one period."""
    shares = [weight * (_TO_BEGIN_WITH + _alone(rare, level)) for _, rare, weight in members]
    # A p-value in units of what one more flag allows its family.
    units = [
        rare.size * sum(shares) / share for (_, rare, _), share in zip(members, shares, strict=True)
    ]
    needed = np.concatenate(
        [np.array(rare.p) * unit for (_, rare, _), unit in zip(members, units, strict=True)]
    )
    q = adjust(needed, 1)
    flags = int(np.count_nonzero(q <= level))
    allowed, start = [], 0
    for (_, rare, _), unit in zip(members, units, strict=True):
        cut = float(f"{min(level * flags / unit * _SLACK, COMMONEST):{_DIGITS}}")
        allowed.append(Allowance(cut, np.array(rare.p), q[start : start + len(rare.p)]))
        start += len(rare.p)
    return allowed


def _alone(rare: Rare, level: float) -> int:
    """Return how many cases a family would flag by itself."""
    return int(np.count_nonzero(adjust(np.array(rare.p), rare.size) <= level))
