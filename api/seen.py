"""What witnesses have seen, in words for people who scan a code.

Next: api/log_type.py
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provenance.store.witnessed import Standing

__all__ = ["moment_of", "seen_words"]


def moment_of(seconds: int) -> datetime | None:
    """Return the time that is so many seconds after 1970; None for what is no time."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def seen_words(standing: Standing) -> str:
    """Say in one sentence how far others have seen this log."""
    if not standing.known:
        return "Nobody else is asked to remember this history; whoever keeps a checkpoint does."
    since = "" if standing.since_us is None else f" since {_text(standing.since_us // 1_000_000)}"
    if not standing.seen_size:
        return f"Not yet seen by any witness{since}."
    times = [seconds for _, seconds in standing.seen_by]
    latest = _text(max(times, default=0))
    seen = f"Seen by {len(times)} of {standing.known} witnesses at {latest}"
    if standing.seen_size == standing.size and standing.since_us is None:
        return f"{seen}, all of it."
    if standing.seen_size == standing.size:
        return f"{seen}; more of them must see it before it counts as witnessed."
    return f"{seen}, up to entry {standing.seen_size - 1}; what came after is not yet seen{since}."


def _text(seconds: int) -> str:
    moment = moment_of(seconds)
    return "a time unknown" if moment is None else f"{moment.day} {moment:%B %Y, %H:%M} UTC"
