"""Rules of erasing: what is asked is gone, the log says so, and everything else still proves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import apsw
import naive_log
import pytest
from erase_tools import MARK, erase, everything, flag, follow, forgetter, marked, raw, subject
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from log_factories import ORIGIN, SECRET, Rig, event, facility

from provenance.auditing import audit as audit_module
from provenance.disclosure.erased import PLACES_AT_ONCE, erasure_drafts, read_erasure
from provenance.disclosure.privacy import open_entry
from provenance.entries import Entry, Tier
from provenance.errors import EncodingError, UsageError
from provenance.forget import run
from provenance.forget.marks import Marks, needles_of, read_marks, write_marks
from provenance.forget.removal import removal
from provenance.forget.run import receivers, state
from provenance.forget.survey import Survey
from provenance.forget.wanted import KEYS, Pick, record_named, record_of
from provenance.hashing import leaf_hash
from provenance.ingest.columns import KINDS
from provenance.proving.proof import bundle_text
from provenance.verify import check_bundle, parse_policy

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two files of an attacked log stay apart for ever: look once, not for a second."""
    monkeypatch.setattr(audit_module, "_LOOK_SECONDS", 0)


def check_all(rig: Rig) -> None:
    """Every entry proves itself to a stranger, the audit is clean, and the twin agrees."""
    report = rig.audit()
    assert report.problems == []
    reader = rig.reader()
    policy = parse_policy(f"log {rig.key.vkey}\nquorum none\n".encode())
    for index in range(reader.size):
        bundle = reader.prove(index, lambda _opening: True)
        verdicts = check_bundle(bundle_text(bundle), policy)
        assert {verdict.status for verdict in verdicts} <= {"ok", "absent"}, (index, verdicts)
        assert (bundle["body"] is None) == (reader.entry(index).body is None)
    reader.close()
    assert naive_log.recompute(rig.files.database, ORIGIN) == (report.size, report.root)
    naive_log.check_rows(rig.files.database, SECRET)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """One log of everything, to be copied."""
    return everything(Rig(tmp_path_factory.mktemp("made")))


@pytest.fixture
def rig(made: Rig, tmp_path: Path) -> Rig:
    """A copy of it."""
    return made.copied(tmp_path / "copy")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_erasures_leave_a_sound_log(
    made: Rig, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """After any erasures: audit clean, all proofs good, everything else opens as before."""
    rig = made.copied(tmp_path_factory.mktemp("any") / "copy")
    log = rig.open()
    before = {entry.index: entry for entry in log.entries(0)}
    fields = [(e.index, o.path[1:]) for e in before.values() for o in e.openings]
    asked = data.draw(st.lists(st.sampled_from(fields), min_size=1, max_size=4, unique=True))
    bodies = data.draw(st.lists(st.sampled_from(range(1, 13)), max_size=2, unique=True))
    for index, name in [*asked, *((index, "") for index in bodies)]:
        entry = log.entry(index)
        still = entry.body is not None and any(o.path[1:] == name for o in entry.openings)
        if name == "" and entry.body is not None:
            assert erase(rig, log, record_of(entry, ())).done
        elif still:
            assert erase(rig, log, record_of(entry, (name,))).done
    gone: dict[int, set[str | None]] = {}
    for entry in log.entries(14):
        for index, path in read_erasure(open_entry(entry, Tier.PUBLIC)):
            gone.setdefault(index, set()).add(path)
    for index, was in before.items():
        now = log.entry(index)
        assert now.leaf == was.leaf
        if None in gone.get(index, ()):
            assert (now.body, now.openings) == (None, ())
        else:
            kept = tuple(o for o in was.openings if o.path not in gone.get(index, ()))
            assert (now.body, now.openings) == (was.body, kept)
    log.close()
    check_all(rig)


def places(rig: Rig, log: Any) -> dict[int, set[str] | None]:
    """What the newest erasure names."""
    found: dict[int, Any] = {}
    for index, path in read_erasure(open_entry(log.entry(log.size - 1), Tier.PUBLIC)):
        if path is None:
            found[index] = None
        else:
            found.setdefault(index, set()).add(path)
    return found


def test_what_was_made_from_it_goes_with_it(rig: Rig) -> None:
    """A field takes with it the values of flags that cite the entry, and its file's digest."""
    log = rig.open()
    erase(rig, log, record_of(log.entry(2), ("ext/driver",)))

    named = places(rig, log)

    assert named.keys() == {2, 8, 11}
    assert named[2] == {"/ext/0"}
    assert named[8] == {"/source"}
    assert {"/explanation", "/observed"} <= named[11]
    assert [o.path for o in log.entry(2).openings] == [
        "/ext/1",
        "/shipment_id",
        "/declared_value_usd",
    ]
    assert log.entry(12).openings
    log.close()
    check_all(rig)


def test_a_subject_is_found_wherever_it_is_named(rig: Rig) -> None:
    """All openings that hold the text go, whatever their field; with a field, only there."""
    log = rig.open()
    everywhere, as_driver = (
        Survey(log, subject("Ana Belén")),
        Survey(log, subject("Ana Belén", "driver")),
    )
    everywhere.advance()
    as_driver.advance()

    asked = {i: t.paths for i, t in everywhere.targets.items() if t.why == "asked"}
    assert asked == {2: {"/ext/0"}, 4: {"/ext/0"}, 6: {"/ext/0"}, 7: {"/source_system"}}
    assert {i for i, t in as_driver.targets.items() if t.why == "asked"} == {2, 4, 6}

    erase(rig, log, subject("Ana Belén"))
    log.close()
    assert "Ana Belén".encode() not in raw(rig.directory)
    check_all(rig)


def test_a_subject_in_a_clear_body_takes_the_whole_body(rig: Rig) -> None:
    """What is public cannot be taken out of a body, so the body goes, and its lots."""
    log = rig.open()
    erase(rig, log, subject("E-3"))

    assert log.entry(4).body is None
    assert log.find(("event", "acme", "E-3")) == 4
    assert log.makers("L-1") == []
    assert log.append([event(3)])[0].kind == "duplicate"
    assert log.append([event(3, carrier="other")])[0].kind == "duplicate"
    log.close()
    check_all(rig)


def test_longer_texts_are_told_and_what_the_log_rests_on_stays(rig: Rig) -> None:
    """A text within a longer one is reported; the register and erasures are never erased."""
    log = rig.open()
    survey = Survey(log, subject("rests on [6]"))
    survey.advance()
    assert list(survey.targets) == [12]
    survey = Survey(log, subject("rests on"))
    survey.advance()
    assert (survey.targets, survey.mentioned) == ({}, [11, 12])
    log.append([event(50, ext=[["driver", "Bo"], ["note", "with Bo, as always"]])])
    survey = Survey(log, subject("Bo"))
    survey.advance()
    assert (survey.targets[14].paths, survey.mentioned) == ({"/ext/0"}, [14])
    survey = Survey(log, subject(ORIGIN))
    survey.advance()
    assert (survey.targets, survey.kept) == ({}, [0])
    for index in (0,):
        with pytest.raises(UsageError, match="entry 0"):
            record_of(log.entry(index), ())
    log.close()


def test_all_versions_of_a_record_lose_the_field(rig: Rig) -> None:
    """A record is erased in every version; a later version is taken as new."""
    log = rig.open()
    erase(rig, log, record_named("facility|F-1", ("source_system",)))

    assert {7, 10} <= places(rig, log).keys()
    again = facility("F-1", name="Mill II", latitude={"_d": "1.5"}, source_system="X")
    assert log.append([again])[0].kind == "appended"
    log.close()
    check_all(rig)


def test_names_that_pick_nothing_are_refused(rig: Rig) -> None:
    """A public, unknown, partly named or erased field is refused, and the message says why."""
    log = rig.open()
    entry = log.entry(2)
    for name, why in {
        "event_type": "only --whole",
        "nothing": "has no field 'nothing'",
        "ext": "not one field",
        "ext/nobody": "not one field",
    }.items():
        with pytest.raises(UsageError, match=why):
            record_of(entry, (name,))
    erase(rig, log, record_of(entry, ("shipment_id",)))
    with pytest.raises(UsageError, match="erased already"):
        record_of(log.entry(2), ("shipment_id",))
    for text in ("nothing|x", "labour|F1", "facility|", "facility|a|b"):
        with pytest.raises(UsageError, match="--record"):
            record_named(text, ())
    log.close()


def test_who_was_given_it_is_told(rig: Rig) -> None:
    """Logged disclosures of what is erased are found, and no others."""
    log = rig.open()
    for name, expected in (("shipment_id", ["buyer"]), ("declared_value_usd", [])):
        survey = Survey(log, record_of(log.entry(2), (name,)))
        survey.advance()
        assert [grant.to for grant in receivers(log, survey)] == expected
    log.close()


def test_keys_of_records_are_those_of_ingest() -> None:
    """What tells records apart here is what row keys are made of there."""
    theirs = {kind.version: (*kind.key, *kind.optional_key) for kind in KINDS.values()}

    assert theirs.keys() == KEYS.keys()
    for version, own in KEYS.items():
        if version == "event/1":
            assert own == ("party", "event_id")
        else:
            assert theirs[version][: len(own)] == own


def test_a_large_erasure_is_several_entries(monkeypatch: pytest.MonkeyPatch, rig: Rig) -> None:
    """An entry names so many places at most; all are in one transaction, in order."""
    drafts = erasure_drafts(ORIGIN, 5, dict.fromkeys(range(PLACES_AT_ONCE + 1)), "acme")
    assert [len(draft.content["erased"]) for draft in drafts] == [PLACES_AT_ONCE, 1]
    assert [draft.identities[0].key[2] for draft in drafts] == ["5", "6"]

    monkeypatch.setattr("provenance.disclosure.erased.PLACES_AT_ONCE", 2)
    log = rig.open()
    assert erase(rig, log, subject("Ana Belén")).logged > 2
    log.close()
    check_all(rig)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"erased": [[1]]},
        {"erased": [[-1, None]]},
        {"erased": [[True, "/a"]]},
        {"erased": [[1, 2]]},
    ],
)
def test_what_is_no_erasure_is_refused(content: dict[str, Any]) -> None:
    """A list of anything but places is an error of ours, never another."""
    with pytest.raises(EncodingError):
        list(read_erasure(content))


def test_rows_that_come_while_it_is_surveyed_count(rig: Rig) -> None:
    """What another writer appends between survey and lock is erased with the rest."""
    log, other = rig.open(), rig.open()
    survey = Survey(log, subject("Ana Belén"))
    survey.advance()
    other.append([event(40, ext=[["driver", "Ana Belén"]]), flag(log.entry(2))])
    forgetter(rig, log).erase(survey, party="acme")

    assert {14, 15} <= places(rig, log).keys()
    other.close()
    log.close()
    check_all(rig)


def test_a_reader_keeps_it_pending(tmp_path: Path) -> None:
    """While an older state is being read the erasure is pending and says why; then it resumes."""
    rig = marked(Rig(tmp_path))
    reader = apsw.Connection(str(rig.files.database))
    reader.execute("BEGIN; SELECT count(*) FROM leaf").fetchall()
    log = rig.open()

    found = erase(rig, log)

    assert found.pending.keys() == {"log.db"}
    assert "reads an older state" in found.pending["log.db"]
    assert state(log, rig.files) == found
    assert MARK in raw(rig.directory)
    assert rig.audit().problems == []
    reader.execute("COMMIT")
    assert follow(rig, log).done
    assert state(log, rig.files).done
    assert MARK not in raw(rig.directory)
    reader.close()
    log.close()


@pytest.mark.parametrize("whole", [False, True])
def test_no_byte_stays_whatever_its_size(tmp_path: Path, whole: bool) -> None:
    """Values within a page and over many, erased here and there in one act: none is in any file."""
    rig, sizes = Rig(tmp_path), [0, 10, 300, 9_000, 40_000]
    log = rig.create()
    for start in range(1, 401, 50):
        log.append(
            [
                event(n, carrier=f"CARRIER-{n:04}-{'c' * sizes[n % 5]}", type=f"TYPE-{n:04}-")
                for n in range(start, start + 50)
            ]
        )
    asked = range(7, 401, 11)
    salts = [o.salt for n in asked for o in log.entry(n).openings if whole or o.path == "/carrier"]

    class Some:
        looked = ()

        def pick(self, entry: Entry) -> Pick:
            if entry.index not in asked:
                return Pick()
            return Pick(whole=True) if whole else Pick(frozenset(["/carrier"]))

    assert erase(rig, log, Some()).done
    data = raw(tmp_path)
    assert [n for n in asked if b"CARRIER-%04d-" % n in data] == []
    assert [n for n in asked if (b"TYPE-%04d-" % n in data) is whole] == []
    assert not any(salt in data for salt in salts)
    assert all(b"CARRIER-%04d-" % n in data for n in range(1, 401) if n not in asked)
    log.close()
    assert rig.audit().problems == []


def test_killed_at_any_step_it_is_completed(tmp_path: Path) -> None:
    """Before or after each step SIGKILL leaves all or nothing erased, and going on completes it."""
    done = subprocess.run(
        [sys.executable, str(HERE / "erase_nursery.py"), str(tmp_path)],
        env={"PYTHONPATH": f"{HERE.parent.parent}:{HERE}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == 24


@pytest.mark.parametrize("text", [None, "", "garbage", b"\xff", "provenance erased v1\nx\n"])
def test_a_lost_watermark_costs_work_and_nothing_else(
    rig: Rig, text: str | bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its `erased` file, or with rubbish in it, everything is gone through again."""
    log = rig.open()
    erase(rig, log)
    assert state(log, rig.files).done
    if text is None:
        rig.files.erased.unlink()
    else:
        rig.files.erased.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert "interrupted" in state(log, rig.files).pending["all places"]
    scrubbed: list[bool] = []
    monkeypatch.setattr(log, "scrub", lambda *, rewrite: scrubbed.append(rewrite) or True)
    assert follow(rig, log).done
    assert follow(rig, log).done
    assert scrubbed == [False]
    assert rig.audit().problems == []
    log.close()


def test_a_place_that_cannot_follow_is_gone_to_alone(rig: Rig) -> None:
    """What is pending is told with its reason, and only that place is tried again."""
    log = rig.open()
    survey = Survey(log, record_of(log.entry(2), ("shipment_id",)))
    survey.advance()
    asked: list[str] = []
    answers = {"a": iter([None]), "b": iter(["the disk is gone", None])}

    def place(name: str) -> Any:
        return lambda _needles: asked.append(name) or next(answers[name])

    eraser = run.Forgetter(log, rig.files, SECRET, {name: place(name) for name in answers})
    eraser.erase(survey, party="acme")
    assert eraser.follow().pending == {"b": "the disk is gone"}
    assert read_marks(rig.files.erased, ORIGIN).needles
    assert eraser.follow().done
    assert asked == ["a", "b", "b"]
    assert not read_marks(rig.files.erased, ORIGIN).needles
    log.close()


MARKS = st.builds(
    Marks,
    st.integers(0, 10**14),
    st.integers(0, 10**14),
    st.dictionaries(
        st.text(st.characters(categories=["L", "N"]), min_size=1),
        st.text(st.characters(categories=["L", "N"]), min_size=1),
    ),
    st.lists(
        st.lists(
            st.tuples(st.sampled_from(["", "driver", "a b"]), st.text("x", min_size=1)), min_size=1
        )
    ).map(lambda looked: needles_of(map(tuple, looked), SECRET)),  # type: ignore[arg-type]
)


@settings(max_examples=50)
@given(marks=MARKS)
def test_marks_read_as_written(marks: Marks, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The watermark file round-trips, and never holds what is looked for."""
    path = tmp_path_factory.mktemp("marks") / "erased"
    write_marks(path, ORIGIN, marks)

    assert read_marks(path, ORIGIN) == marks
    assert read_marks(path, "other.example") == Marks()


def test_nothing_is_taken_out_when_the_log_refuses(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the erasure cannot be logged, nothing is erased."""
    log = rig.open()
    before = log.entry(2)
    monkeypatch.setattr(run, "erasure_drafts", lambda *_: [])
    survey = Survey(log, record_of(before, ("shipment_id",)))
    survey.advance()
    assert forgetter(rig, log).erase(survey, party="acme") == []
    assert log.entry(2) == before
    assert callable(removal(survey.targets))
    assert leaf_hash(before.leaf) == before.leaf_hash
    log.close()
