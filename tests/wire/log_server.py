"""A web server on a loopback port that answers with what a test puts into it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from provenance.wire.bundles import format_entries
from provenance.wire.paths import CHECKPOINT, ENTRIES, addresses, body_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provenance.store.reading import LogReader

Headers = dict[str, str]


class LogServer:
    """Paths and their answers, and what was asked for.

    Attributes:
        files: Path -> bytes, or (status, headers, bytes), or a function that gives either.
        asked: The paths that were asked for, in order.
        address: Where it listens.
    """

    def __init__(self) -> None:
        """Answer nothing but 404."""
        self.files: dict[str, object] = {}
        self.asked: list[str] = []
        self.address = ""

    def answer(self, path: str) -> tuple[int, Headers, bytes]:
        """What a request for `path` gets."""
        self.asked.append(path)
        found = self.files.get(path, (404, {}, b""))
        if callable(found):
            found = found()
        if isinstance(found, bytes):
            return 200, {}, found
        assert isinstance(found, tuple)
        return found

    def hold(self, log: LogReader, size: int | None = None) -> None:
        """Serve a log as it is, or as it was at `size` entries."""
        self.files = dict(log_files(log, size))


def log_files(log: LogReader, size: int | None = None) -> Iterator[tuple[str, bytes]]:
    """Yield paths and contents of a log's static form."""
    size = log.size if size is None else size
    entries = list(log.entries(0, size))
    note = log._connection.execute(
        "SELECT note FROM checkpoint WHERE size = ?", (size,)
    ).fetchone()[0]
    yield CHECKPOINT, note.encode()
    for address in addresses(size, ENTRIES):
        leaves = [one.leaf for one in entries[address.first : address.first + address.width]]
        yield address.path, format_entries(leaves)
    for level in range(8):
        for address in addresses(size, level):
            hashes = log._tree._read_tile(level, address.number, address.width)
            yield address.path, hashes
    for entry in entries:
        if entry.body is not None:
            yield body_path(entry.index), entry.body


def _handler(server: LogServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, headers, data = server.answer(self.path.lstrip("/"))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    return Handler


@contextmanager
def serving(prepare: Callable[[LogServer], object] = lambda _server: None) -> Iterator[LogServer]:
    """Run a server while a test lasts."""
    server = LogServer()
    prepare(server)
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(server)) as http:
        http.daemon_threads = True
        server.address = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield server
        http.shutdown()
        thread.join()
