"""The data model, as it is documented: an independent program can read and recompute a log."""

from __future__ import annotations

import naive_log
import pytest
from log_factories import ORIGIN, SECRET, Rig, event, facility

from provenance.notes.checkpoint import parse


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """A log with several tiles, versions and lots."""
    made = Rig(tmp_path_factory.mktemp("model")).filled(520, batch=130)
    log = made.open()
    log.append([facility("F-1", name="Mill"), facility("F-1", name="Ölmühle")])
    log.close()
    return made


def test_a_log_is_recomputed_from_the_documents_alone(rig: Rig) -> None:
    """A second implementation of the written formats finds the size and root that we signed."""
    size, root = naive_log.recompute(rig.files.database, ORIGIN)
    signed, _ = parse(rig.files.checkpoint.read_text())

    assert (size, root) == (signed.size, signed.root)
    assert rig.audit().root == root


def test_rows_that_no_entry_names_follow_the_documents(rig: Rig) -> None:
    """Keys, digests, seals and their sums are as written, with the workspace's secret."""
    naive_log.check_rows(rig.files.database, SECRET)
    with rig.attacked() as database:
        rows = dict(database.execute("SELECT key, digest FROM event_id").fetchall())

    assert len(rows) == 521
    for draft, key in (
        (event(7), ("event", "acme", "E-7")),
        (facility("F-1", name="Ölmühle"), ("facility", "F-1")),
    ):
        found = rows[naive_log.row_key(SECRET, *key)]
        assert found == naive_log.content_digest(SECRET, draft.content)


def test_high_water_follows_the_documents(rig: Rig) -> None:
    """Four lines: header, origin, size and root, as in the checkpoint."""
    lines = rig.files.high_water.read_text().split("\n")

    assert lines[0] == "provenance high-water v1"
    assert lines[1:4] == rig.files.checkpoint.read_text().split("\n")[:3]
    assert lines[4:] == [""]


def test_a_checkpoint_follows_the_documents(rig: Rig) -> None:
    """The lines of a checkpoint are origin, size, root, an empty line and a signature."""
    origin, size, root, empty, signature, end = rig.files.checkpoint.read_text().split("\n")

    assert (origin, size, empty, end) == (ORIGIN, "523", "", "")
    assert len(root) == 44
    assert signature.startswith(f"\u2014 {ORIGIN} ")
