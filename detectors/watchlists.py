"""Watchlists: which sites are on one, by region or by name.

A region is a country (ISO 3166-1) or one of its parts (ISO 3166-2); a country
covers its parts. Names are matched by `names`, also by the aliases an entry's
note gives. Goods by country, by HS code or by the product's name or chain, are
context for a person, never a match. A line that held on no day of the record is
left out.

Next: detectors/taint.py
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

import pandas as pd

from detectors.columns import texts
from detectors.names import best_match, essence

if TYPE_CHECKING:
    from graph.frames import Frames

__all__ = ["Goods", "Listing", "list_version", "listed_countries", "listed_sites"]

_ALIAS: Final = re.compile(r"\b(?:a\.?k\.?a\.?|alias(?:es)?)[:\s]+(.+)", re.IGNORECASE)
_ALPHA2: Final = 2
_LINE: Final = ("list_name", "kind", "value", "goods", "list_version", "valid_from", "valid_until")


class Listing(NamedTuple):
    """Why a site counts as listed.

    Attributes:
        list_name: Which list.
        kind: "region" or "entity".
        value: The list's own words.
        similarity: 100 for a region or an equal name, less for a similar one.
        entry: Log index of the list's entry.
        site_entry: Log index of the site's master data; None for a country alone.
    """

    list_name: str
    kind: str
    value: str
    similarity: float
    entry: int
    site_entry: int | None


@cache
def _country(text: str) -> str:
    """Return a country's alpha-2 code, whatever way it is written; else the text itself."""
    word = text.strip().upper()
    if len(word) == _ALPHA2 or "-" in word:
        return word
    import pycountry  # noqa: PLC0415 - only where somebody wrote a country in full

    try:
        return str(pycountry.countries.lookup(word).alpha_2)
    except LookupError:
        return word


def _entries(frames: Frames, kind: str) -> pd.DataFrame:
    source = frames.watchlist
    table = pd.DataFrame(
        {
            "list_name": texts(source, "list_name").fillna("unnamed list").to_numpy(),
            "kind": texts(source, "kind").str.strip().str.lower().to_numpy(),
            "value": texts(source, "value").str.strip().to_numpy(),
            "goods": texts(source, "goods").str.strip().to_numpy(),
            "note": texts(source, "note").fillna("").to_numpy(),
            "index": source["index"].to_numpy("int64"),
        }
    )
    table = table[(table["kind"] == kind) & table["value"].notna() & _in_force(frames).to_numpy()]
    return table.sort_values(["index", "list_name", "value"]).reset_index(drop=True)


def _in_force(frames: Frames) -> pd.Series:
    """Return which lines hold on some day of the record; a line without days always does."""
    source, times = frames.watchlist, frames.events["event_time"]
    since, until = (
        pd.to_datetime(texts(source, name), errors="coerce", utc=True, format="%Y-%m-%d")
        for name in ("valid_from", "valid_until")
    )
    early = until + pd.Timedelta(days=1) <= times.min()
    in_force: pd.Series = ~(early | (since > times.max()))
    return in_force


def list_version(frames: Frames) -> str | None:
    """Name the lists in use and a digest of every line of them; None without any."""
    source = frames.watchlist
    if source.empty:
        return None
    columns = [texts(source, name).fillna("") for name in _LINE]
    lines = sorted("\t".join(line) for line in zip(*columns, strict=True))
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
    return f"{', '.join(sorted(set(columns[0]) - {''}))} sha256:{digest}"


def listed_countries(frames: Frames) -> dict[str, Listing]:
    """Return the whole countries on a list, by alpha-2 code."""
    found: dict[str, Listing] = {}
    regions = _entries(frames, "region")
    for list_name, value, index in zip(
        regions["list_name"], regions["value"], regions["index"], strict=True
    ):
        if "-" not in value:
            found.setdefault(
                _country(value), Listing(list_name, "region", value, 100.0, int(index), None)
            )
    return found


def listed_sites(frames: Frames) -> dict[str, Listing]:
    """Return the sites on a list, by facility id; the most certain listing of each."""
    source = frames.facilities
    located = dict(
        zip(
            texts(frames.locations, "locode"),
            texts(frames.locations, "country_region"),
            strict=True,
        )
    )
    sites = pd.DataFrame(
        {
            "site": texts(source, "facility_id"),
            "name": texts(source, "name"),
            "country": texts(source, "country"),
            "region": texts(source, "region"),
            "place": texts(source, "locode").map(located),
            "index": source["index"].to_numpy("int64"),
        }
    )
    sites = sites[sites["site"].notna()].sort_values("index").drop_duplicates("site", keep="last")
    by_name = _by_name(sites, _entries(frames, "entity"))
    return by_name | _by_region(sites, _entries(frames, "region"))


def _by_region(sites: pd.DataFrame, regions: pd.DataFrame) -> dict[str, Listing]:
    listed = {
        _country(value): Listing(list_name, "region", value, 100.0, int(index), None)
        for list_name, value, index in zip(
            regions["list_name"], regions["value"], regions["index"], strict=True
        )
    }
    found = {}
    columns = (sites["country"], sites["region"], sites["place"])
    for site, index, *places in zip(sites["site"], sites["index"], *columns, strict=True):
        for code in (c for place in places if isinstance(place, str) for c in _covering(place)):
            if code in listed:
                found[str(site)] = listed[code]._replace(site_entry=int(index))
                break
    return found


def _covering(place: str) -> tuple[str, ...]:
    """Return a place's code and the country it is part of."""
    code = _country(place)
    return (code, code.split("-", 1)[0]) if "-" in code else (code,)


def _by_name(sites: pd.DataFrame, entities: pd.DataFrame) -> dict[str, Listing]:
    spelled: dict[str, int] = {}
    for row, (value, note) in enumerate(zip(entities["value"], entities["note"], strict=True)):
        match = _ALIAS.search(note)
        for name in (value, *(match[1].split(";") if match else ())):
            spelled.setdefault(essence(name), row)
    spelled.pop("", None)
    candidates = sorted(spelled)
    found = {}
    for site, name, index in zip(sites["site"], sites["name"], sites["index"], strict=True):
        best = best_match(essence(name), candidates) if isinstance(name, str) else None
        if best:
            entry = entities.iloc[spelled[candidates[best[0]]]]
            found[str(site)] = Listing(
                str(entry["list_name"]),
                "entity",
                str(entry["value"]),
                best[1],
                int(entry["index"]),
                int(index),
            )
    return found


class Goods:
    """The goods by country that lists name: context for a person, never a match."""

    def __init__(self, frames: Frames) -> None:
        """Read the lists and the products' HS codes once."""
        source = frames.products
        self._lines = _entries(frames, "goods_country")
        ids = texts(source, "product_id")
        self._codes = dict(zip(ids, texts(source, "hs_code"), strict=True))
        names = zip(ids, texts(source, "name"), texts(source, "chain"), strict=True)
        self._names = {
            own: {essence(one) for one in (own, *more) if isinstance(one, str)}
            for own, *more in names
            if isinstance(own, str)
        }

    def context(self, product_id: object, country: object) -> tuple[str, ...]:
        """Return the lines that name this good from this country."""
        if not isinstance(country, str):
            return ()
        code = self._codes.get(product_id)
        digits = re.sub(r"\D", "", code) if isinstance(code, str) else ""
        found = set()
        for name, value in zip(self._lines["list_name"], self._lines["value"], strict=True):
            good, _, where = value.partition("|")
            same = good in ("*", product_id) or (good.isdigit() and digits.startswith(good))
            same = same or essence(good) in self._names.get(str(product_id), ())
            if same and _country(where) == _country(country):
                found.add(f"{name}: {value}")
        return tuple(sorted(found))
