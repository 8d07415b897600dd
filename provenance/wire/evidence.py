"""Evidence of a split view: two signed checkpoints of one log that cannot both be true.

Of one size and with two roots they contradict each other as they stand. Of two
sizes they do with a third part: a consistency proof from the larger tree to the
root that it really has at the smaller size, which is not the root that the
smaller checkpoint states. Nobody without the log's key can make such evidence,
and nobody with it can explain it away, so it can be handed to anybody.

Pure. The parts are three texts: `first`, `second` and, for two sizes, `proof`:

    provenance split view v1
    BASE64      the root of the second checkpoint's tree at the first one's size
    BASE64 ...  the consistency proof (RFC 6962 section 2.1.2) from there

Next: provenance/wire/monitor_state.py
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Final, NamedTuple

from provenance.errors import InputError, VerificationError
from provenance.hashing import HASH_SIZE
from provenance.notes.checkpoint import parse, unbase64
from provenance.notes.cosignature import signed_by
from provenance.verify import verify_consistency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provenance.notes.checkpoint import Checkpoint
    from provenance.notes.trust import Trust

__all__ = ["Evidence", "Proof", "check_evidence", "format_proof", "parse_proof", "read_signed"]

_HEADER: Final = "provenance split view v1"
_MAX_LINES: Final = 1 + 1 + 63 + 1


class Proof(NamedTuple):
    """What the second tree really is at the first size, and the path that shows it."""

    begun: bytes
    path: tuple[bytes, ...]


class Evidence(NamedTuple):
    """Two signed checkpoints, the smaller first, and the proof where their sizes differ."""

    first: str
    second: str
    proof: Proof | None


def format_proof(proof: Proof) -> str:
    """Write the proof's text."""
    nodes = (b64encode(node).decode() for node in (proof.begun, *proof.path))
    return "".join(f"{line}\n" for line in (_HEADER, *nodes))


def parse_proof(text: str) -> Proof:
    """Read the proof's text.

    Raises:
        InputError: Not in the one form that `format_proof` writes.
    """
    header, *lines = text.split("\n")
    if header != _HEADER or lines[-1:] != [""] or not 1 < len(lines) < _MAX_LINES:
        raise InputError(f"the proof of a split view begins with `{_HEADER}` and holds hashes")
    nodes = [_hash(line) for line in lines[:-1]]
    return Proof(nodes[0], tuple(nodes[1:]))


def _hash(line: str) -> bytes:
    return unbase64(line, "a line of the proof", HASH_SIZE)


def read_signed(text: bytes | str, trust: Trust) -> Checkpoint:
    """Read a checkpoint that a log of the policy has signed.

    Raises:
        InputError: It is no checkpoint.
        VerificationError: No key that the policy trusts for its log has signed it.
    """
    said, note = parse(text)
    keys = [log.key for log in trust.logs if log.key.name == said.origin]
    if not keys:
        raise VerificationError(f"the policy names no log {said.origin!a}")
    if not signed_by(note, keys):
        raise VerificationError(
            f"no key that the policy trusts for {said.origin} has signed it; if the log has "
            "changed its key, put the new one into the policy"
        )
    return said


def check_evidence(evidence: Evidence, trust: Trust) -> str:
    """Check that evidence proves a split view, from its texts and the log's keys alone.

    Returns:
        What it proves, in one sentence.

    Raises:
        InputError: A part of it cannot be read.
        VerificationError: It proves nothing; the message says why.
    """
    first, second = read_signed(evidence.first, trust), read_signed(evidence.second, trust)
    if first.origin != second.origin:
        raise VerificationError("the checkpoints are of two logs")
    if first.size == second.size:
        if first.root == second.root:
            raise VerificationError("the checkpoints agree")
        return f"{first.origin} has signed two roots for {first.size} entries"
    if evidence.proof is None:
        raise VerificationError("the sizes differ, and there is no proof that leads between them")
    begun, path = evidence.proof
    _lead(first, second, begun, path)
    if begun == first.root:
        raise VerificationError("the checkpoints agree: the second continues the first")
    return (
        f"{first.origin} has signed a history of {second.size} entries that does not begin with "
        f"the {first.size} entries that it signed as well"
    )


def _lead(first: Checkpoint, second: Checkpoint, begun: bytes, path: Sequence[bytes]) -> None:
    try:
        verify_consistency(first.size, second.size, list(path), begun, second.root)
    except VerificationError as error:
        raise VerificationError(f"the proof does not hold: {error}") from None
