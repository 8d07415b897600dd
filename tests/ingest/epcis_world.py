"""Small EPCIS events to vary, and ways to ingest them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from provenance.epcis.jsonpull import parse
from provenance.epcis.vocabulary import CONTEXT

if TYPE_CHECKING:
    from collections.abc import Sequence

PREFIX = {"ex": "https://ns.example.com/"}


def event(**changes: Any) -> dict[str, Any]:
    """A shipping event; a change to None takes the member away."""
    made = {
        "type": "ObjectEvent",
        "eventID": "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8",
        "eventTime": "2024-04-05T02:33:31.116Z",
        "eventTimeZoneOffset": "-06:00",
        "action": "OBSERVE",
        "bizStep": "shipping",
        "disposition": "in_transit",
        "epcList": ["urn:epc:id:sgtin:0614141.107346.2017"],
        "quantityList": [
            {"epcClass": "urn:epc:class:lgtin:4012345.012345.998877", "quantity": 2, "uom": "KGM"}
        ],
        "readPoint": {"id": "urn:epc:id:sgln:0614141.07346.1234"},
        "bizTransactionList": [{"type": "po", "bizTransaction": "http://acme.example/po/7"}],
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def transformation(**changes: Any) -> dict[str, Any]:
    """A transformation of one lot into another."""
    return event(
        type="TransformationEvent",
        action=None,
        bizStep="commissioning",
        epcList=None,
        quantityList=None,
        inputQuantityList=[{"epcClass": "urn:epc:class:lgtin:4012345.011111.4444", "quantity": 10}],
        outputQuantityList=[{"epcClass": "urn:epc:class:lgtin:4012345.022222.X1", "quantity": 3}],
        **changes,
    )


def document(*events: Any, **members: Any) -> str:
    """A document around events."""
    return json.dumps(
        {
            "@context": [CONTEXT, PREFIX],
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": "2024-04-05T02:33:31.116Z",
            "epcisBody": {"eventList": list(events)},
            **members,
        }
    )


def parsed(value: Any) -> Any:
    """A value as the reader sees it, numbers with their text."""
    return parse(json.dumps(value))


def texts_of(values: Sequence[Any]) -> str:
    """Values as a JSON list."""
    return json.dumps(list(values))
