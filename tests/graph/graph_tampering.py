"""Single bytes changed anywhere in a graph's file, and whether an audit sees what came of it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import apsw
from graph_factories import chain, event, item

from graph.audit import audit_graph
from graph.connect import open_store
from graph.sync import catch_up
from provenance.errors import ProvenanceError

if TYPE_CHECKING:
    import random
    from pathlib import Path

TABLES = ("head", "entry", "node", "edge", "name", "record", "skipped")
LOTS = 60


@dataclass
class GraphTally:
    """What came of the changes: told, of nothing that is read, and faults."""

    seen: int = 0
    idle: int = 0
    faults: list[str] = field(default_factory=list)


class GraphTampering:
    """Changes bytes of one graph's file, each in a fresh copy."""

    def __init__(self, place: Path) -> None:
        """Make the graph below `place`."""
        self.log = chain()
        for number in range(LOTS):
            self.log.append(event(100 + number, "produce", item("FLAX", f"L{number}", number)))
        self.made, self.hit = place / "graph.db", place / "hit.db"
        store = open_store(f"sqlite:{self.made}")
        catch_up(self.log, store)
        assert store.purge()
        store.close()
        self.tally = GraphTally()
        self._said = said(self.made)

    def change(self, dice: random.Random) -> None:
        """Change one byte and see whether the audit does as it must."""
        data = bytearray(self.made.read_bytes())
        at, mask = dice.randrange(len(data)), dice.randrange(1, 256)
        data[at] ^= mask
        for name in ("hit.db-wal", "hit.db-shm"):
            self.hit.with_name(name).unlink(missing_ok=True)
        self.hit.write_bytes(data)
        what = f"byte {at} ^ {mask:#04x}"
        try:
            problems = self._audit()
        except ProvenanceError as error:
            problems = [str(error)]
        except Exception as error:  # noqa: BLE001 - any other error is the fault that is looked for
            self.tally.faults.append(f"{what}: {error!r}")
            return
        if problems:
            self.tally.seen += 1
        elif said(self.hit) != self._said:
            self.tally.faults.append(f"{what}: not told")
        else:
            self.tally.idle += 1

    def _audit(self) -> list[str]:
        # Read only: a file of other rules would be begun anew, which is a mend of its own.
        store = open_store(f"sqlite:{self.hit}", readonly=True)
        try:
            return audit_graph(self.log, store).problems
        finally:
            store.close()


def said(path: Path) -> dict[str, Any]:
    """What a graph's file says: every table read through, and through each index."""
    copy = path.with_name("said.db")
    shutil.copy(path, copy)
    found: dict[str, Any] = {}
    connection = apsw.Connection(str(copy))
    try:
        for table in TABLES:
            found[table] = connection.execute(f"SELECT * FROM {table}").fetchall()
        for index in ("edge_in", "became_in"):
            partial = " WHERE kind = 0" if index == "became_in" else ""
            text = f"SELECT src, dst, idx, time FROM edge INDEXED BY {index}{partial}"
            found[index] = connection.execute(text).fetchall()
    except (apsw.Error, UnicodeDecodeError) as error:
        found["error"] = repr(error)
    connection.close()
    return found
