"""Rules of kept cosignatures: which checkpoint a proof uses, what is shown, what an audit finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import apsw
import pytest
from log_factories import ORIGIN, SECOND_US, START_US, Rig, check_log, event
from small_log import COSIGNED_AT, Witness

from provenance.errors import WorkspaceDamaged, WorkspaceReadOnly
from provenance.notes.checkpoint import parse, parse_note
from provenance.proving.proof import bundle_text
from provenance.store.witnessed import Cosignature, Sighting, store
from provenance.verify import check_bundle, parse_policy

if TYPE_CHECKING:
    from pathlib import Path

W = [Witness(f"witness.example/k{n}", 400 + n) for n in range(3)]


def policy(rig: Rig, quorum: str = "two") -> bytes:
    """A trust policy with three witnesses, two of which are enough."""
    lines = [f"log {rig.key.vkey}"]
    lines += [f"witness w{n} {one.vkey} http://w{n}.example/" for n, one in enumerate(W)]
    return "\n".join([*lines, "group two 2 w0 w1 w2", f"quorum {quorum}", ""]).encode()


def cosigned(rig: Rig, size: int, *witnesses: int, at: int = COSIGNED_AT) -> None:
    """Let witnesses cosign the checkpoint of a size, and keep that."""
    reader = rig.reader()
    note = reader.checkpoint(size)
    reader.close()
    lines = [(W[n], W[n].cosign(note, at).splitlines()[-1]) for n in witnesses]
    store(rig.files, [Cosignature(size, one.verifier, line) for one, line in lines])


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """A log with checkpoints at 1, 8, 15 and 21, and a policy of two out of three."""
    made = Rig(tmp_path).filled(20)
    made.directory.joinpath("log.policy").write_bytes(policy(made))
    return made


def proof_size(rig: Rig, index: int) -> int:
    """Prove an entry; returns the size of the checkpoint used, which a stranger has verified."""
    reader = rig.reader()
    bundle = reader.prove(index)
    reader.close()
    said, note = parse(bundle["checkpoint"])
    quorum = "two" if len(note.signatures) > 2 else "none"
    verdicts = check_bundle(bundle_text(bundle), parse_policy(policy(rig, quorum)))
    assert {verdict.status for verdict in verdicts} <= {"ok", "absent"}
    return said.size


def test_a_proof_uses_the_newest_checkpoint_that_enough_have_seen(rig: Rig) -> None:
    """Quorum first, newest among those; else the newest of all, seen or not."""
    assert proof_size(rig, 3) == 21
    cosigned(rig, 8, 0, 1)
    assert proof_size(rig, 7) == 8
    assert proof_size(rig, 8) == 21
    cosigned(rig, 15, 2)
    assert proof_size(rig, 3) == 8
    cosigned(rig, 15, 0)
    assert proof_size(rig, 14) == 15
    cosigned(rig, 21, 0, 1, 2)
    assert proof_size(rig, 20) == 21


def test_one_reader_follows_what_others_store(rig: Rig) -> None:
    """A reader that has proved before sees cosignatures and checkpoints that come after."""
    reader = rig.reader()
    sizes = [parse(reader.covering(3))[0].size]
    cosigned(rig, 8, 0, 1)
    sizes.append(parse(reader.covering(3))[0].size)
    log = rig.open()
    log.append([event(30)])
    sizes += [parse(reader.covering(n))[0].size for n in (3, 20)]
    cosigned(rig, 22, 0, 1)
    sizes += [parse(one.covering(3))[0].size for one in (reader, log)]
    log.close()
    reader.close()
    assert sizes == [21, 8, 8, 22, 22, 22]


def test_proofs_that_must_reach_a_kept_checkpoint_do(rig: Rig) -> None:
    """With a least size, the witnessed checkpoint is used only where it is as large."""
    cosigned(rig, 8, 0, 1)
    reader = rig.reader()
    used = [
        parse(reader.prove_all([1, 3], since=since)[1]["checkpoint"])[0].size
        for since in (0, 8, 9, 21)
    ]
    reader.close()
    assert used == [8, 8, 21, 21]


def test_without_a_quorum_one_witness_is_enough(rig: Rig) -> None:
    """Where the policy asks for nobody, a checkpoint that somebody has seen is still better."""
    rig.directory.joinpath("log.policy").write_bytes(policy(rig, "none"))
    cosigned(rig, 8, 2)
    assert proof_size(rig, 3) == 8
    assert proof_size(rig, 9) == 21


def test_the_standing_says_what_has_been_seen(rig: Rig) -> None:
    """Size, who saw which size when, what the quorum covers, and since when nothing did."""
    reader = rig.reader()
    before = reader.witnesses.standing(reader.checkpoint())
    cosigned(rig, 8, 0, 1)
    cosigned(rig, 15, 2, at=COSIGNED_AT + 60)
    after = reader.witnesses.standing(reader.checkpoint())
    reader.close()

    assert (before.size, before.known, before.quorum) == (21, 3, True)
    assert (before.seen_size, before.seen_by, before.witnessed) == (0, (), 0)
    assert before.since_us == START_US
    assert (after.seen_size, after.seen_by) == (15, (Sighting("w2", COSIGNED_AT + 60),))
    assert after.witnessed == 8
    assert after.since_us == START_US + 2 * SECOND_US


def test_all_seen_leaves_nothing_unwitnessed(rig: Rig) -> None:
    """Where the newest checkpoint has its quorum, there is no "since"."""
    cosigned(rig, 21, 0, 2)
    reader = rig.reader()
    standing = reader.witnesses.standing(reader.checkpoint())
    reader.close()

    assert (standing.witnessed, standing.since_us) == (21, None)


def test_the_checkpoint_file_carries_the_newest_cosignatures(rig: Rig) -> None:
    """Lines come into the file when they are stored, and go with the next checkpoint."""
    cosigned(rig, 15, 0)
    assert len(parse_note(rig.files.checkpoint.read_bytes()).signatures) == 1
    cosigned(rig, 21, 0)
    cosigned(rig, 21, 1, 0)
    shown = parse_note(rig.files.checkpoint.read_bytes())
    assert [line.name for line in shown.signatures] == [ORIGIN, *sorted_names(0, 1)]
    assert rig.audit().problems == []
    check_log(rig, acknowledged=20, drafts=20)
    assert len(parse_note(rig.files.checkpoint.read_bytes()).signatures) == 3
    log = rig.open()
    log.append([event(30)])
    log.close()
    assert len(parse_note(rig.files.checkpoint.read_bytes()).signatures) == 1


def sorted_names(*numbers: int) -> list[str]:
    """Names in the order of key ids, in which lines are stored."""
    chosen = sorted(
        (W[n] for n in numbers),
        key=lambda one: parse_note(one.cosign(f"x\n\n— x {'AAAAAAAA'}\n")).signatures[-1].key_id,
    )
    return [one.key.name for one in chosen]


def test_high_water_lost_is_read_off_a_cosigned_checkpoint(rig: Rig) -> None:
    """Witnesses' lines in the checkpoint file do not keep it from being remembered."""
    cosigned(rig, 21, 0, 1)
    rig.files.high_water.unlink()
    with rig.attacked() as database:
        for table in ("leaf", "body", "opening", "event_id", "maker"):
            database.execute(f"DELETE FROM {table} WHERE idx >= 15")
        database.execute("UPDATE head SET size = 15")

    with pytest.raises(WorkspaceReadOnly, match="fewer entries than the 21 once published"):
        rig.open()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE cosignature SET size = 9", "no checkpoint of that size"),
        ("UPDATE cosignature SET size = 15", "is wrong"),
        ("UPDATE cosignature SET key_id = x'00000000'", "not the one it names"),
        ("UPDATE cosignature SET vkey = replace(vkey, 'k1', 'k7')", "key id is not that"),
        ("UPDATE cosignature SET line = replace(line, '1 ', '2 ')", "is not that of"),
        ("UPDATE cosignature SET line = substr(line, 1, 60) || '=='", "base64"),
        ("UPDATE cosignature SET line = 'x'", "em dash"),
    ],
)
def test_an_audit_checks_every_cosignature(rig: Rig, change: str, words: str) -> None:
    """A row must verify, belong to a checkpoint that is there, and be under its key's id."""
    cosigned(rig, 8, 1)
    assert rig.audit().problems == []
    with rig.attacked() as database:
        database.execute(change)

    (problem,) = rig.audit().problems
    assert problem.startswith("cosignature at ")
    assert words in problem


def test_an_audit_finds_a_stranger_in_the_checkpoint_file(rig: Rig) -> None:
    """Only stored cosignatures may stand under the published checkpoint."""
    cosigned(rig, 21, 0)
    text = rig.files.checkpoint.read_text()
    rig.files.checkpoint.write_text(W[1].cosign(text))
    (problem,) = rig.audit().problems
    assert "no cosignature that was stored" in problem
    rig.files.checkpoint.write_text(text + "garbage\n")
    (problem,) = rig.audit().problems
    assert "no cosignature that was stored" in problem


def test_a_broken_policy_is_one_error(rig: Rig) -> None:
    """A trust policy that is none stops proofs with the line and the file."""
    rig.directory.joinpath("log.policy").write_bytes(b"quorum nobody\n")
    reader = rig.reader()
    with pytest.raises(WorkspaceDamaged, match=r"log\.policy: trust policy, line 1"):
        reader.prove(3)
    reader.close()


def test_a_database_of_the_first_format_has_no_cosignatures(rig: Rig) -> None:
    """A log from before witnesses is read as one that nobody has seen."""
    database = apsw.Connection(str(rig.files.database))
    database.execute("DROP TABLE cosignature")
    database.pragma("user_version", 1)
    database.close()
    reader = rig.reader()
    assert reader.cosigned() == reader.checkpoint()
    assert reader.witnesses.standing(reader.checkpoint()).witnessed == 0
    reader.close()
