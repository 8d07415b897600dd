"""Attacks on what the log says of an entry: origin, signatures, witnesses, place, history."""

from __future__ import annotations

import pytest
from bundle_tools import (
    LOG,
    Attacks,
    assert_fails,
    bad_line,
    edited,
    other_checkpoint,
    statuses,
    stranger_signed,
    unsigned_lines,
    with_leaf,
)
from small_log import ORIGIN, Witness

from provenance.disclosure.privacy import b64, unb64
from provenance.hashing import EMPTY_ROOT
from provenance.notes.checkpoint import format_note, parse_note

ATTACKS: Attacks = {
    "another log's name": (lambda: edited(origin="other"), "signed", "is of the log 'log.example"),
    "another log's checkpoint": (
        lambda: edited(checkpoint=other_checkpoint(origin="other.example"), origin="other.example"),
        "signed",
        "the policy names no log",
    ),
    "no signature of the log": (
        lambda: edited(checkpoint=unsigned_lines(lambda name: name != ORIGIN)),
        "signed",
        "no key that the policy trusts",
    ),
    "a valid signature of an unknown key": (
        lambda: edited(checkpoint=stranger_signed()),
        "signed",
        "no key that the policy trusts",
    ),
    "a wrong signature of a known key": (
        lambda: edited(checkpoint=bad_line(ORIGIN)),
        "signed",
        "the signature of 'log.example/shipments' is wrong",
    ),
    "one witness of two": (
        lambda: edited(checkpoint=unsigned_lines(lambda name: not name.endswith("w1"))),
        "witnessed",
        "1 known witnesses are not the quorum",
    ),
    "a wrong cosignature": (
        lambda: edited(checkpoint=bad_line("witness.example/w1")),
        "witnessed",
        "the signature of 'witness.example/w1' is wrong",
    ),
    "a witness nobody knows": (
        lambda: edited(
            checkpoint=Witness("witness.example/w2", 5).cosign(
                unsigned_lines(lambda name: not name.endswith("w1"))
            )
        ),
        "witnessed",
        "1 known witnesses are not the quorum",
    ),
    "another root": (
        lambda: edited(checkpoint=other_checkpoint(root=bytes(32))),
        "included",
        "another root",
    ),
    "an older root": (
        lambda: edited(checkpoint=other_checkpoint(root=LOG.tree(LOG.leaves).root_at(10))),
        "included",
        "another root",
    ),
    "a tree that ends before the entry": (
        lambda: edited(checkpoint=LOG.checkpoint(5, cosigners=2)),
        "included",
        "a tree of 5 has no index 5",
    ),
    "the empty tree": (
        lambda: edited(checkpoint=other_checkpoint(size=0, root=EMPTY_ROOT)),
        "included",
        "a tree of 0 has no index 5",
    ),
    "another index": (lambda: edited(index=4), "included", "the leaf is of index 5, not of 4"),
    "a negative index": (lambda: edited(index=-5), "included", "the leaf is of index 5, not of -5"),
    "an index in leaf and bundle": (
        lambda: edited(index=4, leaf=with_leaf(lambda x: x[:15] + b"\x04" + x[16:])),
        "included",
        "another root",
    ),
    "another leaf": (
        lambda: edited(leaf=b64(LOG.leaves[4]), index=4),
        "included",
        "another root",
    ),
    "a leaf cut short": (lambda: edited(leaf=with_leaf(lambda x: x[:-1])), "included", "87 bytes"),
    "a leaf lengthened": (
        lambda: edited(leaf=with_leaf(lambda x: x + b"\0")),
        "included",
        "89 bytes",
    ),
    "no leaf": (lambda: edited(leaf=""), "included", "a leaf of 0 bytes"),
    "another magic": (
        lambda: edited(leaf=with_leaf(lambda x: b"PLE2" + x[4:])),
        "included",
        "begins with b'PLE2'",
    ),
    "flags": (
        lambda: edited(leaf=with_leaf(lambda x: x[:5] + b"\x01" + x[6:])),
        "included",
        "flags or padding",
    ),
    "padding": (
        lambda: edited(leaf=with_leaf(lambda x: x[:7] + b"\x01" + x[8:])),
        "included",
        "flags or padding",
    ),
    "another entry type": (
        lambda: edited(leaf=with_leaf(lambda x: x[:4] + b"\x05" + x[5:])),
        "included",
        "another root",
    ),
    "another ingest time": (
        lambda: edited(leaf=with_leaf(lambda x: x[:23] + b"\xff" + x[24:])),
        "included",
        "another root",
    ),
    "another past": (
        lambda: edited(leaf=with_leaf(lambda x: x[:-1] + b"\xff")),
        "included",
        "another root",
    ),
    "a path cut at the end": (lambda: edited(path=lambda p: p[:-1]), "included", "too short"),
    "a path cut at the start": (lambda: edited(path=lambda p: p[1:]), "included", "too short"),
    "a path lengthened": (lambda: edited(path=lambda p: [*p, p[0]]), "included", "too long"),
    "a path reversed": (lambda: edited(path=lambda p: p[::-1]), "included", "another root"),
    "an empty hash": (lambda: edited(path=lambda p: ["", *p[1:]]), "included", "32 bytes"),
    "a hash of 31 bytes": (
        lambda: edited(path=lambda p: [b64(unb64(p[0])[:31]), *p[1:]]),
        "included",
        "32 bytes",
    ),
    "an older checkpoint of another history": (
        lambda: edited(consistency__checkpoint=other_checkpoint(size=6, root=bytes(32))),
        "consistent",
        "another old root",
    ),
    "an unsigned older checkpoint": (
        lambda: edited(
            consistency__checkpoint=lambda text: text.replace("\n6\n", "\n7\n"),
        ),
        "consistent",
        "the signature of 'log.example/shipments' is wrong",
    ),
    "an older checkpoint of size 0": (
        lambda: edited(consistency__checkpoint=LOG.checkpoint(0), consistency__path=[]),
        "consistent",
        "nothing leads from a tree of 0",
    ),
    "a later checkpoint as the older": (
        lambda: edited(consistency__checkpoint=other_checkpoint(size=12)),
        "consistent",
        "nothing leads from a tree of 12 to one of 11",
    ),
    "checkpoints swapped": (
        lambda: edited(
            checkpoint=LOG.checkpoint(6, cosigners=2),
            consistency__checkpoint=LOG.checkpoint(11),
        ),
        "consistent",
        "nothing leads from a tree of 11 to one of 6",
    ),
    "a consistency path cut short": (
        lambda: edited(consistency__path=lambda p: p[:-1]),
        "consistent",
        "too short",
    ),
    "a consistency path lengthened": (
        lambda: edited(consistency__path=lambda p: [*p, "A" * 43]),
        "consistent",
        "too long",
    ),
    "a consistency path reversed": (
        lambda: edited(consistency__path=lambda p: p[::-1]),
        "consistent",
        "another old root",
    ),
    "roots swapped": (
        lambda: edited(
            checkpoint=other_checkpoint(root=LOG.tree(LOG.leaves).root_at(6)),
            consistency__checkpoint=other_checkpoint(size=6, root=LOG.tree(LOG.leaves).root_at(11)),
        ),
        "consistent",
        "another old root",
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_each_attack_on_the_log_fails_its_claim(attack: str) -> None:
    """The verdict that the attack is on fails, with a reason of its own."""
    make, claim, reason = ATTACKS[attack]
    assert_fails(make(), claim, reason)


def test_duplicate_and_unknown_signature_lines_do_no_harm() -> None:
    """A line twice, or a line of an unknown key under a known name, changes no verdict."""
    note = parse_note(LOG.bundle()["checkpoint"])
    stranger = parse_note(stranger_signed()).signatures[:1]
    many = format_note(note._replace(signatures=stranger + note.signatures * 2))
    assert statuses(edited(checkpoint=many)) == {"ok"}
