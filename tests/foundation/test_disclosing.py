"""`provenance disclose` as people meet it: files, refusals, and the list of who has what."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from provenance.disclosure.privacy import open_entry
from provenance.entries import Tier
from workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., "tuple[int, str, str]"]


def size(data: Path) -> int:
    """How many entries the log has."""
    with Workspace(data) as workspace:
        return workspace.reader.size


def shipments(data: Path) -> list[str]:
    """Events of the workspace that have a carrier."""
    with Workspace(data) as workspace:
        contents = [open_entry(entry, Tier.PRIVATE) for entry in workspace.reader.entries(1)]
    return [one["event_id"] for one in contents if "event_id" in one and "shipment_id" in one]


def test_a_disclosed_bundle_verifies_and_is_logged(
    provenance: Command, small: Path, tmp_path: Path
) -> None:
    """The file opens the named field and no other; the log says who has it; both can be listed."""
    file, event = tmp_path / "for-customs.json", shipments(small)[0]
    ask = ("disclose", event, "--fields", "shipment_id", "--to", "customs", "-o", file)

    code, out, err = provenance("--data", small, *ask)

    assert code == 0
    assert "opens /shipment_id\n" in out
    assert "names no parties" in err
    code, out, _ = provenance("verify", "--bundle", file, "--policy", small / "log.policy")
    assert (code, "OK      field        '/shipment_id'\n" in out) == (0, True)
    assert provenance("verify", "--data", small)[0] == 0
    assert "customs: entry" in provenance("disclose", "--list", "--data", small)[1]
    other = provenance("disclose", "--list", "--to", "bank", "--data", small, "--json")[1]
    (listed,) = json.loads(provenance("disclose", "--list", "--data", small, "--json")[1])
    assert json.loads(other) == []
    assert (listed["to"], listed["fields"]) == ("customs", ["/shipment_id"])
    assert (
        "Nothing was disclosed to bank"
        in provenance("disclose", "--list", "--to", "bank", "--data", small)[1]
    )


def test_several_events_make_several_files(
    provenance: Command, small: Path, tmp_path: Path
) -> None:
    """One file and one grant for each event, in one append."""
    folder, events = tmp_path / "bundles", shipments(small)[:2]
    before = size(small)
    ask = ("disclose", *events, events[0], "--tier", "partner", "--to", "customs", "-o", folder)

    code, out, _ = provenance("--data", small, *ask, "--json")

    made = json.loads(out)
    assert code == 0
    assert [one["grant"] for one in made] == [before, before + 1]
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"entry-{one['index']}.json" for one in made
    )
    for path in folder.iterdir():
        assert provenance("verify", "--bundle", path, "--policy", small / "log.policy")[0] == 0


def test_trying_out_leaves_no_trace(provenance: Command, small: Path) -> None:
    """`--no-record` prints the bundle and logs nothing; it needs no right to write either."""
    before, event = size(small), shipments(small)[0]

    code, out, _ = provenance(
        *("disclose", event, "--fields", "/shipment_id", "--to", "x", "--no-record"),
        *("--data", small),
    )

    assert code == 0
    assert [one["path"] for one in json.loads(out)["disclosed"]] == ["/shipment_id"]
    assert size(small) == before


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["EVENT", "--fields", "shipment", "--to", "x"], "did you mean /shipment_id?"),
        (["EVENT", "--fields", "event_id", "--to", "x"], "is public"),
        (["EVENT", "--fields", "shipment_id"], "disclose needs events, --to PARTY, and either"),
        (["EVENT", "--to", "x"], "either --fields or --tier"),
        (["EVENT", "--to", "x", "--fields", "a", "--tier", "partner"], "either --fields or --tier"),
        (["--to", "x", "--fields", "a"], "disclose needs events"),
        (["nobody", "--to", "x", "--fields", "a"], "no event nobody of party"),
        (["#999999", "--to", "x", "--fields", "a"], "the log has no entry 999999"),
        (["EVENT", "#0", "--to", "x", "--fields", "shipment_id"], "name a directory"),
        (["#0", "--to", "x", "--tier", "private"], "no field to disclose that is not public"),
        (["EVENT", "--to", "x", "--fields", "shipment_id", "-o", "no/such/file"], "lies in none"),
    ],
)
def test_what_cannot_be_disclosed_is_not_logged(
    provenance: Command, small: Path, words: list[str], reason: str
) -> None:
    """One line says why; nothing is written and no grant is in the log."""
    before = size(small)
    words = [shipments(small)[0] if word == "EVENT" else word for word in words]

    code, out, err = provenance("disclose", *words, "--data", small)

    assert code in {1, 2}
    assert out == ""
    assert reason in err
    assert size(small) == before


def test_only_registered_parties_where_there_are_such(provenance: Command, small: Path) -> None:
    """Once the register names parties, a misspelt receiver is refused with those that it has."""
    event = shipments(small)[0]
    ask = ("--data", small, "disclose", event, "--fields", "shipment_id", "--no-record", "--to")
    provenance("--data", small, "party", "add", "customs", "--name", "Customs", "--role", "agency")

    good, wrong = provenance(*ask, "customs"), provenance(*ask, "custms")

    assert (good[0], good[2]) == (0, "")
    assert (wrong[0], wrong[1]) == (2, "")
    assert "--to custms: not in the register, which has customs" in wrong[2]


def test_grants_and_anchors_disturb_nothing(
    provenance: Command, small: Path, tmp_path: Path
) -> None:
    """Acts of the operator are entries that graph, detectors and backups pass over."""
    stamp = tmp_path / "stamp"
    stamp.write_bytes(b"stamped")
    before = provenance("--data", small, "trace", "Y-1")[1]
    flags = json.loads(provenance("--data", small, "flags", "list", "--json")[1])
    event = shipments(small)[0]
    provenance("--data", small, "disclose", event, "--tier", "private", "--to", "x", "-o", stamp)
    provenance("--data", small, "log", "anchor", "add", stamp, "--kind", "test")

    after = provenance("--data", small, "trace", "Y-1")

    assert after[0] == 0
    assert after[1].splitlines()[:-1] == before.splitlines()[:-1]
    assert json.loads(provenance("--data", small, "flags", "list", "--json")[1]) == flags
    assert provenance("--data", small, "graph", "rebuild")[0] == 0
    assert provenance("--data", small, "detect")[0] == 0
    assert provenance("--data", small, "log", "backup", tmp_path / "copy")[0] == 0
    assert provenance("--data", small, "verify")[0] == 0
