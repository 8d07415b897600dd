"""The guide's detector is a real one: installed, found, judging, and keeping all laws."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from runpy import run_path
from typing import TYPE_CHECKING

import pytest
from frame_factories import ROOT, World
from planted import clean_for, travel

from detectors import registry
from detectors.conformance import Planted, check, frames_of
from detectors.impossible_travel import ImpossibleTravel
from detectors.record import content
from detectors.run import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from detectors.base import Account, Case, Detector, Sample
    from detectors.features import Features

GUIDE = Path(__file__).parents[2] / "docs" / "add-a-detector.md"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place for packages with the guide's in it, as an installer leaves it; and its own test."""
    code, test = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    (points,) = re.findall(r"```toml\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    package, info = tmp_path / "my_package", tmp_path / "my_package-1.0.dist-info"
    for folder in (package, info):
        folder.mkdir()
    (package / "__init__.py").touch()
    (package / "missing_bill.py").write_text(code)
    (tmp_path / "test_mine.py").write_text(test)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    group = points.replace('[project.entry-points."', "[").replace('"]', "]").replace('"', "")
    (info / "entry_points.txt").write_text(group)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("my_package")]:
        del sys.modules[name]


def test_guide_has_eight_steps() -> None:
    """Numbered one to eight."""
    assert re.findall(r"^\*\*(\d)\. ", GUIDE.read_text(), re.MULTILINE) == list("12345678")


def test_installed_detector_conforms(site: Path) -> None:
    """Its package's own test, word for word as the guide has it, finds it and passes."""
    assert [one.name for one in entry_points(group=registry.GROUP)] == ["missing_bill"]
    run_path(str(site / "test_mine.py"))["test_it_conforms"]()


@pytest.mark.usefixtures("site")
def test_installed_detector_is_asked_in_a_run() -> None:
    """It flags the sea shipment without its bill, and no other; a shipper without any abstains."""
    detectors, problems = registry.load()
    assert problems == ()
    world = World()
    for n in range(20):
        bill = {"bill_of_lading": f"BL{n}"} if n != 7 else {}
        world.ship(n, "A", "B", f"L{n}", f"S{n}", transport_mode="sea", **bill)
    loose = world.ship(30, "C", "B", "M", "SM", transport_mode="sea")
    result = run(world.frames(), detectors[-1:], tree_size=1, root=ROOT)
    assert result.errors == ()
    assert [flag.subject_id for flag in result.flags] == ["E8"]
    assert content(result.flags[0])["code_digest"].startswith("sha256:")
    assert result.abstentions[0].examples == (loose,)


class Hothead(ImpossibleTravel):
    """Has no proper name, writes into what it reads, fails on gaps, and accuses."""

    name = "not a name"  # type: ignore[misc]

    def features(self, shared: Features) -> Sample:
        """Add to everything; insist on every latitude."""
        shared.frames.events["quantity"] += 1.0
        if shared.frames.events["latitude"].isna().mean() > 0.9:
            raise ValueError("no latitude")
        return super().features(shared)

    def explain(self, case: Case) -> Account:
        """Say more than the record does."""
        return replace(super().explain(case), sentence="This is fraud")


def broken(detector: Detector) -> set[str]:
    """The laws that a detector does not keep."""
    wrong = travel()
    planted = Planted(wrong.world.frames(), wrong.subject)
    clean = clean_for("impossible_travel").frames()
    return {line.partition(":")[0] for line in check(detector, clean, planted)}


def test_laws_can_be_broken() -> None:
    """A good detector keeps all; of one that meddles and accuses it is told which it breaks."""
    assert broken(ImpossibleTravel()) == set()
    told = {"introduces itself", "leaves its input alone", "flag explains itself"}
    assert told <= broken(Hothead())


def test_record_without_cases_is_no_proof() -> None:
    """Silence on a record with nothing to judge does not count as innocence."""
    wrong = travel()
    planted = Planted(wrong.world.frames(), wrong.subject)
    found = check(ImpossibleTravel(), frames_of(()), planted)
    assert found == ("is silent on a clean record: the clean record has 0 cases; it needs 1",)
