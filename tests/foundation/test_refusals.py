"""Rules of a machine that refuses: the command says so in one line, and the log stays whole."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provenance.clock import system_entropy
from provenance.notes import keys
from workspace.layout import Layout
from workspace.upgrade import upgrade

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.foundation.conftest import Ran

    Command = Callable[..., Ran]

ROOT = Path(__file__).parent.parent.parent

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.argv[1:] = sys.argv[2:]
from cli import main
main()
"""


@pytest.fixture
def data(small: Path) -> Path:
    """A workspace of the present format."""
    upgrade(small)
    return small


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A file with many events."""
    path = tmp_path / "rows.csv"
    lines = ["event_id,event_time,event_type,facility_id,product_id,lot_id,quantity,carrier"]
    lines += [
        f"N-{n},2025-11-01T08:00:00Z,produce,F-FARM,COTTON,C-{n},500,{'carrier ' * 20}{n}"
        for n in range(600)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_where_no_more_can_be_written_nothing_is_half_written(
    data: Path, rows: Path, provenance: Command
) -> None:
    """The system takes no more bytes: one line, a sound log, and with room again all goes in."""
    size = (data / "log.db").stat().st_size
    for more in (0, 300_000):
        ran = subprocess.run(
            [sys.executable, "-c", LIMITED, str(size + more), "--data", data, "ingest", rows],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ran.returncode, ran.stdout) == (2, ""), ran.stderr
        assert len(ran.stderr.splitlines()) == 1
        assert f"{data}/" in ran.stderr
        assert provenance("--data", data, "verify").code == 0

    assert provenance("--data", data, "ingest", rows).code == 0
    assert provenance("--data", data, "verify").out.splitlines()[0].split()[2] == "618"


def test_another_key_signs_nothing(data: Path, rows: Path, provenance: Command) -> None:
    """A key of another log, and another key of this one's name: refused before anything is read."""
    layout = Layout(data)
    for name, says in (("other.example/log", "the key of"), ("fixture.example/log", "register")):
        layout.log_key.unlink()
        keys.save(keys.generate(name, system_entropy), layout.log_key)

        refused = provenance("--data", data, "ingest", rows)

        assert refused.code in {1, 2}
        assert says in refused.err
        assert len(refused.err.splitlines()) == 1
    assert provenance("--data", data, "verify").code == 0


def test_a_lock_file_from_another_machine_holds_nobody_up(
    data: Path, rows: Path, provenance: Command
) -> None:
    """A lock is held by a living process of this machine; what a copied file says is nothing."""
    (data / "log.lock").write_bytes(b"\x7fELF pid 4711 on another host, big-endian\x00\x01")

    assert provenance("--data", data, "ingest", rows).code == 0


def test_a_workspace_that_was_moved_is_the_same(
    data: Path, rows: Path, provenance: Command
) -> None:
    """No file names its own place: moved or copied whole, everything works."""
    moved = data.with_name("moved")
    shutil.move(data, moved)

    assert provenance("--data", moved, "ingest", rows).code == 0
    assert provenance("--data", moved, "verify").code == 0
