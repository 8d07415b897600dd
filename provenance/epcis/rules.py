"""Which events are valid EPCIS 2.0: the rules of GS1's JSON Schema, and what it cannot say. Pure.

Beyond the schema, times must exist, quantities cannot be negative, and GS1 keys
have the right digits and check digits.

Next: provenance/epcis/lossless.py
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from provenance.epcis.checks import (
    InvalidEvent,
    check_bounds,
    is_anything,
    is_boolean,
    is_key,
    is_number,
    is_quantity,
    is_text,
    is_time,
    is_uri,
    list_of,
    members,
    object_of,
    one_of,
    one_or_list_of,
    shaped,
    word_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provenance.epcis.checks import Rule

__all__ = ["EVENT_TYPES", "STANDARD", "check_event"]

_OFFSET: Final = re.compile(r"[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00)\Z", re.ASCII)
_UOM: Final = re.compile(r"[A-Z0-9]{2,3}\Z", re.ASCII)
_HEX: Final = re.compile(r"[A-Fa-f0-9]+\Z", re.ASCII)


def check_event(event: Any) -> None:
    """Check one event as parsed by `jsonpull`.

    Raises:
        InvalidEvent: It breaks a rule; the first one that does is named.
    """
    check_bounds(event)
    if not isinstance(event, dict):
        raise InvalidEvent("", "is not an object")
    kind = event.get("type")
    rule = _EVENTS.get(kind) if type(kind) is str else None
    if rule is None:
        names = ", ".join(_EVENTS)
        raise InvalidEvent("/type", f"is not one of {names}", kind or "nothing")
    rule(event, "")
    _check_content(event, str(kind))


def _check_content(event: Mapping[str, Any], kind: str) -> None:
    """What an event must be about, and when it may carry ILMD."""
    deletes = event.get("action") == "DELETE"
    if kind == "TransformationEvent":
        there = [any(event.get(name) for name in names) for names in (_INPUTS, _OUTPUTS)]
        if not (all(there) or ("transformationID" in event and any(there))):
            raise InvalidEvent(
                "", "names no inputs, or no outputs; one side needs a transformationID"
            )
        return
    about = _ABOUT[kind]
    named = about[0] in event if about[0] == "epcList" else bool(event.get(about[0]))
    sensed = kind == "ObjectEvent" and event.get("sensorElementList") and "readPoint" in event
    excused = sensed or (deletes and kind != "ObjectEvent")
    if not (named or event.get(about[1]) or excused):
        raise InvalidEvent("", f"needs {about[0]} or {about[1]}")
    if "ilmd" in event and event.get("action") != "ADD":
        raise InvalidEvent("/ilmd", "is only for action ADD")


_INPUTS: Final = ("inputEPCList", "inputQuantityList")
_OUTPUTS: Final = ("outputEPCList", "outputQuantityList")
_ABOUT: Final = {
    "ObjectEvent": ("epcList", "quantityList"),
    "TransactionEvent": ("epcList", "quantityList"),
    "AggregationEvent": ("childEPCs", "childQuantityList"),
    "AssociationEvent": ("childEPCs", "childQuantityList"),
}


def _disposed(value: Any, at: str) -> None:
    words = list_of(word_of("Disp"), 1, unique=True)
    object_of("", {"set": words, "unset": words}, closed=True)(value, at)
    if not value:
        raise InvalidEvent(at, "has neither set nor unset")


_ERROR: Final = object_of(
    "declarationTime",
    {"declarationTime": is_time, "reason": word_of("ER"), "correctiveEventIDs": list_of(is_uri)},
)
_COMMON: Final = {
    "@context": is_anything,
    "type": is_text,
    "eventTime": is_time,
    "recordTime": is_time,
    "eventTimeZoneOffset": shaped(_OFFSET, "is not an offset between -14:00 and +14:00"),
    "eventID": is_uri,
    "certificationInfo": one_or_list_of(is_uri),
    "errorDeclaration": _ERROR,
}
_QUANTITIES: Final = list_of(
    object_of(
        "epcClass",
        {
            "epcClass": is_key,
            "quantity": is_quantity,
            "uom": shaped(_UOM, "is not a UN/ECE unit of 2 or 3 characters"),
        },
        closed=True,
    )
)
_PLACE: Final = object_of("id", {"id": is_key})
_METADATA: Final = object_of(
    "",
    members(is_time, "time startTime endTime")
    | members(is_uri, "deviceID deviceMetadata rawData dataProcessingMethod bizRules"),
)
_REPORT: Final = object_of(
    "type",
    {"type": word_of("Measure"), "exception": word_of("Alert"), "component": word_of("Comp")}
    | {"time": is_time, "booleanValue": is_boolean}
    | {"hexBinaryValue": shaped(_HEX, "is not hexadecimal")}
    | members(is_text, "stringValue uom")
    | members(is_number, "value minValue maxValue meanValue sDev percRank percValue")
    | members(is_uri, "deviceID deviceMetadata rawData dataProcessingMethod bizRules")
    | members(is_uri, "microorganism chemicalSubstance coordinateReferenceSystem uriValue"),
)
_SENSOR: Final = object_of(
    "sensorReport", {"sensorMetadata": _METADATA, "sensorReport": list_of(_REPORT, 1)}
)


def _ended(name: str, kind: str, required: str, least: int = 0) -> Rule:
    return list_of(object_of(required, {"type": word_of(kind), name: is_key}, closed=True), least)


_SHARED: Final = {
    **_COMMON,
    "bizStep": word_of("BizStep"),
    "disposition": word_of("Disp"),
    "readPoint": _PLACE,
    "bizLocation": _PLACE,
    "bizTransactionList": _ended("bizTransaction", "BTT", "bizTransaction"),
    "sourceList": _ended("source", "SDT", "type source"),
    "destinationList": _ended("destination", "SDT", "type destination"),
    "sensorElementList": list_of(_SENSOR),
}
_ACTION: Final = {"action": one_of("OBSERVE", "ADD", "DELETE")}
_ABOUT_EPCS: Final = {"epcList": list_of(is_key, unique=True), "quantityList": _QUANTITIES}
_CHILDREN: Final = {
    "parentID": is_key,
    "childEPCs": list_of(is_key),
    "childQuantityList": _QUANTITIES,
}
_LOT: Final = {"persistentDisposition": _disposed, "ilmd": object_of("", {})}
_BASE: Final = "type eventTime eventTimeZoneOffset"

_EVENTS: Final = {
    "ObjectEvent": object_of(f"{_BASE} action", _SHARED | _ACTION | _ABOUT_EPCS | _LOT),
    "AggregationEvent": object_of(f"{_BASE} action", _SHARED | _ACTION | _CHILDREN),
    "TransactionEvent": object_of(
        f"{_BASE} action bizTransactionList",
        _SHARED
        | _ACTION
        | {**_ABOUT_EPCS, "epcList": list_of(is_key), "parentID": is_key}
        | {"bizTransactionList": _ended("bizTransaction", "BTT", "bizTransaction", 1)},
    ),
    "TransformationEvent": object_of(
        _BASE,
        _SHARED
        | _LOT
        | {"transformationID": is_uri}
        | members(list_of(is_key, unique=True), "inputEPCList outputEPCList")
        | members(_QUANTITIES, "inputQuantityList outputQuantityList"),
    ),
    "AssociationEvent": object_of(f"{_BASE} action parentID", _SHARED | _ACTION | _CHILDREN),
}
EVENT_TYPES: Final = tuple(_EVENTS)
"""The five kinds of event."""
STANDARD: Final = frozenset(
    {*_SHARED, *_ACTION, *_ABOUT_EPCS, *_CHILDREN, *_LOT, *_INPUTS, *_OUTPUTS, "transformationID"}
)
"""The members of events that EPCIS itself names."""
