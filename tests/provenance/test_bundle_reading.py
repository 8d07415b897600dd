"""Rules of reading a bundle: one form, nothing else gets in, and no change goes unnoticed."""

from __future__ import annotations

import copy
import json
from base64 import b64decode, b64encode
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from bundle_tools import (
    LOG,
    POLICY,
    Bundle,
    edited,
    judge,
    other_checkpoint,
    statuses,
)
from hypothesis import given
from hypothesis import strategies as st

from provenance.errors import InputError
from provenance.proving import proof
from provenance.verify import check_bundle

if TYPE_CHECKING:
    from collections.abc import Callable


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
