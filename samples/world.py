"""The world's state: an agenda, what lies where, what was scanned, what was planted.

`World` knows time and stock and nothing of trades; farms, mills, shops and
schemes put deeds on its agenda. Rows are what scanners wrote down, which may
differ from what happened: that difference is what schemes are about.

Next: samples/routes.py
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from samples.dice import Dice
from samples.goods import UNIT
from samples.places import SITES
from samples.workdays import END

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from samples.goods import Product
    from samples.places import Site
    from samples.scheme import Scheme
    from samples.strength import Strength

__all__ = ["Handler", "Lot", "Parcel", "Row", "World"]


@dataclass(slots=True)
class Lot:
    """Goods made together; `origin` is the country that may be declared for them."""

    id: str
    product: Product
    origin: str
    maker: Site
    made: datetime
    certificate: str = ""
    expiry: str = ""


@dataclass(slots=True)
class Parcel:
    """A quantity (tenths) of one lot in one place, with the serials it holds."""

    lot: Lot
    quantity: int
    serials: list[str] = field(default_factory=list)

    def take(self, quantity: int) -> Parcel:
        """Split off a part; serials go in proportion, from the front."""
        share = len(self.serials) * quantity // self.quantity if self.quantity else 0
        part = Parcel(self.lot, quantity, self.serials[:share])
        self.serials = self.serials[share:]
        self.quantity -= quantity
        return part


@dataclass(slots=True, eq=False)
class Row:
    """One scan. `cells` hold the further columns as text, `true_time` what really was."""

    when: datetime
    kind: str
    site: Site
    lot: Lot
    quantity: int
    cells: dict[str, str]
    order: int
    true_time: datetime
    serials: list[str] = field(default_factory=list)
    inputs: list[tuple[str, int]] = field(default_factory=list)
    weight_grams: int = 0
    locked: bool = False
    event_id: str = ""


class Handler(Protocol):
    """What a site does with a product that arrives."""

    def receive(self, world: World, parcel: Parcel, when: datetime) -> None:
        """Take over the parcel; it is the handler's from now on."""
        ...


class World:
    """Agenda, stock, scans and labels of one run."""

    def __init__(
        self, seed: int, scale: float, schemes: Sequence[Scheme], strength: Strength | None = None
    ) -> None:
        """Start an empty world; `schemes` are asked in their order at every occasion.

        Their deeds are as large as such deeds are, or of the given strength.
        """
        self.seed = seed
        self.scale = scale
        self.strength = strength
        self.schemes = schemes
        self.rows: list[Row] = []
        self.labels: list[tuple[Row, str, str]] = []
        self.handlers: dict[tuple[str, str], Handler] = {}
        self.partners: set[tuple[str, str, str]] = set()
        self._agenda: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._added = 0
        self._numbers: defaultdict[str, int] = defaultdict(int)

    def dice(self, *names: str) -> Dice:
        """Return the stream of chance with this name."""
        return Dice(self.seed, *names)

    def site(self, ident: str) -> Site:
        """Return a site by its id."""
        return SITES[ident]

    def number(self, series: str) -> int:
        """Count on in a series, from 1."""
        self._numbers[series] += 1
        return self._numbers[series]

    def at(self, when: datetime, deed: Callable[[datetime], None]) -> None:
        """Put a deed on the agenda; equal times happen in the order they were put."""
        self._added += 1
        heapq.heappush(self._agenda, (when, self._added, deed))

    def run(self) -> None:
        """Let everything happen, in order, until the end of the two years."""
        while self._agenda:
            when, _, deed = heapq.heappop(self._agenda)
            if when >= END:
                return
            deed(when)

    def new_lot(self, site: Site, product: Product, origin: str, when: datetime) -> Lot:
        """Open a lot under the next number of its site and year."""
        number = self.number(f"lot {site.id} {when.year}")
        return Lot(f"{site.id}-{when:%y}{number:03d}", product, origin, site, when)

    def scan(self, when: datetime, kind: str, site: Site, parcel: Parcel, **cells: str) -> Row:
        """Write down one scan of a whole parcel and return it."""
        row = Row(
            when=when,
            kind=kind,
            site=site,
            lot=parcel.lot,
            quantity=parcel.quantity,
            cells={name: text for name, text in cells.items() if text},
            order=len(self.rows),
            true_time=when,
            serials=list(parcel.serials),
        )
        self.rows.append(row)
        return row

    def label(self, row: Row, kind: str, note: str) -> None:
        """Remember that this scan belongs to something planted."""
        row.locked = True
        self.labels.append((row, kind, note))

    def deliver(self, site: Site, parcel: Parcel, when: datetime) -> None:
        """Hand a parcel to whoever deals with this product at the site."""
        for scheme in self.schemes:
            scheme.arrived(self, site, parcel, when)
        handler = self.handlers.get((site.id, parcel.lot.product.id))
        if handler is not None and parcel.quantity >= UNIT:
            handler.receive(self, parcel, when)
