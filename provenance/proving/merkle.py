"""The tree builder: an RFC 6962 SHA-256 tree kept as 256-wide tiles.

Tiles are addressed as in C2SP tlog-tiles: tile N of level L holds the hashes
of tree height 8*L at positions 256*N and up, at most 256 of them. Only full
tiles are hashed into the level above; the narrower ones form the right edge.

Pure: bytes and ints in, bytes and ints out. A writer holds an `Edge`, appends
leaf hashes to it and stores the tiles that come back; a reader hands a
`ReadTile` in and gets paths out. `verify` checks those paths with mathematics
of its own; the two share the hash functions and nothing else.

Next: provenance/notes/checkpoint.py
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from provenance.errors import UsageError, VerificationError
from provenance.hashing import EMPTY_ROOT, HASH_SIZE, node_hash, node_hashes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "EMPTY_EDGE",
    "TILE_WIDTH",
    "Edge",
    "Growth",
    "ReadTile",
    "Tile",
    "TileTree",
    "append",
    "consistency_path",
    "inclusion_path",
    "load_edge",
    "root_at",
    "tree_of",
]

TILE_WIDTH: Final = 256
_TILE_HEIGHT: Final = 8
_TILE_BYTES: Final = TILE_WIDTH * HASH_SIZE

ReadTile = Callable[[int, int, int], bytes]
"""`(level, index, width) -> bytes`: the first `width` hashes of a tile, 32 bytes each.

The width asked for is the tile's width in the tree in question, so it is also
the width under which a tlog-tiles server has it. A wider tile that is stored
by now has the same prefix: cut it."""


class Tile(NamedTuple):
    """One tile to store.

    Attributes:
        level: 0 holds leaf hashes; level L holds tree height 8*L.
        number: Position within the level (the N of tlog-tiles), from 0.
        data: 1 to 256 hashes of 32 bytes; 256 of them are final.
    """

    level: int
    number: int
    data: bytes

    @property
    def width(self) -> int:
        """How many hashes it holds, 1 to 256."""
        return len(self.data) // HASH_SIZE


class Edge(NamedTuple):
    """The right edge of a tree: all that appending needs to know.

    Immutable, so a writer keeps the old one until the new one is committed.

    Attributes:
        size: Number of leaves.
        root: RFC 6962 root hash, 32 bytes.
        peaks: At height h the perfect subtree that bit h of the size stands for, or None.
        partial: Per level the bytes of its partial tile; empty where tiles are all full.
    """

    size: int
    root: bytes
    peaks: tuple[bytes | None, ...]
    partial: tuple[bytes, ...]


EMPTY_EDGE: Final = Edge(0, EMPTY_ROOT, (), ())


class Growth(NamedTuple):
    """What an append gives back: the new edge, and every tile that is new or wider."""

    edge: Edge
    tiles: list[Tile]


def append(edge: Edge, leaf_hashes: Sequence[bytes]) -> Growth:
    """Add leaves at the right; costs about one node hash a leaf.

    Args:
        edge: The tree before, from `EMPTY_EDGE`, `load_edge` or the append before.
        leaf_hashes: `hashing.leaf_hash` of each new leaf, in order.

    Returns:
        The new edge and the changed tiles, lower levels first. Widths that the tree
        passed through within this append are left out: no checkpoint covers them.
    """
    assert {*map(len, leaf_hashes)} <= {HASH_SIZE}
    peaks: list[bytes | None] = []
    partial: list[bytes] = []
    tiles: list[Tile] = []
    row = list(leaf_hashes)  # the new nodes of one height
    while row or len(peaks) < len(edge.peaks):
        height = len(peaks)
        if height % _TILE_HEIGHT == 0:
            tiles += _fill(edge, height // _TILE_HEIGHT, row, partial)
        carried = edge.peaks[height] if height < len(edge.peaks) else None
        if carried is not None:
            row.insert(0, carried)
        peaks.append(row.pop() if len(row) % 2 else None)
        row = node_hashes(row)
    size = edge.size + len(leaf_hashes)
    return Growth(Edge(size, _fold(peaks), tuple(peaks), tuple(partial)), tiles)


def load_edge(size: int, read_tile: ReadTile, known: Edge = EMPTY_EDGE) -> Edge:
    """Rebuild the edge of a stored tree from its partial tiles, at most one a level.

    Where these are the tiles of the edge `known`, it is that one, and nothing is hashed.

    Raises:
        VerificationError: A tile has not the bytes that `size` asks for.
    """
    partial: list[bytes] = []
    level = 0
    while hashes := size >> (_TILE_HEIGHT * level):
        number, width = divmod(hashes, TILE_WIDTH)
        partial.append(_read(read_tile, level, number, width) if width else b"")
        level += 1
    if (size, tuple(partial)) == (known.size, known.partial):
        return known
    peaks = [peak for data in partial for peak in _peaks(data)]
    return Edge(size, _fold(peaks), tuple(peaks[: size.bit_length()]), tuple(partial))


class TileTree:
    """Paths and roots of a stored tree, at any size it has had.

    Remembers the inner nodes of the tiles it has read (16 KiB a tile, so 64 MiB
    for all tiles of a million leaves): a second path through a tile costs no
    hashing. What it holds never gets stale: the first hashes of a tile do not
    change as the tree grows.
    """

    def __init__(self, read_tile: ReadTile, remember: int = 4096) -> None:
        """Read through `read_tile`, keeping at most `remember` tiles."""
        self._read_tile = read_tile
        self._expanded = lru_cache(maxsize=remember)(self._expand)
        # A tree has as many ragged subtrees as its size has bits; the next size has others.
        self._ragged = lru_cache(maxsize=64)(self._subtree)

    def root_at(self, size: int) -> bytes:
        """Return the root hash of the first `size` leaves.

        Raises:
            VerificationError: A tile has not the bytes that `size` asks for.
        """
        return self._subtree(0, size, size) if size else EMPTY_ROOT

    def inclusion_path(self, index: int, size: int) -> list[bytes]:
        """Prove that leaf `index` is in the tree of `size`: RFC 6962 section 2.1.1.

        Args:
            index: 0 <= index < size.
            size: At most the stored tree's.

        Returns:
            The sibling hashes from the leaf up.

        Raises:
            UsageError: There is no such leaf in a tree of that size.
            VerificationError: A tile has not the bytes that `size` asks for.
        """
        if not 0 <= index < size:
            raise UsageError(f"a tree of {size} leaves has no leaf {index}; the first is leaf 0")
        path: list[bytes] = []
        rows: list[bytes] = []
        for height in range((size - 1).bit_length()):
            level, rise = divmod(height, _TILE_HEIGHT)
            if not rise:
                rows = self._tile_of(index >> height, level, size >> height)
            beside = (index >> height) ^ 1
            start = beside << height
            if start + (1 << height) <= size:
                at = beside % (TILE_WIDTH >> rise) * HASH_SIZE
                path.append(rows[rise][at : at + HASH_SIZE])
            elif start < size:
                path.append(self._ragged(start, size, size))
        return path

    def _tile_of(self, node: int, level: int, count: int) -> list[bytes]:
        """The rows of the tile that holds a level's `node`, of `count` in all; none past them."""
        number = node // TILE_WIDTH
        width = min(TILE_WIDTH, count - number * TILE_WIDTH)
        return self._expanded(level, number, width) if width > 0 else []

    def consistency_path(self, old: int, new: int) -> list[bytes]:
        """Prove that the tree of size `old` is a prefix of the tree of `new`: section 2.1.2.

        Args:
            old: 0 < old <= new. From size 0 there is nothing to prove.
            new: At most the stored tree's size.

        Returns:
            The hashes in RFC 6962 order; none where the sizes are equal.

        Raises:
            UsageError: The sizes are not in that order.
            VerificationError: A tile has not the bytes that `new` asks for.
        """
        if not 0 < old <= new:
            raise UsageError(f"no consistency proof leads from size {old} to size {new}")
        path = []
        start, stop = 0, new
        while old != stop:
            middle = start + _split(stop - start)
            if old <= middle:
                path.append(self._subtree(middle, stop, new))
                stop = middle
            else:
                path.append(self._subtree(start, middle, new))
                start = middle
        if start:  # the old tree's last peak; where it is the whole old tree, the verifier has it
            path.append(self._subtree(start, stop, new))
        return path[::-1]

    def _subtree(self, start: int, stop: int, size: int) -> bytes:
        """Hash of leaves [start, stop), a right part of the tree or a perfect subtree of it."""
        count = stop - start
        if count & (count - 1) == 0:
            return self._node(count.bit_length() - 1, start, size)
        middle = start + _split(count)
        return node_hash(self._subtree(start, middle, size), self._subtree(middle, stop, size))

    def _node(self, height: int, start: int, size: int) -> bytes:
        """Hash of the perfect subtree of 2**height leaves that begins at leaf `start`."""
        level, rise = divmod(height, _TILE_HEIGHT)
        number, offset = divmod(start >> (_TILE_HEIGHT * level), TILE_WIDTH)
        width = min(TILE_WIDTH, (size >> (_TILE_HEIGHT * level)) - number * TILE_WIDTH)
        at = (offset >> rise) * HASH_SIZE
        return self._expanded(level, number, width)[rise][at : at + HASH_SIZE]

    def _expand(self, level: int, number: int, width: int) -> list[bytes]:
        return list(_rows(_read(self._read_tile, level, number, width)))


def inclusion_path(index: int, size: int, read_tile: ReadTile) -> list[bytes]:
    """`TileTree.inclusion_path`, once, with nothing remembered."""
    return TileTree(read_tile).inclusion_path(index, size)


def consistency_path(old: int, new: int, read_tile: ReadTile) -> list[bytes]:
    """`TileTree.consistency_path`, once, with nothing remembered."""
    return TileTree(read_tile).consistency_path(old, new)


def root_at(size: int, read_tile: ReadTile) -> bytes:
    """`TileTree.root_at`, once, with nothing remembered."""
    return TileTree(read_tile).root_at(size)


def tree_of(leaf_hashes: Sequence[bytes]) -> tuple[bytes, TileTree]:
    """Build a whole tree in memory, such as the one over a batch: its root and its paths."""
    edge, tiles = append(EMPTY_EDGE, leaf_hashes)
    held = {(tile.level, tile.number): tile.data for tile in tiles}
    return edge.root, TileTree(lambda level, at, width: held[level, at][: width * HASH_SIZE])


def _fill(edge: Edge, level: int, row: list[bytes], partial: list[bytes]) -> list[Tile]:
    """Put a height's new nodes into its tiles; the remainder goes onto `partial`."""
    before = edge.partial[level] if level < len(edge.partial) else b""
    number = (edge.size >> (_TILE_HEIGHT * level)) // TILE_WIDTH
    data = before + b"".join(row)
    partial.append(data[len(data) - len(data) % _TILE_BYTES :])
    if not row:
        return []
    starts = range(0, len(data), _TILE_BYTES)
    return [Tile(level, number + at // _TILE_BYTES, data[at : at + _TILE_BYTES]) for at in starts]


def _read(read_tile: ReadTile, level: int, number: int, width: int) -> bytes:
    data = read_tile(level, number, width)
    if len(data) != width * HASH_SIZE:
        wanted = width * HASH_SIZE
        raise VerificationError(f"tile {level}/{number} has {len(data)} bytes, {wanted} are needed")
    return data


def _rows(data: bytes) -> Iterable[bytes]:
    """A tile's hashes, then its inner nodes row by row; nodes cut by the right end are left out."""
    for _ in range(_TILE_HEIGHT):
        yield data
        data = b"".join(
            node_hashes([data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)])
        )


def _peaks(data: bytes) -> list[bytes | None]:
    """The perfect subtrees a partial tile ends with, by height within the tile."""
    odd = [row if len(row) // HASH_SIZE % 2 else b"" for row in _rows(data)]
    return [row[-HASH_SIZE:] or None for row in odd]


def _fold(peaks: Sequence[bytes | None]) -> bytes:
    """Root over the peaks, the lowest rightmost."""
    root = b""
    for peak in peaks:
        if peak is not None:
            root = node_hash(peak, root) if root else peak
    return root or EMPTY_ROOT


def _split(count: int) -> int:
    """The largest power of two below `count` (RFC 6962's k); count >= 2."""
    return 1 << ((count - 1).bit_length() - 1)
