"""Who supplies whom: the two chains, their seasons, their new partners.

Next: samples/papers.py
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from samples.goods import PRODUCTS
from samples.making import Customer, Farm, Mill
from samples.places import SITES
from samples.selling import Depot, Exporter, Shop

if TYPE_CHECKING:
    from samples.world import World

__all__ = ["build_chains"]

_SHOP_OPENS = datetime(2024, 2, 19, tzinfo=UTC)
_ECUADOR_JOINS = datetime(2023, 7, 3, tzinfo=UTC)
_NEW_KNITTER = datetime(2023, 9, 11, tzinfo=UTC)

_COTTON_INDIA = {10: 1.6, 11: 3.2, 12: 3.0, 1: 2.4, 2: 1.2, 3: 0.5}
_COTTON_HARRAN = {9: 1.8, 10: 4.0, 11: 3.6, 12: 1.6}
_COCOA_MAIN = {10: 2.0, 11: 2.8, 12: 2.8, 1: 2.0, 2: 1.4, 3: 0.9, 5: 0.8, 6: 1.2, 7: 0.9, 9: 0.8}
_COCOA_ECUADOR = {3: 1.2, 4: 2.0, 5: 2.2, 6: 1.5, 9: 0.8, 10: 1.4, 11: 1.4, 12: 0.8}

# farm, product, loads, kilos per load, certificate, customers
_FARMS: tuple[tuple[str, str, dict[int, float], tuple[int, int], str, str], ...] = (
    ("SUR-FARM", "COT-SEED", _COTTON_INDIA, (8200, 12800), "", "RAJ-GIN:9 WAR-GIN:1"),
    ("YAV-FARM", "COT-SEED", _COTTON_INDIA, (7400, 11900), "ORG-IN-4471", "WAR-GIN:1"),
    ("HAR-FARM", "COT-SEED", _COTTON_HARRAN, (9100, 13900), "", "URF-GIN:1"),
    ("KUM-FARM", "COC-WET", _COCOA_MAIN, (3900, 6200), "FAIR-GH-0318", "KUM-COOP:1"),
    ("SEF-FARM", "COC-WET", _COCOA_MAIN, (3400, 5600), "FAIR-GH-0318", "KUM-COOP:1"),
    ("DAL-FARM", "COC-WET", _COCOA_MAIN, (4100, 6900), "", "GAG-COOP:1"),
    ("SOU-FARM", "COC-WET", _COCOA_MAIN, (3600, 6100), "", "GAG-COOP:1"),
    ("VIN-FARM", "COC-WET", _COCOA_ECUADOR, (2600, 4300), "ORG-EC-0922", "VIN-COOP:1"),
)
# site, output, input units per batch, days between starts, customers
_MILLS: tuple[tuple[str, str, tuple[int, int], tuple[int, int], str], ...] = (
    ("RAJ-GIN", "COT-LINT", (15000, 23000), (4, 9), "CBE-SPIN:3 NAR-SPIN:4 KMR-SPIN:2"),
    ("WAR-GIN", "COT-LINT", (13000, 21000), (5, 10), "CBE-SPIN:5 NAR-SPIN:2"),
    ("URF-GIN", "COT-LINT", (15000, 22000), (4, 9), "KMR-SPIN:1"),
    ("CBE-SPIN", "YARN-30", (4200, 6400), (17, 28), "AMD-WEAV:5 TUP-KNIT:4"),
    ("KMR-SPIN", "YARN-30", (4000, 6600), (17, 29), "BUR-WEAV:1"),
    ("NAR-SPIN", "YARN-30", (4100, 6300), (17, 28), "GAZ-KNIT:1"),
    ("AMD-WEAV", "FAB-SHRT", (2300, 3900), (18, 30), "ERO-DYE:3 SAV-DYE:2"),
    ("TUP-KNIT", "FAB-JRSY", (2600, 4100), (20, 34), "ERO-DYE:1 SAV-DYE:2@knit"),
    ("BUR-WEAV", "FAB-DENM", (2700, 4500), (14, 23), "DNZ-DYE:1"),
    ("GAZ-KNIT", "FAB-JRSY", (2700, 4200), (14, 23), "SAV-DYE:1"),
    ("ERO-DYE", "DYE-SHRT", (8800, 13400), (18, 31), "TGF-SEW:3 ASH-SEW:1"),
    ("ERO-DYE", "DYE-JRSY", (1500, 2600), (23, 38), "TGF-SEW:1"),
    ("DNZ-DYE", "DYE-DENM", (3500, 5800), (14, 24), "IZF-SEW:1"),
    ("SAV-DYE", "DYE-SHRT", (8400, 13000), (19, 32), "ASH-SEW:1 CGF-SEW:1"),
    ("SAV-DYE", "DYE-JRSY", (1600, 2700), (12, 20), "ASH-SEW:3 CGF-SEW:3"),
    ("ASH-SEW", "GAR-SHIRT", (7000, 10900), (18, 31), "VEN-DC:3 EDI-DC:2"),
    ("ASH-SEW", "GAR-TEE", (1200, 2200), (18, 30), "VEN-DC:3 DUI-DC:2 EDI-DC:2"),
    ("CGF-SEW", "GAR-SHIRT", (6800, 10500), (20, 34), "DUI-DC:3 EDI-DC:1"),
    ("CGF-SEW", "GAR-TEE", (1200, 2000), (18, 30), "DUI-DC:2 VEN-DC:2"),
    ("TGF-SEW", "GAR-SHIRT", (6900, 10700), (19, 32), "CMB-CONS:3 EDI-DC:1"),
    ("TGF-SEW", "GAR-TEE", (1100, 1900), (23, 38), "CMB-CONS:2 VEN-DC:1"),
    ("IZF-SEW", "GAR-JEAN", (3100, 5000), (14, 23), "VEN-DC:3 DUI-DC:3 EDI-DC:2"),
    ("KUM-COOP", "COC-DRY", (8000, 12500), (5, 9), "TEM-EXP:1"),
    ("GAG-COOP", "COC-DRY", (8500, 13500), (5, 9), "ABJ-EXP:1"),
    ("VIN-COOP", "COC-DRY", (5500, 8500), (7, 13), "GYE-EXP:1"),
    ("ZAA-GRND", "COC-LIQ", (8800, 14200), (19, 32), "GNT-CHOC:3 CGN-CHOC:2"),
    ("HAM-GRND", "COC-LIQ", (8100, 13500), (22, 35), "CGN-CHOC:3 GNT-CHOC:1"),
    ("GNT-CHOC", "CHO-BOX CHO-MILK", (900, 1700), (11, 19), "VEN-DC:2 DUI-DC:2 EDI-DC:1"),
    ("CGN-CHOC", "CHO-DARK", (1400, 2600), (18, 30), "DUI-DC:3 VEN-DC:1 EDI-DC:1"),
)
_EXPORTERS = (
    ("TEM-EXP", "COC-DRY", "ZAA-GRND:3 HAM-GRND:2", (2, 4), 24),
    ("ABJ-EXP", "COC-DRY", "HAM-GRND:3 ZAA-GRND:2", (2, 4), 24),
    ("GYE-EXP", "COC-DRY", "ZAA-GRND:1", (2, 3), 30),
    ("CMB-CONS", "GAR-SHIRT GAR-TEE", "VEN-DC:1 DUI-DC:1", (1, 2), 12),
)
_EUROPE_SHOPS = "AMS-SHOP:3 HAM-SHOP:3 PAR-SHOP:3 LON-SHOP:2 CGN-SHOP:3@shop"
_DEPOTS = (
    ("VEN-DC", _EUROPE_SHOPS),
    ("DUI-DC", _EUROPE_SHOPS),
    ("EDI-DC", "NYC-SHOP:3 PHL-SHOP:2"),
)
_SINCE = {"@shop": _SHOP_OPENS, "@knit": _NEW_KNITTER}


def _customers(world: World, seller: str, products: list[str], text: str) -> tuple[Customer, ...]:
    """Read a list of customers, `SITE:weight`, with `@word` for a late start."""
    customers = []
    for word in text.split():
        name, _, weight = word.partition(":")
        weight, mark, event = weight.partition("@")
        since = {"since": _SINCE[mark + event]} if mark else {}
        customers.append(Customer(name, int(weight), **since))
        world.partners.update((seller, name, product) for product in products)
    return tuple(customers)


def build_chains(world: World) -> None:
    """Put all sites of the two chains to work in this world."""
    for ident, product, loads, kilos, certificate, buyers in _FARMS:
        customers = _customers(world, ident, [product], buyers)
        farm = Farm(SITES[ident], PRODUCTS[product], customers, loads, kilos)
        farm.certificate = certificate
        farm.since = _ECUADOR_JOINS if ident == "VIN-FARM" else farm.since
        farm.begin(world)
    for ident, names, batch, pause, buyers in _MILLS:
        customers = _customers(world, ident, names.split(), buyers)
        products = tuple(PRODUCTS[name] for name in names.split())
        mill = Mill(world, SITES[ident], products, batch, pause, customers)
        world.handlers[ident, products[0].input] = mill
    for ident, names, buyers, lots, days in _EXPORTERS:
        customers = _customers(world, ident, names.split(), buyers)
        exporter = Exporter(world, SITES[ident], customers, lots, days)
        for product in names.split():
            world.handlers[ident, product] = exporter
    _open_shops(world)


def _open_shops(world: World) -> None:
    """Open depots and shops for all finished goods."""
    finished = [product for product in PRODUCTS.values() if product.gtin]
    for ident, buyers in _DEPOTS:
        customers = _customers(world, ident, [product.id for product in finished], buyers)
        depot = Depot(world, SITES[ident], customers, (1, 2), (2, 16))
        for product in finished:
            world.handlers[ident, product.id] = depot
    for site in SITES.values():
        if site.kind == "retailer":
            for product in finished:
                world.handlers[site.id, product.id] = Shop(site)
