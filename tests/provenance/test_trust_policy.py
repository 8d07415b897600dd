"""Rules of the trust policy file (c2sp.org/tlog-policy): whom a reader trusts, without doubt."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_log import COSIGNED_AT, ORIGIN, Witness, seeded, small_log

from provenance.errors import InputError
from provenance.notes.checkpoint import (
    Checkpoint,
    VerifierKey,
    format_note,
    format_vkey,
    parse_note,
    sign,
)
from provenance.notes.keys import generate
from provenance.proving import proof
from provenance.verify import Policy, check_bundle, parse_policy

LOG = small_log()
VKEY = LOG.key.vkey
W = [Witness(f"witness.example/x{n}", 200 + n) for n in range(8)]
NAMES = ["X1", "X2", "X3", "Y1", "Y2", "Y3"]
EXAMPLE = "\n".join(
    [
        f"log {VKEY}",
        "",
        *(f"witness {name} {W[n].vkey}" for n, name in enumerate(NAMES)),
        "group X-witnesses 2 X1 X2 X3",
        "group Y-witnesses any Y1 Y2 Y3",
        "group X-and-Y all X-witnesses Y-witnesses",
        "quorum X-and-Y",
        "",
    ]
)
"""The specification's own example, with keys."""


def read(text: str) -> Policy:
    """Parse a policy from text."""
    return parse_policy(text.encode(errors="surrogateescape"))


def witnessed(text: str, cosigners: list[Witness]) -> bool:
    """Say whether a checkpoint with these cosignatures reaches the policy's quorum."""
    note = LOG.checkpoint()
    for witness in cosigners:
        note = witness.cosign(note)
    bundle = LOG.bundle(checkpoint=note)
    verdicts = {v.name: v for v in check_bundle(proof.bundle_text(bundle), read(text))}
    assert verdicts["signed"].status == "ok"
    return verdicts["witnessed"].status == "ok"


def test_the_specifications_example() -> None:
    """Two of the X witnesses and one of the Y witnesses, in any combination, and nothing less."""
    policy = read(EXAMPLE)
    assert len(policy.logs) == 1
    assert list(policy.witnesses) == NAMES
    assert policy.quorum == ["X-and-Y"]
    for mask in range(64):
        chosen = [W[n] for n in range(6) if mask >> n & 1]
        enough = (mask & 7).bit_count() >= 2 and (mask >> 3).bit_count() >= 1
        assert witnessed(EXAMPLE, chosen) == enough


def test_a_single_witness_may_be_the_quorum() -> None:
    """The quorum names a witness: that one, and not another, must have cosigned."""
    text = EXAMPLE.replace("quorum X-and-Y", "quorum Y2")
    assert witnessed(text, [W[4]])
    assert not witnessed(text, [*W[:4], W[5]])


def test_the_layout_is_free_where_the_specification_leaves_it_free() -> None:
    """Tabs, runs of spaces, comments, empty lines, URLs and the order of logs change nothing."""
    free = (
        f"# comment \u00e9\n \t\n\twitness  a\u00a0b\t{W[0].vkey}   https://w.example/ \n"
        f"quorum\ta\u00a0b\n  # quorum none\nlog {VKEY} https://log.example/\n"
    )
    policy = read(free)
    assert list(policy.witnesses) == ["a\u00a0b"]
    assert policy.quorum == ["a\u00a0b"]


def test_names_are_octets() -> None:
    """A name need not be UTF-8, and K is not the Kelvin sign."""
    text = f"witness \udcff {W[0].vkey}\nwitness K {W[1].vkey}\nwitness \u212a {W[2].vkey}\n"
    assert len(read(text + "quorum \udcff\n").witnesses) == 3


def test_32_of_everything_are_read() -> None:
    """The sizes that the specification recommends to support."""
    many = [Witness(f"w{n}", 300 + n).vkey for n in range(32)]
    logs = [generate(f"log{n}", seeded(400 + n)).vkey for n in range(32)]
    lines = [f"log {vkey}" for vkey in logs]
    lines += [f"witness w{n} {vkey}" for n, vkey in enumerate(many)]
    lines += [f"group g{n} any w{n}" for n in range(32)]
    policy = read("\n".join([*lines, "quorum g31", ""]))
    assert [len(part) for part in policy[:3]] == [32, 32, 32]


def twice(name: str) -> str:
    """The vkey of the first witness's key under another name."""
    return format_vkey(VerifierKey(name, 4, W[0].key.verifier.public))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "line 0: the last line does not end"),
        ("quorum none", "line 0: the last line does not end"),
        (f"log {VKEY}\n", "not one quorum line"),
        ("quorum none\nquorum none\n", "not one quorum line"),
        ("quorum w\n", "line 1: not a line of a policy"),
        (f"quorum w\nwitness w {W[0].vkey}\n", "line 1: not a line of a policy"),
        ("quorum none none\n", "line 1: not a line of a policy"),
        ("Quorum none\n", "line 1: not a line of a policy"),
        ("log\n", "line 1: not a line of a policy"),
        (f"log {VKEY} a b\n", "line 1: not a line of a policy"),
        (f"log {VKEY}\nlog {VKEY}\n", "line 2: the key comes twice"),
        (f"log {VKEY[:-1]}\n", "line 1: a vkey's key is not well-formed base64"),
        ("log log.example\n", "line 1: a vkey has the form"),
        (f"log {W[0].vkey}\n", "line 1: the vkey is not of type 1"),
        (f"witness w {VKEY}\n", "line 1: the vkey is not of type 4"),
        (f"log x{VKEY}\n", "line 1: the key id is wrong"),
        (f"witness none {W[0].vkey}\n", "line 1: not a line of a policy, or its name is taken"),
        (f"witness w {W[0].vkey}\nwitness w {W[1].vkey}\n", "line 2: .* its name is taken"),
        (f"witness w {W[0].vkey}\nwitness v {twice('v')}\n", "line 2: the key comes twice"),
        (f"witness w {W[0].vkey}\ngroup w any w\n", "line 2: .* its name is taken"),
        ("group g any w\n", "line 1: members unknown or taken"),
        ("group g any\n", "line 1: not a line of a policy"),
        ("group g any g\n", "line 1: members unknown or taken"),
        ("group g any none\n", "line 1: members unknown or taken"),
        (f"witness w {W[0].vkey}\ngroup g any w w\n", "line 2: members unknown or taken"),
        (f"witness w {W[0].vkey}\ngroup g any w\ngroup h any w\n", "line 3: members unknown or"),
        (f"witness w {W[0].vkey}\ngroup g 0 w\n", "line 2: no such threshold"),
        (f"witness w {W[0].vkey}\ngroup g 2 w\n", "line 2: no such threshold"),
        (f"witness w {W[0].vkey}\ngroup g -1 w\n", "line 2: no such threshold"),
        (f"witness w {W[0].vkey}\ngroup g 01 w\n", "line 2: no such threshold"),
        (f"witness w {W[0].vkey}\ngroup g \uff11 w\n", "line 2: no such threshold"),
        (f"witness w {W[0].vkey}\ngroup g some w\n", "line 2: no such threshold"),
        ("quorum none\r\n", "control characters"),
        ("quorum\x0bnone\n", "control characters"),
        ("quorum none\x00\n", "control characters"),
        ("# \x7f\nquorum none\n", "control characters"),
        ("#" * (64 << 10) + "\nquorum none\n", "over 65536 bytes"),
    ],
)
def test_each_malformed_policy_has_its_reason(text: str, reason: str) -> None:
    """A policy in doubt is refused; the message names line and reason."""
    with pytest.raises(InputError, match=f"^trust policy, {reason}|^trust policy, .*{reason}"):
        read(text)


@given(st.data())
def test_a_changed_policy_is_a_policy_or_our_error(data: st.DataObject) -> None:
    """Any stretch of a policy replaced by anything: only InputError comes out."""
    start = data.draw(st.integers(0, len(EXAMPLE)))
    stop = data.draw(st.integers(start, min(len(EXAMPLE), start + 9)))
    new = data.draw(st.text(st.sampled_from("group any2 X1\n\t#+=")) | st.text())
    changed = (EXAMPLE[:start] + new + EXAMPLE[stop:]).encode(errors="surrogatepass")
    with suppress(InputError):
        assert parse_policy(changed).quorum


@given(st.binary())
def test_arbitrary_bytes_are_a_policy_or_our_error(data: bytes) -> None:
    """Bytes of any kind: only InputError comes out."""
    with suppress(InputError):
        assert parse_policy(data).quorum


def test_a_policy_cut_anywhere_trusts_nobody_else() -> None:
    """Each true prefix is refused, or asks for the same quorum: cutting cannot weaken it."""
    for end in range(len(EXAMPLE)):
        with suppress(InputError):
            assert read(EXAMPLE[:end]).quorum == ["X-and-Y"]


def test_several_keys_of_one_log_are_each_enough() -> None:
    """During a rotation the policy names both keys; one signature of either is enough."""
    new = generate(ORIGIN, seeded(12))
    root = LOG.tree(LOG.leaves).root_at(11)
    for signers in ([LOG.key], [new], [LOG.key, new]):
        note = sign(Checkpoint(ORIGIN, 11, root), signers)
        text = f"log {VKEY}\nlog {new.vkey}\nquorum none\n"
        verdicts = check_bundle(proof.bundle_text(LOG.bundle(checkpoint=note)), read(text))
        assert {v.name: v.status for v in verdicts}["signed"] == "ok"


def test_a_cosignature_is_over_its_time() -> None:
    """Changing the timestamp of a cosignature spoils it."""
    note = parse_note(W[0].cosign(LOG.checkpoint()))
    text = f"log {VKEY}\nwitness w {W[0].vkey}\nquorum w\n"
    for at, status in ((COSIGNED_AT, "ok"), (COSIGNED_AT + 1, "failed"), (2**64 - 1, "failed")):
        line = note.signatures[-1]
        moved = line._replace(signature=at.to_bytes(8, "big") + line.signature[8:])
        signed = format_note(note._replace(signatures=(note.signatures[0], moved)))
        verdicts = check_bundle(proof.bundle_text(LOG.bundle(checkpoint=signed)), read(text))
        assert {v.name: v.status for v in verdicts}["witnessed"] == status


def test_a_log_key_is_no_witness_key() -> None:
    """A plain signature by a witness's key is not a cosignature: the types differ."""
    root = LOG.tree(LOG.leaves).root_at(11)
    plain = sign(Checkpoint(ORIGIN, 11, root), [LOG.key])
    as_witness = format_vkey(VerifierKey(ORIGIN, 4, LOG.key.verifier.public))
    text = f"log {VKEY}\nwitness w {as_witness}\nquorum w\n"
    bundle = LOG.bundle(checkpoint=plain)
    verdicts = {v.name: v for v in check_bundle(proof.bundle_text(bundle), read(text))}
    assert verdicts["witnessed"].status == "failed"
