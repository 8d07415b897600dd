"""Which encoding a file has, and where its bytes are not in it.

Next: provenance/ingest/reading.py
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Final

from provenance.errors import InputError
from provenance.ingest.sources import unreadable

if TYPE_CHECKING:
    from provenance.ingest.sources import Source

__all__ = ["codec_of", "undecodable"]

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ENCODINGS: Final = {
    "utf-8": "utf-8",
    "utf-16": "utf-16",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    "cp1252": "cp1252",
}
_BLOCK: Final = 1 << 16
_LOOKED_AT: Final = 1 << 16
_LIKE_1252: Final = frozenset({"cp1252", "latin_1", "iso8859_15", "cp1250", "cp1254", "cp858"})


def codec_of(name: str, encoding: str | None, head: bytes) -> str:
    """Return the codec of a file.

    Args:
        name: The file's name.
        encoding: What the user says; a byte order mark goes before it; None is UTF-8.
        head: Its first three bytes.

    Raises:
        InputError: The encoding is not one of those offered.
    """
    for mark, codec in _BOMS:
        if head.startswith(mark):
            return codec
    try:
        asked = codecs.lookup(encoding or "utf-8").name
    except LookupError:
        asked = ""
    if asked not in _ENCODINGS:
        raise InputError(
            f"{name}: encoding {encoding!r} is not read; use utf-8, utf-16 or windows-1252"
        )
    return _ENCODINGS[asked]


def undecodable(source: Source, codec: str, error: UnicodeDecodeError) -> InputError:
    """Read the file once more, to say where the bytes are that are no text."""
    decoder = codecs.getincrementaldecoder(codec.removesuffix("-sig"))()
    offset = newlines = 0
    after_return = False
    with source.open() as (plain, _), unreadable(source.name):
        while block := plain.read(_BLOCK):
            state = decoder.getstate()
            try:
                text = decoder.decode(block)
            except UnicodeDecodeError as found:
                good = found.start - len(state[0])
                decoder.setstate(state)
                text = decoder.decode(block[: max(0, good)])
                offset += good
                newlines += _count(text, after_return=after_return)
                break
            newlines += _count(text, after_return=after_return)
            after_return = text.endswith("\r")
            offset += len(block)
        else:
            offset -= len(decoder.getstate()[0])
    remedy = _advice(source) if codec.startswith("utf-8") else "convert it"
    return InputError(
        f"{source.name}: line {newlines + 1}, byte {offset}: not {codec.removesuffix('-sig')} "
        f"({error.reason}); {remedy}"
    )


def _advice(source: Source) -> str:
    """What the bytes look like; only advice, for nobody can be sure of it."""
    from charset_normalizer import from_bytes  # noqa: PLC0415 - slow to load, and rarely needed

    with source.open() as (plain, _), unreadable(source.name):
        head = plain.read(_LOOKED_AT)
    if head.count(0) > len(head) // 4:
        order = "le" if head[1::2].count(0) > head[::2].count(0) else "be"
        return f"it has NUL characters as UTF-16 has: say --encoding utf-16-{order}"
    found = from_bytes(head).best()
    looks = found.encoding if found else ""
    if looks and looks not in _LIKE_1252 and not looks.startswith(("utf", "ascii")):
        return (
            f"it looks like {looks}: convert it to UTF-8, or say --encoding windows-1252 if it is"
        )
    return "say --encoding windows-1252 if it is"


def _count(text: str, *, after_return: bool) -> int:
    """Newlines in a piece of text: CRLF counts once, also where a piece begins with its LF."""
    pairs = text.count("\r\n") + (after_return and text.startswith("\n"))
    return text.count("\r") + text.count("\n") - pairs
