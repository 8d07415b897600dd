"""Handing the log over to another key.

Who knows the old key alone cannot do it, and neither can who knows the new one
alone: the checkpoint that covers the entry is signed by both. From then on the old
key signs nothing that a reader of the register accepts, so a copy of it is worth
only what was signed before.

Next: provenance/ingest/__init__.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from provenance.files import locked
from provenance.govern.sources import KeySource
from provenance.store.storage import translated

if TYPE_CHECKING:
    from provenance.clock import Entropy
    from provenance.entries import Outcome
    from provenance.govern.keyring import KeyRing
    from provenance.log import Log

__all__ = ["rotate"]

_LOCK_WAIT_SECONDS: Final = 120.0


def rotate(log: Log, ring: KeyRing, entropy: Entropy, source: KeySource | None = None) -> Outcome:
    """Hand a log over to a new key. Several processes that do so take turns.

    Args:
        log: Opened with `ring.find` as its way to a signer.
        ring: The log's keys.
        entropy: Makes the new key, if it is to lie in our file.
        source: Where the new key is, unless it is to be made.

    Returns:
        The entry that names the new key.

    Raises:
        UsageError: The new key is or was the log's, or the source contradicts itself.
        WorkspaceError: A key is not where it should be, or the log cannot be written.
        StorageError: The disk refused.
    """
    with translated(ring.lock), locked(ring.lock, _LOCK_WAIT_SECONDS):
        # What another process left behind is finished first: until then the file
        # of the next key may be the only place of the key that signs by now.
        log.take_up_key()
        successor = ring.prepare(source or KeySource(), entropy, log.keys)
        # A crash here: the next key is there and named nowhere. It is used next time.
        return log.govern(lambda register: register.rotation(successor.vkey), successor)
        # A crash after it: the log names the new key, and the next opening moves the files.
