"""Entries in, changes out: what the log says, as facts of the graph. Pure.

Every entry keeps its place in the chain. Versions known here bring nodes,
edges and records; anything else (a later version, another type, an erased or
malformed body) brings nothing but its place, and is counted. A field that was
erased no longer opens, so nothing made from it appears again after a rebuild.

Next: graph/store.py
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final, NamedTuple

from graph.changes import Changes
from graph.events import project_event
from graph.facts import Facts, Watched, form_of
from graph.keys import (
    event_key,
    facility_key,
    flag_key,
    is_item,
    item_key,
    lane_key,
    location_key,
    party_key,
    record_key,
    shipment_key,
)
from graph.model import EdgeKind, EntryFact, RecordKind, cut
from graph.opened import ERASED, opened, opened_columns
from graph.stencils import Alike, Stencils
from provenance import canonical
from provenance.disclosure.erased import VERSION, read_erasure
from provenance.entries import EntryType, Tier
from provenance.errors import EncodingError, UsageError, WorkspaceDamaged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from graph.opened import Opened
    from provenance.entries import Content, Entry
    from provenance.store.stored import Columns

__all__ = [
    "ERASED",
    "PROJECTION",
    "fields_behind_facts",
    "flag_identity",
    "project",
    "project_columns",
]

PROJECTION: Final = 3
"""Number of these rules; with another number, stores forget and rebuild."""

_CHECKED: Final = frozenset(["workers"])
"""Fields that are looked at to be checked, and that no fact is made from."""

_STENCILS: Final = Stencils()

# What opening a body that was tampered with, or stating the facts of a content that is not
# what its version says, raises. Finding out which it is, is the business of `verify`.
_MALFORMED: Final = (
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    OverflowError,
    EncodingError,
    UsageError,
    WorkspaceDamaged,
)


def project(entries: Iterable[Entry], start: int, stop: int) -> Changes:
    """Say what the entries [start, stop) bring.

    Args:
        entries: Exactly those, in order.
        start: Index of the first.
        stop: One past the last.
    """
    changes, alike = Changes(start, stop), Alike()
    for entry in entries:
        place = _Place(entry.index, entry.type, entry.leaf_hash)
        try:
            read = opened(entry)
        except _MALFORMED:
            _count(place, f"malformed entry of type {place.type}", changes)
        else:
            _project_entry(place, read, changes, alike)
    alike.hand_over(changes)
    return changes


def project_columns(columns: Columns, start: int) -> Changes | None:
    """Do as `project`, with entries in columns; None where it takes more to say what they bring.

    Args:
        columns: Of entries that follow each other.
        start: Index of the first.
    """
    changes, alike = Changes(start, start + len(columns.types)), Alike()
    places = map(_Place, count(start), columns.types, columns.leaf_hashes)
    said = zip(columns.bodies, columns.tiers, columns.said, strict=True)
    try:
        for place, own in zip(places, said, strict=True):
            _project_entry(place, opened_columns(*own), changes, alike)
    except _MALFORMED:
        return None
    alike.hand_over(changes)
    return changes


class _Place(NamedTuple):
    """What is known of an entry before it is opened."""

    at: int
    type: int
    leaf_hash: bytes


def _count(place: _Place, reason: str, changes: Changes) -> None:
    """Keep an entry's place in the chain, and why it brings no more."""
    changes.skipped[reason] += 1
    changes.entries.append(EntryFact(place.at, place.leaf_hash, "", None, []))


def _project_entry(place: _Place, read: Opened, changes: Changes, alike: Alike) -> None:
    version, layers, form = read
    if version == ERASED:
        _count(place, ERASED, changes)
        return
    try:
        projector = _PROJECTORS.get((place.type, version))
        if projector is None:
            _count(place, f"type {place.type}, version {version}", changes)
            return
        content, node = cut(layers, Tier.PRIVATE), None
        if projector is project_event:
            node = _STENCILS.take(place.at, content, form, alike)
        if node is None:
            facts = Facts(place.at, form)
            node = projector(content, facts)
            facts.hand_over(changes)
    except _MALFORMED:
        _count(place, f"malformed entry of type {place.type}", changes)
        return
    changes.entries.append(EntryFact(place.at, place.leaf_hash, version, node, layers))


def fields_behind_facts(kind: int, version: str, content: Content) -> set[str]:
    """Name the fields of a content that nodes, edges, names and records are made from.

    All others are content alone: without them the facts are the same. Found by
    watching what the projection reads, so it cannot fall behind.

    Args:
        kind: The entry's type.
        version: Of its body.
        content: With every field that opened when it was projected.
    """
    projector = _PROJECTORS.get((kind, version))
    watched = Watched(content)
    try:
        if projector is not None:
            projector(watched, Facts(0, form_of(())))
    except _MALFORMED:
        return set(content)
    return watched.read - _CHECKED


def _nothing(_content: Content, _facts: Facts) -> None:
    """State nothing: the entry's place in the chain and its content are all there is."""


def _facility(content: Content, facts: Facts) -> None:
    tier = facts.tier("/facility_id")
    key, party = facility_key(content["facility_id"]), party_key(content["party"])
    facts.node(key, tier, defines=True)
    facts.node(party, facts.tier("/party"))
    facts.edge(key, EdgeKind.BY, party, max(tier, facts.tier("/party")))
    if "locode" in content:
        place, seen_from = location_key(content["locode"]), facts.tier("/locode")
        facts.node(place, seen_from)
        facts.edge(key, EdgeKind.AT, place, max(tier, seen_from))
    _record(RecordKind.FACILITY, content, facts, "facility_id")


def _product(content: Content, facts: Facts) -> None:
    tier = facts.tier("/party", "/product_id")
    key = item_key(content["party"], content["product_id"])
    facts.node(key, tier, defines=True)
    facts.name("product", content["product_id"], key, tier)
    if "gtin" in content:
        facts.name("gtin", content["gtin"], key, max(tier, facts.tier("/gtin")))
    _record(RecordKind.PRODUCT, content, facts, "party", "product_id")


def _location(content: Content, facts: Facts) -> None:
    facts.node(location_key(content["locode"]), facts.tier("/locode"), defines=True)
    _record(RecordKind.LOCATION, content, facts, "locode")


def _labour(content: Content, facts: Facts) -> None:
    _record(RecordKind.LABOUR, content, facts, "facility_id", "month")


def _timesheet(content: Content, facts: Facts) -> None:
    # Its rows belong to many workers, whose later weeks come in further entries: each entry
    # is a record of its own, and `frames` finds the latest version of each row.
    tier = facts.tier("/facility_id", "/month")
    parts = (content["facility_id"], content["month"], str(facts.index))
    for worker in content.get("workers", ()):
        for week in worker["weeks"]:
            canonical.decimal(week["week"])
    facts.record(RecordKind.TIMESHEET, record_key(*parts), tier)


def _legal_limit(content: Content, facts: Facts) -> None:
    _record(RecordKind.LEGAL_LIMIT, content, facts, "country", "effective_from")


def _watchlist(content: Content, facts: Facts) -> None:
    key = ("list_name", "kind", "value", "goods")
    facts.record(
        RecordKind.WATCHLIST,
        record_key(*(content.get(name, "") for name in key)),
        facts.tier(*(f"/{name}" for name in key)),
    )


def _record(kind: RecordKind, content: Content, facts: Facts, *key: str) -> None:
    tier = facts.tier(*(f"/{name}" for name in key))
    facts.record(kind, record_key(*(content[name] for name in key)), tier)


def _flag(content: Content, facts: Facts) -> str:
    tier = facts.tier("/detector", "/type", "/subject_kind", "/subject_id", "/subject_party")
    key, subject = flag_key(facts.index), _subject(content)
    facts.node(key, tier, defines=True)
    if subject is not None:
        facts.node(subject, tier)
        facts.edge(key, EdgeKind.FLAGS, subject, tier)
    facts.record(RecordKind.FLAG, flag_identity(content), tier)
    return key


def _superseded(content: Content, facts: Facts) -> None:
    # A version of the flag's record that is no flag: until the next one, none stands.
    _index, _leaf_hash = content["flag"]
    tier = facts.tier("/detector", "/type", "/subject_kind", "/subject_id", "/subject_party")
    facts.record(RecordKind.FLAG, flag_identity(content), max(tier, facts.tier("/flag")))


def _review(content: Content, facts: Facts) -> None:
    index, _leaf_hash = content["flag"]
    facts.record(RecordKind.REVIEW, record_key(str(index)), facts.tier("/flag"))


def _erasure(content: Content, facts: Facts) -> None:
    for index, _path in read_erasure(content):
        facts.erase(index)


def flag_identity(content: Content) -> str:
    """Name what a flag is about: a newer flag of the same identity supersedes the older ones.

    Args:
        content: Of version flag/1.
    """
    names = ("detector", "type", "subject_kind", "subject_id")
    return record_key(*(content[name] for name in names), content.get("subject_party", ""))


def _subject(content: Content) -> str | None:
    """Return the node that a flag is about; None for a kind of subject that has no node."""
    kind, subject = content["subject_kind"], content["subject_id"]
    party = content.get("subject_party", "")
    if kind == "event":
        return event_key(party, subject)
    if kind == "facility_month":
        return facility_key(subject.rpartition("|")[0] or subject)
    if kind == "item":
        return subject if is_item(subject) else item_key(party, subject)
    build = _SUBJECTS.get(kind)
    return build(subject) if build else None


_SUBJECTS: Final[dict[str, Callable[[str], str]]] = {
    "facility": facility_key,
    "shipment": shipment_key,
    "lane": lane_key,
}

_PROJECTORS: Final[dict[tuple[int, str], Callable[[Content, Facts], str | None]]] = {
    (EntryType.EVENT, "event/1"): project_event,
    (EntryType.EVENT, "epcis/1"): project_event,
    (EntryType.CORRECTION, "epcis/1"): project_event,
    (EntryType.MASTER_DATA, "facility/1"): _facility,
    (EntryType.MASTER_DATA, "product/1"): _product,
    (EntryType.MASTER_DATA, "location/1"): _location,
    (EntryType.MASTER_DATA, "vocabulary/1"): _nothing,
    (EntryType.LABOUR, "labour/1"): _labour,
    (EntryType.CORRECTION, "labour/1"): _labour,
    (EntryType.LABOUR, "timesheet/1"): _timesheet,
    (EntryType.CORRECTION, "timesheet/1"): _timesheet,
    (EntryType.REFERENCE_DATA, "legal_limit/1"): _legal_limit,
    (EntryType.REFERENCE_DATA, "watchlist/1"): _watchlist,
    (EntryType.FLAG, "flag/1"): _flag,
    (EntryType.FLAG, "superseded/1"): _superseded,
    (EntryType.REVIEW, "review/1"): _review,
    (EntryType.POLICY, "policy/1"): _nothing,
    (EntryType.POLICY, "party/1"): _nothing,
    (EntryType.BATCH, "batch/1"): _nothing,
    (EntryType.ERASURE, VERSION): _erasure,
}
