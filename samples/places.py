"""The sites of the two chains: invented firms in real towns.

The table is `sites.csv`: coordinates are of the towns, regions are ISO 3166-2,
locodes UN/LOCODE. People (0: no labour data), weekly hours and pay (in per
cent of the legal minimum) are those of an ordinary month.

Next: samples/goods.py
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt
from pathlib import Path

__all__ = ["LISTED", "SITES", "Site", "distance_km"]

LISTED = ("AKS-GIN", "MRY-GIN", "MAN-PIST")  # known to the registry, no suppliers of anybody
_EARTH_KM = 6371.0


@dataclass(frozen=True, slots=True)
class Site:
    """A place where goods are made, kept, handed over or sold."""

    id: str
    name: str
    kind: str
    tier: int
    country: str
    region: str
    locode: str
    latitude: float
    longitude: float
    opened: int
    system: str
    people: int
    weekly_hours: int
    pay_percent: int


def _read(cells: dict[str, str]) -> Site:
    """Read one row of the table."""
    return Site(
        id=cells["id"],
        name=cells["name"],
        kind=cells["kind"],
        tier=int(cells["tier"]),
        country=cells["country"],
        region=cells["region"],
        locode=cells["locode"],
        latitude=float(cells["latitude"]),
        longitude=float(cells["longitude"]),
        opened=int(cells["opened"]),
        system=cells["system"],
        people=int(cells["people"]),
        weekly_hours=int(cells["weekly_hours"]),
        pay_percent=int(cells["pay_percent"]),
    )


def _all_sites() -> dict[str, Site]:
    """Read `sites.csv`, keeping its order."""
    with Path(__file__).with_name("sites.csv").open(encoding="utf-8", newline="") as file:
        return {cells["id"]: _read(cells) for cells in csv.DictReader(file)}


SITES: dict[str, Site] = _all_sites()


def distance_km(one: Site, other: Site) -> int:
    """Return the great-circle distance of two sites, rounded to kilometres.

    Rounded, so that the last bit of the C library's sine does not matter.
    """
    lat1, lat2 = radians(one.latitude), radians(other.latitude)
    half_lat = sin((lat2 - lat1) / 2)
    half_lon = sin(radians(other.longitude - one.longitude) / 2)
    chord = half_lat * half_lat + cos(lat1) * cos(lat2) * half_lon * half_lon
    return round(2 * _EARTH_KM * asin(sqrt(chord)))
