"""EPCIS documents written piece by piece, numbers as they were. Pure.

Next: provenance/epcis/export.py
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from provenance.epcis.jsonpull import Number
from provenance.epcis.vocabulary import CONTEXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["document_text", "event_text", "json_text", "query_text"]


def json_text(value: Any) -> str:
    """Write a value as `jsonpull` parses them; texts that are no `Number` are quoted."""
    if type(value) is Number:
        return str(value)
    if isinstance(value, dict):
        members = (f"{json_text(str(name))}:{json_text(part)}" for name, part in value.items())
        return f"{{{','.join(members)}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(json_text, value))}]"
    return json.dumps(value, ensure_ascii=False)


def document_text(
    events: Iterable[tuple[Mapping[str, Any], list[Any]]], created: str
) -> Iterator[str]:
    """Write a document, an event a line.

    Args:
        events: Each with the parts of its context that are not the standard one. Those of the
            first stand at the head of the document; an event with others bears its own.
        created: The time of creation, with its offset.
    """
    head: list[Any] | None = None
    for event, context in events:
        if head is None:
            head = context
            yield _head(head, created)
            separator = ""
        yield f"{separator}\n{_event_text(event, context, head)}"
        separator = ","
    if head is None:
        yield _head([], created)
    yield "\n]}}\n"


def query_text(events: Sequence[tuple[Mapping[str, Any], list[Any]]]) -> str:
    """Write a query document around the events of one page; contexts as in `document_text`."""
    head = events[0][1] if events else []
    members = {
        "@context": [CONTEXT, *head],
        "type": "EPCISQueryDocument",
        "schemaVersion": "2.0",
        "epcisBody": {
            "queryResults": {"queryName": "SimpleEventQuery", "resultsBody": {"eventList": []}}
        },
    }
    begin, end = json_text(members).rsplit("[]", 1)
    written = ",".join(_event_text(event, context, head) for event, context in events)
    return f"{begin}[{written}]{end}"


def event_text(event: Mapping[str, Any], context: list[Any]) -> str:
    """Write an event that stands alone, with its whole context."""
    return json_text({"@context": [CONTEXT, *context], **event})


def _event_text(event: Mapping[str, Any], context: list[Any], head: list[Any]) -> str:
    own = {"@context": [CONTEXT, *context]} if context != head else {}
    return json_text({**event, **own})


def _head(context: list[Any], created: str) -> str:
    members = {
        "@context": [CONTEXT, *context],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": created,
    }
    return f'{json_text(members)[:-1]},"epcisBody":{{"eventList":['
