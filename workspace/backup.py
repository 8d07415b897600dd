"""Backing a workspace up: a directory that holds what cannot be made again, checked.

A backup is a workspace that is only read (its role is "copy"): log, settings,
trust policy and quarantine, and the keys where they are asked for. The graph
is left out, since the log remakes it, and so are the keys of data subjects,
which are deleted to forget and must be nowhere else.

Next: workspace/restore.py
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from provenance.auditing.audit import audit
from provenance.errors import UsageError, VerificationError
from provenance.files import copy_file, replace_file
from provenance.govern.backup import copy_log
from workspace.layout import Layout
from workspace.making import placed
from workspace.settings import edited

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.govern.backup import Copied
    from workspace.workspace import Workspace

__all__ = [
    "BackedUp",
    "Progress",
    "back_up",
    "copy_keys",
    "copy_quarantine",
    "refuse_unsound",
    "stage",
]

_FORGETTABLE: Final = "subjects.db"

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much is done, and of how much."""


class BackedUp(NamedTuple):
    """What a backup holds.

    Attributes:
        log: The copied log.
        files: Rejected files in its quarantine.
        keys: Names of the key files in it; none where they were left out.
    """

    log: Copied
    files: int
    keys: tuple[str, ...]


def back_up(
    workspace: Workspace,
    destination: Path,
    progress: Progress,
    *,
    with_keys: bool = False,
    check: bool = True,
) -> BackedUp:
    """Copy a workspace to a new directory, while writers go on.

    All of it is made beside its place, made durable, and moved there in one
    step: a crash or a full disk leaves nothing that looks like a backup.

    Args:
        workspace: What to back up.
        destination: Where; absent, or an empty directory. Nothing is ever overwritten.
        progress: Told how far it is.
        with_keys: Put the signing key and the workspace's secret in, too.
        check: Recompute the whole copy before it is called a backup.

    Raises:
        UsageError: Something is at `destination`.
        VerificationError: The copy does not add up.
        WorkspaceError: The workspace is damaged, or an old copy itself.
        StorageError: The disk refused, or is full.
    """
    with placed(destination, workspace.entropy) as building:
        layout, copy = workspace.layout, Layout(building)
        log = copy_log(layout.log, copy.log, workspace.settings.origin, stage(progress, "Copying"))
        copy_file(layout.policy, copy.policy, mode=0o644)
        files = copy_quarantine(layout, copy)
        names = copy_keys(layout.log_key.parent, copy.log_key.parent) if with_keys else ()
        is_mirror = workspace.settings.role == "mirror"
        text = edited(layout.settings.read_text(), role="mirror" if is_mirror else "copy")
        replace_file(copy.settings, text.encode())
        if check:
            report = audit(
                copy.log,
                workspace.vkey,
                workspace.secret,
                stage(progress, "Verifying"),
                openings=not is_mirror,
                subjects=workspace.new_subjects(),
            )
            refuse_unsound(report.problems, layout.directory)
    return BackedUp(log, files, names)


def stage(progress: Progress, what: str) -> Callable[[int, int], None]:
    """Make the progress of one stage from that of all."""
    return lambda done, total: progress(what, done, total)


def refuse_unsound(problems: list[str], origin: Path) -> None:
    """Refuse a copy whose audit found problems.

    Raises:
        VerificationError: It did; the first is named.
    """
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise VerificationError(
            f"{origin}: what was copied does not add up: {problems[0]}{more}; nothing was kept"
        )


def copy_keys(source: Path, target: Path, *, of_subjects: bool = False) -> tuple[str, ...]:
    """Copy the key files; returns their names.

    Args:
        source: The directory that holds them.
        target: A directory that does not exist yet.
        of_subjects: The keys of data subjects, too; in a backup they could not be forgotten.

    Raises:
        UsageError: There are none.
    """
    try:
        found = sorted(path.relative_to(source) for path in source.rglob("*") if path.is_file())
    except FileNotFoundError:
        found = []
    except OSError as error:
        raise UsageError(f"{source}: {error.strerror}") from None
    kept = [name for name in found if of_subjects or not name.name.startswith(_FORGETTABLE)]
    if not kept:
        raise UsageError(f"{source}: no keys here; name the directory that holds them with --keys")
    target.mkdir(mode=0o700)
    for name in kept:
        (target / name).parent.mkdir(mode=0o700, exist_ok=True)  # keys/retired
        copy_file(source / name, target / name)
    return tuple(name.as_posix() for name in kept)


def copy_quarantine(source: Layout, target: Layout) -> int:
    """Copy the rejected files; returns how many there are."""
    target.quarantine.mkdir(mode=0o700)
    files = 0
    for path in sorted(source.quarantine.glob("[!.]*")) if source.quarantine.is_dir() else ():
        if path.is_dir():  # what is known of the files
            _copy_all(path, target.quarantine / path.name)
            continue
        try:
            copy_file(path, target.quarantine / path.name)
        except FileNotFoundError:
            continue  # corrected and taken away while we copied
        files += 1
    return files


def _copy_all(source: Path, target: Path) -> None:
    target.mkdir(mode=0o700)
    for path in sorted(source.glob("[!.]*")):
        copy_file(path, target / path.name)
