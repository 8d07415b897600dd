"""A witness's directory: its key, the logs it follows, and what it cosigned last of each.

    witness.toml    the witness's name, and the keys of the logs it follows
    witness.key     signs cosignatures (mode 0600)
    state/          one file a log: the newest checkpoint that was cosigned
    refused/        signed checkpoints that did not continue it, each beside it, as evidence

A state file is that checkpoint with the witness's own cosignature, so nobody
without the key can make one. It is written when the log is first followed, with
the empty tree, and is never made anew while serving: a witness that has lost
its memory says so instead of cosigning whatever it is shown. An old state file
put back is not noticed: the directory is trusted for "never before".

Next: provenance/wire/cosign.py
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from typing import TYPE_CHECKING, Final

from provenance.errors import (
    InputError,
    StorageError,
    UsageError,
    VerificationError,
    WorkspaceDamaged,
    WorkspaceMissing,
)
from provenance.files import locked, replace_file
from provenance.hashing import EMPTY_ROOT
from provenance.notes import keys
from provenance.notes.checkpoint import (
    COSIGNATURE,
    ED25519,
    Checkpoint,
    Note,
    format_line,
    format_note,
    format_text,
    key_id,
    parse,
    parse_text,
    parse_vkey,
)
from provenance.notes.cosignature import check_line, cosign
from provenance.store.storage import translated
from provenance.wire.witness import Reply, admit, followed, judge, parse_request

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.clock import Clock, Entropy
    from provenance.notes.checkpoint import VerifierKey

__all__ = ["Witness", "create_witness"]

_LOCK_WAIT_SECONDS: Final = 10.0
_CLOCK_SLACK_SECONDS: Final = 5 * 60
_MOST_REFUSED: Final = 100
_UNPROVEN: Final = 422
_TEMPLATE: Final = """\
# A witness of Provenance logs. `provenance witness follow` adds logs.

# The witness's name, as it stands in its cosignatures. Never changes.
name = {name}
"""
_LOG: Final = """
[[log]]
vkey = {vkey}
"""


class Witness:
    """A witness at work; threads and processes may share its directory.

    Attributes:
        key: Signs cosignatures; its name is the witness's.
    """

    def __init__(self, directory: Path, clock: Clock) -> None:
        """Open the witness at `directory`.

        Raises:
            WorkspaceMissing: There is none.
            WorkspaceError: Its files cannot be read, or contradict each other.
        """
        self._directory = directory
        self._clock = clock
        name, _ = self._settings()
        self.key = keys.load(directory / "witness.key")
        if (self.key.name, self.key.verifier.type) != (name, COSIGNATURE):
            raise WorkspaceDamaged(
                f"{directory}: the key is not a witness's of the name {name}; restore the right one"
            )

    def followed(self) -> dict[str, list[VerifierKey]]:
        """Return the keys of each log by origin, as the settings are now.

        Raises:
            WorkspaceDamaged: The settings cannot be read.
        """
        return self._settings()[1]

    def _settings(self) -> tuple[str, dict[str, list[VerifierKey]]]:
        path = self._directory / "witness.toml"
        try:
            found = tomllib.loads(path.read_text())
            logs = followed([log["vkey"] for log in found.get("log", ())])
            name = found["name"]
        except (FileNotFoundError, NotADirectoryError):
            raise WorkspaceMissing(
                f"{self._directory}: no witness here; `provenance witness init` makes one"
            ) from None
        except RecursionError:
            raise WorkspaceDamaged(f"{path}: cannot be read: nested too deeply") from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, InputError) as error:
            raise WorkspaceDamaged(f"{path}: cannot be read: {error!a}") from None
        if not isinstance(name, str):
            raise WorkspaceDamaged(f"{path}: name must be a text")
        return name, logs

    def follow(self, vkey: str) -> None:
        """Follow a log under one more key; done already, it changes nothing.

        A crash between the two writes leaves a state file of a log that is not
        followed, which following it again takes up.

        Raises:
            UsageError: It is not a log's key.
            StorageError: The disk refused.
        """
        try:
            key = parse_vkey(vkey)
        except InputError as error:
            raise UsageError(f"{vkey!a}: {error}") from None
        if key.type != ED25519:
            raise UsageError(f"{vkey!a}: the key of a witness, not of a log")
        path = self._directory / "witness.toml"
        with translated(path), locked(self._directory / "lock", _LOCK_WAIT_SECONDS):
            if key in self.followed().get(key.name, ()):
                return
            if not self._place(key.name).exists():
                self._remember(Note(format_text(Checkpoint(key.name, 0, EMPTY_ROOT)), ()))
            text = path.read_text() + _LOG.format(vkey=_quoted(vkey))
            replace_file(path, text.encode())

    def add_checkpoint(self, data: bytes) -> Reply:
        """Answer a request to cosign, whatever it holds.

        Raises:
            WorkspaceError: The witness's own files cannot be used; nothing was cosigned.
            StorageError: The disk or the clock refused; nothing was cosigned.
        """
        try:
            request = parse_request(data)
        except InputError as error:
            return Reply(400, f"{error}\n")
        logs = self.followed()
        refused = admit(request, logs)
        if refused is not None:
            return refused
        said, note = parse(request.note)
        place = self._place(said.origin)
        # From reading the memory to replacing it nobody else comes between: two requests that
        # continue the same checkpoint differently cannot both be cosigned.
        with translated(place), locked(place.with_suffix(".lock"), _LOCK_WAIT_SECONDS):
            last, _ = self.last(said.origin)
            refused = judge(request, last)
            if refused is not None:
                if _contradicts(refused, said, last):
                    self._keep_refused(place, request.note)
                return refused
            known = {(key.name, key_id(*key)) for key in logs[said.origin]}
            lines = [one for one in note.signatures if (one.name, one.key_id) in known]
            line = self._remember(Note(note.text, tuple(lines)))
        # A crash here: it is remembered, and the log does not know. It asks again, is told the
        # size, and the same checkpoint is cosigned once more.
        return Reply(200, line)

    def last(self, origin: str) -> tuple[Checkpoint, int]:
        """Return what was cosigned last of a log, and when, in seconds since the epoch.

        Raises:
            WorkspaceDamaged: The memory is missing, or not one that this witness wrote.
            StorageError: It cannot be read.
        """
        place = self._place(origin)
        try:
            said, note = parse(place.read_bytes())
            seconds = check_line(note.signatures[-1], self.key.verifier, note.text)
        except FileNotFoundError:
            raise WorkspaceDamaged(
                f"{place}: what was cosigned last of {origin} is missing; restore it, or end this "
                "witness: without memory it could cosign two histories"
            ) from None
        except OSError as error:
            raise StorageError(f"{place}: cannot be read: {error.strerror}") from None
        except (InputError, VerificationError) as error:
            raise WorkspaceDamaged(f"{place}: {error}; restore it from a backup") from None
        if said.origin != origin:
            raise WorkspaceDamaged(f"{place}: is of {said.origin!a}; restore it from a backup")
        return said, seconds

    def _remember(self, note: Note) -> str:
        """Cosign a checkpoint and make that durable; returns the line. The caller holds the lock.

        The line exists only in this process until the file is durable: a crash
        before leaves the older memory, and nobody has seen the line.
        """
        said = parse_text(note.text)
        place = self._place(said.origin)
        seconds = self._clock() // 1_000_000
        if place.exists():
            seconds = self._not_before(self.last(said.origin)[1], seconds)
        made = cosign(self.key, note.text, seconds)
        place.parent.mkdir(mode=0o700, exist_ok=True)
        replace_file(place, format_note(Note(note.text, (*note.signatures, made))).encode())
        return format_line(made)

    def _keep_refused(self, memory: Path, note: str) -> None:
        """Keep what a log has signed beside what it had signed before, as evidence is kept.

        Only whoever holds the log's key can fill this, and only so far.
        """
        folder = self._directory / "refused"
        folder.mkdir(mode=0o700, exist_ok=True)
        text, _, _ = note.rpartition("\n\n")
        place = folder / f"{memory.name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        if not place.exists() and len(list(folder.iterdir())) < _MOST_REFUSED:
            place.mkdir(mode=0o700)
            replace_file(place / "first.checkpoint", memory.read_bytes())
            replace_file(place / "second.checkpoint", note.encode())

    def _not_before(self, last: int, seconds: int) -> int:
        if seconds < last - _CLOCK_SLACK_SECONDS:
            raise StorageError(
                f"the clock is {last - seconds} s behind the last cosignature; set it right"
            )
        return max(last, seconds)

    def _place(self, origin: str) -> Path:
        name = hashlib.sha256(origin.encode()).hexdigest()[:32]
        return self._directory / "state" / name


def _contradicts(refused: Reply, said: Checkpoint, last: Checkpoint) -> bool:
    """Whether a refused checkpoint cannot be true, or was not shown to be, beside the last."""
    other_root = said.size == last.size and said.root != last.root
    return last.size > 0 and (other_root or refused.status == _UNPROVEN)


def create_witness(directory: Path, name: str, clock: Clock, entropy: Entropy) -> Witness:
    """Make a witness: a key of its own, and no logs yet.

    Args:
        directory: Where; it must be absent or empty.
        name: In its cosignatures: an address without scheme that its owner controls.
        clock: Gives the time of cosignatures.
        entropy: Gives the key.

    Raises:
        UsageError: The name cannot be one, or the directory holds something already.
        StorageError: The disk refused.
    """
    try:
        key = keys.generate(name, entropy, COSIGNATURE)
    except InputError as error:
        raise UsageError(f"--name: {error}") from None
    with translated(directory):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise UsageError(f"{directory}: is not empty; a witness needs a directory of its own")
        # A crash before the settings are there leaves no witness, only a key that signed nothing.
        keys.save(key, directory / "witness.key")
        (directory / "state").mkdir(mode=0o700)
        replace_file(directory / "witness.toml", _TEMPLATE.format(name=_quoted(name)).encode())
    return Witness(directory, clock)


def _quoted(text: str) -> str:
    """Write a text as TOML; JSON's strings are TOML's, too."""
    return json.dumps(text, ensure_ascii=False)
