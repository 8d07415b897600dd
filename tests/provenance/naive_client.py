"""A stranger who reads a whole log as c2sp.org/tlog-tiles says, with nothing of the program's."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from typing import TYPE_CHECKING, NamedTuple

import naive_tree
from blake3 import blake3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

if TYPE_CHECKING:
    from collections.abc import Callable

    Get = Callable[[str], bytes | None]
    """Fetches a path under the log's prefix; None where there is nothing."""


class Seen(NamedTuple):
    """What the stranger has read and checked."""

    size: int
    root: bytes
    leaves: list[bytes]
    bodies: dict[int, bytes]


def tile_path(level: str, number: int, width: int) -> str:
    """The specification's words, in its order."""
    steps = [number % 1000]
    while number := number // 1000:
        steps.insert(0, number % 1000)
    named = [f"x{step:03d}" for step in steps[:-1]] + [f"{steps[-1]:03d}"]
    return f"tile/{level}/{'/'.join(named)}" + (f".p/{width}" if width < 256 else "")


def tiles(get: Get, level: str, count: int, each: int) -> list[bytes]:
    """Read `count` things of `each` bytes in tiles of 256; each tile has just its bytes."""
    found = []
    for number in range(-(-count // 256)):
        width = min(256, count - number * 256)
        data = get(tile_path(level, number, width))
        assert data is not None, f"no tile {level}/{number} of {width}"
        assert len(data) == width * each
        found += [data[at : at + each] for at in range(0, len(data), each)]
    return found


def checkpoint(note: bytes, vkey: str) -> tuple[int, bytes]:
    """Check the first signature of a checkpoint; returns size and root."""
    text, _, signatures = note.decode().rpartition("\n\n")
    origin, size, root = text.split("\n")
    name, key_id, key = vkey.split("+", 2)
    assert origin == name
    line = signatures.split("\n")[0].split(" ")
    raw = base64.b64decode(line[2])
    assert (line[0], line[1], raw[:4].hex()) == ("\u2014", name, key_id)
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key)[1:])
    public.verify(raw[4:], f"{text}\n".encode())
    return int(size), base64.b64decode(root)


def read_log(get: Get, vkey: str, *, with_bodies: bool = True) -> Seen:
    """Read checkpoint, tiles, entries and bodies, and check each against the others."""
    note = get("checkpoint")
    assert note is not None
    size, root = checkpoint(note, vkey)
    entries = tiles(get, "entries", size, 90)
    assert all(entry[:2] == b"\0\x58" for entry in entries)
    leaves = [entry[2:] for entry in entries]
    level, hashes = 0, [hashlib.sha256(b"\0" + leaf).digest() for leaf in leaves]
    assert naive_tree.root(hashes) == root
    while hashes:
        assert tiles(get, str(level), len(hashes), 32) == hashes
        full = range(0, len(hashes) - len(hashes) % 256, 256)
        hashes = [naive_tree.root(hashes[at : at + 256]) for at in full]
        level += 1
    return Seen(size, root, leaves, _bodies(get, leaves) if with_bodies else {})


def _bodies(get: Get, leaves: list[bytes]) -> dict[int, bytes]:
    found = {}
    for index, leaf in enumerate(leaves):
        body = get(f"body/{index}")
        if body is not None:
            digest = blake3(body, derive_key_context="provenance 2026-11 body v1").digest()
            assert struct.unpack(">8sQ8s32s32s", leaf)[3] == digest
            assert "_v" in json.loads(body)
            found[index] = body
    return found
