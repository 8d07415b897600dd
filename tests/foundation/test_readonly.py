"""Rules of read-only media: what only reads works there, what writes says in one line why not."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from workspace.upgrade import upgrade
from workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent

# Runs command lines as somebody who may write nothing there; prints how each ended. Before that
# it runs them elsewhere: nobody can import what only the owner of this Python may read.
UNPRIVILEGED = """
import contextlib, io, os, shlex, sys, typer.rich_utils
from cli import main
_, elsewhere, media = sys.argv
def run(data, line):
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["provenance", "--data", data, *shlex.split(line)]
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    return code, (err.getvalue() or out.getvalue()).strip().splitlines()[-1:]
lines = sys.stdin.read().splitlines()
for line in lines:
    run(elsewhere, line)
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
for line in lines:
    print(*run(media, line), flush=True)
"""


@pytest.fixture
def media(small: Path) -> Iterator[Path]:
    """A workspace that everybody may read and nobody write, with a graph that is up to date."""
    upgrade(small)
    with Workspace(small) as workspace:
        workspace.sync_graph()
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        copy = Path(place) / "media"
        shutil.copytree(small, copy)
        yield copy
        for path in (copy, *copy.rglob("*")):
            path.chmod(0o755)


def run(media: Path, *lines: str) -> list[str]:
    """What each command line ended with."""
    elsewhere = media.with_name("elsewhere")
    shutil.rmtree(elsewhere, ignore_errors=True)
    shutil.copytree(media, elsewhere)
    for path in (media, *media.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = {path: path.read_bytes() for path in media.rglob("*") if path.is_file()}
    done = subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED, elsewhere, media],
        input="\n".join(lines),
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "HOME": "/nonexistent", "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert {path: path.read_bytes() for path in media.rglob("*") if path.is_file()} == before
    return done.stdout.splitlines()


def test_everything_that_reads_works(media: Path) -> None:
    """Verify, prove, look up, trace, list flags, export to elsewhere: nothing there is written."""
    lines = (
        "verify",
        "proof E-1",
        "lookup E-1",
        "trace Y-1",
        "trace Y-1 --down",
        "flags list",
        "log status",
        "graph sync",
    )

    ended = run(media, *lines)

    assert [(line, end) for line, end in zip(lines, ended, strict=True) if end[:2] != "0 "] == []


def test_what_writes_is_refused(media: Path) -> None:
    """One line that names the place, exit code 2, and not a byte changed."""
    ended = run(media, "ingest README.md", "graph rebuild")

    assert [end[:2] for end in ended] == ["2 ", "2 "]
    assert all(f"{media}/" in end and "may not be written" in end for end in ended)


def test_a_graph_that_is_behind_cannot_catch_up(media: Path) -> None:
    """Where it may not be written, a graph that lacks entries is no answer, and says so."""
    (media / "graph.db").unlink()
    missing = run(media, "trace Y-1")
    for path in (media, media / "keys"):
        path.chmod(0o755)
    with Workspace(media) as workspace:
        workspace.graph.close()
        del workspace.__dict__["graph"]
    behind = run(media, "trace Y-1", "verify")

    assert "no graph here" in missing[0]
    assert "the graph is behind the log and may not be written" in behind[0]
    assert behind[1].startswith("0 ")
