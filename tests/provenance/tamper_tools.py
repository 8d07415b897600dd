"""Single bytes changed anywhere in a log's files, and whether an audit sees what came of it."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import apsw
from erase_tools import erase, everything
from log_factories import Rig, event, settling
from small_log import Witness

from provenance.auditing import audit as audit_module
from provenance.errors import ProvenanceError
from provenance.forget.wanted import record_of
from provenance.store.witnessed import Cosignature, store

if TYPE_CHECKING:
    import random
    from pathlib import Path

EVENTS = range(100, 400)  # with them one full tile, and a partial one beside and above it
TABLES = {
    "leaf": "idx",
    "body": "idx",
    "opening": "idx",
    "event_id": "key",
    **dict.fromkeys(["event_id_1", "event_id_2", "event_id_3", "event_id_settled"], "key"),
    "maker": "lot_id",
    "tile": "number",
    "head": "id",
    "checkpoint": "size",
    "cosignature": "size",
}
FILES = {"log.db": 14, "log.db-wal": 4, "checkpoint": 1, "high-water": 1}
"""How often each file is hit."""
PLACE = re.compile(
    r"(leaf|body|checkpoint|batch|cosignature) -?\d|opening \S.* of entry -?\d|tile -?\d+/-?\d"
    r"|(leaf|body|opening|event_id|maker): a row for entry"
    r"|(head|event_id|maker|schema|database|high-water|checkpoint file): "
)
"""How a problem begins that says where it is."""


def build(directory: Path) -> Rig:
    """Make a log with something in every table, its newest entries still in the write-ahead log.

    Returns:
        A copy, as a crash of the writer would leave it.
    """
    (directory / "made").mkdir()
    rig = everything(Rig(directory / "made"))
    log = rig.open()
    with settling(100):
        log.append([event(number) for number in EVENTS])
    erase(rig, log, record_of(log.entry(3), ("shipment_id",)))
    witness = Witness("witness.example/w1", 7)
    for size in (1, log.size):
        line = witness.cosign(log.checkpoint(size)).splitlines()[-1]
        store(rig.files, [Cosignature(size, witness.verifier, line)])
    log.append([event(number) for number in (500, 501)])
    copy = rig.copied(directory / "copy")
    log.close()
    (copy.directory / "log.db-shm").unlink()
    return copy


@dataclass
class Tally:
    """What came of the changes.

    Attributes:
        seen: Changes of what the files say that the audit told, by the file that was hit.
        idle: Changes of nothing that is read, and how many of them the audit told all the same.
        faults: Changes that were not told, or whose place was not, and errors that are not ours.
    """

    seen: Counter[str] = field(default_factory=Counter)
    idle: Counter[str] = field(default_factory=Counter)
    told_all_the_same: int = 0
    faults: list[str] = field(default_factory=list)


class Tampering:
    """Changes bytes in the files of one log, each in a fresh copy."""

    def __init__(self, rig: Rig, place: Path) -> None:
        """Attack copies of `rig`, made below `place`."""
        self._rig = rig
        self._place = place
        self.tally = Tally()
        copy = rig.copied(place)  # reading takes in a write-ahead log, and it is to be hit too
        assert copy.audit().problems == []
        self._said = said(copy)
        assert all(self._said[table] for table in TABLES)

    def change(self, dice: random.Random) -> None:
        """Change one byte and see whether the audit does as it must."""
        name = dice.choices(list(FILES), list(FILES.values()))[0]
        shutil.rmtree(self._place, ignore_errors=True)
        hit = self._rig.copied(self._place)
        path = hit.directory / name
        data = bytearray(path.read_bytes())
        at, mask = dice.randrange(len(data)), dice.randrange(1, 256)
        data[at] ^= mask
        path.write_bytes(data)
        self._judge(hit, name, f"{name}, byte {at} ^ {mask:#04x}")

    def _judge(self, hit: Rig, name: str, what: str) -> None:
        # The audit first: reading may mend a write-ahead log, or cut it off.
        try:
            problems = hit.audit().problems
        except ProvenanceError as error:
            problems = [f"database: {error}"]
        except Exception as error:  # noqa: BLE001 - any other error is the fault that is looked for
            self.tally.faults.append(f"{what}: {error!r}")
            return
        if said(hit) == self._said:
            self.tally.idle[name] += 1
            self.tally.told_all_the_same += bool(problems)
        elif not problems:
            self.tally.faults.append(f"{what}: not told")
        elif not all(PLACE.match(problem) for problem in problems):
            self.tally.faults.append(f"{what}: not located: {problems}")
        else:
            self.tally.seen[name] += 1


def said(rig: Rig) -> dict[str, Any]:
    """What the files of a log say: every table read through and looked up, and the two files."""
    found: dict[str, Any] = {
        f"file {path.name}": path.read_bytes()
        for path in (rig.files.checkpoint, rig.files.high_water)
    }
    try:
        connection = apsw.Connection(str(rig.files.database), flags=apsw.SQLITE_OPEN_READWRITE)
    except apsw.Error as error:
        return found | {"database": repr(error)}
    for table, key in TABLES.items():
        through = f"SELECT * FROM {table}"
        looked_up = f"SELECT a.* FROM {table} a JOIN {table} b ON a.{key} = +b.{key}"
        try:
            found[table] = [connection.execute(ask).fetchall() for ask in (through, looked_up)]
        except (apsw.Error, UnicodeDecodeError) as error:
            found[table] = repr(error)
    connection.close()
    return found


def without_waiting() -> None:
    """Look at the two published files once: those of an attacked log stay apart for ever."""
    audit_module._LOOK_SECONDS = 0  # type: ignore[misc]
