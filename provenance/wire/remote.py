"""A log somewhere else, read through its tiles (c2sp.org/tlog-tiles).

Lengths and forms are checked here; what the bytes claim is not. A checkpoint
counts for nothing before its signature is verified, and a tile or a leaf counts
for nothing before it has led to a root that a verified checkpoint names.
`RemoteLog.tile` is a `merkle.ReadTile`, so `merkle.TileTree` works over HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from provenance.canonical import MAX_BODY
from provenance.errors import AccessDenied, InputError, NotFound, RemoteError, VerificationError
from provenance.hashing import HASH_SIZE
from provenance.proving.leaf import LEAF_SIZE
from provenance.proving.merkle import TILE_WIDTH
from provenance.wire.bundles import parse_entries
from provenance.wire.fetch import GONE, MISSING, OK, source_at
from provenance.wire.paths import CHECKPOINT, ENTRIES, Address, body_path, width_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.wire.fetch import Answer, Source

__all__ = ["RemoteLog"]

_MAX_CHECKPOINT: Final = 64 * 1024  # bytes; a hundred signature lines fit into it
_ENTRY: Final = 2 + LEAF_SIZE  # bytes of a leaf in an entry bundle, its length before it


class RemoteLog:
    """A log behind an address; asks again where an answer may still come. For many threads.

    Attributes:
        address: Where it is, for messages.
    """

    def __init__(self, url: str, source: Source | None = None) -> None:
        """Read the log at `url`; nothing is fetched yet.

        Args:
            url: The log's prefix: `http://`, `https://`, or `file://` for a static export.
            source: Fetches instead of the one for `url`.

        Raises:
            UsageError: The address cannot be one.
        """
        self._source = source or source_at(url)
        self.address: str = self._source.address

    def checkpoint(self) -> bytes:
        """Fetch the newest checkpoint as it is served; nothing in it is checked.

        Raises:
            RemoteError: There is none at this address, or no answer.
        """
        answer = self._source.get(CHECKPOINT, _MAX_CHECKPOINT)
        if answer.status != OK:
            raise RemoteError(
                f"{self.address}: serves no checkpoint ({answer.status}); "
                "is this the address of a log?"
            )
        return answer.data

    def tile(self, level: int, number: int, width: int) -> bytes:
        """Fetch the first `width` hashes of a tile; see `merkle.ReadTile`.

        Raises:
            VerificationError: Missing, or not of the length that it must have.
            RemoteError: No answer.
        """
        data, had = self._fetch(Address(level, number, width), HASH_SIZE)
        if len(data) != had * HASH_SIZE:
            raise VerificationError(
                f"{self.address}: tile {level}/{number} has {len(data)} bytes, not "
                f"{had * HASH_SIZE}"
            )
        return data[: width * HASH_SIZE]

    def leaves(self, start: int, stop: int, size: int | None = None) -> Iterator[bytes]:
        """Yield the leaves [start, stop), 88 bytes each, one entry bundle at a time.

        Args:
            start: 0 or more.
            stop: Where to end.
            size: Size of a tree that the log has published, at least `stop`; it says how wide
                the last bundle is. Without it, `stop` is such a size.

        Raises:
            VerificationError: A bundle is missing or is not one.
            RemoteError: No answer.
        """
        tree = stop if size is None else size
        for number in range(start // TILE_WIDTH, -(-stop // TILE_WIDTH)):
            first = number * TILE_WIDTH
            found = self._bundle(number, width_at(ENTRIES, number, tree))
            yield from found[max(start - first, 0) : stop - first]

    def _bundle(self, number: int, width: int) -> list[bytes]:
        data, had = self._fetch(Address(ENTRIES, number, width), _ENTRY)
        try:
            return parse_entries(data, had)[:width]
        except InputError as error:
            raise VerificationError(f"{self.address}: entries {number}: {error}") from None

    def body(self, index: int) -> bytes | None:
        """Fetch the body of an entry; None where it was erased. It is not yet checked.

        Raises:
            AccessDenied: The server keeps it for other callers.
            NotFound: The server has no such body.
            RemoteError: No answer.
        """
        answer = self._source.get(body_path(index), MAX_BODY)
        if answer.status == OK:
            return answer.data
        if answer.status == GONE:
            return None
        if answer.status == MISSING:
            raise NotFound(f"{self.address}: has no body of entry {index}")
        raise AccessDenied(f"{self.address}: does not show the body of entry {index} to us")

    def _fetch(self, address: Address, unit: int) -> tuple[bytes, int]:
        """Fetch a tile or an entry bundle; returns it with the width it was asked for under."""
        answer = self._source.get(address.path, address.width * unit)
        had = address.width
        if answer.status == MISSING and had < TILE_WIDTH:
            # It has become full since the checkpoint was made, and servers may drop partial ones.
            had = TILE_WIDTH
            answer = self._source.get(address._replace(width=had).path, had * unit)
        return self._present(answer, address), had

    def _present(self, answer: Answer, address: Address) -> bytes:
        if answer.status == OK:
            return answer.data
        raise VerificationError(
            f"{self.address}: does not serve {address.path} ({answer.status}), which its "
            "checkpoint covers"
        )

    def close(self) -> None:
        """Let go of connections."""
        self._source.close()

    def __enter__(self) -> Self:
        """Return self."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of connections."""
        self.close()
