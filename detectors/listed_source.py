"""Listed source: goods that left a site in a listed region or of a listed name.

The flag sits on the shipment that leaves the listed site; what the goods
became later is context, counted in transformations. Only where the site's own
shipment is missing from the record does the first shipment that shows the
goods elsewhere carry the flag. A listing counts that held on the day on which the
goods left, or were made there. A listed good by country is shown next to it
and never flags anything alone.

Next: detectors/excess_hours.py
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np
import pandas as pd

from detectors.base import (
    Abstention,
    Account,
    Benign,
    EvidenceClass,
    Expected,
    Measure,
    Sample,
    SubjectKind,
)
from detectors.columns import texts
from detectors.names import MIN_SIMILARITY
from detectors.rules import beyond_limit, not_judged
from detectors.taint import Became
from detectors.watchlists import Goods, Listing, held, list_version, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from detectors.base import Case, Decisions, Finding
    from detectors.features import Features, Row

__all__ = ["ListedSource"]

EQUAL: Final = 100.0


class ListedSource:
    """Did these goods leave a listed site, or are they the first trace of what did?"""

    name: Final = "listed_source"
    type: Final = "listed_source"
    version: Final = "3"
    evidence_class: Final = EvidenceClass.RULE
    subject_kind: Final = SubjectKind.EVENT
    min_samples: Final = 1
    reads: Final = (
        "event/1 /declared_origin_country",
        "event/1 /event_time",
        "event/1 /facility_id",
        "event/1 /from_facility_id",
        "event/1 /inputs",
        "event/1 /items",
        "facility/1 /country",
        "facility/1 /name",
        "facility/1 /region",
        "location/1 /country_region",
        "product/1 /hs_code",
        "watchlist/1 /valid_from",
        "watchlist/1 /valid_until",
        "watchlist/1 /value",
    )
    parameters: Final[Mapping[str, float | int | str]] = {"min_name_similarity": MIN_SIMILARITY}
    libraries: Final = ("pandas", "pycountry", "rapidfuzz")

    def features(self, shared: Features) -> Sample:
        """Find the listed sites, and the shipments through which their goods come to light."""
        rows, version = shared.rows, list_version(shared.frames)
        ships = rows[rows["kind"] == "ship"]
        if version is None:
            none = (Abstention(self.name, "no watchlist in the record"),)
            return Sample(_table(ships.iloc[:0], []), none)
        known = ships["shipper"].isin(shared.once(_countries))
        dark = ~known & ships["declared_origin_country"].isna()
        left_out = not_judged(
            self.name, {"neither a known site nor a declared origin": ships["event_id"][dark]}
        )
        became = Became(shared)
        table = _carried(_table(ships[~dark], _finds(shared, ships, became)), shared, became)
        return Sample(table, left_out, list_version=version)

    def score(self, sample: Sample) -> NDArray[np.float64]:
        """Measure how sure the listing is: 2 for a region or an equal name, less for a likeness."""
        found = sample.table["listing"]
        return np.array([0.0 if listing is None else _sureness(listing) for listing in found])

    def decide(self, sample: Sample, scores: NDArray[np.float64], _level: float) -> Decisions:
        """Flag every shipment that a listing was found for."""
        return beyond_limit(sample, scores)

    def explain(self, case: Case) -> Account:
        """Name the list, the site, and how far the goods have come since."""
        return _account(case)


class _Find(NamedTuple):
    """A shipment, why it is flagged, and how many transformations after the listed site."""

    position: int
    listing: Listing
    way: Literal["site", "trace", "origin"]
    hops: int
    origin: tuple[int, ...]


def _sureness(listing: Listing) -> float:
    return 1 + (listing.similarity - MIN_SIMILARITY + 1) / (101 - MIN_SIMILARITY)


def _table(ships: pd.DataFrame, finds: list[_Find]) -> pd.DataFrame:
    found, listing = np.full((2, len(ships)), None)
    places = ships.index.get_indexer(pd.Index([find.position for find in finds])).tolist()
    # Of several the first holds.
    for place, find in zip(places[::-1], finds[::-1], strict=True):
        if place >= 0:
            found[place], listing[place] = find, find.listing
    table = pd.DataFrame(
        {
            "subject_id": ships["event_id"].to_numpy(),
            "subject_party": ships["party"].to_numpy(),
            "index": ships["index"].to_numpy(),
            "position": ships.index.to_numpy(),
        }
    )
    return table.assign(find=pd.Series(found), listing=pd.Series(listing))


def _carried(table: pd.DataFrame, shared: Features, became: Became) -> pd.DataFrame:
    """Add how many later lots carry what was found, and over how many transformations."""
    carried, steps = np.zeros(len(table), np.int64), np.zeros(len(table), np.int64)
    found = np.flatnonzero(table["find"].notna().to_numpy())
    position = table["position"].to_numpy(np.int64)[found]
    lots, has_lot = (shared.rows[name].to_numpy()[position] for name in ("lot", "has_lot"))
    for row, lot in zip(found[has_lot].tolist(), lots[has_lot].tolist(), strict=True):
        reached = became.follow([lot])
        carried[row], steps[row] = len(reached) - 1, max(reached.values())
    return table.assign(carried=carried, steps=steps)


def _countries(shared: Features) -> dict[str, str]:
    """Return the country of each known site."""
    sites = shared.frames.facilities
    return dict(zip(texts(sites, "facility_id"), texts(sites, "country"), strict=True))


def _listed_goods(shared: Features) -> Goods:
    return Goods(shared.frames)


def _finds(shared: Features, ships: pd.DataFrame, became: Became) -> list[_Find]:
    """List what is flagged: leaving a listed site, first trace of it, declared to come from it."""
    sites, countries = listed(shared.frames, shared.fitted)
    made = shared.rows[shared.rows["kind"].isin(["produce", "transform"])]
    made = made[made["site"].isin(sites) & made["has_lot"]]
    leaving = ships[ships["shipper"].isin(sites) | ships["site"].isin(sites)]
    direct = list(_direct(leaving, made, sites))
    documented = set(leaving.loc[leaving["has_lot"], "lot"])
    traces = _traces(made[~made["lot"].isin(documented)], ships, became, sites, documented)
    found = ships.loc[[find.position for find in (*direct, *traces)]]
    tainted = set(found.loc[found["has_lot"], "lot"])
    return [*direct, *traces, *_declared(ships, became, countries, set(became.follow(tainted)))]


def _direct(
    leaving: pd.DataFrame, made: pd.DataFrame, sites: Mapping[str, Sequence[Listing]]
) -> Iterator[_Find]:
    """Yield the shipments that leave a site which was listed then, or when it made the goods."""
    making = defaultdict(list)
    for lot, site, when in zip(made["lot"], made["site"], _times(made), strict=True):
        making[lot, site].append(when)
    columns = (leaving["shipper"], leaving["site"], leaving["lot"], _times(leaving))
    for position, shipper, own, lot, when in zip(leaving.index, *columns, strict=True):
        site = shipper if shipper in sites else own
        listing = held(sites[site], (when, *making.get((lot, site), ())))
        if listing is not None:
            yield _Find(int(position), listing, "site", 0, ())


def _times(rows: pd.DataFrame) -> list[int | None]:
    return [
        at if timed else None
        for at, timed in zip(rows["at"].tolist(), rows["timed"].tolist(), strict=True)
    ]


def _traces(
    made: pd.DataFrame,
    ships: pd.DataFrame,
    became: Became,
    sites: Mapping[str, Sequence[Listing]],
    documented: set[int],
) -> list[_Find]:
    """Follow lots made at a listed site whose leaving nobody recorded to their first shipment.

    They left between their making and that shipment: the listing held on one of those days.
    """
    if made.empty:
        return []
    first = ships[ships["has_lot"]].sort_values(["at", "index"]).drop_duplicates("lot")
    shipped = dict(zip(first["lot"], first.index, strict=True))
    when = dict(zip(first.index, _times(first), strict=True))
    finds = []
    columns = (made["lot"], made["site"], made["index"], _times(made))
    for lot, site, index, making in zip(*columns, strict=True):
        reached = became.follow([lot], lambda lot: lot in shipped or lot in documented)
        for one, hops in sorted(reached.items()):
            if one in shipped and one not in documented:
                listing = held(sites[site], (making, when[shipped[one]]))
                if listing is not None:
                    finds.append(_Find(int(shipped[one]), listing, "trace", hops, (int(index),)))
    return finds


def _declared(
    ships: pd.DataFrame,
    became: Became,
    countries: Mapping[str, Sequence[Listing]],
    tainted: set[int],
) -> list[_Find]:
    """Take the first shipment of each lot declared to come from a country that was listed then.

    Lots already traced to a listed site, and what was made of a declared one, add nothing new.
    """
    origin = ships["declared_origin_country"].str.strip().str.upper()
    declared = ships[origin.isin(countries) & ~ships["lot"].isin(tainted)]
    listings = [
        held(countries[code], (when,))
        for code, when in zip(origin[declared.index], _times(declared), strict=True)
    ]
    declared = declared.assign(listing=pd.Series(listings, index=declared.index, dtype=object))
    declared = declared[declared["listing"].notna()]
    declared = declared.sort_values(["at", "index"]).drop_duplicates("lot")
    later = {lot for lot, hops in became.follow(declared["lot"]).items() if hops}
    declared = declared[~declared["lot"].isin(later)]
    return [
        _Find(int(position), listing, "origin", 0, ())
        for position, listing in zip(declared.index, declared["listing"], strict=True)
    ]


def _account(case: Case) -> Account:
    find: _Find = case.row["find"]
    listing = find.listing
    ship = case.shared.row(find.position)
    entries = (listing.entry, *find.origin)
    if listing.site_entry is not None:
        entries = (*entries, listing.site_entry)
    return Account(
        evidence=(*entries, *case.shared.site_entries(ship["shipper"])),
        observed=Measure("likeness to the listing", listing.similarity, "%"),
        expected=Expected(None, MIN_SIMILARITY, "%"),
        sentence=_sentence(case, find, ship),
        counterfactual=(
            f"The flag would disappear if the entry “{listing.value}” did not apply to "
            f"{ship['shipper'] if find.way == 'site' else 'the place of origin'}."
        ),
        benign=_benign(find, timed=bool(ship["timed"])),
        caveat=(
            "It does not say that a law was broken or that anyone was forced to work: it says "
            "that a list applies and that a person should look."
        ),
    )


def _sentence(case: Case, find: _Find, ship: Row) -> str:
    listing, goods = find.listing, str(ship["product_id"])
    if ship["has_lot"]:
        goods += f" (lot {ship['lot_id']})"
    why = f"list {listing.list_name}, {listing.kind} “{listing.value}”"
    match find.way:
        case "site":
            text = f"{goods} left {ship['shipper']}, which is on a watchlist ({why})"
        case "trace":
            away = f"{find.hops} transformation{'s' * (find.hops != 1)}"
            text = (
                f"{goods} goes back, over {away}, to a listed site ({why}) whose own shipment "
                f"is not in the record"
            )
        case _:
            text = f"{goods} is declared to come from {ship['declared_origin_country']} ({why})"
    if case.row["carried"]:
        text += f"; {case.row['carried']} later lots carry it, up to {case.row['steps']} steps on"
    return f"{text}.{_screening(case.shared, ship)}"


def _screening(shared: Features, ship: Row) -> str:
    country = shared.once(_countries).get(ship["shipper"], ship["declared_origin_country"])
    when = int(ship["at"]) if ship["timed"] else None
    lines = shared.once(_listed_goods).context(ship["product_id"], country, (when,))
    return f" Context only: {'; '.join(lines)}." if lines else ""


def _benign(find: _Find, *, timed: bool) -> tuple[Benign, ...]:
    then: Finding = "ruled out" if timed else "possible"
    alike: Finding = "ruled out" if find.listing.similarity == EQUAL else "possible"
    passed: Finding = "not checked" if find.way == "site" else "ruled out"
    return (
        Benign("another company of a similar name", alike),
        Benign("goods made elsewhere that only passed through the site", passed),
        Benign("a listing that did not hold then", then),
    )
