"""Rules of the log: what an append does, what it answers, and what is there afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_factories import (
    ORIGIN,
    SECOND_US,
    SECRET,
    START_US,
    Rig,
    SetClock,
    check_log,
    event,
    facility,
    seeded,
)

from provenance.disclosure.privacy import open_entry
from provenance.disclosure.tiers import DEFAULT_POLICY
from provenance.entries import Draft, EntryType, Identity, Outcome, Tier
from provenance.errors import EncodingError, NotFound, StorageError, WorkspaceDamaged
from provenance.hashing import body_digest, leaf_hash
from provenance.log import Log
from provenance.notes import keys
from provenance.notes.checkpoint import parse
from provenance.proving.leaf import decode_leaf
from provenance.proving.merkle import tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """A place for a log."""
    return Rig(tmp_path)


@pytest.fixture
def log(rig: Rig) -> Iterator[Log]:
    """A new log."""
    made = rig.create()
    yield made
    made.close()


def kinds(outcomes: list[Outcome]) -> list[tuple[str, int]]:
    """Outcomes as plain pairs."""
    return [(each.kind, each.index) for each in outcomes]


def test_an_acknowledgement_names_the_body(log: Log) -> None:
    """What was appended comes with its body digest; what was known comes without."""
    fresh, again, other = log.append([event(1), event(1), event(1, carrier="other")])

    assert fresh.digest == body_digest(log.entry(1).body or b"")
    assert (again.kind, again.digest) == ("duplicate", None)
    assert (other.kind, other.digest) == ("conflict", None)


def test_a_log_begins_with_its_policy(rig: Rig, log: Log) -> None:
    """Entry 0 names origin, key, tiers and predecessor, and is signed for at once."""
    founding = open_entry(log.entry(0), Tier.PUBLIC)

    assert log.entry(0).type == EntryType.POLICY
    assert (log.origin, log.size, log.keys) == (ORIGIN, 1, [rig.key.vkey])
    assert founding == {
        "origin": ORIGIN,
        "keys": [rig.key.vkey],
        "tiers": DEFAULT_POLICY.to_content(),
        "predecessor": None,
    }
    assert log.policy == DEFAULT_POLICY
    assert rig.files.checkpoint.read_text() == log.checkpoint()
    assert parse(log.checkpoint())[0].size == 1
    check_log(rig)


def test_entries_come_in_the_order_of_their_drafts(rig: Rig, log: Log) -> None:
    """Appending acknowledges each draft with its index, and the entries say what was given."""
    rig.clock.now_us += SECOND_US
    outcomes = log.append([event(0), facility("F-1", name="Mill"), event(1)])

    assert kinds(outcomes) == [("appended", 1), ("appended", 2), ("appended", 3)]
    assert [open_entry(entry, Tier.PRIVATE) for entry in log.entries(1)] == [
        event(0).content,
        facility("F-1", name="Mill").content,
        event(1).content,
    ]
    assert [entry.type for entry in log.entries(1)] == [1, 2, 1]
    assert {entry.ingest_time_us for entry in log.entries(1)} == {START_US + SECOND_US}


def test_an_acknowledged_entry_is_in_the_published_tree(rig: Rig, log: Log) -> None:
    """After append the checkpoint on disk covers all leaves, with the root that they give."""
    log.append([event(number) for number in range(300)])

    shown, note = parse(rig.files.checkpoint.read_text())
    root, _ = tree_of([leaf_hash(entry.leaf) for entry in log.entries(0)])

    assert (shown.origin, shown.size, shown.root) == (ORIGIN, 301, root)
    assert [line.name for line in note.signatures] == [ORIGIN]
    assert f"\n{ORIGIN}\n301\n" in rig.files.high_water.read_text()


def test_the_same_drafts_again_append_nothing(rig: Rig, log: Log) -> None:
    """Known rows with equal content are duplicates; no byte of the published state changes."""
    drafts = [event(0), event(1), facility("F-1")]
    log.append(drafts)
    before = (log.checkpoint(), rig.files.high_water.read_text(), log.size)

    assert kinds(log.append(drafts)) == [("duplicate", 1), ("duplicate", 2), ("duplicate", 3)]
    assert (log.checkpoint(), rig.files.high_water.read_text(), log.size) == before


def test_an_event_with_other_content_is_a_conflict(log: Log) -> None:
    """A known event id with other content is not appended, and the answer names the first."""
    log.append([event(0)])

    outcomes = log.append([event(0, carrier="other"), event(1)])

    assert kinds(outcomes) == [("conflict", 1), ("appended", 2)]
    assert "carrier" not in open_entry(log.entry(1), Tier.PRIVATE)


def test_changed_master_data_is_a_new_version(log: Log) -> None:
    """A version is appended, found under its key from then on, and the last one counts."""
    old, new = facility("F-1", name="Mill"), facility("F-1", name="Mill II")

    assert kinds(log.append([old])) == [("appended", 1)]
    assert kinds(log.append([new, new])) == [("appended", 2), ("duplicate", 2)]
    assert log.find(("facility", "F-1")) == 2
    assert kinds(log.append([old])) == [("appended", 3)]
    assert log.find(("facility", "F-1")) == 3


@pytest.mark.parametrize("held", [False, True])
def test_versions_within_one_call_follow_each_other(log: Log, *, held: bool) -> None:
    """New, then old again: the old one counts, though the log had held it when the call began."""
    old, new = facility("F-1", name="Mill"), facility("F-1", name="Mill II")
    if held:
        log.append([old])
    size = log.size

    outcomes = log.append([new, old, old])

    assert kinds(outcomes) == [
        ("appended", size),
        ("appended", size + 1),
        ("duplicate", size + 1),
    ]
    assert open_entry(log.entry(log.size - 1), Tier.PRIVATE)["name"] == "Mill"


def test_duplicates_and_conflicts_within_one_call(log: Log) -> None:
    """Drafts are decided against those before them in the same call, as if it had been many."""
    outcomes = log.append([event(0), event(0), event(0, carrier="x"), event(1)])

    assert kinds(outcomes) == [
        ("appended", 1),
        ("duplicate", 1),
        ("conflict", 1),
        ("appended", 2),
    ]


def sheet(*workers: str, hours: int = 40) -> Draft:
    """A draft of several rows, each known by itself."""
    rows = tuple(Identity(("timesheet", "F-1", "2026-01", name, "1"), hours) for name in workers)
    content = {"party": "acme", "workers": [{"worker_id": name} for name in workers]}
    return Draft(EntryType.LABOUR, "timesheet/1", content, rows)


def test_a_draft_of_several_rows_is_stale_when_some_are_known(log: Log) -> None:
    """Some known, some not: nothing of it goes in, and the caller is told to draft again."""
    log.append([sheet("W-1", "W-2")])

    assert kinds(log.append([sheet("W-2", "W-1")])) == [("duplicate", 1)]
    assert kinds(log.append([sheet("W-2", "W-3")])) == [("stale", 1)]
    assert kinds(log.append([sheet("W-1", "W-2", hours=41)])) == [("stale", 1)]
    assert kinds(log.append([sheet("W-3", "W-4"), sheet("W-4", "W-5")])) == [
        ("appended", 2),
        ("stale", 2),
    ]
    assert log.size == 3


def test_a_draft_without_identity_is_always_new(log: Log) -> None:
    """Batches and flags without a row key are appended each time."""
    batch = Draft(EntryType.BATCH, "batch/1", {"party": "acme", "count": 1})

    assert kinds(log.append([batch, batch])) == [("appended", 1), ("appended", 2)]


def test_only_the_compared_content_decides(log: Log) -> None:
    """An identity's own content is what a second arrival is compared on, not the whole draft."""
    one = replace(event(0), identities=(Identity(("event", "E"), {"a": 1}),))
    other = replace(event(1), identities=(Identity(("event", "E"), {"a": 1}),))

    assert kinds(log.append([one, other])) == [("appended", 1), ("duplicate", 1)]


def test_known_says_what_the_log_holds(log: Log) -> None:
    """Each identity is answered by itself: unknown, known with the same content, or another."""
    log.append([facility("F-1", name="Mill")])
    content = facility("F-1", name="Mill").content
    key = ("facility", "F-1")

    same, other, absent, null = log.known(
        [
            Identity(key, content),
            Identity(key, content | {"name": "x"}),
            Identity(("facility", "F-2"), content),
            Identity(key, None),
        ]
    )

    assert same is not None
    assert other is not None
    assert null is not None
    assert (same.index, same.same, other.same, absent, null.same) == (1, True, False, None, False)
    assert log.find(key) == 1
    assert log.find(("facility", "F-2")) is None


def test_makers_are_found_by_lot(log: Log) -> None:
    """A lot's maker is whoever first named it; two makers may use one lot number."""
    other = replace(event(9), lots=(("L-0", "bravo", "P-9"),))
    log.append([event(0), event(1), other])

    assert log.makers("L-0") == [("acme", "P-1"), ("bravo", "P-9")]
    assert log.makers("L-1") == []


def test_bad_content_appends_nothing_at_all(log: Log) -> None:
    """One draft outside the domain refuses the whole call, before anything is written."""
    for bad in (1.5, float("nan"), {"ä": 1}, b"x"):
        with pytest.raises(EncodingError):
            log.append([event(0), event(1, temperature_c=bad)])

    assert log.size == 1
    assert kinds(log.append([event(0)])) == [("appended", 1)]


def test_nothing_to_append_is_fine(log: Log) -> None:
    """An empty call answers an empty list."""
    assert log.append([]) == []
    assert log.size == 1


@settings(max_examples=12)
@given(st.lists(st.integers(-400, 400), max_size=8))
def test_ingest_time_never_goes_back(
    tmp_path_factory: pytest.TempPathFactory, moves: list[int]
) -> None:
    """Whatever the clock does, times rise or stand; over five minutes behind is refused."""
    rig = Rig(tmp_path_factory.mktemp("clock"))
    log = rig.create()
    latest = START_US
    for number, move in enumerate(moves):
        rig.clock.now_us += move * SECOND_US
        size = log.size
        if rig.clock.now_us < latest - 300 * SECOND_US:
            with pytest.raises(StorageError, match="clock"):
                log.append([event(number)])
            assert log.size == size
        else:
            log.append([event(number)])
            latest = max(latest, rig.clock.now_us)
            assert log.entry(size).ingest_time_us == latest
    log.close()
    assert rig.audit().problems == []


def test_a_clock_a_little_behind_is_held_up(rig: Rig, log: Log) -> None:
    """Four minutes behind, the entry takes the time of the one before it."""
    rig.clock.now_us += 240 * SECOND_US
    log.append([event(0)])
    rig.clock.now_us -= 240 * SECOND_US

    log.append([event(1)])

    assert log.entry(2).ingest_time_us == log.entry(1).ingest_time_us


def test_a_clock_far_behind_is_refused_with_a_remedy(rig: Rig, log: Log) -> None:
    """Six minutes behind, nothing is appended and the message says by how much and what to do."""
    rig.clock.now_us -= 360 * SECOND_US

    with pytest.raises(StorageError, match=r"360 s behind .* set it right"):
        log.append([event(0)])

    assert log.size == 1


def test_every_leaf_continues_the_one_before(log: Log) -> None:
    """Index, chain and time run through all leaves, over the borders of calls."""
    for start in range(0, 600, 300):
        log.append([event(number) for number in range(start, start + 300)])
    leaves = [decode_leaf(entry.leaf) for entry in log.entries(0)]

    assert [leaf.index for leaf in leaves] == list(range(601))
    assert len({leaf.prev_chain for leaf in leaves}) == 601


def test_entries_can_be_read_from_anywhere(log: Log) -> None:
    """Ranges are cut at the end of the log, and an index that is not there is an error."""
    log.append([event(number) for number in range(5)])

    assert [entry.index for entry in log.entries(2, 4)] == [2, 3]
    assert [entry.index for entry in log.entries(4, 99)] == [4, 5]
    assert list(log.entries(7)) == []
    for absent in (6, -1):
        with pytest.raises(NotFound, match=str(absent)):
            log.entry(absent)
        with pytest.raises(NotFound):
            log.prove(absent)


def test_every_entry_can_be_proved(rig: Rig, log: Log) -> None:
    """A bundle holds the leaf and body of its entry, and only what was chosen is disclosed."""
    log.append([event(number) for number in range(20)])
    for index in range(21):
        bundle = log.prove(index, lambda opening: opening.tier == Tier.PARTNER)
        assert bundle["index"] == index
        assert [field["path"] for field in bundle["disclosed"]] == ["/shipment_id"] * (index > 0)
    assert log.prove(3)["disclosed"] == []
    log.close()
    check_log(rig, acknowledged=20, drafts=20)


def test_the_origin_stands_in_chain_and_checkpoint(tmp_path: Path) -> None:
    """Two logs with the same entries share no leaf and no root."""
    roots = set()
    for place, name in enumerate(("one.example/log", "two.example/log")):
        directory = tmp_path / str(place)
        directory.mkdir()
        rig = Rig(directory, key=keys.generate(name, seeded(1)))
        log = rig.create()
        log.append([event(0)])
        roots |= {log.checkpoint().split("\n")[2], log.entry(1).leaf}
        log.close()

    assert len(roots) == 4


def test_a_log_opens_only_with_its_own_key(rig: Rig, log: Log) -> None:
    """Another key of the same name is refused: it would sign what nobody's trust policy knows."""
    stranger = Rig(rig.directory, key=keys.generate(ORIGIN, seeded(77)))

    with pytest.raises(WorkspaceDamaged, match="signing key"):
        stranger.open()


def test_a_second_log_cannot_be_made_over_the_first(rig: Rig, log: Log) -> None:
    """Creating where there is a log is refused and leaves it as it was."""
    log.append([event(0)])

    with pytest.raises(StorageError, match="exists"):
        rig.create()

    assert log.size == 2
    log.close()
    check_log(rig, acknowledged=1, drafts=1)


def test_row_digests_need_the_secret(rig: Rig, log: Log) -> None:
    """The stored digests of the same row differ from workspace to workspace."""
    log.append([event(0)])
    ours = _row_key(rig)
    directory = rig.directory / "other"
    directory.mkdir()
    other = Rig(directory, clock=SetClock())
    instruments = replace(other.instruments, secret=bytes(32))
    second = Log.create(other.files, other.key.vkey, DEFAULT_POLICY, instruments)
    second.append([event(0)])
    theirs = _row_key(other)
    second.close()

    assert not set(ours) & set(theirs)
    assert SECRET not in rig.files.database.read_bytes()


def _row_key(rig: Rig) -> tuple[Any, ...]:
    with rig.attacked() as database:
        return database.execute("SELECT key, digest FROM event_id").fetchall()[0]
