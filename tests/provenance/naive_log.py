"""A log recomputed as docs/data-model.md writes it down, with nothing of the program's own."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from typing import TYPE_CHECKING, Any

import apsw
import naive_tree
import rfc8785
from blake3 import blake3

if TYPE_CHECKING:
    from pathlib import Path


def b64(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def derived(use: str, data: bytes) -> bytes:
    """BLAKE3 in derive-key mode, for one use of the format."""
    return blake3(data, derive_key_context=f"provenance 2026-11 {use} v1").digest()


def keyed(secret: bytes, purpose: str, data: bytes) -> bytes:
    """BLAKE3 keyed with the workspace secret."""
    return blake3(purpose.encode() + b"\x00" + data, key=secret).digest()


def recompute(database: Path, origin: str) -> tuple[int, bytes]:
    """Check every leaf, body, opening and tile; returns size and root."""
    log = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    hashes = []
    chain, latest = derived("chain", origin.encode()), 0
    erased = _erased(log)
    ask = "SELECT leaf.idx, leaf, body FROM leaf JOIN body USING (idx) ORDER BY idx"
    for place, (index, leaf, body) in enumerate(log.execute(ask).fetchall()):
        magic, _, flags, padding, number, time, digest, before = struct.unpack(
            ">4sBBHQQ32s32s", leaf
        )
        assert (magic, flags, padding, number, index) == (b"PLE1", 0, 0, place, place)
        assert before == chain
        assert time >= latest
        gone = erased.get(index, set())
        assert (body is None) == (None in gone)
        if body is not None:
            assert digest == derived("body", body)
        _check_openings(log, index, body, gone)
        chain, latest = derived("chain", leaf), time
        hashes.append(hashlib.sha256(b"\x00" + leaf).digest())
    _check_tiles(log, hashes)
    root = naive_tree.root(hashes)
    ask = "SELECT size, root, chain, ingest_time_us FROM head"
    assert log.execute(ask).fetchall() == [(len(hashes), root, chain, latest)]
    log.close()
    return len(hashes), root


def _erased(log: apsw.Connection) -> dict[int, set[str | None]]:
    """What the erasure entries name: paths by entry, None for whole bodies."""
    named: dict[int, set[str | None]] = {}
    ask = "SELECT leaf, body FROM leaf JOIN body USING (idx)"
    for leaf, body in log.execute(ask):
        if leaf[4] == 8:
            for index, path in json.loads(body)["erased"]:
                named.setdefault(index, set()).add(path)
    return named


def _check_openings(
    log: apsw.Connection, index: int, body: bytes | None, gone: set[str | None]
) -> None:
    content = json.loads(body or b"{}")
    assert body is None or rfc8785.dumps(content) == body
    ask = "SELECT path, salt, preimage FROM opening WHERE idx = ?"
    opened = {path: (salt, preimage) for path, salt, preimage in log.execute(ask, (index,))}
    assert opened.keys() == content.get("_c", {}).keys() - gone
    for path, (salt, preimage) in opened.items():
        assert b64(derived("field", salt + preimage)) == content["_c"][path]
        assert json.loads(preimage)[0] == path
        assert rfc8785.dumps(json.loads(preimage)) == preimage


def _check_tiles(log: apsw.Connection, hashes: list[bytes]) -> None:
    """Tile N of level L holds the hashes of height 8L from 256N on; only full ones rise."""
    expected = {}
    level = 0
    while hashes:
        for number in range(0, len(hashes), 256):
            expected[level, number // 256] = b"".join(hashes[number : number + 256])
        full = range(0, len(hashes) - len(hashes) % 256, 256)
        hashes = [naive_tree.root(hashes[number : number + 256]) for number in full]
        level += 1
    ask = "SELECT level, number, hashes FROM tile"
    assert {(level, number): data for level, number, data in log.execute(ask)} == expected


def check_rows(database: Path, secret: bytes) -> None:
    """Check the seals of the rows that no entry names, and their sums in the head."""
    log = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    events: list[bytes] = []
    tables = ("event_id", "event_id_1", "event_id_2", "event_id_3", "event_id_settled")
    rows = [row for table in tables for row in log.execute(f"SELECT * FROM {table}").fetchall()]
    assert len({key for key, *_ in rows}) == len(rows)
    for key, digest, index, mac in rows:
        assert (len(key), len(digest or bytes(16)), len(mac)) == (16, 16, 16)
        events.append(keyed(secret, "row", key + (digest or b"") + index.to_bytes(8, "big")))
        assert events[-1][:16] == mac
    makers: list[bytes] = []
    for *row, mac in log.execute("SELECT lot_id, party, product_id, idx, mac FROM maker"):
        makers.append(keyed(secret, "maker", rfc8785.dumps(row)))
        assert makers[-1][:16] == mac
    ask = "SELECT size, root, row_sums FROM head"
    size, root, sums = log.execute(ask).fetchall()[0]
    mask = keyed(secret, "sums", size.to_bytes(8, "big") + root)
    assert _xor(sums, mask) == _joined(events) + _joined(makers)
    log.close()


def _joined(seals: list[bytes]) -> bytes:
    whole = bytes(16)
    for seal in seals:
        whole = _xor(whole, seal[16:])
    return whole


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def row_key(secret: bytes, *key: str) -> bytes:
    """How a row is known again."""
    return keyed(secret, "key", rfc8785.dumps(list(key)))[:16]


def content_digest(secret: bytes, content: Any) -> bytes:
    """How a second arrival is compared."""
    return keyed(secret, "content", rfc8785.dumps(content))[:16]
