"""`provenance log anchor` as people meet it: the text to be stamped, and what came back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., "tuple[int, str, str]"]


def test_from_the_text_to_the_proof(provenance: Command, small: Path, tmp_path: Path) -> None:
    """The text is that of the checkpoint; what is kept is listed, and in the proofs it covers."""
    stamp, bundle = tmp_path / "stamp.ots", tmp_path / "proof.json"
    stamp.write_bytes(b"stamped")
    checkpoint = (small / "checkpoint").read_text()

    text = provenance("--data", small, "log", "anchor", "text")[1]
    early = tmp_path / "early.txt"
    provenance("--data", small, "log", "anchor", "text", "--size", "4", "-o", early)
    added = provenance("--data", small, "log", "anchor", "add", stamp, "--kind", "opentimestamps")
    listed = provenance("--data", small, "log", "anchor", "list")[1]
    provenance("--data", small, "proof", "#3", "--output", bundle)
    code, out, _ = provenance("verify", "--bundle", bundle, "--policy", small / "log.policy")

    assert checkpoint.startswith(text)
    assert text.count("\n") == 3
    assert early.read_text().split("\n")[1] == "4"
    assert (added[0], added[1][:14]) == (0, "Kept as entry ")
    assert "opentimestamps       first 17 entries, 7 bytes" in listed
    assert [one["size"] for one in json.loads(bundle.read_text())["anchors"]] == [17]
    assert code == 0
    assert "ABSENT  anchored     opentimestamps at size 17: present, unchecked" in out
    assert provenance("--data", small, "verify")[0] == 0


def test_what_cannot_be_kept(provenance: Command, small: Path, tmp_path: Path) -> None:
    """A size that the log has not, a kind out of form, a missing file: one line, nothing kept."""
    stamp = tmp_path / "stamp.ots"
    stamp.write_bytes(b"stamped")
    add = ("--data", small, "log", "anchor", "add")

    far = provenance(*add, stamp, "--kind", "test", "--size", "999")
    odd = provenance(*add, stamp, "--kind", "No Name")
    gone = provenance(*add, tmp_path / "none", "--kind", "test")
    beyond = provenance("--data", small, "log", "anchor", "text", "--size", "999")

    assert [one[0] for one in (far, odd, gone)] == [2, 2, 2]
    assert "none of its trees has 999" in far[2]
    assert beyond[0] in {1, 2}
    assert beyond[2].count("\n") == 1
    assert "keeps no anchors" in provenance("--data", small, "log", "anchor", "list")[1]
