"""The answer to an ingest that added nothing: signed with the log's key, and outside the log.

Where nothing is appended there is no batch entry that could keep the answer,
and a log that anybody could fill with refusals would be no better for it. So
the answer is a note of its own. It shows that the holder of the log's key said
this of exactly these bytes, and can be held against it. It does not show that
everybody was told the same: no checkpoint covers it, and no witness has seen it.

Next: provenance/log.py
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from provenance.disclosure.privacy import b64
from provenance.errors import InputError, VerificationError
from provenance.files import replace_file
from provenance.notes.checkpoint import key_id, parse, parse_note, sign_note
from provenance.store.storage import translated

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.ingest.ports import LogWriter
    from provenance.ingest.receipt import Part
    from provenance.notes.checkpoint import Signer
    from provenance.notes.trust import Trust

__all__ = ["Answers", "Said", "check_answer", "said_in", "sign_answer"]

_TITLE: Final = "provenance answer/1, outside the log\n"
"""A checkpoint begins with a key name, which holds no space: no answer can pass for one."""
_NAMES: Final = frozenset({"origin", "payload", "sheet", "time_us", "party", "size", "receipt"})
_DAY_US: Final = 86_400_000_000
_LONGEST: Final = 300


class Said(NamedTuple):
    """An answer, taken apart.

    Attributes:
        note: As it was signed.
        content: What it says.
    """

    note: str
    content: dict[str, Any]


def sign_answer(part: Part, party: str, log: LogWriter, signer: Signer, time_us: int) -> str:
    """Sign what became of a file of which nothing was appended.

    Args:
        part: Its part of the receipt.
        party: The capturing party.
        log: As it is after the ingest.
        signer: The log's key of now.
        time_us: When, microseconds since 1970.
    """
    state, _ = parse(log.checkpoint())
    content = {
        "origin": log.origin,
        "size": state.size,
        "root": b64(state.root),
        "time_us": time_us,
        "party": party,
        "sheet": part.sheet,
        "payload": part.payload,
        "receipt": _cut(part.told()),
    }
    text = orjson.dumps(content, option=orjson.OPT_SORT_KEYS).decode()
    return sign_note(f"{_TITLE}{text}\n", [signer])


def _cut(told: dict[str, Any]) -> dict[str, Any]:
    """Keep the texts of an answer short: a column may be called anything."""
    return {
        name: [[text[:_LONGEST], count] for text, count in said] if isinstance(said, list) else said
        for name, said in told.items()
    }


def said_in(data: bytes) -> list[Said]:
    """Read the answers in a file: one note, or those of a receipt that was written as JSON.

    Nothing of them is trusted yet.

    Raises:
        InputError: There is none in it.
    """
    notes = [data.decode("utf-8", "replace")]
    if data.lstrip()[:1] == b"{":
        with suppress(ValueError, TypeError, LookupError, AttributeError):
            receipt = orjson.loads(data)
            parts = [*receipt.get("files", ()), receipt]
            notes = [part["answer"] for part in parts if part.get("answer")]
    found = [_taken_apart(note) for note in notes]
    if not found:
        raise InputError("the receipt holds no answer outside the log; its batches prove it")
    return found


def _taken_apart(note: object) -> Said:
    try:
        text = parse_note(str(note)).text
        content = orjson.loads(text.removeprefix(_TITLE))
        fits = text.startswith(_TITLE) and set(content) >= _NAMES
    except (ValueError, TypeError, InputError):
        fits = False
    if not fits:
        raise InputError("is no signed answer of a log to an ingest")
    return Said(str(note), content)


def check_answer(said: Said, trust: Trust) -> str:
    """Check who has signed an answer.

    Args:
        said: From `said_in`.
        trust: Whose keys count.

    Returns:
        The name of the log.

    Raises:
        VerificationError: No key of the log that it names, and that is trusted, has signed it.
    """
    note = parse_note(said.note)
    origin = str(said.content["origin"])
    keys = {key_id(*log.key): log.key for log in trust.logs if log.key.name == origin}
    for line in note.signatures:
        key = keys.get(line.key_id)
        if key is None or line.name != origin:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(
                line.signature, note.text.encode()
            )
        except (InvalidSignature, ValueError):
            raise VerificationError(f"the signature of {origin!a} is wrong") from None
        return origin
    raise VerificationError(f"no trusted key of {origin!a} has signed the answer")


class Answers:
    """The answers that a workspace keeps, of files that were refused as a whole.

    They lie beside the rows that were set aside, and are kept as long as those may be.
    """

    def __init__(self, quarantine: Path) -> None:
        """Look after `answers/` in a quarantine directory, which need not be there."""
        self._directory = quarantine / "answers"

    def keep(self, note: str) -> None:
        """Keep an answer; the newest of a file counts.

        Raises:
            StorageError: The disk refused.
        """
        content = _taken_apart(note).content
        with translated(self._directory):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._path(content["payload"], content["sheet"])
            replace_file(path, note.encode(), mode=0o600)

    def find(self, digest: bytes, sheet: str = "") -> Said | None:
        """Return the answer to a file with this digest, or to its one sheet, if one is kept."""
        path = self._path(digest.hex(), sheet)
        others = list(self._directory.glob(f"{digest.hex()}-*.note"))
        if not sheet and len(others) == 1 and not path.exists():
            (path,) = others
        try:
            return _taken_apart(path.read_text())
        except (OSError, ValueError, InputError):
            return None

    def expire(self, keep_days: int, time_us: int) -> int:
        """Drop what was kept for longer than so many days; 0 keeps it for ever.

        Returns:
            How many answers went.
        """
        gone = 0
        latest = time_us - keep_days * _DAY_US
        for path in self._directory.glob("*.note") if keep_days > 0 else ():
            with suppress(OSError, ValueError, InputError):
                if _taken_apart(path.read_text()).content["time_us"] < latest:
                    path.unlink()
                    gone += 1
        return gone

    def _path(self, payload: str, sheet: str) -> Path:
        name = f"{payload}-{hashlib.sha256(sheet.encode()).hexdigest()[:12]}" if sheet else payload
        return self._directory / f"{name}.note"
