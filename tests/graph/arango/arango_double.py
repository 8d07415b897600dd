"""A double of an ArangoDB server: real HTTP on 127.0.0.1, held in memory, with faults on demand.

It answers what the graph asks and refuses whatever the documented interface does not
describe. It is no proof of what a real server does: `test_arango_recorded.py` compares
its queries with recorded ones, and the conformance suite runs on a real one where
ARANGO_URL says which.
"""

from __future__ import annotations

import base64
import json
import re
import socket
import threading
import time
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import arango_api
from aql_values import AqlError
from arango.http import DefaultHTTPClient
from arango.response import Response
from arango_answers import ANSWERS
from arango_data import Database, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from urllib.parse import SplitResult

    import pytest

_PATH = re.compile(r"/_db/([^/]+)(/.*)\Z")


@dataclass
class Fault:
    """Something that goes wrong, with the requests that it goes wrong for.

    Attributes:
        what: drop (before anything is done), drop_after (it is done and not answered), restart
            (and so is what was going on), slow, or an answer instead: "status errorNum message".
        request: Found in "METHOD path".
        skip: How many such requests go well before.
        times: How many go wrong.
        seconds: For slow.
    """

    what: str
    request: str = ""
    skip: int = 0
    times: int = 1
    seconds: float = 0.0

    def strikes(self, request: str) -> bool:
        """Say whether it strikes a request, and count it."""
        if self.times <= 0 or not re.search(self.request, request):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return True


@dataclass
class Double:
    """The server's state, and what was asked of it.

    Attributes:
        password: Of the user root.
        databases: By name.
        faults: What is to go wrong.
        requests: "METHOD path" of each, in order.
        refused: Why requests were none that is documented.
        lock_seconds: How long a transaction waits at most for what another holds.
    """

    password: str = "secret"
    databases: dict[str, Database] = field(default_factory=lambda: {"_system": Database()})
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    lock_seconds: float = 0.2
    url: str = ""

    def database(self, name: str) -> Database:
        """Return a database."""
        if name not in self.databases:
            raise Refused(404, 1228, "database not found")
        return self.databases[name]

    def answer(
        self, method: str, url: str, headers: Mapping[str, str], raw: bytes
    ) -> tuple[int, Any]:
        """Answer a request: a status, and what is then JSON."""
        try:
            return self._answered(method, urlsplit(url), headers, raw)
        except Refused as refused:
            return refused.status, _error(refused.status, refused.number, str(refused))
        except AqlError as error:
            status = 404 if error.number in {1203, 1924} else 400
            return status, _error(status, error.number, str(error))

    def _answered(
        self, method: str, url: SplitResult, headers: Mapping[str, str], raw: bytes
    ) -> tuple[int, Any]:
        expected = base64.b64encode(f"root:{self.password}".encode()).decode()
        if headers.get("authorization") != f"Basic {expected}":
            raise Refused(401, 11, "not authorized to execute this request")
        match = _PATH.match(url.path)
        if match is None:
            raise Refused(404, 404, f"unknown path '{url.path}'")
        body, query = json.loads(raw) if raw else None, dict(parse_qsl(url.query))
        told = arango_api.faults(method, url.path, query, headers, body)
        if told:
            self.refused += [f"{method} {url.path}: {each}" for each in told]
            raise Refused(400, 10, "; ".join(told))
        asked = Asked(self, match[1], method, unquote(match[2]), query, headers, body)
        for known, pattern, answer in ANSWERS:
            found = pattern.match(asked.path)
            if method == known and found:
                database = self.database(asked.database)
                with database.freed:
                    result: tuple[int, Any] = answer(asked, database, *found.groups())
                return result
        raise Refused(404, 404, f"the double does not know {method} {asked.path}")

    def restart(self) -> None:
        """Lose what was going on, and keep what was committed."""
        for database in self.databases.values():
            with database.freed:
                database.forget_transactions()


@dataclass
class Asked:
    """One request."""

    double: Double
    database: str
    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: Any


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    double: Double

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        split = urlsplit(self.path)
        length = int(self.headers.get("content-length") or 0)
        raw = self.rfile.read(length)
        request = f"{self.command} {split.path}"
        self.double.requests.append(request)
        fault = next((each for each in self.double.faults if each.strikes(request)), None)
        if fault is not None and self._strike(fault):
            return
        if self.headers.get("content-encoding") == "deflate":
            raw = zlib.decompress(raw)
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, answer = self.double.answer(self.command, self.path, headers, raw)
        if fault is not None and fault.what == "drop_after":
            self._hang_up()
            return
        self._send(status, answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the base's names

    def _strike(self, fault: Fault) -> bool:
        """Let something go wrong; True where the request is not served."""
        if fault.what == "restart":
            self.double.restart()
        if fault.what in {"drop", "restart"}:
            self._hang_up()
            return True
        if fault.what == "slow":
            time.sleep(fault.seconds)
        elif fault.what != "drop_after":
            status, number, message = fault.what.split(" ", 2)
            self._send(int(status), _error(int(status), int(number), message))
            return True
        return False

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, status: int, answer: Any) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _error(status: int, number: int, message: str) -> dict[str, Any]:
    return {"error": True, "code": status, "errorNum": number, "errorMessage": message}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: Any) -> None:
        """Say nothing: clients that hang up are part of the tests."""


@contextmanager
def serving(double: Double | None = None, port: int = 0) -> Iterator[Double]:
    """Serve a double for a while, at an address of its own."""
    double = double or Double()
    handler = type("Handler", (_Handler,), {"double": double, "wbufsize": -1})
    server = _Server(("127.0.0.1", port), handler)
    double.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def without_sockets(double: Double, patch: pytest.MonkeyPatch) -> None:
    """Let the driver hand its requests over instead of sending them: the same, and sooner."""

    def send(  # noqa: PLR0917 - the driver's
        _client: Any,
        session: Any,
        method: str,
        url: str,
        headers: dict[str, str] | None = None,
        params: dict[str, Any] | None = None,
        data: Any = None,
        auth: Any = None,
    ) -> Response:
        del session
        spelled = {name: str(one) for name, one in (params or {}).items()}
        whole = f"{url}?{urlencode(spelled)}" if spelled else url
        basic = base64.b64encode(":".join(auth).encode()).decode()
        given = {name.lower(): one for name, one in (headers or {}).items()}
        given["authorization"] = f"Basic {basic}"
        double.requests.append(f"{method.upper()} {urlsplit(url).path}")
        raw = data.encode() if isinstance(data, str) else data or b""
        status, answer = double.answer(method.upper(), whole, given, raw)
        return Response(method, url, {}, status, "", json.dumps(answer))

    patch.setattr(DefaultHTTPClient, "send_request", send)
