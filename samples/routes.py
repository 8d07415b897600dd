"""How goods get from one site to another: ports, sea ways, times, disturbances.

Sea distances are along real ways (in km, rounded); while the canal is shut its
edge is missing and the shortest way leads around the Cape, with a call at
Durban, as ships do.

Next: samples/freight.py
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from samples.places import SITES, Site, distance_km

if TYPE_CHECKING:
    from samples.dice import Dice

__all__ = ["Leg", "congestion_hours", "continent", "legs_between", "transit_hours"]

_SEA_WAYS = """
BDCGP LKCMB 2400
INTUT LKCMB 320
INMUN LKCMB 2200
INMUN ARABIA 2400
LKCMB ARABIA 3400
ARABIA SUEZ 3000
SUEZ TRMER 820
SUEZ TRIZM 1150
SUEZ GIBRALTAR 3600
TRMER GIBRALTAR 3500
TRIZM GIBRALTAR 3100
GIBRALTAR CHANNEL 2400
CHANNEL NLRTM 320
CHANNEL BEANR 360
CHANNEL DEHAM 900
GIBRALTAR USNYC 5900
CHANNEL USNYC 5900
GIBRALTAR DAKAR 2800
DAKAR CHANNEL 4500
DAKAR CIABJ 2100
CIABJ GHTEM 560
DAKAR CAPE 6700
CIABJ CAPE 5000
CAPE ZADUR 1500
ZADUR ARABIA 5800
ZADUR LKCMB 6600
ECGYE PANAMA 1600
PANAMA CHANNEL 8300
PANAMA USNYC 3700
DAKAR USNYC 6200
"""
_CANAL = ("ARABIA", "SUEZ")
CANAL_SHUT = (datetime(2024, 1, 8, tzinfo=UTC), datetime(2024, 3, 4, tzinfo=UTC))
ANTWERP_STRIKE = (datetime(2023, 11, 6, tzinfo=UTC), datetime(2023, 11, 27, tzinfo=UTC))
# port, from, to, extra hours (low, high): queues that everybody stood in
_QUEUES = (
    ("NLRTM-PT", datetime(2022, 12, 10, tzinfo=UTC), datetime(2023, 1, 12, tzinfo=UTC), 60, 170),
    ("BDCGP-PT", datetime(2023, 6, 18, tzinfo=UTC), datetime(2023, 7, 29, tzinfo=UTC), 120, 300),
    ("LKCMB-PT", datetime(2024, 1, 20, tzinfo=UTC), datetime(2024, 4, 6, tzinfo=UTC), 90, 260),
    ("USNYC-PT", datetime(2024, 8, 12, tzinfo=UTC), datetime(2024, 9, 14, tzinfo=UTC), 70, 200),
)
_CONTINENT = {"IN": "asia", "BD": "asia", "LK": "lanka", "GH": "africa", "CI": "africa"}
_CONTINENT |= {
    "US": "america",
    "EC": "ecuador",
    "CN": "inner asia",
    "TM": "inner asia",
    "ZA": "south africa",
}
_PORT_OF_REGION = {"IN-TN": "INTUT-PT", "NL-NH": "NLRTM-PT", "NL-LI": "NLRTM-PT"}
_PORT_OF_COUNTRY = {
    "IN": "INMUN-PT",
    "BD": "BDCGP-PT",
    "TR": "TRMER-PT",
    "NL": "NLRTM-PT",
    "DE": "BEANR-PT",
    "BE": "BEANR-PT",
    "FR": "BEANR-PT",
    "GB": "BEANR-PT",
    "US": "USNYC-PT",
    "GH": "TEM-EXP",
    "CI": "ABJ-EXP",
    "EC": "GYE-EXP",
    "LK": "LKCMB-PT",
}
_QUAYSIDE = {"TEM-EXP", "ABJ-EXP", "GYE-EXP", "IZF-SEW", "HAM-GRND"}  # ships call at the door
_HUBS = {"LKCMB": "LKCMB-PT", "ZADUR": "ZADUR-PT"}
_ROAD_WINDING = 1.27
_SLOW_ROADS = {"asia": 24.0, "africa": 22.0, "ecuador": 26.0}  # km/h over a whole day


@dataclass(slots=True)
class Leg:
    """One stretch of a way, by one means of transport."""

    start: Site
    end: Site
    mode: str
    km: int
    hold_hours: float = 0.0  # planned extra wait at `start` before it


def continent(site: Site) -> str:
    """Return the landmass on which lorries reach the site."""
    return _CONTINENT.get(site.country, "europe")


def _graph(*, shut: bool) -> dict[str, list[tuple[str, int]]]:
    """Return the sea ways that are open."""
    ways: dict[str, list[tuple[str, int]]] = {}
    for line in _SEA_WAYS.strip().splitlines():
        one, other, km = line.split()
        if shut and (one, other) == _CANAL:
            continue
        ways.setdefault(one, []).append((other, int(km)))
        ways.setdefault(other, []).append((one, int(km)))
    return ways


@cache
def _sea_path(start: str, end: str, *, shut: bool) -> list[tuple[str, int]]:
    """Return the shortest open sea way as (place, km from start), both ends included."""
    ways = _graph(shut=shut)
    heap: list[tuple[int, str, list[tuple[str, int]]]] = [(0, start, [(start, 0)])]
    done: set[str] = set()
    while heap:
        km, place, path = heapq.heappop(heap)
        if place == end:
            return path
        if place in done:
            continue
        done.add(place)
        for other, more in ways[place]:
            heapq.heappush(heap, (km + more, other, [*path, (other, km + more)]))
    raise AssertionError(f"no sea way from {start} to {end}")


def _port_for(site: Site, when: datetime) -> Site:
    """Return the port that serves a site, the site itself when it lies on the quay."""
    if site.id in _QUAYSIDE or site.kind == "port":
        return site
    ident = _PORT_OF_REGION.get(site.region, _PORT_OF_COUNTRY[site.country])
    if ident == "BEANR-PT" and ANTWERP_STRIKE[0] <= when < ANTWERP_STRIKE[1]:
        ident = "NLRTM-PT"
    return SITES[ident]


def _sea_legs(start: Site, end: Site, when: datetime) -> list[Leg]:
    """Sail between two ports, changing ships at the hubs on the way."""
    legs: list[Leg] = []
    last, last_km = start, 0
    shut = CANAL_SHUT[0] <= when < CANAL_SHUT[1]
    for place, km in _sea_path(start.locode, end.locode, shut=shut)[1:]:
        stop = end if place == end.locode else SITES.get(_HUBS.get(place, ""))
        if stop is not None and stop is not last:
            legs.append(Leg(last, stop, "sea", km - last_km))
            last, last_km = stop, km
    return legs


def _land_leg(start: Site, end: Site, mode: str = "road") -> Leg:
    """Drive (or roll) between two sites."""
    return Leg(start, end, mode, max(8, round(distance_km(start, end) * _ROAD_WINDING)))


def legs_between(start: Site, end: Site, when: datetime) -> list[Leg]:
    """Return the ordinary way between two sites at a time."""
    lands = {continent(start), continent(end)}
    if "inner asia" in lands:
        return [_land_leg(start, end, "rail" if "CN" in (start.country, end.country) else "road")]
    if len(lands) == 1:
        return [_land_leg(start, end)]
    out_port, in_port = _port_for(start, when), _port_for(end, when + timedelta(days=21))
    legs = _sea_legs(out_port, in_port, when)
    if out_port is not start:
        legs.insert(0, _land_leg(start, out_port))
    if in_port is not end:
        legs.append(_land_leg(in_port, end))
    return legs


def transit_hours(leg: Leg, dice: Dice) -> float:
    """Draw how long a leg takes, loading and papers included.

    Ships make 26 to 33 km/h and wait for a berth; lorries 22 to 60 km/h over a
    whole day, with borders; a freight flight takes a day or two door to door.
    """
    if leg.mode == "sea":
        return leg.km / dice.between(26, 33) + dice.between(10, 40)
    if leg.mode == "air":
        return leg.km / 780 + dice.between(15, 44)
    if leg.mode == "rail":
        return leg.km / dice.between(14, 22) + dice.between(24, 72)
    slow = _SLOW_ROADS.get(continent(leg.start), 45.0)
    border = dice.between(6, 30) if leg.start.country != leg.end.country else 0.0
    return leg.km / dice.between(slow, slow * 1.35) + dice.between(1, 5) + border


def congestion_hours(site: Site, when: datetime, dice: Dice) -> float:
    """Draw the extra wait in a port that is full at this time."""
    for ident, start, end, low, high in _QUEUES:
        if site.id == ident and start <= when < end:
            return dice.between(low, high)
    return 0.0
