"""Events as columns: one row per item of an event, one row per input of a transformation.

Next: graph/framing/half.py
"""

from __future__ import annotations

import heapq
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from graph.columns import Growing, Table, column, in_parts, packed
from provenance.entries import Tier

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from graph.model import Record
    from graph.store import GraphStore
    from provenance.entries import Content

__all__ = ["EVENTS", "INPUTS", "Events", "declared", "read_events"]

EVENTS: Final = Table(
    "event/1",
    (),
    "event_id party event_type event_time time_precision facility_id locode item_party product_id "
    "lot_id quantity_unit weight_unit shipment_id bill_of_lading from_facility_id to_facility_id "
    "transport_mode carrier declared_origin_country source_system container_id certificate_id",
    "latitude longitude quantity gross_weight declared_value_usd temperature_c",
    "index leaf_hash serial_ids quality",
)
INPUTS: Final = Table("event/1", (), "event_id item_party product_id lot_id", "quantity", "index")
_KINDS: Final = EVENTS.kinds()
_OF_ITEM: Final = {"product_id", "lot_id", "serial_ids", "quantity", "quantity_unit"}
_OF_ENTRY: Final = {"index", "leaf_hash"}
_ITEM: Final = {"party": "text", **{name: _KINDS[name] for name in sorted(_OF_ITEM)}}
_EVENT: Final = {
    name: kind
    for name, kind in _KINDS.items()
    if name not in _OF_ITEM | _OF_ENTRY and name != "item_party"
}
_INPUT: Final = {"party": "text", "product_id": "text", "lot_id": "text", "quantity": "number"}
_NO_ITEM: Final[Sequence[Content]] = ({},)


class Events(NamedTuple):
    """Frames in the making.

    Attributes:
        events: As `EVENTS` says.
        inputs: As `INPUTS` says.
    """

    events: Growing
    inputs: Growing


def declared(store: GraphStore, start: int, stop: int) -> frozenset[int]:
    """Return the entries that error declarations among [start, stop) are about."""
    return frozenset(
        record.attrs["corrects"]["index"]
        for record in store.contents("epcis/1", Tier.PRIVATE, start, stop)
        if "corrects" in record.attrs
    )


def read_events(store: GraphStore, start: int, stop: int, wrong: Collection[int]) -> Events:
    """Read the events of the entries [start, stop), in the order of the log.

    Args:
        store: The graph.
        start: The first entry.
        stop: The first that is not read.
        wrong: Entries that were declared to be errors.
    """
    made = Events(Growing(EVENTS), Growing(INPUTS))
    for records in in_parts(_records(store, start, stop, wrong)):
        _add_items(made.events, records)
        _add_inputs(made.inputs, records)
    return made


def _records(store: GraphStore, start: int, stop: int, wrong: Collection[int]) -> Iterator[Record]:
    """Yield the events in log order; error declarations are none, nor what they are about."""
    versions = [store.contents(v, Tier.PRIVATE, start, stop) for v in ("event/1", "epcis/1")]
    for record in heapq.merge(*versions, key=attrgetter("index")):
        attrs = record.attrs
        error = "epcis" in attrs and "errorDeclaration" in attrs["epcis"]
        if not error and record.index not in wrong and "declared" not in attrs:
            yield record


def _add_items(events: Growing, records: Sequence[Record]) -> None:
    rows = [(one, item) for one in records for item in one.attrs.get("items") or _NO_ITEM]
    of_items = packed([item for _, item in rows], _ITEM)
    columns = packed([one.attrs for one, _ in rows], _EVENT)
    columns["item_party"] = of_items.pop("party")
    columns["index"] = column([one.index for one, _ in rows], "index")
    columns["leaf_hash"] = column([one.leaf_hash for one, _ in rows], "hash")
    events.add(columns | of_items)


def _add_inputs(inputs: Growing, records: Sequence[Record]) -> None:
    rows = [(one, given) for one in records for given in one.attrs.get("inputs") or ()]
    columns = packed([given for _, given in rows], _INPUT)
    columns["item_party"] = columns.pop("party")
    columns["index"] = column([one.index for one, _ in rows], "index")
    columns["event_id"] = column([one.attrs.get("event_id") for one, _ in rows], "text")
    inputs.add(columns)
