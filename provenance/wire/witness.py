"""What a log asks of a witness and what a witness answers (c2sp.org/tlog-witness), as texts.

A log sends its newest checkpoint, and the proof that it continues the one that
the witness cosigned last. A witness that remembers one checkpoint of each log,
and never cosigns what does not continue it, keeps the log from showing
different histories to different people.

Pure: texts and the witness's memory in, an answer out.

Next: provenance/wire/witness_state.py
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING, Final, NamedTuple

from provenance.errors import InputError, VerificationError
from provenance.hashing import HASH_SIZE
from provenance.notes.checkpoint import ED25519, parse, parse_vkey, unbase64
from provenance.notes.cosignature import signed_by
from provenance.verify import verify_consistency

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provenance.notes.checkpoint import Checkpoint, Note, VerifierKey

__all__ = [
    "ADD_CHECKPOINT",
    "MAX_REQUEST",
    "SIZE_TYPE",
    "Reply",
    "Request",
    "admit",
    "conflict",
    "followed",
    "format_request",
    "judge",
    "parse_request",
    "parse_size",
]

ADD_CHECKPOINT: Final = "add-checkpoint"
"""What a submission prefix is followed by."""
SIZE_TYPE: Final = "text/x.tlog.size"
MAX_REQUEST: Final = 64 << 10
"""Bytes; 63 hashes, and a checkpoint with a hundred signature lines, are about 15 KiB."""
_MAX_PATH: Final = 63
_MAX_SIZE: Final = 2**63 - 1
_OLD: Final = re.compile("old (0|[1-9][0-9]{0,18})")
_SIZE: Final = re.compile("(0|[1-9][0-9]{0,18})\n")
_TEXT: Final = "text/plain; charset=utf-8"


class Request(NamedTuple):
    """A request to cosign.

    Attributes:
        old: The size that the witness is thought to have cosigned last.
        path: The consistency proof from there.
        note: The log's newest checkpoint, a signed note.
    """

    old: int
    path: tuple[bytes, ...]
    note: str


class Reply(NamedTuple):
    """A witness's answer: status as in HTTP, media type, text."""

    status: int
    text: str
    media_type: str = _TEXT


def format_request(request: Request) -> bytes:
    """Write a request's body.

    Raises:
        InputError: It would not be one, such as a proof of over 63 hashes.
    """
    lines = [f"old {request.old}", *(b64encode(node).decode() for node in request.path)]
    data = ("\n".join(lines) + f"\n\n{request.note}").encode()
    if parse_request(data) != request:
        raise InputError("these parts do not make a request to a witness")
    return data


def parse_request(data: bytes) -> Request:
    """Read a request's body; whose checkpoint it is, and what it proves, is not looked at.

    Raises:
        InputError: Not a request in its one form.
    """
    if len(data) > MAX_REQUEST:
        raise InputError(f"a request of {len(data)} bytes; at most {MAX_REQUEST} are read")
    try:
        head, divider, note = data.decode().partition("\n\n")
    except UnicodeDecodeError:
        raise InputError("a request is UTF-8 text, this is not") from None
    first, *lines = head.split("\n")
    old = _OLD.fullmatch(first)
    if not old or not divider or int(old[1]) > _MAX_SIZE:
        raise InputError("a request is a line `old SIZE`, hashes, an empty line and a checkpoint")
    if len(lines) > _MAX_PATH:
        raise InputError(f"a proof of {len(lines)} hashes; no tree needs more than {_MAX_PATH}")
    parse(note)
    return Request(int(old[1]), tuple(map(_hash, lines)), note)


def _hash(line: str) -> bytes:
    return unbase64(line, "a line of the proof", HASH_SIZE)


def parse_size(data: bytes) -> int:
    """Read the body of an answer of type `SIZE_TYPE`.

    Raises:
        InputError: Not a size and a newline.
    """
    text = data.decode("latin-1")
    match = _SIZE.fullmatch(text)
    if not match or int(match[1]) > _MAX_SIZE:
        raise InputError("the witness's size is not a plain decimal number")
    return int(match[1])


def followed(vkeys: Sequence[str]) -> dict[str, list[VerifierKey]]:
    """Sort the keys that a witness follows by the logs they are of; a log may have several.

    Raises:
        InputError: One is no vkey, or not a log's.
    """
    logs: dict[str, list[VerifierKey]] = {}
    for key in map(parse_vkey, vkeys):
        if key.type != ED25519:
            raise InputError(f"the vkey of {key.name!a} is a witness's, not a log's")
        logs.setdefault(key.name, []).append(key)
    return logs


def admit(request: Request, logs: Mapping[str, Sequence[VerifierKey]]) -> Reply | None:
    """Say why a request is none of this witness's business; None where it is.

    Args:
        request: What was asked.
        logs: The trusted keys of each log, by origin.
    """
    said, note = parse(request.note)
    keys = logs.get(said.origin)
    if keys is None:
        return Reply(404, f"this witness does not follow the log {said.origin!a}\n")
    if not _is_signed(note, keys):
        return Reply(403, "no key that this witness knows of the log has signed it\n")
    if request.old > said.size:
        return Reply(400, f"the old size {request.old} is over the checkpoint's, {said.size}\n")
    return None


def _is_signed(note: Note, keys: Sequence[VerifierKey]) -> bool:
    try:
        return bool(signed_by(note, keys))
    except VerificationError:
        return False


def judge(request: Request, last: Checkpoint) -> Reply | None:
    """Say why a witness that cosigned `last` cannot cosign an admitted request; None: it can.

    The caller lets nobody else change its memory between this and remembering the
    request's checkpoint.

    Args:
        request: What was asked, admitted.
        last: What the witness cosigned last of this log; of size 0 where nothing yet.
    """
    said, _ = parse(request.note)
    if request.old != last.size:
        return conflict(last.size)
    if said.size == last.size and said.root != last.root:
        return conflict(last.size)
    if last.size == 0:
        # From the empty tree there is nothing to prove, and the proof must say so.
        return Reply(422, "from size 0 the proof is empty\n") if request.path else None
    try:
        verify_consistency(last.size, said.size, list(request.path), last.root, said.root)
    except VerificationError as error:
        return Reply(422, f"the consistency proof does not hold: {error}\n")
    return None


def conflict(size: int) -> Reply:
    """Answer that the witness has cosigned another size last."""
    return Reply(409, f"{size}\n", SIZE_TYPE)
