"""Restoring a backup: read again at once, written again only where nothing can have been lost.

A log that goes on from an old copy has two histories under one name. So a
restored workspace is only read, unless a checkpoint from outside proves that
the copy is the newest state the world has seen. What else it can become is a
new log that continues this one; `workspace.succession` makes that.

Next: workspace/succession.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from provenance.errors import InputError, UsageError, VerificationError
from provenance.files import copy_file, replace_file
from provenance.govern.backup import copy_log
from provenance.notes.checkpoint import parse, parse_vkey
from provenance.notes.cosignature import signed_by
from workspace.backup import copy_keys, copy_quarantine, refuse_unsound, stage
from workspace.layout import Layout
from workspace.making import placed
from workspace.settings import edited
from workspace.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.clock import Entropy
    from provenance.govern.backup import Copied
    from provenance.store.reading import LogReader
    from workspace.backup import Progress

__all__ = ["Backup", "Restored", "restore"]


class Backup(NamedTuple):
    """What to restore from.

    Attributes:
        directory: The backup, or a workspace.
        keys: The directory with its keys; None for the one in the backup.
    """

    directory: Path
    keys: Path | None = None

    @property
    def keys_directory(self) -> Path:
        """Where the keys are."""
        return self.keys or Layout(self.directory).log_key.parent


class Restored(NamedTuple):
    """What was restored: the log, its name, and whether it may be written."""

    origin: str
    log: Copied
    writable: bool


def restore(
    backup: Backup,
    directory: Path,
    entropy: Entropy,
    progress: Progress,
    *,
    newest: bytes | None = None,
) -> Restored:
    """Make a workspace of a backup, after recomputing all of it.

    Args:
        backup: What to restore.
        directory: Where; absent, or an empty directory.
        entropy: Names the hidden directory in which it is made.
        progress: Told how far it is.
        newest: The newest checkpoint of the log that anybody has seen. If it is the copy's,
            the restored log may be written; without it, it is only read.

    Raises:
        UsageError: There is something at `directory`, keys are missing, or the copy is not as new
            as `newest`.
        VerificationError: The copy does not add up, or `newest` is another history's.
        InputError: `newest` is no checkpoint.
        WorkspaceError: The backup cannot be read.
        StorageError: The disk refused.
    """
    with placed(directory, entropy) as building:
        log, origin = take_copy(backup, building, progress)
        if newest is not None:
            with Workspace(building) as made:
                _refuse_unless_newest(made.reader, newest)
            _set_role(building, "log")
    return Restored(origin, log, newest is not None)


def take_copy(backup: Backup, building: Path, progress: Progress) -> tuple[Copied, str]:
    """Copy a backup into an empty directory, to be only read, and recompute all of it.

    Returns:
        What the log holds, and its name.

    Raises:
        ProvenanceError: As for `restore`.
    """
    with Workspace(backup.directory) as source:
        copy, origin = Layout(building), source.settings.origin
        log = copy_log(source.layout.log, copy.log, origin, stage(progress, "Copying"))
        copy_file(source.layout.policy, copy.policy, mode=0o644)
        copy_quarantine(source.layout, copy)
        copy_keys(backup.keys_directory, copy.log_key.parent, of_subjects=True)
        copy_file(source.layout.settings, copy.settings, mode=0o644)
        if source.settings.role != "mirror":
            _set_role(building, "copy")
    with Workspace(building) as made:
        problems = made.audit(stage(progress, "Verifying")).problems
        refuse_unsound(problems, backup.directory)
    return log, origin


def _set_role(directory: Path, role: str) -> None:
    path = Layout(directory).settings
    replace_file(path, edited(path.read_text(), role=role).encode())


def _refuse_unless_newest(log: LogReader, newest: bytes) -> None:
    try:
        said, note = parse(newest)
    except InputError as error:
        raise InputError(f"--checkpoint: {error}") from None
    keys = [parse_vkey(vkey) for vkey in log.register.signers_at(said.size)]
    if said.origin != log.origin or {*signed_by(note, keys)} != {*keys}:
        raise VerificationError(
            f"--checkpoint: not one that the keys of {log.origin} have signed, as this copy "
            "knows them"
        )
    held = parse(log.checkpoint())[0]
    if said.size > held.size:
        raise UsageError(
            f"--checkpoint: the world has seen {said.size} entries, this copy holds {held.size}: "
            "going on with it would make two histories. Restore it without --checkpoint, to read "
            "it, or with --as, to continue it as a new log"
        )
    if log.root_at(said.size) != said.root:
        raise VerificationError("--checkpoint: of another history than this copy's")
    if said.size < held.size:
        raise UsageError(
            f"--checkpoint: of {said.size} entries, and this copy holds {held.size}: it does not "
            "prove that there are no newer ones; give the newest there is"
        )
