"""Names of companies, compared without what does not tell them apart.

Case, spaces, punctuation, accents, Cyrillic and Greek letters and the legal
form go; numbers must agree, because "Works No. 5" is not "Works No. 6", nor is
"Unit A" "Unit B", an east mill a west mill, or Henan Hunan. Words are compared
by their stems as well: traders trade, and trading companies do. Other scripts
are compared as they are written.

Next: detectors/watchlists.py
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Final

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MIN_SIMILARITY", "essence", "matches", "similarity"]

MIN_SIMILARITY: Final = 90.0
"""Below this two names (0-100) are two names."""
_MIN_LENGTH: Final = 5


def _words(text: str) -> list[str]:
    return text.split()


_LEGAL: Final = frozenset(
    _words(
        "ab ad ag aps as asa bhd bv co company corp corporation cv doo eood gmbh inc incorporated "
        "eirl jsc kaisha kabushiki kft kg kk lda limited llc llp ltd ltda mbh messrs nv oao ojsc "
        "ood ooo oy oyj pao plc pte private pt pty pvt sa sac sarl sas sdn se sia sl slu spa srl "
        "sti tbk the uab yugen zao zrt"
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
    # Messrs goes; dots and apostrophes bind (G.m.b.H., Xi'an), every other mark separates;
    # letters that stand alone are one word (A/S, S. A.).
    text = re.sub(r"[.'’`]", "", re.sub(r"\bm/s\b", " ", text))  # noqa: RUF001
    words = re.sub(r"[^\w\s]|_", " ", text).split()
    joined = re.sub(r"\b([^\W\d]) (?=[^\W\d]\b)", r"\1", " ".join(words))
    words = re.sub(r"\bsp z ?oo\b|\bjoint stock\b", " ", joined).split() or words
    kept = [word for word in words if word not in _LEGAL]
    return " ".join(kept or words)


def similarity(a: str, b: str) -> float:
    """Compare two essences, 0-100; 100 means equal but for the order and spacing of words."""
    if a.replace(" ", "") == b.replace(" ", "") or sorted(a.split()) == sorted(b.split()):
        return 100.0
    short = min(len(a), len(b)) < _MIN_LENGTH
    if short or _numbers(a) != _numbers(b):
        return 0.0
    if _told_apart(a.split(), b.split()):
        return 0.0
    return min(99.0, max(fuzz.token_sort_ratio(a, b), fuzz.ratio(a, b), _by_words(a, b)))


def _numbers(text: str) -> list[str]:
    words = [_ROMAN.get(word, word) for word in text.split()]
    return re.findall(r"\d+", " ".join(words))


def _told_apart(a: list[str], b: list[str]) -> bool:
    """Tell whether words that differ are two of a kind of which each one tells a site apart."""
    left, right = Counter(a) - Counter(b), Counter(b) - Counter(a)
    kinds = ({word for word in (*a, *b) if len(word) == 1 and word.isalpha()}, _SIDES)
    if any(kind & left.keys() and kind & right.keys() for kind in kinds):
        return True
    return any(
        0 < OSA.distance(word, other) <= _MOST_SLIPS
        for known in (_places, _crafts)
        for word in known(left)
        for other in known(right)
    )


def _places(words: Iterable[str]) -> set[str]:
    return {word for word in words if len(word) >= _MIN_LENGTH - 1} & _regions()


def _crafts(words: Iterable[str]) -> set[str]:
    """Return the stems of words for what a site does: "hulling" is no slip of "hauling"."""
    return {_stem(word) for word in words} & _CRAFTS


@cache
def _regions() -> frozenset[str]:
    """Return the words of the names of countries and their parts (ISO 3166): no slips of a pen."""
    import pycountry  # noqa: PLC0415 - only where two names are nearly one

    names = [one.name for one in (*pycountry.countries, *pycountry.subdivisions)]
    return frozenset(word for name in names for word in essence(name).split())


def _by_words(a: str, b: str) -> float:
    """Compare names word by word, 0-97: each word that tells one apart must have its like.

    Words of trade may be missing on one side; a slip of the pen costs three points, and no name
    has more than two. Words written as one are such a slip.
    """
    stems = [[_stem(word) for word in name.split()] for name in (a, b)]
    trade = [set(words) & _TRADE for words in stems]
    own, other = ([word for word in words if word not in _TRADE] for words in stems)
    if not own or not (trade[0] <= trade[1] or trade[1] <= trade[0]):
        return 0.0
    if len(own) != len(other):
        return _BEST_BY_WORDS - _COST if _as_one(a) == _as_one(b) else 0.0
    slips = 0
    for word in sorted(own, key=len, reverse=True):
        nearest = min(other, key=lambda text: (OSA.distance(word, text), text))
        away = OSA.distance(word, nearest)
        if away > (len(word) >= _MIN_LENGTH - 1) + (len(word) >= _LONG):
            return 0.0
        other.remove(nearest)
        slips += away
    return _BEST_BY_WORDS - _COST * slips if slips <= _MOST_SLIPS else 0.0


def _as_one(name: str) -> str:
    """Write the words that tell a name apart without spaces."""
    return _stem("".join(word for word in name.split() if _stem(word) not in _TRADE))


def _stem(word: str) -> str:
    """Drop the endings that make a trader of trade: "traders", "trading" and "trade" are one."""
    word = _SHORT.get(word, word)
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _MIN_LENGTH - 1:
            return _stem(word.removesuffix(ending))
    return word


_ENDINGS: Final = ("ing", "ies", "ers", "ors", "er", "or", "es", "s", "e", "y")
_SHORT: Final = {
    "int": "international",
    "intl": "international",
    "ind": "industry",
    "industrial": "industry",
    "mfg": "manufacturing",
}
_ROMAN: Final = {"ii": "2", "iii": "3", "iv": "4", "vii": "7", "viii": "8", "xii": "12"}
"""Those that are no words or syllables besides."""
_SIDES: Final = frozenset(
    _words(
        "north south east west northern southern eastern western upper lower inner outer old new "
        "first second third nord sud ost norte sur este oeste ouest"
    )
)
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

_CRAFTS: Final = frozenset(
    _stem(word)
    for word in _words(
        "baking brewing canning carding casting coating cutting dairying drying dyeing farming "
        "fishing forging freezing ginning grinding growing hauling hulling knitting lending "
        "logging machining marking melting milling mining moulding packing painting picking "
        "plating pressing printing rearing roasting rolling salting sawing sewing shipping "
        "smelting sorting spinning tanning towing trucking tufting washing weaving welding winding"
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
