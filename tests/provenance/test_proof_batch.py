"""Rules of proofs that share nodes: the same proofs come out, never more bytes, nothing else in."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode
from contextlib import suppress
from functools import cache
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import naive_tree
import pytest
from bundle_tools import LOG, flip, judge
from hypothesis import given, settings
from hypothesis import strategies as st
from small_log import ORIGIN

from provenance import canonical
from provenance.errors import InputError, ProvenanceError, UsageError, VerificationError
from provenance.hashing import leaf_hash
from provenance.notes.checkpoint import Checkpoint, sign
from provenance.proving import merkle, proof
from provenance.proving.proof_batch import VERSION, expanded, shared

if TYPE_CHECKING:
    from collections.abc import Callable

    from provenance.entries import Content

Document = dict[str, Any]


@cache
def big() -> tuple[list[bytes], merkle.TileTree]:
    """Some thousand leaves and their tree."""
    leaves = [number.to_bytes(88) for number in range(5_000)]
    return leaves, merkle.tree_of([leaf_hash(leaf) for leaf in leaves])[1]


@cache
def note_at(size: int) -> str:
    """A checkpoint of that tree."""
    return sign(Checkpoint(ORIGIN, size, big()[1].root_at(size)), [LOG.key])


def bundle_at(index: int, size: int) -> Content:
    """An ordinary bundle, erased body and all."""
    leaves, tree = big()
    return proof.build_bundle(
        origin=ORIGIN,
        index=index,
        leaf=leaves[index],
        path=tree.inclusion_path(index, size),
        checkpoint=note_at(size),
        body=None,
    )


def every_bundle() -> list[Content]:
    """The small log's bundles with all that a bundle can hold; seven share a signed batch."""
    return [LOG.bundle(index, 1) for index in range(11)]


def test_every_subset_of_small_trees_comes_back() -> None:
    """All sets of leaves of all trees up to 8: the same bundles, and no node more than needed."""
    for size in range(1, 9):
        bundles = [bundle_at(index, size) for index in range(size)]
        for count in range(1, size + 1):
            for chosen in combinations(bundles, count):
                document = shared(chosen)
                assert expanded(document) == list(chosen)
                nodes = json.loads(document)["nodes"]
                assert len(nodes) <= sum(len(one["path"]) for one in chosen)
                assert len({node for one in chosen for node in one["path"]} & {*nodes}) == len(
                    nodes
                )


@given(st.sets(st.integers(0, 4_999), min_size=1, max_size=60), st.integers(0, 3_000))
@settings(max_examples=60)
def test_random_subsets_of_large_trees_come_back(indices: set[int], more: int) -> None:
    """Any set, given in any order, at any size; the document is never larger than its bundles."""
    size = min(5_000, max(indices) + 1 + more)
    bundles = [bundle_at(index, size) for index in sorted(indices)]
    document = shared(bundles[::-1])
    assert expanded(document) == bundles
    assert len(document) <= sum(len(proof.bundle_text(one)) for one in bundles)
    if len(bundles) > 1:
        assert len(document) <= sum(len(canonical.encode(one)) for one in bundles)


def test_members_of_one_batch_share_its_nodes_too() -> None:
    """All seven members of a batch need no node of its tree, one of them three."""
    for chosen, needed in ((range(3, 10), 0), ([3], 3), ([3, 4], 2), ([3, 9], 3)):
        document = json.loads(shared([LOG.bundle(at, 1) for at in chosen]))
        assert [len(one["nodes"]) for one in document["batches"]] == [needed]


def test_a_thousand_neighbours_cost_a_few_nodes() -> None:
    """1,000 entries in a row need not 13,000 hashes but about two ways up."""
    document = json.loads(shared([bundle_at(index, 5_000) for index in range(2_000, 3_000)]))
    assert len(document["nodes"]) <= 2 * 13


def test_all_that_a_bundle_holds_comes_back_and_verifies() -> None:
    """Bodies, openings, signed batches, an older checkpoint, anchors: judged as before."""
    for chosen in (every_bundle(), every_bundle()[4:6], every_bundle()[5:]):
        back = expanded(shared(chosen))
        assert back == chosen
        for one in back:
            verdicts = judge(one, parties=None if one["batch"] else [])
            assert {each.status for each in verdicts.values()} <= {"ok", "absent"}
            assert verdicts["included"].status == "ok"
            assert not one["batch"] or verdicts["batch-signed"].status == "ok"


def test_only_bundles_of_one_checkpoint_share() -> None:
    """No bundle, two checkpoints, two older ones, an entry twice: refused."""
    for bundles, reason in (
        ([], "no entry"),
        ([bundle_at(1, 5), bundle_at(2, 6)], "under one checkpoint"),
        ([LOG.bundle(5), LOG.bundle(6, consistency=None)], "under one checkpoint"),
        ([bundle_at(1, 5), bundle_at(1, 5)], "proven twice"),
    ):
        with pytest.raises(UsageError, match=reason):
            shared(bundles)


@cache
def four_and_five() -> bytes:
    """The small log's entries 4 and 5 in one document."""
    return shared(every_bundle()[4:6])


def edited(change: Callable[[Document], object]) -> Callable[[], bytes]:
    """That document, changed."""

    def make() -> bytes:
        document = json.loads(four_and_five())
        changed = change(document)
        return canonical.encode(changed if isinstance(changed, dict) else document) + b"\n"

    return make


def swap(listed: list[Any], one: int, two: int) -> None:
    """Exchange two items."""
    listed[one], listed[two] = listed[two], listed[one]


ATTACKS: dict[str, tuple[Callable[[], bytes], str]] = {
    "no node": (edited(lambda d: d.update(nodes=[])), "has 0 nodes; its entries need 3"),
    "nodes truncated": (edited(lambda d: d["nodes"].pop()), "has 2 nodes; its entries need 3"),
    "nodes padded": (
        edited(lambda d: d["nodes"].append("A" * 43)),
        "has 4 nodes; its entries need 3",
    ),
    "nodes reordered": (edited(lambda d: swap(d["nodes"], 0, 1)), "do not give the checkpoint's"),
    "a node doubled": (
        edited(lambda d: d["nodes"].insert(1, d["nodes"][0])),
        "holds a node twice",
    ),
    "a node changed": (
        edited(lambda d: d["nodes"].append(flip(d["nodes"].pop()))),
        "do not give the checkpoint's root",
    ),
    "a short node": (
        edited(lambda d: d["nodes"].append(d["nodes"].pop()[:-1])),
        "a node that is not 32 bytes",
    ),
    "a node of 31 bytes": (
        edited(lambda d: d["nodes"].append(d["nodes"].pop()[:-2] + "A")),
        "a node that is not 32 bytes",
    ),
    "no entry": (edited(lambda d: d.update(entries=[], batches=[])), "holds no entry"),
    "entries truncated": (
        edited(lambda d: d.update(entries=d["entries"][:1])),
        "has 3 nodes; its entries need 4",
    ),
    "an entry doubled": (
        edited(lambda d: d["entries"].append(d["entries"][-1])),
        "holds entry 5 twice",
    ),
    "entries reordered": (edited(lambda d: d["entries"].reverse()), "has entry 4 after 5"),
    "an entry beyond": (
        edited(lambda d: d["entries"][1].update(index=11)),
        "has entry 11, in a tree of 11",
    ),
    "a negative index": (
        edited(lambda d: d["entries"][0].update(index=-1)),
        "holds entry -1 twice",
    ),
    "another index": (
        edited(lambda d: d["entries"][1].update(index=7)),
        "has 3 nodes; its entries need 4",
    ),
    "entries swapped": (
        edited(
            lambda d: (
                d["entries"][0].update(leaf=d["entries"][1]["leaf"])
                or d["entries"][1].update(leaf=LOG.bundle(4)["leaf"])
            )
        ),
        "do not give the checkpoint's root",
    ),
    "a short leaf": (
        edited(lambda d: d["entries"][0].update(leaf="AAAA")),
        "a leaf that is not 88 bytes",
    ),
    "a leaf that is no text": (edited(lambda d: d["entries"][0].update(leaf=1)), "cannot be read"),
    "no batch entry": (edited(lambda d: d["batches"].clear()), "not just the batch entries"),
    "a batch entry more": (
        edited(lambda d: d["batches"].insert(0, d["batches"][0] | {"index": 9})),
        "not just the batch entries",
    ),
    "a batch entry doubled": (
        edited(lambda d: d["batches"].append(d["batches"][0])),
        "holds batch 10 twice",
    ),
    "a batch entry that is no batch": (
        edited(lambda d: d["batches"][0].update(body=d["entries"][0]["body"])),
        "whose body is no batch's",
    ),
    "a batch entry without a body": (
        edited(lambda d: d["batches"][0].update(body=None)),
        "whose body is no batch's",
    ),
    "nodes of a batch truncated": (
        edited(lambda d: d["batches"][0]["nodes"].clear()),
        "has 0 nodes; its entries need 3",
    ),
    "nodes of a batch padded": (
        edited(lambda d: d["batches"][0]["nodes"].append("A" * 43)),
        "has 4 nodes; its entries need 3",
    ),
    "a place in a batch twice": (
        edited(lambda d: d["entries"][0]["batch"].update(position=2)),
        "place 2 of batch 10 twice",
    ),
    "a place beyond a batch": (
        edited(lambda d: d["entries"][0]["batch"].update(position=7)),
        "beyond its 7",
    ),
    "a negative place": (
        edited(lambda d: d["entries"][0]["batch"].update(position=-1)),
        "place -1 of batch 10",
    ),
    "size 0": (
        edited(lambda d: d.update(checkpoint=note_at(0))),
        "has entry 4, in a tree of 0",
    ),
    "another checkpoint": (
        edited(lambda d: d.update(checkpoint=note_at(11))),
        "do not give the checkpoint's root",
    ),
    "no checkpoint": (edited(lambda d: d.update(checkpoint="")), "a signed note is"),
    "another version": (
        edited(lambda d: d.update(v="provenance/proofs/2")),
        "of version 'provenance/proofs/2'",
    ),
    "one member more": (edited(lambda d: d | {"extra": 1}), "unknown field `extra`"),
    "one member less": (
        edited(lambda d: {k: v for k, v in d.items() if k != "nodes"}),
        "missing required field `nodes`",
    ),
    "other spacing": (
        lambda: json.dumps(json.loads(edited(dict)()), sort_keys=True).encode() + b"\n",
        "not in canonical form",
    ),
    "a doubled name": (
        lambda: edited(dict)().replace(b'{"anchors":[]', b'{"anchors":[1],"anchors":[]'),
        "not in canonical form",
    ),
    "no newline": (lambda: edited(dict)()[:-1], "not in canonical form"),
    "two documents": (lambda: edited(dict)() * 2, "cannot be read"),
    "nothing": (lambda: b"", "cannot be read"),
    "a list": (lambda: b"[]\n", "cannot be read"),
    "depth": (lambda: b'{"anchors":' + b"[" * 100_000, "cannot be read"),
    "too much": (lambda: b" " * ((64 << 20) + 1), "at most 67108864"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_each_spoilt_document_is_refused_for_its_own_reason(name: str) -> None:
    """Nodes or entries cut, added, exchanged or doubled, and every other form but the one."""
    make, reason = ATTACKS[name]
    with pytest.raises((InputError, VerificationError), match=reason):
        expanded(make())


def test_an_entry_that_is_the_batch_entry_is_one_leaf() -> None:
    """Proving the batch entry itself with its members needs no second copy; two leaves clash."""
    document = json.loads(shared([LOG.bundle(9, 1), LOG.bundle(10, 0)]))
    document["batches"][0]["body"] = None
    with pytest.raises(InputError, match="two leaves of entry 10"):
        expanded(canonical.encode(document) + b"\n")


def test_what_hangs_on_the_tree_only_is_left_to_the_verifier() -> None:
    """A changed body or opening is expanded as it is, and the verifier fails just that claim."""
    for change, claim in (
        (lambda one: one.update(body=flip(one["body"])), "body"),
        (lambda one: one["disclosed"][0].update(salt=flip(one["disclosed"][0]["salt"])), "field"),
    ):
        first, second = expanded(edited(lambda d, c=change: c(d["entries"][0]))())
        assert judge(first)[claim].status == "failed"
        assert judge(first)["included"].status == "ok"
        assert {each.status for each in judge(second).values()} == {"ok", "absent"}


def test_a_false_place_in_a_batch_spoils_that_batch_alone() -> None:
    """Entries are included all the same; the batch's root is another for all its members."""

    def exchanged(document: Document) -> None:
        first, second = document["entries"]
        first["batch"]["position"], second["batch"]["position"] = 2, 1

    for one in expanded(edited(exchanged)()):
        verdicts = judge(one)
        assert verdicts["batch-signed"].status == "failed"
        assert "another root" in verdicts["batch-signed"].text
        assert verdicts["included"].status == "ok"


@given(st.data())
def test_only_our_errors_come_out_of_a_garbled_document(data: st.DataObject) -> None:
    """Any stretch replaced by anything: an error of ours, or a document that is written back."""
    text = four_and_five()
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, min(len(text), start + 4)))
    new = data.draw(st.binary(max_size=4) | st.sampled_from([b"null", b"[]", b"-1", b'"', b"1e9"]))
    changed = text[:start] + new + text[stop:]
    with suppress(ProvenanceError):
        assert shared(expanded(changed)) == changed


def by_the_book(document: Document) -> bytes:
    """The root, put together as docs/data-model.md says, with nothing of the program's."""
    nodes = iter(document["nodes"])
    proven = {one["index"]: one for one in [*document["batches"], *document["entries"]]}

    def root(start: int, stop: int) -> bytes:
        if not any(start <= index < stop for index in proven):
            return urlsafe_b64decode(next(nodes) + "=")
        if stop - start == 1:
            leaf = urlsafe_b64decode(proven[start]["leaf"] + "==")
            return hashlib.sha256(b"\x00" + leaf).digest()
        middle = start + naive_tree._k(stop - start)
        left, right = root(start, middle), root(middle, stop)
        return hashlib.sha256(b"\x01" + left + right).digest()

    found = root(0, int(document["checkpoint"].split("\n")[1]))
    assert list(nodes) == []
    return found


@given(st.sets(st.integers(0, 4_999), min_size=1, max_size=30), st.integers(0, 3_000))
@settings(max_examples=30)
def test_another_reader_gets_the_root_by_the_book(indices: set[int], more: int) -> None:
    """Nodes in their order and leaves give the checkpoint's root, and no node is left over."""
    size = min(5_000, max(indices) + 1 + more)
    document = json.loads(shared([bundle_at(index, size) for index in indices]))
    assert by_the_book(document) == big()[1].root_at(size)
    for chosen in ([4, 5], [10], range(11)):
        document = json.loads(shared([LOG.bundle(index, 1) for index in chosen]))
        assert by_the_book(document) == LOG.tree(LOG.leaves).root_at(11)


def test_the_document_is_what_it_says() -> None:
    """Version, entries by index, and nodes that lie from left to right."""
    document = json.loads(shared([bundle_at(index, 16) for index in (3, 9)]))
    tree = big()[1]
    assert document["v"] == VERSION
    assert [one["index"] for one in document["entries"]] == [3, 9]
    spans = [(0, 2), (2, 3), (4, 8), (8, 9), (10, 12), (12, 16)]
    assert all(one[1] <= two[0] for one, two in pairwise(spans))
    leaves = big()[0]
    wanted = [
        merkle.tree_of([leaf_hash(leaf) for leaf in leaves[start:stop]])[0] for start, stop in spans
    ]
    assert document["nodes"] == [proof.b64(node) for node in wanted]
    assert tree.root_at(16)
