"""The wheel holds all that is needed: it works away from the checkout that it was built from."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Final

import pytest

ROOT = Path(__file__).parent.parent.parent
_FEW: Final = 80
ROOMS: Final = {"provenance", "graph", "detectors", "workspace", "api", "commands", "samples"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network."""
    place = tmp_path_factory.mktemp("dist")
    _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)], ROOT)
    (built,) = place.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment with the wheel in it, and the locked dependencies.

    A .pth file shows the dependencies of the environment that runs the tests. Files of that
    kind are not followed from there, so the editable checkout stays unseen.
    """
    place = tmp_path_factory.mktemp("fresh")
    _run([sys.executable, "-m", "venv", "--without-pip", str(place)], place)
    python = place / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    _run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], place)
    (packages,) = (place / "lib").glob("python*/site-packages")
    locked = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    packages.joinpath("locked.pth").write_text("\n".join(locked) + "\n")
    return place / "bin"


def _run(words: list[str], place: Path) -> str:
    done = subprocess.run(
        words,
        cwd=place,
        env={"PATH": "/usr/bin:/bin", "HOME": str(place), "LANG": "C.UTF-8", "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_wheel_holds_the_rooms_and_nothing_else(wheel: Path) -> None:
    """Packages, data and the command line are in the wheel; tests and documents are not."""
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    tracked = subprocess.run(
        ["git", "ls-files", *ROOMS, "cli.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert tops == ROOMS | {"cli.py"}
    assert set(tracked.stdout.split()) <= set(names)


def test_the_distribution_has_its_own_name(wheel: Path) -> None:
    """The distribution is called provenance-tracker; `provenance` is somebody else's."""
    assert wheel.name.startswith("provenance_tracker-")
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        text = archive.read(metadata).decode()

    assert "\nName: provenance-tracker\n" in text
    assert "\nLicense-Expression: Apache-2.0\n" in text


def test_the_installed_program_runs_from_anywhere(installed: Path, tmp_path: Path) -> None:
    """The installed code is what runs, not the checkout's, and it can say what it can do."""
    where = _run([str(installed / "python"), "-c", "import cli; print(cli.__file__)"], tmp_path)
    text = _run([str(installed / "provenance"), "--help"], tmp_path)

    assert Path(where.strip()).is_relative_to(installed.parent)
    assert "ingest" in text


def test_the_demo_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    """The whole path works from the wheel: samples in, flags, journey, code and verdict out.

    Of the samples' months few are left; the README's commands are given all of them.
    """
    (labour,) = installed.parent.glob("lib/python*/site-packages/samples/data/labour.csv")
    labour.write_text("".join(labour.read_text().splitlines(keepends=True)[:_FEW]))

    text = _run([str(installed / "provenance"), "demo"], tmp_path)

    assert "chain, tree and signatures add up" in text
    assert list(tmp_path.iterdir()) == []
