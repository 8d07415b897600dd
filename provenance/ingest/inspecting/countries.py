"""Countries by the names and codes that tables use, in the languages of the trade.

Next: provenance/ingest/inspecting/profile.py
"""

from __future__ import annotations

import gettext
import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Final

import pycountry

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["country_code"]

_LANGUAGES: Final = (
    *("de", "fr", "es", "pt", "pt_BR", "it", "nl", "zh_CN", "zh_TW", "ja"),
    *("pl", "tr", "sv", "da"),
)


def country_code(text: str) -> str:
    """The ISO 3166-1 code of a country's name or code, "" for what is none."""
    if text != text.upper() and len(text) <= 3:  # noqa: PLR2004 - "in" is no India
        return ""
    return _names().get(_plain(text), "XK" if text == "XK" else "")


def _plain(name: str) -> str:
    return re.sub(r"[^\w]+", " ", name.casefold()).strip()


@cache
def _names() -> dict[str, str]:
    found: dict[str, str] = {}
    for country in pycountry.countries:
        names = _english(country)
        found.update((_plain(name), country.alpha_2) for name in names)
        if "," in country.name:
            first, _, last = country.name.partition(", ")
            found.setdefault(_plain(first), country.alpha_2)
            found.setdefault(_plain(f"{last} {first}"), country.alpha_2)
    found.update({_plain(n): code for code, names in _ALSO.items() for n in names.split("|")})
    for name, code in _translated():
        for written in (name, _bare(name)):
            found.setdefault(_plain(written), code)
    return found


def _english(country: pycountry.db.Country) -> set[str]:
    names = {country.name, country.alpha_2, country.alpha_3}
    return names | {getattr(country, n, country.name) for n in ("official_name", "common_name")}


def _translated() -> Iterator[tuple[str, str]]:
    """Names in other languages, as far as the translations of ISO 3166 are there."""
    for language in _LANGUAGES:
        words = gettext.translation(
            "iso3166-1", pycountry.LOCALES_DIR, languages=[language], fallback=True
        )
        for country in pycountry.countries:
            for name in _english(country):
                # Two and three letters are codes, in whatever language.
                if len(said := words.gettext(name)) > 1 and said != name:
                    yield said, country.alpha_2


def _bare(name: str) -> str:
    """A name without accents, as many systems write it."""
    plain = unicodedata.normalize("NFKD", name)
    return "".join(char for char in plain if not unicodedata.combining(char))


_ALSO: Final = {
    "AE": "UAE",
    "AT": "Österreich",
    "BD": "Bangladesch",
    "BE": "Belgien|Belgique|België",
    "BN": "Brunei",
    "BR": "Brasil",
    "CD": "Congo, DRC|DR Congo|Congo (Kinshasa)",
    "CG": "Congo (Brazzaville)|Congo",
    "CH": "Schweiz|Suisse",
    "CI": "Ivory Coast",
    "CN": "Chine",
    "CV": "Cape Verde",
    "CZ": "Czech Republic",
    "DE": "Deutschland|Allemagne|Alemania|Alemanha|Germania|Duitsland",
    "DK": "Dänemark",
    "ES": "Spanien|Espagne|España|Espanha|Spagna",
    "FR": "Frankreich|Francia|França|Frankrijk",
    "GB": "UK|Great Britain|England|Vereinigtes Königreich|Royaume-Uni|Reino Unido|Regno Unito",
    "IN": "Indien|Inde",
    "IR": "Iran",
    "IT": "Italien|Italie|Italia|Itália",
    "KP": "North Korea",
    "KR": "South Korea|Korea",
    "LA": "Laos",
    "MA": "Maroc|Marokko",
    "MK": "Macedonia",
    "MM": "Burma",
    "MX": "México",
    "NL": "Holland|Niederlande|Pays-Bas|Países Bajos|Paesi Bassi|Nederland",
    "PL": "Polen",
    "PS": "Palestine",
    "RU": "Russia",
    "SE": "Schweden",
    "SY": "Syria",
    "SZ": "Swaziland",
    "TR": "Turkey|Türkei|Turquie",
    "US": "USA|U.S.A.|United States of America|Vereinigte Staaten|États-Unis|Estados Unidos|"
    "Stati Uniti",
    "VN": "Vietnam",
    "XK": "Kosovo",
}
"""Names of countries that ISO does not use, by code."""
