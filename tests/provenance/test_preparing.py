"""Rules of preparing: whoever prepares drafts, and wherever, the log becomes the same."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw
import naive_log
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_factories import SECRET, Rig, check_log, event, facility

from provenance.clock import system_entropy
from provenance.disclosure.privacy import open_entry, seal
from provenance.disclosure.tiers import DEFAULT_POLICY, TierPolicy
from provenance.entries import Draft, EntryType, Identity, Tier
from provenance.errors import EncodingError, UsageError
from provenance.store.preparing import Preparer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.log import Log
    from provenance.store.preparing import Prepared

ROOT = Path(__file__).parent.parent.parent
TABLES = ["leaf", "body", "opening", "event_id", "maker", "tile", "head"]


def same(size: int) -> bytes:
    """Entropy without any, so that two ways of preparing can be compared."""
    return bytes(size)


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


def anonymous(number: int, **more: Any) -> Draft:
    """A draft that is always new."""
    return Draft(EntryType.EVENT, "event/1", {"event_id": f"E-{number}", **more})


def twofold(number: int) -> Draft:
    """A draft of two identities, one of which others have too."""
    keys = (("event", "acme", f"E-{number}"), ("month", str(number // 2)))
    named = tuple([Identity(key, number) for key in keys])
    return Draft(EntryType.LABOUR, "labour/1", {"party": "acme", "hours": number}, named)


def with_serials(number: int, count: int) -> Draft:
    """An event that hides within its list of items, one field for each serial number."""
    serials = [f"S-{number}-{serial}" for serial in range(count)]
    return event(number, items=[{"product_id": "P-1", "serial_ids": serials}])


NUMBERS = st.integers(0, 5)
ONE = st.one_of(
    NUMBERS.map(event),
    NUMBERS.map(lambda number: event(number, carrier="other", bill_of_lading="B")),
    st.builds(lambda site, name: facility(f"F-{site}", name=f"N-{name}"), NUMBERS, NUMBERS),
    NUMBERS.map(anonymous),
    NUMBERS.map(twofold),
    st.builds(with_serials, NUMBERS, st.integers(0, 40)),
)
RUNS = st.builds(
    lambda start, count: [event(number) for number in range(start, start + count)],
    st.integers(6, 30),
    st.integers(0, 12),
)
CALLS = st.lists(st.one_of(st.lists(ONE, max_size=8), RUNS), max_size=4)


def stored(database: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the log's tables, but for what is signed."""
    connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    rows = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in TABLES}
    connection.close()
    return rows


@given(CALLS)
@settings(max_examples=25, deadline=None)
def test_prepared_elsewhere_is_as_prepared_in_place(calls: list[list[Draft]]) -> None:
    """Outcomes and every stored byte are the same, and the bytes those of sealing one by one."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        rigs = [Rig(Path(name), entropy=same) for name in (one, two)]
        here, there = [rig.create() for rig in rigs]
        drafts = {}
        for call in calls:
            far = Preparer(SECRET, there.register, same)
            prepared: Prepared = pickle.loads(pickle.dumps(far.prepare(call)))
            outcomes = here.append(call)
            assert there.append_prepared(prepared) == outcomes
            pairs = zip(call, outcomes, strict=True)
            drafts |= {outcome.index: draft for draft, outcome in pairs if outcome.digest}
        here.close()
        there.close()

        rows = stored(rigs[0].files.database)
        assert stored(rigs[1].files.database) == rows
        naive = {index: seal(draft, DEFAULT_POLICY, same) for index, draft in drafts.items()}
        assert dict(rows["body"][1:]) == {index: one.body for index, one in naive.items()}
        assert rows["opening"] == [
            (index, *opening)
            for index in sorted(naive)
            for opening in sorted(naive[index].openings)
        ]
        naive_log.recompute(rigs[0].files.database, here.origin)
        naive_log.check_rows(rigs[0].files.database, SECRET)


WORKER = """
import pickle, sys
from pathlib import Path
from log_factories import SECRET, Rig, event
from provenance.clock import system_entropy
from provenance.store.preparing import Preparer

reader = Rig(Path(sys.argv[1])).reader()
preparer = Preparer(SECRET, reader.register, system_entropy)
for start in map(int, sys.argv[2:]):
    prepared = preparer.prepare([event(number) for number in range(start, start + 10)])
    pickle.dump(prepared, sys.stdout.buffer)
"""
WRITER = """
import sys
from pathlib import Path
from log_factories import Rig, event

log = Rig(Path(sys.argv[1])).open()
for start in range(0, 60, 3):
    outcomes = log.append_prepared(
        log.preparer().prepare([event(number) for number in range(start, start + 6)])
    )
    assert outcomes is not None
log.close()
"""


def started(program: str, *arguments: object) -> subprocess.Popen[bytes]:
    """Start a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        env={"PYTHONPATH": f"{ROOT}:{Path(__file__).parent}"},
        stdout=subprocess.PIPE,
    )


def test_several_processes_prepare_for_one_writer(rig: Rig, log: Log) -> None:
    """What they hand over is appended in the writer's order; no two salts of theirs are equal."""
    workers = [started(WORKER, rig.directory, 0, 20), started(WORKER, rig.directory, 10, 30)]
    outputs = [worker.stdout for worker in workers]
    for output in (*outputs, *outputs):
        assert output is not None
        outcomes = log.append_prepared(pickle.load(output))
        assert outcomes is not None
        assert {outcome.kind for outcome in outcomes} == {"appended"}
    for worker in workers:
        worker.communicate()

    salts = [opening.salt for entry in log.entries(1) for opening in entry.openings]
    assert len(salts) == len({*salts}) == 80
    log.close()
    check_log(rig, acknowledged=40, drafts=40)


def test_a_process_that_dies_while_it_hands_over_leaves_nothing(rig: Rig, log: Log) -> None:
    """What it had handed over whole is in the log, the rest is not, and others go on with it."""
    worker = started(WORKER, rig.directory, *range(0, 10_000, 10))
    assert worker.stdout is not None
    assert log.append_prepared(pickle.load(worker.stdout))
    worker.kill()
    left = worker.stdout.read()
    worker.communicate()

    rest, whole = io.BytesIO(left), []
    with pytest.raises((EOFError, pickle.UnpicklingError)):
        whole.extend(iter(lambda: len(pickle.load(rest).kinds), 0))
    assert len(whole) < 999
    log.close()
    check_log(rig, acknowledged=10, drafts=20)


def test_two_writers_of_prepared_drafts_make_one_history(rig: Rig) -> None:
    """Each event is there once, whoever brings it first, and nothing forks."""
    rig.create().close()
    for writer in [started(WRITER, rig.directory) for _ in range(2)]:
        writer.communicate()
        assert writer.returncode == 0

    log = rig.open()
    found = {open_entry(entry, Tier.PUBLIC)["event_id"] for entry in log.entries(1)}
    assert log.size == 1 + len(found) == 64
    log.close()
    assert rig.audit().problems == []
    naive_log.check_rows(rig.files.database, SECRET)


def test_what_came_since_it_was_prepared_counts(log: Log) -> None:
    """The log is asked under the lock: rows that others brought meanwhile are duplicates."""
    early = log.preparer().prepare([event(1), event(2), event(3)])
    log.append([event(2), event(3, carrier="other")])

    outcomes = log.append_prepared(early)

    assert outcomes is not None
    assert [outcome.kind for outcome in outcomes] == ["appended", "duplicate", "conflict"]
    assert log.size == 4


def test_nothing_is_sealed_under_a_policy_of_before(rig: Rig, log: Log) -> None:
    """Once the register has grown, what was prepared before is refused, and nothing appended."""
    early = log.preparer().prepare([event(1)])
    hidden = {**DEFAULT_POLICY.rules, "event/1": {"*": Tier.PRIVATE}}
    log.govern(lambda register: register.policy_change(TierPolicy(hidden)))

    assert log.append_prepared(early) is None
    assert log.size == 2
    again = log.append_prepared(log.preparer().prepare([event(1)]))

    assert again is not None
    assert b"E-1" not in (log.entry(again[0].index).body or b"")
    log.close()
    assert rig.audit().problems == []


def test_a_writer_of_before_prepares_as_the_register_says_now(rig: Rig, log: Log) -> None:
    """`preparer` asks the log: another process may have added to the register."""
    other = rig.open()
    before = log.preparer().governing
    hidden = {**DEFAULT_POLICY.rules, "event/1": {"*": Tier.PRIVATE}}
    other.govern(lambda register: register.policy_change(TierPolicy(hidden)))
    other.close()

    assert log.preparer().governing == (*before, 1)


def test_the_register_is_not_appended_to_by_the_way(log: Log) -> None:
    """An entry that governs the log goes through `govern`, however it was prepared."""
    draft = log.register.policy_change(TierPolicy({}))
    with pytest.raises(UsageError, match="govern"):
        log.append_prepared(log.preparer().prepare([draft]))
    with pytest.raises(UsageError, match="govern"):
        log.append([draft])
    assert log.size == 1


def test_one_draft_outside_the_domain_refuses_the_call(log: Log) -> None:
    """Nothing is prepared of a call that holds what cannot be written."""
    with pytest.raises(EncodingError, match="/weight"):
        log.preparer().prepare([event(1), event(2, weight=1.5)])
    assert log.append([]) == log.append_prepared(log.preparer().prepare([])) == []


def test_what_is_handed_over_is_small(log: Log) -> None:
    """A batch for another process is its bytes and little more: else it would not pay."""
    drafts = [event(number) for number in range(500)]
    prepared = Preparer(SECRET, log.register, system_entropy).prepare(drafts)
    columns = (prepared.rows, prepared.bodies, prepared.digests, prepared.sealed)
    own = sum(len(one) for column in columns for one in column)
    assert len(pickle.dumps(prepared)) < own + 60 * len(drafts)
