"""The commands about keys and parties: what they do, refuse and never show."""

from __future__ import annotations

import json
import shlex
import stat
import sys
from typing import TYPE_CHECKING, Any

import pytest

from provenance.clock import system_entropy
from provenance.notes import keys
from workspace.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., "tuple[int, str, str]"]

HEADER = "event_id,event_time,event_type,facility_id,product_id,lot_id,quantity\n"
ROW = "N-{0},2025-11-01T08:00:00Z,produce,F-FARM,COTTON,C-2{0},500\n"


@pytest.fixture
def run(provenance: Command) -> Callable[..., Any]:
    """Run a command that must succeed, and return its JSON."""

    def call(*words: Any) -> Any:
        code, out, err = provenance(*words, "--json")
        assert code == 0, err
        return json.loads(out)

    return call


def program(place: Path, key: keys.LogKey) -> str:
    """The command line of a program that signs with a key."""
    script = place / "sign.py"
    script.write_text(
        "import base64, sys\n"
        "from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey\n"
        f"key = Ed25519PrivateKey.from_private_bytes({key._seed!r})\n"
        "print(base64.b64encode(key.sign(sys.stdin.buffer.read())).decode())\n"
    )
    return shlex.join([sys.executable, str(script)])


def events(place: Path, *numbers: int) -> Path:
    """A file of events."""
    path = place / "delivery.csv"
    path.write_text(HEADER + "".join(ROW.format(number) for number in numbers))
    return path


def test_a_key_is_shown_rotated_and_shown(
    small: Path, provenance: Command, run: Callable[..., Any]
) -> None:
    """The old key retires with the entry that names the new one; the log verifies and goes on."""
    (before,) = run("key", "show", "--data", small)["keys"]
    turned = run("key", "rotate", "--data", small)
    first, second = run("key", "show", "--data", small)["keys"]

    assert before == {**first, "until_entry": None}
    assert first["until_entry"] == second["from_entry"] == turned["entry"]
    assert (turned["retired"], turned["vkey"]) == (first["vkey"], second["vkey"])
    code, out, _ = provenance("key", "show", "--data", small)
    assert (code, out.count("signs now"), out.count("retired by entry")) == (0, 1, 1)
    code, out, _ = provenance("key", "rotate", "--data", small)
    assert code == 0
    assert "signed by both keys" in out
    assert run("verify", "--data", small)["ok"]
    assert provenance("ingest", events(small.parent, 1), "--data", small)[0] == 0


def test_old_settings_without_keys_can_be_rotated_away_from_the_file(
    small: Path, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table is added; everything that a person wrote stays as it is."""
    text = (small / "workspace.toml").read_text()
    head, _, tail = text.partition("[key]")
    rest = tail[tail.index("\n[") :] if "\n[" in tail else ""
    (small / "workspace.toml").write_text(f"{head}{rest}# mine\n")
    key = keys.generate(
        run("key", "show", "--data", small)["keys"][0]["vkey"].split("+")[0], system_entropy
    )
    monkeypatch.setenv("NEW_KEY", key.secret_text())

    turned = run("key", "rotate", "--key-env", "NEW_KEY", "--data", small)

    assert turned["place"] == "the environment variable NEW_KEY"
    assert "# mine\n" in (small / "workspace.toml").read_text()
    assert read_settings(small / "workspace.toml").key.env == "NEW_KEY"
    assert not (small / "keys" / "log.key").exists()
    assert run("ingest", events(small.parent, 2), "--data", small)["accepted"] == 1
    assert run("verify", "--data", small)["ok"]


@pytest.mark.parametrize("kind", ["file", "variable", "program"])
def test_a_workspace_is_made_with_a_key_from_anywhere(
    tmp_path: Path, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The log is signed with it from entry 0 on, and only the file's key is in the directory."""
    key = keys.generate("new.example/log", system_entropy)
    monkeypatch.setenv("MY_KEY", key.secret_text())
    options = {
        "file": [],
        "variable": ["--key-env", "MY_KEY"],
        "program": ["--key-command", program(tmp_path, key), "--key-vkey", key.vkey],
    }[kind]
    data = tmp_path / "made"
    made = run("init", "--origin", "new.example/log", *options, "--data", data)

    assert (made["vkey"] == key.vkey) is (kind != "file")
    assert (data / "keys" / "log.key").exists() is (kind == "file")
    assert run("ingest", events(tmp_path, 1, 2), "--data", data)["accepted"] == 2
    assert run("verify", "--data", data)["ok"]
    held = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())
    assert key.secret_text().encode() not in held


REFUSED = {
    "both": (("--key-env", "A", "--key-command", "b", "--key-vkey", "c"), "exclude"),
    "a program without its key": (("--key-command", "b"), "given together"),
    "a key without a program": (("--key-vkey", "c"), "given together"),
    "an empty program": (("--key-command", " ", "--key-vkey", "c"), "is empty"),
    "an open quote": (("--key-command", "'b", "--key-vkey", "c"), "quotation"),
    "an unset variable": (("--key-env", "NOT_SET_AT_ALL"), "not set"),
    "no vkey": (("--key-command", "b", "--key-vkey", "c"), "a vkey has the form"),
}


@pytest.mark.parametrize(("options", "reason"), REFUSED.values(), ids=REFUSED)
def test_key_options_that_cannot_be_are_refused(
    small: Path, tmp_path: Path, provenance: Command, options: tuple[str, ...], reason: str
) -> None:
    """By init and by rotate, in one line, and nothing is made or changed."""
    new = tmp_path / "new"
    for words in (
        ("init", "--origin", "new.example/log", "--data", new),
        ("key", "rotate", "--data", small),
    ):
        code, out, err = provenance(*words, *options)
        assert (code in {1, 2}, out, err.count("\n")) == (True, "", 1)
        assert reason in err
    assert not new.exists()
    assert provenance("key", "rotate", "--data", small)[0] == 0


def test_a_key_of_another_log_makes_no_workspace(
    tmp_path: Path, provenance: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The origin is told as the reason."""
    key = keys.generate("other.example/log", system_entropy)
    monkeypatch.setenv("MY_KEY", key.secret_text())

    words = ("init", "--origin", "new.example/log", "--key-env", "MY_KEY")
    code, _, err = provenance(*words, "--data", tmp_path / "new")

    assert code == 2
    assert "has the key of other.example/log" in err
    assert key.secret_text()[-20:] not in err
    assert not (tmp_path / "new").exists()


def test_the_wrong_key_in_its_place_is_told(small: Path, provenance: Command) -> None:
    """A key that is not the register's opens nothing to write; reading goes on."""
    path = small / "keys" / "log.key"
    origin = keys.load(path).name
    path.unlink()
    keys.save(keys.generate(origin, system_entropy), path)

    for words in (("ingest", events(small.parent, 1)), ("key", "rotate")):
        code, _, err = provenance(*words, "--data", small)
        assert code == 1
        assert "the signing key is not the one that this log's register names now" in err
    assert provenance("verify", "--data", small)[0] == 0


def test_a_party_delivers_signed(
    small: Path, tmp_path: Path, provenance: Command, run: Callable[..., Any]
) -> None:
    """From the party's own key to a proof that names it: every command on the way."""
    file = tmp_path / "acme.key"
    vkey = run("key", "new", "acme", "-o", file)["vkey"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert provenance("key", "new", "acme", "-o", file)[0] == 2
    table = events(tmp_path, 1, 2, 3)
    signed = ("ingest", table, "--party", "acme", "--sign-key", file, "--data", small)
    code, _, err = provenance(*signed)
    assert (code, "is not registered" in err) == (2, True)

    told = run("party", "add", "acme", "--name", "Acme", "--role", "mill", "--key", vkey,
               "--from", "2025-01-01", "--data", small)  # fmt: skip
    assert (told["id"], told["keys"], told["valid_to"]) == ("acme", [vkey], None)
    assert run("party", "list", "--data", small) == [told]
    assert run(*signed)["accepted"] == 3
    assert run("lookup", "N-2", "--party", "acme", "--data", small)["event"]["signed_by"] == vkey
    proof = tmp_path / "proof.json"
    run("proof", "N-2", "--party", "acme", "-o", proof, "--data", small)
    verdicts = run("verify", "--bundle", proof, "--party-key", vkey, "--data", small)["verdicts"]
    assert {one["name"]: one["status"] for one in verdicts}["batch-signed"] == "ok"
    other = keys.generate("acme", system_entropy).vkey
    asked = ("verify", "--bundle", proof, "--party-key", other, "--data", small)
    assert provenance(*asked)[0] == 1
    assert run("verify", "--data", small)["ok"]


def test_a_party_may_sign_with_a_program(
    small: Path, tmp_path: Path, provenance: Command, run: Callable[..., Any]
) -> None:
    """Its only registered key is the default; with several the option says which."""
    key, second = (keys.generate("acme", system_entropy) for _ in range(2))
    add = ("party", "add", "acme", "--name", "Acme", "--role", "mill", "--data", small)
    table, command = events(tmp_path, 1), program(tmp_path, key)
    signed = ("ingest", table, "--party", "acme", "--sign-command", command, "--data", small)
    run(*add, "--key", key.vkey)
    assert run(*signed)["accepted"] == 1

    run(*add, "--key", key.vkey, "--key", second.vkey, "--replace")
    events(tmp_path, 2)
    assert "give --sign-vkey" in provenance(*signed)[2]
    assert "did not sign with the key" in provenance(*signed, "--sign-vkey", second.vkey)[2]
    assert run(*signed, "--sign-vkey", key.vkey)["duplicate"] == 1
    both = provenance(*signed, "--sign-key", table)
    assert (both[0], "give --sign-key, or" in both[2]) == (2, True)


def test_a_party_is_stated_once_replaced_on_purpose_and_retired(
    small: Path, provenance: Command, run: Callable[..., Any]
) -> None:
    """What stands in the register is never replaced by accident."""
    add = ("party", "add", "acme", "--name", "Acme", "--role", "mill", "--data", small)
    entry = run(*add)["entry"]
    code, _, err = provenance(*add)
    assert (code, f"registered by entry {entry}; --replace" in err) == (2, True)
    assert run(*add, "--replace", "--until", "2099-12-31")["valid_to"] == "2099-12-31"
    retired = run("party", "retire", "acme", "--until", "2099-01-01", "--data", small)
    assert retired["valid_to"] == "2099-01-01"
    assert run("party", "list", "--data", small) == [retired]
    for words, reason in (
        (("retire", "nobody"), "no such party"),
        (("retire", "acme", "--until", "1999-01-01"), "before its first"),
        (("add", "a b", "--name", "X", "--role", "x"), "id cannot be"),
        (("add", "b", "--name", "X", "--role", "x", "--key", "k"), "a vkey has the form"),
        (("add", "b", "--name", "X", "--role", "x", "--from", "soon"), "YYYY-MM-DD"),
    ):
        code, _, err = provenance("party", *words, "--data", small)
        assert (code in {1, 2}, err.count("\n")) == (True, 1)
        assert reason in err
    assert run("verify", "--data", small)["ok"]
    text = provenance("party", "list", "--data", small)[1]
    assert "acme" in text
    assert "2099-01-01" in text
