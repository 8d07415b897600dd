"""Witnesses over HTTP for tests: real ones, and ones that behave badly."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from api.server import Listening, bind
from api.witness_app import create_witness_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provenance.wire.witness_state import Witness


@contextmanager
def serving(witness: Witness, body_seconds: float = 10.0) -> Iterator[str]:
    """Serve a witness on a free port; yields its address."""
    server, taken, address = bind(create_witness_app(witness, body_seconds), Listening(port=0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]})
    with taken:
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield address
        server.should_exit = True
        thread.join(20)
    assert not thread.is_alive()


@contextmanager
def misbehaving(answer: Callable[[socket.socket], object]) -> Iterator[str]:
    """Listen, read whatever is asked, and let `answer` do what it likes with the connection."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        taken.settimeout(0.1)
        ended = threading.Event()
        threads: list[threading.Thread] = []

        def one(connection: socket.socket) -> None:
            with connection:
                connection.settimeout(5)
                try:
                    connection.recv(65536)
                    answer(connection)
                except OSError:
                    pass

        def accept() -> None:
            while not ended.is_set():
                try:
                    connection, _ = taken.accept()
                except TimeoutError:
                    continue
                threads.append(threading.Thread(target=one, args=(connection,)))
                threads[-1].start()

        loop = threading.Thread(target=accept)
        loop.start()
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
        ended.set()
        for thread in [loop, *threads]:
            thread.join(10)


def http(status: str, body: bytes, *headers: str) -> Callable[[socket.socket], object]:
    """An answer that is HTTP, at least."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    data = ("\r\n".join(lines) + "\r\n\r\n").encode() + body
    return lambda connection: connection.sendall(data)


def drip(connection: socket.socket) -> None:
    """Send a header for ever, a byte at a time."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in range(1_000):
        time.sleep(0.05)
        connection.sendall(b"x")


def silent(connection: socket.socket) -> None:
    """Say nothing until the other side has had enough."""
    connection.recv(1)
