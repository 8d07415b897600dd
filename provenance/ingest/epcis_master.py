"""Master data in the header of an EPCIS document: kept as it came, and read where it maps.

Each element of a vocabulary is an entry of its own, private, with all that it
says; another text for the same element is a new version. A place or a product
class that the log knows nothing of also becomes a facility or a product, by the
names that events of the document call it by. What the log knows from a table
is not replaced: a partner's header says less of it, and is not its owner.

Next: provenance/ingest/epcis_log.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from provenance.disclosure.privacy import open_entry
from provenance.entries import Draft, EntryType, Identity, Tier
from provenance.epcis.checks import InvalidEvent, check_bounds
from provenance.epcis.content import site
from provenance.epcis.keys import parse_key
from provenance.epcis.lossless import keep
from provenance.epcis.writing import json_text
from provenance.errors import EncodingError, InputError, ProvenanceError
from provenance.ingest.codes import country
from provenance.ingest.drafts import gtin_name
from provenance.ingest.values import Unacceptable, ident, latitude, longitude

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from provenance.entries import Content
    from provenance.ingest.ports import LogWriter

__all__ = ["VERSION", "MasterData", "master_data"]

VERSION: Final = "vocabulary/1"
"""Version of the bodies of elements; without a rule for it, they are private."""

_ORIGIN: Final = "epcis_vocabulary"
"""The foreign column by which a facility or product is known to come from a header."""
_PLACES: Final = ("Location", "BusinessLocation", "ReadPoint")
_CLASS: Final = "EPCClass"
_PREFIXES: Final = ("cbvmda:", "urn:epcglobal:cbv:mda:", "urn:epcglobal:cbv:mda#", "gs1:")
_GTIN: Final = "01"
_COMMON: Final = 2
_PLACE_FIELDS: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = {
    "name": ("name", str),
    "countryCode": ("country", country),
    "latitude": ("latitude", latitude),
    "longitude": ("longitude", longitude),
}
_PRODUCT_FIELDS: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = {
    "descriptionShort": ("name", str),
    "productName": ("name", str),
    "brandName": ("brand", str),
}


class MasterData(NamedTuple):
    """What a header brings.

    Attributes:
        drafts: For the log.
        notices: What was not taken, and why.
    """

    drafts: list[Draft]
    notices: list[str]


def master_data(vocabularies: list[Any], party: str, log: LogWriter) -> MasterData:
    """Make drafts of the vocabularies of a header.

    Args:
        vocabularies: As `jsonpull` parses them.
        party: Who captures the document.
        log: For what is known already.
    """
    found = MasterData([], [])
    for kind, element in _elements(vocabularies):
        try:
            check_bounds(element)
            name = _name(element["id"])
            content: Content = {"party": party, "type": ident(kind), "element": keep(element)}
        except (EncodingError, InvalidEvent, LookupError, TypeError, Unacceptable) as error:
            found.notices.append(f"master data: an element cannot be kept: {_reason(error)}")
            continue
        key = ("vocabulary", party, kind, name)
        whole = Identity(key, content)
        found.drafts.append(Draft(EntryType.MASTER_DATA, VERSION, content, (whole,), "version"))
        try:
            record = _record(kind, name, _attributes(element), party, log)
        except InputError as error:
            found.notices.append(f"master data: an element is kept, and read no further: {error}")
            continue
        if record is not None:
            found.drafts.append(record)
    return found


def _reason(error: Exception) -> str:
    """Why, without what stood there."""
    if isinstance(error, InvalidEvent | Unacceptable):
        return error.reason
    return "its id is missing" if isinstance(error, LookupError | TypeError) else str(error)


def _elements(vocabularies: list[Any]) -> Iterator[tuple[str, Any]]:
    for vocabulary in vocabularies:
        listed = vocabulary.get("vocabularyElementList") if isinstance(vocabulary, dict) else None
        for element in listed if isinstance(listed, list) else ():
            yield str(vocabulary.get("type", "")), element


def _name(value: Any) -> str:
    if type(value) is not str:
        raise TypeError
    return ident(value)


def _attributes(element: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and texts of the attributes; what is no text is JSON."""
    found = []
    listed = element.get("attributes")
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict) and "id" in each:
            value = each.get("attribute")
            found.append((str(each["id"]), value if type(value) is str else json_text(value)))
    return found


def _record(
    kind: str, name: str, attributes: list[tuple[str, str]], party: str, log: LogWriter
) -> Draft | None:
    """The facility or product that an element describes, where the log knows no better."""
    word = kind.rpartition(":")[2]
    own: Content = {"party": party}
    if word in _PLACES:
        place = site(name)
        content, extra = _read(attributes, _PLACE_FIELDS)
        content |= own | {"facility_id": place, "ext": [[_ORIGIN, kind], *extra]}
        return _draft("facility", place, content, log)
    key = parse_key(name) if word == _CLASS else None
    if key is None or key.ai != _GTIN or log.makers(gtin_name(key.value)):
        return None
    gtin = key.value
    content, extra = _read(attributes, _PRODUCT_FIELDS)
    content |= own | {"product_id": gtin, "gtin": gtin, "ext": [[_ORIGIN, kind], *extra]}
    return _draft("product", gtin, content, log)


def _read(
    attributes: list[tuple[str, str]], fields: Mapping[str, tuple[str, Callable[[str], Any]]]
) -> tuple[Content, list[list[str]]]:
    content: Content = {}
    extra = []
    for name, text in attributes:
        ours, read = fields.get(_plain(name), ("", str))
        try:
            value = read(text.strip()) if ours and ours not in content else None
        except Unacceptable:
            value = None
        if value is None or value == "":
            extra.append([name, text])
        else:
            content[ours] = value
    return content, extra


def _plain(name: str) -> str:
    prefix = next((one for one in _PREFIXES if name.startswith(one)), None)
    return name if prefix is None else name.removeprefix(prefix)


def _draft(what: str, name: str, content: Content, log: LogWriter) -> Draft | None:
    same = Identity((what, name), {**content, "ext": sorted(content["ext"])})
    (known,) = log.known([same])
    if known is not None and not known.same and not _is_from_header(log, known.index):
        return None
    return Draft(EntryType.MASTER_DATA, f"{what}/1", content, (same,), "version")


def _is_from_header(log: LogWriter, index: int) -> bool:
    try:
        content = open_entry(log.entry(index), Tier.PRIVATE)
    except ProvenanceError:
        return False
    ext = content.get("ext", ())
    return any(len(pair) == _COMMON and pair[0] == _ORIGIN for pair in ext)
