"""`POST /capture` over real HTTP: all or nothing, or what can be taken; and what became of it."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from api import capture_jobs
from api.capture_jobs import Jobs
from api.server import Listening, make_server
from provenance.errors import NotFound, StorageError
from workspace.workspace import Workspace, create_workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def made(number: int, **more: Any) -> dict[str, Any]:
    """An event."""
    return {
        "type": "ObjectEvent",
        "eventID": f"urn:x:{number}",
        "eventTime": "2024-01-01T12:00:00Z",
        "eventTimeZoneOffset": "+00:00",
        "action": "OBSERVE",
        "epcList": [f"urn:epc:id:sgtin:4012345.011111.{number}"],
        **more,
    }


def document(*events: Any) -> dict[str, Any]:
    """A document around events."""
    return {"@context": [], "type": "EPCISDocument", "epcisBody": {"eventList": list(events)}}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """An empty workspace."""
    create_workspace(
        tmp_path / "data", origin="example.org/c", party="acme", domain="https://id.example.org"
    )
    with Workspace(tmp_path / "data") as opened:
        opened.sync_graph()
        yield opened


@pytest.fixture
def client(workspace: Workspace) -> Iterator[httpx.Client]:
    """The operator, at a server on a free loopback port that takes documents."""
    server, taken, told = make_server(workspace, Listening(port=0), partners=True, capture=True)
    accepting = threading.Event()
    server.on_start = accepting.set
    thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]})
    thread.start()
    assert accepting.wait(20)
    shown = {"authorization": f"Bearer {told.token}", "partner": told.partner_token or ""}
    with taken:
        with httpx.Client(base_url=told.address, timeout=20, headers=shown) as opened:
            yield opened
        server.should_exit = True
        thread.join(20)
    assert not thread.is_alive()


def send(client: httpx.Client, whole: Any, behaviour: str | None = None) -> httpx.Response:
    """Send a document."""
    headers = {} if behaviour is None else {"GS1-Capture-Error-Behaviour": behaviour}
    return client.post("/capture", json=whole, headers=headers)


def ids(client: httpx.Client) -> list[str]:
    """Which events the log holds."""
    whole = client.get("/events").json()
    listed = whole["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    return [event["eventID"] for event in listed]


def test_a_document_is_taken_and_told_of(client: httpx.Client) -> None:
    """202, the job at its address, and the events can be asked for; again changes nothing."""
    answer = send(client, document(made(1), made(2)))
    assert answer.status_code == 202
    job = answer.json()
    assert (job["success"], job["running"], job["errors"]) == (True, False, [])
    assert client.get(answer.headers["location"]).json() == job
    assert ids(client) == ["urn:x:1", "urn:x:2"]
    assert send(client, document(made(1), made(2))).json()["success"]
    assert ids(client) == ["urn:x:1", "urn:x:2"]


@pytest.mark.parametrize("bad", [made(2, action="SEEN"), made(1, action="DELETE"), 7])
def test_rollback_is_all_or_nothing(client: httpx.Client, workspace: Workspace, bad: Any) -> None:
    """One event that cannot be taken, or contradicts another, and nothing is logged."""
    for behaviour in (None, "rollback"):
        answer = send(client, document(made(1), bad), behaviour)
        job = answer.json()
        assert answer.status_code == 202
        assert (job["success"], job["captureErrorBehaviour"]) == (False, "rollback")
        assert [error["instance"].split("/")[3] for error in job["errors"]] == ["1"]
    assert ids(client) == []
    assert workspace.reader.size == 1
    assert not list(workspace.layout.quarantine.iterdir())


def test_proceed_takes_what_can_be_taken(client: httpx.Client, workspace: Workspace) -> None:
    """The rest goes into quarantine and is named in the job."""
    job = send(client, document(made(1), made(2, action="SEEN"), made(3)), "proceed").json()
    assert job["success"] is False
    assert [error["instance"] for error in job["errors"]] == ["/epcisBody/eventList/1/action"]
    assert ids(client) == ["urn:x:1", "urn:x:3"]
    (kept,) = workspace.layout.quarantine.glob("*.jsonld")
    assert "SEEN" in kept.read_text()


def test_what_is_no_document_is_refused(client: httpx.Client, workspace: Workspace) -> None:
    """One error in words, without a place of this machine; nothing was logged."""
    for body in (b"", b"{", b'{"a": 1}', b"\xff{}", json.dumps(document()).encode()):
        answer = client.post("/capture", content=body)
        assert answer.status_code == 400, answer.text
        assert "/tmp" not in answer.text
    assert send(client, document(made(1)), "sometimes").status_code == 400
    assert client.post("/capture", content=b" " * (17 << 20)).status_code == 413
    assert client.get("/capture/0000").status_code == 404
    assert client.get("/capture").json() == []
    assert workspace.reader.size == 1


def test_only_the_operator_may_send(client: httpx.Client, workspace: Workspace) -> None:
    """Consumers and partners are refused before anything is read."""
    partner = {"authorization": f"Bearer {client.headers['partner']}"}
    for headers, status in (({"authorization": "Bearer x"}, 401), (partner, 403)):
        answer = client.post("/capture", json=document(made(1)), headers=headers)
        assert answer.status_code == status
    del client.headers["authorization"]
    assert client.post("/capture", json=document(made(1))).status_code == 403
    assert workspace.reader.size == 1


def test_without_the_option_there_is_no_such_address(workspace: Workspace) -> None:
    """A server takes nothing unless it was started to."""
    server, taken, told = make_server(workspace, Listening(port=0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]})
    thread.start()
    with taken:
        shown = {"authorization": f"Bearer {told.token}"}
        with httpx.Client(base_url=told.address, timeout=20, headers=shown) as client:
            assert client.post("/capture", json=document(made(1))).status_code == 404
        server.should_exit = True
        thread.join(20)


def test_jobs_outlive_the_server(client: httpx.Client, workspace: Workspace) -> None:
    """What became of a document can be asked for later, by id or in the list, newest first."""
    jobs = [send(client, document(made(number))).json() for number in range(3)]
    bad = send(client, document(made(4, action="SEEN SECRETLY"))).json()
    later = Jobs(workspace.layout.captures)
    assert [later.get(job["captureID"]) for job in (*jobs, bad)] == [*jobs, bad]
    first = client.get("/capture", params={"perPage": "3"})
    assert first.json() == [bad, jobs[2], jobs[1]]
    rest = client.get(first.headers["link"].split(">")[0][1:])
    assert (rest.json(), "link" in rest.headers) == ([jobs[0]], False)
    assert client.get("/capture?nextPageToken=x").status_code == 400
    assert client.get("/capture?perPage=0").status_code == 400
    files = list(workspace.layout.captures.iterdir())
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert not any("SECRETLY" in path.read_text() for path in files)


def test_a_job_that_was_cut_off_says_so(workspace: Workspace) -> None:
    """A server that died left a job that runs for nobody: it failed, and says what to do."""
    dead = Jobs(workspace.layout.captures)
    name = dead.begin(7, bytes(16), {"createdAt": "then"})
    assert dead.get(name)["running"]
    told = Jobs(workspace.layout.captures).get(name)
    assert (told["running"], told["success"]) == (False, False)
    assert "send it again" in told["errors"][0]["detail"]
    for wrong in ("", "../workspace", name[:-1], f"g{name[1:]}"):
        with pytest.raises(NotFound):
            dead.get(wrong)


def test_a_capture_that_fails_half_way_is_told_of(
    client: httpx.Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk: the sender gets an error, and the job says what to do; then it is completed."""

    def full(*_: object, **__: object) -> None:
        raise StorageError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr("api.captures.ingest", full)
        answer = send(client, document(made(1)))
        assert answer.status_code == 503
        assert answer.json()["type"] == "epcisException:ImplementationException"
    (job,) = client.get("/capture").json()
    assert (job["running"], job["success"]) == (False, False)
    assert "send it again" in job["errors"][0]["detail"]
    assert send(client, document(made(1))).json()["success"]
    assert workspace.reader.size > 1


def test_a_graph_that_is_away_fails_no_capture(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sent is in the log; the graph catches up with whoever asks it next."""

    def away(*_: object) -> None:
        raise StorageError("cannot be reached")

    monkeypatch.setattr(Workspace, "sync_graph", away)
    assert send(client, document(made(1))).json()["success"]


def test_only_so_many_jobs_are_kept(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest finished ones go, one that runs stays."""
    monkeypatch.setattr(capture_jobs, "KEPT", 5)
    jobs = Jobs(workspace.layout.captures)
    running = jobs.begin(0, bytes(16), {})
    names = [jobs.begin(number, bytes(16), {}) for number in range(1, 8)]
    for name in names:
        jobs.finish(name, {"success": True})
    held = [job["captureID"] for job in jobs.page(50, "")[0]]
    assert held == [*reversed(names[2:]), running]


def test_versions_and_forms_are_agreed_on(client: httpx.Client) -> None:
    """Who insists on another version, another form of identifiers or XML is told that."""
    good = (
        *({"GS1-EPCIS-Version": "2.0.0"}, {"GS1-EPCIS-Min": "2.0", "GS1-EPCIS-Max": "2.0.0"}),
        *({"GS1-EPCIS-Min": "1.2", "GS1-EPCIS-Max": "2"}, {"GS1-EPC-Format": "No_Preference"}),
    )
    bad = (
        *({"GS1-EPCIS-Version": "1.2"}, {"GS1-EPCIS-Max": "1.2"}, {"GS1-EPCIS-Min": "2.1.0"}),
        *({"GS1-EPC-Format": "Always_EPC_URN"}, {"GS1-EPCIS-Version": "two"}),
    )
    for address in ("/events", "/capture"):
        for headers in good:
            assert client.get(address, headers=headers).status_code == 200
        for headers in bad:
            answer = client.get(address, headers=headers)
            assert answer.status_code == 406, headers
            assert answer.json()["type"] == "epcisException:NotAcceptableException"
    xml = client.post("/capture", content=b"<a/>", headers={"content-type": "application/xml"})
    assert (xml.status_code, xml.json()["type"]) == (
        415,
        "epcisException:UnsupportedMediaTypeException",
    )


def test_answers_say_what_the_standard_calls_them(client: httpx.Client) -> None:
    """Versions and limits stand in the headers, failures bear the standard's names."""
    for address in ("/events", "/capture", "/capture/x"):
        answer = client.options(address)
        assert answer.status_code == 204
        assert answer.headers["gs1-epcis-version"] == "2.0.0"
        assert answer.headers["gs1-epc-format"] == "Never_Translates"
    limits = client.options("/capture").headers
    assert limits["gs1-epcis-capture-file-size-limit"] == str(16 << 20)
    assert limits["gs1-capture-error-behaviour"] == "rollback"
    large = client.post("/capture", content=b" " * (17 << 20))
    told = {
        "ValidationException": client.post("/capture", content=b"{"),
        "CaptureLimitExceededException": large,
        "NoSuchResourceException": client.get("/capture/0"),
        "QueryParameterException": client.get("/events?EQ_colour=red"),
        "SecurityException": client.get("/events", headers={"authorization": "Bearer x"}),
        "URITooLongException": client.get("/events?EQ_eventID=" + "x" * 9_000),
    }
    for name, answer in told.items():
        assert answer.headers["content-type"] == "application/problem+json", name
        assert answer.json()["type"] == f"epcisException:{name}"
        assert answer.json()["status"] == answer.status_code


def test_many_at_once(client: httpx.Client) -> None:
    """Documents that come together are taken one after the other, each whole."""
    answers: list[int] = []

    def one(number: int) -> None:
        answers.append(send(client, document(made(number), made(number + 100))).status_code)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [202] * 4
    assert len(ids(client)) == 8
