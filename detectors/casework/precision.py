"""How often flags hold: the share that people confirmed, with its interval.

People look at the most serious flags first, so the share among all reviewed
flags says nothing about the rest. A fixed share of flags is therefore put up
for review whatever their rank. Which ones, the leaf hash of the flag decides:
nobody can choose it, and anybody can check it.

Next: detectors/casework/queue.py
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from detectors.casework.reviews import DECIDED, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from detectors.casework.reviews import Review
    from graph.model import Record

__all__ = ["EXPLORED", "Precision", "draw", "explored", "interval", "precisions"]

EXPLORED: Final = 0.075
"""Share of flags that are put up for review whatever their rank."""
_CONFIDENCE: Final = 0.95


class Precision(NamedTuple):
    """How often the flags of one detector held.

    Attributes:
        detector: Its name.
        flags: How many current flags it has.
        states: How many of them are in each state that occurs.
        low: Lower end of the 95 % interval of the confirmed share, 0 to 1.
        high: Upper end.
        drawn_confirmed: Confirmed ones among those drawn whatever their rank.
        drawn_decided: Confirmed and dismissed ones among those.
        drawn_low: Lower end of the interval from those alone: the unbiased one.
        drawn_high: Upper end.
    """

    detector: str
    flags: int
    states: Mapping[State, int]
    low: float
    high: float
    drawn_confirmed: int
    drawn_decided: int
    drawn_low: float
    drawn_high: float

    @property
    def decided(self) -> int:
        """How many were confirmed or dismissed."""
        return sum(self.states.get(state, 0) for state in DECIDED)

    @property
    def share(self) -> float | None:
        """The confirmed share of the decided ones; None where none is."""
        return self.states.get(State.CONFIRMED, 0) / self.decided if self.decided else None


def draw(leaf_hash: bytes) -> float:
    """Return a flag's place in the drawing, 0 to 1, uniform over flags."""
    found = hashlib.sha256(b"provenance exploration\0" + leaf_hash).digest()
    return int.from_bytes(found[:8]) / 2**64


def explored(leaf_hash: bytes) -> bool:
    """Whether a flag is put up for review whatever its rank."""
    return draw(leaf_hash) < EXPLORED


def interval(confirmed: int, decided: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Clopper and Pearson, 1934); 0 to 1 where none is known.

    Args:
        confirmed: How many held.
        decided: Of how many.
    """
    from scipy import stats  # noqa: PLC0415 - 0.5 s, only for people who ask

    tail = (1 - _CONFIDENCE) / 2
    low = stats.beta.ppf(tail, confirmed, decided - confirmed + 1) if confirmed else 0.0
    high = (
        stats.beta.ppf(1 - tail, confirmed + 1, decided - confirmed) if confirmed < decided else 1.0
    )
    return float(low), float(high)


def precisions(flags: Iterable[Record], reviews: Mapping[int, Review]) -> list[Precision]:
    """Say for each detector how often its flags held, in order of name.

    Args:
        flags: Current flags; a decision on one that was superseded counts no more.
        reviews: From `reviews.latest`.
    """
    states: dict[str, Counter[State]] = defaultdict(Counter)
    drawn: dict[str, Counter[State]] = defaultdict(Counter)
    for flag in flags:
        name, review = flag.attrs["detector"], reviews.get(flag.index)
        state = State.OPEN if review is None else review.state
        states[name][state] += 1
        drawn[name][state] += explored(flag.leaf_hash)
    return [_precision(name, states[name], drawn[name]) for name in sorted(states)]


def _precision(name: str, states: Counter[State], drawn: Counter[State]) -> Precision:
    confirmed, decided = states[State.CONFIRMED], sum(states[state] for state in DECIDED)
    drawn_confirmed, drawn_decided = drawn[State.CONFIRMED], sum(drawn[state] for state in DECIDED)
    return Precision(
        name,
        states.total(),
        dict(+states),
        *interval(confirmed, decided),
        drawn_confirmed,
        drawn_decided,
        *interval(drawn_confirmed, drawn_decided),
    )
