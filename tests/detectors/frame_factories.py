"""Small supply worlds, told event by event, as frames or as a real log."""

# ruff: noqa: PLR0917 - a world reads like a list of its events

from __future__ import annotations

import hashlib
import random
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

from detectors.conformance import frames_of
from provenance import canonical
from provenance.entries import Draft, EntryType, Identity

if TYPE_CHECKING:
    from graph.frames import Frames

PARTY = "acme"
START = datetime(2024, 1, 1, tzinfo=UTC)
ROOT = hashlib.sha256(b"a root").digest()

HAMBURG, SHANGHAI, BREMEN = (53.55, 9.99), (31.23, 121.47), (53.08, 8.80)


def clean(content: dict[str, Any]) -> dict[str, Any]:
    """Drop what is absent and write numbers as the log holds them."""
    return {k: _value(v) for k, v in content.items() if v is not None}


def _value(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, float):
        return canonical.number(repr(value))
    if isinstance(value, list):
        return [clean(one) if isinstance(one, dict) else _value(one) for one in value]
    return value


class World:
    """A world in the making; times are hours after the start of 2024."""

    def __init__(self, party: str = PARTY) -> None:
        """Begin with nothing."""
        self.party = party
        self.entries: list[tuple[str, dict[str, Any]]] = []
        self._numbers = count(1)

    def add(self, version: str, **content: Any) -> int:
        """Add an entry and return its index."""
        self.entries.append((version, clean({"party": self.party, **content})))
        return len(self.entries) - 1

    def site(self, site_id: str, at: tuple[float, float] = HAMBURG, **more: Any) -> str:
        """Add a facility."""
        given = {"name": f"Works {site_id}", "country": "DE"} | more
        self.add("facility/1", facility_id=site_id, latitude=at[0], longitude=at[1], **given)
        return site_id

    def product(self, name: str, unit: str = "kg", **more: Any) -> str:
        """Add a product."""
        self.add("product/1", product_id=name, unit=unit, **more)
        return name

    def event(self, kind: str, hour: float, site: str | None, **more: Any) -> str:
        """Add an event and return its id."""
        name = more.pop("event_id", None) or f"E{next(self._numbers)}"
        time = (START + timedelta(hours=hour)).strftime("%Y-%m-%dT%H:%M:%SZ")
        base = {"event_id": name, "event_type": kind, "event_time": time, "facility_id": site}
        self.add("event/1", **base, **more)
        return name

    def _item(self, product: str, lot: str | None, quantity: float | None, unit: str | None) -> Any:
        item = {"party": self.party, "product_id": product, "lot_id": lot, "quantity": quantity}
        return [item | {"quantity_unit": unit}]

    def make(
        self,
        hour: float,
        site: str | None,
        lot: str,
        quantity: float | None = 100.0,
        product: str = "P",
        unit: str | None = None,
    ) -> str:
        """A lot is produced."""
        items = self._item(product, lot, quantity, unit)
        return self.event("produce", hour, site, items=items)

    def turn(
        self,
        hour: float,
        site: str,
        inputs: list[tuple[str, str] | tuple[str, str, float]],
        lot: str,
        quantity: float | None,
        product: str,
    ) -> str:
        """Lots, given as (product, lot[, quantity]), become a lot."""
        used = [
            {"party": self.party, "product_id": one[0], "lot_id": one[1]}
            | ({"quantity": one[2]} if len(one) > 2 else {})
            for one in inputs
        ]
        items = self._item(product, lot, quantity, None)
        return self.event("transform", hour, site, items=items, inputs=used)

    def ship(
        self,
        hour: float,
        site: str,
        to: str,
        lot: str | None,
        shipment: str | None = "S1",
        quantity: float | None = 100.0,
        product: str = "P",
        unit: str | None = None,
        **more: Any,
    ) -> str:
        """A lot leaves a site."""
        given = {"from_facility_id": site, "to_facility_id": to, "shipment_id": shipment} | more
        items = self._item(product, lot, quantity, unit)
        return self.event("ship", hour, site, items=items, **given)

    def receive(
        self,
        hour: float,
        site: str,
        lot: str | None,
        shipment: str | None = "S1",
        quantity: float | None = 100.0,
        product: str = "P",
        unit: str | None = None,
        **more: Any,
    ) -> str:
        """A lot arrives at a site."""
        items = self._item(product, lot, quantity, unit)
        given = {"to_facility_id": site, "shipment_id": shipment} | more
        return self.event("receive", hour, site, items=items, **given)

    def send(
        self, hour: float, site: str, to: str, lot: str, shipment: str, days: float = 2, **more: Any
    ) -> tuple[str, str]:
        """A lot leaves one site and arrives at the other, as it should."""
        left = self.ship(hour, site, to, lot, shipment, **more)
        return left, self.receive(hour + 24 * days, to, lot, shipment, **more)

    def limit(
        self, country: str = "DE", since: str = "2020-01-01", currency: str = "EUR", **more: Any
    ) -> int:
        """A dated legal limit."""
        given = {"min_hourly_wage": 12.0, "max_weekly_hours": 48.0, "usd_per_unit": 1.1} | more
        return self.add(
            "legal_limit/1", country=country, effective_from=since, currency=currency, **given
        )

    def month(self, site: str = "A", month: str = "2024-03", **more: Any) -> str:
        """A decent month at a site: 40 hours a week for 15 an hour."""
        heads = more.get("headcount", 100.0)
        hours = more.get("avg_weekly_hours") or 40.0
        given = {
            "headcount": heads,
            "avg_weekly_hours": hours,
            "total_hours": round((heads or 0) * hours * 52 / 12, 2),
            "gross_wages": round((heads or 0) * hours * 52 / 12 * 15, 2),
            "currency": "EUR",
            "output_units": 1000.0,
        } | more
        self.add("labour/1", facility_id=site, month=month, **given)
        return f"{site}|{month}"

    def sheets(self, site: str, month: str, hours: dict[str, list[float]]) -> int:
        """Timesheets: hours per worker and week."""
        workers = [
            {"worker_id": name, "weeks": [{"week": n + 1, "hours": h} for n, h in enumerate(own)]}
            for name, own in hours.items()
        ]
        workers = [w | {"weeks": [clean(week) for week in w["weeks"]]} for w in workers]
        self.entries.append(
            (
                "timesheet/1",
                {"party": self.party, "facility_id": site, "month": month, "workers": workers},
            )
        )
        return len(self.entries) - 1

    def listed(self, kind: str, value: str, **more: Any) -> int:
        """A line of a watchlist."""
        return self.add("watchlist/1", list_name="Example list", kind=kind, value=value, **more)

    def frames(self, start: int = 0) -> Frames:
        """The world, or its entries from `start` on, as the detectors read it."""
        return frames_of(self.entries, start)

    def drafts(self) -> list[Draft]:
        """The world as it is appended to a log."""
        kinds = {
            "event/1": EntryType.EVENT,
            "labour/1": EntryType.LABOUR,
            "timesheet/1": EntryType.LABOUR,
            "legal_limit/1": EntryType.REFERENCE_DATA,
            "watchlist/1": EntryType.REFERENCE_DATA,
            "location/1": EntryType.REFERENCE_DATA,
            "flag/1": EntryType.FLAG,
            "review/1": EntryType.REVIEW,
        }
        return [
            Draft(
                type=kinds.get(version, EntryType.MASTER_DATA),
                version=version,
                content=content | _epcis(version, content),
                identities=(Identity((version, str(number))),),
            )
            for number, (version, content) in enumerate(self.entries)
        ]


_EPCIS = {"transform": "TransformationEvent"}


def _epcis(version: str, content: dict[str, Any]) -> dict[str, Any]:
    if version != "event/1":
        return {}
    kind = content["event_type"]
    return {"type": _EPCIS.get(kind, "ObjectEvent"), "biz_step": kind}


def chain(world: World, lots: int = 12, seed: int = 3) -> World:
    """A clean chain: farm -> mill (2 kg a piece) -> shop over 100 km, with a year of work."""
    dice = random.Random(seed)
    for name, at in (("FARM", HAMBURG), ("MILL", BREMEN), ("SHOP", HAMBURG)):
        world.site(name, at)
    world.product("COTTON")
    world.product("SHIRT", "unit", input_product_id="COTTON", input_units_per_output_unit=2.0)
    world.limit()
    for n in range(lots):
        hour = 24.0 * 7 * n + dice.uniform(0, 20)
        raw, made = f"C{n}", f"T{n}"
        world.make(hour, "FARM", raw, 200.0, "COTTON")
        more = {"product": "COTTON", "transport_mode": "road"}
        world.send(hour + 5, "FARM", "MILL", raw, f"RAW{n}", 1.0, quantity=200.0, **more)
        world.turn(hour + 60, "MILL", [("COTTON", raw)], made, 98.0, "SHIRT")
        more = {"product": "SHIRT", "transport_mode": "road"}
        world.send(hour + 80, "MILL", "SHOP", made, f"OUT{n}", 1.5, quantity=98.0, **more)
    for n in range(12):
        for name in ("FARM", "MILL"):
            world.month(name, f"2024-{n + 1:02d}", avg_weekly_hours=38.0 + dice.uniform(0, 4))
    return world
