"""Rules of the register: replay is pure, keys are handed over in the open, and lies are named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_factories import ORIGIN, SECRET, START_US, Rig, event, seeded

from provenance import canonical
from provenance.disclosure.tiers import DEFAULT_POLICY, TierPolicy
from provenance.entries import Draft, EntryType, Identity, Tier
from provenance.errors import (
    EncodingError,
    UsageError,
    VerificationError,
    WorkspaceDamaged,
)
from provenance.notes import keys
from provenance.notes.checkpoint import Checkpoint, sign
from provenance.notes.parties import Party
from provenance.store.identity import Rows
from provenance.store.published import read_checkpoint
from provenance.store.register import Register, founding_draft, register_key

if TYPE_CHECKING:
    from pathlib import Path

KEYS = [keys.generate(ORIGIN, seeded(100 + n)) for n in range(8)]
DAY_US = 24 * 3600 * 1_000_000
PARTY_KEY = keys.generate("acme", seeded(7))
ACME = Party(0, "acme", "Acme Ltd", "maker", (PARTY_KEY.vkey,), "2026-01-01")


def body(draft: Draft) -> bytes:
    """The body of an entry that hides nothing."""
    own = {"_t": {"*": "public"}} if draft.tiers else {}
    return canonical.encode({**draft.content, "_v": draft.version, "_n": "AA", **own})


def founded() -> Register:
    """A register of entry 0 alone."""
    return Register.founded(body(founding_draft(KEYS[0].vkey, DEFAULT_POLICY)))


def stated(register: Register, draft: Draft, gap: int = 3) -> Register:
    """The register with one more entry, some entries further on."""
    return register.followed(register.entries[-1] + gap, body(draft))


@settings(max_examples=30)
@given(st.lists(st.integers(1, 5), max_size=6))
def test_the_signers_of_every_size_follow_the_rotations(gaps: list[int]) -> None:
    """One key before, both at the checkpoint that covers the rotation, the new one after."""
    register = founded()
    naive = {0: [0], 1: [0]}
    size, current = 1, 0
    for number, gap in enumerate(gaps, 1):
        for size in range(size + 1, size + gap):  # noqa: B020 - the log grows
            naive[size] = [current]
        index = max(naive)
        register = register.followed(index, body(register.rotation(KEYS[number].vkey)))
        naive[index + 1] = [current, number]
        size, current = index + 1, number
    naive[size + 1] = naive[size + 9] = [current]

    assert register.current == (KEYS[current].vkey,)
    assert register.keys == [key.vkey for key in KEYS[: len(gaps) + 1]]
    for at, signers in naive.items():
        assert list(register.signers_at(at)) == [KEYS[one].vkey for one in signers], at


def test_the_tiers_of_an_entry_are_those_stated_before_it() -> None:
    """A policy counts from the entry after its own; entry 0 is under its own."""
    strict = TierPolicy({"policy/1": {"*": Tier.PUBLIC}})
    register = founded()
    register = register.followed(5, body(register.policy_change(strict)))
    register = register.followed(9, body(register.policy_change(DEFAULT_POLICY)))

    assert [register.tiers_at(index) == strict for index in (0, 1, 5, 6, 9, 10)] == [
        False,
        False,
        False,
        True,
        True,
        False,
    ]
    assert register.tiers == DEFAULT_POLICY
    assert register.current == (KEYS[0].vkey,)


def test_the_latest_statement_about_a_party_counts_from_its_entry_on() -> None:
    """What was said before an entry decides about it; the list has the latest of each party."""
    register = founded()
    register = register.followed(4, body(register.statement(ACME)))
    register = register.followed(7, body(register.statement(ACME._replace(name="Acme SE"))))
    other = Party(0, "zeta", "Zeta", "auditor", (), "2026-01-01")
    register = register.followed(8, body(register.statement(other)))

    names = [said.name if (said := register.party("acme", at)) else None for at in (4, 5, 7, 8)]
    assert names == [None, "Acme Ltd", "Acme Ltd", "Acme SE"]
    assert [(one.id, one.name, one.entry) for one in register.parties] == [
        ("acme", "Acme SE", 7),
        ("zeta", "Zeta", 8),
    ]
    assert register.party("nobody") is None


@given(st.integers(-40, 40), st.integers(0, 3))
def test_keys_count_from_the_first_day_to_the_last(day: int, grace: int) -> None:
    """Both days are within; grace widens the span by whole days on both sides."""
    said = ACME._replace(valid_from="2025-12-28", valid_to="2026-01-04")

    assert said.is_valid(START_US + day * DAY_US, grace) is (-4 - grace <= day <= 3 + grace)
    assert said._replace(valid_to=None).is_valid(2**64 - 1)


BAD_POLICIES: dict[str, dict[str, Any]] = {
    "another log's": {"origin": "log.example/other"},
    "no keys": {"keys": []},
    "keys that are text": {"keys": KEYS[1].vkey},
    "a key twice": {"keys": [KEYS[1].vkey, KEYS[1].vkey]},
    "no vkey": {"keys": ["x"]},
    "a number for a key": {"keys": [7]},
    "a party's key": {"keys": [PARTY_KEY.vkey]},
    "the old key besides": {"keys": [KEYS[0].vkey, KEYS[1].vkey]},
    "no tiers": {"tiers": []},
    "an unknown tier": {"tiers": {"event/1": {"*": "secret"}}},
    "a hidden register": {"tiers": {"policy/1": {"*": "public", "/keys": "private"}}},
    "hidden parties": {"tiers": {"party/1": {"*": "partner"}}},
    "more members": {"predecessor": None},
    "another version": {"_v": "policy/2"},
    "a commitment": {"_c": {}},
}


@pytest.mark.parametrize("bad", BAD_POLICIES.values(), ids=BAD_POLICIES)
def test_what_cannot_govern_is_refused(bad: dict[str, Any]) -> None:
    """Another log's entry, keys that are none, a register that hides itself: refused by replay."""
    register = founded()
    good = canonical.loads(body(register.rotation(KEYS[1].vkey)))
    assert register.followed(3, canonical.encode(good)).current == (KEYS[1].vkey,)

    with pytest.raises(EncodingError):
        register.followed(3, canonical.encode({**good, **bad}))


BAD_PARTIES: dict[str, dict[str, Any]] = {
    "a key of another name": {"keys": (KEYS[0].vkey,)},
    "a key twice": {"keys": (PARTY_KEY.vkey, PARTY_KEY.vkey)},
    "an id with spaces": {"id": "ac me"},
    "no name": {"name": ""},
    "a role of two lines": {"role": "a\nb"},
    "a day that is none": {"valid_from": "2026-02-30"},
    "a day in another form": {"valid_from": "20260101"},
    "an end before the beginning": {"valid_to": "2025-12-31"},
    "an end that is none": {"valid_to": "for ever"},
}


@pytest.mark.parametrize("bad", BAD_PARTIES.values(), ids=BAD_PARTIES)
def test_a_statement_out_of_form_is_refused(bad: dict[str, Any]) -> None:
    """By whoever makes it, and by replay."""
    said = ACME._replace(**bad)
    register = founded()
    with pytest.raises(UsageError):
        register.statement(said)
    with pytest.raises(EncodingError):
        register.followed(3, canonical.encode({**said.to_content(), "_v": "party/1"}))


@given(st.binary(max_size=60) | st.sampled_from([b"null", b"[]", b"{}", b'{"_v":"policy/1"}']))
def test_any_bytes_are_replayed_or_refused(data: bytes) -> None:
    """No body makes another error than ours."""
    for read in (Register.founded, lambda data: founded().followed(1, data)):
        with pytest.raises(EncodingError):
            read(data)


def test_a_key_never_comes_back() -> None:
    """A key that was handed over signs nothing any more, so it cannot be the next key again."""
    register = stated(founded(), founded().rotation(KEYS[1].vkey))

    with pytest.raises(UsageError, match="retired"):
        register.rotation(KEYS[0].vkey)
    with pytest.raises(UsageError, match="already"):
        register.rotation(KEYS[1].vkey)
    with pytest.raises(EncodingError, match="stands before"):
        register.followed(3, body(register.rotation(KEYS[2].vkey)))


def rotated(rig: Rig, to: int = 0) -> Rig:
    """The log, handed over to another key; the rig holds that one then."""
    log = rig.open()
    log.govern(lambda register: register.rotation(KEYS[to].vkey), KEYS[to])
    log.close()
    rig.key = KEYS[to]
    return rig


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """A log of three events."""
    return Rig(tmp_path).filled(3)


def test_a_rotated_log_goes_on_and_adds_up(rig: Rig) -> None:
    """Old checkpoints, the one both signed, and new ones: audit with any of the keys is content."""
    first = rig.key.vkey
    rotated(rig)
    log = rig.open()
    log.append([event(10)])
    log.govern(lambda register: register.rotation(KEYS[1].vkey), KEYS[1])
    log.append([event(11)])

    assert log.keys == [first, KEYS[0].vkey, KEYS[1].vkey]
    assert [line.count("\u2014") for line in checkpoints(rig).values()] == [1, 1, 2, 1, 2, 1]
    assert rig.reader().keys == log.keys
    log.close()
    for trusted in (first, KEYS[0].vkey, KEYS[1].vkey):
        assert audited(rig, trusted) == []


def checkpoints(rig: Rig) -> dict[int, str]:
    """All signed checkpoints by size."""
    with rig.attacked() as connection:
        return dict(connection.execute("SELECT size, note FROM checkpoint ORDER BY size"))


def audited(rig: Rig, vkey: str) -> list[str]:
    """What the audit finds with a trusted key."""
    from provenance.auditing.audit import audit  # noqa: PLC0415 - beside its one use

    return audit(rig.files, vkey, SECRET).problems


def test_an_unknown_key_is_refused_by_the_audit(rig: Rig) -> None:
    """A log that is sound in itself, but of other keys than the trusted one, is a problem."""
    assert audited(rig, KEYS[5].vkey) == [
        "body 0: the log's register does not name the trusted key"
    ]


def test_a_retired_key_cannot_open_the_log(rig: Rig) -> None:
    """Whoever has the old key alone is told which key signs now."""
    old = rig.key
    rotated(rig)
    rig.key = old

    with pytest.raises(WorkspaceDamaged, match="names now"):
        rig.open()


@pytest.mark.parametrize("signers", [[0], [1], [1, 0], [0, 0], [0, 1, 2]], ids=str)
def test_a_rotation_not_signed_by_both_is_found(rig: Rig, signers: list[int]) -> None:
    """Only the old key, only the new, in the other order, or with more: a problem each."""
    with_keys = [rig.key, KEYS[0], KEYS[1]]
    first = rig.key.vkey
    rotated(rig)
    forge(rig, 5, [with_keys[one] for one in signers])

    assert any("signatures are not those" in problem for problem in audited(rig, first))


def test_a_rotation_without_its_checkpoint_is_found(rig: Rig) -> None:
    """A key named in an entry that the old key never signed for is not trusted."""
    first = rig.key.vkey
    log = rotated(rig).open()
    log.append([event(10)])
    log.close()
    with rig.attacked() as connection:
        connection.execute("DELETE FROM checkpoint WHERE size = 5")

    assert audited(rig, first) == [
        "checkpoint 5: missing; the old and the new key sign it, to hand over the log in entry 4"
    ]


def test_a_checkpoint_by_a_retired_key_is_found(rig: Rig) -> None:
    """After the rotation the old key counts no more."""
    old = rig.key
    log = rotated(rig).open()
    log.append([event(10)])
    log.close()
    forge(rig, 6, [old])

    assert any("checkpoint 6: its signatures" in problem for problem in audited(rig, old.vkey))


def forge(rig: Rig, size: int, signers: list[keys.LogKey]) -> None:
    """Put another signature under a stored checkpoint, and publish it."""
    reader = rig.reader()
    note = sign(Checkpoint(ORIGIN, size, reader.root_at(size)), signers)
    reader.close()
    with rig.attacked() as connection:
        connection.execute("UPDATE checkpoint SET note = ? WHERE size = ?", (note, size))
    rig.files.checkpoint.write_text(note)


def test_a_hidden_entry_of_the_register_is_found(rig: Rig) -> None:
    """Readers find entries by row key: without it they would go by an old policy."""
    rotated(rig)
    reader = rig.reader()
    rows = Rows(reader._connection, SECRET)
    key = rows._key_of(register_key(ORIGIN, 1))
    reader.close()
    with rig.attacked() as connection:
        connection.execute("DELETE FROM event_id WHERE key = ?", (key,))

    problems = audited(rig, rig.key.vkey)

    assert "event_id: readers do not find entry 4 of the register" in problems


def test_only_govern_appends_to_the_register(rig: Rig) -> None:
    """An unnumbered entry would govern nothing, and several would share one checkpoint."""
    log = rig.open()
    draft = log.register.rotation(KEYS[0].vkey)

    with pytest.raises(UsageError, match="by itself"):
        log.append([event(10), draft])
    with pytest.raises(UsageError, match="handed over"):
        log.govern(lambda _register: draft)
    with pytest.raises(UsageError, match="handed over"):
        log.govern(lambda register: register.statement(ACME), KEYS[0])
    assert log.size == 4
    log.close()


def test_a_policy_change_between_seal_and_lock_seals_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another process makes private meanwhile never goes in under the old policy."""
    from provenance import log as module  # noqa: PLC0415 - patched here

    ours, theirs = rig.open(), rig.open()
    rules = {**DEFAULT_POLICY.rules, "event/1": {"*": Tier.PRIVATE}}
    real = module.prepare
    calls: list[TierPolicy] = []

    def meanwhile(*arguments: Any) -> Any:
        batch = real(*arguments)
        if not calls:
            calls.append(arguments[3])
            theirs.govern(lambda register: register.policy_change(TierPolicy(rules)))
        return batch

    monkeypatch.setattr(module, "prepare", meanwhile)
    (outcome,) = ours.append([event(10)])

    assert b"E-10" not in (ours.entry(outcome.index).body or b"")
    assert ours.policy.rules == rules
    ours.close()
    theirs.close()
    assert rig.audit().problems == []


def test_a_rotation_by_another_process_is_followed(rig: Rig) -> None:
    """A writer that can find the new signer goes on with it; one that cannot is told."""
    from dataclasses import replace  # noqa: PLC0415 - beside its one use

    from provenance.log import Log  # noqa: PLC0415 - as above

    ring = {key.vkey: key for key in (rig.key, KEYS[0])}
    able = Log.open(rig.files, replace(rig.instruments, find_signer=ring.__getitem__))
    unable, theirs = rig.open(), rig.open()
    theirs.govern(lambda register: register.rotation(KEYS[0].vkey), KEYS[0])

    assert able.append([event(10)])[0].kind == "appended"
    with pytest.raises(WorkspaceDamaged, match="names now"):
        unable.append([event(11)])
    assert theirs.append([event(12)])[0].kind == "appended"
    for log in (able, unable, theirs):
        log.close()
    assert rig.audit().problems == []


def test_a_forged_body_of_the_register_is_not_read(rig: Rig) -> None:
    """Readers hold an entry of the register against its leaf."""
    rotated(rig)
    reader = rig.reader()
    text = (reader.entry(4).body or b"").replace(KEYS[0].vkey.encode(), KEYS[1].vkey.encode())
    reader.close()
    with rig.attacked() as connection:
        connection.execute("UPDATE body SET body = ? WHERE idx = 4", (text,))

    with pytest.raises(WorkspaceDamaged, match="not the one that was logged"):
        _ = rig.reader().keys
    with pytest.raises(WorkspaceDamaged):
        rig.open()


def test_an_entry_that_only_looks_like_the_register_is_not_taken(rig: Rig) -> None:
    """A row key for the register that leads to another entry is damage, not a rotation."""
    log = rig.open()
    log.append([Draft(EntryType.EVENT, "event/1", {"a": 1}, (Identity(register_key(ORIGIN, 1)),))])

    with pytest.raises(WorkspaceDamaged, match="another type"):
        _ = log.keys
    log.close()


def test_a_checkpoint_is_read_with_the_keys_of_its_size(rig: Rig) -> None:
    """The same bytes with another register are refused with the reason."""
    first = rig.key
    rotated(rig)
    register = rig.reader().register
    notes = checkpoints(rig)
    for size, note in notes.items():
        assert read_checkpoint(note, ORIGIN, register.signers_at).size == size

    with pytest.raises(VerificationError, match="keys that signed at its size"):
        read_checkpoint(notes[5], ORIGIN, lambda _size: [first.vkey])
    with pytest.raises(VerificationError, match="of the log"):
        read_checkpoint(notes[5], "log.example/other", register.signers_at)
