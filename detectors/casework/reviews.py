"""A review: a person's decision on a flag, with a reason, as an entry of the log.

Decisions are never changed, only followed by others: the latest one on a flag
is its state. A flag that nobody has decided on is open.

Next: detectors/casework/cases.py
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from provenance.disclosure.privacy import b64
from provenance.entries import Draft, EntryType, Identity
from provenance.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from graph.model import Record
    from provenance.entries import Content

__all__ = ["DECIDED", "DECISIONS", "VERSION", "Review", "State", "draft", "latest"]

VERSION: Final = "review/1"
_LONGEST: Final = 2_000
"""Characters of a reason: a finding, not a file."""


class State(StrEnum):
    """What has been decided on a flag, or that a run has superseded it before anybody did."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    NEEDS_INFORMATION = "needs-information"
    SUPERSEDED = "superseded"


DECISIONS: Final = (State.OPEN, State.CONFIRMED, State.DISMISSED, State.NEEDS_INFORMATION)
"""The states that are for people to give."""
DECIDED: Final = (State.CONFIRMED, State.DISMISSED)
"""The states that say whether the flag was right."""


@dataclass(frozen=True, slots=True)
class Review:
    """The latest decision on one flag, as far as its reader may see it.

    Attributes:
        flag: Log index of the flag.
        state: What was decided.
        reason: Why, in the reviewer's words; None where the reader may not see it.
        reviewer: Who decided; None likewise.
        index: Log index of the review.
    """

    flag: int
    state: State
    reason: str | None
    reviewer: str | None
    index: int


def draft(flag: Record, state: State, *, reason: str, reviewer: str, party: str) -> Draft:
    """Turn a decision into a draft for the log.

    The same decision by the same person for the same reason is appended once.

    Args:
        flag: The flag, with its content.
        state: What was decided, of `DECISIONS`; `State.OPEN` takes an earlier decision back.
        reason: Why.
        reviewer: Who decided: a name, or an address within the company.
        party: Whose review it is.

    Raises:
        UsageError: Reason or reviewer is missing or much too long, or the state is a run's to give.
    """
    if state not in DECISIONS:
        raise UsageError(f"--state {state}: that is for a run to say, not for a person")
    for name, text in (("reason", reason), ("reviewer", reviewer)):
        if not text.strip():
            raise UsageError(f"--{name}: a review needs one")
        if len(text) > _LONGEST:
            raise UsageError(f"--{name}: at most {_LONGEST:,} characters")
    said = {"state": state.value, "reason": reason.strip(), "reviewer": reviewer.strip()}
    about = {name: flag.attrs[name] for name in ("detector", "type", "subject_id")}
    content = {"party": party, "flag": [flag.index, b64(flag.leaf_hash)], **about, **said}
    key = ("review", str(flag.index))
    return Draft(EntryType.REVIEW, VERSION, content, (Identity(key, said),), on_change="version")


def latest(records: Iterable[Record]) -> Mapping[int, Review]:
    """Return the review of each flag that has one, by the flag's log index.

    Args:
        records: The graph's records of the kind `RecordKind.REVIEW`.
    """
    return {review.flag: review for review in map(_review, records)}


def _review(record: Record) -> Review:
    content: Content = record.attrs
    return Review(
        flag=content["flag"][0],
        state=State(content.get("state", State.NEEDS_INFORMATION)),
        reason=content.get("reason"),
        reviewer=content.get("reviewer"),
        index=record.index,
    )
