"""`provenance graph`: where it stands, and whether it says what the log says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import apsw

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from conftest import Ran

    Command = Callable[..., Ran]

SAMPLES = Path(__file__).parent.parent.parent / "samples" / "data"
QUARANTINED = 3


def test_status_says_how_far_the_graph_is(provenance: Command, small: Path) -> None:
    """Behind the log at first, level after `graph sync`, in words and as JSON."""
    code, out, _ = provenance("--data", small, "graph", "status")
    assert code == 0
    assert "`provenance graph sync` catches up" in out
    provenance("--data", small, "graph", "sync")
    told = json.loads(provenance("--data", small, "graph", "status", "--json").out)
    assert told["position"] == told["size"] > 0
    assert told["url"] == "sqlite:graph.db"


def test_audit_is_clean_until_somebody_writes(provenance: Command, small: Path) -> None:
    """Exit code 0 and OK; after a change 1, with the place, in words and as JSON."""
    provenance("--data", small, "graph", "sync")
    code, out, _ = provenance("--data", small, "graph", "audit")
    assert (code, out[:2]) == (0, "OK")
    connection = apsw.Connection(str(small / "graph.db"))
    connection.execute("DELETE FROM entry WHERE idx = 1")
    connection.close()
    code, out, _ = provenance("--data", small, "graph", "audit")
    assert code == 1
    assert out.startswith("FAILED  entry 1: is missing\n")
    assert "`provenance graph rebuild`" in out
    code, out, _ = provenance("--data", small, "graph", "audit", "--json")
    told = json.loads(out)
    assert (code, told["ok"], told["differing"]) == (1, False, 1)
    assert provenance("--data", small, "graph", "rebuild").code == 0
    assert provenance("--data", small, "graph", "audit").code == 0


def test_an_audit_writes_nothing(provenance: Command, small: Path) -> None:
    """A graph that is behind stays so: an audit is not a sync."""
    provenance("--data", small, "graph", "status")
    code, out, _ = provenance("--data", small, "graph", "audit")
    assert code == 0
    assert "entries behind" in out
    told = json.loads(provenance("--data", small, "graph", "status", "--json").out)
    assert told["position"] == 0


def test_ingest_does_not_depend_on_the_graphs_server(
    provenance: Command, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is away fails no ingest: the log has everything, and the notice says so."""
    monkeypatch.setattr("commands.ingesting._PATIENCE_SECONDS", 0.0)
    settings, events_csv = small / "workspace.toml", SAMPLES / "late_scans.csv"
    url = 'url = "arangodb:http://127.0.0.1:1/away"'
    settings.write_text(settings.read_text().replace('url = "sqlite:graph.db"', url))
    code, out, err = provenance("--data", small, "ingest", events_csv)
    assert code == QUARANTINED
    assert "the graph is behind" in err
    assert "cannot be reached" in err
    assert "covered by its signed checkpoint" in out
    again = provenance("--data", small, "ingest", events_csv)
    assert again.code == QUARANTINED


def test_the_network_is_reported(provenance: Command, small: Path) -> None:
    """As tables, cut where a limit says so, and as one JSON document with the same numbers."""
    provenance("--data", small, "ingest", SAMPLES / "events.csv")
    code, out, _ = provenance("--data", small, "network", "--limit", "2")
    assert code == 0
    assert "Nothing goes round it" in out
    assert "more; --limit 0 shows all" in out
    told = json.loads(provenance("--data", small, "network", "--limit", "0", "--json").out)
    assert told["of"] == "sites"
    assert told["found"]["central"] == len(told["central"]) == told["nodes"] > 2
    parties = json.loads(provenance("--data", small, "network", "--of", "parties", "--json").out)
    assert parties["of"] == "parties"
