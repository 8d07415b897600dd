"""Subject keys: a copy of the log forgets with the key, and nothing else depends on the keys."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import apsw
import pytest
from crash_nursery import fork
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from log_factories import SECRET, Rig, event

from provenance.auditing.audit import audit
from provenance.clock import system_entropy
from provenance.disclosure.erased import erasure_drafts
from provenance.disclosure.privacy import open_entry
from provenance.disclosure.subject_cipher import NONCE_SIZE
from provenance.entries import Draft, EntryType, Tier
from provenance.errors import (
    EncodingError,
    ProvenanceError,
    StorageError,
    WorkspaceDamaged,
    WorkspaceLocked,
)
from provenance.log import Instruments, Log
from provenance.store import writing
from provenance.store.subjects import SubjectKeys, ids_in_use

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.auditing.audit import AuditReport
    from provenance.store.reading import LogReader

ANNA, BEN = "worker anna", "worker ben"


@dataclass
class KeyedRig(Rig):
    """A log whose workspace keeps subject keys."""

    @property
    def keys_file(self) -> Path:
        """Where the keys are."""
        return self.directory / "subjects.db"

    def subject_keys(self) -> SubjectKeys:
        """Open the keys."""
        return SubjectKeys(self.keys_file, SECRET, system_entropy)

    @property
    def instruments(self) -> Instruments:
        """What a writer needs, the keys among it."""
        return replace(super().instruments, subjects=self.subject_keys())

    def audit(self) -> AuditReport:
        """Recompute all of it."""
        return audit(self.files, self.key.vkey, SECRET, subjects=self.subject_keys())

    def reader(self) -> LogReader:
        """Open it to read."""
        return Log.open_readonly(self.files, SECRET, self.subject_keys())


@pytest.fixture
def rig(tmp_path: Path) -> KeyedRig:
    """A log with a month of two workers, each worker's weeks one field."""
    (tmp_path / "log").mkdir()
    rig = KeyedRig(tmp_path / "log")
    SubjectKeys.create(rig.keys_file)
    log = rig.create()
    log.append([event(1), month("2026-01")])
    log.close()
    return rig


def month(name: str, *workers: str) -> Draft:
    """A timesheet of some workers."""
    workers = workers or (ANNA, BEN)
    return Draft(
        EntryType.LABOUR,
        "timesheet/1",
        {
            "party": "acme",
            "facility_id": "F-1",
            "month": name,
            "workers": [{"worker_id": one, "hours": 40 + len(one)} for one in workers],
        },
        subjects={f"/workers/{at}": one for at, one in enumerate(workers)},
    )


def workers_of(rig: KeyedRig, index: int = 2) -> list[str]:
    """Who can be read from an entry."""
    reader = rig.reader()
    try:
        content = open_entry(reader.entry(index), Tier.PRIVATE)
    finally:
        reader.close()
    return [one["worker_id"] for one in content.get("workers", ())]


def key_count(rig: KeyedRig) -> int:
    """How many subjects have a key."""
    connection = apsw.Connection(str(rig.keys_file))
    ((count,),) = connection.execute("SELECT count(*) FROM subject").fetchall()
    connection.close()
    return int(count)


def erase(rig: KeyedRig, *subjects: str) -> None:
    """Delete the openings of workers, then what nothing uses any more, as an erasure does."""
    log = rig.open()
    erased = [
        (entry.index, one.path)
        for entry in log.entries(0)
        for one in entry.openings
        if any(subject.encode() in one.preimage for subject in subjects)
    ]
    with rig.attacked() as database:
        for place in erased:
            database.execute("DELETE FROM opening WHERE idx = ? AND path = ?", place)
    assert log.scrub(rewrite=False)
    log.close()


def test_what_is_about_a_subject_is_stored_encrypted(rig: KeyedRig) -> None:
    """Read back it is as it was; in the database file stands neither value nor name."""
    assert workers_of(rig) == [ANNA, BEN]
    stored = b"".join(path.read_bytes() for path in rig.directory.glob("log.db*"))
    assert b"anna" not in stored
    assert b"S-1" in stored
    with rig.attacked() as database:
        sizes = database.execute("SELECT idx, length(salt) FROM opening").fetchall()
    assert {size for index, size in sizes if index == 2} == {NONCE_SIZE}
    assert {size for index, size in sizes if index == 1} == {32}


def test_the_proof_of_an_encrypted_field_is_as_any_other(rig: KeyedRig) -> None:
    """A bundle holds salt and preimage in plain: how they are stored is nobody's business."""
    reader = rig.reader()
    bundle = reader.prove(2, lambda opening: opening.path == "/workers/0")
    reader.close()

    assert [len(one["salt"]) for one in bundle["disclosed"]] == [43]


def test_a_copy_taken_before_forgets_too(rig: KeyedRig, tmp_path: Path) -> None:
    """An old copy of the database with the present keys: the erased subject is closed, no other."""
    copy = tmp_path / "backup"
    shutil.copytree(rig.directory, copy, ignore=shutil.ignore_patterns("subjects.db"))

    erase(rig, ANNA)

    restored = replace(rig, directory=copy)
    shutil.copy(rig.keys_file, restored.keys_file)
    assert workers_of(rig) == [BEN]
    assert workers_of(restored) == [BEN]


def test_a_forgotten_key_is_gone_from_the_disk(rig: KeyedRig) -> None:
    """The key's bytes stand in no file of the directory, and no journal stays behind."""
    key = apsw.Connection(str(rig.keys_file)).execute("SELECT key FROM subject").fetchall()
    erase(rig, ANNA, BEN)

    found = {path.name: path.read_bytes() for path in rig.directory.iterdir()}
    assert {name for name in found if name.startswith("subjects")} == {"subjects.db"}
    assert all(secret not in data for (secret,) in key for data in found.values())
    assert rig.keys_file.stat().st_mode & 0o777 == 0o600


def test_who_comes_again_gets_a_new_key(rig: KeyedRig, tmp_path: Path) -> None:
    """After it was forgotten a subject may be logged again; what was before stays closed."""
    copy = tmp_path / "backup"
    shutil.copytree(rig.directory, copy)
    erase(rig, ANNA)
    log = rig.open()
    log.append([month("2026-02", ANNA)])
    log.close()

    assert workers_of(rig, 3) == [ANNA]
    shutil.copy(rig.keys_file, copy / "subjects.db")
    assert workers_of(replace(rig, directory=copy)) == [BEN]


def test_a_key_in_use_is_not_forgotten(rig: KeyedRig) -> None:
    """Scrubbing deletes the keys of those of whom nothing is stored, and no other; also twice."""
    keys = rig.subject_keys()
    log = rig.open()
    log.append([month("2026-02", ANNA)])
    assert log.scrub(rewrite=False)
    assert workers_of(rig) == [ANNA, BEN]
    with rig.attacked() as database:
        database.execute("DELETE FROM opening WHERE idx = 2")
    assert log.scrub(rewrite=False)
    assert log.scrub(rewrite=True)

    assert keys.forget_unused(lambda: ids_in_use(log._connection)) == 0
    assert workers_of(rig, 3) == [ANNA]
    log.close()
    keys.close()
    assert key_count(rig) == 1


def test_forgetting_waits_for_a_writer(rig: KeyedRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that a writer has taken up cannot vanish before its entry is in the log."""
    seen = []
    real = writing.swap_head

    def slow(*arguments: Any) -> None:
        other = rig.subject_keys()
        other._connection.set_busy_timeout(0)
        with pytest.raises(WorkspaceLocked):
            other.forget_unused(set)
        seen.append(other)
        other.close()
        real(*arguments)

    monkeypatch.setattr(writing, "swap_head", slow)
    log = rig.open()
    log.append([month("2026-02", "worker carla")])
    log.close()

    assert len(seen) == 1
    assert workers_of(rig, 3) == ["worker carla"]


def test_two_processes_make_one_key(rig: KeyedRig) -> None:
    """However many begin at once: one subject has one key, and all that they wrote opens."""
    SubjectKeys.create(rig.directory / "fresh.db")
    (rig.directory / "fresh.db").replace(rig.keys_file)
    names = [f"worker {n}" for n in range(8)]

    def write(start: int) -> None:
        log = rig.open()
        for at in range(6):
            log.append([month(f"2026-{start}{at}", *names)])
        log.close()

    processes = [fork(lambda start=start: write(start)) for start in range(3)]

    assert [os.waitpid(one, 0)[1] for one in processes] == [0, 0, 0]
    assert key_count(rig) == 8
    assert all(workers_of(rig, index) == names for index in range(3, 21))


@pytest.mark.parametrize("step", ["continued_head", "insert_entries", "swap_head", "sign"])
def test_a_crash_between_key_and_entry(rig: KeyedRig, step: str) -> None:
    """Keys without entries are all that a crash can leave; the same append completes it."""

    def die(*_: Any) -> None:
        os._exit(9)

    def write() -> None:
        log = rig.open()
        setattr(writing, step, die)
        log.append([month("2026-02", "worker carla")])

    process = fork(write)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 9
    log = rig.open()
    assert log.size == 3
    log.append([month("2026-02", "worker carla")])
    log.close()

    assert workers_of(rig, 3) == ["worker carla"]
    assert key_count(rig) == 3


def test_without_its_keys_the_rest_can_be_read(
    rig: KeyedRig, caplog: pytest.LogCaptureFixture
) -> None:
    """A missing file: what is about subjects is as if erased, said once; all else is as it was."""
    rig.keys_file.unlink()

    assert workers_of(rig) == []
    reader = rig.reader()
    assert open_entry(reader.entry(1), Tier.PRIVATE)["shipment_id"] == "S-1"
    reader.prove(2, lambda _opening: True)
    assert len(list(reader.entries(0))) == 3
    reader.close()
    assert len([one for one in caplog.records if "subjects.db: missing" in one.message]) == 2


def test_without_its_keys_nothing_about_subjects_is_written(rig: KeyedRig) -> None:
    """A missing file is never made anew in silence; what is about nobody is still appended."""
    rig.keys_file.unlink()
    log = rig.open()

    with pytest.raises(WorkspaceDamaged, match="the subject keys are missing; put the file back"):
        log.append([event(5), month("2026-02")])
    assert log.size == 3
    assert log.append([event(5)])[0].kind == "appended"
    log.close()
    assert not rig.keys_file.exists()


def test_other_keys_open_nothing(rig: KeyedRig) -> None:
    """The keys of another workspace: closed like erased ones, and new entries go on."""
    rig.keys_file.unlink()
    SubjectKeys.create(rig.keys_file)

    assert workers_of(rig) == []
    log = rig.open()
    log.append([month("2026-02")])
    log.close()
    assert workers_of(rig, 3) == [ANNA, BEN]


@pytest.mark.parametrize("data", [b"", b"no database", bytes(8192)])
def test_a_file_that_is_no_key_file(rig: KeyedRig, data: bytes) -> None:
    """One line says which file, when it is needed and not before."""
    rig.keys_file.write_bytes(data)

    with pytest.raises(WorkspaceDamaged, match=r"subjects\.db: "):
        workers_of(rig)
    reader = rig.reader()
    assert open_entry(reader.entry(1), Tier.PRIVATE)["shipment_id"] == "S-1"
    reader.close()


@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_damage_to_the_key_file_is_an_error_of_ours(
    rig: KeyedRig, place: float, flip: int
) -> None:
    """One changed byte anywhere: the right answer, nothing, or one line; and writing likewise."""
    whole = rig.keys_file.read_bytes()
    data = bytearray(whole)
    data[int(place * len(data))] ^= flip
    rig.keys_file.write_bytes(data)
    try:
        with suppress(ProvenanceError):
            assert set(workers_of(rig)) <= {ANNA, BEN}
        log = rig.open()
        with suppress(ProvenanceError):
            log.append([month("2026-02")])
        log.close()
    finally:
        rig.keys_file.with_name("subjects.db-journal").unlink(missing_ok=True)
        rig.keys_file.write_bytes(whole)


def test_what_is_no_key_is_refused(rig: KeyedRig) -> None:
    """A key of another length is a damaged file, for readers and for writers."""
    connection = apsw.Connection(str(rig.keys_file))
    connection.execute("UPDATE subject SET key = x'00'")
    connection.close()

    with pytest.raises(WorkspaceDamaged, match="holds what is no key"):
        workers_of(rig)
    log = rig.open()
    with pytest.raises(WorkspaceDamaged, match="holds what is no key"):
        log.append([month("2026-02")])
    log.close()


def test_a_changed_ciphertext_is_refused(rig: KeyedRig) -> None:
    """One changed byte, or an opening moved to another place, does not open."""
    with rig.attacked() as database:
        ask = "SELECT preimage FROM opening WHERE idx = 2 AND path = '/workers/0'"
        ((data,),) = database.execute(ask).fetchall()
        for changed in (data[:20] + bytes([data[20] ^ 1]) + data[21:], data[:16]):
            change = "UPDATE opening SET preimage = ? WHERE idx = 2 AND path = '/workers/1'"
            database.execute(change, (changed,))
            with pytest.raises(WorkspaceDamaged, match="entry 2: /workers/1 does not open with"):
                workers_of(rig)
        database.execute(change, (data,))
    with pytest.raises(WorkspaceDamaged, match="does not open with its subject's key"):
        workers_of(rig)


def test_a_public_field_about_a_subject_is_refused(rig: KeyedRig) -> None:
    """What stands in the log in clear can never be forgotten: it is not logged at all."""
    log = rig.open()
    draft = replace(event(7), subjects={"/event_type": ANNA})

    with pytest.raises(EncodingError, match="/event_type is about a data subject and public"):
        log.append([event(6), draft])
    assert log.size == 3
    log.append([replace(event(7), subjects={"/shipment_id": ANNA, "": BEN})])
    log.close()
    reader = rig.reader()
    assert open_entry(reader.entry(3), Tier.PRIVATE)["shipment_id"] == "S-7"
    reader.close()


def test_an_audit_opens_what_is_encrypted(rig: KeyedRig) -> None:
    """What is stored under a key is checked like all else: it adds up, or is named."""
    assert rig.audit().problems == []
    with rig.attacked() as database:
        database.execute(
            "UPDATE opening SET preimage = substr(preimage, 1, 60) WHERE path = '/workers/1'"
        )

    assert rig.audit().problems == ["opening /workers/1 of entry 2: not what was committed to"]


@pytest.mark.parametrize("column", ["tier = 1", "salt = zeroblob(12)", "idx = 1", "path = '/x'"])
def test_an_audit_finds_any_change_of_what_is_encrypted(rig: KeyedRig, column: str) -> None:
    """Tier, nonce and place of an encrypted opening are checked too."""
    with rig.attacked() as database:
        database.execute(f"UPDATE opening SET {column} WHERE path = '/workers/1'")

    assert rig.audit().problems != []


def test_a_key_that_is_gone_without_an_erasure_is_a_problem(rig: KeyedRig) -> None:
    """Deleting keys is no way around saying so: what they closed is missing, and not named."""
    keys = rig.subject_keys()
    keys.forget_unused(set)
    keys.close()

    assert sorted(rig.audit().problems) == [
        f"opening /workers/{n} of entry 2: missing, and no erasure in the log names it"
        for n in range(2)
    ]


def test_an_erasure_is_what_an_audit_wants(rig: KeyedRig) -> None:
    """Openings deleted, named by an entry, and the key gone: everything adds up."""
    log = rig.open()

    def decide() -> tuple[list[Draft], Any]:
        def amend(connection: apsw.Connection, _rows: object) -> int:
            connection.execute("DELETE FROM opening WHERE idx = 2 AND path = '/workers/0'")
            return 0

        return erasure_drafts(log.origin, 1, {2: {"/workers/0"}}, "acme"), amend

    log.erase(decide)
    assert log.scrub(rewrite=False)
    log.close()

    report = rig.audit()
    assert report.problems == []
    assert (report.openings_missing, report.openings_erased) == (1, 1)
    assert key_count(rig) == 1


def test_a_copy_without_keys_is_audited_as_far_as_it_goes(rig: KeyedRig) -> None:
    """Where the file is absent, what is stored under keys is counted, and no problem."""
    rig.keys_file.unlink()

    report = rig.audit()

    assert report.problems == []
    assert (report.openings_locked, report.openings_missing) == (2, 0)
    assert audit(rig.files, rig.key.vkey, SECRET).problems != []


def test_keys_are_never_made_twice(rig: KeyedRig) -> None:
    """A file that is there is not written over."""
    with pytest.raises(StorageError, match="File exists"):
        SubjectKeys.create(rig.keys_file)


def test_without_the_setting_subjects_cost_nothing(tmp_path: Path) -> None:
    """Drafts may name subjects where no keys are kept; they are stored like all others."""
    rig = Rig(tmp_path)
    log = rig.create()
    log.append([month("2026-01")])
    log.close()

    assert [one.salt for one in rig.reader().entry(1).openings if len(one.salt) != 32] == []
    assert rig.audit().problems == []
