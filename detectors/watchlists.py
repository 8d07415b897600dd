"""Watchlists: which sites are on one, by region or by name.

A region is a country (ISO 3166-1) or one of its parts (ISO 3166-2); a country
covers its parts. Names are matched by `names`, also by the aliases an entry's
note gives. Goods by country, by HS code or by the product's name or chain, are
context for a person, never a match. A line counts on the days on which it held;
one without a first or last day is open at that end.

Next: detectors/taint.py
"""

from __future__ import annotations

import hashlib
import re
from functools import cache, partial
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import numpy as np
import pandas as pd

from detectors.columns import microseconds, texts
from detectors.names import essence, matches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from graph.frames import Frames

__all__ = ["Goods", "Listed", "Listing", "held", "list_version", "listed"]

_ALIAS: Final = re.compile(r"\b(?:a\.?k\.?a\.?|alias(?:es)?)[:\s]+(.+)", re.IGNORECASE)
_ALPHA2: Final = 2
_EVER: Final = 2**62
_DAY_US: Final = 86_400_000_000
_SITE: Final = ("facility_id", "name", "country", "region", "locode", "index")
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
        since: When it began, microseconds since the epoch, UTC.
        until: When it had ended.
    """

    list_name: str
    kind: str
    value: str
    similarity: float
    entry: int
    site_entry: int | None
    since: int = -_EVER
    until: int = _EVER


def held(listings: Sequence[Listing], times: Sequence[int | None]) -> Listing | None:
    """Return the first of some listings that held at one of some times; None where none did.

    Args:
        listings: The most certain first.
        times: Microseconds since the epoch; None where nobody knows when, which fits any.
    """
    for one in listings:
        if any(at is None or one.since <= at < one.until for at in times):
            return one
    return None


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
            "since": _days(source, "valid_from", -_EVER, 0),
            "until": _days(source, "valid_until", _EVER, _DAY_US),
        }
    )
    table = table[(table["kind"] == kind) & table["value"].notna()]
    return table.sort_values(["index", "list_name", "value"]).reset_index(drop=True)


def _days(source: pd.DataFrame, name: str, unknown: int, later: int) -> NDArray[np.int64]:
    """Return days as microseconds; what is no day is open."""
    days = pd.to_datetime(texts(source, name), errors="coerce", utc=True, format="%Y-%m-%d")
    known = days.notna().to_numpy()
    return np.where(known, microseconds(days) + np.where(known, later, 0), unknown)


def list_version(frames: Frames) -> str | None:
    """Name the lists in use and a digest of every line of them; None without any."""
    source = frames.watchlist
    if source.empty:
        return None
    columns = [texts(source, name).fillna("") for name in _LINE]
    lines = sorted("\t".join(line) for line in zip(*columns, strict=True))
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
    return f"{', '.join(sorted(set(columns[0]) - {''}))} sha256:{digest}"


class Listed(NamedTuple):
    """What is on a list.

    Attributes:
        sites: By facility id; the most certain listing of each first.
        countries: Whole ones by alpha-2 code, in the order of the log.
    """

    sites: dict[str, list[Listing]]
    countries: dict[str, list[Listing]]


def listed(frames: Frames, kept: Callable[[str, Callable[[], bytes]], bytes]) -> Listed:
    """Return what is listed.

    Args:
        frames: Tables of the record.
        kept: Finds what was worked out under a name before, or has it worked out. Comparing names
            takes long, and most days no list, no site and no place is new.
    """
    state = hashlib.sha256()
    for table, columns in (
        (frames.facilities, _SITE),
        (frames.locations, ("locode", "country_region")),
        (frames.watchlist, (*_LINE, "note", "index")),
    ):
        state.update(msgspec.json.encode([table[name].tolist() for name in columns]))
    found = kept(f"listed-{state.hexdigest()[:32]}", partial(_compared, frames))
    return msgspec.msgpack.decode(found, type=Listed)


def _compared(frames: Frames) -> bytes:
    regions = _regions(frames)
    countries = {code: own for code, own in regions.items() if "-" not in code}
    return msgspec.msgpack.encode(Listed(_sites(frames, regions), countries))


def _regions(frames: Frames) -> dict[str, list[Listing]]:
    found: dict[str, list[Listing]] = {}
    for one in _listings(_entries(frames, "region")):
        found.setdefault(_country(one.value), []).append(one)
    return found


def _listings(entries: pd.DataFrame) -> list[Listing]:
    names = ("list_name", "kind", "value", "index", "since", "until")
    columns = (entries[name].tolist() for name in names)
    return [
        Listing(list_name, kind, value, 100.0, index, None, since, until)
        for list_name, kind, value, index, since, until in zip(*columns, strict=True)
    ]


def _sites(frames: Frames, regions: Mapping[str, list[Listing]]) -> dict[str, list[Listing]]:
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
    found = _by_region(sites, regions)
    for site, listings in _by_name(sites, _entries(frames, "entity")).items():
        found.setdefault(site, []).extend(listings)
    return found


def _by_region(
    sites: pd.DataFrame, listed: Mapping[str, list[Listing]]
) -> dict[str, list[Listing]]:
    found: dict[str, list[Listing]] = {}
    columns = (sites["country"], sites["region"], sites["place"])
    for site, index, *places in zip(sites["site"], sites["index"], *columns, strict=True):
        known = (place for place in places if isinstance(place, str))
        codes = dict.fromkeys(code for place in known for code in _covering(place))
        own = [one._replace(site_entry=int(index)) for c in codes for one in listed.get(c, ())]
        if own:
            found[str(site)] = own
    return found


def _covering(place: str) -> tuple[str, ...]:
    """Return a place's code and the country it is part of."""
    code = _country(place)
    return (code, code.split("-", 1)[0]) if "-" in code else (code,)


def _by_name(sites: pd.DataFrame, entities: pd.DataFrame) -> dict[str, list[Listing]]:
    """Return the lines that name each site, the most alike first.

    All of them: editions of a list spell a name differently, and hold on different days.
    """
    listings, spelled = _listings(entities), _spelled(entities)
    candidates = sorted(spelled)
    found = {}
    for site, name, index in zip(sites["site"], sites["name"], sites["index"], strict=True):
        alike = matches(essence(name), candidates) if isinstance(name, str) else []
        own = [
            listings[row]._replace(similarity=score, site_entry=int(index))
            for place, score in alike
            for row in spelled[candidates[place]]
        ]
        if own:
            found[str(site)] = own
    return found


def _spelled(entities: pd.DataFrame) -> dict[str, list[int]]:
    """Return the rows of each name that entities go by, by its essence."""
    spelled: dict[str, list[int]] = {}
    for row, (value, note) in enumerate(zip(entities["value"], entities["note"], strict=True)):
        match = _ALIAS.search(note)
        for name in (value, *(match[1].split(";") if match else ())):
            spelled.setdefault(essence(name), []).append(row)
    spelled.pop("", None)
    return spelled


class Goods:
    """The goods by country that lists name: context for a person, never a match."""

    def __init__(self, frames: Frames) -> None:
        """Read the lists and the products' HS codes once."""
        source = frames.products
        self._lines = _listings(_entries(frames, "goods_country"))
        ids = texts(source, "product_id")
        self._codes = dict(zip(ids, texts(source, "hs_code"), strict=True))
        names = zip(ids, texts(source, "name"), texts(source, "chain"), strict=True)
        self._names = {
            own: {essence(one) for one in (own, *more) if isinstance(one, str)}
            for own, *more in names
            if isinstance(own, str)
        }

    def context(
        self, product_id: object, country: object, times: Sequence[int | None]
    ) -> tuple[str, ...]:
        """Return the lines that name this good from this country and held at one of some times."""
        if not isinstance(country, str):
            return ()
        code = self._codes.get(product_id)
        digits = re.sub(r"\D", "", code) if isinstance(code, str) else ""
        found = set()
        for line in self._lines:
            good, _, where = line.value.partition("|")
            same = good in ("*", product_id) or (good.isdigit() and digits.startswith(good))
            same = same or essence(good) in self._names.get(str(product_id), ())
            if same and _country(where) == _country(country) and held([line], times):
                found.add(f"{line.list_name}: {line.value}")
        return tuple(sorted(found))
