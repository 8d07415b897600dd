"""`GET /events`: what a trading partner's client asks first, over the app and over real HTTP."""

from __future__ import annotations

import json
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import api_world
import httpx
import pytest
from api_world import SECRETS, TOKEN

from api import epcis_events
from api.app import build_app
from api.readers import Readers
from api.server import Listening, make_server
from api.settings import ApiSettings
from api.store_reading import open_reading
from provenance.epcis.eventhash import event_hash
from provenance.epcis.jsonpull import parse
from provenance.epcis.vocabulary import prefixes
from provenance.ingest.run import ingest
from workspace.workspace import Workspace, create_workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from api_asker import Asker

SERIAL = "urn:epc:id:sgtin:4012345.011111.{}"
LINK = "https://id.gs1.org/01/04012345111118/21/{}"
STEPS = ("shipping", "receiving", "https://ref.gs1.org/cbv/BizStep-shipping")


def made(number: int) -> dict[str, Any]:
    """One of the events of the small document."""
    return {
        "type": "ObjectEvent",
        "eventID": f"urn:x:{number}",
        "eventTime": f"2024-01-0{number + 1}T12:00:00.500Z",
        "eventTimeZoneOffset": "+00:00",
        "action": "OBSERVE",
        "bizStep": STEPS[number % 3],
        "epcList": [(SERIAL, LINK)[number % 2].format(number // 2)],
        "bizLocation": {"id": f"urn:epc:id:sgln:4012345.0000{number % 2}.0"},
        "ex:secret": {"ex:n": 12.50},
    }


@pytest.fixture(scope="module")
def epcis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace with six events of a partner's."""
    place = tmp_path_factory.mktemp("events")
    create_workspace(
        place / "data", origin="example.org/e", party="acme", domain="https://id.example.org"
    )
    document = {
        "@context": [{"ex": "https://ns.example.com/"}],
        "type": "EPCISDocument",
        "epcisBody": {"eventList": [made(number) for number in range(6)]},
    }
    path: Path = place / "six.jsonld"
    path.write_text(json.dumps(document))
    with Workspace(place / "data") as workspace:
        ingest(
            [str(path)],
            workspace.log,
            party="acme",
            quarantine=workspace.layout.quarantine,
            clock=workspace.clock,
            entropy=workspace.entropy,
        )
        workspace.sync_graph()
        yield workspace


@pytest.fixture(scope="module")
def client(epcis: Workspace) -> Iterator[httpx.Client]:
    """The operator, at a server on a free loopback port."""
    server, taken, told = make_server(epcis, Listening(port=0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]})
    thread.start()
    shown = {"authorization": f"Bearer {told.token}"}
    with taken:
        with httpx.Client(base_url=told.address, timeout=20, headers=shown) as opened:
            yield opened
        server.should_exit = True
        thread.join(20)


def ids(client: httpx.Client, **asked: Any) -> list[str]:
    """Which events an answer holds."""
    answer = client.get("/events", params=asked)
    assert answer.status_code == 200, answer.text
    whole = answer.json()
    assert whole["type"] == "EPCISQueryDocument"
    listed = whole["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    return [event["eventID"].removeprefix("urn:x:") for event in listed]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, "012345"),
        ({"EQ_bizStep": "shipping"}, "0235"),
        ({"EQ_bizStep": "cbv:BizStep-shipping,receiving"}, "012345"),
        ({"EQ_bizStep": ["packing", "receiving"]}, "14"),
        ({"GE_eventTime": "2024-01-03T12:00:00.5Z"}, "2345"),
        ({"LT_eventTime": "2024-01-03T12:00:00.5Z"}, "01"),
        ({"GE_eventTime": "2024-01-03", "LT_eventTime": "2024-01-05T00:00:00+00:00"}, "23"),
        ({"GE_eventTime": "2024-01-03T12:00:00Z", "LT_eventTime": "2024-01-03T12:00:01Z"}, "2"),
        ({"MATCH_epc": SERIAL.format(1)}, "23"),
        ({"MATCH_epc": "https://shop.example/01/04012345111118/10/L/21/1"}, "23"),
        ({"MATCH_anyEPC": SERIAL.format(2)}, "45"),
        ({"EQ_bizLocation": "https://id.gs1.org/414/4012345000009"}, "024"),
        ({"EQ_bizLocation": "urn:x:nowhere"}, ""),
        ({"EQ_bizStep": "shipping", "MATCH_epc": SERIAL.format(1)}, "23"),
        ({"eventType": "AggregationEvent"}, ""),
        ({"EQ_eventID": "urn:x:4"}, "4"),
    ],
)
def test_events_are_found_by_what_they_say(
    client: httpx.Client, asked: dict[str, Any], found: str
) -> None:
    """All conditions count; a URI or word is found in every spelling."""
    assert "".join(ids(client, **asked)) == found


def test_an_event_comes_back_as_it_was_sent(client: httpx.Client) -> None:
    """With its extensions, its context, and the versions in the headers."""
    answer = client.get("/events", params={"EQ_eventID": "urn:x:0"})
    assert (answer.headers["gs1-epcis-version"], answer.headers["gs1-cbv-version"]) == (
        "2.0.0",
        "2.0.0",
    )
    assert answer.headers["content-type"] == "application/ld+json"
    whole = answer.json()
    assert {"ex": "https://ns.example.com/"} in whole["@context"]
    assert whole["epcisBody"]["queryResults"]["resultsBody"]["eventList"] == [made(0)]


@pytest.mark.parametrize("size", [1, 2, 4, 5, 6, 500])
def test_pages_follow_each_other(client: httpx.Client, size: int) -> None:
    """Following the links gives every event once, in order, with the conditions kept."""
    found = []
    address: str | None = f"/events?perPage={size}&GE_eventTime=2024-01-02T00:00:00Z"
    while address:
        answer = client.get(address)
        listed = answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        assert len(listed) <= size
        found += [event["eventID"][-1] for event in listed]
        address = answer.links.get("next", {}).get("url")
    assert found == list("12345")


def test_a_long_search_is_cut_into_pages(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request looks at a bounded number of entries; an empty page can have a next one."""
    monkeypatch.setattr(epcis_events, "_MOST_READ", 2)
    answer = client.get("/events", params={"EQ_eventID": "urn:x:5"})
    pages = 1
    while not (listed := answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]):
        answer = client.get(answer.links["next"]["url"])
        pages += 1
    assert [event["eventID"] for event in listed] == ["urn:x:5"]
    assert pages > 1


@pytest.mark.parametrize(
    "asked",
    [
        {"EQ_disposition": "active"},
        {"perPage": "0"},
        {"perPage": "501"},
        {"perPage": "00000000001"},
        {"perPage": "x"},
        {"nextPageToken": "-1"},
        {"nextPageToken": ["1", "2"]},
        {"GE_eventTime": "yesterday"},
        {"GE_eventTime": "2024-01-01,2024-01-02"},
        {"EQ_bizStep": ""},
        {"MATCH_epc": ",".join("abcdefgh" * 20)},
    ],
)
def test_what_cannot_be_asked(client: httpx.Client, asked: dict[str, Any]) -> None:
    """A parameter that is not known, or makes no sense, is refused in words."""
    if "MATCH_epc" in asked:
        asked = {"MATCH_epc": ",".join(f"urn:x:{number}" for number in range(101))}
    answer = client.get("/events", params=asked)
    assert answer.status_code == 400
    assert next(iter(asked)) in answer.text


def test_only_the_operator_lists_events(epcis: Workspace) -> None:
    """Others are told so, and no event's field is in the answer."""
    pool = Readers(lambda: open_reading(epcis))
    from api_asker import Asker as Ask  # noqa: PLC0415 - used here only

    settings = ApiSettings(base="https://id.example.org", token=TOKEN, partner_token="partner")
    ask = Ask(build_app(pool, settings))
    for headers in ({}, {"authorization": "Bearer partner"}):
        answer = ask.get("/events", headers=headers)
        assert answer.status_code == 403
        assert "urn:x" not in answer.text
    assert ask.get("/events", headers={"authorization": "Bearer x"}).status_code == 401
    pool.close()


def test_one_event_by_its_id(epcis: Workspace, client: httpx.Client) -> None:
    """With its context, as valid as a document; an id that nobody knows is 404."""
    answer = client.get(f"/events/{quote('urn:x:2', safe='')}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/ld+json")
    event = answer.json()
    assert event["@context"][1:] == [{"ex": "https://ns.example.com/"}]
    assert {name: event[name] for name in made(2)} == made(2)
    plain = client.get("/events/urn:x:2", headers={"accept": "application/json;q=1, */*;q=0.1"})
    assert plain.headers["content-type"] == "application/json"
    assert plain.json() == event
    hashed = hash_of_event(event)
    for address in (hashed, quote(hashed, safe="")):
        assert client.get(f"/events/{address}").json() == event
    missing = client.get("/events/urn:x:99")
    assert (missing.status_code, missing.json()["type"]) == (
        404,
        "epcisException:NoSuchResourceException",
    )
    for address in ("/events", "/events/urn:x:2"):
        xml = client.get(address, headers={"accept": "application/xml"})
        assert (xml.status_code, xml.json()["type"]) == (
            406,
            "epcisException:NotAcceptableException",
        )
        assert client.get(address, headers={"GS1-CBV-Min": "2.1"}).status_code == 406
        asked = client.options(address)
        assert (asked.status_code, asked.headers["gs1-epcis-version"]) == (204, "2.0.0")
    assert client.options("/").headers["gs1-cbv-max"] == "2.0.0"


def test_others_see_of_an_event_what_they_may(epcis: Workspace, client: httpx.Client) -> None:
    """By its id, without what is private; and nobody but the operator by its hash."""
    whole = client.get("/events/urn:x:2").json()
    pool = Readers(lambda: open_reading(epcis))
    from api_asker import Asker as Ask  # noqa: PLC0415 - used here only

    settings = ApiSettings("https://id.example.org", TOKEN, "partner", party="acme")
    ask = Ask(build_app(pool, settings))
    for headers in ({}, {"authorization": "Bearer partner"}):
        answer = ask.get("/events/urn:x:2", headers=headers)
        assert answer.status_code == 200
        assert answer.json()["eventTime"] == whole["eventTime"]
        assert "secret" not in answer.text
        assert ask.get(f"/events/{hash_of_event(whole)}", headers=headers).status_code == 404
    pool.close()


def hash_of_event(event: dict[str, Any]) -> str:
    """The event hash of a whole event."""
    return event_hash(parse(json.dumps(event)), prefixes(event["@context"]))


def test_native_events_are_listed_too(ask: Asker) -> None:
    """Rows of tables come as EPCIS events; nobody else sees a secret."""
    answer = ask.get("/events?perPage=500", operator=True)
    listed = answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert len(listed) > 1
    assert all(datetime.fromisoformat(event["eventTime"]) for event in listed)
    refused = ask.get("/events")
    assert refused.status_code == 403
    assert not [secret for secret in SECRETS if secret in refused.text]
    assert api_world.GTIN in answer.text
