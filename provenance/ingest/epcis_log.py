"""The two passes over an EPCIS document: what is in it, then into the log.

Events are appended in groups like the rows of a table, and each is counted once
as accepted, duplicate or quarantined. A document that is not JSON, or no EPCIS,
is one error in the first pass, before anything was logged.

Next: provenance/ingest/run.py
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from provenance.entries import EntryType, Identity
from provenance.epcis.document import Header
from provenance.errors import InputError
from provenance.ingest.drafts import reference
from provenance.ingest.epcis_drafts import declaration_of, lots_made, original_of
from provenance.ingest.epcis_master import master_data
from provenance.ingest.quarantine import Rejected
from provenance.ingest.same_event import is_address, row_named, row_of
from provenance.ingest.values import Unacceptable

if TYPE_CHECKING:
    from collections.abc import Callable

    from provenance.entries import Content, Draft, Outcome
    from provenance.epcis.document import FoundEvent
    from provenance.ingest.documents import Document
    from provenance.ingest.epcis_drafts import EventDrafts
    from provenance.ingest.reading import Position
    from provenance.ingest.scratch import Scratch
    from provenance.ingest.sink import Sink

__all__ = ["log_document", "scan_document"]

_GROUP: Final = 1_000
_GROUP_SIZE: Final = 8 << 20
"""Characters of events that wait at most."""


def scan_document(
    document: Document,
    scratch: Scratch,
    party: str,
    notices: list[str],
    report: Callable[[Position], None] | None,
) -> bool:
    """Read a document to its end; False when there is no event in it.

    Raises:
        InputError: It cannot be read, or the user named it and it is empty.
    """
    header = Header()
    for event in document.events(header, report):
        document.part.rows += 1
        for lot in lots_made(event.value, party):
            scratch.add_lot(*lot)
    document.header = header
    file = document.part.file
    notices += [f"{file}: {notice}" for notice in header.notices]
    if document.part.rows:
        return True
    if document.named:
        raise InputError(f"{file}: holds no event")
    notices.append(f"{file}: holds no event (passed over)")
    return False


class _Waiting(NamedTuple):
    """A draft on its way, and the event that it was made of."""

    found: FoundEvent
    draft: Draft

    @property
    def epcis(self) -> Content:
        """What EPCIS says beside the common fields."""
        return self.draft.content["epcis"]  # type: ignore[no-any-return] # a body's content

    def rejected(self, index: int) -> Rejected:
        """Say that the event's id is taken."""
        reason = "conflict: the log holds this id with other content"
        why = Unacceptable(reason, column=f"{self.found.pointer}/eventID", detail=f"entry {index}")
        return _rejected(self.found, why)


def _rejected(found: FoundEvent, why: Unacceptable) -> Rejected:
    steps = why.column.removeprefix(found.pointer).split("/")
    field = "/".join("*" if step.isdigit() else step for step in steps[1:])
    origin = found.origin or found.pointer
    return Rejected(0, [], why, found.text, field=field or "event", origin=origin)


def log_document(
    document: Document,
    builder: EventDrafts,
    sink: Sink,
    report: Callable[[Position], None] | None,
) -> None:
    """Log the events of a document; what cannot be taken goes into quarantine."""
    master = master_data(document.header.vocabularies, builder.party, sink.log)
    sink.append(master.drafts)
    if master.notices:
        sink.part.warnings.update(master.notices)
    events = _Events(sink, builder)
    for found in document.events(Header(), report):
        try:
            made = builder.build(found)
        except Unacceptable as why:
            sink.reject(_rejected(found, why))
            continue
        own = "errorDeclaration" not in found.value and is_address(found.value.get("eventID"))
        if own and _is_row(sink, builder, found, made.draft):
            continue
        sink.part.warnings.update(made.warnings)
        events.put(_Waiting(found, made.draft))
    events.flush()


def _is_row(sink: Sink, builder: EventDrafts, found: FoundEvent, draft: Draft) -> bool:
    """Say whether the log holds the event already, as the row that it was written from."""
    name = draft.identities[-1].key[-1]
    at = row_of(sink.log, found.value, name, builder.party, builder.context)
    if at is None:
        return False
    sink.part.duplicate += 1
    sink.part.warnings["the log holds this event as a row of a table"] += 1
    return True


class _Events:
    """Events on their way into the log."""

    def __init__(self, sink: Sink, builder: EventDrafts) -> None:
        self._sink = sink
        self._builder = builder
        self._group: list[_Waiting] = []
        self._size = 0

    def put(self, waiting: _Waiting) -> None:
        """Take one event; an error declaration waits for the event that it is about."""
        if "errorDeclaration" in waiting.epcis:
            self.flush()
            waiting = waiting._replace(draft=self._corrected(waiting.draft))
        self._group.append(waiting)
        self._size += len(waiting.found.text)
        if len(self._group) >= _GROUP or self._size >= _GROUP_SIZE:
            self.flush()

    def flush(self) -> None:
        """Append what waits, and count it."""
        group, self._group, self._size = self._declared(self._group), [], 0
        outcomes = self._sink.append([waiting.draft for waiting in group])
        for waiting, outcome in zip(group, outcomes, strict=True):
            self._count(waiting, outcome)

    def _declared(self, group: list[_Waiting]) -> list[_Waiting]:
        """Name the error declarations that came before their events: those count no more."""
        own = [at for at, one in enumerate(group) if "errorDeclaration" not in one.epcis]
        log = self._sink.log
        keys = [Identity(declaration_of(group[at].draft.identities[0].key)) for at in own]
        for at, found in zip(own, log.known(keys) if keys else (), strict=True):
            if found is not None:
                draft = group[at].draft
                declared = reference(log.origin, log.entry(found.index))
                content = {**draft.content, "declared": declared}
                group[at] = group[at]._replace(draft=replace(draft, content=content, lots=()))
        return group

    def _count(self, waiting: _Waiting, outcome: Outcome) -> None:
        part = self._sink.part
        if outcome.kind == "appended":
            part.accepted += 1
            return
        known = self._sink.log.known(waiting.draft.identities)
        conflict = next((one for one in known if one and not (one.same or one.erased)), None)
        if conflict is not None:
            if _is_row(self._sink, self._builder, waiting.found, waiting.draft):
                return
            self._sink.reject(waiting.rejected(conflict.index))
            return
        part.duplicate += 1
        if outcome.kind == "stale":
            part.warnings["the log holds this event under another id, or without one"] += 1

    def _corrected(self, draft: Draft) -> Draft:
        """Name the entry that an error declaration is about, where the log holds it."""
        identity = draft.identities[0]
        _, party, given, _ = identity.key
        name = identity.content[0]
        log = self._sink.log
        known = log.known(original_of(party, given if given != name else None, name))
        index = next((one.index for one in known if one is not None), None)
        if index is None:
            index, _domain = row_named(log, given, party) or (None, "")
        if index is None:
            # Kept under the event's own name too, for the event to find when it comes.
            key = declaration_of(identity.key)
            if log.known([Identity(key)]) == [None]:
                return replace(draft, identities=(identity, Identity(key, identity.content)))
            return draft
        corrects = reference(log.origin, log.entry(index))
        content = {**draft.content, "corrects": corrects}
        return replace(draft, type=EntryType.CORRECTION, content=content)
