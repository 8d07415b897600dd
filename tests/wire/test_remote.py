"""Rules of reading a log over HTTP: what is served is what is read, and nothing more is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from log_factories import Rig
from log_server import LogServer, serving

from provenance.errors import (
    AccessDenied,
    NotFound,
    RemoteError,
    UsageError,
    VerificationError,
)
from provenance.proving import merkle
from provenance.wire import fetch
from provenance.wire.fetch import source_at
from provenance.wire.remote import RemoteLog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from provenance.store.reading import LogReader


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LogReader]:
    """A log of 301 entries: a full tile of each kind, and a partial one."""
    reader = Rig(tmp_path_factory.mktemp("log")).filled(300, batch=100).reader()
    yield reader
    reader.close()


@pytest.fixture
def server() -> Iterator[LogServer]:
    """An empty server."""
    with serving() as server:
        yield server


@pytest.fixture
def remote(server: LogServer) -> Iterator[RemoteLog]:
    """A reader of that server which does not wait between attempts."""
    with RemoteLog("", source_at(server.address, sleep=lambda _: None)) as remote:
        yield remote


def test_a_log_reads_the_same_from_afar(
    log: LogReader, server: LogServer, remote: RemoteLog
) -> None:
    """Checkpoint, tree, leaves and bodies over HTTP are those of the database."""
    server.hold(log)
    tree = merkle.TileTree(remote.tile)

    assert remote.checkpoint().decode() == log.checkpoint()
    assert [tree.root_at(n) for n in (1, 101, 256, 301)] == [
        log.root_at(n) for n in (1, 101, 256, 301)
    ]
    leaves = [entry.leaf for entry in log.entries(0)]
    assert list(remote.leaves(0, 301)) == leaves
    for start, stop in ((0, 1), (0, 256), (250, 260), (256, 257), (300, 301), (5, 5)):
        assert list(remote.leaves(start, stop, 301)) == leaves[start:stop]
    assert [remote.body(n) for n in (0, 300)] == [log.entry(n).body for n in (0, 300)]


def test_a_directory_reads_the_same(log: LogReader, server: LogServer, tmp_path: Path) -> None:
    """A static export on a disk is read like one on a server."""
    server.hold(log)
    for path, data in server.files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        assert isinstance(data, bytes)
        (tmp_path / path).write_bytes(data)

    with RemoteLog(tmp_path.as_uri()) as remote:
        assert merkle.TileTree(remote.tile).root_at(301) == log.root_at(301)
        assert list(remote.leaves(0, 301)) == [entry.leaf for entry in log.entries(0)]
        with pytest.raises(NotFound):
            remote.body(301)


def test_a_tile_that_became_full_is_cut(
    log: LogReader, server: LogServer, remote: RemoteLog
) -> None:
    """Where the partial tile or bundle has gone, the full one begins with the same."""
    server.hold(log)

    assert remote.tile(0, 0, 200) == b"".join(e.leaf_hash for e in log.entries(0, 200))
    assert list(remote.leaves(0, 200)) == [entry.leaf for entry in log.entries(0, 200)]
    assert server.asked == [
        "tile/0/000.p/200",
        "tile/0/000",
        "tile/entries/000.p/200",
        "tile/entries/000",
    ]


@pytest.mark.parametrize("data", [b"", b"x", bytes(32 * 44), bytes(32 * 46)])
def test_a_tile_of_another_length_is_refused(
    data: bytes, log: LogReader, server: LogServer, remote: RemoteLog
) -> None:
    """Cut short or padded, a tile or bundle is an error that names it, never a shorter tree."""
    server.hold(log)
    server.files |= {"tile/0/001.p/45": data, "tile/entries/001.p/45": data}

    with pytest.raises((VerificationError, RemoteError), match=r"0/001\.p/45|tile 0/1"):
        merkle.TileTree(remote.tile).root_at(301)
    with pytest.raises(VerificationError, match="entries 1"):
        list(remote.leaves(0, 301))


def test_what_is_not_served_is_named(server: LogServer, remote: RemoteLog) -> None:
    """An address without a log, a missing tile, an erased and a hidden body: each in its words."""
    server.files |= {"body/1": (410, {}, b""), "body/2": (401, {}, b"")}

    with pytest.raises(RemoteError, match="serves no checkpoint"):
        remote.checkpoint()
    with pytest.raises(VerificationError, match=r"tile/0/000\.p/5 \(404\)"):
        remote.tile(0, 0, 5)
    with pytest.raises(NotFound, match="entry 0"):
        remote.body(0)
    assert remote.body(1) is None
    with pytest.raises(AccessDenied, match="entry 2"):
        remote.body(2)


def test_a_server_that_stumbles_is_asked_again(server: LogServer) -> None:
    """Errors that may pass are waited out, longer each time and as long as the server asks."""
    answers = iter([(503, {"Retry-After": "7"}, b""), (500, {}, b""), (200, {}, b"note")])
    server.files["checkpoint"] = lambda: next(answers)
    waits: list[float] = []

    with RemoteLog("", source_at(server.address, sleep=waits.append)) as remote:
        assert remote.checkpoint() == b"note"

    assert waits == [7.0, 1.0]


def test_a_server_that_stays_down_is_given_up(server: LogServer, remote: RemoteLog) -> None:
    """After four attempts there is one line that says so; where nobody listens, too."""
    server.files["checkpoint"] = (503, {}, b"")
    with pytest.raises(RemoteError, match="503, 4 times; try again later"):
        remote.checkpoint()
    assert len(server.asked) == 4

    with (
        RemoteLog("", source_at("http://127.0.0.1:9", sleep=lambda _: None)) as nobody,
        pytest.raises(RemoteError, match="no answer"),
    ):
        nobody.checkpoint()


def test_a_redirect_is_not_followed(server: LogServer, remote: RemoteLog) -> None:
    """Nobody is led elsewhere: the new address is told, and not asked."""
    with serving() as other:
        server.files["checkpoint"] = (302, {"Location": f"{other.address}/checkpoint"}, b"")
        with pytest.raises(RemoteError, match=f"leads on to {other.address}"):
            remote.checkpoint()

    assert other.asked == []


def test_an_answer_is_bounded(
    server: LogServer, remote: RemoteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too much, too long or compressed: refused before it is held."""
    server.files |= {
        "checkpoint": bytes(100_000),
        "tile/0/000": bytes(8193),
        "body/0": (200, {"Content-Encoding": "gzip"}, b"x"),
    }
    with pytest.raises(RemoteError, match="more than the 65536 bytes"):
        remote.checkpoint()
    with pytest.raises(RemoteError, match="more than the 8192 bytes"):
        remote.tile(0, 0, 256)
    with pytest.raises(RemoteError, match="compressed"):
        remote.body(0)

    monkeypatch.setattr(fetch, "_ANSWER_SECONDS", -1.0)
    server.files["body/1"] = b"slow"
    with pytest.raises(RemoteError, match="not complete"):
        remote.body(1)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "log.example",
        "ftp://log.example/",
        "https://",
        "https://user:secret@log.example/",
        "https://log.example/?a=b",
        "https://log.example/#a",
        "https://log.example:99999/",
        "https://[::1/",
        "file://elsewhere/log",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    """Only plain web addresses and local directories are addresses of logs."""
    with pytest.raises(UsageError):
        RemoteLog(url)
