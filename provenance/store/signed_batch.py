"""Signed batches: what the capturing party signs, and how the batch of an entry is found.

The party signs a note over its name, the number of entries and the root of
their body digests. The batch entry carries the note, and comes after the
entries that it is about, however many other writers have put theirs between.
So that it is found without reading those, it has row keys: one for each of the
aligned blocks, 1, 2, 4, 8 ... entries long, that its ranges consist of. An entry
lies in one block of each length, so a handful of look-ups find its batch.

Next: provenance/store/writing.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from provenance import canonical
from provenance.errors import EncodingError, InputError, VerificationError
from provenance.notes.checkpoint import key_id, parse_note, parse_vkey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from provenance.entries import Content
    from provenance.store.register import Register

__all__ = [
    "ANY_BATCH",
    "batch_keys",
    "batch_text",
    "check_batch",
    "keys_in",
    "keys_over",
    "unfit_signer",
]

ANY_BATCH: Final = ("batch",)
"""The row key of the newest signed batch; without it there is none at all."""

_GRACE_DAYS: Final = 1
"""A large file may take until the next day: its batch entry is later than its signer's check."""


def batch_text(party: str, count: int, root: str) -> str:
    """Write what the party signs; `root` is base64url, as in the batch entry."""
    return f"provenance-batch/v1\n{party}\n{count}\n{root}\n"


def batch_keys(ranges: Iterable[Sequence[int]]) -> Iterator[tuple[str, ...]]:
    """Give the row keys of a signed batch: of its blocks, and of the newest one."""
    yield ANY_BATCH
    for first, last in ranges:
        for level, number in _blocks(first, last + 1):
            yield ("batch", str(level), str(number))


def _blocks(start: int, stop: int) -> Iterator[tuple[int, int]]:
    while start < stop:
        level = (stop - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        yield level, start >> level
        start += 1 << level


def keys_in(body: bytes | None) -> list[tuple[str, ...]]:
    """List the row keys of a signed batch from its body; none for what is no such thing."""
    try:
        content = canonical.loads(body or b"")
        if "note" not in content:
            return []
        ranges = [(first, last) for first, last in content["ranges"] if 0 <= first <= last]
        return list(batch_keys(ranges))
    except (EncodingError, LookupError, TypeError, ValueError):
        return []


def keys_over(index: int, size: int) -> list[tuple[str, ...]]:
    """List the row keys that the batch of an entry can have, in a log of `size` entries."""
    return [("batch", str(n), str(index >> n)) for n in range(size.bit_length())]


def unfit_signer(
    register: Register, party: str, vkey: str, time_us: int, before: int | None = None
) -> str | None:
    """Say why a key cannot sign batches of a party, or None where it can.

    Args:
        register: Whose statements count.
        party: The capturing party.
        vkey: The key.
        time_us: When.
        before: The batch entry of a batch that is signed already; statements after it do not
            count, and a day's grace is given.
    """
    said = register.party(party, before)
    if said is None:
        return f"the party {party} is not registered"
    if vkey not in said.keys:
        return f"{vkey} is not a key of the party {party}, as entry {said.entry} registers it"
    if not said.is_valid(time_us, 0 if before is None else _GRACE_DAYS):
        end = f"to {said.valid_to}" if said.valid_to else "on"
        return f"the party {party} may sign from {said.valid_from} {end}"
    return None


def check_batch(content: Content, register: Register, index: int, time_us: int) -> str:
    """Check the note of a signed batch, and that its signer might sign.

    Args:
        content: The batch entry's; what is not of the form is refused.
        register: Of the log.
        index: The batch entry's.
        time_us: Its ingest time.

    Returns:
        The vkey that signed.

    Raises:
        VerificationError: It is not signed as it must be; the message says why.
    """
    said = batch_text(*(content.get(name) for name in ("party", "count", "root")))  # type: ignore[arg-type]
    try:
        note = parse_note(str(content.get("note")))
    except InputError as error:
        raise VerificationError(str(error)) from None
    if note.text != said:
        raise VerificationError("its note is of another batch")
    party = register.party(str(content["party"]), index)
    by_id = {key_id(*parse_vkey(vkey)): vkey for vkey in (party.keys if party else ())}
    for line in note.signatures:
        vkey = by_id.get(line.key_id, f"the key {line.key_id.hex()}")
        unfit = unfit_signer(register, str(content["party"]), vkey, time_us, index)
        if unfit:
            raise VerificationError(unfit)
        try:
            public = Ed25519PublicKey.from_public_bytes(parse_vkey(vkey).public)
            public.verify(line.signature, said.encode())
        except (InvalidSignature, ValueError):
            raise VerificationError(f"the signature of {vkey} is wrong") from None
    return vkey
