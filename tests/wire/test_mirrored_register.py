"""Rules of mirrors of a log with rotated keys, parties and signed batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from log_factories import ORIGIN, Rig, event, seeded
from log_server import LogServer, serving

from provenance.disclosure.privacy import open_entry
from provenance.entries import EntryType, Outcome, Tier
from provenance.ingest.batches import BatchSigner, Claim, batch_draft
from provenance.notes import keys
from provenance.notes.parties import Party
from provenance.wire.fetch import source_at
from provenance.wire.remote import RemoteLog
from workspace.mirror import Source, make_mirror, pull_into
from workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from provenance.log import Log

SECOND, THIRD = (keys.generate(ORIGIN, seeded(n)) for n in (61, 62))
ACME = keys.generate("acme", seeded(63))


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """A log of five events."""
    (tmp_path / "log").mkdir()
    return Rig(tmp_path / "log").filled(5)


@pytest.fixture
def server() -> Iterator[LogServer]:
    """An empty server."""
    with serving() as made:
        yield made


def show(server: LogServer, log: Log) -> None:
    """Serve the log as it is now."""
    server.hold(log)


def pulled(server: LogServer, place: Path, *vkeys: str) -> None:
    """Let a mirror with a policy of these keys catch up."""
    policy = "".join(f"log {vkey}\n" for vkey in vkeys).encode() + b"quorum none\n"
    with RemoteLog("", source_at(server.address, sleep=lambda _: None)) as remote:
        source = Source(remote, policy)
        if not place.exists():
            make_mirror(place, source, seeded(7))
        pull_into(place, source, lambda _done, _total: None)


def sign_batch(log: Log) -> int:
    """Sign a batch over all events so far; returns its entry."""
    said = Party(0, "acme", "Acme", "maker", (ACME.vkey,), "2025-01-01")
    log.govern(lambda register: register.statement(said))
    claim = Claim()
    there = [entry.index for entry in log.entries(0) if entry.type == EntryType.EVENT]
    claim.take([Outcome("duplicate", index) for index in there], log)
    signer = BatchSigner("acme", ACME, lambda: 1_790_000_000_000_000)
    draft = signer.sign(batch_draft("acme", claim, {"name": "a.csv"}, bytes(32), {}), log)
    return log.append([draft])[0].index


def test_a_mirror_knows_parties_and_signed_batches(
    rig: Rig, server: LogServer, tmp_path: Path
) -> None:
    """Its bundles lead to the batch as the original's do."""
    log = rig.open()
    batch = sign_batch(log)
    show(server, log)
    pulled(server, tmp_path / "mirror", rig.key.vkey)

    with Workspace(tmp_path / "mirror") as mirror:
        assert mirror.reader.register.parties == log.register.parties
        assert mirror.reader.batch_of(3) == batch
        assert mirror.reader.prove(3)["batch"] == log.prove(3)["batch"] is not None
        assert "source" not in open_entry(mirror.reader.entry(batch), Tier.PRIVATE)
        assert mirror.audit(lambda _done, _total: None).problems == []
    log.close()


@pytest.mark.parametrize("seen", ["every checkpoint", "only the newest"])
def test_a_mirror_of_a_rotated_log_adds_up(
    rig: Rig, server: LogServer, tmp_path: Path, seen: str
) -> None:
    """Whether it saw the key handed over, or was given the new one by whoever runs it."""
    log = rig.open()
    place = tmp_path / "mirror"
    known = [rig.key.vkey]
    for number, key in enumerate((SECOND, THIRD)):
        log.append([event(20 + number)])
        log.govern(lambda register, key=key: register.rotation(key.vkey), key)
        known.append(key.vkey)
        if seen == "every checkpoint":
            show(server, log)
            pulled(server, place, *known)
    log.append([event(30)])
    show(server, log)
    pulled(server, place, *known)

    with Workspace(place) as mirror:
        assert mirror.reader.keys == log.keys == known
        assert mirror.audit(lambda _done, _total: None).problems == []
    log.close()
