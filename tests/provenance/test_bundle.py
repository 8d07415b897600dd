"""Rules of proof bundles: what is claimed holds, and each attack fails with its own reason."""

from __future__ import annotations

import copy
import json
from base64 import b64decode, b64encode
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_log import ORIGIN, SmallLog, Witness, seeded, small_log

from provenance import canonical, proof
from provenance.checkpoint import Checkpoint, format_note, parse_note, sign
from provenance.entries import EntryType
from provenance.errors import InputError, UsageError
from provenance.hashing import EMPTY_ROOT, body_digest, field_commitment
from provenance.keys import generate
from provenance.privacy import Sealed, b64, unb64
from provenance.verify import Verdict, check_bundle, parse_policy

if TYPE_CHECKING:
    from collections.abc import Callable

Bundle = dict[str, Any]
LOG = small_log()
POLICY = parse_policy(LOG.policy())
PARTIES = [LOG.party.vkey]
CLAIMS = ["signed", "witnessed", "included", "body", "field", "batch-signed", "consistent"]


def judge(
    bundle: Bundle | bytes, policy: bytes | None = None, parties: list[str] | None = None
) -> dict[str, Verdict]:
    """The verdicts by name."""
    data = bundle if isinstance(bundle, bytes) else proof.bundle_text(bundle)
    trusted = POLICY if policy is None else parse_policy(policy)
    found = check_bundle(data, trusted, PARTIES if parties is None else parties)
    return {verdict.name: verdict for verdict in found}


def statuses(bundle: Bundle | bytes) -> set[str]:
    """Which statuses the verdicts have, leaving out anchors, which are never checked."""
    return {verdict.status for name, verdict in judge(bundle).items() if name != "anchored"}


def flip(text: str) -> str:
    """Another text of the same length: the middle character changed within base64's alphabet."""
    at = len(text) // 2
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def edited(**changes: Any) -> Bundle:
    """The whole bundle with members replaced; a callable is given the old value."""
    bundle = copy.deepcopy(LOG.bundle())
    for name, change in changes.items():
        holder, _, last = name.rpartition("__")
        where = bundle[holder] if holder else bundle
        where[last] = change(where[last]) if callable(change) else change
    return bundle


def test_a_whole_bundle_is_good_in_every_claim() -> None:
    """Signed, witnessed, included, body, fields, batch and consistency: seven times ok."""
    verdicts = judge(LOG.bundle(anchors=[{"kind": "ots"}]))
    assert {name: verdict.status for name, verdict in verdicts.items()} == {
        **dict.fromkeys(CLAIMS, "ok"),
        "anchored": "absent",
    }
    assert verdicts["field"].text == "'/carrier', '/shipment_id'"
    assert verdicts["anchored"].text == "1 anchors present, unchecked"


def test_every_entry_of_the_log_can_be_proven() -> None:
    """A bundle of any entry under any later checkpoint verifies."""
    tree = LOG.tree(LOG.leaves)
    for size in range(1, len(LOG.leaves) + 1):
        note = LOG.checkpoint(size, cosigners=3)
        for index in range(size):
            bundle = proof.build_bundle(
                origin=ORIGIN,
                index=index,
                leaf=LOG.leaves[index],
                path=tree.inclusion_path(index, size),
                checkpoint=note,
                body=LOG.sealed[index].body,
                disclosed=LOG.sealed[index].openings,
            )
            assert {one.status for one in judge(bundle, parties=[]).values()} == {"ok", "absent"}


def test_what_is_not_claimed_is_absent_not_failed() -> None:
    """An erased body, nothing disclosed, no batch, no witnesses asked: absent, and good."""
    bundle = LOG.bundle(body=None, disclosed=0, batch=None, consistency=None)
    verdicts = judge(bundle, LOG.policy("none"), [])
    assert {name for name, verdict in verdicts.items() if verdict.status == "ok"} == {
        "signed",
        "included",
    }
    assert not [verdict for verdict in verdicts.values() if verdict.status == "failed"]


def other_checkpoint(**fields: Any) -> str:
    """A checkpoint with other fields, well signed by the log and two witnesses."""
    whole = {"origin": ORIGIN, "size": 11, "root": LOG.tree(LOG.leaves).root_at(11)} | fields
    key = LOG.key if whole["origin"] == ORIGIN else generate(whole["origin"], seeded(77))
    note = sign(Checkpoint(**whole), [key])
    for witness in LOG.witnesses[:2]:
        note = witness.cosign(note)
    return note


def unsigned_lines(keep: Callable[[str], bool]) -> str:
    """The checkpoint without the signature lines whose key name `keep` refuses."""
    note = parse_note(LOG.bundle()["checkpoint"])
    return format_note(note._replace(signatures=tuple(s for s in note.signatures if keep(s.name))))


def stranger_signed() -> str:
    """A checkpoint with a valid signature, of the log's name, by a key nobody trusts."""
    root = LOG.tree(LOG.leaves).root_at(11)
    note = sign(Checkpoint(ORIGIN, 11, root), [generate(ORIGIN, seeded(66))])
    return LOG.witnesses[1].cosign(LOG.witnesses[0].cosign(note))


def bad_line(name: str) -> str:
    """The checkpoint with the signature of `name` changed by one bit."""
    note = parse_note(LOG.bundle()["checkpoint"])
    lines = tuple(
        line._replace(signature=line.signature[:-1] + bytes([line.signature[-1] ^ 1]))
        if line.name == name
        else line
        for line in note.signatures
    )
    return format_note(note._replace(signatures=lines))


def with_leaf(change: Callable[[bytes], bytes]) -> Callable[[str], str]:
    """Change a leaf's bytes inside the bundle."""
    return lambda text: b64(change(unb64(text)))


SWAPPED = [
    {"path": "/carrier", "salt": two["salt"], "preimage": two["preimage"]}
    for two in LOG.bundle()["disclosed"][1:]
]

ATTACKS: dict[str, tuple[Callable[[], Bundle], str, str]] = {
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
    "another body": (lambda: edited(body=b64(LOG.sealed[4].body)), "body", "not the leaf's"),
    "a body with a space": (
        lambda: edited(body=lambda text: b64(unb64(text) + b" ")),
        "body",
        "not the leaf's",
    ),
    "an empty body": (lambda: edited(body=""), "body", "not the leaf's"),
    "a body over 16 MiB": (lambda: edited(body=b64(bytes((16 << 20) + 1))), "body", "at most"),
    "fields of an erased body": (lambda: edited(body=None), "field", "no body"),
    "another salt": (
        lambda: edited(disclosed=lambda d: [d[0] | {"salt": flip(d[0]["salt"])}]),
        "field",
        "'/carrier' is not what was committed to",
    ),
    "a salt moved into the value": (
        lambda: edited(
            disclosed=lambda d: [
                d[0]
                | {
                    "salt": b64(unb64(d[0]["salt"])[:31]),
                    "preimage": b64(unb64(d[0]["salt"])[31:] + unb64(d[0]["preimage"])),
                }
            ]
        ),
        "field",
        "the salt of '/carrier' has 31 bytes",
    ),
    "another value": (
        lambda: edited(disclosed=lambda d: [d[0] | {"preimage": b64(b'["/carrier","X"]')}]),
        "field",
        "'/carrier' is not what was committed to",
    ),
    "another field's opening": (
        lambda: edited(disclosed=SWAPPED),
        "field",
        "'/carrier' is not what was committed to",
    ),
    "a field that is not committed": (
        lambda: edited(disclosed=lambda d: [d[0] | {"path": "/event_id"}]),
        "field",
        "no commitment left for '/event_id'",
    ),
    "a field twice": (
        lambda: edited(disclosed=lambda d: [d[0], d[0]]),
        "field",
        "no commitment left for '/carrier'",
    ),
    "no batch where one is asked for": (
        lambda: edited(batch=None),
        "batch-signed",
        "names no batch",
    ),
    "another place in the batch": (
        lambda: edited(batch__position=3),
        "batch-signed",
        "another root",
    ),
    "a place beyond the batch": (
        lambda: edited(batch__position=7),
        "batch-signed",
        "a tree of 7 has no index 7",
    ),
    "a batch path cut short": (
        lambda: edited(batch__batch_path=lambda p: p[:-1]),
        "batch-signed",
        "too short",
    ),
    "an event as the batch": (
        lambda: edited(
            batch=lambda b: (
                b
                | {
                    "index": 4,
                    "leaf": b64(LOG.leaves[4]),
                    "path": [b64(n) for n in LOG.tree(LOG.leaves).inclusion_path(4, 11)],
                    "body": b64(LOG.sealed[4].body),
                }
            )
        ),
        "batch-signed",
        "the batch has not|count is not of type int",
    ),
    "another batch body": (
        lambda: edited(batch__body=lambda text: b64(unb64(text).replace(b"acme", b"evil"))),
        "batch-signed",
        "the body is not the leaf's",
    ),
    "a batch without body": (lambda: edited(batch__body=None), "batch-signed", "no body"),
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
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_each_attack_fails_the_claim_it_attacks(attack: str) -> None:
    """The verdict that the attack is on fails, with a reason of its own."""
    make, claim, reason = ATTACKS[attack]
    verdict = judge(make())[claim]
    assert verdict.status == "failed"
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(verdict.text)


def shorter_root(note: str) -> str:
    """The note with the last byte of the root cut off."""
    origin, size, root, rest = note.split("\n", 3)
    return "\n".join((origin, size, b64encode(b64decode(root)[:31]).decode(), rest))


UNREADABLE: dict[str, tuple[Callable[[], Bundle | bytes], str]] = {
    "nothing": (lambda: b"", "not JSON"),
    "not text": (lambda: b"\xff\xfe{}", "not JSON"),
    "another encoding": (lambda: json.dumps(LOG.bundle()).encode("utf-16"), "not JSON"),
    "a byte order mark": (lambda: b"\xef\xbb\xbf" + proof.bundle_text(LOG.bundle()), "BOM"),
    "half a bundle": (lambda: proof.bundle_text(LOG.bundle())[:-9], "not JSON"),
    "two bundles": (lambda: proof.bundle_text(LOG.bundle()) * 2, "Extra data"),
    "a list": (lambda: b"[]", "not of type dict"),
    "depth": (lambda: b"[" * 100_000 + b"]" * 100_000, "not JSON"),
    "a number without end": (lambda: b'{"v":' + b"9" * 5000 + b"}", "not JSON"),
    "a fraction": (lambda: proof.bundle_text(edited(index=5.0)), "not JSON"),
    "NaN": (lambda: b'{"v":NaN}', "not JSON"),
    "a doubled name": (
        lambda: proof.bundle_text(LOG.bundle()).replace(b'"v"', b'"index":5,"v"', 1),
        "a name occurs twice",
    ),
    "a doubled name within": (
        lambda: proof.bundle_text(LOG.bundle()).replace(b'"salt"', b'"path":"/x","salt"', 1),
        "a name occurs twice",
    ),
    "another version": (lambda: edited(v="provenance/proof/2"), "version 'provenance/proof/2'"),
    "one member more": (lambda: edited() | {"extra": 1}, "has not exactly"),
    "one member less": (lambda: {k: v for k, v in edited().items() if k != "anchors"}, "exactly"),
    "one member more within": (
        lambda: edited(batch=lambda b: b | {"extra": 1}),
        "batch has not exactly",
    ),
    "an index as text": (lambda: edited(index="5"), "index is not of type int"),
    "an index as truth": (lambda: edited(index=True), "index is not of type int"),
    "a leaf as null": (lambda: edited(leaf=None), "leaf is not well-formed base64"),
    "a leaf as a list": (lambda: edited(leaf=[]), "leaf is not well-formed base64"),
    "a leaf with padding": (lambda: edited(leaf=lambda x: x + "="), "leaf is not well-formed"),
    "a leaf with stray bits": (lambda: edited(leaf=lambda x: x[:-1] + "_"), "leaf is not well"),
    "a leaf in standard base64": (
        lambda: edited(leaf=b64encode(b"\xff" * 88).decode()),
        "leaf is not well-formed",
    ),
    "a leaf with a line break": (lambda: edited(leaf=lambda x: "\n" + x), "leaf is not well"),
    "a path as text": (lambda: edited(path="AAAA"), "path is not of type list"),
    "an opening as text": (lambda: edited(disclosed=["x"]), "disclosed is not of type dict"),
    "an unsigned checkpoint": (
        lambda: edited(checkpoint=lambda x: x.partition("\n\n")[0] + "\n\n"),
        "whole signature lines",
    ),
    "a checkpoint cut short": (lambda: edited(checkpoint=lambda x: x[:-1]), "whole signature"),
    "an extension line": (
        lambda: edited(checkpoint=lambda x: x.replace("\n\n", "\nmore\n\n", 1)),
        "origin, size and root",
    ),
    "a size with a leading zero": (
        lambda: edited(checkpoint=lambda x: x.replace("\n11\n", "\n011\n")),
        "origin, size and root",
    ),
    "a root of 31 bytes": (
        lambda: edited(checkpoint=shorter_root),
        "root has 31 bytes",
    ),
    "a root in base64url": (
        lambda: edited(checkpoint=other_checkpoint(root=b"\xff" * 32).replace("//", "__")),
        "root is not well-formed",
    ),
    "101 signature lines": (
        lambda: edited(checkpoint=lambda x: x + x.partition("\n\n")[2] * 40),
        "1 to 100 whole signature lines",
    ),
    "a control character": (
        lambda: edited(checkpoint=lambda x: x.replace("log.example", "log\x1b[2Jexample", 1)),
        "control characters",
    ),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_is_no_bundle_is_refused_as_a_whole(case: str) -> None:
    """InputError with the reason; nothing is said about a bundle that cannot be read."""
    make, reason = UNREADABLE[case]
    with pytest.raises(InputError, match=reason):
        judge(make())


def test_an_oversized_file_is_not_parsed() -> None:
    """More than 64 MiB are refused before any JSON is read."""
    with pytest.raises(InputError, match="more than 67108864 bytes"):
        judge(b" " * ((64 << 20) + 1))


def forged(content: dict[str, Any], kind: int = EntryType.EVENT) -> tuple[SmallLog, Bundle]:
    """A log whose operator logged a body that no builder of ours would make, and its bundle."""
    return forged_bytes(canonical.encode(content), kind)


def forged_bytes(body: bytes, kind: int = EntryType.EVENT) -> tuple[SmallLog, Bundle]:
    """As `forged`, from the body's bytes."""
    log = SmallLog()
    log.append(kind, Sealed(body, ()))
    bundle = log.bundle(11, disclosed=0, batch=None, consistency=None)
    return log, bundle


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"_c":{"/a":"%s"},"a":1}', "'/a' is both clear and committed"),
        (b'{"_c":{"/a/0":"%s"},"a":[1]}', "'/a/0' is both clear and committed"),
        (b'{"_c":{"/a/b~1c~0":"%s"},"a":{"b/c~":null}}', "is both clear and committed"),
        (b'{"_c":{"/_n":"%s"},"_n":"AA"}', "'/_n' is both clear and committed"),
        (b'{"_c":{"":"%s"}}', "'' is committed, but is no path"),
        (b'{"_c":{"a":"%s"}}', "'a' is committed, but is no path"),
        (b'{"_c":{"/a~":"%s"}}', "'/a~' is committed, but is no path"),
        (b'{"_c":{"/a":"%s="}}', "the commitment of '/a' is not well-formed"),
        (b'{"_c":{"/a":1},"b":"%s"}', "the commitment of '/a' is not well-formed"),
        (b'{"_c":["%s"]}', "no JSON object"),
        (b'["%s"]', "no JSON object"),
        (b'{"a":1,"a":"%s"}', "a name occurs twice"),
        (b'{"a":1.5,"b":"%s"}', "not JSON"),
        (b'{"a":Infinity,"b":"%s"}', "not JSON"),
        (b'{"a":"%s"', "not JSON"),
        (b'\xff"%s"', "not JSON"),
    ],
)
def test_a_dishonest_body_fails_though_it_was_logged(body: bytes, reason: str) -> None:
    """Signed and included it may be; a body that says two things is refused."""
    log, bundle = forged_bytes(body % b64(bytes(32)).encode())
    verdicts = {
        v.name: v for v in check_bundle(proof.bundle_text(bundle), parse_policy(policy(log)))
    }
    assert verdicts["included"].status == "ok"
    assert verdicts["body"].status == "failed"
    assert reason in verdicts["body"].text


def policy(log: SmallLog) -> bytes:
    """A policy for another log of the same name and keys."""
    return log.policy()


@pytest.mark.parametrize(
    "preimage",
    [b'["/b",1]', b'["/a"]', b'["/a",1,2]', b'{"/a":1}', b'"/a"', b'["/a",1.5]', b'["/a",', b""],
)
def test_a_dishonest_commitment_does_not_open(preimage: bytes) -> None:
    """A commitment under one path to the value of another, or to no pair at all, is refused."""
    salt = bytes(range(32))
    log, bundle = forged({"_v": "event/1", "_c": {"/a": b64(field_commitment(salt, preimage))}})
    bundle["disclosed"] = [{"path": "/a", "salt": b64(salt), "preimage": b64(preimage)}]
    verdicts = judge(bundle, log.policy(), [])
    assert verdicts["body"].status == "ok"
    assert verdicts["field"].status == "failed"


def test_a_batch_of_another_type_or_signer_fails() -> None:
    """A batch body in an entry of another type, and a note by a key nobody trusts, are refused."""
    log, bundle = forged_bytes(LOG.sealed[10].body, EntryType.EVENT)
    good = log.bundle(5)
    tree = log.tree(log.leaves)
    entry = {name: bundle[name] for name in ("index", "leaf", "path", "body")}
    good["batch"] |= entry
    assert "not a batch/1" in judge(good, log.policy())["batch-signed"].text
    good = LOG.bundle()
    stranger = [generate("acme", seeded(9)).vkey, LOG.key.vkey]
    assert "no trusted key of 'acme'" in judge(good, parties=stranger)["batch-signed"].text
    assert "a vkey has the form" in judge(good, parties=["x"])["batch-signed"].text
    assert judge(good, parties=[*stranger, *PARTIES])["batch-signed"].status == "ok"
    assert tree.root_at(11) == LOG.tree(LOG.leaves).root_at(11)


def test_a_note_of_another_batch_does_not_count() -> None:
    """The party's signature over one batch cannot be carried by the entry of another."""
    body = canonical.decode(LOG.sealed[10].body)
    digests = LOG.digests[:3]
    body |= {"count": 3, "root": b64(LOG.tree(digests).root_at(3))}
    log, bundle = forged(body, EntryType.BATCH)
    path = log.tree(log.leaves).inclusion_path(11, 12)
    good = log.bundle(5)
    good["batch"] = proof.build_batch(
        index=11,
        leaf=log.leaves[11],
        path=path,
        body=unb64(bundle["body"]),
        digests=digests,
        position=2,
    )
    assert "the batch's note is of another batch" in judge(good, log.policy())["batch-signed"].text


def test_duplicate_and_unknown_signature_lines_do_no_harm() -> None:
    """A line twice, or a line of an unknown key under a known name, changes no verdict."""
    note = parse_note(LOG.bundle()["checkpoint"])
    stranger = parse_note(stranger_signed()).signatures[:1]
    many = format_note(note._replace(signatures=stranger + note.signatures * 2))
    assert statuses(edited(checkpoint=many)) == {"ok"}


def test_no_single_changed_character_gives_another_good_bundle() -> None:
    """Each character of a valid bundle, replaced: refused, failed, or the very same content."""
    text = json.dumps(LOG.bundle(), ensure_ascii=False, separators=(",", ":"))
    content = json.loads(text)
    good = 0
    for at, char in enumerate(text):
        new = "AB"[char == "A"] if char.isalnum() or char in " -_+/" else " "
        changed = text[:at] + new + text[at + 1 :]
        try:
            failed = "failed" in statuses(changed.encode())
        except InputError:
            failed = True
        assert failed or json.loads(changed) == content, f"{at}: {text[at - 20 : at + 20]!r}"
        good += not failed
    assert good == 0


@given(st.data())
def test_no_edit_gives_another_good_bundle(data: st.DataObject) -> None:
    """Any stretch of a valid bundle, replaced by anything: refused, failed, or the same content."""
    text = json.dumps(LOG.bundle(), separators=(",", ":"))
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, min(len(text), start + 3)))
    new = data.draw(st.text(st.sampled_from('"{}[]:, \\u0129AZaz_-\n'), max_size=3) | st.text())
    changed = text[:start] + new + text[stop:]
    try:
        failed = "failed" in statuses(changed.encode(errors="surrogatepass"))
    except InputError:
        return
    assert failed or json.loads(changed) == json.loads(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("AAAA"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@given(st.data())
def test_only_our_error_escapes_a_garbled_bundle(data: st.DataObject) -> None:
    """Any member, at any depth, replaced by any JSON: verdicts or InputError, nothing else."""
    bundle = copy.deepcopy(LOG.bundle())
    holder: Any = bundle
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = data.draw(st.sampled_from(keys))
        deeper = isinstance(holder[key], dict | list) and holder[key]
        if not deeper or data.draw(st.booleans()):
            break
        holder = holder[key]
    holder[key] = data.draw(JSON)
    with suppress(InputError):
        judge(json.dumps(bundle).encode())


@given(st.binary() | st.text().map(str.encode) | JSON.map(lambda value: json.dumps(value).encode()))
def test_only_our_error_escapes_arbitrary_bytes(data: bytes) -> None:
    """Bytes, text, JSON: none of it is a bundle, and InputError says so."""
    with pytest.raises(InputError, match="the bundle cannot be read"):
        check_bundle(data, POLICY)


def test_verdicts_print_no_control_characters() -> None:
    """What a bundle says about itself cannot move the reader's cursor."""
    for bundle in (
        edited(origin="\x1b[2J"),
        edited(disclosed=lambda d: [d[0] | {"path": "/\x1b[2J\n"}]),
    ):
        for verdict in judge(bundle).values():
            assert verdict.text.isprintable()


def test_an_erased_body_has_nothing_to_disclose() -> None:
    """The builder refuses openings without a body."""
    with pytest.raises(UsageError, match="entry 5 is erased"):
        LOG.bundle(body=None)


def test_the_tlog_proof_holds_index_path_checkpoint_and_leaf() -> None:
    """The C2SP text: header, the leaf as extra data, index, base64 hashes, the note verbatim."""
    bundle = LOG.bundle()
    head, _, note = proof.tlog_proof(bundle).partition("\n\n")
    assert note == bundle["checkpoint"]
    header, extra, index, *path = head.split("\n")
    assert header == "c2sp.org/tlog-proof@v1"
    assert extra.split(" ") == ["extra", b64encode(LOG.leaves[5]).decode()]
    assert index == "index 5"
    assert [b64decode(node) for node in path] == [unb64(node) for node in bundle["path"]]


def test_a_proof_alone_in_its_tree_has_an_empty_path() -> None:
    """With one entry the path is empty, and the blank line comes right after the index."""
    bundle = proof.build_bundle(
        origin=ORIGIN,
        index=0,
        leaf=LOG.leaves[0],
        path=[],
        checkpoint=LOG.checkpoint(1, cosigners=2),
        body=LOG.sealed[0].body,
    )
    assert "\nindex 0\n\nlog.example" in proof.tlog_proof(bundle)
    assert judge(bundle, parties=[])["included"].status == "ok"
    assert body_digest(LOG.sealed[0].body) == LOG.leaves[0][24:56]
