"""Names of companies, compared without what does not tell them apart.

Case, spaces, punctuation, accents, Cyrillic and Greek letters and the legal
form go; numbers must agree, because "Works No. 5" is not "Works No. 6". Words
are compared by their stems as well: traders trade, and trading companies do.
Other scripts are compared as they are written.

Next: detectors/watchlists.py
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

__all__ = ["MIN_SIMILARITY", "essence", "matches", "similarity"]

MIN_SIMILARITY: Final = 90.0
"""Below this two names (0-100) are two names."""
_MIN_LENGTH: Final = 5


def _words(text: str) -> list[str]:
    return text.split()


_LEGAL: Final = frozenset(
    _words(
        "ab ad ag aps as asa bhd bv co company corp corporation cv doo eood gmbh inc incorporated "
        "jsc kaisha kabushiki kft kg kk lda limited llc llp ltd ltda mbh nv oao ojsc ood ooo oy "
        "oyj pao plc pte private pt pty pvt sa sarl sas sdn se sia sl slu spa srl tbk uab yugen "
        "zao zrt"
    )
)
_LEGAL_CJK: Final = re.compile(
    "股份有限公司|有限责任公司|有限公司|株式会社|有限会社|주식회사|유한회사"
)
_SILENT: Final = "_"
_ALPHABETS: Final = (
    (
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґўј",
        "a b v g d e e zh z i y k l m n o p r s t u f kh ts ch sh shch _ y _ e yu ya i yi ye g u j",
    ),
    ("αβγδεζηθικλμνξοπρσςτυφχψω", "a v g d e z i th i k l m n x o p r s s t y f ch ps o"),
    ("ßæœøđðþł\N{LATIN SMALL LETTER DOTLESS I}", "ss ae oe o d d th l i"),
)
_LETTERS: Final = str.maketrans(
    {
        letter: latin.strip(_SILENT)
        for letters, sounds in _ALPHABETS
        for letter, latin in zip(letters, _words(sounds), strict=True)
    }
)


def essence(name: str) -> str:
    """Return the words of a name that identify it, in Latin letters where it has an alphabet.

    >>> essence("  Süd-Garn Textil G.m.b.H. & Co. KG ")
    'sud garn textil'
    """
    text = unicodedata.normalize("NFKC", name).casefold()
    text = _LEGAL_CJK.sub(" ", text).translate(_LETTERS)
    text = unicodedata.normalize("NFKD", text)
    text = "".join(c for c in text if not unicodedata.combining(c))
    # Dots and apostrophes bind (G.m.b.H., Xi'an); every other mark separates.
    words = re.sub(r"[^\w\s]|_", " ", re.sub(r"[.'’`]", "", text)).split()  # noqa: RUF001
    words = " ".join(words).replace("sp z oo", " ").split() or words
    kept = [word for word in words if word not in _LEGAL]
    return " ".join(kept or words)


def similarity(a: str, b: str) -> float:
    """Compare two essences, 0-100; 100 means equal but for the order and spacing of words."""
    if a.replace(" ", "") == b.replace(" ", "") or sorted(a.split()) == sorted(b.split()):
        return 100.0
    short = min(len(a), len(b)) < _MIN_LENGTH
    if short or re.findall(r"\d+", a) != re.findall(r"\d+", b):
        return 0.0
    return min(99.0, max(fuzz.token_sort_ratio(a, b), fuzz.ratio(a, b), _by_words(a, b)))


def _by_words(a: str, b: str) -> float:
    """Compare names word by word, 0-97: each word that tells one apart must have its like.

    Words of trade may be missing on one side; a slip of the pen costs three points, and no name
    has more than two.
    """
    stems = [[_stem(word) for word in name.split()] for name in (a, b)]
    trade = [set(words) & _TRADE for words in stems]
    own, other = ([word for word in words if word not in _TRADE] for words in stems)
    if not own or len(own) != len(other) or not (trade[0] <= trade[1] or trade[1] <= trade[0]):
        return 0.0
    slips = 0
    for word in sorted(own, key=len, reverse=True):
        nearest = min(other, key=lambda text: (OSA.distance(word, text), text))
        away = OSA.distance(word, nearest)
        if away > (len(word) >= _MIN_LENGTH - 1) + (len(word) >= _LONG):
            return 0.0
        other.remove(nearest)
        slips += away
    return _BEST_BY_WORDS - _COST * slips if slips <= _MOST_SLIPS else 0.0


def _stem(word: str) -> str:
    """Drop the endings that make a trader of trade: "traders", "trading" and "trade" are one."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _MIN_LENGTH - 1:
            return _stem(word.removesuffix(ending))
    return word


_ENDINGS: Final = ("ing", "ies", "ers", "ors", "er", "or", "es", "s", "e", "y")
_LONG: Final = 8
_BEST_BY_WORDS, _COST, _MOST_SLIPS = 97.0, 3.0, 2
_TRADE: Final = frozenset(
    _stem(word)
    for word in _words(
        "agency agro commerce commodities company enterprise enterprises export exporter factory "
        "general global group holding import importer ind industrial industries industry int "
        "international intl logistics manufacturing manufacturer mfg mill mills partners plant "
        "producers products production shipping supply trade trader trading works"
    )
)


def matches(name: str, candidates: list[str]) -> list[tuple[int, float]]:
    """Find the candidates like `name`, the most alike first; all are essences.

    Returns:
        Position and similarity of those that reach `MIN_SIMILARITY`.
    """
    if not name:
        return []
    # A cheap sieve with a wide margin; our own measure decides.
    rough = process.extract(name, candidates, scorer=fuzz.WRatio, score_cutoff=70, limit=50)
    found = ((position, similarity(name, text)) for text, _, position in rough)
    alike = [(position, score) for position, score in found if score >= MIN_SIMILARITY]
    return sorted(alike, key=lambda one: (-one[1], one[0]))
