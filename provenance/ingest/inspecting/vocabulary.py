"""Words in cells: ways of transport, what happened, units; and the native word for each.

Next: provenance/ingest/inspecting/profile.py
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

__all__ = ["WEIGHT_UNITS", "event_word", "mode_word", "unit_word"]

_MODES: Final = {
    "sea": "sea ocean vessel ship boat maritime maritimo marittimo seefracht see seaway fcl "
    "lcl schiff mer zee mar navire bateau barco navio nave maritim seafreight "
    "oceanfreight maritima fluvial container fcllcl 海运 海運 水运",
    "air": "air airfreight plane aircraft flug luft luftfracht avion aerien aereo aviao "
    "lucht aircharter airway flugzeug aerea aereas 空运 空運 航空",
    "road": "road truck trucking lorry lkw strasse route camion carretera rodoviario strada "
    "weg wegvervoer ltl ftl motor van vrachtwagen gomme terrestre ground highway carretero "
    "rodoviaria 陆运 公路 汽运 陸運 卡车",
    "rail": "rail train bahn schiene zug fer ferroviaire tren ferrocarril trem ferrovia treno "
    "spoor railway ferroviaria 铁路 鐵路",
    "multimodal": "multimodal intermodal combined kombiniert multi",
}
_EVENTS: Final = {
    "produce": "produce produced production manufactured commission commissioned commissioning "
    "made hergestellt",
    "transform": "transform transformed transformation processed converted",
    "ship": "ship shipped shipping dispatch dispatched despatched despatch departed departure "
    "sent outbound versand versendet expedie enviado spedito verzonden goodsissue "
    "issued gateout loaded pickup pickedup collected sailed warenausgang loading 发货 出库 "
    "發貨 出庫 离港 装船",
    "receive": "receive received receiving receipt arrival arrived delivered delivery inbound "
    "eingang erhalten recu recibido recebido ricevuto ontvangen goodsreceipt gatein "
    "discharged unloaded landed wareneingang pod 收货 入库 签收 收貨 到达 到港",
    "pack": "pack packed packing aggregated palletised palletized",
    "unpack": "unpack unpacked unpacking disaggregated",
    "inspect": "inspect inspected inspection qc tested audit checked",
    "store": "store stored storing storage putaway stocked warehoused",
    "recall": "recall recalled withdrawn",
    "destroy": "destroy destroyed scrapped disposed",
    "sell": "sell sold sale retail",
    "order": "order ordered ordering po",
}
WEIGHT_UNITS: Final = {
    "kg": "kg kgs 公斤 千克 kilo kilos kilogram kilograms kgm kilogramm kilogrammes",
    "lb": "lb lbs lbr pound pounds",
    "g": "g gr gram grams grm gramm",
    "t": "t to tne tonne tonnes ton tons mt",
}
"""Units of weight -> the words for them."""
_UNITS: Final = {
    **WEIGHT_UNITS,
    "unit": "unit units ea each pc pcs piece pieces st stk stuck stueck c62 h87 nar pce un "
    "und unid ud uds un uni u pz pza pzs nos no 个 個 件 台 只 支",
    "case": "case cases ca cs ctn ctns carton cartons box boxes bx ct karton kartons caja caixa "
    "colis colli kart kar 箱",
    "pallet": "pallet pallets pal plt palette paletten pf",
    "pack": "pack packs pk pkg pkgs pak packung package packages",
    "m": "m mtr meter metre metres meters lfm",
    "m2": "m2 sqm mtk",
    "m3": "m3 cbm mtq",
    "l": "l ltr liter litre liters litres",
    "pair": "pair pairs pr paar",
    "dozen": "dozen dz dzn dutzend",
    "roll": "roll rolls rl rolle",
    "bag": "bag bags bg sack sacks",
    "set": "set sets",
    "drum": "drum drums fass",
    "bale": "bale bales",
}


def _table(words: dict[str, str]) -> dict[str, str]:
    return {word: native for native, text in words.items() for word in text.split()}


_TABLES: Final = {"mode": _table(_MODES), "event": _table(_EVENTS), "unit": _table(_UNITS)}
_LONGEST: Final = 30


@lru_cache(maxsize=8192)
def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    return "".join(c for c in plain if not unicodedata.combining(c)).casefold().strip(" .")


def _word(table: str, text: str) -> str:
    if len(text) > _LONGEST:
        return ""
    folded = _folded(text)
    whole = _TABLES[table].get(re.sub(r"[\W_]+", "", folded))
    if whole:
        return whole
    found = {native for part in re.split(r"[\W_]+", folded) if (native := _TABLES[table].get(part))}
    return found.pop() if len(found) == 1 else ""


def mode_word(text: str) -> str:
    """The native way of transport that a text names, or ""."""
    return _word("mode", text)


def event_word(text: str) -> str:
    """The native event type that a text names, or ""."""
    return _word("event", text)


def unit_word(text: str) -> str:
    """The unit that a text names, in its usual short form, or ""."""
    folded = _folded(text)
    return _TABLES["unit"].get(folded, "")
