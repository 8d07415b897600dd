"""The log as files that any static host can serve (c2sp.org/tlog-tiles).

An export is repeated in place and writes only what is new. Its checkpoint comes
last: whoever reads the directory at any moment, or after a crash, finds
everything that the checkpoint there speaks of.

Next: provenance/wire/remote.py
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Final, NamedTuple

from provenance.errors import InputError, StorageError, UsageError, WorkspaceDamaged
from provenance.files import replace_file
from provenance.notes.checkpoint import Checkpoint, parse
from provenance.proving.merkle import TILE_WIDTH
from provenance.store.storage import translated
from provenance.wire.bundles import format_entries
from provenance.wire.paths import CHECKPOINT, ENTRIES, Address, addresses, body_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from provenance.store.reading import LogReader

    Progress = Callable[[int, int], object]

__all__ = ["Exported", "export"]

_CHUNK: Final = 1_000
_NOTHING: Final = Checkpoint("", 0, b"")


class Exported(NamedTuple):
    """What an export did.

    Attributes:
        size: Entries under the checkpoint that the directory shows now.
        before: Entries under the one that it showed before; 0 where it showed none.
        written: Files written, the checkpoint not among them.
        removed: Bodies removed because they were erased.
    """

    size: int
    before: int
    written: int
    removed: int


def export(
    log: LogReader,
    directory: Path,
    progress: Progress = lambda _done, _total: None,
    *,
    bodies: bool = True,
) -> Exported:
    """Write the log's public part into a directory, or bring an earlier export up to date.

    Args:
        log: The log.
        directory: Made where it is missing; else empty, or an earlier export of this log.
        progress: Is told how many entries' worth is done, of how many.
        bodies: Whether to write bodies. Those that are erased go in either case.

    Raises:
        UsageError: The directory holds something else, or another log.
        WorkspaceDamaged: The stored tree is not the one that the checkpoint speaks of.
        StorageError: The disk refused. What is shown is still the export of before.
    """
    note = log.cosigned()
    size = parse(note)[0].size
    with translated(directory):
        directory.mkdir(parents=True, exist_ok=True)
        before = _exported(log, directory, size)
        _refuse_damaged(log, parse(note)[0])
        written = _write_tiles(log, directory, size, before)
        put, removed = _write_bodies(log, directory, size, progress, bodies=bodies)
        # A crash before here: new files that no checkpoint speaks of, found again by the next
        # export. The disk must have them before it can have the checkpoint.
        os.sync()
        replace_file(directory / CHECKPOINT, note.encode())
        _remove_outgrown(directory, size, before)
    return Exported(size, before, written + put, removed)


def _exported(log: LogReader, directory: Path, size: int) -> int:
    """Say up to which size the directory holds this log, and refuse it if it holds another."""
    try:
        text = (directory / CHECKPOINT).read_bytes()
    except FileNotFoundError:
        # A first export that was interrupted has tiles already, and no checkpoint yet.
        if any(directory.iterdir()) and not (directory / "tile").is_dir():
            raise UsageError(f"{directory}: is not empty, and holds no export of a log") from None
        return 0
    try:
        shown = parse(text)[0]
    except InputError as error:
        raise UsageError(f"{directory / CHECKPOINT}: {error}; remove it to go on") from None
    if shown.origin != log.origin:
        raise UsageError(f"{directory}: holds an export of the log {shown.origin}")
    if shown.size > size:
        raise UsageError(f"{directory}: shows {shown.size} entries, this log has only {size}")
    if shown.root != log.root_at(shown.size):
        raise UsageError(f"{directory}: shows another history of {shown.origin}; keep it as it is")
    return shown.size


def _refuse_damaged(log: LogReader, checkpoint: Checkpoint) -> None:
    if log.root_at(checkpoint.size) != checkpoint.root:
        raise WorkspaceDamaged(f"{log.path}: the tree is not the checkpoint's; run `verify`")


def _write_tiles(log: LogReader, directory: Path, size: int, before: int) -> int:
    written = 0
    for address in _addresses(size, before):
        if address.level == ENTRIES:
            data = format_entries(log.leaves(address.first, address.first + address.width))
        else:
            data = log.tile(*address)
        written += _put(directory / address.path, data)
    return written


def _addresses(size: int, before: int) -> Iterator[Address]:
    yield from addresses(size, ENTRIES, before)
    for level in range(size.bit_length() // 8 + 1):
        yield from addresses(size, level, before)


def _write_bodies(
    log: LogReader, directory: Path, size: int, progress: Progress, *, bodies: bool
) -> tuple[int, int]:
    """Write the bodies that are missing and remove the erased ones; returns how many of each."""
    (directory / body_path(0)).parent.mkdir(exist_ok=True)
    written = removed = 0
    for start in range(0, size, _CHUNK):
        stop = min(start + _CHUNK, size)
        there = {n for n in range(start, stop) if (directory / body_path(n)).exists()}
        for index in there.intersection(log.erased(start, stop)):
            (directory / body_path(index)).unlink()
            removed += 1
        if bodies and len(there) < stop - start:
            found = enumerate(log.bodies(start, stop), start)
            written += sum(
                _put(directory / body_path(index), body)
                for index, body in found
                if body is not None and index not in there
            )
        progress(stop, size)
    return written, removed


def _put(path: Path, data: bytes) -> int:
    """Write a file whole or not at all, unless it is there already; returns 1 if it was not."""
    try:
        if path.read_bytes() == data:
            return 0
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    except NotADirectoryError:
        raise StorageError(f"{path.parent}: is a file where a directory should be") from None
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    fresh.write_bytes(data)
    fresh.replace(path)
    return 1


def _remove_outgrown(directory: Path, size: int, before: int) -> None:
    """Remove partial tiles whose full tile is there now; the specification asks no more."""
    for address in _addresses(size, before):
        if address.width == TILE_WIDTH:
            shutil.rmtree(directory / f"{address.path}.p", ignore_errors=True)
