"""Telling: a figure that stands out, in words a compliance officer uses.

Next: detectors/labour/signs.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from detectors.rules import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detectors.labour.sign import Sign

__all__ = ["listed", "told"]


def told(sign: Sign, row: Mapping[str, Any]) -> tuple[str, str]:
    """Return what a sign shows, and what would have been usual."""
    named = sign.needs[-1] if sign.needs else sign.name
    value, centre = float(row[f"value_{named}"]), float(row[f"centre_{named}"])
    away = float(row[f"spread_{named}"])
    low, high = centre - away, centre + away
    away_by = float(np.nan_to_num(np.clip(value - centre, -20, 20)))
    factor = plain(float(np.exp(away_by)), 2)
    shown, usual = _written(sign, value), _written(sign, centre)
    said = sign.phrase.format(value=shown, usual=usual, factor=factor)
    name = sign.name.replace("_", " ")
    if sign.side == "down":
        return said, f"{name} at least {_written(sign, low)}"
    if sign.side == "both":
        return said, f"{name} between {_written(sign, low)} and {_written(sign, high)}"
    return said, f"{name} at most {_written(sign, high)}"


def _written(sign: Sign, value: float) -> str:
    if np.isnan(value):
        return "unknown"
    if sign.kind == "share":
        return f"{plain(max(0.0, 100 * value), 2)} %"
    if sign.kind == "people":
        return f"{plain(100 * float(np.sin(np.clip(value, 0, np.pi / 2)) ** 2), 2)} %"
    if sign.kind == "debt":
        return plain(50.0 * float(np.sinh(np.clip(value, 0, 15))))
    if sign.kind == "count":
        return plain(max(0.0, (value / 2) ** 2 - 0.375), 2)
    if sign.kind == "log":
        return plain(float(np.exp(np.clip(value, -20, 30))))
    return plain(max(value, 0.0))


def listed(phrases: list[str]) -> str:
    """Join phrases into one clause."""
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"
