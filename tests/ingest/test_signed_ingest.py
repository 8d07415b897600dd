"""Rules of signed batches at ingest: checked first, verified last, completed after any failure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from ingest_log import clock, feed

from provenance import canonical
from provenance.clock import system_entropy
from provenance.disclosure.privacy import b64, open_entry
from provenance.disclosure.tiers import DEFAULT_POLICY
from provenance.entries import Draft, EntryType, Identity, Tier
from provenance.errors import NotFound, UsageError, WorkspaceError
from provenance.ingest import sink as sink_module
from provenance.ingest.recalled import batch_of
from provenance.log import Instruments, Log, LogFiles
from provenance.notes.checkpoint import sign_note
from provenance.notes.keys import LogKey, generate
from provenance.notes.parties import Party
from provenance.proving.proof import bundle_text
from provenance.store.signed_batch import batch_text
from provenance.verify import check_bundle, parse_policy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from provenance.store.reading import LogReader

KEY, OTHER = (generate(name, system_entropy) for name in ("acme", "zeta"))
LOG_KEY = generate("log.example/signed", system_entropy)
POLICY = parse_policy(f"log {LOG_KEY.vkey}\nquorum none\n".encode())


def table(count: int, first: int = 0) -> str:
    """Some events, as a file."""
    rows = [f"E-{n},2024-01-01,produce,cotton,C-{n}\n" for n in range(first, first + count)]
    return "event_id,event_time,event_type,product_id,lot_id\n" + "".join(rows)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    """A log whose register knows two parties."""
    folder = tmp_path / "log"
    folder.mkdir()
    instruments = Instruments(LOG_KEY, bytes(32), clock, system_entropy)
    made = Log.create(LogFiles(folder), LOG_KEY.vkey, DEFAULT_POLICY, instruments)
    for key in (KEY, OTHER):
        register(made, key)
    yield made
    made.close()


def register(log: Log, key: LogKey, **changes: Any) -> None:
    """State a party anew."""
    said = Party(0, key.name, key.name.title(), "maker", (key.vkey,), "2026-01-01")
    log.govern(lambda register: register.statement(said._replace(**changes)))


def batch_signed(log: LogReader, index: int, *parties: LogKey) -> str:
    """The verifier's verdict on an entry's batch."""
    vkeys = [key.vkey for key in parties]
    found = {one.name: one for one in check_bundle(bundle_text(log.prove(index)), POLICY, vkeys)}
    assert found["included"].status == found["signed"].status == "ok"
    return found["batch-signed"].status


def events(log: LogReader) -> list[int]:
    """Indexes of the events."""
    return [entry.index for entry in log.entries(0) if entry.type == EntryType.EVENT]


def batches(log: LogReader) -> list[dict[str, Any]]:
    """Contents of the batch entries, as they are stored."""
    found = [entry for entry in log.entries(0) if entry.type == EntryType.BATCH]
    return [canonical.loads(entry.body or b"") for entry in found]


def test_a_party_signs_what_it_delivers(log: Log, tmp_path: Path) -> None:
    """Every entry of the file proves, to who trusts the party's key and to nobody else."""
    receipt = feed(log, tmp_path, table(7), signer=KEY)

    assert receipt.parts[0].batch == log.batch_of(events(log)[0])
    for index in events(log):
        assert batch_signed(log, index, KEY) == "ok"
        assert batch_signed(log, index, OTHER, KEY) == "ok"
        assert batch_signed(log, index, OTHER) == "failed"
        assert batch_signed(log, index) == "absent"
    assert batch_signed(log, 1, KEY) == "failed"
    assert log.prove(1)["batch"] is None


def test_without_a_key_nothing_is_signed(log: Log, tmp_path: Path) -> None:
    """The batch entry is as it always was, and bundles carry none."""
    feed(log, tmp_path, table(3))

    (batch,) = batches(log)
    assert "note" not in batch
    assert log.batch_of(events(log)[0]) is None
    assert log.prove(events(log)[0])["batch"] is None


REFUSED = {
    "another party's key": (OTHER, {}, "is not a key of the party acme"),
    "an unknown key": (generate("acme", system_entropy), {}, "is not a key of the party acme"),
    "too early": (KEY, {"valid_from": "2026-11-19"}, "may sign from 2026-11-19"),
    "too late": (KEY, {"valid_to": "2026-11-17"}, "to 2026-11-17"),
    "no key any more": (KEY, {"keys": ()}, "is not a key of the party acme"),
}


@pytest.mark.parametrize(("key", "changes", "reason"), REFUSED.values(), ids=REFUSED)
def test_who_may_not_sign_is_refused_before_anything_is_logged(
    log: Log, tmp_path: Path, key: LogKey, changes: dict[str, Any], reason: str
) -> None:
    """Also where the file is good: the log is as it was."""
    register(log, KEY, **changes)
    size = log.size

    with pytest.raises(UsageError, match=reason):
        feed(log, tmp_path, table(3), signer=key)
    with pytest.raises(UsageError, match="the party nobody is not registered"):
        feed(log, tmp_path, table(3), signer=KEY, party="nobody")
    assert log.size == size


@dataclass
class Unsteady:
    """A signer that does something else first, a few times."""

    key: LogKey = KEY
    failures: list[Any] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        """Be the key."""
        return getattr(self.key, name)

    def sign(self, message: bytes) -> bytes:
        """Fail, answer wrongly, or sign."""
        if self.failures:
            failure = self.failures.pop()
            if isinstance(failure, Exception):
                raise failure
            return bytes(failure)
        return self.key.sign(message)


def test_a_failed_signature_is_made_up_for_by_the_same_command(log: Log, tmp_path: Path) -> None:
    """The rows are in the log and said to be; repeated, all of them are in one signed batch."""
    for failure in (WorkspaceError("the module is away"), b"\0" * 64):
        size = log.size
        with pytest.raises(Exception, match="the same command completes their batch") as caught:
            feed(log, tmp_path, table(5), signer=Unsteady(failures=[failure]))
        assert "away" in str(caught.value) or "is wrong" in str(caught.value)
        assert log.size == size + (5 if size < 5 else 0)
    receipt = feed(log, tmp_path, table(5), signer=KEY)

    assert (receipt.total.duplicate, receipt.total.appended) == (5, 0)
    (batch,) = batches(log)
    assert batch["count"] == 5
    assert {batch_signed(log, index, KEY) for index in events(log)} == {"ok"}
    size = log.size
    assert feed(log, tmp_path, table(5), signer=KEY).parts[0].batch is None
    assert log.size == size


def test_an_ingest_that_died_is_signed_as_a_whole(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of the first attempt, of an unsigned one and new rows: one batch, in file order."""
    monkeypatch.setattr(sink_module, "GROUP", 4)
    feed(log, tmp_path, table(3, first=8))
    with monkeypatch.context() as patch:
        real, calls = log.append, []

        def dying(drafts: Any) -> Any:
            calls.append(len(drafts))
            if len(calls) == 2:
                raise KeyboardInterrupt
            return real(drafts)

        patch.setattr(log, "append", dying)
        with pytest.raises(KeyboardInterrupt):
            feed(log, tmp_path, table(14), signer=KEY)
    again = table(14) + "".join(table(14).splitlines(keepends=True)[1:6])
    feed(log, tmp_path, again, signer=KEY)

    batch = batches(log)[-1]
    assert batch["count"] == 14
    order = [at for first, last in batch["ranges"] for at in range(first, last + 1)]
    names = [canonical.loads(log.entry(at).body or b"")["event_id"] for at in order]
    assert names == [f"E-{n}" for n in range(14)]
    assert order != sorted(order)
    assert {batch_signed(log, index, KEY) for index in events(log)} == {"ok"}


def test_writers_that_come_between_split_the_ranges(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two parties' files, group by group in turn: each entry is in its own party's batch."""
    monkeypatch.setattr(sink_module, "GROUP", 2)
    theirs = Log.open(
        LogFiles(log.path.parent), Instruments(LOG_KEY, bytes(32), clock, system_entropy)
    )
    real, count = log.append, [0]

    def between(drafts: Any) -> Any:
        outcomes = real(drafts)
        count[0] += 1
        theirs.append([other(count[0])])
        return outcomes

    monkeypatch.setattr(log, "append", between)
    feed(log, tmp_path, table(9), signer=KEY)
    theirs.close()

    ours = [i for i in events(log) if batch_signed(log, i, KEY) == "ok"]
    assert len(ours) == 9
    assert len(batches(log)[0]["ranges"]) == 5
    assert len(events(log)) == 15
    assert all(log.prove(i)["batch"] is None for i in events(log) if i not in ours)


def other(number: int) -> Draft:
    """Somebody else's event."""
    content = {"party": "zeta", "event_id": f"Z-{number}"}
    return Draft(EntryType.EVENT, "event/1", content, (Identity(("event", "zeta", f"Z-{number}")),))


def test_a_party_that_retires_meanwhile_signs_no_more(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The register is asked again when the batch is signed; later the batch can be completed."""
    real = log.append

    def retiring(drafts: Any) -> Any:
        outcomes = real(drafts)
        register(log, KEY, valid_to="2026-11-01")
        return outcomes

    with monkeypatch.context() as patch:
        patch.setattr(log, "append", retiring)
        with pytest.raises(UsageError, match=r"to 2026-11-01.*The rows are in the log"):
            feed(log, tmp_path, table(3), signer=KEY)
    assert batches(log) == []
    register(log, KEY)
    feed(log, tmp_path, table(3), signer=KEY)

    assert {batch_signed(log, index, KEY) for index in events(log)} == {"ok"}


def test_a_batch_after_the_checkpoint_is_left_out(log: Log, tmp_path: Path) -> None:
    """A proof under an older checkpoint cannot lead to a batch entry that came later."""
    feed(log, tmp_path, table(3), signer=KEY)
    (first, *_), size = events(log), log.size - 1

    assert log.prove(first, size=size)["batch"] is None
    assert log.prove(first, size=size + 1)["batch"] is not None
    with pytest.raises(NotFound):
        log.prove(size + 1)


def forged(log: Log, **changes: Any) -> list[str]:
    """What the audit says of a log whose operator enters a batch of his own making."""
    from provenance.auditing.audit import audit  # noqa: PLC0415 - beside its one use

    good = open_entry(log.entry(log.size - 1), Tier.PUBLIC)
    log.append([Draft(EntryType.BATCH, "batch/1", {**good, **changes})])
    log.close()
    return audit(LogFiles(log.path.parent), LOG_KEY.vkey, bytes(32)).problems


ROOT = b64(bytes(32))
FORGED = {
    "the note under another batch": {"root": ROOT},
    "the note under another party's name": {"party": "zeta"},
    "another party's signature": {
        "root": ROOT,
        "note": sign_note(batch_text("acme", 3, ROOT), [OTHER]),
    },
    "the log's own signature": {
        "root": ROOT,
        "note": sign_note(batch_text("acme", 3, ROOT), [LOG_KEY]),
    },
    "no note at all": {"note": "", "root": ROOT},
}


@pytest.mark.parametrize("changes", FORGED.values(), ids=FORGED)
def test_a_batch_that_the_operator_forges_is_found(
    log: Log, tmp_path: Path, changes: dict[str, Any]
) -> None:
    """The log's key signs checkpoints; only the party's key makes its batches."""
    feed(log, tmp_path, table(3), signer=KEY)
    last = log.size

    (problem,) = forged(log, **changes)
    assert problem.startswith(f"batch {last}: is not signed as it must be")


def test_a_bundle_with_the_batch_of_another_entry_is_refused(log: Log, tmp_path: Path) -> None:
    """A batch part is worth nothing for an entry that is not in it."""
    feed(log, tmp_path, table(3), signer=KEY)
    feed(log, tmp_path, table(3, first=3), signer=KEY)
    ours, theirs = log.prove(events(log)[0]), log.prove(events(log)[-1])
    ours["batch"] = theirs["batch"]

    verdicts = {one.name: one for one in check_bundle(bundle_text(ours), POLICY, [KEY.vkey])}
    assert verdicts["batch-signed"].status == "failed"
    assert verdicts["included"].status == "ok"


def test_the_audit_is_content_with_signed_batches(log: Log, tmp_path: Path) -> None:
    """Row keys of blocks and the row key that batches hand on add up."""
    from provenance.auditing.audit import audit  # noqa: PLC0415 - beside its one use

    for first in (0, 3, 6):
        feed(log, tmp_path, table(4, first=first), signer=KEY)
    log.close()

    assert audit(LogFiles(log.path.parent), LOG_KEY.vkey, bytes(32)).problems == []


def test_a_file_that_nobody_signed_for_can_be_signed_for_later(log: Log, tmp_path: Path) -> None:
    """The same bytes have a batch already; the signed one is another, and is found from then on."""
    plain = feed(log, tmp_path, table(5)).parts[0].batch
    told = feed(log, tmp_path, table(5), signer=KEY).parts[0]
    assert told.duplicate == 5
    assert told.batch is not None
    assert told.batch != plain
    assert batch_signed(log, events(log)[0], KEY) == "ok"
    assert batch_of(log, str(tmp_path / "events.csv")) == told.batch
    assert feed(log, tmp_path, table(5), signer=KEY).parts[0].batch is None
