"""`GET /events` of the EPCIS 2.0 REST binding: events by what they say, page by page, or by id.

The first lists, so it is for the operator. A request looks at a bounded number of log
entries: a page may hold fewer events than were asked for, and still have a
next one. A parameter that is not known is refused, because an answer that
leaves a condition out is a wrong answer. One event by its id is for everybody, as
far as each may see it.

Next: api/app.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.epcis_rest import page_size, refuse_misfits
from api.web import choose
from provenance.epcis.export import epcis_event, instant
from provenance.epcis.keys import canonical_uri, parse_key
from provenance.epcis.native import Names
from provenance.epcis.vocabulary import word_uri
from provenance.epcis.writing import event_text, query_text
from provenance.errors import AccessDenied, InputError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from starlette.requests import Request

    from api.reading import Reading
    from api.viewer import Viewer

    Event = Mapping[str, Any]
    Condition = Callable[[Event], bool]
    Making = Callable[[str, set[str]], Condition]

__all__ = ["event", "events"]

_MOST_READ: Final = 5_000
"""Log entries that one request looks at."""
_MOST_VALUES: Final = 100
_OFFERED: Final = ("application/ld+json", "application/json")
_EPCS: Final = ("epcList", "childEPCs")
_MORE_EPCS: Final = ("inputEPCList", "outputEPCList")


def events(request: Request, reading: Reading, viewer: Viewer, base: str) -> Response:
    """Answer a query for events.

    Raises:
        AccessDenied: The viewer may not list.
        InputError: A parameter is not known, or its value cannot be read.
    """
    if not viewer.may_list:
        raise AccessDenied("events are listed for the operator; show the operator's token")
    refuse_misfits(request)
    asked = {name: request.query_params.getlist(name) for name in request.query_params}
    start = _token(asked.pop("nextPageToken", ["0"]))
    size = page_size(asked.pop("perPage", []))
    conditions = [_condition(name, texts) for name, texts in asked.items()]
    names = _names(reading, viewer, base)
    stop = reading.head().size
    page: list[tuple[dict[str, Any], list[Any]]] = []
    end = min(start + _MOST_READ, stop)
    for index, version, content in reading.events(start, end, viewer.tier):
        found = epcis_event(version, content, viewer.tier, names)
        if not isinstance(found, str) and all(fits(found[0]) for fits in conditions):
            page.append(found)
            if len(page) == size:
                end = index + 1
                break
    headers = {}
    if end < stop:
        again = [(name, text) for name, texts in asked.items() for text in texts]
        query = urlencode([*again, ("perPage", str(size)), ("nextPageToken", str(end))])
        headers["link"] = f'</events?{query}>; rel="next"'
    return Response(query_text(page), media_type=_wanted(request), headers=headers)


def event(request: Request, reading: Reading, viewer: Viewer, base: str, party: str) -> Response:
    """Answer with one event, with the context that it is read with.

    Raises:
        NotFound: There is none of this id, or none that the viewer may see.
    """
    refuse_misfits(request)
    kind = _wanted(request)
    asked = request.path_params["event_id"]
    if request.url.query and "?" not in asked:
        asked = f"{asked}?{request.url.query}"  # of an event hash, whose "?" was not encoded
    held = reading.event_named(asked, [party], viewer.tier)
    found = None
    if held is not None:
        found = epcis_event(held[1], held[2], viewer.tier, _names(reading, viewer, base))
    if found is None or isinstance(found, str):
        raise NotFound("no event of this id is known here")
    return Response(event_text(*found), media_type=kind)


def _names(reading: Reading, viewer: Viewer, base: str) -> Names:
    return Names(
        base,
        lambda party, product: (
            reading.products([(party, product)], viewer.tier).get((party, product), {}).get("gtin")
        ),
    )


def _wanted(request: Request) -> str:
    """The media type of the answer.

    Raises:
        HTTPException: 406: neither JSON-LD nor JSON is wanted.
    """
    found = choose(request.headers.get("accept"), _OFFERED)
    if found is None:
        raise HTTPException(406, "events are written as JSON-LD or JSON, and not as anything else")
    return found


def _token(texts: list[str]) -> int:
    (text,) = texts if len(texts) == 1 else ("",)
    if not (text.isascii() and text.isdigit() and len(text) < 16):  # noqa: PLR2004 - an index
        raise InputError("nextPageToken: is not one that this server gave out")
    return int(text)


def _condition(name: str, texts: list[str]) -> Condition:
    make = _CONDITIONS.get(name)
    if make is None:
        known = ", ".join([*_CONDITIONS, "perPage", "nextPageToken"])
        raise InputError(f"{name[:40]!r}: is not a parameter that is answered here; {known} are")
    values = {value for text in texts for part in text.split("|") for value in part.split(",")}
    if "" in values or len(values) > _MOST_VALUES:
        raise InputError(f"{name}: needs 1 to {_MOST_VALUES} values, separated by commas")
    return make(name, values)


def _same(uri: str) -> str:
    """A URI in its one spelling; one that names nothing right is compared as it stands."""
    try:
        key = parse_key(uri)
    except InputError:
        return uri
    return canonical_uri(key) if key else uri


def _by_step(_name: str, values: set[str]) -> Condition:
    steps = {word_uri("BizStep", value) for value in values}
    return lambda event: "bizStep" in event and word_uri("BizStep", event["bizStep"]) in steps


def _by_member(member: str) -> Making:
    return lambda _name, values: lambda event: event.get(member) in values


def _by_place(_name: str, values: set[str]) -> Condition:
    places = {_same(value) for value in values}
    return lambda event: "bizLocation" in event and _same(event["bizLocation"]["id"]) in places


def _by_epc(name: str, values: set[str]) -> Condition:
    """Match EPCs in the lists that the standard names for the parameter."""
    wanted = {_same(value) for value in values}
    anywhere = name == "MATCH_anyEPC"

    def named(event: Event) -> Iterator[str]:
        for member in (*_EPCS, *_MORE_EPCS) if anywhere else _EPCS:
            yield from event.get(member, ())
        if anywhere and "parentID" in event:
            yield event["parentID"]

    return lambda event: any(_same(uri) in wanted for uri in named(event))


def _by_time(name: str, values: set[str]) -> Condition:
    (text,) = values if len(values) == 1 else ("",)
    try:
        bound = instant(text)
    except ValueError:
        raise InputError(f"{name}: is not one time such as 2024-03-01T00:00:00Z") from None
    later = name.startswith("GE_")
    return lambda event: (instant(event["eventTime"]) >= bound) is later


_CONDITIONS: Final[Mapping[str, Making]] = {
    "eventType": _by_member("type"),
    "EQ_action": _by_member("action"),
    "EQ_bizStep": _by_step,
    "GE_eventTime": _by_time,
    "LT_eventTime": _by_time,
    "MATCH_epc": _by_epc,
    "MATCH_anyEPC": _by_epc,
    "EQ_bizLocation": _by_place,
    "EQ_eventID": _by_member("eventID"),
}
