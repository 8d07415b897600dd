"""Fixtures for the tests of the foundation: a small workspace, and the command line."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import cli
from provenance.notes import keys
from workspace import settings
from workspace.workspace import Layout

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

FIXTURES = Path(__file__).parent.parent / "fixtures"


class Ran(NamedTuple):
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


def _main() -> None:
    """Run the command line; a return is the exit code 0, as the script of the wheel has it."""
    cli.main()
    sys.exit(0)


@pytest.fixture(scope="session")
def maker() -> ModuleType:
    """The script that makes fixture workspaces, as a module."""
    spec = importlib.util.spec_from_file_location("make_workspace", FIXTURES / "make_workspace.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def small(tmp_path: Path, maker: ModuleType) -> Path:
    """A copy of the newest fixture workspace that can be written."""
    copy = tmp_path / "small"
    shutil.copytree(FIXTURES / f"workspace-{settings.FORMAT}", copy)
    copy.joinpath("quarantine").mkdir(exist_ok=True)  # git keeps no empty directory
    keys.save(maker.signing_key(), Layout(copy).log_key)
    return copy


@pytest.fixture
def provenance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ran]:
    """Run one command line in this process, in an empty directory, as a pipe would see it."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("COLUMNS", "100")

    def run(*words: object, environment: str = "") -> Ran:
        # The program sets this variable for its own process; each run begins without it.
        monkeypatch.setenv("PROVENANCE_DATA", environment)
        if not environment:
            monkeypatch.delenv("PROVENANCE_DATA")
        monkeypatch.setattr(sys, "argv", ["provenance", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            _main()
        return Ran(int(end.value.code or 0), *capsys.readouterr())

    return run
