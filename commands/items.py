"""How commands find the item that a person means."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from graph.keys import class_of, is_item, item_key, parse_item
from provenance.entries import Tier
from provenance.errors import InputError, NotFound, UsageError
from provenance.identifiers import ItemKey, item_path
from provenance.identifiers import parse_item as parse_reference

if TYPE_CHECKING:
    from graph.store import GraphStore
    from provenance.identifiers import ItemReference

__all__ = ["Found", "find_item", "item_words"]

_FIELDS = ("lot", "serial", "product")


class Found(NamedTuple):
    """An item of the graph.

    Attributes:
        node: Its key in the graph.
        item: Its key in the log.
        gtin: Its product's GTIN, or None.
        name: What its product is called, or None.
    """

    node: str
    item: ItemKey
    gtin: str | None
    name: str | None

    @property
    def path(self) -> str:
        """The item's path under any domain: GS1 Digital Link, or ours."""
        return item_path(self.item, self.gtin)


def find_item(graph: GraphStore, text: str) -> Found:
    """Find what `text` names: a URL, EPC URI, barcode, graph key, or lot, serial or product id.

    Raises:
        NotFound: Nothing in the graph has this name.
        UsageError: Several items have; the message lists them.
        InputError: It is a URL or barcode with a wrong check digit.
    """
    keys = _candidates(graph, _as_link(text))
    if not keys:
        raise NotFound(f"no item is called {text!r}; try `provenance lookup`")
    if len(keys) > 1:
        named = ", ".join(item_words(parse_item(key)) for key in keys[:5])
        raise UsageError(f"{text!r} names {len(keys)} items, say which: {named}")
    return _found(graph, keys[0])


def _as_link(text: str) -> str:
    """Write an EPC URI as the Digital Link of the same thing; any other text stays."""
    from provenance.epcis.keys import canonical_uri, parse_key

    if not text.startswith("urn:epc:"):
        return text
    try:
        key = parse_key(text)
    except InputError as error:
        raise InputError(f"{text[:80]!r}: {error}") from None
    return canonical_uri(key) if key else text


def _candidates(graph: GraphStore, text: str) -> list[str]:
    if is_item(text):
        return [text]
    try:
        reference = parse_reference(text)
    except InputError:
        if text.startswith(("/", "(")) or "://" in text:
            raise
        reference = None
    if reference is not None:
        return _referenced(graph, reference)
    for field in _FIELDS:
        if keys := graph.find(field, text, Tier.PRIVATE):
            return keys
    return []


def _referenced(graph: GraphStore, reference: ItemReference) -> list[str]:
    if reference.gtin is None:
        assert reference.party is not None
        assert reference.product_id is not None
        classes = [item_key(reference.party, reference.product_id)]
    else:
        classes = graph.find("gtin", reference.gtin, Tier.PRIVATE)
    products = [parse_item(key) for key in classes]
    wanted = [
        item_key(each.party, each.product_id, reference.lot_id, reference.serial_id)
        for each in products
    ]
    if known := graph.fetch(wanted, Tier.PRIVATE):
        return list(known)
    if reference.serial_id is not None and reference.lot_id is None:
        # A code may name the serial alone; the log knows it under its lot.
        serials = graph.find("serial", reference.serial_id, Tier.PRIVATE)
        return [key for key in serials if class_of(key) in classes]
    return []


def _found(graph: GraphStore, node: str) -> Found:
    graph.node(node, Tier.PRIVATE)
    master = graph.fetch([class_of(node)], Tier.PRIVATE).get(class_of(node))
    product = master.attrs if master else {}
    return Found(node, parse_item(node), product.get("gtin"), product.get("name"))


def item_words(item: ItemKey) -> str:
    """Write an item as people here do: maker/product, lot, serial."""
    lot = f" lot {item.lot_id}" if item.lot_id else ""
    serial = f" serial {item.serial_id}" if item.serial_id else ""
    return f"{item.party}/{item.product_id}{lot}{serial}"
