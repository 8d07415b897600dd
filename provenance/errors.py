"""Every error the program raises on purpose, in one tree.

* ProvenanceError
    * UsageError ............ what was asked cannot be done as asked
    * InputError ............ a file or text from outside cannot be read; nothing of it was logged
    * EncodingError ......... a value is outside the canonical JSON domain
    * NotFound .............. no such event, item, facility or flag
    * AccessDenied .......... the viewer may not ask this, or its token is not valid
    * Interrupted ........... somebody asked to stop; what was acknowledged stays
    * RemoteError ........... another machine gave no answer, or not one of the agreed form
    * VerificationError ..... something does not add up: what, and where
    * WorkspaceError ........ the workspace cannot be used as it is
        * WorkspaceMissing .. there is none; `provenance init` makes one
        * WorkspaceLocked ... another process holds it
        * WorkspaceReadOnly . it may be read, not written
        * WorkspaceTooNew ... written by a newer version of the program
        * WorkspaceDamaged .. its files contradict each other
    * StorageError .......... the disk or database refused; nothing was half-written

A subclass exists only where a caller would act differently. Every message is
one line that names the place and, where there is one, the remedy.

Next: provenance/clock.py
"""

from __future__ import annotations

__all__ = [
    "AccessDenied",
    "EncodingError",
    "InputError",
    "Interrupted",
    "NotFound",
    "ProvenanceError",
    "RemoteError",
    "StorageError",
    "UsageError",
    "VerificationError",
    "WorkspaceDamaged",
    "WorkspaceError",
    "WorkspaceLocked",
    "WorkspaceMissing",
    "WorkspaceReadOnly",
    "WorkspaceTooNew",
]


class ProvenanceError(Exception):
    """Root of the tree; `exit_code` is what the command line exits with."""

    exit_code = 2


class UsageError(ProvenanceError):
    """What was asked cannot be done as asked: an argument or a setting is wrong."""


class InputError(ProvenanceError):
    """A file or text from outside cannot be read as a whole; nothing of it was logged."""

    exit_code = 1


class EncodingError(ProvenanceError):
    """A value lies outside the canonical JSON domain and cannot be hashed."""

    exit_code = 1


class NotFound(ProvenanceError):  # noqa: N818 - the word of the ports' contracts
    """No such event, item, facility, flag or entry."""

    exit_code = 1


class Erased(NotFound):
    """It was there, and has been erased."""


class AccessDenied(ProvenanceError):  # noqa: N818 - a verdict, like NotFound
    """The viewer may not ask this, or the token that it shows is not valid."""


class Interrupted(ProvenanceError):  # noqa: N818 - an event, not a fault
    """Somebody asked to stop; done between two batches, and the message says how to go on."""

    exit_code = 130


class RemoteError(ProvenanceError):
    """Another machine gave no answer, or not one of the agreed form; asking later may help."""

    exit_code = 1


class VerificationError(ProvenanceError):
    """Something does not add up; the message says what and where."""

    exit_code = 1


class WorkspaceError(ProvenanceError):
    """The workspace cannot be used as it is."""


class WorkspaceMissing(WorkspaceError):  # noqa: N818 - a state, like its siblings
    """There is no workspace at this place."""


class WorkspaceLocked(WorkspaceError):  # noqa: N818 - a state
    """Another process holds the workspace for longer than the caller would wait."""


class WorkspaceReadOnly(WorkspaceError):  # noqa: N818 - a state
    """The workspace may be read but not written."""


class WorkspaceTooNew(WorkspaceError):  # noqa: N818 - a state
    """The workspace was written by a newer version of the program."""


class WorkspaceDamaged(WorkspaceError):  # noqa: N818 - a state
    """The files of the workspace contradict each other."""

    exit_code = 1


class StorageError(ProvenanceError):
    """The disk or the database refused; the transaction was rolled back."""
