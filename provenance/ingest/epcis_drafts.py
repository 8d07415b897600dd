"""EPCIS events to drafts for the log.

An event is the same again when its event hash is: by its own id, or, where it
came without one or by another way, by the hash itself. An id that is a hash
could be guessed from the fields, so such an event is called by a random id and
its own is private.

An error declaration corrects the event whose id it bears.

Next: provenance/ingest/epcis_log.py
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from provenance.entries import Draft, EntryType, Identity, Tier
from provenance.epcis.checks import InvalidEvent, is_extension
from provenance.epcis.content import VERSION, event_content, own_context
from provenance.epcis.eventhash import event_hash
from provenance.epcis.lossless import keep
from provenance.epcis.rules import check_event
from provenance.epcis.vocabulary import PREFIXES, prefixes
from provenance.errors import EncodingError
from provenance.ingest.drafts import Made, gtin_name
from provenance.ingest.events import MAKING
from provenance.ingest.quality.checks import UTC_OFFSETS
from provenance.ingest.quality.notes import FIELD
from provenance.ingest.quality.rules import as_float, is_far
from provenance.ingest.times import instant_text
from provenance.ingest.values import Unacceptable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provenance.clock import Entropy
    from provenance.entries import Content
    from provenance.epcis.document import FoundEvent, Header
    from provenance.ingest.events import Makers

__all__ = ["EventDrafts", "declaration_of", "lots_made", "original_of"]

_GTIN: Final = 14
_UUID: Final = 16
_FIRST: Final = "1900"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MAY_HOLD_FOREIGN: Final = (
    *("ilmd", "readPoint", "bizLocation", "sensorElementList", "errorDeclaration"),
)
_KNOWN_NAMES: Final = ("cbvmda:", "gs1:", PREFIXES["cbvmda"], PREFIXES["gs1"])


class EventDrafts:
    """Makes drafts of the events of one document."""

    def __init__(
        self, party: str, header: Header, makers: Makers, entropy: Entropy, now_us: int
    ) -> None:
        """Build for a capturing party.

        Args:
            party: Whose events these are.
            header: What stands around the events.
            makers: Who made lots of a name, and products of a GTIN.
            entropy: For the ids of events that have none that may be shown.
            now_us: Events more than a day later are refused.
        """
        self.party = party
        self.context = header.context
        self._header = header
        self._makers = makers
        self._entropy = entropy
        self._latest = instant_text(_EPOCH + timedelta(microseconds=now_us, days=1))

    def build(self, found: FoundEvent) -> Made:
        """Make the draft of one event.

        Raises:
            Unacceptable: It cannot be taken; `column` is the JSON pointer of the culprit.
        """
        try:
            check_event(found.value)
            return self._made(found.value)
        except InvalidEvent as error:
            place = f"{found.pointer}{error.pointer}"
            raise Unacceptable(error.reason, error.value, column=place) from None
        except EncodingError as error:
            raise Unacceptable("cannot be kept", column=found.pointer, detail=str(error)) from None
        except Unacceptable as error:
            error.column = f"{found.pointer}{error.column}"
            raise

    def _made(self, event: Mapping[str, Any]) -> Made:
        context = [*self._header.context, *own_context(event.get("@context", []))]
        name = event_hash(event, prefixes(context), self._header.ignored)
        given = event.get("eventID")
        event_id = given if given and not given.startswith("ni:") else self._random_id()
        content = event_content(
            event,
            party=self.party,
            event_id=event_id,
            context=self._header.context,
            ignored=self._header.ignored,
        )
        self._check_time(content)
        lots = () if "errorDeclaration" in event else self._settled(content)
        notes = _notes(event, name, content)
        if notes:
            content[FIELD] = notes
        draft = Draft(
            type=EntryType.EVENT,
            version=VERSION,
            content=content,
            identities=self._identities(event, name),
            tiers=_own_tiers(event),
            lots=lots,
        )
        return Made(draft, [_WARNED[note] for note in notes if note in _WARNED])

    def _random_id(self) -> str:
        return UUID(bytes=self._entropy(_UUID), version=4).urn

    def _check_time(self, content: Content) -> None:
        time = content["event_time"]
        if time < _FIRST:
            raise Unacceptable("is before 1900", content["time_text"], "/eventTime")
        if time > self._latest:
            raise Unacceptable("lies in the future", content["time_text"], "/eventTime")

    def _identities(self, event: Mapping[str, Any], name: str) -> tuple[Identity, ...]:
        given = event.get("eventID")
        error = event.get("errorDeclaration")
        if error is not None:
            key = ("event_error", self.party, given or name, error["declarationTime"])
            return (Identity(key, [name, keep(error)]),)
        return original_of(self.party, given, name)

    def _settled(self, content: Content) -> tuple[tuple[str, str, str], ...]:
        """Give the goods their makers; returns the lots that the event makes."""
        making = content["event_type"] in MAKING
        content["items"] = [self._maker_of(item, making=making) for item in content["items"]]
        if "inputs" in content:
            content["inputs"] = [self._maker_of(item, making=False) for item in content["inputs"]]
        if not making:
            return ()
        return tuple(
            (item["lot_id"], self.party, item["product_id"])
            for item in content["items"]
            if "lot_id" in item
        )

    def _maker_of(self, item: Content, *, making: bool) -> Content:
        gtin = item["product_id"]
        if len(gtin) == _GTIN and gtin.isdigit():
            item = {**item, "gtin": gtin}
            pair = self._one_of(self._makers(gtin_name(gtin)), gtin)
            if pair is not None:
                item |= {"party": self.party if making else pair[0], "product_id": pair[1]}
        if making or "lot_id" not in item:
            return item
        lot = item["lot_id"]
        made = [pair for pair in self._makers(lot) if pair[1] in {gtin, item["product_id"]}]
        pair = self._one_of(made, lot)
        return item if pair is None else {**item, "party": pair[0], "product_id": pair[1]}

    def _one_of(self, pairs: list[tuple[str, str]], name: str) -> tuple[str, str] | None:
        own = [pair for pair in pairs if pair[0] == self.party]
        fitting = own or pairs
        if len(fitting) > 1:
            raise Unacceptable("several makers or products have this lot or GTIN", name)
        return fitting[0] if fitting else None


def original_of(party: str, given: str | None, name: str) -> tuple[Identity, ...]:
    """Return what makes an event the same event again.

    Args:
        party: Who captured it.
        given: Its own id, if it has one.
        name: Its event hash.
    """
    by_hash = Identity(("event_hash", party, name), [])
    return (Identity(("event", party, given), [name]), by_hash) if given else (by_hash,)


def declaration_of(key: tuple[str, ...]) -> tuple[str, str, str]:
    """Return the row key of an error declaration that came before its event.

    Args:
        key: The first row key of either: kind, party, and the event's id or hash.
    """
    return ("event_declared", key[1], key[2])


def lots_made(event: Any, party: str) -> list[tuple[str, str, str]]:
    """Return the (lot, party, product) of lots that a valid event makes; none for any other."""
    if not isinstance(event, dict) or (
        event.get("type") != "TransformationEvent" and event.get("action") != "ADD"
    ):
        return []
    try:
        check_event(event)
    except InvalidEvent:
        return []
    if "errorDeclaration" in event:
        return []
    content = event_content(event, party=party, event_id="", context=[])
    if content["event_type"] not in MAKING:
        return []
    return [
        (item["lot_id"], party, item["product_id"]) for item in content["items"] if "lot_id" in item
    ]


def _own_tiers(event: Mapping[str, Any]) -> dict[str, Tier]:
    """Members that hold extensions of a namespace nobody here knows are private as a whole."""
    return {
        f"/epcis/{name}": Tier.PRIVATE
        for name in _MAY_HOLD_FOREIGN
        if name in event and _is_foreign(event[name])
    }


def _is_foreign(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_is_foreign, value))
    if not isinstance(value, dict):
        return False
    return any(
        (is_extension(name) and not name.startswith(_KNOWN_NAMES)) or _is_foreign(part)
        for name, part in value.items()
    )


def _notes(event: Mapping[str, Any], name: str, content: Content) -> list[str]:
    """Say what looks like a slip in an event that is taken all the same."""
    notes = []
    given = event.get("eventID", name)
    if given.startswith("ni:") and given != name and "errorDeclaration" not in event:
        notes.append("event-id-not-hash")
    if getattr(event, "earlier", ()):
        notes.append("member-twice")
    offset = event["eventTimeZoneOffset"]
    if "longitude" in content and offset not in UTC_OFFSETS:
        notes += ["time-zone-differs"] if is_far(offset, as_float(content["longitude"])) else []
    return notes


_WARNED: Final = {
    "event-id-not-hash": "eventID is a hash, and not the event hash of CBV 2.0",
    "member-twice": "a member stands twice in the event: the last one was taken",
}
"""Notes that are about the form, for whoever sends the events: the receipt warns of them."""
