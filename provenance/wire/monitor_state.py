"""What a monitor remembers of a log, in a directory of its own.

    newest       the largest checkpoint that fits all seen before it
    heard        the largest size that each address has shown
    pending/     checkpoints that could not be compared yet, for want of an answer
    entries      how far entries were recomputed
    evidence/    a directory for each split view

Each file is replaced as a whole and durable before anything rests on it. The
directory is trusted: who can write it can make the monitor forget.

Next: provenance/wire/monitor.py
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from provenance.errors import InputError, VerificationError, WorkspaceDamaged
from provenance.files import replace_file
from provenance.store.storage import translated
from provenance.wire.evidence import Evidence, format_proof, parse_proof, read_signed

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.notes.checkpoint import Checkpoint
    from provenance.notes.trust import Trust

__all__ = ["Progress", "State", "read_evidence"]

_FIRST, _SECOND, _PROOF = "first.checkpoint", "second.checkpoint", "proof.txt"
_MAX_FILE: Final = 1 << 20  # bytes
_EXPLANATION: Final = """\
Evidence of a split view of the log {origin}.

first.checkpoint and second.checkpoint are both signed with the log's key and
cannot both be true. Where their sizes differ, proof.txt shows that the second
does not begin with the first. Anybody can check this with the log's public key:

    provenance verify --evidence . --policy log.policy

Do not change these files, and keep copies of them elsewhere.
"""


class Progress(NamedTuple):
    """How far entries were recomputed: their number, root, last chain value and last time."""

    size: int
    root: bytes
    chain: bytes
    time_us: int


class State:
    """What is remembered of one log."""

    def __init__(self, directory: Path, origin: str) -> None:
        """Use the part of `directory` that is the log's; it is made when there is none."""
        self.origin = origin
        self._place = directory / hashlib.sha256(origin.encode()).hexdigest()[:32]
        with translated(self._place):
            for name in ("pending", "evidence"):
                (self._place / name).mkdir(parents=True, exist_ok=True)

    def newest(self, trust: Trust) -> tuple[str, Checkpoint] | None:
        """Return the checkpoint that new ones are compared with; None before the first.

        Raises:
            WorkspaceDamaged: The file does not hold one of this log.
        """
        path = self._place / "newest"
        text = self._read(path)
        if text is None:
            return None
        try:
            said = read_signed(text, trust)
        except (InputError, VerificationError) as error:
            raise WorkspaceDamaged(f"{path}: {error}") from None
        if said.origin != self.origin:
            raise WorkspaceDamaged(f"{path}: is of the log {said.origin!a}")
        return text, said

    def remember(self, note: str) -> None:
        """Make a checkpoint the newest; the caller has seen that it continues the one before."""
        self._write(self._place / "newest", note)

    def heard(self) -> dict[str, int]:
        """Return the largest size that each address has shown.

        Raises:
            WorkspaceDamaged: The file cannot be read as that.
        """
        found: dict[str, int] = self._json("heard", {})
        if not all(type(size) is int for size in found.values()):
            raise WorkspaceDamaged(f"{self._place / 'heard'}: sizes are numbers")
        return found

    def hear(self, address: str, size: int) -> None:
        """Remember that an address has shown a size."""
        heard = self.heard()
        if heard.get(address, 0) < size:
            self._write(self._place / "heard", json.dumps({**heard, address: size}) + "\n")

    def pending(self) -> list[str]:
        """Return the checkpoints that wait to be compared."""
        with translated(self._place):
            paths = sorted((self._place / "pending").glob("[0-9]*"))
        return [text for text in map(self._read, paths) if text is not None]

    def postpone(self, note: str) -> None:
        """Keep a checkpoint until it can be compared."""
        self._write(self._place / "pending" / _name(note), note)

    def settle(self, note: str) -> None:
        """Forget that a checkpoint waited: it has been compared."""
        with translated(self._place):
            (self._place / "pending" / _name(note)).unlink(missing_ok=True)

    def progress(self) -> Progress | None:
        """Return how far entries were recomputed; None where they have not been.

        Raises:
            WorkspaceDamaged: The file cannot be read as that.
        """
        found = self._json("entries", {})
        if not found:
            return None
        try:
            return Progress(
                int(found["size"]),
                bytes.fromhex(found["root"]),
                bytes.fromhex(found["chain"]),
                int(found["time_us"]),
            )
        except (KeyError, TypeError, ValueError):
            raise WorkspaceDamaged(f"{self._place / 'entries'}: not what was written") from None

    def advance(self, progress: Progress) -> None:
        """Remember how far entries were recomputed."""
        size, root, chain, time_us = progress
        values = {"size": size, "root": root.hex(), "chain": chain.hex(), "time_us": time_us}
        self._write(self._place / "entries", json.dumps(values) + "\n")

    def accuse(self, evidence: Evidence) -> Path:
        """Keep evidence; returns its directory. Kept already, nothing is changed.

        The proof is written last: a crash before leaves a directory that the next
        look at the same checkpoints completes.
        """
        place = self._place / "evidence" / f"{_name(evidence.first)}-{_name(evidence.second)}"
        with translated(place):
            place.mkdir(exist_ok=True)
        self._write(place / "README.txt", _EXPLANATION.format(origin=self.origin))
        self._write(place / _FIRST, evidence.first)
        self._write(place / _SECOND, evidence.second)
        if evidence.proof is not None:
            self._write(place / _PROOF, format_proof(evidence.proof))
        return place

    def accusations(self) -> list[Path]:
        """Return the directories of the evidence that is kept."""
        with translated(self._place):
            return sorted((self._place / "evidence").iterdir())

    def _json(self, name: str, empty: Any) -> Any:
        path = self._place / name
        try:
            found = json.loads(self._read(path) or "null")
        except (ValueError, RecursionError):
            raise WorkspaceDamaged(f"{path}: not JSON") from None
        if found is None:
            return empty
        if not isinstance(found, dict):
            raise WorkspaceDamaged(f"{path}: not a JSON object")
        return found

    @staticmethod
    def _read(path: Path) -> str | None:
        with translated(path):
            try:
                return path.read_bytes().decode()
            except FileNotFoundError:
                return None

    @staticmethod
    def _write(path: Path, text: str) -> None:
        with translated(path):
            if State._read(path) != text:
                replace_file(path, text.encode())


def _name(note: str) -> str:
    """Name a file after a checkpoint: its size, and a digest of its text without signatures."""
    text, _, _ = note.rpartition("\n\n")
    return f"{note.split(chr(10), 2)[1]}.{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def read_evidence(place: Path) -> Evidence:
    """Read the evidence in a directory.

    Raises:
        InputError: The directory does not hold any.
    """
    try:
        first, second = _part(place / _FIRST), _part(place / _SECOND)
        proof = _part(place / _PROOF) if (place / _PROOF).exists() else None
    except OSError as error:
        raise InputError(f"{place}: holds no evidence: {error.strerror}") from None
    return Evidence(first, second, None if proof is None else parse_proof(proof))


def _part(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(_MAX_FILE + 1)
    try:
        if len(data) <= _MAX_FILE:
            return data.decode()
    except UnicodeDecodeError:
        pass
    raise InputError(f"{path}: not a text of at most {_MAX_FILE} bytes")
