"""EPCIS documents as they come: the events in them one by one, and what stands around them.

Taken are EPCIS documents and query documents, lists of events, single events,
and what the quarantine made of a document. The members may come in any order,
so what the context says is only known at the end: who needs it reads a document
twice.

Next: provenance/epcis/writing.py
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from provenance.epcis.content import own_context
from provenance.epcis.rules import EVENT_TYPES
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.epcis.jsonpull import JsonText

__all__ = ["FoundEvent", "Header", "read_events"]

_EVENTS: Final = "eventList"
_QUARANTINE: Final = "quarantine"
_BODY: Final = ("epcisBody", "queryResults", "resultsBody")
_DOCUMENTS: Final = frozenset({"EPCISDocument", "EPCISQueryDocument"})


@dataclass
class Header:
    """What stands around the events; complete when they have all been read.

    Attributes:
        context: The parts of the JSON-LD context that are not the standard one.
        ignored: Names of extensions that the event hash leaves out.
        vocabularies: The vocabularies of its master data, as they are parsed.
        notices: What of the document was not taken.
    """

    context: list[Any] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    vocabularies: list[Any] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


class FoundEvent(NamedTuple):
    """One event of a document.

    Attributes:
        pointer: JSON pointer to it.
        value: As `jsonpull` parses it.
        text: As it stood there.
        origin: Pointer to it in the document in which it was first delivered, where this one is
            what the quarantine made of that; "" otherwise.
    """

    pointer: str
    value: Any
    text: str
    origin: str = ""


def read_events(text: JsonText, header: Header) -> Iterator[FoundEvent]:
    """Yield the events of a document in order, and fill in the header on the way.

    Raises:
        InputError: It is not JSON, or no EPCIS 2.0.
    """
    first = text.next_char()
    if first == "[":
        yield from _listed(text, "")
    elif first == "{":
        yield from _document(text, header)
    else:
        raise InputError(f"{text.name}: is neither a JSON object nor a list")
    text.end()


def _listed(text: JsonText, pointer: str) -> Iterator[FoundEvent]:
    for number in text.items():
        yield FoundEvent(f"{pointer}/{number}", *text.value())


def _document(text: JsonText, header: Header) -> Iterator[FoundEvent]:
    members: dict[str, tuple[Any, str]] = {}
    events = False
    for name in text.members():
        if name == _BODY[0] and text.next_char() == "{":
            events = True
            yield from _body(text, f"/{name}", header)
        else:
            members[name] = text.value()
            _note(name, members[name][0], header)
    kind = members.get("type", ("", ""))[0]
    if events:
        _check_document(text.name, kind, members)
    elif kind in EVENT_TYPES:
        written = ",".join(f"{json.dumps(name)}:{part[1]}" for name, part in members.items())
        value = {name: part[0] for name, part in members.items()}
        yield FoundEvent("", value, f"{{{written}}}")
    else:
        raise InputError(
            f"{text.name}: is JSON, but neither an EPCIS document with an epcisBody nor an event"
        )


def _body(text: JsonText, pointer: str, header: Header) -> Iterator[FoundEvent]:
    for name in text.members():
        here = f"{pointer}/{name}"
        if name == _EVENTS and text.next_char() == "[":
            yield from _listed(text, here)
        elif name == _QUARANTINE and text.next_char() == "[":
            yield from _quarantined(text, here)
        elif name in _BODY and text.next_char() == "{":
            yield from _body(text, here, header)
        elif name == "event":
            yield FoundEvent(here, *text.value())
        else:
            _note(name, text.value().value, header)


def _quarantined(text: JsonText, pointer: str) -> Iterator[FoundEvent]:
    for number in text.items():
        origin = ""
        for name in text.members():
            pulled = text.value()
            if name == "at" and type(pulled.value) is str:
                origin = pulled.value
            if name == "event":
                yield FoundEvent(f"{pointer}/{number}/event", *pulled, origin)


def _note(name: str, value: Any, header: Header) -> None:
    if name == "@context":
        header.context += own_context(value)
    elif name.endswith(":ignoreFields") and isinstance(value, list):
        header.ignored += [one for one in value if type(one) is str]
    elif name == "vocabularyList" and isinstance(value, list):
        header.vocabularies += value
    elif name == "epcisHeader" and isinstance(value, dict):
        for part, inner in value.items():
            if part == "epcisMasterData" and isinstance(inner, dict):
                _note("vocabularyList", inner.get("vocabularyList"), header)
            else:
                header.notices.append(f"epcisHeader: {part[:80]!a} is not taken")


def _check_document(name: str, kind: Any, members: dict[str, tuple[Any, str]]) -> None:
    if kind not in _DOCUMENTS:
        raise InputError(f"{name}: its type is neither EPCISDocument nor EPCISQueryDocument")
    version = members.get("schemaVersion", ("2.0", ""))[0]
    if not str(version).startswith("2."):
        raise InputError(
            f"{name}: schemaVersion {str(version)[:20]!r}: only EPCIS 2.0 is read; ask for JSON-LD"
        )
