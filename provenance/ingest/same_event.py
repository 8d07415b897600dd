"""One event that came by two ways: as a row of a table, and as the EPCIS event that it makes.

The event hash of CBV 2.0 tells. It covers everything that the EPCIS form says,
which depends on who it was written for and on the domain that names stand
under, so a row has one for each disclosure tier and domain. Rows are not hashed
when they come: most logs never see one again. An event that was written here
bears an id that leads back to its row; the hash then says whether it is still
the same. Whoever only has a hash looks through the log.

Next: provenance/ingest/epcis_log.py
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from provenance import canonical
from provenance.disclosure.privacy import open_entry
from provenance.entries import EntryType, Identity, Tier
from provenance.epcis.content import own_context
from provenance.epcis.eventhash import event_hash
from provenance.epcis.export import epcis_event
from provenance.epcis.jsonpull import parse
from provenance.epcis.native import PREFIX, Names
from provenance.epcis.vocabulary import prefixes
from provenance.epcis.writing import json_text
from provenance.errors import EncodingError, ProvenanceError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from provenance.entries import Content, Entry
    from provenance.ingest.ports import LogWriter
    from provenance.store.reading import LogReader

    Known = LogWriter | LogReader

__all__ = [
    "gtins",
    "hashes_of_row",
    "index_of",
    "is_address",
    "row_named",
    "row_of",
    "rows_with_hash",
]

_ROW: Final = "event/1"
_ADDRESS: Final = re.compile(r"(?P<domain>https?://[^\s?#]+?)/event/(?P<name>[^/\s?#]+)\Z")
_REPORT: Final = 1_000


def hashes_of_row(entry: Entry, domain: str, gtin_of: Callable[[str, str], str | None]) -> set[str]:
    """Compute the event hashes of a row: of what each tier may see of it as an EPCIS event.

    Args:
        entry: Any entry; one that is no row of events, or makes no EPCIS event, has none.
        domain: Under which names stand, without a slash.
        gtin_of: The GTIN of a (party, product).
    """
    if entry.type != EntryType.EVENT or entry.body is None or not _is_row(entry.body):
        return set()
    found = set()
    for tier in Tier:
        content = open_entry(entry, tier)
        # Of what was erased the same comes out for every tier.
        for known in (gtin_of, _no_gtin):
            name = _hash(content, tier, Names(domain, known))
            if name is not None:
                found.add(name)
    return found


def _no_gtin(_party: str, _product: str) -> None:
    """As it was written before the product's GTIN was known."""


def _is_row(body: bytes) -> bool:
    try:
        return bool(canonical.loads(body)["_v"] == _ROW)
    except (EncodingError, LookupError, TypeError):
        return False


def _hash(content: Content, tier: Tier, names: Names) -> str | None:
    try:
        made = epcis_event(_ROW, content, tier, names)
    except (AttributeError, LookupError, TypeError, ValueError):
        return None  # erased fields leave too little
    if isinstance(made, str):
        return None
    event, context = made
    return event_hash(parse(json_text(event)), prefixes(context))


def is_address(event_id: Any) -> bool:
    """Say whether an `eventID` looks like one that a row was given here."""
    return type(event_id) is str and _ADDRESS.match(event_id) is not None


def index_of(
    reader: LogReader, event_id: str, parties: Collection[str], *, by_hash: bool
) -> int | None:
    """Find the entry of an event by its `eventID`; returns its index.

    Args:
        reader: The log.
        event_id: As an EPCIS document has it.
        parties: Whose events may be meant; registered ones may always be.
        by_hash: Whether it may be an event hash: who may guess fields must not have the guess
            confirmed.
    """
    owners = dict.fromkeys((*parties, *(party.id for party in reader.register.parties)))
    row = _row_address(event_id)
    keys = [("event", *row)] if row else []
    keys += [("event", party, event_id) for party in owners]
    keys += [("event_hash", party, event_id) for party in owners if by_hash]
    return next((at for key in keys if (at := reader.find(key)) is not None), None)


def _row_address(event_id: str) -> tuple[str, str] | None:
    """Return party and id of the row that an `eventID` was made of; None for another one."""
    match = _ADDRESS.match(event_id)
    owner, slash, own = unquote(match["name"]).partition("/") if match else ("", "", "")
    return (owner, own) if slash else None


def row_named(log: Known, event_id: Any, party: str) -> tuple[int, str] | None:
    """Find the row whose EPCIS form bears an id; returns its index and the domain.

    Args:
        log: Where to look.
        event_id: An `eventID`, of whatever form.
        party: Whose rows have ids that are URIs themselves.
    """
    if type(event_id) is not str:
        return None
    match = _ADDRESS.match(event_id)
    (found,) = log.known([Identity(("event", *(_row_address(event_id) or (party, event_id))))])
    return None if found is None else (found.index, match["domain"] if match else "")


def row_of(
    log: Known, event: Mapping[str, Any], name: str, party: str, context: Iterable[Any] = ()
) -> int | None:
    """Find the row that an EPCIS event was made of, and is still the same as.

    Args:
        log: Where to look.
        event: As it came.
        name: Its event hash.
        party: Who captures it.
        context: What its document says beside the standard context.
    """
    found = row_named(log, event.get("eventID"), party)
    if found is None:
        return None
    index, domain = found
    domain = _namespace([*context, *own_context(event.get("@context", []))]) or domain
    try:
        hashes = hashes_of_row(log.entry(index), domain, gtins(log))
    except ProvenanceError:
        return None
    return index if name in hashes else None


def _namespace(context: Iterable[Any]) -> str:
    """The domain that a context gives to our extensions."""
    for part in context:
        space = part.get(PREFIX) if isinstance(part, dict) else None
        if isinstance(space, str) and space.endswith("/ns/"):
            return space.removesuffix("/ns/")
    return ""


def gtins(log: Known) -> Callable[[str, str], str | None]:
    """Look up GTINs in the newest master data of a log."""
    held: dict[tuple[str, str], str | None] = {}

    def gtin_of(party: str, product: str) -> str | None:
        if (party, product) not in held:
            (found,) = log.known([Identity(("product", product))])
            content = open_entry(log.entry(found.index), Tier.PUBLIC) if found else {}
            held[party, product] = content.get("gtin") if content.get("party") == party else None
        return held[party, product]

    return gtin_of


def rows_with_hash(
    reader: LogReader,
    name: str,
    domains: Collection[str],
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[int]:
    """Look through a log for rows with an event hash; yields their indexes.

    Args:
        reader: The log.
        name: The hash.
        domains: Under which names may have stood.
        progress: Is told how many of how many events were looked at.
    """
    indexes = reader.indexes([EntryType.EVENT], 0, reader.size)
    gtin_of = gtins(reader)
    for count, index in enumerate(indexes):
        entry = reader.entry(index)
        if any(name in hashes_of_row(entry, domain, gtin_of) for domain in domains):
            yield index
        if progress is not None and count % _REPORT == 0:
            progress(count, len(indexes))
