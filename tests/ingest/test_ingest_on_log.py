"""Ingest on the real log: the in-memory double was believed rightly, and batches prove."""

from __future__ import annotations

import gzip
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest_log import NOW_US, MemoryLog, clock, counts, feed, feed_paths

from provenance.clock import system_entropy
from provenance.disclosure.privacy import b64, open_entry
from provenance.disclosure.tiers import DEFAULT_POLICY
from provenance.entries import Draft, EntryType, Tier
from provenance.hashing import EMPTY_ROOT, leaf_hash, node_hash, source_digest
from provenance.ingest.batches import Batched, RootStream, ranges_of
from provenance.ingest.sink import GROUP
from provenance.log import Instruments, Log, LogFiles
from provenance.notes.keys import generate
from provenance.proving.leaf import decode_leaf

if TYPE_CHECKING:
    from collections.abc import Iterator


EVENTS = (
    "event_id,event_time,event_type,product_id,lot_id,input_lots,shipment_id,colour\n"
    "E1,2024-01-01,produce,cotton,C1,,,\n"
    "E2,2024-01-02T10:00:00+02:00,transform,yarn,Y1,C1;C9,,red\n"
    "E3,30/01/2024 08:00,ship,yarn,Y1,,S1,\n"
    "E3,30/01/2024 09:00,ship,yarn,Y1,,S1,\n"
    "E1,2024-01-01,produce,cotton,C1,,,\n"
    "E4,yesterday,ship,yarn,Y1,,S1,\n"
)
FACILITIES = "facility_id,name,country\nF1,Mill,IN\nF2,Farm,NA\nF3,Shop,XX\n"
LABOUR = "facility_id,month,headcount\nF1,2024-01,10\nF1,2024-02,11\n"
SHEETS = "facility_id,month,worker_id,week,hours,gross_pay\n" + "".join(
    f"F1,2024-01,W{worker},{week},48,100\n" for week in (1, 2) for worker in range(30)
)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    """A new log on disk."""
    folder = tmp_path / "log"
    folder.mkdir()
    key = generate("log.example/ingest", system_entropy)
    instruments = Instruments(key, bytes(32), clock, system_entropy)
    made = Log.create(LogFiles(folder), key.vkey, DEFAULT_POLICY, instruments)
    yield made
    made.close()


def contents(log: Log) -> list[dict[str, Any]]:
    """Everything but policy and batches, opened; a correction without its leaf hash."""
    found = []
    for entry in log.entries(1):
        if entry.type != EntryType.BATCH:
            content = open_entry(entry, Tier.PRIVATE)
            content.get("corrects", {}).pop("leaf_hash", None)
            content.get("corrects", {}).pop("origin", None)
            found.append(content)
    return found


def test_the_log_and_its_double_agree(log: Log, tmp_path: Path) -> None:
    """The same files, again, changed, and for another party: same receipts, same contents."""
    double = MemoryLog()
    steps = [
        ({"a.csv": EVENTS, "f.csv": FACILITIES, "l.csv": LABOUR, "t.csv": SHEETS}, "acme"),
        ({"a.csv": EVENTS, "f.csv": FACILITIES, "l.csv": LABOUR, "t.csv": SHEETS}, "acme"),
        ({"a.csv": EVENTS.replace("C9", "C1"), "l.csv": LABOUR.replace("11", "12")}, "acme"),
        ({"f.csv": FACILITIES.replace("Mill", "Dye works"), "a.csv": EVENTS}, "mill"),
        ({"t.csv": SHEETS.replace("W3,2,48", "W3,2,50") + "F1,2024-01,W3,3,1,1\n"}, "acme"),
    ]
    for number, (files, party) in enumerate(steps):
        receipts = []
        for target in (log, double):
            place = tmp_path / f"{number}-{type(target).__name__}"
            place.mkdir()
            for name, text in files.items():
                (place / name).write_text(text)
            receipt = feed_paths(target, place, sorted(place.glob("*.csv")), party=party)
            shown = receipt.to_dict()
            receipts.append({k: v for k, v in shown.items() if k not in ("checkpoint", "files")})
        assert receipts[0] == receipts[1]
    for content in double.contents():
        content.get("corrects", {}).pop("leaf_hash", None)
        content.get("corrects", {}).pop("origin", None)
    assert contents(log) == double.contents()


def test_the_batch_entry_covers_what_was_appended(log: Log, tmp_path: Path) -> None:
    """Count, ranges and root are those of the entries in file order; the source is private."""
    data = gzip.compress(EVENTS.encode(), mtime=0)
    receipt = feed(log, tmp_path, data, name="march.csv.gz")
    assert counts(receipt) == (6, 3, 1, 2, 3)
    (part,) = receipt.parts
    assert (part.batch, part.ranges) == (4, [[1, 3]])
    entry = log.entry(4)
    assert entry.type == EntryType.BATCH
    digests = [decode_leaf(found.leaf).body_digest for found in log.entries(1, 4)]
    public = {"party": "acme", "count": 3, "ranges": [[1, 3]], "root": b64(naive_root(digests))}
    state = source_digest()
    state.update(data)
    source = {
        "name": "march.csv.gz",
        "digest": b64(state.digest()),
        "quarantine": Path(part.quarantine or "").name,
    }
    assert open_entry(entry, Tier.PARTNER) == public
    assert open_entry(entry, Tier.PRIVATE) == {
        **public,
        "source": source,
        "receipt": part.told(),
    }
    assert receipt.size == log.size == 5
    assert receipt.checkpoint == log.checkpoint()
    again = feed(log, tmp_path, data, name="march.csv.gz")
    assert again.parts[0].batch is None
    assert log.size == 5


def naive_root(entries: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, as it is written."""
    if not entries:
        return EMPTY_ROOT
    if len(entries) == 1:
        return leaf_hash(entries[0])
    split = 1 << (len(entries) - 1).bit_length() - 1
    return node_hash(naive_root(entries[:split]), naive_root(entries[split:]))


@given(st.lists(st.lists(st.binary(max_size=4), max_size=40), max_size=4))
def test_the_streamed_root_is_the_root(groups: list[list[bytes]]) -> None:
    """The root with memory for the peaks only equals the recursive definition."""
    stream, entries = RootStream(), [entry for group in groups for entry in group]
    for group in groups:
        stream.extend(group)
    assert stream.root() == naive_root(entries)
    assert stream.count == len(entries)


@given(st.sets(st.integers(0, 40)))
def test_ranges_hold_exactly_the_indexes(indexes: set[int]) -> None:
    """Ranges are maximal, rising, and hold what was appended and nothing between."""
    ranges: list[list[int]] = []
    for chunk in (sorted(indexes)[:7], sorted(indexes)[7:]):
        ranges_of(chunk, ranges)
    assert [at for first, last in ranges for at in range(first, last + 1)] == sorted(indexes)
    assert all(one[1] + 1 < two[0] for one, two in pairwise(ranges))


def test_private_fields_are_not_in_the_bodies(log: Log, tmp_path: Path) -> None:
    """What the policy does not make public is committed: foreign columns, shipments, workers."""
    feed(log, tmp_path, EVENTS)
    feed(log, tmp_path, SHEETS, name="t.csv")
    bodies = b"".join(entry.body or b"" for entry in log.entries(1))
    for secret in (b'"red"', b'"S1"', b'"W7"', b"events.csv"):
        assert secret not in bodies
    for public in (b'"cotton"', b'"C9"', b'"2024-01"'):
        assert public in bodies


def test_nothing_from_the_future(log: Log, tmp_path: Path) -> None:
    """The clock that decides what lies ahead is the one that was given."""
    head = "event_id,event_time,event_type\n"
    second = NOW_US // 1_000_000
    receipt = feed(
        log, tmp_path, f"{head}1,{second + 86_400},inspect\n2,{second + 86_401},inspect\n"
    )
    assert counts(receipt) == (2, 1, 0, 1, 1)
    assert receipt.total.reasons == {"event_time: lies in the future": 1}


class _Dies:
    """A log whose process dies after some appends: what was acknowledged is on the disk."""

    def __init__(self, log: Log, appends: int) -> None:
        self._log = log
        self._left = appends

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def append(self, drafts: Any) -> Any:
        if self._left == 0:
            raise SystemExit(137)
        self._left -= 1
        return self._log.append(drafts)


@pytest.mark.parametrize("appends", range(4))
def test_a_killed_ingest_completes(log: Log, tmp_path: Path, appends: int) -> None:
    """Killed after any append, the same command ends with the entries of an undisturbed run."""
    head, row = EVENTS.splitlines()[:2]
    many = 2 * GROUP + 500
    text = head + "\n" + "".join(f"{row.replace('E1', f'E{n}')}\n" for n in range(many))
    with pytest.raises(SystemExit):
        feed(_Dies(log, appends), tmp_path, text)
    assert log.size == 1 + min(GROUP * appends, many)
    (part,) = feed(log, tmp_path, text).parts
    assert [content["event_id"] for content in contents(log)] == [f"E{n}" for n in range(many)]
    # What the dead one had appended is in no batch, and comes into this one.
    assert (part.batch, part.ranges) == (many + 1, [[1, many]])
    batch = open_entry(log.entry(many + 1), Tier.PRIVATE)
    digests = [decode_leaf(found.leaf).body_digest for found in log.entries(1, many + 1)]
    assert (batch["count"], batch["root"]) == (many, b64(naive_root(digests)))
    again = feed(log, tmp_path, text)
    assert counts(again) == (many, 0, many, 0, 0)
    assert (again.parts[0].batch, again.parts[0].ranges) == (None, [])


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 6)), max_size=12))
def test_what_is_in_a_batch_is_known(batches: list[tuple[int, int]]) -> None:
    """Whatever the order and overlap of batches' ranges: an entry is in one, or it is not."""
    log: Any = MemoryLog()
    inside: set[int] = set()
    batched = Batched(log)
    for first, more in batches:
        draft = Draft(EntryType.BATCH, "batch/1", {"ranges": [[first, first + more]]})
        log.append([draft])
        inside |= set(range(first, first + more + 1))
        assert [at for at in range(50) if at in batched] == sorted(inside)


def test_progress_is_told(tmp_path: Path) -> None:
    """Both passes report bytes of bytes, by stage and file."""
    seen: list[tuple[str, str, int, int]] = []

    def progress(stage: str, file: str, done: int, total: int, rows: int) -> None:
        assert rows >= 0
        seen.append((stage, file.rpartition("/")[2], done, total))

    feed(MemoryLog(), tmp_path, EVENTS, progress=progress)
    size = len(EVENTS)
    assert seen == [("reading", "events.csv", size, size), ("logging", "events.csv", size, size)]
