"""Rules of `.tlog-proof` files: the specification's text, read back as a bundle without a body."""

from __future__ import annotations

from base64 import b64decode, b64encode
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from bundle_tools import LOG, bad_line, judge, other_checkpoint, stranger_signed
from hypothesis import given
from hypothesis import strategies as st
from small_log import ORIGIN

from provenance.disclosure.privacy import unb64
from provenance.errors import InputError
from provenance.proving import proof
from provenance.proving.tlog_proof import format_tlog_proof, parse_tlog_proof

if TYPE_CHECKING:
    from collections.abc import Callable

    from provenance.entries import Content

GOOD = format_tlog_proof(LOG.bundle())


def without_the_rest(bundle: Content) -> Content:
    """What of a bundle a `.tlog-proof` can hold."""
    bare = {"body": None, "disclosed": [], "batch": None, "consistency": None, "anchors": []}
    return {**bundle, **bare}


def test_it_is_the_text_of_the_specification() -> None:
    """Header, the leaf as extra data, index, base64 hashes, an empty line, the note verbatim."""
    bundle = LOG.bundle()
    head, _, note = GOOD.partition("\n\n")
    assert note == bundle["checkpoint"]
    header, extra, index, *path = head.split("\n")
    assert header == "c2sp.org/tlog-proof@v1"
    assert extra.split(" ") == ["extra", b64encode(LOG.leaves[5]).decode()]
    assert index == "index 5"
    assert [b64decode(node) for node in path] == [unb64(node) for node in bundle["path"]]


def test_every_proof_is_read_back_and_verifies() -> None:
    """Every entry at every size, an empty path included: the same bundle, without its body."""
    tree = LOG.tree(LOG.leaves)
    for size in range(1, len(LOG.leaves) + 1):
        for index in range(size):
            bundle = proof.build_bundle(
                origin=ORIGIN,
                index=index,
                leaf=LOG.leaves[index],
                path=tree.inclusion_path(index, size),
                checkpoint=LOG.checkpoint(size, cosigners=2),
                body=LOG.sealed[index].body,
            )
            text = format_tlog_proof(bundle)
            back = parse_tlog_proof(text.encode())
            assert back == without_the_rest(bundle)
            assert format_tlog_proof(back) == text
            verdicts = judge(back, parties=[])
            assert [n for n, one in verdicts.items() if one.status == "ok"] == [
                "signed",
                "witnessed",
                "included",
            ]
    assert "\nindex 0\n\nlog.example" in format_tlog_proof(
        proof.build_bundle(
            origin=ORIGIN,
            index=0,
            leaf=LOG.leaves[0],
            path=[],
            checkpoint=LOG.checkpoint(1),
            body=None,
        )
    )


UNREADABLE: dict[str, tuple[Callable[[], str | bytes], str]] = {
    "nothing": (lambda: "", "begins with c2sp.org/tlog-proof@v1"),
    "not text": (lambda: b"c2sp.org/tlog-proof@v1\n\xff", "UTF-8"),
    "another version": (lambda: GOOD.replace("@v1", "@v2"), "begins with"),
    "a space before": (lambda: f" {GOOD}", "begins with"),
    "other line ends": (lambda: GOOD.replace("\n", "\r\n"), "begins with"),
    "the header alone": (lambda: "c2sp.org/tlog-proof@v1\n", "an empty line"),
    "no extra data": (
        lambda: "\n".join(line for line in GOOD.split("\n") if line[:5] != "extra"),
        "no extra data",
    ),
    "empty extra data": (
        lambda: GOOD.replace(GOOD.split("\n")[1], "extra "),
        "\\(the leaf\\) is not",
    ),
    "extra data in base64url": (
        lambda: GOOD.replace(GOOD.split("\n")[1], f"extra {'_' * 117}A=="),
        "\\(the leaf\\) is not base64",
    ),
    "extra data of 87 bytes": (
        lambda: GOOD.replace(GOOD.split("\n")[1], f"extra {b64encode(bytes(87)).decode()}"),
        "\\(the leaf\\) is not 88 bytes",
    ),
    "extra data twice": (
        lambda: GOOD.replace("\nindex", f"\n{GOOD.split(chr(10))[1]}\nindex"),
        "not `index`",
    ),
    "no index": (lambda: GOOD.replace("\nindex 5", ""), "not `index`"),
    "an index with a zero before": (lambda: GOOD.replace("index 5", "index 05"), "not `index`"),
    "a negative index": (lambda: GOOD.replace("index 5", "index -5"), "not `index`"),
    "an index in other digits": (
        lambda: GOOD.replace("index 5", "index \u0665"),
        "not `index`",
    ),
    "an index without end": (lambda: GOOD.replace("index 5", f"index {'9' * 20}"), "not `index`"),
    "a hash with stray bits": (
        lambda: GOOD.replace(GOOD.split("\n")[3], GOOD.split("\n")[3][:-2] + "B="),
        "hash is base64 in another form",
    ),
    "a hash of 31 bytes": (
        lambda: GOOD.replace(GOOD.split("\n")[3], b64encode(bytes(31)).decode()),
        "hash is not 32 bytes",
    ),
    "a space after a hash": (
        lambda: GOOD.replace(GOOD.split("\n")[3], GOOD.split("\n")[3] + " "),
        "hash is not base64",
    ),
    "a path without end": (
        lambda: GOOD.replace("\nindex 5\n", "\nindex 5\n" + f"{'A' * 43}=\n" * 64),
        "no tree is that high",
    ),
    "no checkpoint": (lambda: GOOD.partition("\n\n")[0] + "\n\n", "a signed note is"),
    "two empty lines": (lambda: GOOD.replace("\n\n", "\n\n\n", 1), "origin"),
    "a checkpoint cut short": (lambda: GOOD[:-1], "whole signature lines"),
    "too much": (lambda: GOOD + "x" * (2 << 20), "at most 2097152"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_no_such_proof_is_refused(name: str) -> None:
    """InputError with the reason, for each form but the one."""
    make, reason = UNREADABLE[name]
    data = made if isinstance(made := make(), bytes) else made.encode()
    with pytest.raises(InputError, match=reason):
        parse_tlog_proof(data)


def changed(**parts: object) -> Content:
    """A bundle with something else in it, taken through the format."""
    return parse_tlog_proof(format_tlog_proof({**LOG.bundle(), **parts}).encode())


FALSE: dict[str, tuple[Callable[[], Content], str, str]] = {
    "another index": (lambda: changed(index=6), "included", "the leaf is of index 5, not of 6"),
    "an index beyond": (
        lambda: changed(checkpoint=other_checkpoint(size=5)),
        "included",
        "a tree of 5 has no index 5",
    ),
    "size 0": (
        lambda: changed(checkpoint=LOG.checkpoint(0, cosigners=2)),
        "included",
        "a tree of 0 has no index 5",
    ),
    "truncated": (lambda: changed(path=LOG.bundle()["path"][:-1]), "included", "too short"),
    "padded": (lambda: changed(path=[*LOG.bundle()["path"], "A" * 43]), "included", "too long"),
    "another root": (
        lambda: changed(checkpoint=other_checkpoint(root=bytes(32))),
        "included",
        "another root",
    ),
    "another leaf": (
        lambda: changed(leaf=LOG.bundle(6)["leaf"]),
        "included",
        "the leaf is of index 6, not of 5",
    ),
    "another log": (
        lambda: changed(checkpoint=other_checkpoint(origin="log.example/other")),
        "signed",
        "the policy names no log 'log.example/other'",
    ),
    "an unknown key": (
        lambda: changed(checkpoint=stranger_signed()),
        "signed",
        "no key that the policy trusts",
    ),
    "a wrong signature": (
        lambda: changed(checkpoint=bad_line(ORIGIN)),
        "signed",
        "the signature of 'log.example/shipments' is wrong",
    ),
    "too few witnesses": (
        lambda: changed(checkpoint=LOG.checkpoint(cosigners=1)),
        "witnessed",
        "1 known witnesses are not the quorum",
    ),
}


@pytest.mark.parametrize("name", FALSE)
def test_a_false_proof_is_read_and_then_refused_by_the_verifier(name: str) -> None:
    """What is well-formed but untrue comes through the reader, and fails for its own reason."""
    make, claim, reason = FALSE[name]
    verdict = judge(make(), parties=[])[claim]
    assert verdict.status == "failed"
    assert reason in verdict.text


@given(st.data())
def test_only_our_error_comes_out_and_what_is_read_is_written_back(data: st.DataObject) -> None:
    """Any stretch of a good proof replaced by anything: refused, or the text of its own bundle."""
    text = GOOD.encode()
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, min(len(text), start + 3)))
    changed = text[:start] + data.draw(st.binary(max_size=3)) + text[stop:]
    with suppress(InputError):
        assert format_tlog_proof(parse_tlog_proof(changed)).encode() == changed
