"""What several detectors need, computed once per run and never changed.

Everything is lazy: a run with one detector computes what that one reads. The
rows are put into the log's order first, so that no answer depends on the order
in which a store happens to return them.

Next: detectors/nulls.py
"""

from __future__ import annotations

from dataclasses import fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from detectors import custody, sheets, workplace
from detectors.columns import codes, texts
from detectors.geo import Places, great_circle, places
from detectors.legs import consignments, legs
from detectors.products import catalogue
from detectors.rows import ITEM, event_rows, input_rows
from graph.frames import Frames

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.typing import NDArray

__all__ = ["CLOCK_HOURS", "SEED", "Features", "Row"]

CLOCK_HOURS: Final = 2.0
"""How far two honest clocks may differ: a wrong daylight-saving setting on both sides."""
SEED: Final = 20_261_101
_ASKED_OFTEN: Final = ("rows", "inputs", "legs", "consignments", "flows", "facility_months")


C = TypeVar("C")
T = TypeVar("T")


class Row:
    """One row of a table, read column by column as it is asked for."""

    def __init__(self, columns: dict[str, Any], position: int) -> None:
        """Stand for the row at a position."""
        self._columns, self._position = columns, position

    def __getitem__(self, name: str) -> Any:
        """Return the value of one column."""
        return self._columns[name][self._position]


class _Texts:
    """A column of texts, of which a cell is read in a twentieth of the time."""

    def __init__(self, column: pd.Series) -> None:
        texts = pa.array(column.array)
        self._texts = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts

    def __getitem__(self, position: int) -> Any:
        text = self._texts[position].as_py()
        return np.nan if text is None else text


def _cells(column: pd.Series) -> Any:
    return _Texts(column) if isinstance(column.dtype, pd.StringDtype) else column.array


class Features:
    """The shared features of one run.

    Attributes:
        frames: What the run reads, as the graph hands it out; never changed.
        seed: Seed of everything that draws random numbers.
    """

    def __init__(self, frames: Frames, *, seed: int = SEED) -> None:
        """Take the frames of one run; nothing is computed yet."""
        self.frames = frames
        self.seed = seed
        self._made: dict[Any, Any] = {}

    def once(self, make: Callable[[Features], T]) -> T:
        """Return what a function makes of these features; it is asked once, and nobody changes it.

        Args:
            make: A function of a module: the answer is remembered under it.
        """
        if make not in self._made:
            self._made[make] = make(self)
        found: T = self._made[make]
        return found

    def forget(self, make: Callable[[Features], object]) -> None:
        """Let go of what a function made, if it did; it is made again when it is asked for."""
        self._made.pop(make, None)

    def lasting(self, make: Callable[[Features], T]) -> T:
        """Return `once` of what log entries say one by one: no later entry changes that.

        Args:
            make: A function of a module; what it tells of an entry comes from that entry alone.
        """
        return self.once(make)

    def yardstick(self, make: Callable[[Features], T]) -> T:
        """Return what a function makes of the whole record, also where these are part of it.

        Args:
            make: A function of a module; what it returns is small, and moves seldom.
        """
        return self.once(make)

    def grown(self, make: Callable[[Features], T], apart: object) -> T:
        """Return a table that a function makes; a run that goes on makes only what moved anew."""
        del apart
        return make(self)

    def prepare(self) -> None:
        """Compute what many detectors ask for."""
        for name in _ASKED_OFTEN:
            getattr(self, name)

    def made(self) -> list[object]:
        """Return what there is: itself, the tables it was given, and what was computed so far."""
        tables = [getattr(self.frames, field.name) for field in fields(Frames)]
        return [self, *tables, *vars(self).values(), *self._made.values()]

    def is_settled(self, detector: str, family: str, inputs: str) -> bool:
        """Tell whether a run before judged a family on inputs of that digest; here none did."""
        del detector, family, inputs
        return False

    def fitted(self, name: str, fit: Callable[[], bytes]) -> bytes:
        """Return what fitting gives to what has that digest; a run before may have done it."""
        del name
        return fit()

    def explained(self, explain: Callable[[C], T], case: C) -> T:
        """Put one flagged case into words, as its detector does."""
        return explain(case)

    @cached_property
    def rows(self) -> pd.DataFrame:
        """One row per event and item, in the order of the log.

        Columns: the texts of the events frame, `index`, `kind` (event type), `at`
        (microseconds), `timed`, `day` (known to the day only), `site` (where it happened),
        `shipper`, `to_site` (for a receive: where it arrived), `amount` (in the product's
        unit), `product` (row in `products`, -1 for none), `lot` (number of the lot, shared with
        `inputs`), `has_lot`; and `site_number`, `shipper_number`, `to_site_number` and
        `from_number`: numbers of the sites in the order of their names, -1 for none; likewise
        `shipment_number`.
        """
        return self._rows_and_inputs[0]

    @cached_property
    def inputs(self) -> pd.DataFrame:
        """One row per transform input: `index`, item, `lot`, `has_lot`, `quantity`, and of its
        event `at`, `timed`, `day`, `site`, `site_number`.
        """  # noqa: D205 - a list of columns
        return self._rows_and_inputs[1]

    @cached_property
    def _rows_and_inputs(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        rows = event_rows(self.frames.events, self.products)
        inputs = input_rows(self.frames.inputs, rows)
        items = pd.concat([rows[ITEM], inputs[ITEM]], ignore_index=True)
        lot = codes(items, ITEM)
        rows = rows.assign(lot=lot[: len(rows)])
        return rows, inputs.assign(lot=lot[len(rows) :])

    @cached_property
    def legs(self) -> pd.DataFrame:
        """Paired ships and receives with distances; see `legs.legs`.

        Adds `distance_km` (between the recorded places) and `registered_km` (between the
        sites' registered ones).
        """
        pairs = legs(self.rows)
        ship, receive = pairs["ship"].to_numpy(), pairs["receive"].to_numpy()
        lat, lon, own_lat, own_lon = self.places
        return pairs.assign(
            distance_km=great_circle(lat[ship], lon[ship], lat[receive], lon[receive]),
            registered_km=great_circle(
                own_lat[ship], own_lon[ship], own_lat[receive], own_lon[receive]
            ),
        )

    @cached_property
    def places(self) -> Places:
        """Where each of `rows` happened; see `geo.places`."""
        return places(self.rows, self.frames.facilities, self.frames.locations)

    @cached_property
    def consignments(self) -> pd.DataFrame:
        """What was shipped and received per shipment and lot; see `legs.consignments`."""
        return consignments(self.rows)

    @cached_property
    def flows(self) -> pd.DataFrame:
        """Every movement of a lot into or out of a site's hands; see `custody.flows`."""
        return custody.flows(self.rows, self.inputs)

    @cached_property
    def _flows_by_lot(self) -> tuple[NDArray[np.int64], custody.Flows]:
        return custody.by_lot(self.flows)

    def flows_of(self, lot: int) -> custody.Flows:
        """Return the flows of one lot, in order of time."""
        lots, flows = self._flows_by_lot
        return flows.cut(*np.searchsorted(lots, [lot, lot + 1]).tolist())

    @cached_property
    def _columns(self) -> dict[str, Any]:
        return {str(name): _cells(column) for name, column in self.rows.items()}

    def row(self, position: int) -> Row:
        """Return one of `rows`; a table gives whole rows a hundred times more slowly."""
        return Row(self._columns, position)

    def cells(self, column: str, positions: NDArray[np.int64]) -> NDArray[Any]:
        """Return what some of `rows` hold in a column of numbers; -1 takes the first of all."""
        found: NDArray[Any] = self.rows[column].to_numpy()[np.maximum(positions, 0)]
        return found

    def rows_of(self, entries: Collection[int]) -> NDArray[np.int64]:
        """Return the positions in `rows` of what some log entries say, in their order."""
        held = self.rows["index"].to_numpy()
        wanted = np.unique(np.fromiter(entries, np.int64, len(entries)))
        first, last = (np.searchsorted(held, wanted, side) for side in ("left", "right"))
        parts = [np.arange(a, b) for a, b in zip(first.tolist(), last.tolist(), strict=True)]
        return np.concatenate([np.empty(0, np.int64), *parts])

    @cached_property
    def unreceived(self) -> pd.DataFrame:
        """What was shipped to a site and never scanned in; see `custody.unreceived`."""
        return custody.unreceived(self.rows, self.consignments)

    @cached_property
    def facility_months(self) -> pd.DataFrame:
        """Facility-months with the limits in force; see `workplace.facility_months`."""
        frames = self.frames
        return workplace.facility_months(
            frames.labour, frames.facilities, frames.legal_limits, sheets.averages(self.sheets)
        )

    @cached_property
    def sheets(self) -> sheets.Sheets:
        """The rows of all timesheets, in a fixed order; see `sheets.read`."""
        return sheets.read(self.frames.timesheets)

    @cached_property
    def products(self) -> pd.DataFrame:
        """Product master data; see `products.catalogue`. `rows.product` is a row of it."""
        return catalogue(self.frames.products)

    @cached_property
    def _sites(self) -> dict[str, tuple[int, ...]]:
        codes_ = texts(self.frames.locations, "locode").to_numpy()
        location = dict(zip(codes_, self.frames.locations["index"].astype(int), strict=True))
        source = self.frames.facilities
        return {
            site: (index, *([location[code]] if code in location else []))
            for site, code, index in zip(
                texts(source, "facility_id"),
                texts(source, "locode"),
                source["index"].astype(int),
                strict=True,
            )
        }

    def site_entries(self, *sites: object) -> tuple[int, ...]:
        """Return the log indices of the master data of sites, their locations included.

        Args:
            sites: Facility ids; unknown and missing ones have no entries.
        """
        return tuple(
            i for site in sites if isinstance(site, str) for i in self._sites.get(site, ())
        )

    @cached_property
    def _sheets(self) -> dict[tuple[str, str], tuple[int, ...]]:
        source = self.frames.timesheets
        table = pd.DataFrame(
            {
                "site": texts(source, "facility_id"),
                "month": texts(source, "month"),
                "index": source["index"].astype(int),
            }
        ).drop_duplicates()
        grouped = table.sort_values("index").groupby(["site", "month"])["index"]
        return {(str(site), str(month)): tuple(found) for (site, month), found in grouped}

    def sheet_entries(self, site: str, month: str) -> tuple[int, ...]:
        """Return the log indices of the timesheets of a facility-month."""
        return self._sheets.get((site, month), ())

    @cached_property
    def last_time(self) -> int:
        """Time of the latest event, microseconds: what is younger may still be under way."""
        at = self.rows.loc[self.rows["timed"], "at"]
        return int(at.max()) if len(at) else 0

    def leaf_hashes(self, indices: Collection[int]) -> dict[int, bytes]:
        """Return the leaf hashes of the entries at `indices` that the frames hold."""
        held, hashes = self._leaves
        wanted = np.fromiter(indices, np.int64, len(indices))
        place = np.searchsorted(held, wanted, side="right") - 1
        known = (place >= 0) & (held[place] == wanted) if len(held) else np.zeros(len(wanted), bool)
        return dict(zip(wanted[known].tolist(), hashes[place[known]].tolist(), strict=True))

    @cached_property
    def _leaves(self) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
        """Every entry's index, ascending, and leaf hash."""
        names = (
            "events facilities products labour timesheets legal_limits locations watchlist flags"
        )
        tables = [getattr(self.frames, name) for name in names.split()]
        index = np.concatenate([table["index"].to_numpy(np.int64) for table in tables])
        hashes = np.concatenate([table["leaf_hash"].to_numpy(object) for table in tables])
        order = np.argsort(index, kind="stable")
        return index[order], hashes[order]
