"""An event row as an EPCIS 2.0 event, and the lots that it makes or names.

The native word of an event fixes its EPCIS type, action, business step and
disposition (CBV 2.0). CBV has no step for a recall or for a purchase order: a
recall is `holding` with the disposition `recalled`, an order is a
TransactionEvent with the step `other`.

A lot keeps its maker's party along the chain. Whoever else handles or uses
it only knows its lot id, so the maker is looked up: one match is taken,
several are refused, none is a gap that is logged as such.

Next: provenance/ingest/drafts.py
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from provenance.ingest.values import Unacceptable

if TYPE_CHECKING:
    from provenance.entries import Content
    from provenance.ingest.decisions import Moment

__all__ = ["EVENT_TYPES", "MAKING", "Makers", "compared", "event_content", "resolve", "warnings_of"]


class _Meaning(NamedTuple):
    type: str
    action: str | None
    biz_step: str
    disposition: str | None


EVENT_TYPES: Final = {
    "produce": _Meaning("ObjectEvent", "ADD", "commissioning", "active"),
    "transform": _Meaning("TransformationEvent", None, "commissioning", "active"),
    "ship": _Meaning("ObjectEvent", "OBSERVE", "shipping", "in_transit"),
    "receive": _Meaning("ObjectEvent", "OBSERVE", "receiving", "in_progress"),
    "pack": _Meaning("AggregationEvent", "ADD", "packing", "in_progress"),
    "unpack": _Meaning("AggregationEvent", "DELETE", "unpacking", "in_progress"),
    "inspect": _Meaning("ObjectEvent", "OBSERVE", "inspecting", "in_progress"),
    "store": _Meaning("ObjectEvent", "OBSERVE", "storing", "in_progress"),
    "recall": _Meaning("ObjectEvent", "OBSERVE", "holding", "recalled"),
    "destroy": _Meaning("ObjectEvent", "DELETE", "destroying", "destroyed"),
    "sell": _Meaning("ObjectEvent", "OBSERVE", "retail_selling", "retail_sold"),
    "order": _Meaning("TransactionEvent", "ADD", "other", None),
}
"""The native words for events, and what each is in EPCIS 2.0 and CBV 2.0."""

MAKING: Final = frozenset({"produce", "transform"})
"""Events that bring a lot into being."""

Makers = Callable[[str], list[tuple[str, str]]]
"""lot_id -> (party, product_id) of everybody who made a lot of this name."""

_AGGREGATING: Final = frozenset({"pack", "unpack"})
_OF_THE_ITEM: Final = ("lot_id", "quantity", "quantity_unit", "serial_ids")
_OF_THE_INPUTS: Final = ("input_lots", "input_quantities", "input_product_ids")
_HANDLED: Final = frozenset(
    {*_OF_THE_ITEM, *_OF_THE_INPUTS, "product_id", "event_id", "event_type", "event_time"}
)
_NOT_COMPARED: Final = ("time_text", "time_zone_offset")


def event_content(found: Content, moment: Moment, party: str, extra: list[list[str]]) -> Content:
    """Build the content of an event, version event/1.

    Args:
        found: The row's cells by native column name, converted; `event_time` is the original text.
        moment: What `event_time` means.
        party: The capturing party.
        extra: Columns that are not ours, as [name, text].

    Raises:
        Unacceptable: The row contradicts itself; `column` is the native name.
    """
    word = found["event_type"]
    meaning = EVENT_TYPES[word]
    content: Content = {
        "party": party,
        "event_id": found["event_id"],
        "event_type": word,
        "type": meaning.type,
        "biz_step": meaning.biz_step,
        "event_time": moment.time,
        "time_text": found["event_time"],
        "items": _items(found, word, party),
    }
    if meaning.action:
        content["action"] = meaning.action
    if meaning.disposition:
        content["disposition"] = meaning.disposition
    if moment.day_only:
        content["time_precision"] = "day"
    if moment.offset:
        content["time_zone_offset"] = moment.offset
    if "input_lots" in found:
        content["inputs"] = _inputs(found)
    for name, value in found.items():
        if name not in _HANDLED:
            content[name] = value
    if extra:
        content["ext"] = extra
    return content


def _items(found: Content, word: str, party: str) -> list[Content]:
    product = found.get("product_id") or found.get("gtin")
    described = [name for name in _OF_THE_ITEM if name in found and name != "quantity_unit"]
    if product is None:
        if described or word in MAKING:
            raise Unacceptable("is missing", column="product_id")
        return []
    item = {"party": party, "product_id": product}
    for name in _OF_THE_ITEM:
        if name in found:
            item[name] = found[name]
    return [item]


def _inputs(found: Content) -> list[Content]:
    lots = found["input_lots"]
    inputs: list[Content] = [{"lot_id": lot} for lot in lots]
    for column, name in (("input_product_ids", "product_id"), ("input_quantities", "quantity")):
        given = found.get(column)
        if given is None:
            continue
        if len(given) != len(lots):
            raise Unacceptable("has not as many parts as input_lots", str(len(given)), column)
        for entry, value in zip(inputs, given, strict=True):
            if value is not None:
                entry[name] = value
    return inputs


def warnings_of(content: Content) -> list[str]:
    """Say what is odd about an event that is taken all the same."""
    word = content["event_type"]
    odd = []
    if word in _AGGREGATING and "container_id" not in content:
        odd.append(f"{word} without container_id: into what is not known")
    if "inputs" in content and word not in MAKING:
        odd.append(f"input_lots on a {word} event")
    return odd


def compared(content: Content) -> Content:
    """The part of an event that makes a second arrival the same event.

    Left out are the way the time was written and the order of foreign columns. It must
    be taken before `resolve`: which makers the log knows changes as it grows.
    """
    same = content.copy()
    for name in _NOT_COMPARED:
        same.pop(name, None)
    if "ext" in same:
        same["ext"] = sorted(same["ext"])
    return same


def resolve(content: Content, makers: Makers) -> tuple[tuple[str, str, str], ...]:
    """Give the lots of an event their makers' parties.

    Args:
        content: Changed in place; nested objects are replaced, never changed.
        makers: Who made lots of a name, from the log and from the files at hand.

    Returns:
        The lots that this event makes, as (lot_id, party, product_id).

    Raises:
        Unacceptable: A lot fits several products or makers.
    """
    own = content["party"]
    if "inputs" in content:
        content["inputs"] = [_resolved_input(entry, own, makers) for entry in content["inputs"]]
    lotted = [item for item in content["items"] if "lot_id" in item]
    if content["event_type"] in MAKING:
        return tuple((item["lot_id"], own, item["product_id"]) for item in lotted)
    if lotted:
        content["items"] = [_resolved_item(item, own, makers) for item in content["items"]]
    return ()


def _resolved_item(item: Content, own: str, makers: Makers) -> Content:
    product = item["product_id"]
    parties = [party for party, made in makers(item["lot_id"]) if made == product]
    if not parties or own in parties:
        return item
    if len(parties) > 1:
        raise Unacceptable(
            "several parties made this lot of this product", item["lot_id"], "lot_id"
        )
    return {**item, "party": parties[0]}


def _resolved_input(entry: Content, own: str, makers: Makers) -> Content:
    wanted = entry.get("product_id")
    made = [pair for pair in makers(entry["lot_id"]) if wanted is None or pair[1] == wanted]
    if not made:
        return entry
    if len({product for _, product in made}) > 1:
        reason = "is ambiguous: several products have this lot; name them in input_product_ids"
        raise Unacceptable(reason, entry["lot_id"], "input_lots")
    pair = made[0] if len(made) == 1 else (own, made[0][1])
    if pair not in made:
        reason = "is ambiguous: several parties made this lot of this product"
        raise Unacceptable(reason, entry["lot_id"], "input_lots")
    return {**entry, "party": pair[0], "product_id": pair[1]}
