"""Flags with what became of them: what people decided, and what a later run superseded.

Next: api/erased_events.py
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from api.reading import Record
from detectors.casework.reviews import State
from detectors.casework.superseded import read_flags, whole
from graph.keys import flag_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.reading import FlagFilter
    from detectors.casework.reviews import Review
    from graph.store import GraphStore
    from provenance.entries import Content, Tier

__all__ = ["all_flags", "fits", "is_dismissed", "reviewed"]

_ASKED_FOR: Final = (State.DISMISSED, State.SUPERSEDED)
"""States that are listed for those who ask for them."""


def all_flags(graph: GraphStore, tier: Tier, reviews: Mapping[int, Review]) -> list[Record]:
    """Return the last flag of each subject with its state, the newest first.

    Args:
        graph: Where to read.
        tier: The viewer's.
        reviews: What people decided.
    """
    current, superseded = read_flags(graph, tier)
    flags = []
    for each in (*current, *whole(graph, superseded, tier)):
        flag = Record(flag_key(each.index), each.attrs, each.index, each.leaf_hash)
        flag = reviewed(flag, reviews)
        if (by := superseded.get(each.index)) is not None:
            told = {"review_state": State.SUPERSEDED.value, "superseded_reason": by.reason}
            whose = {"superseded_cause": by.cause, "superseded_index": by.entry}
            flag = replace(flag, content={**flag.content, **told, **whose})
        flags.append(flag)
    return sorted(flags, key=lambda flag: -(flag.index or 0))


def reviewed(flag: Record, reviews: Mapping[int, Review]) -> Record:
    """Add to a flag what was decided on it."""
    review = reviews.get(-1 if flag.index is None else flag.index)
    if review is None:
        return flag
    told = {"review_state": review.state.value, "review_reason": review.reason}
    whose = {"review_by": review.reviewer, "review_index": review.index}
    return replace(flag, content={**flag.content, **told, **whose})


def is_dismissed(flag: Record) -> bool:
    """Tell whether people have dismissed a flag."""
    return bool(flag.content.get("review_state") == State.DISMISSED)


def fits(content: Content, wanted: FlagFilter) -> bool:
    """Tell whether a flag is among those that are asked for."""
    state = content.get("review_state", State.OPEN)
    if state != wanted.state if wanted.state else state in _ASKED_FOR:
        return False
    return all(
        asked is None or content.get(name) == asked
        for name, asked in (
            ("type", wanted.type),
            ("severity", wanted.severity),
            ("evidence_class", wanted.evidence_class),
            ("subject_kind", wanted.subject_kind),
            ("subject_id", wanted.subject_id),
        )
    )
