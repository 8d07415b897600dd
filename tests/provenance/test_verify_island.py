"""Rules of the verifier as an island: three files, two packages, nothing else of ours."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from small_log import small_log

import provenance.verify
from provenance.proving import proof
from provenance.verify import main

LOG = small_log()
ISLAND = ("verify.py", "hashing.py", "errors.py")
HOME = Path(provenance.verify.__file__).parent


@pytest.fixture
def island(tmp_path: Path) -> Path:
    """A folder with the three files, a bundle and a policy."""
    (tmp_path / "provenance").mkdir()
    for name in ISLAND:
        shutil.copy(HOME / name, tmp_path / "provenance")
    (tmp_path / "bundle.json").write_bytes(proof.bundle_text(LOG.bundle()))
    (tmp_path / "log.policy").write_bytes(LOG.policy())
    return tmp_path


def run(island: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the island and the installed packages, and no site or .pth file."""
    site = sysconfig.get_paths()["purelib"]
    environment = {"PYTHONPATH": f"{island}{os.pathsep}{site}", "PATH": os.environ["PATH"]}
    return subprocess.run(
        [sys.executable, "-S", "-B", *arguments],
        cwd=island,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_three_files_verify_a_bundle_and_refuse_a_changed_one(island: Path) -> None:
    """In an empty folder the program runs, says each verdict in a line, and exits 0; then 1."""
    command = ["-m", "provenance.verify", "bundle.json", "--policy", "log.policy"]
    good = run(island, *command, "--party-key", LOG.party.vkey)
    assert (good.returncode, good.stderr) == (0, "")
    assert [line.split()[:2] for line in good.stdout.splitlines()] == [
        ["ok", "signed"],
        ["ok", "witnessed"],
        ["ok", "included"],
        ["ok", "body"],
        ["ok", "field"],
        ["ok", "batch-signed"],
        ["ok", "consistent"],
        ["absent", "anchored"],
    ]
    text = (island / "bundle.json").read_text()
    at = text.index('"body": "') + 100
    changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
    (island / "bundle.json").write_text(changed)
    bad = run(island, *command)
    assert (bad.returncode, bad.stderr) == (1, "")
    assert "failed  body" in bad.stdout
    assert "ok      included" in bad.stdout


def test_importing_the_verifier_loads_only_the_island(island: Path) -> None:
    """Of our modules only the three are loaded, here and in the project itself."""
    probe = (
        "import sys, provenance.verify; print(*sorted(m for m in sys.modules if m.partition('.')[0]"
        " in ('provenance', 'orjson', 'apsw', 'graph', 'numpy')))"
    )
    for folder in (island, HOME.parent):
        loaded = run(folder, "-c", probe)
        assert loaded.stdout.split() == [
            "provenance",
            "provenance.errors",
            "provenance.hashing",
            "provenance.verify",
        ]


def test_the_verifier_stays_small_and_alone() -> None:
    """Under 400 lines; imports the standard library, cryptography, hashing and errors only."""
    source = (HOME / "verify.py").read_text()
    assert len(source.splitlines()) < 400
    imported = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module)
    ours = {name for name in imported if name.startswith("provenance")}
    assert ours == {"provenance.errors", "provenance.hashing"}
    others = {name.partition(".")[0] for name in imported - ours}
    assert others - {"cryptography"} <= sys.stdlib_module_names


def test_exit_codes(island: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0 all good, 1 failed or unreadable, 2 usage; one line on standard error, no traceback."""
    bundle, policy = str(island / "bundle.json"), str(island / "log.policy")
    assert main([bundle, "--policy", policy]) == 0
    assert capsys.readouterr().err == ""
    (island / "empty").write_bytes(b"")
    cases = [
        ([str(island / "missing"), "--policy", policy], 2, "missing"),
        ([bundle, "--policy", str(island / "missing")], 2, "missing"),
        ([str(island), "--policy", policy], 2, "directory"),
        ([str(island / "empty"), "--policy", policy], 1, "the bundle cannot be read"),
        ([bundle, "--policy", str(island / "empty")], 1, "trust policy, line 0"),
        ([bundle, "--policy", policy, "--party-key", "x"], 1, ""),
    ]
    for arguments, code, reason in cases:
        assert main(arguments) == code
        said = capsys.readouterr().err
        assert reason in said
        assert said.count("\n") == bool(reason)
    with pytest.raises(SystemExit) as caught:
        main([bundle])
    assert caught.value.code == 2
