"""A log of a few entries held in memory, with witnesses and a signed batch, to be attacked."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

from provenance import canonical
from provenance.disclosure.privacy import Sealed, b64, seal
from provenance.disclosure.tiers import DEFAULT_POLICY
from provenance.entries import Draft, EntryType, Opening
from provenance.hashing import body_digest, chain_next, chain_start, leaf_hash
from provenance.notes.checkpoint import (
    COSIGNATURE,
    Checkpoint,
    NoteSignature,
    VerifierKey,
    format_note,
    format_vkey,
    key_id,
    parse_note,
    sign,
    sign_note,
)
from provenance.notes.keys import LogKey, generate
from provenance.proving import merkle, proof
from provenance.proving.leaf import encode_leaf

ORIGIN = "log.example/shipments"
PARTY = "acme"
COSIGNED_AT = 1_774_300_000


def seeded(seed: int) -> Any:
    """Entropy that gives the same bytes every time."""
    return random.Random(seed).randbytes


class Witness:
    """A C2SP witness: cosigns whatever it is shown."""

    def __init__(self, name: str, seed: int) -> None:
        """Make a witness with a key of its own."""
        self.key = LogKey(name, seeded(seed)(32))
        self.verifier = VerifierKey(name, COSIGNATURE, self.key.verifier.public)
        self.vkey = format_vkey(self.verifier)

    def cosign(self, note_text: str, at: int = COSIGNED_AT) -> str:
        """Add a cosignature/v1 line to a checkpoint."""
        note = parse_note(note_text)
        message = f"cosignature/v1\ntime {at}\n{note.text}".encode()
        line = NoteSignature(
            self.key.name, key_id(*self.verifier), at.to_bytes(8, "big") + self.key.sign(message)
        )
        return format_note(note._replace(signatures=(*note.signatures, line)))


class SmallLog:
    """Ten events, then the batch entry over the last seven of them."""

    def __init__(self) -> None:
        """Fill the log."""
        self.key = generate(ORIGIN, seeded(1))
        self.party = generate(PARTY, seeded(2))
        self.witnesses = [Witness(f"witness.example/w{n}", 100 + n) for n in range(3)]
        self.leaves: list[bytes] = []
        self.sealed: list[Sealed] = []
        for number in range(10):
            self.append(EntryType.EVENT, seal(event(number), DEFAULT_POLICY, seeded(50 + number)))
        self.digests = [body_digest(one.body) for one in self.sealed[3:]]
        self.append(EntryType.BATCH, Sealed(self._batch_body(), []))

    def append(self, kind: int, sealed: Sealed) -> None:
        """Chain one more leaf."""
        index = len(self.leaves)
        chain = chain_next(self.leaves[-1]) if self.leaves else chain_start(ORIGIN)
        digest = body_digest(sealed.body)
        self.leaves.append(encode_leaf(kind, index, 1_774_000_000_000_000, digest, chain))
        self.sealed.append(sealed)

    def _batch_body(self) -> bytes:
        count, root = len(self.digests), b64(self.tree(self.digests).root_at(len(self.digests)))
        note = sign_note(f"provenance-batch/v1\n{PARTY}\n{count}\n{root}\n", [self.party])
        return canonical.encode(
            {"_v": "batch/1", "_n": "AA", "party": PARTY, "count": count, "root": root}
            | {"ranges": [[3, 9]], "note": note}
        )

    @staticmethod
    def tree(hashed: list[bytes]) -> merkle.TileTree:
        """The tree over `hashed`."""
        return merkle.tree_of([leaf_hash(one) for one in hashed])[1]

    def checkpoint(self, size: int | None = None, cosigners: int = 0) -> str:
        """The signed checkpoint at `size`, with that many witnesses' lines."""
        size = len(self.leaves) if size is None else size
        note = sign(Checkpoint(ORIGIN, size, self.tree(self.leaves).root_at(size)), [self.key])
        for witness in self.witnesses[:cosigners]:
            note = witness.cosign(note)
        return note

    def bundle(self, index: int = 5, disclosed: int = 2, **parts: Any) -> dict[str, Any]:
        """A bundle with everything in it; `parts` go in as they are."""
        tree, size = self.tree(self.leaves), len(self.leaves)
        whole = {
            "origin": ORIGIN,
            "index": index,
            "leaf": self.leaves[index],
            "path": tree.inclusion_path(index, size),
            "checkpoint": self.checkpoint(cosigners=2),
            "body": self.sealed[index].body,
            "disclosed": self.openings(index)[:disclosed],
            "batch": self.batch_of(index) if 3 <= index < 10 else None,
            "consistency": proof.build_consistency(
                checkpoint=self.checkpoint(6), path=tree.consistency_path(6, size)
            ),
        }
        return proof.build_bundle(**(whole | parts))

    def openings(self, index: int) -> list[Opening]:
        """What opens an entry's commitments."""
        return [Opening(*fields) for fields in self.sealed[index].openings]

    def batch_of(self, index: int) -> dict[str, Any]:
        """The part of a bundle that leads to the batch."""
        return proof.build_batch(
            index=10,
            leaf=self.leaves[10],
            path=self.tree(self.leaves).inclusion_path(10, len(self.leaves)),
            body=self.sealed[10].body,
            position=index - 3,
            batch_path=self.tree(self.digests).inclusion_path(index - 3, len(self.digests)),
        )

    def policy(self, quorum: str = "two") -> bytes:
        """A trust policy with the log, its three witnesses and a quorum of two."""
        lines = [f"log {self.key.vkey} https://log.example/", "# who watches"]
        lines += [f"witness w{n} {one.vkey}" for n, one in enumerate(self.witnesses)]
        lines += ["group two 2 w0 w1 w2", f"quorum {quorum}", ""]
        return "\n".join(lines).encode()


def event(number: int) -> Draft:
    """An event with fields of every tier."""
    return Draft(
        EntryType.EVENT,
        "event/1",
        {
            "party": PARTY,
            "event_id": f"E-{number}",
            "event_type": "ship",
            "event_time": "2026-03-20T10:00:00Z",
            "facility_id": "F-1",
            "carrier": "Sea/Land ~ ≥ 1",
            "shipment_id": f"S-{number}",
            "declared_value_usd": {"_d": "26.50"},
            "items": [{"party": PARTY, "product_id": "P-1", "lot_id": "L-1", "quantity": 5}],
        },
    )


@cache
def small_log() -> SmallLog:
    """The one log that all tests read."""
    return SmallLog()
