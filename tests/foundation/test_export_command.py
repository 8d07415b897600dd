"""`provenance export`: which events it writes, and what it says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., "tuple[int, str, str]"]


def events(text: str) -> list[dict[str, Any]]:
    """The events of an EPCIS document."""
    return list(json.loads(text)["epcisBody"]["eventList"])


def test_all_events_or_chosen_ones(provenance: Command, small: Path, tmp_path: Path) -> None:
    """Without a choice all events are written; by id, by lot and from a time on only those."""
    path = tmp_path / "out.jsonld"
    code, out, _ = provenance("export", "epcis", "--data", small, "-o", path, "--json")
    whole = events(path.read_text())
    told = json.loads(out)
    assert (code, told["events"], told["left_out"]) == (0, len(whole), {})
    assert len(whole) > 3
    one = events(provenance("export", "epcis", "--data", small, "-o", "-", "--event", "E-1")[1])
    assert [event["eventID"].endswith("E-1") for event in one] == [True]
    lot = provenance("export", "epcis", "--data", small, "-o", "-", "--lot", "Y-1")
    assert 0 < len(events(lot[1])) < len(whole)
    times = sorted(event["eventTime"] for event in whole)
    since = provenance("export", "epcis", "--data", small, "-o", "-", "--since", times[-1])
    assert [event["eventTime"] for event in events(since[1])] == [times[-1]] * times.count(
        times[-1]
    )
    assert not list(tmp_path.glob(".*.new"))


def test_a_lower_tier_writes_less(provenance: Command, small: Path) -> None:
    """What is private is in no document for partners, what is for partners in none for all."""
    written = {
        tier: provenance("export", "epcis", "--data", small, "-o", "-", "--tier", tier)[1]
        for tier in ("public", "partner", "private")
    }
    assert len(written["public"]) < len(written["partner"]) <= len(written["private"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--tier", "secret"), "is not public, partner or private"),
        (("--since", "yesterday"), "is not a time"),
        (("--event", "E-404"), "E-404"),
        (("--lot", "nothing"), "nothing"),
    ],
)
def test_what_cannot_be_exported(
    provenance: Command, small: Path, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    """One line says why, and no file is left."""
    path = tmp_path / "out.jsonld"
    code, _, err = provenance("export", "epcis", "--data", small, "-o", path, *words)
    assert code in {1, 2}
    assert message in err
    assert err.count("\n") == 1
    assert not path.exists()


def test_a_partner_reads_what_was_written(provenance: Command, small: Path, tmp_path: Path) -> None:
    """A document written here goes into another log, and again not at all."""
    path = tmp_path / "out.jsonld"
    provenance("export", "epcis", "--data", small, "-o", path)
    other = tmp_path / "other"
    provenance(
        "init",
        "--data",
        other,
        "--origin",
        "b.example/log",
        "--party",
        "b",
        "--domain",
        "https://b.example",
    )
    first = json.loads(provenance("ingest", "--data", other, path, "--json")[1])
    assert first["accepted"] == first["rows"] == len(events(path.read_text()))
    again = json.loads(provenance("ingest", "--data", other, path, "--json")[1])
    assert again["duplicate"] == again["rows"]


def test_an_epc_uri_finds_its_item(provenance: Command, small: Path, tmp_path: Path) -> None:
    """A person pastes what stands in a partner's event; a malformed one is told in words."""
    event = {
        "type": "ObjectEvent",
        "eventTime": "2024-01-01T00:00:00Z",
        "eventTimeZoneOffset": "+00:00",
        "action": "OBSERVE",
        "epcList": ["https://shop.example/01/04012345111118/21/987"],
    }
    path = tmp_path / "one.json"
    path.write_text(json.dumps(event))
    assert provenance("ingest", "--data", small, path)[0] == 0
    code, out, _ = provenance("lookup", "--data", small, "urn:epc:id:sgtin:4012345.011111.987")
    assert code == 0
    assert "04012345111118" in out
    code, _, err = provenance("lookup", "--data", small, "urn:epc:id:sgtin:4012345.1.987")
    assert (code, err.count("\n")) == (1, 1)
    assert "13 digits" in err
