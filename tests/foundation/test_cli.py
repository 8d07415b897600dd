"""The command line as scripts meet it: exit codes, one-line errors, JSON, and two streams."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import apsw
import pytest

import cli
from provenance.store import storage
from workspace import settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., "tuple[int, str, str]"]

# One working command line of each command that needs a workspace.
NEEDS_WORKSPACE = {
    "ingest": ("ingest", "FILE"),
    "receipt": ("receipt", "#15"),
    "watchlist": ("watchlist", "list"),
    "report": ("report", "--output", "report.html"),
    "quarantine list": ("quarantine", "list"),
    "quarantine show": ("quarantine", "show", "x.csv"),
    "quarantine export": ("quarantine", "export", "x.csv", "-o", "y.csv"),
    "quarantine ingest": ("quarantine", "ingest", "x.csv"),
    "quarantine drop": ("quarantine", "drop", "x.csv", "--yes"),
    "quarantine purge": ("quarantine", "purge"),
    "detect": ("detect",),
    "flags list": ("flags", "list"),
    "flags show": ("flags", "show", "16"),
    "flags export": ("flags", "export", "flags.csv"),
    "replay": ("replay", "--all"),
    "trace": ("trace", "Y-1"),
    "track": ("track", "Y-1"),
    "recall": ("recall", "Y-1"),
    "journey": ("journey", "Y-1"),
    "custody": ("custody", "Y-1"),
    "balance": ("balance", "Y-1"),
    "exposure": ("exposure", "Y-1"),
    "coverage": ("coverage", "Y-1"),
    "path": ("path", "Y-1", "C-1"),
    "lanes": ("lanes",),
    "verify": ("verify",),
    "proof": ("proof", "E-1"),
    "disclose": ("disclose", "E-1", "--fields", "carrier", "--to", "x"),
    "export epcis": ("export", "epcis", "-o", "-"),
    "erase": ("erase", "E-1", "--whole", "--yes"),
    "erase --status": ("erase", "--status"),
    "lookup": ("lookup", "E-1"),
    "qr": ("qr", "Y-1"),
    "serve": ("serve",),
    "subjects on": ("subjects", "on"),
    "subjects settle": ("subjects", "settle"),
    "tiers show": ("tiers", "show"),
    "tiers set": ("tiers", "set", "FILE"),
    "upgrade": ("upgrade",),
    "graph rebuild": ("graph", "rebuild"),
    "graph sync": ("graph", "sync"),
    "graph status": ("graph", "status"),
    "graph audit": ("graph", "audit"),
    "network": ("network",),
    "log anchor text": ("log", "anchor", "text"),
    "log anchor add": ("log", "anchor", "add", "FILE", "--kind", "test"),
    "log anchor list": ("log", "anchor", "list"),
    "log backup": ("log", "backup", "copy"),
    "log status": ("log", "status"),
    "witness collect": ("witness", "collect"),
    "key show": ("key", "show"),
    "key rotate": ("key", "rotate"),
    "party list": ("party", "list"),
    "party add": ("party", "add", "x", "--name", "X", "--role", "maker"),
    "party retire": ("party", "retire", "x"),
}


@pytest.fixture
def events_csv(tmp_path: Path) -> Path:
    """A file with one good event and one whose time cannot be."""
    path = tmp_path / "events.csv"
    path.write_text(
        "event_id,event_time,event_type,facility_id,product_id,lot_id,quantity\n"
        "N-1,2025-11-01T08:00:00Z,produce,F-FARM,COTTON,C-2,500\n"
        "N-2,2025-13-45T08:00:00Z,produce,F-FARM,COTTON,C-3,500\n"
    )
    return path


def _is_one_line(err: str) -> bool:
    return err.startswith("provenance: ") and err.count("\n") == 1 and err.endswith("\n")


@pytest.mark.parametrize("name", NEEDS_WORKSPACE)
def test_a_missing_workspace(
    name: str, provenance: Command, tmp_path: Path, events_csv: Path
) -> None:
    """Without a workspace: exit code 2, one line that says how to make one, nothing made."""
    words = [str(events_csv) if word == "FILE" else word for word in NEEDS_WORKSPACE[name]]
    missing = tmp_path / "nowhere"

    code, out, err = provenance(*words, "--data", missing)

    assert code == 2
    assert out == ""
    assert _is_one_line(err)
    assert f"provenance init --data {missing}" in err
    assert not missing.exists()


def test_every_command_that_needs_a_workspace_is_tried() -> None:
    """A command that is added is added to the table above, unless it needs no workspace."""
    tried = {words[0] for words in NEEDS_WORKSPACE.values()}

    assert tried | {"init", "demo", "inspect", "mapping", "monitor"} == set(cli.COMMANDS)


def test_data_comes_from_three_places(
    provenance: Command, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workspace is --data of the command, else --data before it, else the environment's."""
    after = provenance("verify", "--data", small)
    before = provenance("--data", small, "verify")
    monkeypatch.chdir(small.parent)
    shutil.copytree(small, small.parent / "provenance-data")
    default = provenance("verify")

    assert after[:2] == before[:2] == default[:2]
    assert after[0] == 0


def test_the_environment_names_the_workspace(provenance: Command, small: Path) -> None:
    """PROVENANCE_DATA is used where no --data is given."""
    assert provenance("verify", environment=str(small))[0] == 0
    assert provenance("verify", environment=str(small.parent))[0] == 2


@pytest.mark.parametrize(
    "words", [("verify", "--no-such"), ("no-such",), ("proof",), ("qr", "Y-1", "--scale", "0")]
)
def test_wrong_usage(words: tuple[str, ...], provenance: Command, small: Path) -> None:
    """Wrong usage: exit code 2, a message on standard error, no traceback."""
    code, out, err = provenance("--data", small, *words)

    assert code == 2
    assert out == ""
    assert "Traceback" not in err
    assert err


def test_verify_tells_good_from_bad(provenance: Command, small: Path) -> None:
    """Verify exits 0 when all adds up and 1, naming what and where, when one byte differs."""
    good = provenance("verify", "--data", small)
    connection = apsw.Connection(str(small / "log.db"))
    connection.execute(
        "UPDATE body SET body = CAST(replace(body, '1150', '1151') AS BLOB) WHERE idx = 6"
    )
    connection.close()
    bad = provenance("verify", "--data", small)

    assert good[0] == 0
    assert "OK  fixture.example/log: 17 entries" in good[1]
    assert bad[0] == 1
    assert re.search(r"^FAILED  .*\b6\b", bad[1], re.MULTILINE)


def test_what_is_not_there_is_exit_code_1(provenance: Command, small: Path) -> None:
    """A name that the log does not know: exit code 1, one line."""
    asked = ("proof", "E-404"), ("lookup", "nothing"), ("trace", "nothing"), ("replay", "0")
    for words in asked:
        code, out, err = provenance(*words, "--data", small)

        assert (code, out) == (1, "")
        assert _is_one_line(err)


def test_a_newer_workspace(provenance: Command, small: Path) -> None:
    """A workspace, or a log, of a later format: exit code 2, and the remedy."""
    text = (small / "workspace.toml").read_text()
    newer = text.replace(f"format = {settings.FORMAT}", "format = 99")
    (small / "workspace.toml").write_text(newer)
    newer_workspace = provenance("verify", "--data", small)
    (small / "workspace.toml").write_text(text)
    connection = apsw.Connection(str(small / "log.db"))
    connection.pragma("user_version", 99)
    connection.close()
    newer_log = provenance("verify", "--data", small)

    for code, out, err in (newer_workspace, newer_log):
        assert (code, out) == (2, "")
        assert _is_one_line(err)
        assert "install a newer one" in err


def _overwrite(name: str, data: bytes) -> Callable[[Path], object]:
    return lambda directory: (directory / name).write_bytes(data)


def _add_a_setting(directory: Path) -> None:
    path = directory / "workspace.toml"
    path.write_text(path.read_text() + "\n[colour]\nback = 1\n")


DAMAGES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "settings are not TOML": ("both", _overwrite("workspace.toml", b"format = = 1")),
    "a setting is unknown": ("both", _add_a_setting),
    "the database is noise": ("both", _overwrite("log.db", b"\x00noise" * 4096)),
    "the database is cut": ("both", lambda place: os.truncate(place / "log.db", 40_000)),
    "the secret is short": ("both", _overwrite("keys/workspace.secret", b"short")),
    "the policy names nobody": ("verify", _overwrite("log.policy", b"quorum none\n")),
    "the policy is not text": ("verify", _overwrite("log.policy", b"\xff\xfe\x00")),
    "the signing key is cut": ("ingest", _overwrite("keys/log.key", b"PRIVATE+KEY+nobody\n")),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_workspace(
    damage: str, provenance: Command, small: Path, events_csv: Path
) -> None:
    """Damage ends in exit code 1 or 2 and one line that names the file; never in a traceback.

    Verifying needs no private key, and writing needs no policy: neither minds if those are gone.
    """
    minds, do = DAMAGES[damage]
    do(small)

    for words in (("verify",), ("ingest", events_csv)):
        code, out, err = provenance(*words, "--data", small)

        if minds in {words[0], "both"}:
            assert code in {1, 2}
            assert out == ""
            assert _is_one_line(err)
            assert str(small) in err
        else:
            assert code in {0, 3}


def test_a_locked_workspace(
    provenance: Command, small: Path, events_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another process writes, a writer waits, then ends with exit code 2 and one line."""
    monkeypatch.setattr("provenance.log._LOCK_WAIT_SECONDS", 0.05)
    with (small / "log.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        code, out, err = provenance("ingest", events_csv, "--data", small)

    assert (code, out) == (2, "")
    assert _is_one_line(err)
    assert "another process is writing" in err


def test_a_read_only_workspace(
    provenance: Command, small: Path, events_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What may not be written can be verified, and refuses to be written with one line."""
    access = os.access
    monkeypatch.setattr(
        storage.os, "access", lambda path, mode: mode != os.W_OK and access(path, mode)
    )

    verified = provenance("verify", "--data", small)
    code, out, err = provenance("ingest", events_csv, "--data", small)

    assert verified[0] == 0
    assert (code, out) == (2, "")
    assert _is_one_line(err)
    assert "may not be written" in err


def test_ingest_codes(provenance: Command, small: Path, events_csv: Path) -> None:
    """Ingest exits 3 when rows were quarantined, 0 when all came before, and counts each row."""
    first = provenance("ingest", events_csv, "--data", small, "--json")
    good = events_csv.with_name("good.csv")
    good.write_text("".join(events_csv.read_text().splitlines(keepends=True)[:2]))
    again = provenance("ingest", good, "--data", small, "--json")
    receipt = json.loads(first[1])

    assert first[0] == 3
    assert (receipt["rows"], receipt["accepted"], receipt["quarantined"]) == (2, 1, 1)
    assert again[0] == 0
    assert json.loads(again[1])["duplicate"] == 1
    assert json.loads(again[1])["appended"] == 0


PRINTS_JSON = {
    "ingest": ("ingest", "FILE", "--json"),
    "detect": ("detect", "--json"),
    "flags list": ("flags", "list", "--json"),
    "flags show": ("flags", "show", "16", "--json"),
    "trace": ("trace", "Y-1", "--json"),
    "trace events": ("trace", "Y-1", "--events", "--json"),
    "verify": ("verify", "--json"),
    "proof": ("proof", "E-1"),
    "disclose": ("disclose", "--list", "--json"),
    "lookup": ("lookup", "E-1", "--json"),
    "qr": ("qr", "Y-1", "--json"),
    "subjects on": ("subjects", "on", "--json"),
    "subjects settle": ("subjects", "settle", "--json"),
    "tiers show": ("tiers", "show", "--json"),
    "upgrade": ("upgrade", "--json"),
    "graph rebuild": ("graph", "rebuild", "--json"),
    "graph sync": ("graph", "sync", "--json"),
    "graph status": ("graph", "status", "--json"),
    "graph audit": ("graph", "audit", "--json"),
    "network": ("network", "--json"),
}


@pytest.mark.parametrize("name", PRINTS_JSON)
def test_json_is_one_document(
    name: str, provenance: Command, small: Path, events_csv: Path
) -> None:
    """With --json, standard output is one JSON document, whatever the log level says."""
    words = [str(events_csv) if word == "FILE" else word for word in PRINTS_JSON[name]]

    code, out, err = provenance("--log-level", "debug", "--log-json", "--data", small, *words)

    assert code in {0, 3}
    assert isinstance(json.loads(out), dict | list)
    for line in err.splitlines():
        assert {"time", "level", "logger", "message"} <= json.loads(line).keys()


def test_init_json(provenance: Command, tmp_path: Path) -> None:
    """`init --json` prints the new log's origin and public key, and no secret."""
    words = ("--origin", "new.example/log", "--domain", "https://new.example", "--json")
    code, out, err = provenance("init", "--data", tmp_path / "new", *words)
    made = json.loads(out)

    assert (code, err) == (0, "")
    assert made["vkey"].startswith("new.example/log+")
    assert "PRIVATE" not in out


def test_init_never_takes_an_occupied_place(provenance: Command, small: Path) -> None:
    """`init` over a workspace, or over other files: exit code 2, and nothing is touched."""
    before = {path: path.read_bytes() for path in small.rglob("*") if path.is_file()}

    code, out, err = provenance("init", "--data", small)

    assert (code, out) == (2, "")
    assert _is_one_line(err.splitlines(keepends=True)[-1])
    assert {path: path.read_bytes() for path in small.rglob("*") if path.is_file()} == before


def test_an_interrupt(provenance: Command, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends a command with exit code 130 and without a traceback."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("provenance.auditing.audit.audit", interrupted)
    code, out, err = provenance("verify", "--data", small)

    assert (code, out) == (130, "")
    assert "Traceback" not in err


@pytest.mark.parametrize("words", [("lookup", "Y-1"), ("verify", "--json"), ("trace", "Y-1")])
def test_a_reader_that_goes_away(words: tuple[str, ...], small: Path) -> None:
    """Output that nobody reads any more, as with `head`, leaves no traceback."""
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "cli", "--data", small, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as ran:
        assert ran.stdout is not None
        assert ran.stderr is not None
        ran.stdout.close()

        assert ran.stderr.read() == ""


def test_version(provenance: Command) -> None:
    """`--version` prints the version of the distribution alone."""
    code, out, err = provenance("--version")

    assert (code, err) == (0, "")
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", out)
