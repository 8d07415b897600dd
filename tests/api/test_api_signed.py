"""Rules of keys in the API: the key it shows verifies, and signed batches name their signer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import api_world
from api_asker import Asker

from api.app import build_app
from api.readers import Readers
from api.settings import ApiSettings
from api.store_reading import open_reading
from provenance.clock import system_entropy
from provenance.govern.rotation import rotate
from provenance.ingest.run import ingest
from provenance.notes import keys
from provenance.notes.parties import Party
from provenance.proving.proof import bundle_text
from provenance.verify import check_bundle, parse_policy
from workspace.workspace import Workspace, create_workspace

if TYPE_CHECKING:
    from pathlib import Path

KEY = keys.generate("acme", system_entropy)
ASKED = """{
  log { vkey checkpoint }
  signed: proof(party: "acme", eventId: "E-1") { signedBy bundle }
  unsigned: proof(party: "acme", eventId: "E-2") { signedBy bundle }
}"""


def deliver(workspace: Workspace, place: Path, number: int, signer: keys.LogKey | None) -> None:
    """Ingest one event."""
    table = place / f"{number}.csv"
    table.write_text(
        "event_id,event_time,event_type,product_id,lot_id\n"
        f"E-{number},2025-01-01,produce,cotton,C-{number}\n"
    )
    ingest(
        [str(table)],
        workspace.log,
        party="acme",
        quarantine=place / "quarantine",
        clock=workspace.clock,
        entropy=workspace.entropy,
        signer=signer,
    )


def test_the_api_shows_the_key_that_signs_now_and_who_signed(tmp_path: Path) -> None:
    """After a rotation a reader that was open all the while shows the new key."""
    create_workspace(tmp_path / "log", origin=api_world.ORIGIN, party="acme", domain=api_world.BASE)
    with Workspace(tmp_path / "log") as workspace:
        said = Party(0, "acme", "Acme", "mill", (KEY.vkey,), "2020-01-01")
        workspace.log.govern(lambda register: register.statement(said))
        readers = Readers(lambda: open_reading(workspace))
        asker = Asker(build_app(readers, ApiSettings(base="https://x", token=api_world.TOKEN)))
        assert asker.graphql("{ log { vkey } }")["data"]["log"]["vkey"] == workspace.vkey

        deliver(workspace, tmp_path, 1, KEY)
        deliver(workspace, tmp_path, 2, None)
        rotate(workspace.log, workspace.key_ring, workspace.entropy)
        workspace.sync_graph()
        found = asker.graphql(ASKED, operator=True)["data"]
        readers.close()

    assert found["log"]["vkey"] != workspace.vkey
    assert (found["signed"]["signedBy"], found["unsigned"]["signedBy"]) == (KEY.vkey, None)
    policy = parse_policy(f"log {found['log']['vkey']}\nquorum none\n".encode())
    for name, signed in (("signed", "ok"), ("unsigned", "failed")):
        bundle = bundle_text(found[name]["bundle"])
        verdicts = {one.name: one.status for one in check_bundle(bundle, policy, [KEY.vkey])}
        assert (verdicts["signed"], verdicts["included"]) == ("ok", "ok")
        assert verdicts["batch-signed"] == signed
