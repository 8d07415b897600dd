"""Events of the native tables as EPCIS events, and what a tier hides made good. Pure.

An item with a GTIN gets its GS1 Digital Link, any other the path under which it
is found on the workspace's domain. What EPCIS has no member for goes along as
an extension, so nothing that the viewer may see is lost.

Next: provenance/epcis/writing.py
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from provenance.epcis.checks import is_extension
from provenance.epcis.goods import UNITS
from provenance.epcis.keys import parse_key
from provenance.epcis.lossless import give_back
from provenance.errors import InputError
from provenance.identifiers import ItemKey, item_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from provenance.entries import Content
    from provenance.epcis.jsonpull import Number

__all__ = ["PREFIX", "Names", "as_epcis", "made_good"]

PREFIX: Final = "prov"
"""Prefix of the extensions that native fields become."""

_CODES: Final = {word: code for code, word in UNITS.items()}
_CODE: Final = re.compile(r"[A-Z0-9]{2,3}\Z", re.ASCII)
_OFFSET: Final = re.compile(r"[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00)\Z", re.ASCII)
_GTIN: Final = re.compile(r"\d{14}\Z", re.ASCII)
_GLN: Final = re.compile(r"\d{13}\Z", re.ASCII)
_SSCC: Final = re.compile(r"\d{18}\Z", re.ASCII)
_UNSAID: Final = f"{PREFIX}:quantities"
_GS1: Final = "https://id.gs1.org"
_DOCUMENTS: Final = {"shipment_id": "desadv", "bill_of_lading": "bol", "purchase_order": "po"}
_ENDS: Final = {"source": "from_facility_id", "destination": "to_facility_id"}
_LISTS: Final = {
    "AggregationEvent": ("childEPCs", "childQuantityList"),
    "AssociationEvent": ("childEPCs", "childQuantityList"),
    "TransformationEvent": ("outputEPCList", "outputQuantityList"),
}
_OBJECT_LISTS: Final = ("epcList", "quantityList")
_TOLD: Final = frozenset(
    {
        *("event_id", "type", "action", "biz_step", "disposition", "event_time", "time_text"),
        *("time_zone_offset", "items", "inputs", "facility_id", "container_id", "gtin"),
        *("certificate_id", "latitude", "longitude", *_DOCUMENTS, *_ENDS.values()),
        "quality",  # our opinion of the row, and nothing that anybody has captured
    }
)


class Names(NamedTuple):
    """How things are called outside.

    Attributes:
        domain: Where items, places and documents without a GS1 key are found, without a slash.
        gtin_of: The GTIN of a (party, product), or None.
    """

    domain: str
    gtin_of: Callable[[str, str], str | None]

    @property
    def context(self) -> dict[str, str]:
        """The namespace of native fields."""
        return {PREFIX: f"{self.domain}/ns/"}

    def uri(self, kind: str, value: str) -> str:
        """Return a value that is a URI as it is, any other below the domain."""
        if is_extension(value):
            return value
        return f"{self.domain}/{kind}/{quote(value, safe='')}"

    def place(self, facility: str) -> str:
        """Name a site: by its GLN, where it is called by one."""
        return self._keyed(_GLN, "414", facility) or self.uri("facility", facility)

    def container(self, container: str) -> str:
        """Name a container: by its SSCC, where it is called by one."""
        return self._keyed(_SSCC, "00", container) or self.uri("container", container)

    def item(self, item: Content, serial: str | None = None) -> str:
        """Name a product, lot or serial."""
        party, product, lot = (item.get(name) for name in ("party", "product_id", "lot_id"))
        if party is None or product is None:
            return self.uri("lot", f"{party or ''}/{lot or ''}")
        gtin = item.get("gtin") or self._gtin(product) or self.gtin_of(party, product)
        path = item_path(ItemKey(party, product, lot, serial), gtin)
        return f"{_GS1 if path.startswith('/01/') else self.domain}{path}"

    @staticmethod
    def _keyed(shape: re.Pattern[str], ai: str, value: str) -> str | None:
        if not shape.match(value):
            return None
        uri = f"{_GS1}/{ai}/{value}"
        try:
            return uri if parse_key(uri) else None
        except InputError:
            return None

    @classmethod
    def _gtin(cls, product: str) -> str | None:
        return product if cls._keyed(_GTIN, "01", product) else None


def as_epcis(content: Content, names: Names) -> dict[str, Any]:
    """Write an event of version event/1 as an EPCIS event.

    Args:
        content: As far as the viewer may see it.
        names: How things are called outside.
    """
    kind = content.get("type", "ObjectEvent")
    offset = content.get("time_zone_offset", "")
    event_id = content.get("event_id", "")
    event: dict[str, Any] = {
        "type": kind,
        "eventID": event_id
        if is_extension(event_id)
        else names.uri("event", f"{content.get('party', '')}/{event_id}"),
        "eventTime": content.get("event_time"),
        "eventTimeZoneOffset": offset if _OFFSET.match(offset) else "+00:00",
    }
    words = {"action": "action", "bizStep": "biz_step", "disposition": "disposition"}
    event |= {name: content[ours] for name, ours in words.items() if ours in content}
    event |= _goods(kind, content, names) | _places(content, names) | _papers(kind, content, names)
    if kind == "TransformationEvent" and not content.get("inputs"):
        event["transformationID"] = event["eventID"]
    rest = {name: value for name, value in content.items() if name not in _TOLD}
    return event | {f"{PREFIX}:{name}": _extended(name, value) for name, value in rest.items()}


def made_good(event: dict[str, Any], content: Content, names: Names) -> dict[str, Any]:
    """Name the goods of an event by class and lot where a tier hides its own lists."""
    kind = event.get("type", "")
    found = _goods(kind, content, names, serials=False)
    lists = [_LISTS.get(kind, _OBJECT_LISTS)]
    if kind == "TransformationEvent":
        lists.append(("inputEPCList", "inputQuantityList"))
    for pair in lists:
        if not any(event.get(name) for name in pair):
            event = event | {name: found[name] for name in pair if name in found}
    return event


def _extended(name: str, value: Any) -> Any:
    if name == "ext":
        return [{f"{PREFIX}:column": column, f"{PREFIX}:text": text} for column, text in value]
    return give_back(value)


def _goods(kind: str, content: Content, names: Names, *, serials: bool = True) -> dict[str, Any]:
    epcs, quantities = _LISTS.get(kind, _OBJECT_LISTS)
    found = _listed(content.get("items", ()), names, epcs, quantities, serials=serials)
    if content.get("inputs"):
        lists = ("inputEPCList", "inputQuantityList")
        used = _listed(content["inputs"], names, *lists, serials=serials)
        both = [*found.get(_UNSAID, ()), *used.get(_UNSAID, ())]
        found |= used | ({_UNSAID: both} if both else {})
    container = content.get("container_id")
    if container is not None and serials:
        if kind == "AggregationEvent":
            found["parentID"] = names.container(container)
        elif kind == "ObjectEvent":
            found[epcs] = [names.container(container), *found.get(epcs, ())]
    if kind in {"ObjectEvent", "TransactionEvent"} and not found.get(quantities):
        found.setdefault(epcs, [])
    return found


def _listed(
    items: Iterable[Content], names: Names, epcs: str, quantities: str, *, serials: bool
) -> dict[str, Any]:
    instances: list[str] = []
    unsaid: list[dict[str, Any]] = []
    elements: list[dict[str, Any]] = []
    for item in items:
        own = item.get("serial_ids", ()) if serials else ()
        instances += [names.item(item, serial) for serial in own]
        left = _left(item, len(own))
        if left is not None or not own:
            amount = _amount(item, left)
            elements.append({"epcClass": names.item(item), **amount})
            if left is not None and not amount:
                unsaid.append(_unsaid(item, left, names))
    found: dict[str, Any] = {_UNSAID: unsaid} if unsaid else {}
    if instances:
        found[epcs] = list(dict.fromkeys(instances))
    if elements:
        found[quantities] = elements
    return found


def _left(item: Content, named: int) -> Any:
    """What of an item's quantity its serials do not stand for."""
    quantity = item.get("quantity")
    if not named or quantity is None:
        return quantity
    if type(quantity) is int and item.get("quantity_unit", "unit") == "unit":
        return quantity - named if quantity > named else None
    return quantity


def _amount(item: Content, quantity: Any) -> dict[str, Any]:
    """Quantity and unit; nothing where the unit is not known, or has no code."""
    unit: str = item.get("quantity_unit", "")
    code = _CODES.get(unit) or unit
    if quantity is None:
        return {}
    if unit == "unit":
        return {"quantity": _number(quantity)}
    return {"quantity": _number(quantity), "uom": code} if _CODE.match(code) else {}


def _unsaid(item: Content, quantity: Any, names: Names) -> dict[str, Any]:
    """An amount that EPCIS cannot say; without a code its number would count pieces."""
    said = {"item": names.item(item), "quantity": _number(quantity)}
    if "quantity_unit" in item:
        said["unit"] = item["quantity_unit"]
    return {f"{PREFIX}:{name}": value for name, value in said.items()}


def _number(value: Any) -> Number:
    found: Number = give_back(value)
    return found


def _places(content: Content, names: Names) -> dict[str, Any]:
    event: dict[str, Any] = {}
    if "latitude" in content and "longitude" in content:
        point = [_number(content[name]) for name in ("latitude", "longitude")]
        event["readPoint"] = {"id": f"geo:{point[0]},{point[1]}"}
    if "facility_id" in content:
        event["bizLocation"] = {"id": names.place(content["facility_id"])}
    for name, field in _ENDS.items():
        if field in content:
            event[f"{name}List"] = [{"type": "location", name: names.place(content[field])}]
    return event


def _papers(kind: str, content: Content, names: Names) -> dict[str, Any]:
    papers = [
        {"type": word, "bizTransaction": names.uri(field.removesuffix("_id"), content[field])}
        for field, word in _DOCUMENTS.items()
        if field in content
    ]
    if kind == "TransactionEvent" and not papers:
        papers = [{"bizTransaction": names.uri("order", str(content.get("event_id", "")))}]
    event: dict[str, Any] = {"bizTransactionList": papers} if papers else {}
    if "certificate_id" in content:
        event["certificationInfo"] = names.uri("certificate", content["certificate_id"])
    return event
