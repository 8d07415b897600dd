"""Rules of signed batches: found by any of their entries, proven by a path, signed by who may."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_factories import ORIGIN, START_US, seeded

from provenance import canonical
from provenance.disclosure.privacy import b64
from provenance.disclosure.tiers import DEFAULT_POLICY
from provenance.errors import VerificationError, WorkspaceDamaged
from provenance.hashing import leaf_hash
from provenance.notes import keys
from provenance.notes.checkpoint import Note, NoteSignature, format_note, sign_note
from provenance.notes.parties import Party
from provenance.proving import merkle
from provenance.proving.batch_tree import BatchTree
from provenance.proving.leaf import encode_leaf
from provenance.store.register import Register, founding_draft
from provenance.store.signed_batch import (
    ANY_BATCH,
    batch_keys,
    batch_text,
    check_batch,
    keys_in,
    keys_over,
    unfit_signer,
)
from provenance.verify import verify_inclusion

DAY_US = 24 * 3600 * 1_000_000
LOG_KEY = keys.generate(ORIGIN, seeded(1))
KEY, NEW_KEY = (keys.generate("acme", seeded(n)) for n in (50, 51))
OTHER_KEY = keys.generate("zeta", seeded(52))


def spans(sizes: list[int]) -> list[list[int]]:
    """Ranges and gaps, in turn, of these sizes."""
    ranges, at = [], 0
    for number, size in enumerate(sizes):
        if number % 2:
            ranges.append([at, at + size - 1])
        at += size
    return ranges


@settings(max_examples=30)
@given(st.lists(st.lists(st.integers(1, 300), min_size=2, max_size=6), min_size=1, max_size=4))
def test_each_entry_finds_its_own_batch_and_no_other(batches: list[list[int]]) -> None:
    """Batches that interleave: the row keys over an entry lead to the one that it is in."""
    shift, table, holders = 0, {}, {}
    for number, sizes in enumerate(batches):
        ranges = [[first + shift, last + shift] for first, last in spans(sizes)]
        shift = ranges[-1][1] + 1
        for key in batch_keys(ranges):
            assert key == ANY_BATCH or key not in table
            table[key] = number
        for first, last in ranges:
            holders.update(dict.fromkeys(range(first, last + 1), number))
    for index in range(shift + 3):
        found = {table[key] for key in keys_over(index, shift + 3) if key in table}
        assert found == ({holders[index]} if index in holders else set()), index


def test_a_long_range_has_few_keys() -> None:
    """Five million entries in one piece take as many keys as their number has binary digits."""
    assert len(list(batch_keys([[0, 2**23 - 1]]))) == 2
    assert len(list(batch_keys([[1, 5_000_000]]))) < 60
    assert len(keys_over(4_999_999, 5_000_001)) == 23


@pytest.mark.parametrize(
    "body",
    [
        None,
        b"",
        b"{",
        b"[]",
        b'{"count":1}',
        b'{"note":""}',
        b'{"note":"","ranges":7}',
        b'{"note":"","ranges":[1,2]}',
        b'{"note":"","ranges":[[1]]}',
        b'{"note":"","ranges":[["a","b"]]}',
        b'{"note":"","ranges":[[null,1]]}',
    ],
)
def test_what_is_no_signed_batch_has_no_row_keys(body: bytes | None) -> None:
    """A mirror reads row keys from bodies that anybody may have written."""
    assert keys_in(body) == []


def test_row_keys_can_be_read_from_the_body() -> None:
    """They are the same as the writer's; ranges that run backwards have none."""
    ranges = [[5, 90], [3, 2], [100, 2**40]]
    body = canonical.encode({"note": "x", "ranges": ranges, "count": 1})

    assert keys_in(body) == list(batch_keys([[5, 90], [100, 2**40]]))
    assert len(keys_in(body)) < 120


def leaf(index: int) -> bytes:
    """A leaf with a digest of its own."""
    return encode_leaf(1, index, START_US, seeded(index)(32), bytes(32))


def leaves(start: int, stop: int) -> list[bytes]:
    """Some leaves."""
    return [leaf(index) for index in range(start, stop)]


def batch(ranges: list[list[int]]) -> dict[str, Any]:
    """A batch entry's content."""
    hashes = [leaf_hash(one[24:56]) for first, last in ranges for one in leaves(first, last + 1)]
    root = merkle.tree_of(hashes)[0]
    return {"party": "acme", "count": len(hashes), "ranges": ranges, "root": b64(root)}


@pytest.mark.parametrize("sizes", [[0, 1], [3, 255], [1, 256, 2, 1], [9, 700, 1, 100, 5, 513]])
def test_every_entry_has_a_path_to_the_batch_root(sizes: list[int]) -> None:
    """The blocks' tree is the RFC 6962 tree: the offline verifier accepts each path."""
    content = batch(spans(sizes))
    tree = BatchTree(content, leaves)
    hashes = [leaf_hash(one[24:56]) for a, b in content["ranges"] for one in leaves(a, b + 1)]
    naive = merkle.tree_of(hashes)

    assert tree.count == len(hashes)
    for position in {0, 1, 254, 255, 256, 511, 512, 700, len(hashes) - 1} & set(range(len(hashes))):
        path = tree.path(position)
        assert path == naive[1].inclusion_path(position, len(hashes))
        verify_inclusion(position, len(hashes), hashes[position], path, naive[0])
    indices = [at for first, last in content["ranges"] for at in range(first, last + 1)]
    assert [tree.position(at) for at in indices] == list(range(len(indices)))
    assert tree.position(indices[-1] + 1) is None


def test_a_batch_that_is_not_of_its_entries_is_damage() -> None:
    """Another root, another count or a missing leaf: said before any proof is made."""
    good = batch([[3, 9]])
    for change in ({"root": b64(bytes(32))}, {"count": 8}, {"ranges": [[3, 8]]}):
        with pytest.raises(WorkspaceDamaged):
            BatchTree({**good, **change}, leaves)
    with pytest.raises(WorkspaceDamaged, match="missing"):
        BatchTree(good, lambda start, stop: leaves(start, stop)[1:])


def register(*said: Party) -> Register:
    """A register of these statements, at entries 10, 20, ..."""
    draft = founding_draft(LOG_KEY.vkey, DEFAULT_POLICY)
    made = Register.founded(canonical.encode({**draft.content, "_v": draft.version}))
    for at, one in enumerate(said, 1):
        body = {**made.statement(one).content, "_v": "party/1", "_t": {"*": "public"}}
        made = made.followed(10 * at, canonical.encode(body))
    return made


ACME = Party(0, "acme", "Acme", "maker", (KEY.vkey,), "2026-01-01", "2026-01-31")


def signed(*signers: keys.LogKey, **changes: Any) -> dict[str, Any]:
    """A signed batch; `changes` come after the signature."""
    content = batch([[3, 9]])
    text = batch_text("acme", content["count"], content["root"])
    return {**content, "note": sign_note(text, signers or [KEY]), **changes}


def test_a_batch_signed_by_a_registered_key_is_accepted() -> None:
    """Its signer is told."""
    assert check_batch(signed(), register(ACME), 15, START_US) == KEY.vkey


FORGED = format_note(
    Note(
        batch_text("acme", 7, batch([[3, 9]])["root"]),
        (NoteSignature("acme", KEY.key_id, bytes(64)),),
    )
)
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a stranger's key": (signed(NEW_KEY), "is not a key of the party acme"),
    "another party's key": (signed(OTHER_KEY), "is not a key of the party acme"),
    "one more signature": (signed(KEY, NEW_KEY), "is not a key of the party acme"),
    "another party": (signed(party="zeta"), "another batch"),
    "another count": (signed(count=8), "another batch"),
    "another root": (signed(root=b64(bytes(32))), "another batch"),
    "the note of another batch": (
        signed(note=sign_note(batch_text("acme", 1, b64(bytes(32))), [KEY])),
        "another batch",
    ),
    "a signature that is none": (signed(note=FORGED), "the signature of .* is wrong"),
    "no note": (signed(note=None), "signed note"),
    "a note that is a number": (signed(note=7), "signed note"),
    "no root": (signed(root=None), "another batch"),
}


@pytest.mark.parametrize(("content", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_batch_that_is_not_signed_so_is_refused(content: dict[str, Any], reason: str) -> None:
    """Each with its own reason."""
    with pytest.raises(VerificationError, match=reason):
        check_batch(content, register(ACME), 15, START_US)


def test_statements_after_a_batch_do_not_count_for_it() -> None:
    """A key that the party gives up later stays good for what it signed, and a new one is none."""
    later = register(ACME, ACME._replace(keys=(NEW_KEY.vkey,)))

    assert check_batch(signed(), later, 15, START_US) == KEY.vkey
    assert check_batch(signed(NEW_KEY), later, 25, START_US) == NEW_KEY.vkey
    with pytest.raises(VerificationError, match="not registered"):
        check_batch(signed(), later, 5, START_US)
    with pytest.raises(VerificationError, match="not a key"):
        check_batch(signed(), later, 25, START_US)


@pytest.mark.parametrize(("day", "fit", "good"), [(-2, 0, 0), (-1, 0, 1), (0, 1, 1), (30, 1, 1)])
def test_a_key_counts_in_its_time(day: int, fit: int, good: int) -> None:
    """Not before its first day and not after its last; a day's grace for what is signed already."""
    made = register(ACME)
    for at in (START_US + day * DAY_US, START_US + (30 - day) * DAY_US):
        assert (unfit_signer(made, "acme", KEY.vkey, at) is None) == bool(fit)
        if good:
            assert check_batch(signed(), made, 15, at) == KEY.vkey
        else:
            with pytest.raises(VerificationError, match="may sign from 2026-01-01 to 2026-01-31"):
                check_batch(signed(), made, 15, at)
