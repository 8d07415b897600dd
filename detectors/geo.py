"""Where things happened, and how far apart: great circles on a sphere.

The great circle is the shortest way there is, so a distance from here never
accuses a detour; an ellipsoid would change it by at most 0.6 %.

Next: detectors/legs.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from detectors.columns import numbers, texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EARTH_RADIUS_KM", "Places", "great_circle", "places"]

EARTH_RADIUS_KM: Final = 6371.0088
"""Mean radius of the Earth, IUGG."""


class Places(NamedTuple):
    """Coordinates per row in degrees; NaN where unknown or impossible.

    Attributes:
        latitude: As recorded with the event, else as registered.
        longitude: Likewise.
        registered_latitude: The site's (or its location code's) own.
        registered_longitude: Likewise.
    """

    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    registered_latitude: NDArray[np.float64]
    registered_longitude: NDArray[np.float64]


def great_circle(
    latitude_a: NDArray[np.float64],
    longitude_a: NDArray[np.float64],
    latitude_b: NDArray[np.float64],
    longitude_b: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return distances in kilometres (haversine); NaN where a coordinate is NaN."""
    lat_a, lon_a = np.radians(latitude_a), np.radians(longitude_a)
    lat_b, lon_b = np.radians(latitude_b), np.radians(longitude_b)
    h = (
        np.sin((lat_b - lat_a) / 2) ** 2
        + np.cos(lat_a) * np.cos(lat_b) * np.sin((lon_b - lon_a) / 2) ** 2
    )
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(h, 0, 1))))


def places(rows: pd.DataFrame, facilities: pd.DataFrame, locations: pd.DataFrame) -> Places:
    """Find where each row happened.

    Args:
        rows: Rows with `site` (facility id), `locode`, `latitude`, `longitude`.
        facilities: Master data with `facility_id`, `locode` and coordinates.
        locations: Master data with `locode` and coordinates.
    """
    codes = _coordinates(locations, "locode")
    sites = _coordinates(facilities, "facility_id")
    by_code = _look_up(codes, texts(rows, "locode"))
    # The site's own coordinates, else those of its location code, else of the event's code.
    number, names = pd.factorize(texts(rows, "site"), use_na_sentinel=False)
    named = pd.Series(names, dtype="str")
    own = _look_up(sites, named)
    site_codes = texts(facilities, "locode")
    site_codes.index = pd.Index(texts(facilities, "facility_id"))
    site_codes = site_codes[site_codes.index.notna() & ~site_codes.index.duplicated(keep="last")]
    of_site = _look_up(codes, named.map(site_codes))
    latitude, longitude = _first(own, of_site)
    registered = _first((latitude[number], longitude[number]), by_code)
    recorded = _valid(numbers(rows, "latitude"), numbers(rows, "longitude"))
    return Places(*_first(recorded, registered), *registered)


_Pair = tuple["NDArray[np.float64]", "NDArray[np.float64]"]


def _valid(latitude: NDArray[np.float64], longitude: NDArray[np.float64]) -> _Pair:
    """Drop what no place has; (0, 0) is an empty field in disguise."""
    good = (np.abs(latitude) <= 90) & (np.abs(longitude) <= 180)  # noqa: PLR2004 - degrees
    good &= (latitude != 0) | (longitude != 0)
    return np.where(good, latitude, np.nan), np.where(good, longitude, np.nan)


def _coordinates(frame: pd.DataFrame, key: str) -> pd.DataFrame:
    latitude, longitude = _valid(numbers(frame, "latitude"), numbers(frame, "longitude"))
    table = pd.DataFrame({"latitude": latitude, "longitude": longitude})
    table.index = pd.Index(texts(frame, key))
    return table[table.index.notna() & ~table.index.duplicated(keep="last")]


def _look_up(table: pd.DataFrame, keys: pd.Series) -> _Pair:
    if table.empty:
        return np.full(len(keys), np.nan), np.full(len(keys), np.nan)
    number, distinct = pd.factorize(keys, use_na_sentinel=False)
    rows = table.index.get_indexer(pd.Index(distinct))[number]
    found = rows >= 0
    latitude, longitude = table["latitude"].to_numpy(), table["longitude"].to_numpy()
    return (
        np.where(found, latitude[rows], np.nan),
        np.where(found, longitude[rows], np.nan),
    )


def _first(*pairs: _Pair) -> _Pair:
    """Take each row's coordinates from the first pair that knows both."""
    latitude, longitude = pairs[0]
    for other_latitude, other_longitude in pairs[1:]:
        known = ~np.isnan(latitude) & ~np.isnan(longitude)
        latitude = np.where(known, latitude, other_latitude)
        longitude = np.where(known, longitude, other_longitude)
    return latitude, longitude
