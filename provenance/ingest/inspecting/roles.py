"""What a column of a shipment file can be: its role, the headers that say so, and its values.

A role is more than a native field: a planned date or a country of destination
fills none by itself, and must be told from the one that does.

Next: provenance/ingest/inspecting/profile.py
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

__all__ = ["ROLES", "Role"]

Values = Literal[
    "date", "number", "id", "name", "country", "currency", "mode", "gtin", "container",
    "locode", "unit", "latitude", "longitude", "hs", "event", "text", "list",
]  # fmt: skip


class Role(NamedTuple):
    """One role.

    Attributes:
        title: For people.
        values: What its cells hold.
        says: Headers as sets of concepts, the most telling first, each with its weight.
        against: Concepts in a header that speak against it.
        native: The native fields that it is for, in the order of events.
    """

    title: str
    values: Values
    says: tuple[tuple[frozenset[str], float], ...]
    against: frozenset[str] = frozenset()
    native: str = ""


def _role(
    title: str,
    values: Values,
    says: str,
    against: str = "",
    *,
    dated: bool = False,
    native: str = "",
) -> Role:
    """Expand "a+b c:0.8": each word a header, its concepts joined by plus.

    Unless it is `dated`, a role that is no date has words for dates against it.
    """
    patterns = []
    for word in says.split():
        concepts, _, weight = word.partition(":")
        patterns.append((frozenset(concepts.split("+")), float(weight or 1)))
    denied = frozenset(against.split()) | (frozenset() if dated else _NO_DATES)
    return Role(title, values, tuple(patterns), denied, native)


_NO_DATES: Final = frozenset(
    ["date", "time", "planned", "recorded", "quoted", "expiry", "produced"]
)

ROLES: Final[dict[str, Role]] = {
    # Times. What was planned is no event, and must not be taken for one.
    "order_date": _role(
        "when it was ordered",
        "date",
        "order+date purchase+date order:0.8",
        "planned quoted recorded expiry delivery received produced invoice",
        dated=True,
        native="event_time",
    ),
    "ship_date": _role(
        "when it left",
        "date",
        "shipped+date shipment+date shipped:0.9 shipment+actual:0.9 shipment:0.7 "
        "loading+date:0.8 bol+date:0.75 delivery+carrier+date:0.95",
        "planned quoted recorded order expiry invoice duration",
        dated=True,
        native="event_time",
    ),
    "delivery_date": _role(
        "when it arrived",
        "date",
        "delivery+date received+date delivery+actual received:0.9 delivery:0.9 discharge+date:0.8",
        "planned quoted recorded expiry invoice shipped carrier duration",
        dated=True,
        native="event_time",
    ),
    "production_date": _role(
        "when it was made",
        "date",
        "produced+date maker+date produced:0.9",
        "planned expiry order invoice",
        dated=True,
        native="event_time",
    ),
    "planned_delivery": _role(
        "when it was to arrive",
        "date",
        "planned+delivery+date planned+received+date planned+delivery planned+received "
        "planned+date:0.8 planned:0.7",
        "shipped quoted duration",
        dated=True,
    ),
    "planned_ship": _role(
        "when it was to leave",
        "date",
        "planned+shipped+date planned+shipment+date planned+shipped planned+shipment",
        "received",
        dated=True,
    ),
    "recorded_date": _role(
        "when it was recorded",
        "date",
        "recorded+date recorded:0.8 recorded+time",
        "produced",
        dated=True,
    ),
    "quoted_date": _role(
        "when it was quoted",
        "date",
        "quoted+date quoted:0.8",
        dated=True,
    ),
    "invoice_date": _role(
        "when it was invoiced",
        "date",
        "invoice+date",
        dated=True,
    ),
    "expiry_date": _role(
        "when it expires",
        "date",
        "expiry+date expiry",
        dated=True,
        native="batch_expiry_date",
    ),
    "event_date": _role(
        "when it happened",
        "date",
        "event+date event+time date:0.75 time:0.75 date+time:0.8",
        "planned order expiry recorded quoted invoice",
        dated=True,
        native="event_time",
    ),
    # What identifies.
    "row_id": _role(
        "the id of the row",
        "id",
        "event+id row+id id:0.85 row+number line+id event+number row:0.6 order+product+id:0.8",
        "vendor consignee maker site product country",
        native="event_id",
    ),
    "line_no": _role(
        "the line of a document",
        "id",
        "line+number line:0.9 line+row row+description:0.6 product:0.6 product+number:0.5",
    ),
    "shipment_id": _role(
        "the shipment",
        "id",
        "shipment+number shipment+id shipment+delivery+number delivery+number "
        "shipment+reference:0.95 shipment:0.85 delivery+reference:0.85 delivery:0.7 "
        "shipment+code:0.9 shipment+slip delivery+slip shipped+slip package+slip:0.9 "
        "shipped+number:0.8 document+number:0.5",
        "mode transport planned quantity weight value vendor origin destination status "
        "duration rate category",
        native="shipment_id",
    ),
    "bill_of_lading": _role(
        "the bill of lading",
        "id",
        "bol+number bol bol+id bol+reference tracking+number:0.8 carrier+tracking:0.85 "
        "tracking:0.7",
        native="bill_of_lading",
    ),
    "purchase_order": _role(
        "the purchase order",
        "id",
        "purchase+order+number purchase+order order+number order+id order+reference order:0.8 "
        "order+sales+number:0.95",
        "quantity value line",
        native="purchase_order",
    ),
    "sales_order": _role(
        "the sales order",
        "id",
        "sales+order+number sales+order sales+number",
        "purchase",
        dated=True,
    ),
    "invoice_number": _role(
        "the invoice",
        "id",
        "invoice+number invoice+id invoice:0.85",
        "value",
        dated=True,
    ),
    "container_id": _role(
        "the container or pallet",
        "container",
        "container+number container+id container sscc sscc+number",
        "quantity weight mode",
        dated=True,
        native="container_id",
    ),
    "certificate_id": _role(
        "the certificate",
        "id",
        "certificate+number certificate",
        dated=True,
        native="certificate_id",
    ),
    "lot_id": _role(
        "the lot or batch",
        "id",
        "lot+number lot+id lot lot+code product+lot",
        "quantity",
        native="lot_id",
    ),
    "serial_ids": _role(
        "the serial numbers",
        "list",
        "serial+number serial",
        "quantity",
        dated=True,
        native="serial_ids",
    ),
    # What it is.
    "product_id": _role(
        "the product, by its code",
        "id",
        "product+number product+code product+id product:0.75 product+reference "
        "maker+product+number:0.8 product+vendor+number:0.8 product+unit:0.5",
        "description quantity weight value price category brand country document",
        native="product_id",
    ),
    "product_name": _role(
        "the product, in words",
        "name",
        "product+description description:0.85 product+party:0.95 product:0.6",
        "quantity weight value price category vendor consignee maker number id",
        native="product_id",
    ),
    "gtin": _role(
        "the GTIN",
        "gtin",
        "gtin gtin+code gtin+number product+gtin",
        "gln",
        dated=True,
        native="gtin",
    ),
    "hs_code": _role(
        "the tariff code",
        "hs",
        "hs+code hs hs+number product+hs",
        dated=True,
    ),
    "brand": _role(
        "the brand",
        "name",
        "brand brand+party",
        "country",
        dated=True,
    ),
    "category": _role(
        "a category",
        "name",
        "category product+category category+code category+description:0.9",
        dated=True,
    ),
    # Who and where.
    "vendor": _role(
        "the seller",
        "name",
        "vendor+party vendor vendor+id:0.85 vendor+number:0.85 vendor+code:0.85 vendor+gln:0.98",
        "incoterm product country city address state invoice order category",
        native="facility_id of an order",
    ),
    "site": _role(
        "where it comes from",
        "name",
        "maker+site maker+party maker:0.9 site+origin:0.9 site+shipped:0.85 maker+id:0.85 "
        "site:0.6 site+party:0.65 site+code:0.6 site+shipment:0.8 shipment+origin:0.75 "
        "origin:0.55 site+gln:0.9",
        "country city address state product brand",
        native="from_facility_id",
    ),
    "shipper": _role(
        "the shipper",
        "name",
        "shipper+party shipper shipper+id:0.85 shipper+code:0.85 shipped+origin+party:0.8 "
        "shipped+origin:0.7",
        "country city address state",
        native="from_facility_id",
    ),
    "consignee": _role(
        "who receives it",
        "name",
        "consignee+party consignee consignee+id:0.85 consignee+number:0.85 "
        "consignee+code:0.85 site+destination:0.85 consignee+site:0.95 "
        "shipment+destination:0.75 destination:0.55 consignee+gln:0.98",
        "country city address state order product notify",
        native="to_facility_id",
    ),
    "notify_party": _role(
        "who is to be told",
        "name",
        "notify+party notify",
        dated=True,
    ),
    "facility": _role(
        "where it happened",
        "name",
        "site+id:0.7 site+event:0.8 gln:0.8",
        "maker",
        dated=True,
        native="facility_id",
    ),
    "carrier": _role(
        "the carrier",
        "name",
        "carrier+party carrier carrier+code:0.9 carrier+transport transport+party:0.9",
        "tracking",
        native="carrier",
    ),
    "vessel": _role(
        "the vessel",
        "name",
        "vessel+party vessel vessel+number:0.8",
    ),
    "country_origin": _role(
        "the country of origin",
        "country",
        "country+origin origin:0.7 country+maker:0.85 country+produced country+shipped:0.8 "
        "country+loading:0.8 country+shipper:0.75 country+vendor:0.6",
        "port city destination consignee",
        native="declared_origin_country",
    ),
    "country_destination": _role(
        "the country of destination",
        "country",
        "country+destination destination:0.75 country+consignee country+delivery "
        "country+discharge:0.8 country+received",
        "port city origin vendor maker",
    ),
    "country": _role(
        "a country",
        "country",
        "country country+code country+party",
        "origin destination maker vendor consignee delivery shipped received loading "
        "discharge shipper",
    ),
    "port_loading": _role(
        "the port of loading",
        "name",
        "port+loading port+origin port+shipped loading:0.6",
        "discharge",
    ),
    "port_discharge": _role(
        "the port of discharge",
        "name",
        "port+discharge port+destination port+received discharge:0.6",
        "loading origin",
    ),
    "locode": _role(
        "a UN/LOCODE",
        "locode",
        "locode port+code:0.7",
        dated=True,
        native="locode",
    ),
    "city": _role(
        "a city",
        "name",
        "city",
        "country",
        dated=True,
    ),
    "latitude": _role(
        "the latitude",
        "latitude",
        "latitude",
        dated=True,
        native="latitude",
    ),
    "longitude": _role(
        "the longitude",
        "longitude",
        "longitude",
        dated=True,
        native="longitude",
    ),
    # How much.
    "quantity": _role(
        "the quantity",
        "number",
        "quantity shipped+quantity shipment+quantity delivery+quantity product+quantity "
        "line+quantity unit+quantity:0.9 package+quantity:0.7",
        "per price value planned weight cost container",
        dated=True,
        native="quantity",
    ),
    "packages": _role(
        "how many packages",
        "number",
        "package+quantity package package+number container+number:0.7 container+quantity:0.8",
        "weight price per",
        dated=True,
    ),
    "pack_size": _role(
        "how much is in a package",
        "number",
        "per+package quantity+per",
        "price value",
        dated=True,
    ),
    "unit": _role(
        "the unit of the quantity",
        "unit",
        "unit quantity+unit unit+code product+unit:0.8",
        "price value cost weight",
        dated=True,
        native="quantity_unit",
    ),
    "unit_price": _role(
        "the price of one",
        "number",
        "unit+price price price+per unit+cost:0.8 unit+value:0.8 package+price:0.8",
        "total line currency",
        dated=True,
    ),
    "value": _role(
        "the value of the row",
        "number",
        "line+value value total+value product+value:0.95 value+usd total+price:0.85 "
        "line+total:0.8 invoice+value:0.9 sales:0.6 total:0.6 shipment+value order+value:0.9 "
        "usd:0.6 line+price:0.7",
        "unit currency insurance freight weight per quantity",
        dated=True,
        native="declared_value_usd",
    ),
    "currency": _role(
        "the currency",
        "currency",
        "currency currency+code money:0.6",
        "rate",
        dated=True,
    ),
    "weight": _role(
        "the gross weight",
        "number",
        "gross+weight weight:0.9 weight+kg:0.95 weight+total:0.95 gross+kg gross:0.75 kg:0.7 "
        "shipment+weight:0.95 gross+total:0.7 tonne:0.6",
        "net unit tare per volume",
        dated=True,
        native="gross_weight",
    ),
    "net_weight": _role(
        "the net weight",
        "number",
        "net+weight net:0.7 net+kg",
        "gross value price",
        dated=True,
    ),
    "weight_unit": _role(
        "the unit of the weight",
        "unit",
        "weight+unit",
        dated=True,
        native="weight_unit",
    ),
    "volume": _role(
        "the volume",
        "number",
        "volume",
        "weight",
        dated=True,
    ),
    "freight": _role(
        "the freight cost",
        "number",
        "freight+cost freight freight+value",
        "mode",
        dated=True,
    ),
    "insurance": _role(
        "the insurance",
        "number",
        "insurance insurance+cost insurance+value insurance+line",
        dated=True,
    ),
    "temperature": _role(
        "the temperature",
        "number",
        "temperature",
        dated=True,
        native="temperature_c",
    ),
    # How.
    "transport_mode": _role(
        "the way of transport",
        "mode",
        "transport+mode shipment+mode mode transport:0.85 shipped+mode delivery+mode",
        "cost number",
        native="transport_mode",
    ),
    "incoterm": _role(
        "the terms of delivery",
        "name",
        "incoterm vendor+incoterm delivery+incoterm",
        dated=True,
    ),
    "event_type": _role(
        "what happened",
        "event",
        "event+category event event+code:0.8 status:0.6",
        native="event_type",
    ),
    "status": _role(
        "a status",
        "name",
        "status",
        "country",
        dated=True,
    ),
    "remark": _role(
        "a remark",
        "text",
        "remark",
        dated=True,
    ),
}
"""By name, as `inspect` shows them."""
