"""Which open flags a run no longer raises, although it asked.

A flag falls when its detector answered and did not raise it again. It stands
where the detector failed, was not asked, or says that it did not judge the
subject: silence is no acquittal. What is no longer on record at all cannot be
judged and carries no flag. What people decided stays decided.

Next: detectors/casework/superseded.py
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from detectors.columns import texts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    import pandas as pd

    from detectors.base import Abstention
    from graph.frames import Frames

__all__ = ["Dropped", "Subject", "about", "dropped", "fallen", "open_flags"]

Subject = tuple[str, str, str | None, str]
"""Whom a flag is about, and who says so: detector, type, party (None where ids are global), id."""

_DECIDED: Final = ("confirmed", "dismissed")


class Dropped(NamedTuple):
    """An open flag that the run does not raise.

    Attributes:
        flag: Its log index.
        detector: Who raised it.
        gone: Whether what it is about is no longer on record.
    """

    flag: int
    detector: str
    gone: bool


def open_flags(frames: Frames) -> pd.DataFrame:
    """Return the flags that stand and that nobody has decided on, as rows of `Frames.flags`."""
    flags, reviews = frames.flags, frames.reviews
    decided = reviews.loc[texts(reviews, "state").isin(_DECIDED), "flag_index"]
    return flags[texts(flags, "cause").isna() & ~flags["index"].isin(decided)]


def fallen(frames: Frames) -> dict[str, set[tuple[str | None, str]]]:
    """Return party and id of those whose last flag was superseded, by detector."""
    flags = frames.flags
    found: dict[str, set[tuple[str | None, str]]] = {}
    for detector, _, party, subject in _subjects(flags[texts(flags, "cause").notna()]):
        found.setdefault(detector, set()).add((party, subject))
    return found


def about(abstentions: Iterable[Abstention], subjects: Collection[str]) -> tuple[Abstention, ...]:
    """Keep of who was not judged only some subjects: the others will not be asked for."""
    wanted = frozenset(subjects)
    return tuple(
        one if one.subjects is None else replace(one, subjects=one.subjects & wanted)
        for one in abstentions
    )


def dropped(
    frames: Frames, answered: Mapping[str, Iterable[Abstention]], raised: Collection[Subject]
) -> list[Dropped]:
    """List the open flags that a run asked about and does not raise, in the order of the log.

    Args:
        frames: What the run read.
        answered: The detectors that answered, and what each says that it did not judge.
        raised: Whom the run flags, flags of earlier runs that stand among them.
    """
    flags = open_flags(frames)
    flags = flags[texts(flags, "detector").isin(answered.keys())].sort_values("index")
    every = _subjects(flags)
    # Most are raised again: the record is only searched for the others.
    mine = [place for place, whom in enumerate(every) if whom not in raised]
    flags = flags.iloc[mine]
    left_out = {name: _unjudged(abstentions) for name, abstentions in answered.items()}
    found = []
    for place, index, there in zip(
        mine, flags["index"].tolist(), _on_record(frames, flags), strict=True
    ):
        detector, *_, subject = every[place]
        unjudged = left_out[detector]
        if not there or not (unjudged is None or subject in unjudged):
            found.append(Dropped(int(index), detector, not there))
    return found


def _unjudged(abstentions: Iterable[Abstention]) -> frozenset[str] | None:
    """Return whom a detector did not judge; None where it does not say who they are."""
    every: set[str] = set()
    for one in abstentions:
        if one.subjects is None:
            return None
        every |= one.subjects
    return frozenset(every)


def _subjects(flags: pd.DataFrame) -> list[Subject]:
    columns = (texts(flags, name) for name in ("detector", "type", "subject_party", "subject_id"))
    return [
        (detector, kind, party if isinstance(party, str) and party else None, subject)
        for detector, kind, party, subject in zip(*columns, strict=True)
    ]


def _on_record(frames: Frames, flags: pd.DataFrame) -> list[bool]:
    """Tell of each flag whether what it is about is on record; of kinds without rows, it is."""
    if flags.empty:
        return []
    subject, kind = texts(flags, "subject_id"), texts(flags, "subject_kind")
    events, months = frames.events, frames.labour
    events = events[texts(events, "event_id").isin(subject)]
    event = _named(flags, "subject_party", "subject_id").isin(_named(events, "party", "event_id"))
    site, month = texts(months, "facility_id"), texts(months, "month")
    told = subject.isin(site.fillna("") + "|" + month.fillna(""))
    there = (event | (kind != "event")) & (told | (kind != "facility_month"))
    return [bool(one) for one in there]


def _named(table: pd.DataFrame, party: str, ident: str) -> pd.Series:
    whole: pd.Series = texts(table, party).fillna("") + "\x1f" + texts(table, ident).fillna("")
    return whole
