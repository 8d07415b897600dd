"""The answer to an ingest once more, out of the log: what its batch entry says, and its proof.

Whoever delivered a file shows with the proof that exactly these bytes were
taken: the digest in it is a commitment of the signed log, and anybody who has
the file can compute it.

Next: provenance/log.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from provenance.disclosure.privacy import b64, open_entry, unb64
from provenance.entries import EntryType, Tier
from provenance.errors import EncodingError, InputError, NotFound
from provenance.govern.delivered import signer_of
from provenance.hashing import source_digest
from provenance.ingest.batches import RECEIPT, batch_of_file
from provenance.ingest.files import sheet_of
from provenance.ingest.formats.opening import sheets_in
from provenance.ingest.sources import open_source, unreadable
from provenance.ingest.table import TableSettings

if TYPE_CHECKING:
    from provenance.store.reading import LogReader

__all__ = ["Payload", "batch_of", "check_payload", "digest_of_file", "recall"]

_BLOCK: Final = 1 << 20


def digest_of_file(path: Path) -> bytes:
    """Digest a file as an ingest does it: its bytes as they lie there, compressed or not.

    Raises:
        InputError: It cannot be read.
    """
    state = source_digest()
    with unreadable(str(path)), path.open("rb") as file:
        while block := file.read(_BLOCK):
            state.update(block)
    return state.digest()


def batch_of(reader: LogReader, name: str) -> int:
    """Find the newest batch entry of a file with these bytes, whatever it was called.

    Args:
        reader: The log.
        name: The file, or `BOOK.xlsx#SHEET`.

    Raises:
        NotFound: Nothing of such a file is in the log.
        InputError: Several sheets of it have a batch each.
    """
    text, sheet = sheet_of(name)
    path = Path(text)
    digest = digest_of_file(path)
    found = reader.find(batch_of_file(digest, sheet))
    if found is None and not sheet:
        found = _of_a_sheet(reader, path, digest)
    if found is None:
        raise NotFound(
            f"{path}: the log has no batch of a file with these bytes; all of it was refused or "
            "known already, it has changed since, or an older version took it: name its batch as "
            "#INDEX then"
        )
    return found


def _of_a_sheet(reader: LogReader, path: Path, digest: bytes) -> int | None:
    """The batch of the one sheet of a workbook that has one."""
    source = open_source(str(path))
    try:
        sheets = [one.name for one in sheets_in(source, frozenset(), TableSettings())]
    except InputError:
        return None
    finally:
        source.close()
    found = {
        sheet: index
        for sheet in sheets
        if (index := reader.find(batch_of_file(digest, sheet))) is not None
    }
    if len(found) > 1:
        names = ", ".join(f"{path}#{sheet}" for sheet in found)
        raise InputError(f"{path}: each sheet has a batch of its own; name one: {names}")
    return next(iter(found.values()), None)


def recall(reader: LogReader, index: int) -> dict[str, Any]:
    """Give the answer of a batch entry again.

    Returns:
        What `Part.to_dict` says as far as the entry keeps it, with the checkpoint that covers
        the entry now; what was erased, or an older version did not keep, is None.

    Raises:
        NotFound: There is no such batch entry, or it was erased.
    """
    entry = reader.entry(index)
    if entry.type != EntryType.BATCH or entry.body is None:
        what = "was erased" if entry.type == EntryType.BATCH else "is no batch entry"
        raise NotFound(f"entry {index} {what}")
    content = open_entry(entry, Tier.PRIVATE)
    source, told = content.get("source", {}), content.get(RECEIPT, {})
    digest = source.get("digest")
    return {
        "batch": index,
        "leaf_hash": entry.leaf_hash.hex(),
        "time_us": entry.ingest_time_us,
        "party": content["party"],
        "signed_by": signer_of(reader, index),
        "file": source.get("name"),
        "sheet": source.get("sheet"),
        "payload": unb64(digest).hex() if digest else None,
        "quarantine": source.get("quarantine"),
        "settles": source.get("settles"),
        **({"status": None} | told),
        "entries": content["count"],
        "ranges": content["ranges"],
        "root": content["root"],
        "size": reader.size,
        "checkpoint": reader.checkpoint(),
    }


class Payload(NamedTuple):
    """Whether a file is the one that a proof is about."""

    good: bool
    text: str


def check_payload(bundle: bytes, path: Path) -> Payload:
    """Compare a file with the digest that a bundle of a batch entry opens.

    Whether what the bundle opens is in the log is `verify`'s part: ask it first.

    Raises:
        InputError: The file cannot be read, or the bundle is none of one batch entry.
    """
    try:
        opened = [json.loads(unb64(one["preimage"])) for one in json.loads(bundle)["disclosed"]]
        said = next((value for place, value in opened if place == "/source"), None)
        digest = None if said is None else said["digest"]
    except (EncodingError, LookupError, TypeError, ValueError):
        raise InputError("the bundle opens nothing that could be the digest of a file") from None
    if digest is None:
        return Payload(good=False, text="the bundle does not open /source, which has the digest")
    if digest != b64(digest_of_file(path)):
        return Payload(good=False, text=f"{path} is not the file that was delivered")
    return Payload(good=True, text=f"{path} is, byte by byte, the file that was delivered")
