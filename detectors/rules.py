"""What rule detectors share: the score is a ratio to the limit, and 1 is the limit.

Next: detectors/impossible_travel.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from detectors.base import Abstention, Decisions, Sample

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["a_or_an", "beyond_limit", "much", "not_judged", "nothing", "plain", "unit_in_words"]

_EXAMPLES = 5
_COUNTED = frozenset({"piece", "pair", "carton", "pallet", "bag", "case", "roll", "set"})
"""What is counted, and so has a plural; other units are written as they are."""


def beyond_limit(sample: Sample, scores: NDArray[np.float64]) -> Decisions:
    """Flag every score above 1.

    A column `benign` in the sample's table names the innocent cause that is more likely
    than not; empty text means none.
    """
    benign = sample.table.get("benign", pd.Series("", index=sample.table.index))
    return Decisions(
        flagged=scores > 1.0,
        threshold=np.ones(len(scores)),
        likely_benign=(benign != "").to_numpy(bool),
    )


def nothing(left_out: tuple[Abstention, ...] = ()) -> Sample:
    """Return a sample without cases."""
    columns = ("subject_id", "subject_party", "index", "benign")
    return Sample(pd.DataFrame({name: pd.Series(dtype=object) for name in columns}), left_out)


def not_judged(detector: str, reasons: Mapping[str, pd.Series]) -> tuple[Abstention, ...]:
    """Report the subjects that are not in the table; reasons without any are left out."""
    found = []
    for reason, subjects in reasons.items():
        names = sorted(set(subjects.dropna()))
        if names:
            few = tuple(names[:_EXAMPLES])
            found.append(Abstention(detector, reason, len(names), few, frozenset(names)))
    return tuple(found)


def plain(value: float, digits: int = 3) -> str:
    """Write a number for people: `digits` significant ones, thousands separated."""
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits}g}")
    if abs(rounded) >= 10 ** (digits - 1):
        return f"{rounded:,.0f}"
    return f"{rounded:,.{max(0, digits - 1 - int(np.floor(np.log10(abs(rounded)))))}f}".rstrip(
        "0"
    ).rstrip(".")


def much(amount: float, unit: object) -> str:
    """Write a quantity with its unit: "1,440 kg", "1 piece", "12 cases"; "12" where it has none.

    Args:
        amount: How much.
        unit: One of `units.unit_names`, or whatever is missing.
    """
    if not isinstance(unit, str) or not unit:
        return plain(amount)
    return f"{plain(amount)} {unit_in_words(unit, one=plain(amount) == '1')}"


def unit_in_words(unit: object, *, one: bool = False) -> str:
    """Write the unit of a figure: "kg", "pieces", "cases"; "units" where nobody said.

    Args:
        unit: One of `units.unit_names`, or whatever is missing.
        one: Whether the figure is 1.
    """
    if not isinstance(unit, str) or not unit:
        return "unit" if one else "units"
    counted = {"unit": "piece"}.get(unit, unit)
    return f"{counted}s" if counted in _COUNTED and not one else counted


def a_or_an(kind: str) -> str:
    """Write a kind of thing with its article: "an exporter", "a garment factory"."""
    words = kind.replace("_", " ")
    return f"{'an' if words[:1].lower() in set('aeiou') else 'a'} {words}"
