"""A checked EPCIS event as content of version epcis/1, and back as it was. Pure.

The fields that graph, detectors and API know stand where event/1 has them. What
EPCIS says beside them is kept under `epcis` by its own name, exactly as written.

Next: provenance/epcis/document.py
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from provenance import canonical
from provenance.epcis.eventhash import event_hash
from provenance.epcis.goods import container_of, goods_of
from provenance.epcis.keys import parse_key
from provenance.epcis.lossless import give_back, keep, kept_name
from provenance.epcis.vocabulary import bare_word, prefixes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provenance.entries import Content

__all__ = ["VERSION", "as_written", "event_content", "hash_of", "own_context", "site"]

VERSION: Final = "epcis/1"
"""Version of the body."""

_TOLD: Final = {
    "type": "type",
    "action": "action",
    "eventTime": "time_text",
    "eventTimeZoneOffset": "time_zone_offset",
}
"""Members that the common fields hold as they were written."""
_WORDS: Final = {"bizStep": ("BizStep", "biz_step"), "disposition": ("Disp", "disposition")}
_ORDER: Final = ("type", "eventID", "eventTime", "eventTimeZoneOffset")
_STEPS: Final = {
    "shipping": "ship",
    "receiving": "receive",
    "inspecting": "inspect",
    "storing": "store",
    "stocking": "store",
    "destroying": "destroy",
    "retail_selling": "sell",
}
_MADE: Final = frozenset({"commissioning", "creating_class_instance"})
_PACKED: Final = {"ADD": "pack", "DELETE": "unpack"}
_DOCUMENTS: Final = {
    "desadv": "shipment_id",
    "bol": "bill_of_lading",
    "po": "purchase_order",
    "cert": "certificate_id",
}
_PLACES: Final = frozenset({"414", "417"})
_GEO: Final = re.compile(r"geo:(-?\d{1,2}(?:\.\d{1,20})?),(-?\d{1,3}(?:\.\d{1,20})?)(?:[,;]|\Z)")
_LATITUDES, _LONGITUDES = 90, 180


def event_content(
    event: Mapping[str, Any],
    *,
    party: str,
    event_id: str,
    context: Sequence[Any],
    ignored: Sequence[str] = (),
) -> Content:
    """Build the content of an event.

    Args:
        event: One that `rules.check_event` has passed.
        party: Who captured it; also the maker of its goods, until somebody knows better.
        event_id: What to call it; its own `eventID`, where that is another, is kept beside.
        context: The parts of the document's context that are not the standard one.
        ignored: Names of extensions that the document leaves out of the event hash.
    """
    word = _native_word(event)
    content: Content = {
        "party": party,
        "event_id": event_id,
        "event_type": word,
        "event_time": _instant(event["eventTime"]),
        **{ours: event[theirs] for theirs, ours in _TOLD.items() if theirs in event},
        **_goods(event, party, word),
        **_places(event),
        **_documents(event),
        **_measured(event),
        "epcis": _rest(event, event_id, context, ignored),
    }
    for name, (kind, ours) in _WORDS.items():
        if name in event:
            content[ours] = bare_word(kind, event[name]) or event[name]
    return content


def own_context(context: Any) -> list[Any]:
    """Return the parts of a JSON-LD context beside GS1's own."""
    parts = context if isinstance(context, list) else [context]
    return [part for part in parts if part and not _is_standard(part)]


def _is_standard(part: Any) -> bool:
    return isinstance(part, str) and "gs1" in part and part.endswith("epcis-context.jsonld")


def as_written(content: Content) -> tuple[dict[str, Any], list[Any]]:
    """Write the event again, as far as the content goes; numbers are `Number`.

    Returns:
        The event, and the parts of its context that are not the standard one.
    """
    rest: dict[str, Any] = dict(content.get("epcis", {}))
    context = give_back(rest.pop("context", []))
    for name in ("ignored", "repeated"):
        rest.pop(name, None)
    event = {theirs: content[ours] for theirs, ours in _TOLD.items() if ours in content}
    for name, (_, ours) in _WORDS.items():
        if ours in content:
            event[name] = content[ours]
    if "event_id" in content and not rest.pop("unnamed", False):
        event["eventID"] = content["event_id"]
    event |= give_back(rest)
    first = {name: event[name] for name in _ORDER if name in event}
    return first | event, context


def hash_of(content: Content) -> str:
    """Compute the event hash of content of version epcis/1; of all of it, or it is another's."""
    event, context = as_written(content)
    return event_hash(event, prefixes(context), content.get("epcis", {}).get("ignored", ()))


def _rest(
    event: Mapping[str, Any], event_id: str, context: Sequence[Any], ignored: Sequence[str]
) -> Content:
    rest: Content = {}
    for name, value in event.items():
        word = _WORDS.get(name)
        told = name in _TOLD or (name == "eventID" and value == event_id)
        if told or name == "@context" or (word and bare_word(word[0], value) == value):
            continue
        rest[kept_name(name)] = keep(value)
    own = [*context, *own_context(event.get("@context", []))]
    named = [name for name in ignored if name in event]
    repeated = [[name, keep(value)] for name, value in getattr(event, "earlier", ())]
    unnamed = "eventID" not in event
    for name, found in (("context", keep(own)), ("ignored", named), ("repeated", repeated)):
        if found:
            rest[name] = found
    return rest | {"unnamed": True} if unnamed else rest


def _native_word(event: Mapping[str, Any]) -> str:
    """The native word for what happened; "other" where there is none."""
    kind, action = event["type"], event.get("action")
    step = bare_word("BizStep", event.get("bizStep", "other"))
    if kind == "TransformationEvent":
        return "transform"
    if kind == "AggregationEvent":
        return _PACKED.get(action or "", "other")
    if kind == "ObjectEvent" and action == "ADD" and step in _MADE:
        return "produce"
    recalled = bare_word("Disp", event.get("disposition", "unknown")) == "recalled"
    if kind == "ObjectEvent" and step == "holding" and recalled:
        return "recall"
    return "other" if kind == "AssociationEvent" else _STEPS.get(step or "", "other")


def _instant(text: str) -> str:
    time = datetime.fromisoformat(text).astimezone(UTC)
    written = time.isoformat().removesuffix("+00:00")
    return f"{written.rstrip('0') if '.' in written else written}Z"


def _goods(event: Mapping[str, Any], party: str, word: str) -> Content:
    found: Content = {}
    listed = _LISTS.get(event["type"], ("epcList", "quantityList"))
    goods = goods_of(event.get(listed[0], ()), event.get(listed[1], ()))
    containers = goods.containers
    items = [{"party": party, **item} for item in goods.items]
    if event["type"] == "TransformationEvent":
        used = goods_of(event.get("inputEPCList", ()), event.get("inputQuantityList", ()))
        containers = [*used.containers, *containers]
        found["inputs"] = [{"party": party, **item} for item in used.items]
    if "parentID" in event:
        found["container_id"] = container_of(event["parentID"])
    elif len(containers) == 1 and word not in _PACKED.values():
        found["container_id"] = containers.pop()
    if containers:
        found["container_ids"] = containers
    return found | {"items": items}


_LISTS: Final = {
    "AggregationEvent": ("childEPCs", "childQuantityList"),
    "AssociationEvent": ("childEPCs", "childQuantityList"),
    "TransformationEvent": ("outputEPCList", "outputQuantityList"),
}


def _places(event: Mapping[str, Any]) -> Content:
    """Where it was: the business location, else the read point; a site is called by its GLN."""
    found: Content = {}
    for name in ("bizLocation", "readPoint"):
        uri = event.get(name, {}).get("id", "")
        if uri.startswith("geo:"):
            found |= _coordinates(uri)
        elif uri and "facility_id" not in found:
            found["facility_id"] = site(uri)
    for names, field in (("source", "from_facility_id"), ("destination", "to_facility_id")):
        for end in event.get(f"{names}List", ()):
            if bare_word("SDT", end["type"]) == "location":
                found[field] = site(end[names])
    return found


def site(uri: str) -> str:
    """Name a place: by its GLN where the URI says one, else by the URI.

    Raises:
        InputError: It claims to name a GS1 key and does not.
    """
    key = parse_key(uri)
    return key.value if key is not None and key.ai in _PLACES else uri


def _coordinates(uri: str) -> Content:
    """Latitude and longitude of a geo URI, RFC 5870, where it has them in degrees."""
    match = _GEO.match(uri)
    if match is None or abs(float(match[1])) > _LATITUDES or abs(float(match[2])) > _LONGITUDES:
        return {}
    latitude, longitude = (canonical.number(part) for part in match.groups())
    return {"latitude": latitude, "longitude": longitude}


def _documents(event: Mapping[str, Any]) -> Content:
    found: Content = {}
    for entry in event.get("bizTransactionList", ()):
        field = _DOCUMENTS.get(bare_word("BTT", entry.get("type", "")) or "")
        if field and field not in found:
            found[field] = entry["bizTransaction"]
    return found


def _measured(event: Mapping[str, Any]) -> Content:
    """The temperature, where exactly one was measured in degrees Celsius."""
    reports = [
        report["value"]
        for element in event.get("sensorElementList", ())
        for report in element["sensorReport"]
        if report.get("uom") == "CEL"
        and "value" in report
        and bare_word("Measure", report["type"]) == "Temperature"
    ]
    return {"temperature_c": keep(reports[0])} if len(reports) == 1 else {}
