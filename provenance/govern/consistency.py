"""What ties two states of a log together, and a checkpoint that somebody kept to this log.

A log only ever grows, so every checkpoint that it has signed begins all later
ones. A kept checkpoint for which that does not hold is evidence against the
log, and is told apart from all that is only an error.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, NamedTuple

from provenance.disclosure.privacy import b64
from provenance.errors import UsageError, VerificationError
from provenance.notes.checkpoint import Checkpoint, parse, parse_vkey
from provenance.notes.cosignature import signed_by
from provenance.proving.proof import build_consistency
from provenance.verify import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provenance.entries import Content
    from provenance.notes.trust import Trust
    from provenance.store.reading import LogReader

__all__ = ["Consistency", "consistency", "continues", "kept_checkpoint", "older_part"]


class Consistency(NamedTuple):
    """That one state of a log begins another.

    Attributes:
        old: The earlier state.
        new: The later one.
        path: The proof, in RFC 6962 order; empty between equal sizes.
    """

    old: Checkpoint
    new: Checkpoint
    path: list[bytes]

    def to_content(self) -> Content:
        """Return it as JSON values, hashes in base64url."""
        sides = {"old": self.old, "new": self.new}
        return {
            "v": "provenance/consistency/1",
            "origin": self.new.origin,
            **{name: {"size": one.size, "root": b64(one.root)} for name, one in sides.items()},
            "path": [b64(node) for node in self.path],
        }


def kept_checkpoint(log: LogReader, text: bytes, trust: Trust) -> Checkpoint:
    """Read a checkpoint that somebody kept, and hold it against the log.

    Args:
        log: The log that it should be of.
        text: The signed note.
        trust: Whose signature counts, besides those of the keys that the log names itself.

    Raises:
        InputError: It is no checkpoint.
        UsageError: It is of another log, or of size 0.
        VerificationError: It is not signed by the log; or it is, and of another history.
    """
    said, note = parse(text)
    if said.origin != log.origin:
        raise UsageError(f"it is a checkpoint of the log {said.origin}, not of {log.origin}")
    keys = {*(one.key for one in trust.logs), *map(parse_vkey, log.keys)}
    if not signed_by(note, [key for key in keys if key.name == said.origin]):
        raise VerificationError(f"no key of {log.origin} has signed it")
    if not said.size:
        raise UsageError("it is of size 0, from which nothing can be proven")
    if said.size > (size := log.size):
        raise VerificationError(
            f"the log signed {said.size} entries and has {size} here: entries were cut off, or "
            "this is an old copy"
        )
    if said.root != (root := log.root_at(said.size)):
        raise VerificationError(
            f"THIS CHECKPOINT IS OF ANOTHER HISTORY: the log's key signed root {_text(said.root)} "
            f"at size {said.size}, and the log here has {_text(root)}; keep both, they are evidence"
        )
    return said


def _text(root: bytes) -> str:
    return b64encode(root).decode()  # as checkpoints write it


def consistency(log: LogReader, old: int, new: int) -> Consistency:
    """Prove that the log at size `old` begins the log at size `new`.

    Raises:
        UsageError: `old` is 0 or over `new`, or the log has no such size.
    """
    path = log.consistency_path(old, new)
    before, after = (Checkpoint(log.origin, size, log.root_at(size)) for size in (old, new))
    return Consistency(before, after, path)


def older_part(log: LogReader, note: str, bundle: Content) -> Content:
    """Make the part that ties an older signed checkpoint to a bundle's; see `proof`.

    Args:
        log: The log of both.
        note: The older checkpoint, one that `kept_checkpoint` has passed.
        bundle: From `LogReader.prove`.

    Raises:
        UsageError: The note is newer than the bundle's checkpoint.
    """
    old, new = (parse(text)[0].size for text in (note, bundle["checkpoint"]))
    if old > new:
        raise UsageError(f"the kept checkpoint is of size {old}, the proof's of {new}")
    return build_consistency(checkpoint=note, path=log.consistency_path(old, new))


def continues(bundle: bytes, verdicts: Sequence[Verdict], kept: bytes, trust: Trust) -> Verdict:
    """Judge whether a bundle's log continues the checkpoint that the reader of the bundle kept.

    A bundle chooses the older checkpoint that it leads on from; this says whether that is the
    kept one.

    Args:
        bundle: The bundle.
        verdicts: What `verify.check_bundle` said of it.
        kept: The kept checkpoint, a signed note.
        trust: Whose signature counts.

    Raises:
        InputError: What was kept is no checkpoint.
    """
    said, note = parse(kept)
    content = json.loads(bundle)  # as the verifier read it: orjson refuses more
    own, part = parse(content["checkpoint"]), content["consistency"]
    status = {verdict.name: verdict for verdict in verdicts}
    if not signed_by(note, [one.key for one in trust.logs if one.key.name == said.origin]):
        return Verdict("continues", "failed", "the kept checkpoint is signed by no trusted key")
    if note.text == own[1].text:
        return Verdict("continues", status["signed"].status, "the kept checkpoint is its own")
    led = part is not None and parse(part["checkpoint"])[1].text == note.text
    if led and status["consistent"].status == "ok":
        return Verdict("continues", "ok", f"the kept checkpoint at size {said.size}")
    if said[:2] == own[0][:2]:
        text = "ANOTHER HISTORY than the kept checkpoint's, of one size; keep both, as evidence"
        return Verdict("continues", "failed", text)
    text = "does not lead on from the kept checkpoint; ask for a proof with `--older`"
    return Verdict("continues", "failed", text)
