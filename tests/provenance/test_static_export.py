"""Rules of the static export: a stranger verifies all of it, at every moment of its making."""

from __future__ import annotations

import functools
import http.client
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import naive_client
import pytest
from log_factories import Rig, event

from provenance.errors import StorageError, UsageError, WorkspaceDamaged
from provenance.wire import static
from provenance.wire.static import export

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """A log a little wider than a tile."""
    (tmp_path / "log").mkdir()
    return Rig(tmp_path / "log").filled(300, batch=100)


def grow(rig: Rig, start: int, stop: int) -> None:
    """Append further events in one batch."""
    log = rig.open()
    log.append([event(number) for number in range(start, stop)])
    log.close()


def exported(rig: Rig, directory: Path, *, bodies: bool = True) -> static.Exported:
    """Run the export."""
    reader = rig.reader()
    try:
        return export(reader, directory, bodies=bodies)
    finally:
        reader.close()


def files(directory: Path) -> dict[str, bytes]:
    """Every file under a directory."""
    found = (path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in found}


def from_disk(directory: Path) -> Callable[[str], bytes | None]:
    """Read a file as a static host would."""

    def get(path: str) -> bytes | None:
        file = directory / path
        return file.read_bytes() if file.is_file() else None

    return get


def test_any_web_server_can_serve_it(rig: Rig, tmp_path: Path) -> None:
    """Behind Python's own http.server, a client of the specification verifies every byte."""
    assert exported(rig, tmp_path / "out") == (301, 0, 2 + 2 + 1 + 301, 0)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Print nothing."""

    handler = functools.partial(Quiet, directory=str(tmp_path / "out"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        client = http.client.HTTPConnection("127.0.0.1", server.server_port)

        def get(path: str) -> bytes | None:
            client.request("GET", f"/{path}")
            answer = client.getresponse()
            data = answer.read()
            return data if answer.status == 200 else None

        seen = naive_client.read_log(get, rig.key.vkey)
        client.close()
        server.shutdown()
        thread.join()
    assert seen.size == 301
    reader = rig.reader()
    assert seen.bodies == {entry.index: entry.body for entry in reader.entries(0)}
    reader.close()


def test_a_second_export_writes_only_what_is_new(rig: Rig, tmp_path: Path) -> None:
    """Nothing is touched that was there; the result is that of one export, and shows as much."""
    out = tmp_path / "out"
    exported(rig, out)
    kept = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    assert exported(rig, out)[:3] == (301, 301, 0)
    grow(rig, 300, 530)
    again = exported(rig, out)
    assert (again.size, again.before) == (531, 301)
    assert again.written == 230 + 2 * 2 + 1  # bodies; two tiles and two bundles; one of level 1
    changed = {path for path, time in kept.items() if not path.exists() or time != _time(path)}
    outgrown = {"tile/0/001.p/45", "tile/entries/001.p/45"}
    assert {path.relative_to(out).as_posix() for path in changed} == {"checkpoint"} | outgrown
    naive_client.read_log(from_disk(out), rig.key.vkey)
    exported(rig, tmp_path / "whole")
    older = {"tile/1/000.p/1"}  # a partial tile stays until its full one is there
    assert {n: d for n, d in files(out).items() if n not in older} == files(tmp_path / "whole")


def _time(path: Path) -> int:
    return path.stat().st_mtime_ns


def test_without_bodies_there_is_the_tree_alone(rig: Rig, tmp_path: Path) -> None:
    """`bodies=False` writes none; a later export with bodies fills them in."""
    out = tmp_path / "out"
    exported(rig, out, bodies=False)
    assert not list((out / "body").iterdir())
    assert naive_client.read_log(from_disk(out), rig.key.vkey).bodies == {}
    assert exported(rig, out).written == 301
    assert len(naive_client.read_log(from_disk(out), rig.key.vkey).bodies) == 301


@pytest.mark.parametrize("bodies", [True, False])
def test_an_erased_body_is_removed(rig: Rig, tmp_path: Path, *, bodies: bool) -> None:
    """The next export takes away what was erased since, with or without bodies."""
    out = tmp_path / "out"
    exported(rig, out)
    with rig.attacked() as connection:
        connection.execute("UPDATE body SET body = NULL WHERE idx IN (7, 290)")
    assert exported(rig, out, bodies=bodies)[2:] == (0, 2)
    assert not (out / "body" / "7").exists()
    assert len(naive_client.read_log(from_disk(out), rig.key.vkey).bodies) == 299


def test_no_moment_shows_a_checkpoint_without_its_tiles(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped at any file, the directory shows the old log whole; the next export finishes."""
    out = tmp_path / "out"
    exported(rig, out)
    grow(rig, 300, 530)
    original, left = static._put, [0]

    def failing(path: Path, data: bytes) -> int:
        if not left[0]:
            raise OSError(28, "No space left on device", str(path))
        left[0] -= 1
        return original(path, data)

    monkeypatch.setattr(static, "_put", failing)
    for files_written in (0, 1, 2, 3, 4, 5, 6, 20, 100):
        left[0] = files_written
        with pytest.raises(StorageError, match="the disk is full"):
            exported(rig, out)
        assert naive_client.read_log(from_disk(out), rig.key.vkey).size == 301
    monkeypatch.undo()
    assert exported(rig, out).size == 531
    assert naive_client.read_log(from_disk(out), rig.key.vkey).size == 531


def test_an_interrupted_first_export_is_finished(rig: Rig, tmp_path: Path) -> None:
    """Without a checkpoint nothing is believed; tiles that are there are compared, not trusted."""
    out = tmp_path / "out"
    exported(rig, out)
    (out / "checkpoint").unlink()
    (out / "tile/0/000").write_bytes(b"half")
    assert exported(rig, out)[:3] == (301, 0, 1)
    naive_client.read_log(from_disk(out), rig.key.vkey)


def test_a_directory_of_something_else_is_refused(rig: Rig, tmp_path: Path) -> None:
    """Other files, a broken checkpoint, another log, a longer log, another history: untouched."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "letter.txt").write_text("dear all")
    with pytest.raises(UsageError, match="is not empty, and holds no export"):
        exported(rig, out)
    (out / "checkpoint").write_text("dear all")
    with pytest.raises(UsageError, match="remove it to go on"):
        exported(rig, out)
    note = rig.files.checkpoint.read_text()
    for shown, reason in (
        (note.replace(rig.key.name, "log.example/other"), "an export of the log log.example/other"),
        (note.replace("\n301\n", "\n302\n"), "shows 302 entries, this log has only 301"),
        (note.replace("\n301\n", "\n300\n"), "shows another history"),
    ):
        (out / "checkpoint").write_text(shown)
        with pytest.raises(UsageError, match=reason):
            exported(rig, out)
    assert sorted(files(out)) == ["checkpoint", "letter.txt"]
    with pytest.raises(StorageError):
        exported(rig, out / "letter.txt")


def test_a_damaged_log_is_not_exported(rig: Rig, tmp_path: Path) -> None:
    """A tree that is not the checkpoint's, or lacks a leaf, is shown to nobody."""
    other = rig.copied(tmp_path / "other")
    with rig.attacked() as connection:
        connection.execute("UPDATE tile SET hashes = zeroblob(length(hashes)) WHERE level = 0")
    with pytest.raises(WorkspaceDamaged, match="the tree is not the checkpoint's"):
        exported(rig, tmp_path / "out")
    with other.attacked() as connection:
        connection.execute("DELETE FROM leaf WHERE idx = 270")
    with pytest.raises(WorkspaceDamaged, match="a leaf between 256 and 301 is missing"):
        exported(other, tmp_path / "out")
    assert not (tmp_path / "out" / "checkpoint").exists()


def test_progress_ends_at_the_end(rig: Rig, tmp_path: Path) -> None:
    """The last report is (size, size)."""
    told: list[tuple[int, int]] = []
    reader = rig.reader()
    export(reader, tmp_path / "out", lambda done, total: told.append((done, total)))
    reader.close()
    assert told[-1] == (301, 301)
