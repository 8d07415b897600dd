"""The headings of shipment tables as the world publishes and exports them, with invented rows.

Each line is `header | roles | values`: roles are what a person might take the column for, the
best first; a dash stands for none of them. The rows are made here, nothing is anybody's data. There
are two halves: words and weights were widened with the first, and the second was measured before
anybody looked at what it got wrong.
"""

from __future__ import annotations

import random

from public_shapes_held import HELD_OUT
from public_values import VALUES

SEEN = {
    "retail chain, orders by item": """
        Type | - | pay
        Days for shipping (real) | - | small
        Days for shipment (scheduled) | - | small
        Benefit per order | - | signed
        Sales per customer | - | money
        Delivery Status | status - | late
        Late_delivery_risk | - | bit
        Category Id | category - | cat_no
        Category Name | category - | cat
        Customer City | city - | city
        Customer Country | country_destination country | country
        Customer Email | - | masked
        Customer Fname | consignee - | first
        Customer Id | consignee | person
        Customer Lname | consignee - | first
        Customer Segment | category - | segment
        Customer State | - | state
        Customer Street | - | street
        Customer Zipcode | - | zip
        Department Id | category - | small
        Department Name | category - | cat
        Latitude | latitude | lat
        Longitude | longitude | lon
        Market | - | region
        Order City | city - | city
        Order Country | country country_destination - | country
        Order Customer Id | consignee | person
        order date (DateOrders) | order_date | us_minute
        Order Id | purchase_order | order_no
        Order Item Cardprod Id | product_id - | item_no
        Order Item Discount | - | money
        Order Item Discount Rate | - | share
        Order Item Id | row_id | serial_no
        Order Item Product Price | unit_price | money
        Order Item Profit Ratio | - | share
        Order Item Quantity | quantity | small
        Sales | value - | money
        Order Item Total | value | money
        Order Profit Per Order | - | signed
        Order Region | - | region
        Order State | - | state
        Order Status | status - | order_state
        Product Card Id | product_id | item_no
        Product Category Id | category - | cat_no
        Product Image | - | url
        Product Name | product_name product_id | words
        Product Price | unit_price - | money
        Product Status | status - | bit
        shipping date (DateOrders) | ship_date | us_minute
        Shipping Mode | transport_mode - | ship_class""",
    "marketplace orders": """
        order_id | purchase_order row_id | hex
        customer_id | consignee | hex
        order_status | status event_type - | order_state
        order_purchase_timestamp | order_date | sql_time
        order_approved_at | recorded_date - | sql_time
        order_delivered_carrier_date | ship_date | sql_time
        order_delivered_customer_date | delivery_date | sql_time
        order_estimated_delivery_date | planned_delivery | sql_time""",
    "trade statistics": """
        Classification | category - | hs_year
        Year | - | year
        Period | - | yyyymm
        Aggregate Level | - | small
        Trade Flow Code | - | bit
        Trade Flow | - | flow
        Reporter Code | - | small
        Reporter | country country_destination - | country
        Reporter ISO | country country_destination - | iso3
        Partner Code | - | small
        Partner | country_origin country - | country
        Partner ISO | country_origin country - | iso3
        Commodity Code | hs_code product_id | hs6
        Commodity | product_name product_id | words
        Qty Unit Code | - unit | small
        Qty Unit | unit | unit
        Qty | quantity | count
        Netweight (kg) | net_weight | decimal
        Trade Value (US$) | value | money
        Flag | - | bit""",
    "manifest of a data service": """
        Bill of Lading Number | bill_of_lading | bol
        Matching Fields | - | words
        Arrival Date | delivery_date | iso
        Consignee | consignee | company
        Consignee (Original Format) | consignee - | company
        Consignee Full Address | - | street
        Consignee City | city - | city2
        Consignee State/Region | - | state
        Consignee Postal Code | - | zip
        Consignee Country | country_destination | us_only
        Consignee Email 1 | - | blank
        Shipper | shipper vendor | company
        Shipper (Original Format) | shipper - | company
        Shipper Full Address | - | street
        Shipper City | city - | city
        Shipper Country | country_origin | country
        Carrier | carrier | carrier
        Notify Party | notify_party | company
        Shipment Origin | country_origin site port_loading - | country
        Shipment Destination | port_discharge consignee country_destination - | city2
        Port of Unlading | port_discharge | city2
        Port of Lading | port_loading | city
        Port of Lading Country | country_origin | country
        Place of Receipt | port_loading site - | city
        Transport Method | transport_mode | sea_only
        Vessel | vessel | vessel
        Vessel Voyage Id | - | voyage
        Is Containerized | - | yes_no
        Volume (TEU) | volume - | small
        Quantity | quantity packages | pack_text
        Measurement | volume - | meas_text
        Weight (kg) | weight | decimal
        Weight (t) | - | decimal
        Weight (Original Format) | - | kg_text
        Value of Goods (USD) | value | money
        HS Code | hs_code | hs6
        Goods Shipped | product_name | words
        Container Number | container_id | box
        Manifest Number | - shipment_id | manifest""",
    "erp delivery items, technical names": """
        VBELN | shipment_id | doc10
        POSNR | line_no | line6
        LFART | category - | dlv_type
        KUNNR | consignee | cust10
        WERKS | site facility shipper | plant4
        LGORT | - site | sloc
        MATNR | product_id | matnr
        ARKTX | product_name product_id | words
        CHARG | lot_id | lot
        LFIMG | quantity | decimal
        VRKME | unit | unit
        BRGEW | weight | decimal
        NTGEW | net_weight | decimal
        GEWEI | weight_unit | kgunit
        WADAT_IST | ship_date | compact
        LFDAT | planned_delivery delivery_date | compact
        ERDAT | recorded_date | compact
        ERNAM | - | user
        VGBEL | sales_order purchase_order | doc10b
        VGPOS | - line_no | line6
        INCO1 | incoterm - | inco
        BOLNR | bill_of_lading | bol""",
    "chinese outbound list": """
        出库单号 | shipment_id | doc
        订单号 | purchase_order | doc2
        客户名称 | consignee | company
        物料编码 | product_id | sku
        物料名称 | product_name product_id | words
        规格型号 | - | sizes
        批次号 | lot_id | lot
        数量 | quantity | count
        单位 | unit | unit_zh
        毛重(kg) | weight | decimal
        净重(kg) | net_weight | decimal
        发货日期 | ship_date | slash_iso
        预计到货日期 | planned_delivery | slash_iso
        签收日期 | delivery_date | slash_iso
        承运商 | carrier | carrier
        运单号 | bill_of_lading | bol
        发货仓库 | site shipper | plant
        收货地址 | - consignee | street
        原产国 | country_origin | country
        备注 | remark - | note""",
    "french delivery notes": """
        N° BL | shipment_id bill_of_lading | doc
        Date BL | ship_date event_date | slash
        Code client | consignee | cust10
        Raison sociale | consignee - | company
        Code article | product_id | sku
        Libellé article | product_name product_id | words
        N° lot | lot_id | lot
        DLC | expiry_date | future
        Qté commandée | - | count
        Qté livrée | quantity | count
        UV | unit - | unit
        Poids net | net_weight | comma
        Poids brut | weight | comma
        Date expédition | ship_date | slash
        Date livraison demandée | planned_delivery | slash
        Transporteur | carrier | carrier
        N° récépissé | bill_of_lading - | bol
        Nb colis | packages | small
        Nb palettes | packages - | small""",
    "latin american import declarations": """
        FECHA | event_date delivery_date | german_dash
        NUMERO DE ACEPTACION | row_id shipment_id - | serial_no
        RUT IMPORTADOR | consignee - | rut
        IMPORTADOR | consignee | company
        PROVEEDOR | vendor | company
        PAIS ORIGEN | country_origin | country
        PAIS DE ADQUISICION | country - | country
        ADUANA | - facility | city2
        VIA DE TRANSPORTE | transport_mode | mode_es
        PUERTO DE EMBARQUE | port_loading | city
        PUERTO DE DESEMBARQUE | port_discharge | city2
        PARTIDA ARANCELARIA | hs_code | hs8
        DESCRIPCION PRODUCTO | product_name product_id | words
        MARCA | brand - | brand
        CANTIDAD | quantity | decimal
        UNIDAD | unit | unit
        PESO BRUTO KG | weight | decimal
        PESO NETO KG | net_weight | decimal
        US$ FOB | value | money
        US$ FLETE | freight - | money
        US$ SEGURO | insurance - | money
        US$ CIF | value - | money
        PRECIO UNITARIO FOB | unit_price | money
        TIPO DE BULTO | - category | package
        CANTIDAD BULTOS | packages | small
        COMPAÑIA TRANSPORTADORA | carrier | carrier
        NAVE | vessel | vessel""",
    "order list of a planning study": """
        Order ID | purchase_order row_id | serial_no
        Order Date | order_date | iso
        Origin Port | port_loading | port_no
        Carrier | carrier | carrier_no
        TPT | - | small
        Service Level | - | service
        Ship ahead day count | - | small
        Ship Late Day count | - | small
        Customer | consignee | person
        Product ID | product_id | item_no
        Plant Code | site | plant_no
        Destination Port | port_discharge | port_no
        Unit quantity | quantity | count
        Weight | weight | decimal""",
    "shop invoices": """
        InvoiceNo | invoice_number | inv_no
        StockCode | product_id | stock
        Description | product_name product_id | words
        Quantity | quantity | count
        InvoiceDate | invoice_date | us_minute
        UnitPrice | unit_price | money
        CustomerID | consignee | person
        Country | country country_destination | country""",
    "container moves": """
        Container No. | container_id | box
        Size/Type | - category | box_size
        Event | event_type | box_event
        Event Date | event_date | iso_minute
        Location | facility site port_loading | city
        UN/LOCODE | locode | locode
        Vessel | vessel | vessel
        Voyage No. | - vessel | voyage
        B/L No. | bill_of_lading | bol
        Empty/Full | - | full""",
    "medicines, transaction history": """
        NDC | product_id | ndc
        GTIN | gtin | gtin
        Product Name | product_name product_id | words
        Strength | - | strength
        Dosage Form | category - | dosage
        Container Size | pack_size - | small
        Number of Containers | packages quantity | small
        Lot Number | lot_id | lot
        Serial Number | serial_ids | serial
        Expiration Date | expiry_date | future
        Transaction Date | event_date order_date | us
        Shipment Date | ship_date | us
        Seller Name | vendor shipper | company
        Seller Address | - | street
        Buyer Name | consignee | company
        Ship From GLN | shipper site facility | gln
        Ship To GLN | consignee | gln
        PO Number | purchase_order | doc2
        Invoice Number | invoice_number | doc""",
}

SHAPES = {**SEEN, **HELD_OUT}


def shape(name: str, rows: int = 60) -> tuple[list[str], list[set[str | None]], list[list[str]]]:
    """A table: headers, the roles that each column may be given, and rows."""
    lines = [[part.strip() for part in line.split("|")] for line in SHAPES[name].split("\n")]
    lines = [line for line in lines if len(line) == 3]
    dice = random.Random(name)
    table = [[VALUES[kind](dice, row) for _, _, kind in lines] for row in range(rows)]
    roles = [{None if one == "-" else one for one in said.split()} for _, said, _ in lines]
    return [header for header, _, _ in lines], roles, table
