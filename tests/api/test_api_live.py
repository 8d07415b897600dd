"""The server as a process: where it listens, how it ends, and real requests over real HTTP."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import api_world
import httpx
import pytest
from api_world import GTIN, LOT

from api.server import Announcement, Listening, make_server
from provenance.entries import EntryType
from provenance.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workspace.workspace import Workspace

PATH = f"/01/{GTIN}/10/{quote(LOT, safe='')}"


@pytest.fixture(scope="module")
def told(workspace: Workspace) -> Iterator[Announcement]:
    """A server on a free loopback port."""
    server, taken, announcement = make_server(workspace, Listening(port=0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]})
    thread.start()
    with taken:
        with httpx.Client(base_url=announcement.address, timeout=20) as client:
            assert client.get("/healthz").status_code == 200
        yield announcement
        server.should_exit = True
        thread.join(20)
    assert not thread.is_alive()


@pytest.fixture
def client(told: Announcement) -> Iterator[httpx.Client]:
    """Somebody without a token."""
    with httpx.Client(base_url=told.address, timeout=20) as client:
        yield client


def test_a_scan_and_a_query_are_answered(client: httpx.Client) -> None:
    """A page, its JSON, its code and a query come over the wire, also for encoded slashes."""
    page = client.get(PATH, headers={"accept": "text/html"})
    assert page.status_code == 200
    assert "Organic T-shirt" in page.text
    assert client.get(PATH, headers={"accept": "application/json"}).json()["missing"] is None
    assert client.get(f"{PATH}?qr").text.startswith("<?xml")
    answer = client.post("/graphql", json={"query": f'{{product(gtin: "{GTIN}") {{name}}}}'})
    assert "T-shirt" in answer.json()["data"]["product"]["name"]
    assert "server" not in page.headers


def test_head_is_get_without_a_body(client: httpx.Client) -> None:
    """HEAD has the status and headers of GET, also for failures, and no body."""
    for path in (PATH, "/01/09506000134353", "/checkpoint", "/"):
        got, head = client.get(path), client.head(path)
        assert head.status_code == got.status_code
        assert head.content == b""
        for name in ("content-type", "content-length", "etag", "cache-control"):
            assert head.headers.get(name) == got.headers.get(name)


def test_the_token_that_was_told_opens_the_lists(client: httpx.Client, told: Announcement) -> None:
    """The announced token, and only that, makes an operator."""
    query = {"query": "{flags {nodes {type explanation}}}"}
    opened = client.post("/graphql", json=query, headers={"authorization": f"Bearer {told.token}"})
    assert len(opened.json()["data"]["flags"]["nodes"]) == 5
    assert client.post("/graphql", json=query).json()["data"]["flags"] is None
    wrong = client.post("/graphql", json=query, headers={"authorization": "Bearer x"})
    assert wrong.status_code == 401


def test_a_crowd_is_served(client: httpx.Client) -> None:
    """Forty callers at once get forty equal answers."""
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: client.get(PATH), range(40)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1


def test_new_entries_show_without_a_restart(
    tmp_path: Path,
) -> None:
    """What another process logs and projects is in the next answer, under another ETag."""
    with api_world.build(tmp_path / "growing") as workspace:
        server, taken, told = make_server(workspace, Listening(port=0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]})
        thread.start()
        with taken, httpx.Client(base_url=told.address, timeout=20) as client:
            before = client.get(PATH, headers={"accept": "application/json"})
            later = api_world.event(
                *("shop", "Z-1", "sell", "2024-05-01T10:00:00Z"),
                items=[{"party": api_world.MAKER, "product_id": api_world.SHIRT, "lot_id": LOT}],
            )
            assert later.type is EntryType.EVENT
            workspace.log.append([later])
            workspace.sync_graph()
            headers = {"accept": "application/json", "if-none-match": before.headers["etag"]}
            after = client.get(PATH, headers=headers)
            server.should_exit = True
            thread.join(20)
    assert after.status_code == 200
    assert len(after.json()["journey"]) == len(before.json()["journey"]) + 1


@pytest.mark.parametrize(
    ("listening", "words"),
    [
        (Listening("0.0.0.0", 0), "--public"),
        (Listening("::", 0), "--public"),
        (Listening("192.0.2.7", 0, public=True), "not an address of this machine"),
        (Listening("no such host", 0), "not an address"),
        (Listening("127.0.0.1", 70000), "a port is 0 to 65535"),
    ],
)
def test_an_address_that_cannot_be_had_is_one_error(
    workspace: Workspace, listening: Listening, words: str
) -> None:
    """Public without being meant to be, foreign or impossible: one line with the remedy."""
    with pytest.raises(UsageError, match=words) as refused:
        make_server(workspace, listening)
    assert "\n" not in str(refused.value)


def test_a_public_address_is_allowed_when_it_is_meant(workspace: Workspace) -> None:
    """With `public`, any address of the machine may be taken."""
    _, taken, _ = make_server(workspace, Listening("0.0.0.0", 0, public=True))
    taken.close()


def test_a_port_in_use_is_one_error(workspace: Workspace) -> None:
    """A taken port is said to be taken, before anything is announced."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(UsageError, match=f"{port}: the port is in use.*--port"):
            make_server(workspace, Listening(port=port))


_SERVE = """
import logging, sys
from pathlib import Path
from api.server import Listening, serve
from workspace.workspace import Workspace
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
with Workspace(Path(sys.argv[1])) as workspace:
    serve(workspace, Listening(port=0), lambda told: print(told.address, told.token, flush=True))
print("ended in order")
"""


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order_and_no_log_holds_a_secret(
    workspace: Workspace, end: signal.Signals
) -> None:
    """The process closes what it opened and exits with 0; its log has neither token nor item."""
    command = [sys.executable, "-c", _SERVE, str(workspace.layout.directory)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    ) as process:
        assert process.stdout is not None
        address, token = process.stdout.readline().split()
        headers = {"authorization": f"Bearer {token}"}
        try:
            with httpx.Client(base_url=address, timeout=20, headers=headers) as client:
                assert client.get(PATH).status_code == 200
                assert client.get("/nowhere").status_code == 404
                process.send_signal(end)
                out, log = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, out) == (0, "ended in order\n"), log
    assert "Application shutdown complete" in log
    for secret in (token, GTIN, "SECRET"):
        assert secret not in log


def test_the_root_logger_is_left_alone(workspace: Workspace) -> None:
    """Making a server configures no logging: that is the command line's matter."""
    before = (list(logging.getLogger().handlers), list(logging.getLogger("uvicorn").handlers))
    _, taken, _ = make_server(workspace, Listening(port=0))
    taken.close()
    after = (list(logging.getLogger().handlers), list(logging.getLogger("uvicorn").handlers))
    assert before == after
