"""Light commands stay light: what a command does not need is not imported when it runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT = Path(__file__).parent.parent.parent
HEAVY: Final = {"pandas", "pyod", "strawberry", "numba", "sklearn", "scipy", "networkx"}

# Runs the command line as the installed script does, then tells what has been imported.
RUN: Final = """
import sys
sys.argv[0] = "provenance"
code = 0
try:
    from cli import main
    main()
except SystemExit as end:
    code = end.code or 0
print("\\n" + " ".join(sorted({name.split(".")[0] for name in sys.modules})))
sys.exit(code)
"""


def _imported(*words: object) -> set[str]:
    ran = subprocess.run(
        [sys.executable, "-c", RUN, *map(str, words)],
        cwd=ROOT,
        env={"PATH": "", "PYTHONPATH": str(ROOT), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return set(ran.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("verify", "--help")])
def test_help_loads_no_heavy_package(words: tuple[str, ...]) -> None:
    """Help and version answer at once: nothing heavy, and no database either."""
    imported = _imported(*words)

    assert imported & (HEAVY | {"apsw", "numpy", "starlette"}) == set()
    assert "typer" in imported


@pytest.mark.parametrize(
    "words", [("verify",), ("proof", "E-1"), ("lookup", "Y-1"), ("trace", "Y-1")]
)
def test_reading_the_log_loads_no_heavy_package(words: tuple[str, ...], small: Path) -> None:
    """Verifying, proving, looking up and tracing need no tables, models or web server."""
    imported = _imported("--data", small, *words)

    assert imported & (HEAVY | {"numpy", "starlette"}) == set()
    assert "apsw" in imported


def test_checking_a_bundle_needs_no_database(small: Path, tmp_path: Path) -> None:
    """A proof bundle is checked without the database driver, and without a workspace."""
    bundle = tmp_path / "bundle.json"
    _imported("--data", small, "proof", "E-1", "--output", bundle)

    imported = _imported("verify", "--bundle", bundle, "--policy", small / "log.policy")

    assert imported & (HEAVY | {"apsw", "numpy"}) == set()


def test_the_probe_sees_heavy_packages() -> None:
    """The probe itself works: what is imported is told."""
    ran = subprocess.run(
        [sys.executable, "-c", "import networkx\n" + RUN, "--version"],
        env={"PATH": "", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "networkx" in ran.stdout.splitlines()[-1].split()
