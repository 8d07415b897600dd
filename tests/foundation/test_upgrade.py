"""Old workspaces: what a released version wrote, every later one reads."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provenance.disclosure.privacy import open_entry
from provenance.entries import Draft, EntryType, Identity, Tier
from provenance.errors import WorkspaceTooNew
from provenance.notes import keys
from workspace import settings, upgrade
from workspace.workspace import Layout, Workspace

if TYPE_CHECKING:
    from types import ModuleType

FIXTURES = Path(__file__).parent.parent / "fixtures"
OLD = sorted(FIXTURES.glob("workspace-*"))


def _maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_workspace", FIXTURES / "make_workspace.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKER = _maker()


@pytest.fixture(params=OLD, ids=[path.name for path in OLD])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of each fixture workspace; the fixtures themselves are never written."""
    copy = tmp_path / request.param.name
    shutil.copytree(request.param, copy)
    copy.joinpath("quarantine").mkdir(exist_ok=True)  # git keeps no empty directory
    return copy


def test_every_released_format_has_a_fixture() -> None:
    """There is one fixture workspace per workspace format, without a private key."""
    formats = [settings.read_settings(path / "workspace.toml").format for path in OLD]

    assert formats == list(range(1, settings.FORMAT + 1))
    assert not [path for root in OLD for path in root.rglob("*.key")]
    assert not [path for root in OLD for path in root.rglob("*") if path.suffix == ".db-wal"]


def test_an_old_workspace_adds_up_after_the_upgrade(old: Path) -> None:
    """An upgraded workspace verifies to the root that its own checkpoint was signed for."""
    upgrade.upgrade(old)

    with Workspace(old) as workspace:
        report = workspace.audit(lambda _done, _total: None)
        signed = workspace.reader.checkpoint()

    assert report.problems == []
    assert report.openings_missing == 0
    assert signed == (old / "checkpoint").read_text()
    assert signed.split("\n")[1] == str(report.size)


def test_old_bodies_open(old: Path) -> None:
    """Every entry of an old workspace opens, and gives private fields to the private tier alone."""
    with Workspace(old) as workspace:
        index = workspace.reader.find(("event", MAKER.PARTY, "E-3"))
        assert index is not None
        entry = workspace.reader.entry(index)
        everything = [open_entry(each, Tier.PRIVATE) for each in workspace.reader.entries(0)]

    assert all(everything)
    assert open_entry(entry, Tier.PRIVATE)["declared_value_usd"] == {"_d": "2875.50"}
    assert open_entry(entry, Tier.PARTNER)["bill_of_lading"] == "BOL-77"
    assert "declared_value_usd" not in open_entry(entry, Tier.PARTNER)
    assert "bill_of_lading" not in open_entry(entry, Tier.PUBLIC)


def test_an_old_workspace_is_projected(old: Path) -> None:
    """The graph of an old workspace is made from its log, as far as the log goes."""
    with Workspace(old) as workspace:
        workspace.sync_graph()

        assert workspace.graph.position() == workspace.reader.size


def test_an_old_workspace_goes_on(old: Path) -> None:
    """An upgraded workspace takes new entries, knows the old ones again, and still adds up."""
    keys.save(MAKER.signing_key(), Layout(old).log_key)
    upgrade.upgrade(old)
    later = MAKER.counting_clock(MAKER.BEGAN_US + 10**12)
    new = Draft(EntryType.EVENT, "event/1", {"event_id": "E-9"}, (Identity(("event", "x", "E-9")),))

    with Workspace(old, later) as workspace:
        before = workspace.log.size
        old_events = workspace.log.append(MAKER._events())
        outcome = workspace.log.append([new])
        report = workspace.audit(lambda _done, _total: None)

    assert {each.kind for each in old_events} == {"duplicate"}
    assert [(each.kind, each.index) for each in outcome] == [("appended", before)]
    assert report.problems == []


def test_the_newest_format_has_nothing_to_do(old: Path) -> None:
    """A second upgrade leaves nothing behind and changes no file."""
    upgrade.upgrade(old)
    before = {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}

    assert upgrade.upgrade(old) == []
    assert {path: path.read_bytes() for path in old.rglob("*") if path.is_file()} == before


def test_steps_run_in_order_and_the_number_follows(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each format is left by its own step, oldest first, and comments in the settings survive."""
    upgrade.upgrade(old)
    present = settings.FORMAT
    seen: list[int] = []
    steps = {present + n: lambda path, n=n: seen.append(_format_of(path) - n) for n in range(2)}
    monkeypatch.setattr(upgrade, "STEPS", steps)
    _pretend_formats_up_to(present + 2, monkeypatch)

    assert upgrade.upgrade(old) == [present, present + 1]
    assert seen == [present, present]
    text = (old / "workspace.toml").read_text()
    assert f"format = {present + 2}" in text
    assert "# The log's identity" in text


def test_a_step_that_fails_is_run_again(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash inside a step leaves the format number alone, so the step runs again."""
    upgrade.upgrade(old)
    present = settings.FORMAT
    attempts: list[Path] = []

    def step(path: Path) -> None:
        attempts.append(path)
        if len(attempts) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(upgrade, "STEPS", {present: step})
    _pretend_formats_up_to(present + 1, monkeypatch)

    with pytest.raises(KeyboardInterrupt):
        upgrade.upgrade(old)
    assert _format_of(old) == present
    assert upgrade.upgrade(old) == [present]
    assert len(attempts) == 2


def test_every_older_format_has_a_step() -> None:
    """No format can be released without the way out of the one before it."""
    assert sorted(upgrade.STEPS) == list(range(1, settings.FORMAT))


def test_a_newer_workspace_is_refused(old: Path) -> None:
    """A workspace that a newer version wrote is not opened, not upgraded and not changed."""
    path = old / "workspace.toml"
    newer = path.read_text().replace(
        f"format = {_format_of(old)}", f"format = {settings.FORMAT + 1}"
    )
    path.write_text(newer)

    for attempt in (upgrade.upgrade, Workspace):
        with pytest.raises(WorkspaceTooNew, match="install a newer one"):
            attempt(old)
    assert path.read_text() == newer


def test_the_fixture_maker_still_works(tmp_path: Path) -> None:
    """What the maker makes today verifies: the next format's fixture can be made with it."""
    MAKER.make(tmp_path / "fresh")

    with Workspace(tmp_path / "fresh") as workspace:
        assert workspace.audit(lambda _done, _total: None).problems == []
        assert workspace.settings.format == settings.FORMAT


def _format_of(directory: Path) -> int:
    return settings.read_settings(directory / "workspace.toml").format


def _pretend_formats_up_to(newest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "FORMAT", newest)
    monkeypatch.setattr(upgrade, "FORMAT", newest)
