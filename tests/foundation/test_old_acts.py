"""What a released version did on request, every later one still reads, proves and keeps."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provenance.disclosure.privacy import open_entry
from provenance.entries import EntryType, Tier
from provenance.govern.anchors import anchors_of
from provenance.govern.disclose import grants
from provenance.proving.proof import bundle_text
from provenance.verify import check_bundle, parse_policy
from workspace.upgrade import upgrade
from workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = Callable[..., "tuple[int, str, str]"]

FIXTURES = Path(__file__).parent.parent / "fixtures"
OLD = sorted(FIXTURES.glob("acts-*"))


@pytest.fixture(params=OLD, ids=[path.name for path in OLD])
def acts(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of each fixture, brought to the present format."""
    copy = tmp_path / "acts"
    shutil.copytree(request.param, copy)
    copy.joinpath("quarantine").mkdir(exist_ok=True)  # git keeps no empty directory
    upgrade(copy)
    return copy


def test_no_private_key_is_among_the_fixtures() -> None:
    """A committed private key looks like a leak; those of invented data subjects are none."""
    assert OLD
    assert not [path for root in OLD for path in root.rglob("*.key")]


def test_it_adds_up(acts: Path) -> None:
    """Register, hand-over, erasures, encrypted openings and cosignatures pass the audit."""
    with Workspace(acts) as workspace:
        report = workspace.audit(lambda _done, _total: None)

    assert report.problems == []
    assert (report.openings_missing, report.openings_locked) == (report.openings_erased, 0)
    assert report.openings_erased == 4


def test_the_register_is_replayed(acts: Path) -> None:
    """Both keys are known in their order, and each party with what it signs with."""
    with Workspace(acts) as workspace:
        register = workspace.reader.register

    assert len(register.keys) == 2
    assert register.current == (register.keys[1],)
    assert [(one.id, len(one.keys)) for one in register.parties] == [("buyer", 0), ("mill", 1)]


def test_persons_open_and_the_erased_one_does_not(acts: Path) -> None:
    """What is stored under keys of data subjects opens with them, but for who was erased."""
    with Workspace(acts) as workspace:
        found = [entry for entry in workspace.reader.entries(0) if entry.type == EntryType.LABOUR]
        (sheet,) = [open_entry(entry, Tier.PRIVATE) for entry in found]

    assert sorted(worker["worker_id"] for worker in sheet["workers"]) == ["W-11", "W-13"]


def test_grants_and_anchors_are_listed(acts: Path) -> None:
    """It is still known who was given what, and what was attested."""
    with Workspace(acts) as workspace:
        (grant,) = grants(workspace.reader)
        (anchor,) = anchors_of(workspace.reader)

    assert (grant.to, grant.paths) == ("buyer", ("/carrier",))
    assert anchor.data == b"what a timestamp service gave"


def test_a_proof_of_today_holds_all_of_it(acts: Path) -> None:
    """A proof of an old entry is signed, witnessed, and in the delivery that its party signed."""
    with Workspace(acts) as workspace:
        reader = workspace.reader
        index = reader.find(("event", "mill", "A-2"))
        assert index is not None
        vkeys = reader.register.parties[1].keys
        data = bundle_text(reader.prove(index))
        policy = parse_policy((acts / "log.policy").read_bytes())

    verdicts = {one.name: one.status for one in check_bundle(data, policy, vkeys)}
    assert {name for name, status in verdicts.items() if status == "ok"} == {
        *("signed", "witnessed", "included", "body", "batch-signed")
    }
    assert "failed" not in verdicts.values()


def test_the_erased_field_is_told_as_erased(acts: Path, provenance: Command) -> None:
    """Disclosing what was erased is refused with that word."""
    code, _, err = provenance(
        *("disclose", "A-3", "--fields", "declared_value_usd", "--to", "buyer"),
        *("--no-record", "--data", acts),
    )
    listed = provenance("party", "list", "--json", "--data", acts)

    assert code == 2
    assert "erased" in err
    assert len(json.loads(listed[1])) == 2
