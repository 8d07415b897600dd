"""Who delivered an entry, as far as the capturing party has signed for it.

Next: provenance/verify.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provenance.disclosure.privacy import open_entry
from provenance.entries import Tier
from provenance.errors import VerificationError, WorkspaceDamaged
from provenance.store.signed_batch import check_batch

if TYPE_CHECKING:
    from provenance.store.reading import LogReader

__all__ = ["signer_of"]


def signer_of(reader: LogReader, index: int) -> str | None:
    """Return the vkey that signed the batch of an entry, or None where none did.

    Raises:
        WorkspaceDamaged: It is not signed as it must be.
    """
    at = reader.batch_of(index)
    entry = None if at is None else reader.entry(at)
    if entry is None or entry.body is None:
        return None
    content = open_entry(entry, Tier.PUBLIC)
    try:
        return check_batch(content, reader.register, entry.index, entry.ingest_time_us)
    except VerificationError as error:
        raise WorkspaceDamaged(f"{reader.path}: batch {at}: {error}; run `verify`") from None
