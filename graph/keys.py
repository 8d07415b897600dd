"""Node keys: text that names a node, the same in every store.

    event:{party}/{event_id}        shipment:{id}      location:{locode}
    item:{party}/{product}          container:{id}     certificate:{id}
    item:.../10/{lot}               facility:{id}      lane:{id}
    item:.../21/{serial}            party:{id}         flag:{index}
    item:.../10/{lot}/21/{serial}   gap:{of}/{id}/{id} entry:{index}

Parts are percent-encoded, so `/` and `:` separate and nothing else. Each key
has one spelling: `parse(build(parts)) == parts`, and no two builders meet.
`entry:{index}` names whatever node stands for that log entry.

Next: graph/model.py
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from provenance.errors import UsageError

if TYPE_CHECKING:
    from provenance.identifiers import ItemKey

__all__ = [
    "NodeKind",
    "certificate_key",
    "class_of",
    "container_key",
    "entry_index",
    "entry_key",
    "event_gap_key",
    "event_key",
    "facility_key",
    "flag_key",
    "is_class",
    "is_item",
    "is_serial",
    "is_unicode",
    "item_key",
    "kind_of",
    "lane_key",
    "location_key",
    "lot_gap_key",
    "lot_of",
    "parse_item",
    "parse_key",
    "party_key",
    "plain_or_quoted",
    "record_key",
    "shipment_key",
]


class NodeKind(StrEnum):
    """What a node stands for; the word before the colon in its key."""

    EVENT = "event"
    ITEM = "item"
    CONTAINER = "container"
    SHIPMENT = "shipment"
    FACILITY = "facility"
    PARTY = "party"
    LOCATION = "location"
    CERTIFICATE = "certificate"
    LANE = "lane"
    FLAG = "flag"
    ENTRY = "entry"
    """A log entry that is neither an event nor a flag: its place in the chain."""
    GAP = "gap"
    """What a record names but nothing documents."""


_PLAIN: Final = re.compile(r"[A-Za-z0-9_.~-]*\Z", re.ASCII)
_INDEX: Final = re.compile(r"(?:0|[1-9]\d{0,17})\Z", re.ASCII)
_ITEM: Final = re.compile(r"item:([^/]*)/([^/]*)(?:/10/([^/]*))?(?:/21/([^/]*))?\Z")
_PARTS: Final = {NodeKind.EVENT: 2, NodeKind.GAP: 3}
_CLASS, _LOT, _LOT_AND_SERIAL = 2, 4, 6
"""Steps between slashes in the key of an item; a serial without a lot has as many as a lot."""


def event_key(party: str, event_id: str) -> str:
    """Name an event by who captured it and that party's id of it."""
    return f"event:{_quote(party)}/{_quote(event_id)}"


def item_key(
    party: str, product_id: str, lot_id: str | None = None, serial_id: str | None = None
) -> str:
    """Name an item; `item_key(*key)` takes an `ItemKey`."""
    lot = "" if lot_id is None else f"/10/{_quote(lot_id)}"
    serial = "" if serial_id is None else f"/21/{_quote(serial_id)}"
    return f"item:{_quote(party)}/{_quote(product_id)}{lot}{serial}"


def container_key(container_id: str) -> str:
    """Name a container: an SSCC, or whatever its users call it."""
    return f"container:{_quote(container_id)}"


def shipment_key(shipment_id: str) -> str:
    """Name a shipment; both ends use the same id."""
    return f"shipment:{_quote(shipment_id)}"


def facility_key(facility_id: str) -> str:
    """Name a facility."""
    return f"facility:{_quote(facility_id)}"


def party_key(party: str) -> str:
    """Name a party."""
    return f"party:{_quote(party)}"


def location_key(locode: str) -> str:
    """Name a location by its UN/LOCODE."""
    return f"location:{_quote(locode)}"


def certificate_key(certificate_id: str) -> str:
    """Name a certificate."""
    return f"certificate:{_quote(certificate_id)}"


def lane_key(lane_id: str) -> str:
    """Name a lane as the flag that is about it does."""
    return f"lane:{_quote(lane_id)}"


def flag_key(index: int) -> str:
    """Name a flag by its log index."""
    return f"flag:{index}"


def entry_key(index: int) -> str:
    """Name whatever node stands for a log entry."""
    return f"entry:{index}"


def lot_gap_key(party: str, lot_id: str) -> str:
    """Name the lot that `party` used without anyone knowing whose it is."""
    return f"gap:lot/{_quote(party)}/{_quote(lot_id)}"


def event_gap_key(event: str, number: int | None = None) -> str:
    """Name what an event does not document: one side of it, or the lot of one input."""
    return f"gap:event/{_quote(event)}/{'' if number is None else number}"


def record_key(*parts: str) -> str:
    """Name a record by the parts of its row key; records with equal first parts lie together."""
    return "/".join(_quote(part) for part in parts)


def entry_index(key: str) -> int | None:
    """Return the index in `entry:{index}`; None for any other text."""
    number = key.removeprefix("entry:")
    return int(number) if number != key and _INDEX.match(number) else None


def kind_of(key: str) -> NodeKind:
    """Return the kind that a key names.

    Raises:
        UsageError: It is no key.
    """
    try:
        return NodeKind(key[: key.index(":")])
    except ValueError:
        raise UsageError(f"{key[:80]!r} is no node key; expected KIND:ID") from None


def parse_key(key: str) -> tuple[NodeKind, tuple[str | None, ...]]:
    """Take a key apart, the inverse of the builders.

    Raises:
        UsageError: It is no key, or is spelled otherwise than the builders do.
    """
    kind = kind_of(key)
    if kind is NodeKind.ITEM:
        return kind, parse_item(key)
    parts = key[len(kind) + 1 :].split("/")
    values = tuple(unquote(part) for part in parts)
    wrong = kind in (NodeKind.FLAG, NodeKind.ENTRY) and not _INDEX.match(values[0])
    if wrong or len(parts) != _PARTS.get(kind, 1) or list(map(_quote, values)) != parts:
        raise UsageError(f"{key[:80]!r} is no key of a {kind}")
    return kind, values


def parse_item(key: str) -> ItemKey:
    """Take the key of an item apart.

    Raises:
        UsageError: It is no item's key, or is spelled otherwise than `item_key` does.
    """
    # Loaded here because the module brings the GS1 tables with it, which projecting never needs.
    from provenance.identifiers import ItemKey  # noqa: PLC0415

    match = _ITEM.match(key)
    if match is None or not is_item(key):
        raise UsageError(f"{key[:80]!r} is no key of an item")
    return ItemKey(*_unquoted(match))


def is_item(text: str) -> bool:
    """Say whether a text is an item's key, in the one spelling that the builders give it."""
    match = _ITEM.match(text)
    return match is not None and item_key(*_unquoted(match)) == text


def is_unicode(text: str) -> bool:
    """Say whether a text from outside can name anything: lone surrogates cannot."""
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def is_class(key: str) -> bool:
    """Say whether an item's key names neither lot nor serial."""
    return key.count("/") + 1 == _CLASS


def is_serial(key: str) -> bool:
    """Say whether an item's key names one instance."""
    if "/21/" not in key:
        return False
    steps = key.split("/")
    return len(steps) == _LOT_AND_SERIAL or (len(steps) == _LOT and steps[2] == "21")


def lot_of(key: str) -> str | None:
    """Return the lot's key for the key of a serial that has one, else None."""
    steps = key.split("/")
    return "/".join(steps[:_LOT]) if len(steps) == _LOT_AND_SERIAL else None


def class_of(key: str) -> str:
    """Return the class's key for the key of any item."""
    return "/".join(key.split("/", _CLASS)[:_CLASS])


def _unquoted(match: re.Match[str]) -> tuple[str, str, str | None, str | None]:
    party, product, lot, serial = match.groups()
    return (
        unquote(party),
        unquote(product),
        None if lot is None else unquote(lot),
        None if serial is None else unquote(serial),
    )


def plain_or_quoted(parts: list[str]) -> list[str]:
    """Return the parts of keys as they stand in them; the list itself where that is as they are.

    Raises:
        UsageError: One is no Unicode text.
    """
    return parts if _PLAIN.match("".join(parts)) else [_quote(part) for part in parts]


@lru_cache(maxsize=8_192)
def _quote(part: str) -> str:
    if _PLAIN.match(part):
        return part
    if not is_unicode(part):
        raise UsageError(f"{part[:80]!r} is not Unicode text, so it names nothing")
    return quote(part, safe="")
