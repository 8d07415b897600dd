"""Attacks on an entry's content: body, disclosed fields, batch, and a dishonest operator's own."""

from __future__ import annotations

from typing import Any

import pytest
from bundle_tools import LOG, PARTIES, Attacks, Bundle, assert_fails, edited, flip, judge, with_leaf
from small_log import SmallLog, seeded

from provenance import canonical
from provenance.disclosure.privacy import Sealed, b64, unb64
from provenance.entries import EntryType
from provenance.hashing import field_commitment
from provenance.notes.keys import generate
from provenance.proving import proof
from provenance.verify import check_bundle, parse_policy

SWAPPED = [
    {"path": "/carrier", "salt": two["salt"], "preimage": two["preimage"]}
    for two in LOG.bundle()["disclosed"][1:]
]

ATTACKS: Attacks = {
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
    "a batch that is not in the log": (
        lambda: edited(batch__leaf=with_leaf(lambda x: x[:23] + b"\xff" + x[24:])),
        "batch-signed",
        "another root",
    ),
    "a batch of another index": (
        lambda: edited(batch__index=9),
        "batch-signed",
        "the leaf is of index 10, not of 9",
    ),
    "a batch without body": (lambda: edited(batch__body=None), "batch-signed", "no body"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_each_attack_on_the_content_fails_its_claim(attack: str) -> None:
    """The verdict that the attack is on fails, with a reason of its own."""
    make, claim, reason = ATTACKS[attack]
    assert_fails(make(), claim, reason)


def forged(content: dict[str, Any], kind: int = EntryType.EVENT) -> tuple[SmallLog, Bundle]:
    """A log whose operator logged a body that no builder of ours would make, and its bundle."""
    return forged_bytes(canonical.encode(content), kind)


def forged_bytes(body: bytes, kind: int = EntryType.EVENT) -> tuple[SmallLog, Bundle]:
    """As `forged`, from the body's bytes."""
    log = SmallLog()
    log.append(kind, Sealed(body, []))
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
        position=2,
        batch_path=LOG.tree(digests).inclusion_path(2, 3),
    )
    assert "the batch's note is of another batch" in judge(good, log.policy())["batch-signed"].text
