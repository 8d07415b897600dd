"""Small files beside the database: written whole or not at all, and locked.

Next: provenance/store/published.py
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from provenance.clock import monotonic
from provenance.errors import WorkspaceLocked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["copy_file", "locked", "replace_file", "sync_directory", "sync_file"]

_POLL_SECONDS: Final = 0.005


def replace_file(path: Path, data: bytes, *, mode: int = 0o644, settle: bool = True) -> None:
    """Put `data` at `path` so that a reader finds the old file or the new one, also after a crash.

    Args:
        path: The file; its directory must exist.
        data: The whole new content.
        mode: Permission bits of the new file.
        settle: Wait until the new file is durable under its name. Without it a power failure may
            bring the old file back, never a mixture.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    # A crash before the rename leaves only this hidden file, which the next
    # writer of the same process id overwrites.
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    if settle:
        sync_directory(path.parent)


def copy_file(source: Path, target: Path, *, mode: int = 0o600) -> None:
    """Copy a file to a new name, durably but for its directory; a crash leaves half of it."""
    with source.open("rb") as reader:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as writer:
            shutil.copyfileobj(reader, writer)
            writer.flush()
            os.fsync(writer.fileno())


def sync_file(path: Path) -> None:
    """Wait until what was written to a file is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_directory(directory: Path) -> None:
    """Wait until the names in a directory are on the disk."""
    sync_file(directory)


@contextmanager
def locked(path: Path, wait_seconds: float) -> Iterator[None]:
    """Hold the exclusive lock file `path`; the kernel frees it when its holder dies.

    Writers queue here rather than in SQLite, whose own waiting is unfair: four
    writers waited up to 2.5 s there and 0.14 s here.

    Raises:
        WorkspaceLocked: Another process held it for all of `wait_seconds`.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _wait_for(descriptor, path, monotonic() + wait_seconds)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, path: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if monotonic() > deadline:
                raise WorkspaceLocked(
                    f"{path}: another process is writing; wait for it or stop it"
                ) from None
            time.sleep(_POLL_SECONDS)
        else:
            return
