"""Invented exports in the manner of many systems: headers, the role of each column, and values.

Each line is `header | role | values`; a dash is a column that has no role.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

EXPORTS = {
    "erp despatch": """
        Delivery No | shipment_id | doc
        Item | line_no | line
        Material | product_id | sku
        Material Description | product_name | words
        Batch | lot_id | lot
        Delivery Qty | quantity | count
        UoM | unit | unit
        Gross Wt | weight | decimal
        Wt Unit | weight_unit | kgunit
        Actual GI Date | ship_date | iso
        Planned GI Date | planned_ship | iso
        Ship-to Party | consignee | company
        Plant | site | plant
        Sales Order | sales_order | doc2
        Forwarding Agent Carrier | carrier | carrier""",
    "german delivery list": """
        Lieferschein-Nr. | shipment_id | doc
        Pos. | line_no | line
        Artikelnummer | product_id | sku
        Bezeichnung | product_name | words
        Charge | lot_id | lot
        Menge | quantity | count
        ME | unit | unit
        Bruttogewicht (kg) | weight | comma
        Nettogewicht (kg) | net_weight | comma
        Lieferdatum | delivery_date | german
        Versanddatum | ship_date | german
        Bestellnummer | purchase_order | doc2
        Empfänger | consignee | company
        Lieferant | vendor | company
        Ursprungsland | country_origin | country
        Versandart | transport_mode | modede""",
    "french despatch advice": """
        N° d'expédition | shipment_id | doc
        N° de commande | purchase_order | doc2
        Référence article | product_id | sku
        Désignation | product_name | words
        Quantité | quantity | count
        Unité | unit | unit
        Poids brut | weight | comma
        Date d'expédition | ship_date | slash
        Date de livraison prévue | planned_delivery | slash
        Fournisseur | vendor | company
        Destinataire | consignee | company
        Pays d'origine | country_origin | country
        Transporteur | carrier | carrier
        N° de lot | lot_id | lot""",
    "spanish albaran": """
        Nº albarán | shipment_id | doc
        Pedido | purchase_order | doc2
        Código artículo | product_id | sku
        Descripción | product_name | words
        Cantidad | quantity | count
        Peso bruto kg | weight | decimal
        Fecha de envío | ship_date | slash
        Fecha de entrega | delivery_date | slash
        Proveedor | vendor | company
        Cliente | consignee | company
        País de origen | country_origin | country
        Importe | value | money
        Moneda | currency | currency
        Lote | lot_id | lot""",
    "portuguese": """
        Número da remessa | shipment_id | doc
        Pedido de compra | purchase_order | doc2
        Código do produto | product_id | sku
        Quantidade | quantity | count
        Peso bruto | weight | comma
        Data de embarque | ship_date | slash
        Data de entrega | delivery_date | slash
        Fornecedor | vendor | company
        País de destino | country_destination | country
        Valor | value | money
        Lote | lot_id | lot""",
    "dutch": """
        Zendingnummer | shipment_id | doc
        Artikelnummer | product_id | sku
        Omschrijving | product_name | words
        Aantal | quantity | count
        Brutogewicht | weight | decimal
        Leverdatum | delivery_date | german
        Leverancier | vendor | company
        Klant | consignee | company
        Land van oorsprong | country_origin | country
        Vervoerder | carrier | carrier
        Partij | lot_id | lot""",
    "italian": """
        Numero DDT | shipment_id | doc
        Codice articolo | product_id | sku
        Descrizione | product_name | words
        Quantità | quantity | count
        Peso lordo | weight | comma
        Data spedizione | ship_date | slash
        Data consegna | delivery_date | slash
        Fornitore | vendor | company
        Destinatario | consignee | company
        Paese di origine | country_origin | country
        Vettore | carrier | carrier
        Lotto | lot_id | lot""",
    "import manifest": """
        Bill of Lading Number | bill_of_lading | bol
        Arrival Date | delivery_date | us
        Shipper Name | shipper | company
        Consignee Name | consignee | company
        Notify Party | notify_party | company
        Port of Lading | port_loading | city
        Port of Unlading | port_discharge | city2
        Country of Origin | country_origin | country
        Vessel Name | vessel | vessel
        Carrier Code | carrier | scac
        Container Number | container_id | box
        HS Code | hs_code | hs
        Product Description | product_name | words
        Gross Weight (kg) | weight | decimal
        Quantity | quantity | count
        Quantity Unit | unit | unit""",
    "856 flattened": """
        ASN # | shipment_id | doc
        PO # | purchase_order | doc2
        PO Line | line_no | line
        Vendor | vendor | company
        Ship From | shipper | company
        Ship To | consignee | company
        SCAC | carrier | scac
        BOL # | bill_of_lading | bol
        SSCC-18 | container_id | sscc
        UPC | gtin | gtin
        Qty Shipped | quantity | count
        Ship Date | ship_date | us
        ETA | planned_delivery | us
        Lot # | lot_id | lot
        Exp Date | expiry_date | us""",
    "warehouse receipts": """
        GRN | - | doc
        PO Number | purchase_order | doc2
        SKU | product_id | sku
        Qty Received | quantity | count
        Received At | delivery_date | isotime
        Supplier Name | vendor | company
        Warehouse | site | plant
        Batch No | lot_id | lot
        Expiry | expiry_date | iso""",
    "camel case api": """
        shipmentId | shipment_id | doc
        orderNumber | purchase_order | doc2
        itemSku | product_id | sku
        itemDescription | product_name | words
        quantity | quantity | count
        unitPrice | unit_price | money
        lineTotal | value | money
        currencyCode | currency | currency
        shippedAt | ship_date | isotime
        deliveredAt | delivery_date | isotime
        estimatedDeliveryDate | planned_delivery | isotime
        originCountry | country_origin | country
        destinationCountry | country_destination | country
        carrierName | carrier | carrier
        totalWeightKg | weight | decimal""",
    "abbreviated mainframe": """
        SHPMT_NBR | shipment_id | doc
        PO_NBR | purchase_order | doc2
        ITM_NBR | product_id | sku
        ITM_DESC | product_name | words
        SHIP_QTY | quantity | count
        WGT_LB | weight | decimal
        SHIP_DT | ship_date | compact
        DLV_DT | delivery_date | compact
        CUST_NM | consignee | company
        VEND_NM | vendor | company
        CTRY_ORIG | country_origin | country
        TRANS_MODE | transport_mode | mode""",
    "pharma": """
        Serial Number | serial_ids | serial
        GTIN | gtin | gtin
        Lot | lot_id | lot
        Expiration Date | expiry_date | iso
        Manufacturing Date | production_date | iso
        Manufacturer | site | company
        Quantity | quantity | count
        Shipment Number | shipment_id | doc
        Shipment Date | ship_date | iso
        Temperature | temperature | temp""",
    "track and trace": """
        Event ID | row_id | uuid
        Event Time | event_date | isotime
        Event Type | event_type | event
        Item | product_id | sku
        Location | facility | plant
        Latitude | latitude | lat
        Longitude | longitude | lon
        Shipment Ref | shipment_id | doc
        Quantity | quantity | count""",
    "customs declaration": """
        Declaration ID | row_id | uuid
        Importer | consignee | company
        Seller | vendor | company
        Mode of Transport | transport_mode | mode
        Tariff Code | hs_code | hs
        Country of Departure | country_origin | country
        Net Mass | net_weight | decimal
        Gross Mass | weight | decimal
        Customs Value (USD) | value | money
        Acceptance Date | - | iso""",
    "humanitarian": """
        Waybill Number | bill_of_lading | bol
        Commodity | product_name | words
        Donor | - | company
        Dispatch Date | ship_date | monthname
        Receipt Date | delivery_date | monthname
        Origin Warehouse | site | plant
        Destination | country_destination | country
        Quantity (units) | quantity | count
        Net Quantity (MT) | - | decimal
        Transport Company | carrier | carrier""",
    "retail orders": """
        Order ID | purchase_order | doc2
        Order Date | order_date | us
        Ship Date | ship_date | us
        Ship Mode | transport_mode | mode
        Customer Name | consignee | company
        Country | country | country
        Product ID | product_id | sku
        Category | category | cat
        Product Name | product_name | words
        Sales | - | money
        Quantity | quantity | count
        Shipping Cost | - | money""",
    "cold chain": """
        Consignment | shipment_id | doc
        Product Code | product_id | sku
        Best Before | expiry_date | iso
        Pallets | packages | small
        Temp (C) | temperature | temp
        Despatched | ship_date | isotime
        Arrived | delivery_date | isotime
        Haulier | carrier | carrier
        Depot | site | plant""",
    "slips of the pen": """
        Shippment No | shipment_id | doc
        Prodcut Code | product_id | sku
        Quanttity | quantity | count
        Deliverd Date | delivery_date | iso
        Suplier | vendor | company
        Wieght (kg) | weight | decimal
        Counrty of Origin | country_origin | country""",
    "headers that say nothing": """
        Field1 | gtin | gtin
        Field2 | country | country
        Field3 | transport_mode | mode
        Field4 | currency | currency
        Field5 | - | words
        Field6 | container_id | sscc""",
}
_COUNTRIES = ["Germany", "India", "Viet Nam", "Kenya", "Brazil", "Mexico", "France", "China"]
_COMPANIES = [
    "Aurora Foods",
    "Bramble & Sons",
    "Cobalt GmbH",
    "Delta Trading",
    "Elm Works",
    "Fjord AS",
]
_WORDS = [
    "Cotton lint grade A",
    "Steel bolts M8",
    "Cocoa beans, dried",
    "Oxford shirt blue",
    "Tea bags",
]


def _day(dice: random.Random) -> date:
    return date(2023, 1, 1) + timedelta(days=dice.randrange(700))


def _checked(digits: str) -> str:
    total = sum(int(d) * (3 if at % 2 == 0 else 1) for at, d in enumerate(reversed(digits)))
    return digits + str(-total % 10)


def _clock(dice: random.Random) -> str:
    return f"{dice.randrange(24):02}:{dice.randrange(60):02}:{dice.randrange(60):02}"


VALUES: dict[str, Callable[[random.Random, int], str]] = {
    "doc": lambda dice, row: f"SH-{10_000 + row // 3}",
    "doc2": lambda dice, row: f"45{10_000 + row // 4}",
    "line": lambda dice, row: str(10 * (row % 3 + 1)),
    "sku": lambda dice, row: f"MAT-{dice.randrange(40):04}",
    "words": lambda dice, row: dice.choice(_WORDS),
    "lot": lambda dice, row: f"L{dice.randrange(300):05}A",
    "count": lambda dice, row: str(dice.randrange(1, 900)),
    "small": lambda dice, row: str(dice.randrange(1, 30)),
    "unit": lambda dice, row: dice.choice(["EA", "CS", "KG"]),
    "kgunit": lambda dice, row: "KG",
    "decimal": lambda dice, row: f"{dice.uniform(1, 900):.2f}",
    "comma": lambda dice, row: f"{dice.uniform(1, 900):.2f}".replace(".", ","),
    "money": lambda dice, row: f"{dice.uniform(1, 9000):.2f}",
    "temp": lambda dice, row: f"{dice.uniform(-25, 8):.1f}",
    "iso": lambda dice, row: _day(dice).isoformat(),
    "isotime": lambda dice, row: f"{_day(dice)}T{_clock(dice)}Z",
    "german": lambda dice, row: f"{_day(dice):%d.%m.%Y}",
    "slash": lambda dice, row: f"{_day(dice):%d/%m/%Y}",
    "us": lambda dice, row: f"{_day(dice):%m/%d/%Y}",
    "compact": lambda dice, row: f"{_day(dice):%Y%m%d}",
    "monthname": lambda dice, row: f"{_day(dice):%d-%b-%y}",
    "company": lambda dice, row: dice.choice(_COMPANIES),
    "plant": lambda dice, row: f"Plant {dice.randrange(6)}",
    "carrier": lambda dice, row: dice.choice(["DHL", "Maersk", "DB Schenker"]),
    "scac": lambda dice, row: dice.choice(["MAEU", "HLCU", "UPSN"]),
    "vessel": lambda dice, row: dice.choice(["Ever Given", "MSC Oscar", "Emma"]),
    "city": lambda dice, row: dice.choice(["Shanghai", "Ningbo", "Hamburg"]),
    "city2": lambda dice, row: dice.choice(["Long Beach", "Newark", "Savannah"]),
    "country": lambda dice, row: dice.choice(_COUNTRIES),
    "mode": lambda dice, row: dice.choice(["Air", "Ocean", "Truck"]),
    "modede": lambda dice, row: dice.choice(["LKW", "Luftfracht", "Bahn"]),
    "currency": lambda dice, row: dice.choice(["USD", "EUR"]),
    "bol": lambda dice, row: f"MAEU{5_550_000 + row}",
    "box": lambda dice, row: f"MSKU{dice.randrange(10**6, 10**7)}",
    "sscc": lambda dice, row: _checked(f"0040123450000{row:04}"),
    "gtin": lambda dice, row: _checked(f"401234500{dice.randrange(1000):03}"),
    "hs": lambda dice, row: dice.choice(["5201.00", "6205.20", "1801.00"]),
    "uuid": lambda dice, row: f"{dice.getrandbits(64):016x}",
    "serial": lambda dice, row: f"SN{dice.randrange(10**9)}",
    "event": lambda dice, row: dice.choice(["shipped", "received", "packed"]),
    "lat": lambda dice, row: f"{dice.uniform(-60, 60):.5f}",
    "lon": lambda dice, row: f"{dice.uniform(-170, 170):.5f}",
    "cat": lambda dice, row: dice.choice(["Furniture", "Office", "Technology"]),
}


def export(name: str, rows: int = 60) -> tuple[list[str], list[str | None], list[list[str]]]:
    """An invented export: headers, the role of each column, and rows."""
    lines = [[part.strip() for part in line.split("|")] for line in EXPORTS[name].split("\n")]
    lines = [line for line in lines if len(line) == 3]
    dice = random.Random(name)
    table = [[VALUES[kind](dice, row) for _, _, kind in lines] for row in range(rows)]
    roles = [None if role == "-" else role for _, role, _ in lines]
    return [header for header, _, _ in lines], roles, table
