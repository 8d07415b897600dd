"""Whom records are about: workers of timesheets by themselves, others where a mapping says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ingest_log import MemoryLog, feed

from provenance.disclosure.privacy import open_entry
from provenance.disclosure.subject_cipher import NONCE_SIZE
from provenance.entries import Tier
from provenance.errors import InputError
from provenance.ingest.drafts import person
from provenance.ingest.mapping import parse_mapping
from provenance.ingest.run import ingest
from workspace.workspace import Workspace, create_workspace

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.entries import Draft

SHEET = (
    "facility_id,month,worker_id,week,hours,gross_pay\n"
    "F-1,2025-03,W-1,1,41,300\nF-1,2025-03,W-2,1,48,310\nF-1,2025-03,W-1,2,40,300\n"
)
LIST = (
    "event_id,event_time,event_type,facility_id,product_id,lot_id,quantity,carrier,Driver,Phone\n"
    "E-1,2025-03-01T08:00:00Z,ship,F-1,P-1,L-1,5,Fast,Anna Aal,+49 1\n"
    "E-2,2025-03-02T08:00:00Z,ship,F-1,P-1,L-1,5,Fast,,+49 2\n"
)
DRIVERS = 'name = "drivers"\n[subjects]\nDriver = ["Phone"]\n'


def drafts(log: MemoryLog) -> list[Draft]:
    """What was appended, without policy and batch entries."""
    return [one for one in log.drafts if one is not None and one.version != "batch/1"]


def test_each_worker_is_a_subject(tmp_path: Path) -> None:
    """Every place of a timesheet is about its worker, of this party and facility alone."""
    log = MemoryLog()
    feed(log, tmp_path, SHEET, name="timesheets.csv")
    feed(log, tmp_path, SHEET.replace(",41,", ",39,"), name="timesheets.csv")

    sheet, correction = drafts(log)
    assert sheet.subjects == {
        f"/workers/{n}": person("worker", "acme", "F-1", one["worker_id"])
        for n, one in enumerate(sheet.content["workers"])
    }
    assert correction.subjects == {"/workers/0": person("worker", "acme", "F-1", "W-1")}
    assert person("worker", "a", "b,c") != person("worker", "a,b", "c")


def test_a_mapping_names_the_columns_about_a_person(tmp_path: Path) -> None:
    """A row without the person's name is about nobody, whatever else stands in it."""
    log = MemoryLog()
    feed(log, tmp_path, LIST, name="events.csv", mapping=parse_mapping(DRIVERS, "drivers"))

    named, nameless = drafts(log)
    anna = person("Driver", "acme", "Anna Aal")
    assert [pair[0] for pair in named.content["ext"]] == ["Driver", "Phone"]
    assert named.subjects == {"/ext/0": anna, "/ext/1": anna}
    assert not nameless.subjects


def test_without_a_word_of_it_nobody_is_a_subject(tmp_path: Path) -> None:
    """Events are about goods; drafts of files without [subjects] name no person."""
    log = MemoryLog()
    feed(log, tmp_path, LIST, name="events.csv")

    assert {one.subjects for one in drafts(log)} == {None}


def test_native_fields_may_be_about_a_person(tmp_path: Path) -> None:
    """A carrier can be one man with a van; a mapping with fields says it in the same way."""
    text = 'name = "own"\n[fields]\nevent_id = "event_id"\nevent_time = "event_time"\n'
    text += 'event_type = "event_type"\nproduct_id = "product_id"\ncarrier = "carrier"\n'
    log = MemoryLog()
    mapping = parse_mapping(text + '[subjects]\ncarrier = ["Driver"]\n', "own")
    feed(log, tmp_path, LIST, name="events.csv", mapping=mapping)

    first = drafts(log)[0]
    place = [pair[0] for pair in first.content["ext"]].index("Driver")
    fast = person("carrier", "acme", "Fast")
    assert first.subjects == {"/carrier": fast, f"/ext/{place}": fast}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[subjects]\nDrivr = ["Phone"]', "no column 'Drivr'; did you mean Driver?"),
        ('[subjects]\nDriver = ["Fone"]', "no column 'Fone'; did you mean Phone?"),
        ("[subjects]\nlot_id = []", "lot_id is not a field that can be about a person"),
        ("[subjects]\nserial_ids = []", "serial_ids is not a field that can be"),
        ('[subjects]\nDriver = []\n[tiers]\nDriver = "public"', "Driver is public, and could not"),
        ('[subjects]\nDriver = ["Phone"]\n[tiers]\nPhone = "public"', "Phone is public"),
        ('subjects = ["Driver"]', "mapping"),
        ('[subjects]\nDriver = "Phone"', "mapping"),
    ],
)
def test_a_mapping_that_would_forget_nobody_is_refused(
    tmp_path: Path, text: str, reason: str
) -> None:
    """A misspelt column, a public one, or one that tells entries apart: one line says so."""
    head, _, rest = text.partition("\n")
    whole = f'{head}\nname = "x"\n{rest}' if "=" in head else f'name = "x"\n{text}\n'

    with pytest.raises(InputError, match="mapping") as refused:
        feed(MemoryLog(), tmp_path, LIST, name="e.csv", mapping=parse_mapping(whole, "x"))

    assert reason in str(refused.value)


def test_a_workspace_with_subject_keys_stores_persons_apart(tmp_path: Path) -> None:
    """From the CSV file to the rows of the database: names are under keys, the rest as before."""
    data = tmp_path / "data"
    create_workspace(
        data, origin="x.example/log", party="self", domain="https://x.example", subject_keys=True
    )
    (tmp_path / "timesheets.csv").write_text(SHEET)
    (tmp_path / "events.csv").write_text(LIST)
    with Workspace(data) as workspace:
        for name, mapping in (
            ("timesheets.csv", None),
            ("events.csv", parse_mapping(DRIVERS, "drivers")),
        ):
            ingest(
                [str(tmp_path / name)],
                workspace.log,
                party="self",
                quarantine=workspace.layout.quarantine,
                clock=workspace.clock,
                entropy=workspace.entropy,
                mapping=mapping,
            )
        read = [open_entry(entry, Tier.PRIVATE) for entry in workspace.log.entries(1)]
        openings = [entry.openings for entry in workspace.log.entries(1)]
        sizes = workspace.log._connection.execute("SELECT length(salt) FROM opening").fetchall()
        report = workspace.audit(lambda _done, _total: None)

    stored = b"".join(path.read_bytes() for path in data.glob("log.db*"))
    assert sorted(one["worker_id"] for one in read[0]["workers"]) == ["W-1", "W-2"]
    assert ["Driver", "Anna Aal"] in [pair for one in read for pair in one.get("ext", ())]
    assert b"Anna Aal" not in stored
    assert b"+49 1" not in stored
    assert b"+49 2" in stored
    assert sizes.count((NONCE_SIZE,)) == 4
    assert {len(one.salt) for group in openings for one in group} == {32}
    assert report.problems == []
