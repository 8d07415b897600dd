"""The other files of the native formats: master data, labour, law, watch lists, labels.

Next: samples/generate.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from samples.goods import COLDEST, PRODUCTS, WARMEST
from samples.law import LAWS
from samples.places import LISTED, SITES
from samples.writing import quantity_text

if TYPE_CHECKING:
    from samples.labour import Month, Workplace
    from samples.timesheets import Punch
    from samples.world import World

__all__ = ["facilities", "labour", "legal_limits", "locations", "products", "sheets", "watchlist"]

Cells = dict[str, str]

_LAW_COLUMNS = (
    "country",
    "currency",
    "usd_per_unit",
    "effective_from",
    "min_hourly_wage",
    "max_weekly_hours",
    "min_age",
)

_WATCHLIST = (
    ("ForcedLabourRegions", "region", "CN-XJ", "5201", "cotton of the region"),
    ("ForcedLabourRegions", "region", "TM", "5201", "state-ordered harvest"),
    ("ForcedLabourGoods", "goods_country", "5201|IN", "5201", "known of some farms; context only"),
    ("ForcedLabourGoods", "goods_country", "6802|IN", "6802", "sandstone; not of these chains"),
    ("DeforestationEntities", "entity", "SAHEL BEAN TRADERS SARL", "*", "protected forest, CI-MG"),
    ("DeforestationEntities", "entity", "Kelani Maritime Holdings", "*", "another firm entirely"),
    ("ForcedLabourRegions", "region", "MM", "*", "country-wide; no site here"),
)


def facilities(world: World, places: list[Workplace]) -> list[Cells]:
    """Return facilities.csv."""
    handled: dict[str, set[str]] = {ident: set() for ident in SITES}
    for seller, buyer, product in world.partners:
        handled[seller].add(product)
        handled[buyer].add(product)
    handled["AKS-GIN"].add("COT-LINT")
    handled["MRY-GIN"].add("COT-LINT")
    handled["MAN-PIST"].add("COC-DRY")
    capacity = {place.site.id: place.capacity for place in places}
    return [
        {
            "facility_id": site.id,
            "name": site.name,
            "facility_type": site.kind,
            "tier": str(site.tier),
            "country": site.country,
            "region": site.region,
            "locode": site.locode,
            "latitude": f"{site.latitude:.3f}",
            "longitude": f"{site.longitude:.3f}",
            "product_ids": ";".join(sorted(handled[site.id])),
            "declared_capacity_per_month": str(capacity.get(site.id) or ""),
            "opened_year": str(site.opened),
            "source_system": "outside-registry" if site.id in LISTED else "supplier-registry",
        }
        for site in SITES.values()
    ]


def products() -> list[Cells]:
    """Return products.csv."""
    return [
        {
            "product_id": product.id,
            "hs_code": product.hs,
            "unit": product.unit,
            "unit_weight_kg": f"{product.grams / 1000:g}",
            "reference_value_usd": f"{product.cents / 100:.2f}",
            "chain": product.chain,
            "stage": str(product.stage),
            "input_product_id": product.input,
            "input_units_per_output_unit": f"{product.input_ppm / 1e6:g}" if product.input else "",
            "serialised": "true" if product.serialised else "false",
            "gtin": product.gtin,
            "name": product.name,
            "brand": product.brand,
            "image_url": "",
            "min_temperature_c": str(COLDEST) if product.cold else "",
            "max_temperature_c": str(WARMEST) if product.cold else "",
        }
        for product in PRODUCTS.values()
    ]


def labour(places: list[Workplace]) -> list[Cells]:
    """Return labour.csv."""
    return [_labour_row(place, entry) for place in places for entry in place.months]


def _labour_row(place: Workplace, entry: Month) -> Cells:
    """Write one site's month."""
    audited = bool(entry.audits.scheme)
    return {
        "facility_id": entry.site.id,
        "month": entry.month,
        "headcount": str(entry.heads),
        "avg_weekly_hours": f"{entry.weekly:.1f}",
        "total_hours": f"{entry.total_hours:.2f}",
        "gross_wages": f"{entry.wages:.2f}",
        "currency": entry.law.currency,
        "output_units": quantity_text(entry.made) if place.product else "",
        "output_product_id": place.product,
        "min_worker_age": str(entry.min_age),
        "share_age_docs_missing": f"{entry.no_papers:.3f}",
        "share_birthdate_jan1": f"{entry.jan_1:.3f}",
        "share_age_exactly_18": f"{entry.exactly_18:.3f}",
        "migrant_share": f"{entry.migrants:.3f}",
        "recruitment_fee_usd": f"{entry.fee:.0f}",
        "passports_held_share": f"{entry.passports:.3f}",
        "wage_deduction_share": f"{entry.deductions:.3f}",
        "grievances": str(entry.grievances),
        "last_audit_date": entry.audits.last.isoformat() if audited else "",
        "audit_expiry_date": entry.audits.expiry.isoformat() if audited else "",
        "audit_scheme": entry.audits.scheme,
        "certified_claim": "true" if entry.claims else "false",
    }


def sheets(punches: list[Punch]) -> list[Cells]:
    """Return timesheets.csv."""
    return [
        {
            "facility_id": punch.site,
            "month": punch.month,
            "worker_id": punch.worker,
            "week": str(punch.week),
            "hours": f"{punch.quarters / 4:.2f}",
            "gross_pay": f"{punch.pay / 100:.2f}",
        }
        for punch in punches
    ]


def legal_limits() -> list[Cells]:
    """Return legal_limits.csv."""
    return [dict(zip(_LAW_COLUMNS, law.text, strict=True)) for law in LAWS]


def locations() -> list[Cells]:
    """Return locations.csv: every UN/LOCODE of the sites, ports before others."""
    found: dict[str, Cells] = {}
    for site in sorted(SITES.values(), key=lambda site: (site.kind != "port", site.id)):
        if site.locode and site.locode not in found:
            found[site.locode] = {
                "locode": site.locode,
                "name": _TOWNS[site.locode],
                "country_region": site.region,
                "latitude": f"{site.latitude:.3f}",
                "longitude": f"{site.longitude:.3f}",
            }
    return [found[code] for code in sorted(found)]


_TOWNS = {
    "BDCGP": "Chattogram",
    "BEANR": "Antwerpen",
    "BEGNE": "Gent",
    "CIABJ": "Abidjan",
    "DECGN": "Köln",
    "DEDUI": "Duisburg",
    "DEHAM": "Hamburg",
    "ECGYE": "Guayaquil",
    "FRPAR": "Paris",
    "GBLON": "London",
    "GHTEM": "Tema",
    "INAMD": "Ahmedabad",
    "INCJB": "Coimbatore",
    "INMUN": "Mundra",
    "INTUT": "Tuticorin",
    "LKCMB": "Colombo",
    "NLAMS": "Amsterdam",
    "NLRTM": "Rotterdam",
    "NLVEN": "Venlo",
    "NLZAA": "Zaandam",
    "TRIZM": "İzmir",
    "TRMER": "Mersin",
    "USNYC": "New York",
    "USPHL": "Philadelphia",
    "ZADUR": "Durban",
}


def watchlist() -> list[Cells]:
    """Return watchlist.csv."""
    names = ("list_name", "kind", "value", "goods", "note")
    return [dict(zip(names, entry, strict=True)) for entry in _WATCHLIST]
