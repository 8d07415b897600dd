"""Rules of serving the log: the whole tree from outside, nothing beyond it, nothing private."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import api_world
import naive_client
import pytest
from api_asker import Asker

from api.app import build_app
from api.readers import Readers
from api.settings import ApiSettings
from api.store_reading import open_reading
from provenance.entries import Tier
from provenance.notes.checkpoint import parse
from provenance.wire.paths import ENTRIES, Address

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from workspace.workspace import Workspace

FOR_EVER = "public, max-age=31536000, immutable"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A chain of more entries than a tile has room for."""
    directory: Path = tmp_path_factory.mktemp("tiles") / "chain"
    with api_world.build(directory, copies=120) as made:
        assert made.reader.size > 300
        yield made


@pytest.fixture(scope="module")
def ask_large(large: Workspace) -> Iterator[Asker]:
    """The app on it."""
    readers = Readers(lambda: open_reading(large))
    yield Asker(build_app(readers, ApiSettings(base=api_world.BASE, token=api_world.TOKEN)))
    readers.close()


def test_a_stranger_verifies_the_whole_log(large: Workspace, ask_large: Asker) -> None:
    """Checkpoint, tiles, entries and bodies, read by the specification alone, add up."""

    def get(path: str) -> bytes | None:
        answer = ask_large("GET", f"/{path}")
        return answer.content if answer.status_code == 200 else None

    seen = naive_client.read_log(get, large.vkey)
    assert (seen.size, seen.root) == parse(large.reader.checkpoint())[0][1:]
    assert seen.leaves == [entry.leaf for entry in large.reader.entries(0)]
    assert [seen.bodies[entry.index] for entry in large.reader.entries(0)] == [
        entry.body for entry in large.reader.entries(0)
    ]


def test_every_narrower_tile_is_served_and_none_wider(large: Workspace, ask: Asker) -> None:
    """Partial tiles of every size there has been; what no checkpoint covers is 404."""
    head = parse(ask("GET", "/checkpoint").text)[0]
    whole = ask("GET", f"/{Address(0, 0, head.size).path}").content
    for level, each in ((0, 32), (ENTRIES, 90)):
        full = ask("GET", f"/{Address(level, 0, head.size).path}").content
        for width in range(1, head.size + 1):
            answer = ask("GET", f"/{Address(level, 0, width).path}")
            assert answer.content == full[: width * each]
    assert len(whole) == head.size * 32
    for beyond in (
        Address(0, 0, head.size + 1),
        Address(0, 0),
        Address(0, 1, 1),
        Address(1, 0, 1),
        Address(63, 0, 1),
        Address(ENTRIES, 0, head.size + 1),
        Address(ENTRIES, 2**60),
    ):
        answer = ask("GET", f"/{beyond.path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["tile/0/0", "tile/0/000.p/0", "tile/64/000", "tile/x", "tile/entries/1", "body/01"]
)
def test_what_is_no_path_of_a_log_is_400(ask: Asker, path: str) -> None:
    """A spelling that the specification does not have is refused with the reason."""
    answer = ask("GET", f"/{path}")
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_INPUT")
    assert "is not the path of" in answer.json()["detail"]


def test_tiles_are_kept_for_ever_and_bodies_are_asked_for_again(ask_large: Asker) -> None:
    """Content types and caching as the specification has them; no form depends on the caller."""
    for path, kind, caching in (
        ("tile/0/000", "application/octet-stream", FOR_EVER),
        ("tile/0/001.p/2", "application/octet-stream", FOR_EVER),
        ("tile/entries/000", "application/octet-stream", FOR_EVER),
        ("body/0", "application/json", "no-cache"),
        ("checkpoint", "text/plain; charset=utf-8", "no-cache"),
    ):
        answer = ask_large("GET", f"/{path}")
        headers = answer.headers
        assert (headers["content-type"], headers["cache-control"]) == (kind, caching)
        assert headers["access-control-allow-origin"] == "*"
        assert headers["x-content-type-options"] == "nosniff"
        again = ask_large("GET", f"/{path}", headers={"if-none-match": headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["cache-control"] == caching
        if path != "checkpoint":
            assert "vary" not in headers
            wrong = ask_large("GET", f"/{path}", headers={"authorization": "Bearer wrong"})
            assert wrong.content == answer.content
        assert ask_large("HEAD", f"/{path}").headers["etag"] == headers["etag"]


def test_a_log_that_is_open_shows_no_field_that_is_not_public(ask: Asker) -> None:
    """Bodies hold commitments: no secret of the test chain is in any of them."""
    size = parse(ask("GET", "/checkpoint").text)[0].size
    whole = b"".join(ask("GET", f"/body/{index}").content for index in range(size))
    assert b'"_c"' in whole
    assert [secret for secret in api_world.SECRETS if secret.encode() in whole] == []
    assert ask("GET", f"/body/{size}").status_code == 404


def test_an_erased_body_is_410(tmp_path: Path) -> None:
    """Gone is told apart from never there."""
    with api_world.build(tmp_path / "chain") as workspace:
        workspace.log._connection.execute("UPDATE body SET body = NULL WHERE idx = 3")
        readers = Readers(lambda: open_reading(workspace))
        asker = Asker(build_app(readers, ApiSettings(base=api_world.BASE)))
        gone = asker("GET", "/body/3")
        assert (gone.status_code, gone.json()["code"]) == (410, "ERASED")
        assert gone.headers["cache-control"] == "no-store"
        assert asker("GET", "/body/2").status_code == 200
        readers.close()


def test_bodies_can_be_kept_for_those_with_a_token(large: Workspace) -> None:
    """Where bodies are not for everybody, the rest of the log still is, and a token opens them."""
    readers = Readers(lambda: open_reading(large))
    settings = ApiSettings(base=api_world.BASE, token=api_world.TOKEN, bodies=Tier.PARTNER)
    ask = Asker(build_app(readers, settings))
    token = {"authorization": f"Bearer {api_world.TOKEN}"}

    for path in ("/body/1", "/body/999999", "/body/x"):
        refused = ask("GET", path)
        assert refused.status_code == 401
        assert refused.json()["code"] == "UNAUTHENTICATED"
    assert ask("GET", "/body/1", headers=token).content == large.reader.entry(1).body
    assert ask("GET", "/tile/0/000").status_code == 200
    assert ask("GET", "/checkpoint").status_code == 200
    readers.close()


def test_a_damaged_tile_is_not_served(tmp_path: Path) -> None:
    """A stored tile that is too short is our failure, not a shorter tile."""
    with api_world.build(tmp_path / "chain") as workspace:
        connection = workspace.log._connection
        connection.execute("DROP TRIGGER tile_only_grows")
        connection.execute("UPDATE tile SET hashes = substr(hashes, 1, 40) WHERE level = 0")
        size = workspace.reader.size
        readers = Readers(lambda: open_reading(workspace))
        asker = Asker(build_app(readers, ApiSettings(base=api_world.BASE)))
        assert asker("GET", f"/{Address(0, 0, size).path}").status_code == 503
        assert asker("GET", "/tile/0/000.p/1").status_code == 200
        readers.close()


def test_the_checkpoint_carries_what_witnesses_said(tmp_path: Path) -> None:
    """Cosignatures that are stored for the latest checkpoint are served with it, and in proofs."""
    with api_world.build(tmp_path / "chain") as workspace:
        note = workspace.reader.checkpoint()
        line = note.split("\n\n")[1].strip().replace(api_world.ORIGIN, "witness.example/w")
        workspace.log._connection.execute(
            "INSERT INTO cosignature VALUES (?, x'00000000', '', ?)",
            (workspace.reader.size, line),
        )
        readers = Readers(lambda: open_reading(workspace))
        asker = Asker(build_app(readers, ApiSettings(base=api_world.BASE)))
        assert asker("GET", "/checkpoint").text == f"{note}{line}\n"
        proof = asker("GET", f"/proof/{api_world.MAKER}/{quote('M/2 ü', safe='')}")
        assert proof.json()["checkpoint"] == f"{note}{line}\n"
        assert workspace.reader.checkpoint() == note
        readers.close()


def test_scripts_may_ask_and_nobody_may_write(ask: Asker) -> None:
    """OPTIONS is answered as elsewhere; other methods are refused."""
    for path in ("/tile/0/000", "/body/0"):
        preflight: httpx.Response = ask("OPTIONS", path, headers={"origin": "https://x.example"})
        assert preflight.status_code == 204
        assert ask("PUT", path).status_code == 405
