"""The parts of a new workspace: its place, its first key, its files.

Next: workspace/workspace.py
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from provenance.errors import StorageError, UsageError
from provenance.files import replace_file, sync_directory
from provenance.govern.sources import open_signer
from provenance.log import Log
from provenance.notes import keys
from provenance.store.storage import translated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from provenance.clock import Entropy
    from provenance.disclosure.tiers import TierPolicy
    from provenance.govern.sources import KeySource
    from provenance.log import Instruments
    from workspace.layout import Layout

__all__ = ["fill", "first_signer", "placed", "refuse_occupied"]


def refuse_occupied(directory: Path) -> None:
    """Refuse a place where something is already; an empty directory is nothing.

    Raises:
        UsageError: It holds something, or is a file.
        StorageError: It cannot be looked into.
    """
    if (directory / "workspace.toml").exists():
        raise UsageError(f"{directory}: there is a workspace already")
    try:
        if directory.exists() and any(directory.iterdir()):
            raise UsageError(f"{directory}: is not empty; a workspace needs a directory of its own")
    except NotADirectoryError:
        raise UsageError(f"{directory}: is a file, not a directory") from None
    except OSError as error:
        raise StorageError(f"{directory}: {error.strerror}") from None


@contextmanager
def placed(directory: Path, entropy: Entropy) -> Iterator[Path]:
    """Give a hidden directory to fill, which becomes `directory` when all went well.

    Raises:
        UsageError: `directory` exists and is not empty, or is a file.
        StorageError: The disk refused.
    """
    refuse_occupied(directory)
    building = directory.with_name(f".{directory.name}.{entropy(4).hex()}.new")
    with translated(directory):
        directory.parent.mkdir(parents=True, exist_ok=True)
        building.mkdir(mode=0o700)
        try:
            # A crash from here on leaves the hidden directory, which may be deleted.
            yield building
            for folder in (*(path for path in building.rglob("*") if path.is_dir()), building):
                sync_directory(folder)
            # Refused by the system where somebody has put something there meanwhile.
            building.rename(directory)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
        sync_directory(directory.parent)


def first_signer(layout: Layout, key: KeySource, origin: str, entropy: Entropy) -> keys.Signer:
    """Make the directory of keys and the first key, unless that is elsewhere.

    Raises:
        UsageError: The key elsewhere is another log's.
        WorkspaceError: It is not there.
    """
    layout.log_key.parent.mkdir(mode=0o700)
    if key.in_file:
        keys.save(keys.generate(origin, entropy), layout.log_key)
    signer = open_signer(key, layout.log_key)
    if signer.name != origin:
        raise UsageError(
            f"--origin: is {origin}, but {key.describe(layout.log_key)} has the key of "
            f"{signer.name}"
        )
    return signer


def fill(layout: Layout, text: str, tiers: TierPolicy, instruments: Instruments) -> None:
    """Write all other files, the settings last: only they make it a workspace."""
    vkey = instruments.signer.vkey
    replace_file(layout.secret, instruments.secret, mode=0o600)
    replace_file(layout.policy, f"log {vkey}\nquorum none\n".encode())
    layout.quarantine.mkdir(mode=0o700)
    Log.create(layout.log, vkey, tiers, instruments).close()
    replace_file(layout.settings, text.encode())
