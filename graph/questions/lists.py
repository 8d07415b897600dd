"""What watchlists name, and whether a place, a party or a good is among it.

Regions are countries (ISO 3166-1) or parts of them (ISO 3166-2); a country
covers its parts. Names are compared by their words, letter case and
punctuation aside; the detectors also find likenesses. Goods by country are
context and never a yes. An entry counts on the days on which it held.

Next: graph/questions/coverage.py
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from graph.keys import parse_key
from graph.model import RecordKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graph.store import GraphStore
    from provenance.entries import Content, Tier

__all__ = ["CONTEXT", "KINDS", "ListEntry", "Lists", "entries_on_record"]

KINDS: Final = ("region", "entity", "facility", "party", "goods_country")
"""What a list can name."""
CONTEXT: Final = "goods_country"
"""The kind that is context."""
_EPOCH: Final = date(1970, 1, 1)
_DAY_US: Final = 86_400_000_000
_WORDS: Final = re.compile(r"[^\W_]+")
_NEEDS: Final = {"region": {"country"}, "entity": {"name"}}


class ListEntry(Struct, frozen=True):
    """One line of a watchlist.

    Attributes:
        list_name: Which list.
        kind: `region`, `entity`, `facility`, `party` or `goods_country` (HS prefix, "|", country).
        value: What is listed.
        goods: Which goods the list means there, for the reader.
        since: First day on which it held, ISO 8601; "" where nobody says.
        until: Last day; "" likewise.
    """

    list_name: str
    kind: str
    value: str
    goods: str = ""
    since: str = ""
    until: str = ""

    def held(self, time_us: int | None) -> bool:
        """Tell whether it held on the day (UTC) of a time; at a time unknown it may have.

        Args:
            time_us: Microseconds since the epoch.
        """
        if time_us is None:
            return True
        first, last = _day(self.since), _day(self.until)
        day = time_us // _DAY_US
        return (first is None or first <= day) and (last is None or day <= last)


def entries_on_record(store: GraphStore, tier: Tier, name: str = "") -> list[ListEntry]:
    """Return the lines of the watchlists in the log, or of the one with a name."""
    found = [_entry(record.attrs) for record in store.records(RecordKind.WATCHLIST, tier)]
    return [entry for entry in found if not name or entry.list_name == name]


def _entry(content: Content) -> ListEntry:
    names = ("list_name", "kind", "value", "goods")
    list_name, kind, value, goods = (str(content.get(name) or "").strip() for name in names)
    since, until = (str(content.get(name) or "") for name in ("valid_from", "valid_until"))
    return ListEntry(list_name, kind.lower(), value, goods, since, until)


class Lists:
    """List entries by what they name.

    Attributes:
        needs: What has to be known of a site before anybody can say that it is not listed.
    """

    def __init__(self, entries: Iterable[ListEntry]) -> None:
        """Sort the entries."""
        self._by: dict[tuple[str, str], list[ListEntry]] = defaultdict(list)
        self._goods: dict[str, list[tuple[str, ListEntry]]] = defaultdict(list)
        self.needs: set[str] = set()
        for entry in entries:
            if entry.kind == CONTEXT:
                good, _, country = entry.value.partition("|")
                self._goods[country.strip().upper()].append((good.strip(), entry))
            else:
                self.needs |= _NEEDS.get(entry.kind, set())
                self._by[entry.kind, _spelled(entry.kind, entry.value)].append(entry)

    def named(self, kind: str, value: object) -> list[ListEntry]:
        """Return the entries of a kind that name a value."""
        return self._by.get((kind, _spelled(kind, str(value))), []) if value else []

    def region(self, code: object) -> list[ListEntry]:
        """Return the entries that name a place's code, or the country it is part of."""
        text = str(code or "").strip().upper()
        country = text.partition("-")[0]
        found = self.named("region", text)
        return found if country == text else [*found, *self.named("region", country)]

    def goods(self, code: object, country: object) -> list[ListEntry]:
        """Return the entries that name a good, by its HS code, from a country."""
        digits = re.sub(r"\D", "", str(code or ""))
        return [
            entry
            for good, entry in self._goods.get(str(country or "").upper(), ())
            if good == "*" or (digits and digits.startswith(good))
        ]

    def site(self, place: str, site: Content, product: Content) -> Iterator[ListEntry]:
        """Yield the entries that name a place, given its record and the good's."""
        yield from self.named("facility", parse_key(place)[1][0])
        yield from self.named("entity", site.get("name"))
        yield from self.party(site.get("party"))
        for name in ("region", "country", "country_region"):
            yield from self.region(site.get(name))
        yield from self.goods(product.get("hs_code"), site.get("country"))

    def party(self, party: object) -> Iterator[ListEntry]:
        """Yield the entries that name a party."""
        yield from self.named("party", party)
        yield from self.named("entity", party)


@cache
def _day(text: str) -> int | None:
    """Return a day as its number since the epoch; what is no day is open."""
    try:
        return (date.fromisoformat(text) - _EPOCH).days
    except ValueError:
        return None


def _spelled(kind: str, value: str) -> str:
    if kind == "region":
        return value.strip().upper()
    return " ".join(_WORDS.findall(value.casefold())) if kind == "entity" else value.strip()
