"""Rules of continuing a log as a new one: the same entries, provably, under another name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from provenance.clock import system_clock
from provenance.disclosure.tiers import TierPolicy
from provenance.entries import Draft, EntryType, Identity, Tier
from provenance.errors import EncodingError, VerificationError
from provenance.govern.succession import Former, predecessor_faults
from provenance.notes import keys
from provenance.notes.parties import Party
from provenance.proving.predecessor import Predecessor
from workspace import succession
from workspace.upgrade import upgrade
from workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    from tests.foundation.conftest import Ran

    Command = Callable[..., Ran]

NEW = "fixture.example/log/2"


def append(data: Path, name: str) -> str:
    """Append an event, or the same again; returns what became of it."""
    content = {"party": "mill", "event_id": name, "carrier": f"carrier of {name}"}
    draft = Draft(EntryType.EVENT, "event/1", content, (Identity(("event", "mill", name)),))
    with Workspace(data, clock=system_clock) as workspace:
        return workspace.log.append([draft])[0].kind


def govern(data: Path, maker: ModuleType) -> None:
    """Add a party and a change of tiers to the log's register."""
    key = keys.generate("acme", maker.counting_entropy("acme"))
    party = Party(0, "acme", "Acme", "supplier", (key.vkey,), "2025-01-01")
    with Workspace(data) as workspace:
        log = workspace.log
        log.govern(lambda register: register.statement(party))
        rules = {**log.policy.rules, "event/1": {"*": Tier.PARTNER}}
        log.govern(lambda register: register.policy_change(TierPolicy(rules)))


@pytest.fixture
def data(small: Path) -> Path:
    """A workspace with an event that is recognised again."""
    upgrade(small)
    append(small, "S-1")
    return small


@pytest.fixture
def following(data: Path, provenance: Command, maker: ModuleType) -> Path:
    """A log that continues a backup of it, with a party, other tiers, another key, and events."""
    govern(data, maker)
    assert provenance("--data", data, "key", "rotate").code == 0
    append(data, "S-2")
    backup, place = data.with_name("backup"), data.with_name("following")
    assert provenance("--data", data, "log", "backup", backup, "--with-keys").code == 0
    made = provenance("log", "restore", backup, "--data", place, "--as", NEW)
    assert made.code == 0, made.err
    return place


def test_it_is_the_same_log_under_another_name(
    data: Path, following: Path, provenance: Command
) -> None:
    """Bodies, openings, times, row keys and parties are where they were; the key is another."""
    with Workspace(data) as old, Workspace(following) as new:
        ours, theirs = list(new.reader.entries(1)), list(old.reader.entries(1))
        for name in ("index", "type", "ingest_time_us", "body", "openings"):
            assert [getattr(e, name) for e in ours] == [getattr(e, name) for e in theirs]
        for key in (("event", "mill", "S-1"), ("event", "mill", "E-3")):
            assert new.reader.find(key) == old.reader.find(key)
        register, before = new.reader.register, old.reader.register
        assert (register.origin, register.entries) == (NEW, before.entries)
        assert (register.tiers, register.parties) == (before.tiers, before.parties)
        assert {*register.keys}.isdisjoint(before.keys)
        assert register.predecessor is not None
        assert register.predecessor.note == old.reader.checkpoint()
    assert provenance("--data", following, "verify").code == 0
    assert provenance("--data", following, "trace", "Y-1").code == 0
    assert [p.name for p in sorted((following / "keys").iterdir())] == [
        "log.key",
        "workspace.secret",
    ]


def test_it_goes_on(following: Path, provenance: Command) -> None:
    """What was logged is recognised, new entries are taken, and everything adds up."""
    assert append(following, "S-1") == "duplicate"
    assert append(following, "S-9") == "appended"
    assert provenance("--data", following, "verify").code == 0
    assert (following / "checkpoint").read_text().startswith(f"{NEW}\n")


def test_it_can_be_continued_again(following: Path, provenance: Command) -> None:
    """A third log leads back to the second, and through it to the first."""
    backup, third = following.with_name("b2"), following.with_name("third")
    append(following, "S-3")
    provenance("--data", following, "log", "backup", backup, "--with-keys")
    made = provenance("log", "restore", backup, "--data", third, "--as", "fixture.example/log/3")

    assert made.code == 0, made.err
    assert provenance("--data", third, "verify").code == 0
    with Workspace(third) as workspace:
        assert predecessor_faults(workspace.reader) == []
        second = workspace.reader.register.predecessor
        assert second is not None
        assert second.said.origin == NEW
        assert b'"predecessor":{"checkpoint":"fixture.example/log\\n' in second.founding


def test_a_stranger_rebuilds_the_old_tree(data: Path, following: Path) -> None:
    """From the new leaves alone comes the root that the old key signed; not from changed ones."""
    with Workspace(following) as new, Workspace(data) as old:
        predecessor = new.reader.register.predecessor
        assert predecessor is not None
        leaves = new.reader.leaves(0, new.reader.size)
        predecessor.retrace(leaves)
        former = Former(new.reader, predecessor)
        assert list(former.entries(2, 9)) == list(old.reader.entries(2, 9))
        assert list(former.entries(0, 3)) == list(old.reader.entries(0, 3))
        assert list(former.entries(9, 99)) == list(old.reader.entries(9))

    for at, index in ((4, 3), (20, 5), (40, 7)):
        wrong = bytearray(leaves[index])
        wrong[at] ^= 1
        with pytest.raises((VerificationError, EncodingError)):
            predecessor.retrace([*leaves[:index], bytes(wrong), *leaves[index + 1 :]])
    with pytest.raises(VerificationError, match="carried over are not those"):
        predecessor.retrace(leaves[:-1])
    with pytest.raises(VerificationError):
        predecessor._replace(founding=predecessor.founding + b" ").retrace(leaves)


@pytest.mark.parametrize(
    "content",
    [7, {}, {"checkpoint": "x", "founding": "AA"}, {"checkpoint": 1, "founding": 1, "more": 1}],
)
def test_what_is_no_predecessor_is_refused(content: object) -> None:
    """Entry 0 names none, or one in the one form."""
    assert Predecessor.read(None) is None
    with pytest.raises(EncodingError, match="predecessor"):
        Predecessor.read(content)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--as", "fixture.example/log"), "is the old log's name"),
        (("--as", "Not An Origin"), "--origin"),
        (("--as", NEW, "--checkpoint", "x"), "not both"),
        (("--erasures-from", "x"), "needs --as"),
    ],
)
def test_what_cannot_be_asked(
    data: Path, provenance: Command, words: tuple[str, ...], says: str
) -> None:
    """The old name, no name, two answers at once: refused, and nothing made."""
    backup, place = data.with_name("backup"), data.with_name("following")
    provenance("--data", data, "log", "backup", backup, "--with-keys")

    refused = provenance("log", "restore", backup, "--data", place, *words)

    assert refused.code == 2
    assert says in refused.err
    assert not place.exists()


@pytest.mark.parametrize("kind", ["workspace", "export"])
def test_what_was_erased_since_is_erased_again(data: Path, provenance: Command, kind: str) -> None:
    """Erasures of the old log after the backup are repeated in the new one, down to the bytes."""
    backup, place = data.with_name("backup"), data.with_name("following")
    provenance("--data", data, "log", "backup", backup, "--with-keys")
    with Workspace(data) as workspace:
        index = workspace.reader.find(("event", "mill", "S-1"))
        assert index is not None
        assert succession._erase_again(workspace, [(index, "/carrier"), (3, None)], "itself") == 2
    source = str(data)
    if kind == "export":
        provenance("--data", data, "log", "export", data.with_name("export"))
        source = data.with_name("export").as_uri()

    made = provenance(
        "log", "restore", backup, "--data", place, "--as", NEW, "--erasures-from", source
    )

    assert (made.code, made.err) == (0, "")
    assert "erased again  2 entries" in made.out
    assert provenance("--data", place, "verify").code == 0
    with Workspace(place) as workspace:
        assert workspace.reader.entry(3).body is None
        assert workspace.reader.entry(index).openings == ()
    everything = b"".join(path.read_bytes() for path in place.rglob("*") if path.is_file())
    assert b"carrier of S-1" not in everything
    assert b"carrier of S-1" in (backup / "log.db").read_bytes()
