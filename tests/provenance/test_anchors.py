"""Anchors: what outsiders attest travels with the proofs it covers, and plug-ins alone judge it."""

from __future__ import annotations

import copy
import hashlib
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_factories import Rig, event

from provenance.disclosure.privacy import unb64
from provenance.errors import UsageError
from provenance.govern.anchor_checks import check_anchors
from provenance.govern.anchors import MAX_DATA, Anchors, anchored_text, anchors_of, record
from provenance.hashing import leaf_hash
from provenance.proving.proof import bundle_text
from provenance.verify import check_bundle, parse_policy, verify_inclusion

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from provenance.store.reading import LogReader
    from provenance.verify import Verdict

SIZES = (5, 3, 9)
"""Of the anchored trees, in the order in which they are kept."""


def stamp(text: bytes) -> bytes:
    """What the stamping service of the tests gives for a text."""
    return hashlib.sha256(b"stamped " + text).digest()


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """A log of 10 events with three stamps, one of another kind and one that is broken."""
    rig = Rig(tmp_path_factory.mktemp("log")).filled(10)
    log = rig.open()
    for size in SIZES:
        text = anchored_text(log.origin, size, log.root_at(size))
        record(log, "test-stamp", stamp(text), size)
    record(log, "gazette", b"page 7", 8)
    log.close()
    return rig


@pytest.fixture(scope="module")
def reader(rig: Rig) -> Iterator[LogReader]:
    """That log, to read."""
    reader = rig.reader()
    yield reader
    reader.close()


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A distribution that checks stamps, installed on the path; returns its module."""
    info = tmp_path / "stamp_checker-1.0.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: stamp-checker\nVersion: 1.0")
    info.joinpath("entry_points.txt").write_text(
        "[provenance.anchors]\ntest-stamp = stamp_checker:check\ngazette = no_such_module:check\n"
    )
    module = tmp_path / "stamp_checker.py"
    module.write_text(
        textwrap.dedent(
            """
            import hashlib
            from provenance.errors import VerificationError

            def check(text, data):
                if data != hashlib.sha256(b"stamped " + text).digest():
                    raise VerificationError("the stamp is of another text")
                return "stamped on a Monday"
            """
        )
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "stamp_checker", raising=False)
    return module


def bundle_of(reader: LogReader, index: int) -> dict[str, Any]:
    """A proof with its anchors."""
    return Anchors(reader).put_into(reader.prove(index))


def judged(rig: Rig, bundle: dict[str, Any]) -> list[Verdict]:
    """What the verifier and the plug-ins say."""
    data = bundle_text(bundle)
    policy = parse_policy(f"log {rig.key.vkey}\nquorum none\n".encode())
    return check_anchors(data, check_bundle(data, policy))


def about_anchors(verdicts: list[Verdict]) -> list[tuple[str, str]]:
    """The verdicts on anchors."""
    return [(one.status, one.text) for one in verdicts if one.name == "anchored"]


@pytest.mark.parametrize("index", range(15))
def test_a_proof_carries_the_first_anchor_of_each_kind(reader: LogReader, index: int) -> None:
    """Of those trees that hold the entry the smallest; the path in it leads to the root."""
    found = bundle_of(reader, index)["anchors"]

    sizes = [size for size in SIZES if size > index]
    expected = [("gazette", 8)] if index < 8 else []
    expected += [("test-stamp", min(sizes))] if sizes else []
    assert [(one["kind"], one["size"]) for one in found] == expected
    for one in found:
        root = unb64(one["root"])
        path = [unb64(node) for node in one["path"]]
        leaf = leaf_hash(reader.entry(index).leaf)
        verify_inclusion(index, one["size"], leaf, path, root)
        assert root == reader.root_at(one["size"])


def test_the_verifier_says_that_anchors_are_there(rig: Rig, reader: LogReader) -> None:
    """The island counts them and trusts none: its other verdicts are as without them."""
    data = bundle_text(bundle_of(reader, 2))
    policy = parse_policy(f"log {rig.key.vkey}\nquorum none\n".encode())

    with_anchors = check_bundle(data, policy)

    assert with_anchors[:-1] == check_bundle(bundle_text(reader.prove(2)), policy)[:-1]
    assert with_anchors[-1].text == "2 anchors present, unchecked"
    assert about_anchors(judged(rig, reader.prove(2))) == [
        ("absent", "0 anchors present, unchecked")
    ]


def test_without_a_plugin_they_stay_unchecked(rig: Rig, reader: LogReader) -> None:
    """One line for each anchor says that nothing here can check it."""
    assert about_anchors(judged(rig, bundle_of(reader, 4))) == [
        ("absent", "gazette at size 8: present, unchecked; no plug-in for it"),
        ("absent", "test-stamp at size 5: present, unchecked; no plug-in for it"),
    ]


def test_a_plugin_judges_its_kind(rig: Rig, reader: LogReader, plugin: Path) -> None:
    """A plug-in is found by its entry point; one that cannot be loaded spoils nothing."""
    assert about_anchors(judged(rig, bundle_of(reader, 4))) == [
        ("absent", "gazette at size 8: unchecked: its plug-in broke: ModuleNotFoundError"),
        ("ok", "test-stamp at size 5: stamped on a Monday"),
    ]


def change(bundle: dict[str, Any], **values: Any) -> dict[str, Any]:
    """The bundle with values of its stamp replaced."""
    changed = copy.deepcopy(bundle)
    changed["anchors"][-1] |= values
    return changed


def test_a_stamp_that_is_not_of_this_tree_fails(rig: Rig, reader: LogReader, plugin: Path) -> None:
    """Another stamp is refused by the plug-in; another size, root or path before it is asked."""
    bundle = bundle_of(reader, 2)
    other = bundle_of(reader, 4)["anchors"][-1]
    attacks = {
        "test-stamp at size 3: the stamp is of another text": {"data": other["data"]},
        "test-stamp at size 5: the path is too short": {"size": 5},
        "test-stamp at size 3: the path leads to another root": {"root": other["root"]},
        "test-stamp at size 2: a tree of 2 has no index 2": {"size": 2},
        "test-stamp at size 3: the path is too long": {"path": other["path"] * 2},
        "test-stamp at size 3: a hash has not 32 bytes": {"root": "AAAA"},
    }

    for text, values in attacks.items():
        verdicts = judged(rig, change(bundle, **values))
        assert about_anchors(verdicts)[-1] == ("failed", text)
        assert {one.status for one in verdicts if one.name != "anchored"} <= {"ok", "absent"}


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise RuntimeError('secret')", ("absent", "unchecked: its plug-in broke: RuntimeError")),
        ("return b'x' + 1", ("absent", "unchecked: its plug-in broke: TypeError")),
        ("return None", ("ok", "None")),
        ("return 'two\\nlines' + 'x' * 999", ("ok", "two lines" + "x" * 191)),
        ("import sys; sys.exit(0)", ("absent", "unchecked: its plug-in broke: SystemExit")),
        ("return '\\x1b[31mred'", ("ok", "?[31mred")),
        (
            "from provenance.errors import VerificationError as E; raise E('a\\nb\\x07')",
            ("failed", "a b?"),
        ),
        ("raise KeyError", ("absent", "unchecked: its plug-in broke: KeyError")),
    ],
)
def test_a_broken_plugin_breaks_nothing(
    rig: Rig, reader: LogReader, plugin: Path, code: str, said: tuple[str, str]
) -> None:
    """Whatever a plug-in does, it is one verdict of one line, and all others stand."""
    plugin.write_text(f"def check(text, data):\n    {code}\n")
    bundle = bundle_of(reader, 2)

    verdicts = judged(rig, bundle)

    assert about_anchors(verdicts)[-1] == (said[0], f"test-stamp at size 3: {said[1]}")
    assert [one for one in verdicts if one.name != "anchored"] == [
        one for one in judged(rig, {**bundle, "anchors": []}) if one.name != "anchored"
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 99) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
)


@given(
    anchor=st.fixed_dictionaries(
        {"kind": JSON, "size": JSON, "root": JSON, "path": JSON, "data": JSON}
    )
    | JSON
)
@settings(max_examples=40)
def test_any_anchor_is_one_verdict(rig: Rig, reader: LogReader, anchor: Any) -> None:
    """Anchors are JSON of any form: each gives one verdict, and none is good."""
    bundle = {**reader.prove(2), "anchors": [anchor, anchor]}

    verdicts = about_anchors(judged(rig, orjson.loads(orjson.dumps(bundle))))

    assert len(verdicts) == 2
    assert {status for status, _ in verdicts} <= {"absent", "failed"}


@pytest.mark.parametrize(
    ("kind", "data", "size", "reason"),
    [
        ("Upper", b"x", 1, "an anchor's kind is lower-case"),
        ("", b"x", 1, "an anchor's kind"),
        ("a/b", b"x", 1, "an anchor's kind"),
        ("stamp", b"", 1, "an anchor has 1 to"),
        ("stamp", bytes(MAX_DATA + 1), 1, "an anchor has 1 to"),
        ("stamp", b"x", 0, "none of its trees has 0"),
        ("stamp", b"x", 3, "the log has 2 entries; none of its trees has 3"),
    ],
)
def test_what_is_no_anchor_is_not_kept(
    tmp_path: Path, kind: str, data: bytes, size: int, reason: str
) -> None:
    """A kind, data or size out of form is refused, and nothing is appended."""
    log = Rig(tmp_path).create()
    log.append([event(1)])

    with pytest.raises(UsageError, match=r"anchor|log has") as refused:
        record(log, kind, data, size)

    assert reason in str(refused.value)
    assert log.size == 2
    log.close()


def test_anchors_are_entries_like_others(rig: Rig, reader: LogReader) -> None:
    """They are listed in order, add up in the audit, and an erased one is passed over."""
    assert [(one.kind, one.size) for one in anchors_of(reader) if one] == [
        *(("test-stamp", size) for size in SIZES),
        ("gazette", 8),
    ]
    assert rig.audit().problems == []


def test_an_anchor_that_the_log_contradicts_is_left_out(tmp_path: Path) -> None:
    """An entry whose root is not the tree's is put into no proof."""
    rig = Rig(tmp_path).filled(4)
    log = rig.open()
    index = record(log, "stamp", b"x", 3)
    with rig.attacked() as database:
        ((body,),) = database.execute("SELECT body FROM body WHERE idx = ?", (index,)).fetchall()
        start = body.index(b'"root":"') + 8
        body = body[:start] + b"A" * 42 + body[start + 42 :]
        database.execute("UPDATE body SET body = ? WHERE idx = ?", (body, index))

    assert bundle_of(log, 1)["anchors"] == []
    assert bundle_of(log, 1)["anchors"] == []
    log.close()


def test_new_anchors_are_seen_by_an_old_reader(tmp_path: Path) -> None:
    """Whoever holds `Anchors` puts in what has come since it was made."""
    log = Rig(tmp_path).filled(4).open()
    anchors = Anchors(log)
    before = anchors.put_into(log.prove(1))["anchors"]
    record(log, "stamp", b"x", 4)

    assert before == []
    assert [one["size"] for one in anchors.put_into(log.prove(1))["anchors"]] == [4]
    log.close()
