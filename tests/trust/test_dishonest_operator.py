"""A dishonest operator, who has the machine and the log's key: what each part catches.

Each test is one thing that such an operator could do. The first line of its docstring is
the line in docs/trust.md that says which part catches it, and the last test compares the two.
"""

from __future__ import annotations

import copy
import re
import shutil
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from log_factories import SECOND_US, Rig, event
from log_server import log_files, serving
from memory_log import MemoryLog
from planted import PLANTED
from witness_tools import NOW_US, SetClock, new_witness

from detectors.record import draft
from detectors.registry import BUILT_IN
from detectors.replay import Replayer, Verdict
from detectors.run import run
from graph.frames import load_frames
from graph.stores.memory import MemoryStore
from graph.sync import catch_up
from provenance.disclosure.privacy import open_entry
from provenance.entries import Tier
from provenance.errors import StorageError, VerificationError, WorkspaceReadOnly
from provenance.govern.anchor_checks import check_anchors
from provenance.govern.anchors import Anchors, record
from provenance.govern.consistency import continues, kept_checkpoint, older_part
from provenance.notes.checkpoint import parse, parse_note
from provenance.notes.trust import parse_trust
from provenance.proving.leaf import LEAF_TIME
from provenance.proving.proof import bundle_text
from provenance.verify import check_bundle, parse_policy
from provenance.wire.evidence import check_evidence
from provenance.wire.monitor import Monitor, Seen
from provenance.wire.monitor_state import read_evidence
from provenance.wire.remote import RemoteLog
from provenance.wire.witness import Request, format_request

if TYPE_CHECKING:
    from provenance.notes.trust import Trust
    from provenance.wire.witness_state import Witness

PUBLISHED = ("checkpoint", "high-water")
COUNT = 12
"""Events in the honest log; with the entry that founds it that is a tree of 13."""


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """The log as it was shown to everybody."""
    (tmp_path / "log").mkdir()
    return Rig(tmp_path / "log").filled(COUNT)


@pytest.fixture
def rewritten(rig: Rig, tmp_path: Path) -> Rig:
    """The same log with another event 4, everything after it made anew, all signed by its key."""
    (tmp_path / "other").mkdir()
    other = Rig(tmp_path / "other", key=rig.key)
    log = other.create()
    for number in range(COUNT):
        more = {"shipment_id": "S-FORGED"} if number == 4 else {}
        log.append([event(number, **more)])
    log.close()
    assert other.audit().problems == []  # by itself it is as sound as the true one
    return other


def trust_in(rig: Rig) -> Trust:
    """A policy that trusts the log's key and nobody else."""
    return parse_trust(f"log {rig.key.vkey}\nquorum none\n".encode())


def note_of(rig: Rig, size: int | None = None) -> bytes:
    """A signed checkpoint, as somebody keeps it."""
    reader = rig.reader()
    note = reader.checkpoint(size)
    reader.close()
    return note.encode()


def proof_of(rig: Rig, index: int, kept: bytes | None = None) -> bytes:
    """A proof, with what ties it to a kept checkpoint where the operator can make that."""
    reader = rig.reader()
    bundle = reader.prove(index)
    if kept is not None:
        bundle["consistency"] = older_part(reader, kept.decode(), bundle)
    reader.close()
    return bundle_text(bundle)


def holds(rig: Rig, kept: bytes) -> None:
    """Hold a kept checkpoint against the operator's log, as `log consistency` does."""
    reader = rig.reader()
    try:
        kept_checkpoint(reader, kept, trust_in(rig))
    finally:
        reader.close()


def verdicts_of(rig: Rig, bundle: bytes, kept: bytes) -> dict[str, str]:
    """What a consumer who kept a checkpoint is told of a proof."""
    said = check_bundle(bundle, parse_policy(f"log {rig.key.vkey}\nquorum none\n".encode()))
    said.append(continues(bundle, said, kept, trust_in(rig)))
    return {one.name: one.status for one in said}


def witness_of(rig: Rig, directory: Path, now_us: int = NOW_US) -> Witness:
    """A witness that has cosigned the log as it is."""
    directory.mkdir()
    witness = new_witness(directory, rig.key.vkey, clock=SetClock(now_us))
    assert witness.add_checkpoint(ask(rig, 0)).status == 200
    return witness


def ask(rig: Rig, old: int) -> bytes:
    """The operator's request to cosign the newest checkpoint."""
    reader = rig.reader()
    note = reader.checkpoint()
    size = parse(note)[0].size
    path = reader.consistency_path(old, size) if 0 < old < size else ()
    reader.close()
    return format_request(Request(old, tuple(path), note))


def grown(rig: Rig, count: int) -> Rig:
    """The operator goes on."""
    log = rig.open()
    log.append([event(number) for number in range(100, 100 + count)])
    log.close()
    return rig


def swap(rig: Rig, other: Rig, *, published: bool) -> None:
    """Put another database in place, with or without the files beside it that remember."""
    for name in ("log.db", *(PUBLISHED if published else ())):
        shutil.copy(other.directory / name, rig.directory / name)


def test_an_old_entry_is_changed_in_place(rig: Rig) -> None:
    """An old entry is changed in the database."""
    with rig.attacked() as database:
        ((body,),) = database.execute("SELECT body FROM body WHERE idx = 5").fetchall()
        changed = body.replace(b"E-4", b"E-9")
        database.execute("UPDATE body SET body = ? WHERE idx = 5", (changed,))

    assert "body 5: not the content that was logged in leaf 5" in rig.audit().problems


def test_an_old_entry_is_rewritten_and_all_signed_anew(
    rig: Rig, rewritten: Rig, tmp_path: Path
) -> None:
    """An old entry is rewritten, and everything after it made and signed anew."""
    kept, kept_proof = note_of(rig, 8), proof_of(rig, 5)
    witness = witness_of(rig, tmp_path / "witness")
    swap(rig, rewritten, published=False)
    assert [one for one in rig.audit().problems if one.startswith("high-water")]
    swap(rig, rewritten, published=True)

    assert rig.audit().problems == []  # nothing on the machine remembers
    with pytest.raises(VerificationError, match="THIS CHECKPOINT IS OF ANOTHER HISTORY"):
        holds(rig, kept)
    with pytest.raises(VerificationError, match="ANOTHER HISTORY"):
        holds(rig, parse_bundle(kept_proof)["checkpoint"].encode())
    assert verdicts_of(rig, proof_of(rig, 5), kept)["continues"] == "failed"
    assert witness.add_checkpoint(ask(rig, COUNT + 1)).status == 409
    assert witness.add_checkpoint(ask(grown(rig, 2), COUNT + 1)).status == 422


def parse_bundle(data: bytes) -> dict[str, Any]:
    """A bundle, as JSON."""
    return orjson.loads(data)


def test_two_histories_for_two_clients(rig: Rig, rewritten: Rig, tmp_path: Path) -> None:
    """Two clients are shown two histories."""
    witness = witness_of(rig, tmp_path / "witness")
    trust = trust_in(rig)
    with ExitStack() as stack:
        addresses = []
        for shown in (rig, rewritten):
            server = stack.enter_context(serving())
            reader = shown.reader()
            server.files = dict(log_files(reader))
            reader.close()
            addresses.append(stack.enter_context(RemoteLog(server.address)))
        found = Monitor(trust, tmp_path / "monitor").round(addresses)

    assert [one for one in found if one.is_alarm]
    (evidence,) = (tmp_path / "monitor").glob("*/evidence/*")
    assert "signed" in check_evidence(read_evidence(evidence), trust)
    assert witness.add_checkpoint(ask(rewritten, COUNT + 1)).status == 409
    assert verdicts_of(rig, proof_of(rewritten, 2), note_of(rig))["continues"] == "failed"


def test_an_old_backup_is_put_back_and_continued(rig: Rig, tmp_path: Path) -> None:
    """An old backup is put back, and the log goes on from there."""
    backup = rig.copied(tmp_path / "backup")
    grown(rig, 3)
    kept, witness = note_of(rig), witness_of(rig, tmp_path / "witness")
    swap(rig, backup, published=False)
    with pytest.raises(WorkspaceReadOnly, match="holds fewer entries than the 16 once published"):
        rig.open()
    for name in PUBLISHED:
        (rig.directory / name).unlink()
    with pytest.raises(WorkspaceReadOnly, match="nothing tells whether these are the newest"):
        rig.open()
    swap(rig, backup, published=True)
    log = rig.open()
    log.append([event(number) for number in range(200, 206)])
    log.close()

    assert rig.audit().problems == []
    with pytest.raises(VerificationError, match="ANOTHER HISTORY"):
        holds(rig, kept)
    assert witness.add_checkpoint(ask(rig, 16)).status == 422


def test_the_newest_entries_are_dropped(rig: Rig, tmp_path: Path) -> None:
    """The newest entries are dropped."""
    backup = rig.copied(tmp_path / "backup")
    grown(rig, 3)
    kept, witness, trust = note_of(rig), witness_of(rig, tmp_path / "witness"), trust_in(rig)
    swap(rig, backup, published=False)
    assert [one for one in rig.audit().problems if one.startswith("high-water")]
    swap(rig, backup, published=True)

    with pytest.raises(VerificationError, match="signed 16 entries and has 13 here: entries were"):
        holds(rig, kept)
    assert witness.add_checkpoint(ask(rig, COUNT + 1)).status == 409
    with serving() as server:
        reader = rig.reader()
        server.files = dict(log_files(reader))
        reader.close()
        with RemoteLog(server.address) as remote:
            monitor = Monitor(trust, tmp_path / "monitor")
            found = monitor.round([remote], [Seen("customer", kept)])
    assert [one.place for one in found if one.is_alarm] == ["customer"]


def test_an_entry_is_backdated(rig: Rig, tmp_path: Path) -> None:
    """An entry is given an earlier time than it has."""
    rig.clock.now_us -= 3600 * SECOND_US
    log = rig.open()
    with pytest.raises(StorageError, match="the clock is 3600 s behind the log's last entry"):
        log.append([event(50)])
    log.close()
    with rig.attacked() as database:
        ((leaf,),) = database.execute("SELECT leaf FROM leaf WHERE idx = 9").fetchall()
        early = leaf[: LEAF_TIME.start] + bytes(8) + leaf[LEAF_TIME.stop :]
        database.execute("UPDATE leaf SET leaf = ? WHERE idx = 9", (early,))

    assert "leaf 9: its time is before that of the leaf before" in rig.audit().problems


def test_the_clock_was_wrong_all_along(rig: Rig, tmp_path: Path) -> None:
    """The clock is set back before entries are made."""
    witness = witness_of(rig, tmp_path / "witness", now_us=rig.clock.now_us + 86_400 * SECOND_US)
    answer = witness.add_checkpoint(ask(rig, COUNT + 1))
    line = parse_note(note_of(rig).decode() + answer.text).signatures[-1]
    cosigned_at = int.from_bytes(line.signature[:8])
    grown(rig, 1)  # a day later, with the clock of the day before

    reader = rig.reader()
    made_us = reader.entry(COUNT + 1).ingest_time_us
    reader.close()
    assert rig.audit().problems == []
    # The witness saw a tree without this entry after the time that the entry bears.
    assert parse(note_of(rig, COUNT + 1))[0].size == COUNT + 1
    assert made_us < cosigned_at * SECOND_US


def test_an_opening_is_deleted_quietly(rig: Rig) -> None:
    """An opening, or a body, is deleted and no erasure says so."""
    proof = proof_of(rig, 3)
    with rig.attacked() as database:
        database.execute("DELETE FROM opening WHERE idx = 3 AND path = '/shipment_id'")
        database.execute("UPDATE body SET body = NULL WHERE idx = 7")

    problems = rig.audit().problems
    assert (
        "opening /shipment_id of entry 3: missing, and no erasure in the log names it" in problems
    )
    assert "body 7: missing, and no erasure in the log names it" in problems
    assert proof_of(rig, 3) == proof  # and every proof goes on as before


def test_an_older_checkpoint_is_removed(rig: Rig) -> None:
    """An older checkpoint is removed from the database."""
    kept = note_of(rig, 8)
    with rig.attacked() as database:
        database.execute("DELETE FROM checkpoint WHERE size = 8")

    assert rig.audit().problems == []
    holds(rig, kept)
    assert verdicts_of(rig, proof_of(rig, 3, kept), kept)["continues"] == "ok"


def test_an_anchor_is_claimed_for_another_history(rig: Rig, rewritten: Rig) -> None:
    """An outsider's attestation is claimed for another history."""
    log = rig.open()
    record(log, "stamp", b"what the service gave for the true log", 8)
    true = Anchors(log).put_into(log.prove(5))
    log.close()
    reader = rewritten.reader()
    forged = {**reader.prove(5), "anchors": true["anchors"]}
    reader.close()

    said = [check_anchors(bundle_text(one), [])[0] for one in (true, forged)]
    assert [one.status for one in said] == ["absent", "failed"]
    assert "stamp at size 8: the path leads to another root" in said[1].text


@cache
def flagged() -> tuple[MemoryLog, dict[str, Any]]:
    """A log with a planted wrong, and the flag that an honest run raises on it."""
    log = MemoryLog(PLANTED["custody_gap"]().world.drafts())
    store = MemoryStore()
    catch_up(log, store)
    detector = next(one for one in BUILT_IN if one.name == "custody_gap")
    result = run(load_frames(store), [detector], tree_size=log.size, root=log.root)
    log.append(draft(result.flags[0], party="acme"))
    return log, open_entry(log.held[-1], Tier.PRIVATE)


@pytest.mark.parametrize("what", ["entry", "leaf hash", "severity", "subject"])
def test_the_evidence_of_a_flag_is_forged(what: str) -> None:
    """A flag is made up, or its evidence forged."""
    log, flag = flagged()
    assert Replayer(log, BUILT_IN).replay(flag).verdict is Verdict.SAME
    forged = copy.deepcopy(flag)
    if what == "entry":
        forged["evidence"][0][0] += 1
    elif what == "leaf hash":
        forged["evidence"][0][1] = "A" * 43
    elif what == "severity":
        forged["severity"] = "low"
    else:
        forged["subject_id"] = "somebody-else"

    assert Replayer(log, BUILT_IN).replay(forged).verdict is Verdict.DIFFERENT


def test_the_page_on_trust_says_which_part_catches_what() -> None:
    """docs/trust.md has one row for each of these, and none without a test."""
    text = (Path(__file__).parents[2] / "docs" / "trust.md").read_text()
    table = text.split("| what the operator does |")[1].split("\n\n")[0]
    told = re.findall(r"^\| ([A-Z][^|]*?) \|", table, re.MULTILINE)
    tried = [
        (function.__doc__ or "").splitlines()[0].rstrip(".")
        for name, function in globals().items()
        if name.startswith("test_") and "page_on_trust" not in name
    ]

    assert told == tried
