"""One logged event as the EPCIS event that a tier may see. Pure.

Next: provenance/ingest/values.py
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from provenance.entries import Tier
from provenance.epcis.checks import InvalidEvent
from provenance.epcis.content import VERSION, as_written
from provenance.epcis.jsonpull import parse
from provenance.epcis.native import as_epcis, made_good
from provenance.epcis.rules import check_event
from provenance.epcis.writing import json_text

if TYPE_CHECKING:
    from provenance.entries import Content
    from provenance.epcis.native import Names

__all__ = ["EVENT_VERSIONS", "epcis_event", "instant"]

EVENT_VERSIONS: Final = frozenset({"event/1", VERSION})
"""Versions of content that are events."""


def epcis_event(
    version: str, content: Content, tier: Tier, names: Names
) -> tuple[dict[str, Any], list[Any]] | str:
    """Write an event of the log as an EPCIS event.

    Args:
        version: "event/1" or "epcis/1".
        content: As far as `tier` may see it.
        tier: Whose view this is.
        names: How things are called outside.

    Returns:
        The event and the parts of its context that are not the standard one; or, where what
        is visible makes no valid event, why.
    """
    if version == VERSION:
        event, context = as_written(content)
        if tier < Tier.PRIVATE:
            event = made_good(event, content, names)
    else:
        event, context = as_epcis(content, names), [names.context]
    try:
        check_event(parse(json_text(event)))
    except InvalidEvent as error:
        field = "/".join("*" if step.isdigit() else step for step in error.pointer.split("/")[1:])
        return f"{field or 'event'}: {error.reason}"
    return event, context


def instant(text: str) -> datetime:
    """Read a time in ISO 8601; without an offset it is UTC.

    Raises:
        ValueError: It is none.
    """
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
