"""The CBV 2.0 event hash: one name for an event, however it is written. Pure.

CBV 2.0, section 8.9: fields are put in a fixed order, lists are sorted, times
become UTC with milliseconds, numbers lose what says nothing, URIs take one
spelling, and SHA-256 over the text is the name. The id, the record time, error
declarations and comments are not part of it. The hash has no salt: who can
guess the fields can confirm the guess, so it is for the private tier.

Next: provenance/epcis/checks.py
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from provenance.epcis.jsonpull import Number
from provenance.epcis.keys import canonical_uri, parse_key
from provenance.epcis.vocabulary import PREFIXES, word_uri
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["event_hash", "pre_hash", "utc_milliseconds"]

_NOT_HASHED: Final = frozenset(
    {"@context", "type", "eventID", "recordTime", "errorDeclaration", "rdfs:comment", "comment"}
)
_TIME: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)\Z", re.ASCII
)
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?\Z", re.ASCII)
_LONGEST_NUMBER: Final = 64
_ROUNDED_UP: Final = 5


def event_hash(
    event: Mapping[str, Any], names: Mapping[str, str], ignored: Iterable[str] = ()
) -> str:
    """Name an event by its content.

    Args:
        event: As parsed from JSON, numbers as `Number`.
        names: Prefix -> namespace, from `vocabulary.prefixes`.
        ignored: Names of extensions that are left out.

    Returns:
        `ni:///sha-256;...?ver=CBV2.0`
    """
    digest = hashlib.sha256(pre_hash(event, names, ignored).encode()).hexdigest()
    return f"ni:///sha-256;{digest}?ver=CBV2.0"


def pre_hash(
    event: Mapping[str, Any], names: Mapping[str, str], ignored: Iterable[str] = ()
) -> str:
    """Write the text that is hashed; arguments as for `event_hash`."""
    skipped = _NOT_HASHED.union(ignored)
    kept = {name: value for name, value in event.items() if name not in skipped}
    kind = str(event.get("type", ""))
    return f"eventType={kind}{_node(kept, _EVENT, names)}"


def utc_milliseconds(text: str) -> str:
    """Write a time in UTC with milliseconds, the fourth decimal place rounded half up.

    Raises:
        ValueError: It is no time with an offset, or not one that exists.
    """
    match = _TIME.match(text)
    if match is None:
        raise ValueError(text)
    *parts, fraction, zone = match.groups()
    whole = datetime(*map(int, parts), tzinfo=UTC)  # type: ignore[arg-type, misc]
    digits = (fraction or "").ljust(4, "0")
    milliseconds = int(digits[:3]) + (int(digits[3]) >= _ROUNDED_UP)
    if zone != "Z":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
        whole += -offset if zone[0] == "+" else offset
    found = whole + timedelta(milliseconds=milliseconds)
    return found.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


_Names = "Mapping[str, str]"


def _node(value: Mapping[str, Any], order: Sequence[_Field], names: Mapping[str, str]) -> str:
    """The known fields in their order, then the others sorted by what they give."""
    known = [write(name, value[name], names) for name, write in order if name in value]
    there = {name for name, _ in order}
    rest = [
        text
        for name, other in value.items()
        if name not in there and name not in _COMMENTS
        for text in _extension(_full_name(name, names), other, names)
    ]
    return "".join(known) + "".join(sorted(rest))


_COMMENTS: Final = frozenset({"rdfs:comment", "comment"})


def _full_name(name: str, names: Mapping[str, str]) -> str:
    prefix, colon, local = name.partition(":")
    return f"{{{names[prefix]}}}{local}" if colon and prefix in names else name


def _extension(name: str, value: Any, names: Mapping[str, str]) -> list[str]:
    """One text per value of a name; the members of an object follow its name."""
    if isinstance(value, list):
        return [text for item in value for text in _extension(name, item, names)]
    if isinstance(value, dict):
        return [name + _node(value, (), names)]
    text = _plain(value)
    return [f"{name}={text}" if text else name]


def _plain(value: Any) -> str:
    """A value in its one spelling."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    text = str(value).strip()
    if type(value) is Number or (_NUMBER.match(text) and len(text) <= _LONGEST_NUMBER):
        return _number(text)
    try:
        key = parse_key(text)
    except InputError:
        return text
    return canonical_uri(key) if key else _web(text)


def _number(text: str) -> str:
    exact = Decimal(text)
    plain = format(exact, "f")
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return "0" if not exact else plain


def _web(text: str) -> str:
    prefix, colon, local = text.partition(":")
    if colon and prefix in {"cbv", "gs1", "epcis"}:
        return PREFIXES[prefix] + local
    return word_uri("", text) if text.startswith("urn:epcglobal:cbv:") else text


def _time(name: str, value: Any, _names: Mapping[str, str]) -> str:
    text = str(value).strip()
    try:
        return f"{name}={utc_milliseconds(text)}"
    except (ValueError, OverflowError):
        return f"{name}={text}"


def _value(name: str, value: Any, names: Mapping[str, str]) -> str:
    return "".join(sorted(_extension(name, value, names)))


def _text(name: str, value: Any, _names: Mapping[str, str]) -> str:
    return f"{name}={str(value).strip()}"


def _word(kind: str) -> _Write:
    def write(name: str, value: Any, _names: Mapping[str, str]) -> str:
        values = value if isinstance(value, list) else [value]
        return "".join(sorted(f"{name}={word_uri(kind, str(word).strip())}" for word in values))

    return write


def _listed(child: str) -> _Write:
    """A list of URIs: its name, then each as `child`, sorted."""

    def write(name: str, value: Any, names: Mapping[str, str]) -> str:
        texts = _value(child, value, names)
        return name + texts if texts else ""

    return write


def _object(order: Sequence[_Field]) -> _Write:
    """An object, or each of a list of them, sorted."""

    def write(name: str, value: Any, names: Mapping[str, str]) -> str:
        values = value if isinstance(value, list) else [value]
        texts = [_node(one, order, names) for one in values if isinstance(one, dict)]
        return "".join(sorted(name + text for text in texts if text))

    return write


def _objects(child: str, order: Sequence[_Field]) -> _Write:
    """A list of objects: its name, then each under `child`, sorted."""
    write_one = _object(order)

    def write(name: str, value: Any, names: Mapping[str, str]) -> str:
        texts = write_one(child, value, names)
        return name + texts if texts else ""

    return write


if TYPE_CHECKING:
    _Write = Callable[[str, Any, Mapping[str, str]], str]
    _Field = tuple[str, _Write]


def _fields(write: _Write, names: str) -> list[_Field]:
    return [(name, write) for name in names.split()]


_QUANTITY: Final = _objects("quantityElement", _fields(_value, "epcClass quantity uom"))
_PLACE: Final = _object(_fields(_value, "id"))
_METADATA: Final = _object(
    [
        *_fields(_time, "time startTime endTime"),
        *_fields(_value, "deviceID deviceMetadata rawData dataProcessingMethod bizRules"),
    ]
)
_REPORT: Final = _object(
    [
        ("type", _word("Measure")),
        ("exception", _word("Alert")),
        *_fields(_value, "deviceID deviceMetadata rawData dataProcessingMethod"),
        ("time", _time),
        *_fields(_value, "microorganism chemicalSubstance value"),
        ("component", _word("Comp")),
        *_fields(_value, "stringValue booleanValue hexBinaryValue uriValue minValue maxValue"),
        *_fields(_value, "meanValue sDev percRank percValue uom coordinateReferenceSystem"),
    ]
)
_EVENT: Final[Sequence[_Field]] = (
    ("eventTime", _time),
    ("eventTimeZoneOffset", _text),
    ("certificationInfo", _value),
    ("epcList", _listed("epc")),
    ("parentID", _value),
    ("inputEPCList", _listed("epc")),
    ("childEPCs", _listed("epc")),
    *[(name, _QUANTITY) for name in ("quantityList", "childQuantityList", "inputQuantityList")],
    ("outputEPCList", _listed("epc")),
    ("outputQuantityList", _QUANTITY),
    ("action", _text),
    ("transformationID", _value),
    ("bizStep", _word("BizStep")),
    ("disposition", _word("Disp")),
    ("persistentDisposition", _object([("set", _word("Disp")), ("unset", _word("Disp"))])),
    ("readPoint", _PLACE),
    ("bizLocation", _PLACE),
    ("bizTransactionList", _objects("", [("type", _word("BTT")), ("bizTransaction", _value)])),
    ("destinationList", _objects("", [("type", _word("SDT")), ("destination", _value)])),
    ("sourceList", _objects("", [("type", _word("SDT")), ("source", _value)])),
    (
        "sensorElementList",
        _objects("sensorElement", [("sensorMetadata", _METADATA), ("sensorReport", _REPORT)]),
    ),
)
