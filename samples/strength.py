"""How strong a planted deed is, counted in natural spreads.

The committed samples tell stories: their deeds are as large as such deeds are.
To measure detectors, a world can be made in which every deed that has a size is
a given number of natural spreads beyond what is natural. The spread is the
standard deviation of the same figure among honest ones, as this world draws
them; where honest figures hardly vary (a quantity, a date), it is what weighing
and clocks would make of them. Deeds without a size (a copied tag, a listed
seller, a buyer without a history) are the same at every strength.

Next: samples/simulate.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from samples.dice import Dice

__all__ = ["SPREADS", "STRENGTHS", "Strength"]

SPREADS = {
    "weight": (0.012, "share of the weight: packaging is 2.0 to 6.2 % of the goods"),
    "value": (0.035, "share of the value: prices vary by this much about the month's"),
    "dwell": (24.0, "hours: waits at hubs and gates last 4 to 80"),
    "stock": (105.0, "hours: stays in distribution centres last 1 to 20 days"),
    "collecting": (190.0, "hours: exporters wait until loads are full, up to a month"),
    "speed": (0.15, "share of the fastest vehicle's speed: detours and clocks"),
    "detour": (0.2, "share of the leg's length"),
    "clock": (4.0, "hours between two honest clocks, time zones included"),
    "booking": (2.0, "days between a sale and its booking"),
    "quantity": (0.03, "share of the quantity: weighing, counting and losses"),
    "warmth": (0.9, "degrees Celsius within a cold store, beyond its range"),
    "hours": (1.5, "hours a week from month to month, seasons included"),
    "pay": (0.03, "share of the pay an hour"),
    "output": (0.1, "share of the output an hour, seasons included"),
    "heads": (0.05, "share of the headcount"),
    "age": (0.5, "years below the minimum"),
    "exactly_18": (0.012, "share of the workers"),
    "jan_1": (0.015, "share of the workers"),
    "no_papers": (0.01, "share of the workers"),
    "fee": (60.0, "US dollars a worker, beyond ordinary costs"),
    "passports": (0.04, "share of the workers"),
    "deductions": (0.012, "share of the wages"),
    "migrants": (0.04, "share of the workers"),
}
"""Natural spread by figure, with its unit."""


class Strength(NamedTuple):
    """From how many spreads to how many a deed reaches."""

    low: float
    high: float

    def draw(self, figure: str, dice: Dice) -> float:
        """Draw how far a deed goes, in the unit of the figure.

        Args:
            figure: A name in `SPREADS`.
            dice: The deed's own stream.
        """
        return SPREADS[figure][0] * dice.between(self.low, self.high)


STRENGTHS = {"easy": Strength(6, 9), "medium": Strength(3, 6), "hard": Strength(1.5, 3)}
"""The strengths that `--strength` names."""
