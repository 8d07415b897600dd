"""What an event is about: EPCs and quantities as items, lots, serials and containers. Pure.

An item of a GTIN is called by it; any other GS1 key by its application
identifier and value; anything else by its URI. SSCCs are containers.

Next: provenance/epcis/content.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from provenance import canonical
from provenance.epcis.keys import parse_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provenance.entries import Content
    from provenance.epcis.keys import Gs1Key

__all__ = ["UNITS", "Goods", "container_of", "goods_of"]

UNITS: Final = {"KGM": "kg", "GRM": "g", "LBR": "lb", "MTR": "m", "CS": "case", "TNE": "t"}
"""UN/ECE Recommendation 20 units that have a native word; others keep their code."""
_SSCC: Final = "00"
_GTIN: Final = "01"
_GRAI: Final = "8003"
_GRAI_CLASS: Final = 14


class Goods(NamedTuple):
    """What lists of EPCs and quantities name.

    Attributes:
        items: {product_id, lot_id?, serial_ids?, quantity?, quantity_unit?}, without a party.
        containers: SSCCs of 18 digits, in order.
    """

    items: list[Content]
    containers: list[str]


def goods_of(epcs: Sequence[str], quantities: Sequence[Mapping[str, Any]]) -> Goods:
    """Gather serials under their product and lot, then one item per quantity."""
    serials: dict[tuple[str, str | None], list[str]] = {}
    items: list[Content] = []
    containers: list[str] = []
    for uri in epcs:
        key = parse_key(uri)
        if key is not None and key.ai == _SSCC:
            containers.append(key.value)
            continue
        product, lot, serial = _named(uri, key)
        found = serials.setdefault((product, lot), [])
        if serial is not None and serial not in found:
            found.append(serial)
    for (product, lot), own in serials.items():
        item = _item(product, lot)
        if own:
            item |= {"serial_ids": own, "quantity": len(own), "quantity_unit": "unit"}
        items.append(item)
    items += [_quantified(element) for element in quantities]
    return Goods(items, list(dict.fromkeys(containers)))


def container_of(uri: str) -> str:
    """Name a parent: the SSCC's digits, else the URI in its one spelling."""
    key = parse_key(uri)
    if key is None:
        return uri
    return key.value if key.ai == _SSCC else f"{key.ai}/{key.value}"


def _named(uri: str, key: Gs1Key | None) -> tuple[str, str | None, str | None]:
    if key is None:
        return uri, None, None
    if key.ai == _GTIN:
        return key.value, key.lot, key.serial
    if key.ai == _GRAI and len(key.value) > _GRAI_CLASS:
        return f"{key.ai}/{key.value[:_GRAI_CLASS]}", None, key.value[_GRAI_CLASS:]
    return f"{key.ai}/{key.value}", key.lot, key.serial


def _item(product: str, lot: str | None) -> Content:
    item: Content = {"product_id": product}
    if lot is not None:
        item["lot_id"] = lot
    return item


def _quantified(element: Mapping[str, Any]) -> Content:
    uri = element["epcClass"]
    product, lot, _ = _named(uri, parse_key(uri))
    item = _item(product, lot)
    if "quantity" in element:
        unit = element.get("uom")
        item["quantity"] = canonical.number(str(element["quantity"]))
        item["quantity_unit"] = "unit" if unit is None else UNITS.get(unit, unit)
    return item
