"""Proofs in C2SP's own form, for tools that are not ours (c2sp.org/tlog-proof).

A `.tlog-proof` is text: a header, the leaf as extra data, the index, the path in
base64, an empty line, and the signed checkpoint verbatim. It has no place for a
body or for openings, so what is read back is a bundle without them.

Nothing that is read here is trusted: `verify` checks the bundle that comes out.

Next: provenance/proving/proof_batch.py
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING, Final

from provenance.disclosure.privacy import unb64
from provenance.errors import InputError
from provenance.hashing import HASH_SIZE
from provenance.notes.checkpoint import parse, unbase64
from provenance.proving.leaf import LEAF_SIZE
from provenance.proving.proof import build_bundle

if TYPE_CHECKING:
    from provenance.entries import Content

__all__ = ["HEADER", "format_tlog_proof", "parse_tlog_proof"]

HEADER: Final = "c2sp.org/tlog-proof@v1"
"""The first line, by which such a file is told from others."""

_MAX_PROOF: Final = 2 << 20  # bytes; the note within has at most half of it
_MAX_PATH: Final = 63
_INDEX: Final = re.compile("index (0|[1-9][0-9]{0,18})")


def format_tlog_proof(bundle: Content) -> str:
    """Write the inclusion part of a bundle as a `.tlog-proof`.

    The leaf travels as the format's extra data: it is what the record hash is
    made of, and the format has no other place for it. Body and openings stay
    behind, and so does what only our own verifier understands.
    """
    nodes = "".join(f"{_plain(node)}\n" for node in bundle["path"])
    return (
        f"{HEADER}\nextra {_plain(bundle['leaf'])}\n"
        f"index {bundle['index']}\n{nodes}\n{bundle['checkpoint']}"
    )


def _plain(url_form: str) -> str:
    return b64encode(unb64(url_form)).decode()


def parse_tlog_proof(data: bytes) -> Content:
    """Read what `format_tlog_proof` writes, as a bundle without body, fields or batch.

    Raises:
        InputError: Not of this form, or without the leaf; a well-formed proof of another log is
            for `verify` to refuse.
    """
    if len(data) > _MAX_PROOF:
        raise InputError(f"a .tlog-proof of {len(data)} bytes; at most {_MAX_PROOF} are read")
    try:
        head, divider, note = data.decode().partition("\n\n")
    except UnicodeDecodeError:
        raise InputError("a .tlog-proof is UTF-8 text, this is not") from None
    header, *lines = head.split("\n")
    if header != HEADER or not divider:
        raise InputError(f"a .tlog-proof begins with {HEADER}, and has an empty line in it")
    if not lines or not lines[0].startswith("extra "):
        raise InputError("the .tlog-proof has no extra data; of this log it holds the leaf there")
    leaf = unbase64(
        lines[0].removeprefix("extra "), "the .tlog-proof's extra data (the leaf)", LEAF_SIZE
    )
    match = _INDEX.fullmatch(lines[1]) if len(lines) > 1 else None
    if not match:
        raise InputError("the .tlog-proof's line after the extra data is not `index` and a number")
    if len(lines) - 2 > _MAX_PATH:
        raise InputError(f"the .tlog-proof has a path of {len(lines) - 2}; no tree is that high")
    return build_bundle(
        origin=parse(note)[0].origin,
        index=int(match[1]),
        leaf=leaf,
        path=[unbase64(line, "the .tlog-proof's hash", HASH_SIZE) for line in lines[2:]],
        checkpoint=note,
        body=None,
    )
