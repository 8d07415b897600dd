"""Values for the columns of `public_shapes`: what stands in cells, by kind."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from invented_files import VALUES as PLAIN

if TYPE_CHECKING:
    import random
    from collections.abc import Callable


def _day(dice: random.Random) -> date:
    return date(2022, 1, 1) + timedelta(days=dice.randrange(900))


def _time(dice: random.Random) -> datetime:
    return datetime(2022, 1, 1, tzinfo=UTC) + timedelta(minutes=dice.randrange(900 * 1440))


def _one_of(*texts: str) -> Callable[[random.Random, int], str]:
    return lambda dice, row: dice.choice(texts)


def _digits(form: str, spread: int) -> Callable[[random.Random, int], str]:
    return lambda dice, row: form.format(dice.randrange(spread))


_MORE: dict[str, Callable[[random.Random, int], str]] = {
    "bit": _one_of("0", "1"),
    "blank": lambda dice, row: "",
    "box_event": _one_of("Gate out", "Loaded on vessel", "Discharged", "Gate in"),
    "box_size": _one_of("40HC", "20GP", "45HC"),
    "brand": _one_of("Zenia", "Kolo", "S/M"),
    "carrier_no": _one_of("V44_3", "V444_0", "V444_1"),
    "cat_no": _digits("{}", 40),
    "cbm": _one_of("CM", "CF"),
    "company2": _one_of("Ekta Transport", "Trans Cargo India", "VJ Logistics"),
    "crop": _one_of("Cocoa", "Coffee"),
    "cust10": _digits("00001{:05}", 40),
    "dlv_type": _one_of("LF", "NL"),
    "doc10": lambda dice, row: f"00{80_000_000 + row // 3}",
    "doc10b": lambda dice, row: f"00{45_000_000 + row // 4}",
    "dosage": _one_of("Tablet", "Capsule", "Injection"),
    "first": _one_of("Mary", "Angel", "Ama", "Kofi", "David"),
    "flow": _one_of("Import", "Export"),
    "full": _one_of("Full", "Empty"),
    "future": lambda dice, row: (date(2028, 1, 15) + timedelta(days=row)).isoformat(),
    "german_dash": lambda dice, row: f"{_day(dice):%d-%m-%Y}",
    "gln": PLAIN["gtin"],
    "hex": lambda dice, row: f"{dice.getrandbits(128):032x}",
    "hs6": _digits("62{:04}", 9000),
    "hs8": _digits("8471{:04}", 9000),
    "hs_year": _one_of("H4", "H5"),
    "imo": _digits("94{:05}", 90_000),
    "inco": _one_of("FOB", "CIF", "EXW"),
    "inv_no": lambda dice, row: str(536_365 + row // 4),
    "iso2": _one_of("DE", "VN", "BR", "IN"),
    "iso3": _one_of("DEU", "VNM", "BRA", "IND"),
    "iso_minute": lambda dice, row: f"{_time(dice):%Y-%m-%d %H:%M}",
    "item_no": _digits("{}", 1400),
    "kg_text": _digits("{} KG", 9000),
    "late": _one_of("Late delivery", "Advance shipping", "Shipping on time"),
    "letter": _one_of("C", "S", "B"),
    "line6": lambda dice, row: f"{10 * (row % 3 + 1):06}",
    "locode": _one_of("CNSHA", "DEHAM", "USLGB", "NLRTM"),
    "manifest": lambda dice, row: f"{100_000 + row // 9}",
    "masked": lambda dice, row: "XXXXXXXXX",
    "matnr": _digits("0000000000001{:05}", 60),
    "meas_text": _digits("{} CM", 90),
    "method": _one_of("000001_DHL_A_2DAY", "000001_UPS_P_GND"),
    "mode_es": _one_of("MARITIMA, FLUVIAL Y LACUSTRE", "AEREO", "CARRETERO / TERRESTRE"),
    "move": _one_of("101", "122"),
    "ndc": _digits("00093-{:04}-01", 60),
    "new": _one_of("New", "Amended"),
    "note": _one_of("", "", "urgent", "fragile, handle with care"),
    "offset_time": lambda dice, row: f"{_time(dice):%Y-%m-%d %H:%M:%S} +0100",
    "order_no": lambda dice, row: str(70_000 + row // 3),
    "order_state": _one_of("COMPLETE", "PENDING", "CLOSED", "ON_HOLD"),
    "pack_text": _digits("{} CTN", 900),
    "package": _one_of("CTN", "PKG", "PLT"),
    "pay": _one_of("DEBIT", "TRANSFER", "CASH"),
    "person": _digits("{}", 20_000),
    "person2": _digits("{}", 9_000),
    "plant4": _one_of("1000", "1100", "3000"),
    "plant_no": _one_of("PLANT16", "PLANT03", "PLANT12"),
    "plate": _digits("KA05MH{:04}", 9000),
    "port_no": _one_of("PORT09", "PORT04", "PORT02"),
    "region": _one_of("Western Europe", "Southeast Asia", "US Center"),
    "rut": _digits("{:08}-K", 90_000_000),
    "scheme": _one_of("Schedule K Foreign Port", "IMO Number"),
    "sea_only": lambda dice, row: "Maritime",
    "season": _one_of("2022/23", "2023/24"),
    "segment": _one_of("Consumer", "Corporate", "Home Office"),
    "serial_no": lambda dice, row: str(2_023_041_000 + row),
    "serial_no2": lambda dice, row: str(77_041_000 + row),
    "service": _one_of("CRF", "DTD", "DTP"),
    "share": lambda dice, row: f"{dice.uniform(0, 0.3):.2f}",
    "ship_class": _one_of("Standard Class", "First Class", "Second Class", "Same Day"),
    "shop_order": lambda dice, row: f"#{1001 + row}",
    "signed": lambda dice, row: f"{dice.uniform(-90, 200):.2f}",
    "sizes": _one_of("10*20*30", "XL", "500ml"),
    "slash_iso": lambda dice, row: f"{_day(dice):%Y/%m/%d}",
    "sloc": _one_of("0001", "0002"),
    "sql_time": lambda dice, row: f"{_time(dice):%Y-%m-%d %H:%M:%S}",
    "state": _one_of("PR", "CA", "NY", "TX"),
    "stock": _digits("85{:03}A", 900),
    "street": _digits("{} Calle Mayor", 9000),
    "strength": _one_of("10 mg", "500 mg"),
    "trip": lambda dice, row: f"MVCV00{27_400 + row}/082021",
    "truck": _one_of("40 FT 3XL Trailer 35MT", "32 FT Single-Axle 7MT"),
    "unit_de": _one_of("ST", "KAR", "KG"),
    "unit_zh": _one_of("箱", "个", "件"),
    "url": lambda dice, row: f"http://images.example.com/{row}.png",
    "us_minute": lambda dice, row: f"{_time(dice):%m/%d/%Y %H:%M}",
    "us_only": lambda dice, row: "United States",
    "us_order": lambda dice, row: f"CA-2022-{152_156 + row // 2}",
    "us_undated": lambda dice, row: "" if row % 9 == 0 else f"{_day(dice):%m/%d/%Y}",
    "usd_only": lambda dice, row: "USD",
    "user": _one_of("MUELLER", "BATCH"),
    "vessel_mode": _one_of("Vessel, containerized", "Vessel, non-container"),
    "voyage": _digits("{:03}W", 900),
    "year": _one_of("2022", "2023"),
    "yes_no": _one_of("Yes", "No"),
    "yyyymm": _one_of("202203", "202311"),
    "zip": _digits("{:05}", 99_999),
}
VALUES = {**PLAIN, **_MORE}
