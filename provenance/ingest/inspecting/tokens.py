"""A header as concepts: words found, compounds taken apart, slips of the pen forgiven.

Next: provenance/ingest/inspecting/roles.py
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final, NamedTuple

import pycountry
from rapidfuzz import fuzz, process

from provenance.ingest.inspecting.words import SEVERAL, STOP, WORDS
from provenance.ingest.inspecting.words_chinese import CHARACTERS, HAN, segmented
from provenance.ingest.inspecting.words_technical import TECHNICAL

__all__ = ["Heading", "read_heading"]

_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SPLIT: Final = re.compile(f"[^a-z0-9#°№{CHARACTERS}]+")
_SIGNS: Final = {"#": "number", "n°": "number", "№": "number", "°": "number"}
_SPECIAL: Final = (
    (re.compile(r"\bb\s*/\s*l\b|\bbill\s+of\s+lading\b|\bbills\s+of\s+lading\b"), " bol "),
    (re.compile(r"\bp\s*/\s*o\b"), " po "),
    (re.compile(r"\bd\s*/\s*n\b"), " dn "),
    (re.compile(r"\bn[°º]|\bnr\.|\bno\."), " number "),
    (re.compile(r"[€]"), " eur "),
    (re.compile(r"[£]"), " gbp "),
    (re.compile(r"[₹]"), " inr "),
    (re.compile(r"[¥]"), " cny "),
    (re.compile(r"\br[$]"), " brl "),
    (re.compile(r"[$]"), " usd "),
    (re.compile(r"\bnota\s+fiscal\b|\bnf-?e\b"), " invoice "),
    (re.compile(r"\bbill\s+of\s+entry\b|\bbe\s+(?=no|number|date)"), " document "),
    (re.compile(r"\be-?mail\b"), " email "),
    (re.compile(r"\bbest\s+before\b|\buse\s+by\b"), " expiry "),
    (re.compile(r"\bship\s*-?_?to\b|\bsold\s*-?_?to\b|\bdeliver\s*-?_?to\b"), " shipto "),
    (re.compile(r"\bship\s*-?_?from\b"), " shipfrom "),
    (re.compile(r"\bshipping\s+line\b"), " carrier "),
    (re.compile(r"\bu\.\s*m\b|\bu\s*/\s*m\b"), " um "),
)
_BRACKETS: Final = re.compile(r"[(\[][^()\[\]]*[)\]]")
_EXPLAIN: Final = frozenset(
    {"kg", "lb", "tonne", "gram", "usd", "money", "gross", "net", "per", "package"}
)
_LINKS: Final = ("", "s", "n", "en", "es", "e")
_SHORTEST: Final = 3
_LONGEST_LINK: Final = 2
_ALIKE: Final = 85
_FUZZY_LENGTH: Final = 6


class Heading(NamedTuple):
    """What a header says.

    Attributes:
        concepts: In their order, each once.
        unknown: Words that stand for nothing here.
        fuzzy: Whether a word was only nearly one of ours.
    """

    concepts: tuple[str, ...]
    unknown: tuple[str, ...]
    fuzzy: bool


@lru_cache(maxsize=4096)
def read_heading(header: str) -> Heading:
    """Read a header."""
    concepts: dict[str, None] = {}
    unknown: list[str] = []
    fuzzy = False
    outside = _BRACKETS.sub(" ", header)
    inside = " ".join(_BRACKETS.findall(header)) if outside.strip() else ""
    for token in [*_tokens(outside if inside else header), *_tokens(inside)]:
        found, near = _concepts_of(token)
        if inside and token not in _tokens(outside):
            # What stands in brackets is a unit, or explains; it is not what the column is.
            found = tuple(concept for concept in found if concept in _EXPLAIN)
            found = found or (("money",) if _is_currency(token) else ())
        concepts.update(dict.fromkeys(found))
        fuzzy = fuzzy or near
        if not found:
            unknown.append(token)
    if "actual" in concepts:
        concepts.pop("planned", None)  # as in "actual ETA"
    return Heading(tuple(concepts), tuple(unknown), fuzzy)


def _tokens(header: str) -> list[str]:
    # "UoM" is one word of ours, "shipDate" two.
    pieces = (p if p.casefold() in WORDS else _CAMEL.sub(" ", p) for p in header.split())
    text = " ".join(pieces)
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ø", "o"))
    text = "".join(c for c in plain if not unicodedata.combining(c)).casefold()
    text = segmented(" ".join(map(_technical, text.split())).replace("_", " "))
    for pattern, put in _SPECIAL:
        text = pattern.sub(put, text)
    tokens = [token for token in _SPLIT.split(text) if token]
    return [t for t in tokens if t not in STOP and not t.isdigit()]


def _technical(word: str) -> str:
    """A technical name as one word, whose parts would mean something else."""
    return word.replace("_", "") if word in TECHNICAL else word


def _is_currency(token: str) -> bool:
    return len(token) == 3 and pycountry.currencies.get(alpha_3=token.upper()) is not None  # noqa: PLR2004


def _concepts_of(token: str) -> tuple[tuple[str, ...], bool]:
    if token in _KNOWN:
        return _KNOWN[token], False
    if token.endswith("#"):
        found, near = _concepts_of(token[:-1])
        return (*found, "number"), near
    plain = token.rstrip("0123456789")
    if plain != token and plain in WORDS:
        return (WORDS[plain],), False
    parts = _compound(token)
    if parts:
        return parts, False
    if len(token) >= _FUZZY_LENGTH:
        like = process.extractOne(token, _LONG, scorer=fuzz.ratio, score_cutoff=_ALIKE)
        if like and like[0][0] == token[0]:  # slips seldom hit the first letter
            return (WORDS[like[0]],), True
    return (), False


_KNOWN: Final[dict[str, tuple[str, ...]]] = {
    **{word: (concept,) for word, concept in {**WORDS, **HAN, **_SIGNS}.items()},
    **{name.replace("_", ""): concepts for name, concepts in TECHNICAL.items()},
    **SEVERAL,
}
_LONG: Final = [word for word in WORDS if len(word) >= _FUZZY_LENGTH]


@lru_cache(maxsize=4096)
def _compound(token: str) -> tuple[str, ...]:
    """Take `bestellnummer` or `shipdate` apart into words of ours; () where that fails."""
    for cut in range(len(token) - 1, 1, -1):
        head, rest = token[:cut], token[cut:]
        first = _part(head)
        if first is None:
            continue
        for link in _LINKS:
            tail = rest.removeprefix(link) if link else rest
            if link and tail == rest:
                continue
            last = _part(tail)
            if last is not None:
                return (*first, *last)
            deeper = _compound(tail) if len(tail) > _SHORTEST else ()
            if deeper:
                return (*first, *deeper)
    return ()


def _part(word: str) -> tuple[str, ...] | None:
    if len(word) < _SHORTEST and word not in {"nr", "no", "id", "dt", "po"}:
        return None
    if word in SEVERAL:
        return SEVERAL[word]
    return (WORDS[word],) if word in WORDS else None
