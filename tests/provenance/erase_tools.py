"""Erasing from a bare log: what is erased in tests, by whom, and what lies in its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from log_factories import SECOND_US, SECRET, Rig, event, facility

from provenance.disclosure.privacy import b64
from provenance.entries import Draft, EntryType
from provenance.forget.run import Forgetter
from provenance.forget.survey import Survey
from provenance.forget.wanted import Subject, record_of
from provenance.govern.disclose import Chosen, record

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.forget.marks import Needle
    from provenance.forget.run import State
    from provenance.forget.wanted import Wanted
    from provenance.log import Log

MARK = b"S-MARKED-17"
"""Stands in a private field of entry 3, and nowhere else."""


def flag(*cited: Any) -> Draft:
    """A flag that cites entries."""
    content = {
        "party": "acme",
        "type": "custody_gap",
        "subject_kind": "lot",
        "subject_id": "L-0",
        "severity": "high",
        "evidence_class": "rule",
        "detector": "d",
        "detector_version": "1",
        "evidence": [[entry.index, b64(entry.leaf_hash)] for entry in cited],
        "explanation": f"rests on {[entry.index for entry in cited]}",
        "observed": {"value": 3},
    }
    return Draft(EntryType.FLAG, "flag/1", content)


def batch(first: int, last: int) -> Draft:
    """The batch entry over some entries."""
    source = {"name": "secret-file.csv", "digest": "abc"}
    content = {"party": "acme", "count": last - first + 1, "ranges": [[first, last]]}
    return Draft(EntryType.BATCH, "batch/1", {**content, "root": "AA", "source": source})


def everything(rig: Rig) -> Rig:
    """A log of events, two versions of a facility, a flag, batches and a grant."""
    log = rig.create()
    ext = [["driver", "Ana Belén"], ["plate", "M-AB 1"]]
    log.append([event(n, **({"ext": ext} if n % 2 else {})) for n in range(6)])
    log.append([facility("F-1", name="Mill", source_system="Ana Belén"), batch(1, 3), batch(4, 6)])
    log.append([facility("F-1", name="Mill II", latitude={"_d": "1.5"}, source_system="X")])
    log.append([flag(log.entry(1), log.entry(2)), flag(log.entry(6))])
    record(log, [Chosen(log.entry(2), ("/shipment_id",))], party="acme", to="buyer")
    log.close()
    return rig


class Rows:
    """A place beside the log that may hold what is erased; a file, as the quarantine is one."""

    def __init__(self, directory: Path) -> None:
        """Lie in `directory`."""
        self.path = directory / "rows"

    def follow(self, needles: frozenset[Needle]) -> str | None:
        """Forget, as far as one is told what."""
        if needles:
            self.path.write_bytes(b"")
        return None


def marked(rig: Rig) -> Rig:
    """A log of a few events, one of them marked, and a place that holds a copy."""
    log = rig.create()
    for number in range(6):
        rig.clock.now_us += SECOND_US
        log.append([event(number, **({"shipment_id": MARK.decode()} if number == 2 else {}))])
    log.close()
    Rows(rig.directory).path.write_bytes(b"a row with " + MARK)
    return rig


def forgetter(rig: Rig, log: Log) -> Forgetter:
    """What erases from the log and its other place."""
    place = Rows(rig.directory)
    return Forgetter(log, rig.files, SECRET, {"rows": lambda needles: Rows.follow(place, needles)})


def erase(rig: Rig, log: Log, wanted: Wanted | None = None, *, whole: bool = False) -> State:
    """Erase what is wanted (else the marked event) and let every place follow."""
    if wanted is None:
        wanted = record_of(log.entry(3), () if whole else ("shipment_id",))
    survey = Survey(log, wanted)
    survey.advance()
    eraser = forgetter(rig, log)
    eraser.erase(survey, party="acme")
    return eraser.follow()


def follow(rig: Rig, log: Log) -> State:
    """Let every place follow that has not yet."""
    return forgetter(rig, log).follow()


def subject(text: str, name: str = "") -> Subject:
    """Ask for everything about somebody."""
    return Subject(text, name)


def raw(directory: Path) -> bytes:
    """All bytes of all files below a directory."""
    return b"\n".join(path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file())
