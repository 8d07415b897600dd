"""Rules of the verifier's tree mathematics: published vectors, every small proof, every change."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import TYPE_CHECKING, Any

import naive_tree
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.errors import VerificationError
from provenance.hashing import leaf_hash
from provenance.proving import merkle
from provenance.verify import verify_consistency, verify_inclusion

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LEAVES = naive_tree.leaves(600)
TREE = merkle.tree_of(LEAVES)[1]

REFUSED_ON_PURPOSE = {
    "consistency/additional/sizes-are-equal-one-and-proof-is-empty.json": (
        "its equal roots are 12 bytes of text; a root is 32 bytes, whatever it is compared with"
    ),
}
"""Vectors that other verifiers accept and ours refuses, and why."""


def accepts(verify: Callable[..., None], *claim: Any) -> bool:
    """Say whether `verify` takes the claim; only VerificationError may come out of it."""
    try:
        assert verify(*claim) is None
    except VerificationError:
        return False
    return True


def flipped(data: bytes, bit: int) -> bytes:
    """`data` with one bit the other way round."""
    return (int.from_bytes(data, "big") ^ 1 << bit).to_bytes(len(data), "big")


def decoded(vector: dict[str, Any], *names: str) -> list[bytes]:
    """The vector's hashes."""
    return [b64decode(vector[name] or "") for name in names]


def test_published_vectors(test_data: Path) -> None:
    """Every RFC 6962 vector comes out as published, but those refused on purpose."""
    folder = test_data / "vectors" / "rfc6962"
    files = sorted(folder.rglob("*.json"))
    wrong = []
    for file in files:
        vector = json.loads(file.read_bytes())
        path = decoded_path(vector)
        if file.relative_to(folder).parts[0] == "inclusion":
            leaf, root = decoded(vector, "leafHash", "root")
            claim = (vector["leafIdx"], vector["treeSize"], leaf, path, root)
            taken = accepts(verify_inclusion, *claim)
        else:
            claim = (vector["size1"], vector["size2"], path, *decoded(vector, "root1", "root2"))
            taken = accepts(verify_consistency, *claim)
        name = file.relative_to(folder).as_posix()
        if taken != (not vector["wantErr"] and name not in REFUSED_ON_PURPOSE):
            wrong.append(name)
    assert len(files) >= 196
    assert wrong == []


def test_the_builder_makes_the_published_proofs(test_data: Path) -> None:
    """Every right vector over the eight leaves of RFC 6962's reference tests comes out of ours."""
    texts = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
    inputs = [bytes.fromhex(text) for text in [*texts, "606162636465666768696a6b6c6d6e6f"]]
    tree = merkle.tree_of([leaf_hash(data) for data in inputs])[1]
    others = []
    for file in sorted((test_data / "vectors" / "rfc6962").rglob("*.json")):
        vector = json.loads(file.read_bytes())
        size = vector.get("treeSize") or vector.get("size2")
        if vector["wantErr"]:
            continue
        if not 0 < size <= 8 or decoded(vector, "root2" if "root2" in vector else "root") != [
            tree.root_at(size)
        ]:
            others.append(file.name)
        elif "leafIdx" in vector:
            assert tree.inclusion_path(vector["leafIdx"], size) == decoded_path(vector)
        else:
            assert tree.consistency_path(vector["size1"], size) == decoded_path(vector)
    # One is refused on purpose (above); one is a tree of a single leaf of another text.
    assert others == [
        "sizes-are-equal-one-and-proof-is-empty.json",
        "matching-root-and-leaf.json",
    ]


def decoded_path(vector: dict[str, Any]) -> list[bytes]:
    """The vector's proof."""
    return [b64decode(node or "") for node in vector["proof"] or []]


def test_every_inclusion_proof_verifies_and_no_changed_one() -> None:
    """Up to 70 leaves: each path verifies; with one bit changed, cut or lengthened none does."""
    for size in range(1, 71):
        root = TREE.root_at(size)
        for index in range(size):
            path = TREE.inclusion_path(index, size)
            assert accepts(verify_inclusion, index, size, LEAVES[index], path, root)
            bit = (size * 7 + index * 13) % 256
            for changed in changed_paths(path, bit):
                assert not accepts(verify_inclusion, index, size, LEAVES[index], changed, root)
            leaf = LEAVES[index]
            assert not accepts(verify_inclusion, index, size, flipped(leaf, bit), path, root)
            assert not accepts(verify_inclusion, index, size, leaf, path, flipped(root, bit))
            assert not accepts(verify_inclusion, size, size, leaf, path, root)
            assert not accepts(verify_inclusion, (index + 1) % size, size, leaf, path, root) or (
                size == 1
            )


def test_every_consistency_proof_verifies_and_no_changed_one() -> None:
    """Up to 70 leaves: each proof verifies; changed, cut, lengthened or with swapped roots none."""
    roots = [TREE.root_at(size) for size in range(71)]
    for new in range(1, 71):
        for old in range(1, new + 1):
            path = TREE.consistency_path(old, new)
            assert accepts(verify_consistency, old, new, path, roots[old], roots[new])
            bit = (new * 7 + old * 13) % 256
            for changed in changed_paths(path, bit):
                assert not accepts(verify_consistency, old, new, changed, roots[old], roots[new])
            for begin, root in (
                (flipped(roots[old], bit), roots[new]),
                (roots[old], flipped(roots[new], bit)),
            ):
                assert not accepts(verify_consistency, old, new, path, begin, root)
            if old < new:
                assert not accepts(verify_consistency, old, new, path, roots[new], roots[old])
                assert not accepts(verify_consistency, new, old, path, roots[new], roots[old])


def changed_paths(path: list[bytes], bit: int) -> list[list[bytes]]:
    """The path with one bit of each node changed, cut, lengthened, and out of order."""
    changed = [[*path[:at], flipped(node, bit), *path[at + 1 :]] for at, node in enumerate(path)]
    changed += [[*path, LEAVES[0]], [LEAVES[0], *path], [*path, b""], [b"", *path]]
    if path:
        changed += [path[1:], path[:-1], [*path[:-1], path[-1][:-1]]]
    if len(path) > 1:
        changed.append(path[::-1])
    return changed


@pytest.mark.parametrize(("index", "size"), [(0, 2), (4, 5), (3, 7), (69, 70)])
def test_every_single_bit_of_a_proof_counts(index: int, size: int) -> None:
    """Each bit of each node, of the leaf hash and of the root is load-bearing."""
    path, root, leaf = TREE.inclusion_path(index, size), TREE.root_at(size), LEAVES[index]
    for bit in range(256):
        assert not accepts(verify_inclusion, index, size, flipped(leaf, bit), path, root)
        assert not accepts(verify_inclusion, index, size, leaf, path, flipped(root, bit))
        for at, node in enumerate(path):
            changed = [*path[:at], flipped(node, bit), *path[at + 1 :]]
            assert not accepts(verify_inclusion, index, size, leaf, changed, root)


@given(st.integers(1, 600), st.data())
def test_what_the_builder_proves_the_verifier_accepts(size: int, data: st.DataObject) -> None:
    """Two implementations that share no code agree beyond the first tile."""
    index = data.draw(st.integers(0, size - 1), label="index")
    old = data.draw(st.integers(1, size), label="old")
    root = TREE.root_at(size)
    verify_inclusion(index, size, LEAVES[index], TREE.inclusion_path(index, size), root)
    path = TREE.consistency_path(old, size)
    verify_consistency(old, size, path, TREE.root_at(old), root)


@given(
    st.integers(-1, 9),
    st.integers(-1, 9),
    st.lists(st.binary(max_size=33), max_size=5),
    st.binary(max_size=33),
    st.binary(max_size=33),
)
def test_nothing_made_up_is_accepted(
    one: int, two: int, path: list[bytes], first: bytes, second: bytes
) -> None:
    """Arbitrary sizes and hashes: refused, or the trivial case of two equal roots of one size."""
    trivial = one == two and first == second and len(first) == 32 and not path and one > 0
    assert accepts(verify_consistency, one, two, path, first, second) == trivial
    alone = (one, two) == (0, 1) and first == second and len(first) == 32 and not path
    assert accepts(verify_inclusion, one, two, first, path, second) == alone


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        ((0, 5, [], LEAVES[0], LEAVES[1]), "nothing leads from a tree of 0"),
        ((0, 0, [], LEAVES[0], LEAVES[0]), "nothing leads from a tree of 0"),
        ((5, 4, [], LEAVES[0], LEAVES[0]), "nothing leads from a tree of 5"),
        ((3, 3, [], LEAVES[0], LEAVES[1]), "two roots"),
        ((3, 3, [LEAVES[2]], LEAVES[0], LEAVES[0]), "or a path"),
        ((2, 3, [b""], LEAVES[0], LEAVES[1]), "32 bytes"),
        ((2, 3, [LEAVES[2]], b"", LEAVES[1]), "32 bytes"),
        ((2, 3, [LEAVES[2]], LEAVES[0], LEAVES[1][:31]), "32 bytes"),
        ((2, 3, [], LEAVES[0], LEAVES[1]), "too short"),
        ((3, 4, [], LEAVES[0], LEAVES[1]), "too short"),
        ((2, 3, [LEAVES[2]] * 5, LEAVES[0], LEAVES[1]), "too long"),
        ((2, 3, [LEAVES[2]], LEAVES[0], LEAVES[1]), "another new root"),
        ((3, 4, [LEAVES[2]] * 3, LEAVES[0], LEAVES[1]), "another old root"),
    ],
)
def test_each_refused_consistency_proof_has_its_reason(claim: tuple[Any, ...], reason: str) -> None:
    """The message says what is wrong: sizes, hash length, path length, or which root."""
    with pytest.raises(VerificationError, match=reason):
        verify_consistency(*claim)


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        ((0, 0, LEAVES[0], [], LEAVES[0]), "a tree of 0 has no index 0"),
        ((4, 4, LEAVES[0], [], LEAVES[0]), "a tree of 4 has no index 4"),
        ((-1, 4, LEAVES[0], [], LEAVES[0]), "a tree of 4 has no index -1"),
        ((0, 2, b"", [LEAVES[1]], LEAVES[0]), "32 bytes"),
        ((0, 1, LEAVES[0], [], b""), "32 bytes"),
        ((0, 2, LEAVES[0], [], LEAVES[0]), "too short"),
        ((0, 1, LEAVES[0], [LEAVES[1]], LEAVES[0]), "too long"),
        ((0, 2, LEAVES[0], [LEAVES[1]], LEAVES[0]), "another root"),
    ],
)
def test_each_refused_inclusion_proof_has_its_reason(claim: tuple[Any, ...], reason: str) -> None:
    """The message says what is wrong: index, hash length, path length, or the root."""
    with pytest.raises(VerificationError, match=reason):
        verify_inclusion(*claim)
