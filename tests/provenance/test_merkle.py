"""Rules of the tree builder, against the RFC's own recursive definition."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import naive_tree
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.errors import UsageError, VerificationError
from provenance.hashing import EMPTY_ROOT, HASH_SIZE
from provenance.proving import merkle
from provenance.verify import verify_consistency, verify_inclusion

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LEAVES = naive_tree.leaves(300)
BORDERS = sorted({border + step for border in (256, 512, 65_536, 65_792) for step in range(-2, 3)})


class TileStore:
    """A store as the log keeps it: a tile only gives way to a wider one with the same prefix."""

    def __init__(self) -> None:
        """Begin empty."""
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.reads = 0

    def put(self, tiles: list[merkle.Tile]) -> None:
        """Take tiles from an append, refusing what a log's storage refuses."""
        for level, number, data in tiles:
            before = self.tiles.get((level, number), b"")
            assert len(before) < len(data) <= merkle.TILE_WIDTH * HASH_SIZE
            assert data.startswith(before)
            self.tiles[level, number] = data

    def read(self, level: int, number: int, width: int) -> bytes:
        """Be a `merkle.ReadTile`."""
        self.reads += 1
        return self.tiles[level, number][: width * HASH_SIZE]


def grown(hashes: list[bytes], cuts: Sequence[int] = ()) -> tuple[TileStore, merkle.Edge]:
    """Append `hashes` in pieces that end at `cuts`."""
    store, edge = TileStore(), merkle.EMPTY_EDGE
    for start, stop in zip([0, *cuts], [*cuts, len(hashes)], strict=True):
        edge, tiles = merkle.append(edge, hashes[start:stop])
        store.put(tiles)
    return store, edge


@cache
def big_tree() -> tuple[list[bytes], TileStore]:
    """A tree past the second tile level."""
    hashes = naive_tree.leaves(66_100)
    return hashes, grown(hashes)[0]


@cache
def _naive_span(start: int, stop: int) -> bytes:
    return naive_tree.root(big_tree()[0][start:stop])


def test_every_size_up_to_300_has_the_rfc_root() -> None:
    """Growing leaf by leaf, the edge's root is the RFC's MTH at every size."""
    store, edge = TileStore(), merkle.EMPTY_EDGE
    assert edge.root == naive_tree.root([]) == EMPTY_ROOT
    for size in range(1, 301):
        edge, tiles = merkle.append(edge, LEAVES[size - 1 : size])
        store.put(tiles)
        assert edge.size == size
        assert edge.root == naive_tree.root(LEAVES[:size])
        assert merkle.load_edge(size, store.read) == edge
        assert merkle.root_at(size, store.read) == edge.root


def test_every_inclusion_path_up_to_300_is_the_rfcs() -> None:
    """PATH(m, D[n]) for every leaf of every tree up to 300, and the verifier takes each."""
    tree = merkle.TileTree(grown(LEAVES)[0].read)
    naive = naive_tree.EveryTree(LEAVES)
    for size in range(1, 301):
        root = naive.root(0, size)
        for index in range(size):
            path = tree.inclusion_path(index, size)
            assert path == naive.inclusion(index, 0, size)
            verify_inclusion(index, size, LEAVES[index], path, root)


def test_every_consistency_path_up_to_300_is_the_rfcs() -> None:
    """PROOF(m, D[n]) for every pair of sizes up to 300, and the verifier takes each."""
    tree = merkle.TileTree(grown(LEAVES)[0].read)
    naive = naive_tree.EveryTree(LEAVES)
    roots = [naive.root(0, size) for size in range(301)]
    for new in range(1, 301):
        for old in range(1, new + 1):
            path = tree.consistency_path(old, new)
            assert path == naive.consistency(old, 0, new)
            verify_consistency(old, new, path, roots[old], roots[new])


def test_the_twin_with_a_memory_is_the_twin_without() -> None:
    """Remembering spans changes nothing of the RFC's definitions."""
    naive = naive_tree.EveryTree(LEAVES)
    for size in (1, 2, 3, 7, 8, 9, 100, 255, 257, 300):
        hashes = LEAVES[:size]
        assert naive.root(0, size) == naive_tree.root(hashes)
        for m in {1, size // 2 + 1, size}:
            assert naive.inclusion(m - 1, 0, size) == naive_tree.inclusion(m - 1, hashes)
            assert naive.consistency(m, 0, size) == naive_tree.consistency(m, hashes)


@given(st.lists(st.integers(0, 1500), max_size=6), st.integers(0, 1500))
@settings(max_examples=60, deadline=None)
def test_how_a_tree_was_cut_into_appends_leaves_no_trace(cuts: list[int], size: int) -> None:
    """However appends were grouped, edge and stored tiles are the same as from one append."""
    hashes = big_tree()[0][:size]
    pieces = sorted(min(cut, size) for cut in cuts)
    store, edge = grown(hashes, pieces)
    whole_store, whole_edge = grown(hashes)
    assert edge == whole_edge == merkle.load_edge(size, store.read)
    assert store.tiles == whole_store.tiles


@given(st.integers(1, 300), st.integers(-1, 1), st.booleans())
def test_an_edge_remembered_never_speaks_for_the_tiles(
    size: int, further: int, spoilt: bool
) -> None:
    """Whatever edge is thought to be there still, what is loaded is what the tiles say."""
    store, _ = grown(LEAVES[:size])
    known = merkle.append(merkle.EMPTY_EDGE, LEAVES[: size + further]).edge
    if spoilt:
        last = max(store.tiles)
        store.tiles[last] = bytes([store.tiles[last][0] ^ 1]) + store.tiles[last][1:]

    assert merkle.load_edge(size, store.read, known) == merkle.load_edge(size, store.read)


@given(st.sampled_from(BORDERS), st.data())
@settings(max_examples=40, deadline=None)
def test_paths_hold_across_the_tile_borders(size: int, data: st.DataObject) -> None:
    """Around 256, 512, 65,536 and 65,792 leaves, paths and roots are the RFC's."""
    _, store = big_tree()
    index = data.draw(st.integers(0, size - 1), label="index")
    path = merkle.inclusion_path(index, size, store.read)
    start, stop, wanted = 0, size, []
    while stop - start > 1:  # the RFC's recursion, unrolled so that spans are hashed once
        middle = start + naive_tree._k(stop - start)
        near = index < middle
        wanted.append(_naive_span(middle, stop) if near else _naive_span(start, middle))
        start, stop = (start, middle) if near else (middle, stop)
    assert path == wanted[::-1]
    assert merkle.root_at(size, store.read) == merkle.load_edge(size, store.read).root
    assert merkle.root_at(size, store.read) == _naive_span(0, size)


def test_tiles_are_those_of_the_specification() -> None:
    """70,000 leaves: 273 full tiles and one of 112, one full and one of 17, one of 1."""
    _, tiles = merkle.append(merkle.EMPTY_EDGE, naive_tree.leaves(70_000))
    widths: dict[int, list[int]] = {}
    for tile in tiles:
        assert tile.number == len(widths.setdefault(tile.level, []))
        widths[tile.level].append(tile.width)
    assert widths == {0: [256] * 273 + [112], 1: [256, 17], 2: [1]}


def test_an_append_hands_back_only_what_changed() -> None:
    """One more leaf changes the last tile of level 0 alone, until that tile is full."""
    _, edge = grown(LEAVES)
    for leaf in naive_tree.leaves(511)[300:]:
        edge, tiles = merkle.append(edge, [leaf])
        assert [(tile.level, tile.number) for tile in tiles] == [(0, 1)]
    edge, tiles = merkle.append(edge, LEAVES[:1])
    assert [(tile.level, tile.number, tile.width) for tile in tiles] == [(0, 1, 256), (1, 0, 2)]
    assert merkle.append(edge, []) == (edge, [])


def test_an_append_costs_one_node_hash_a_leaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """1,000 leaves onto a large tree cost at most 1,000 node hashes and the root's few."""
    hashes, store = big_tree()
    edge = merkle.load_edge(65_777, store.read)
    calls = count_hashes(monkeypatch)
    merkle.append(edge, hashes[:1000])
    assert calls() <= 1000 + 2 * 17


def test_a_second_path_through_a_tile_costs_no_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    """With tiles remembered, a path costs no reads, and only the right border's few hashes."""
    _, store = big_tree()
    tree = merkle.TileTree(store.read)
    tree.inclusion_path(1000, 65_777)
    store.reads = 0
    calls = count_hashes(monkeypatch)
    tree.inclusion_path(1001, 65_777)
    assert store.reads == 0
    assert calls() <= 17


def count_hashes(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Count the builder's node hashes from here on."""
    counted = []
    original = merkle.node_hash
    monkeypatch.setattr(
        merkle, "node_hash", lambda left, right: counted.append(1) or original(left, right)
    )
    return lambda: len(counted)


def test_a_batch_tree_in_memory_is_the_same_tree() -> None:
    """`tree_of` gives the root and the paths of the tree over any list of hashes."""
    for size in (0, 1, 2, 255, 256, 257, 300):
        found, tree = merkle.tree_of(LEAVES[:size])
        assert found == tree.root_at(size) == naive_tree.root(LEAVES[:size])
    assert tree.inclusion_path(299, 300) == naive_tree.inclusion(299, LEAVES)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5), (6, 5)])
def test_no_path_outside_the_tree(index: int, size: int) -> None:
    """An index that the tree does not have is a usage error, never a path."""
    with pytest.raises(UsageError, match="no leaf"):
        merkle.inclusion_path(index, size, grown(LEAVES)[0].read)


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 5), (6, 5), (-1, 5)])
def test_no_consistency_from_nothing_or_backwards(old: int, new: int) -> None:
    """Size 0 commits to nothing and trees do not shrink: no proof is made."""
    with pytest.raises(UsageError, match="no consistency proof"):
        merkle.consistency_path(old, new, grown(LEAVES)[0].read)


@pytest.mark.parametrize("damage", [b"", b"\0" * 31, b"\0" * 33 * 300])
def test_a_tile_of_another_width_is_refused(damage: bytes) -> None:
    """A tile that is short, long or ragged is named, whoever asks."""
    for ask in (
        lambda read: merkle.load_edge(257, read),
        lambda read: merkle.root_at(257, read),
        lambda read: merkle.inclusion_path(3, 257, read),
        lambda read: merkle.consistency_path(3, 257, read),
    ):
        with pytest.raises(VerificationError, match=r"tile \d/\d has"):
            ask(lambda level, number, width: damage)
