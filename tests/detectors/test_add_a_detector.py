"""The guide's detector is a real one: it loads, judges, and keeps what every detector must."""

from __future__ import annotations

import re
import sys
from importlib.metadata import EntryPoint
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from frame_factories import ROOT, World

from detectors import registry
from detectors.record import content
from detectors.run import run

GUIDE = Path(__file__).parents[2] / "docs" / "add-a-detector.md"


@pytest.fixture
def guide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The guide, its Python block importable under the name its TOML block registers."""
    text = GUIDE.read_text()
    python = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(python) == 1
    file = tmp_path / "missing_bill.py"
    file.write_text(python[0])
    spec = spec_from_file_location("my_package.missing_bill", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "my_package.missing_bill", module)
    monkeypatch.setitem(sys.modules, "my_package", module)
    spec.loader.exec_module(module)
    return text


def test_guide_has_eight_steps(guide: str) -> None:
    """Numbered one to eight."""
    assert re.findall(r"^\*\*(\d)\. ", guide, re.MULTILINE) == list("12345678")


def test_guides_detector_loads_and_judges(guide: str) -> None:
    """Registered as the guide says, it flags the sea shipment without its bill, and no other."""
    named = re.search(r'\[project.entry-points."(.*)"\]\n(\w+) = "(.*)"', guide)
    assert named is not None
    group, name, value = named.groups()
    assert group == registry.GROUP
    detectors, problems = registry.load([EntryPoint(name, value, group)])
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
