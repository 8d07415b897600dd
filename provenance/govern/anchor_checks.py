"""Checking anchors of a bundle, with whatever plug-ins are installed.

The verifier says of anchors that they are present and unchecked. Here the part
that needs no trust in anybody is checked, that the entry is in the tree which is
attested, and the attestation itself is given to the plug-in of its kind: an
entry point of the group `provenance.anchors`, named like the kind, that is a
function from the attested text and the data to one line of what it found.

A plug-in is somebody else's code. Whatever it raises becomes one verdict, and
no other verdict changes.

Next: provenance/govern/disclose.py
"""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final, Literal

from provenance.disclosure.privacy import unb64
from provenance.errors import EncodingError, ProvenanceError, VerificationError
from provenance.govern.anchors import anchored_text
from provenance.hashing import leaf_hash
from provenance.verify import Verdict, verify_inclusion

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from provenance.entries import Content

    Check = Callable[[bytes, bytes], str]

__all__ = ["GROUP", "check_anchors"]

GROUP: Final = "provenance.anchors"
_NAME: Final = "anchored"
_MOST_CHARACTERS: Final = 200


def check_anchors(data: bytes, verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Put what plug-ins say of a bundle's anchors in place of "present, unchecked".

    Args:
        data: A bundle that the verifier could read.
        verdicts: What the verifier said of it.

    Returns:
        The same verdicts, those about anchors replaced by one for each anchor. It is "failed"
        where the entry is not in the attested tree or a plug-in refuses; it is "absent" where
        there is no plug-in, or it broke.
    """
    bundle: Content = json.loads(data)  # as the verifier read it: orjson refuses more
    if not bundle["anchors"]:
        return list(verdicts)
    checks = {point.name: point for point in entry_points(group=GROUP)}
    said = [_judge(bundle, anchor, checks) for anchor in bundle["anchors"]]
    return [*(one for one in verdicts if one.name != _NAME), *said]


def _judge(bundle: Content, anchor: Any, checks: dict[str, Any]) -> Verdict:
    status: Literal["ok", "absent", "failed"] = "failed"
    try:
        kind, size, root, path, given = _parts(anchor)
    except (EncodingError, KeyError, TypeError):
        return Verdict(_NAME, "absent", "an anchor of a form that is not known, unchecked")
    where = f"{ascii(kind)[1:-1]} at size {size}"
    try:
        verify_inclusion(bundle["index"], size, leaf_hash(unb64(bundle["leaf"])), path, root)
        if kind not in checks:
            return Verdict(_NAME, "absent", f"{where}: present, unchecked; no plug-in for it")
        text = _run(checks[kind], anchored_text(bundle["origin"], size, root), given)
        status = "ok"
    except VerificationError as error:
        text = str(error)
    except ProvenanceError as error:
        status, text = "absent", f"unchecked: {error}"
    return Verdict(_NAME, status, f"{where}: {_line(text)}")


def _parts(anchor: Any) -> tuple[str, int, bytes, list[bytes], bytes]:
    kind, size, path = anchor["kind"], anchor["size"], anchor["path"]
    if type(kind) is not str or type(size) is not int or type(path) is not list:
        raise TypeError("not an anchor")
    nodes = [_bytes(node) for node in path]
    return kind, size, _bytes(anchor["root"]), nodes, _bytes(anchor["data"])


def _bytes(text: Any) -> bytes:
    if type(text) is not str:
        raise TypeError("not a text")
    return unb64(text)


def _run(point: Any, text: bytes, given: bytes) -> str:
    """Run a plug-in; the one place where anything may be raised."""
    try:
        check: Check = point.load()
        said = check(text, given)
    except VerificationError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the promise of this module
        raise ProvenanceError(f"its plug-in broke: {type(error).__name__}") from None
    return str(said)


def _line(text: str) -> str:
    """Make one line of what a plug-in says, which a terminal may show."""
    words = " ".join(text.split())[:_MOST_CHARACTERS]
    return "".join(one if one.isprintable() else "?" for one in words)
