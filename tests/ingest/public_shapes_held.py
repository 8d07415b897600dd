"""The half of the public shapes that was measured before anybody looked at what was wrong."""

from __future__ import annotations

HELD_OUT = {
    "marketplace order items": """
        order_id | purchase_order | hex
        order_item_id | line_no row_id | small
        product_id | product_id | hex
        seller_id | vendor | hex
        shipping_limit_date | planned_ship - | sql_time
        price | unit_price value - | money
        freight_value | freight - | money""",
    "customs manifest, public file": """
        identifier | row_id | serial_no
        carrier_code | carrier | scac
        vessel_country_code | - country | iso2
        vessel_name | vessel | vessel
        port_of_unlading | port_discharge | city2
        estimated_arrival_date | planned_delivery | iso
        foreign_port_of_lading_qualifier | - | scheme
        foreign_port_of_lading | port_loading | city
        manifest_quantity | quantity packages | count
        manifest_unit | unit | package
        weight | weight | decimal
        weight_unit | weight_unit | kgunit
        measurement | volume - | small
        measurement_unit | - | cbm
        record_status_indicator | status - | new
        place_of_receipt | port_loading site - | city
        port_of_destination | port_discharge - | city2
        conveyance_id_qualifier | - | scheme
        conveyance_id | vessel - | imo
        mode_of_transportation | transport_mode | vessel_mode
        shipper_party_name | shipper | company
        consignee_name | consignee | company
        notify_party_name | notify_party - | company
        container_number | container_id | box
        description_text | product_name | words
        harmonized_number | hs_code | hs6
        actual_arrival_date | delivery_date | iso""",
    "import records of a data service": """
        Bill of Entry No | shipment_id row_id - | serial_no
        BE Date | delivery_date event_date recorded_date | monthname
        HS Code | hs_code | hs8
        Product Description | product_name product_id | words
        Quantity | quantity | decimal
        UQC | unit | unit
        Unit Price (USD) | unit_price | money
        Total Value (USD) | value | money
        Total Duty Paid (INR) | - | money
        Country of Origin | country_origin | country
        Port of Origin | port_loading | city
        Port of Discharge | port_discharge | city2
        Mode of Shipment | transport_mode | mode
        Importer ID | consignee | person
        Importer Name | consignee | company
        Importer Address | - | street
        Supplier Name | vendor shipper | company
        Supplier Address | - | street
        Invoice Number | invoice_number | doc""",
    "erp purchase receipts, technical names": """
        EBELN | purchase_order | doc10
        EBELP | line_no | line6
        LIFNR | vendor | cust10
        NAME1 | vendor | company
        MATNR | product_id | matnr
        TXZ01 | product_name product_id | words
        WERKS | site facility consignee | plant4
        MENGE | quantity | count
        MEINS | unit | unit
        NETPR | unit_price | money
        NETWR | value | money
        WAERS | currency | currency
        BEDAT | order_date | compact
        EINDT | planned_delivery | compact
        MBLNR | shipment_id - | doc10b
        BUDAT | delivery_date recorded_date event_date | compact
        BWART | event_type - category | move""",
    "warehouse system, upper case": """
        DELIVERY_ID | shipment_id | serial_no
        DELIVERY_DETAIL_ID | line_no row_id | serial_no2
        SOURCE_HEADER_NUMBER | sales_order purchase_order - | doc2
        SOURCE_LINE_NUMBER | - line_no | line
        INVENTORY_ITEM_ID | product_id | item_no
        ITEM_DESCRIPTION | product_name product_id | words
        ORGANIZATION_CODE | site facility - shipper | plant4
        LOT_NUMBER | lot_id | lot
        SERIAL_NUMBER | serial_ids | serial
        REQUESTED_QUANTITY | - | count
        SHIPPED_QUANTITY | quantity | count
        REQUESTED_QUANTITY_UOM | unit | unit
        GROSS_WEIGHT | weight | decimal
        NET_WEIGHT | net_weight | decimal
        WEIGHT_UOM_CODE | weight_unit | kgunit
        VOLUME | volume | decimal
        CUSTOMER_NAME | consignee | company
        SHIP_FROM_LOCATION | shipper site | plant
        SHIP_TO_LOCATION | consignee | city2
        SCHEDULED_SHIP_DATE | planned_ship | sql_time
        INITIAL_PICKUP_DATE | ship_date | sql_time
        ULTIMATE_DROPOFF_DATE | delivery_date | sql_time
        WAYBILL | bill_of_lading | bol
        CARRIER_NAME | carrier | carrier
        SHIP_METHOD_CODE | transport_mode - | method
        FREIGHT_TERMS_CODE | incoterm - | inco
        RELEASED_STATUS | status - | letter
        CREATION_DATE | recorded_date | sql_time
        LAST_UPDATE_DATE | recorded_date - | sql_time""",
    "german shipping list": """
        Lieferung | shipment_id | doc10
        Position | line_no | line
        Warenempfänger | consignee | cust10
        Name des Warenempfängers | consignee - | company
        Ort | city - | city
        Material | product_id | matnr
        Bezeichnung | product_name product_id | words
        Charge | lot_id | lot
        Liefermenge | quantity | comma
        ME | unit | unit_de
        Bruttogewicht | weight | comma
        Gewichtseinheit | weight_unit | kgunit
        WA-Istdatum | ship_date | german
        WA-Plandatum | planned_ship | german
        Lieferdatum | delivery_date planned_delivery | german
        Versandstelle | site shipper facility | plant
        Spediteur | carrier | carrier
        Frachtbriefnr. | bill_of_lading | bol
        Ursprungsland | country_origin | country""",
    "brazilian invoices": """
        Nota Fiscal | invoice_number shipment_id | serial_no
        Série | - | small
        Data Emissão | invoice_date recorded_date | slash
        Data Saída | ship_date | slash
        Data Entrega | delivery_date | slash
        Cód. Produto | product_id | sku
        Descrição do Produto | product_name product_id | words
        Lote | lot_id | lot
        Validade | expiry_date | future
        Qtde | quantity | count
        UN | unit | unit
        Valor Unitário | unit_price | comma
        Valor Total | value | comma
        Peso Bruto | weight | comma
        Peso Líquido | net_weight | comma
        Cliente | consignee | company
        CNPJ | - consignee | rut
        Cidade | city - | city
        UF | - | state
        Transportadora | carrier | carrier
        Volumes | packages volume - | small
        Pedido | purchase_order | doc2""",
    "superstore": """
        Row ID | row_id | serial_no
        Order ID | purchase_order | us_order
        Order Date | order_date | us
        Ship Date | ship_date | us
        Ship Mode | transport_mode - | ship_class
        Customer ID | consignee | person
        Customer Name | consignee - | company
        Segment | category - | segment
        City | city - | city
        State | - | state
        Country | country country_destination | country
        Postal Code | - | zip
        Market | - | region
        Region | - | region
        Product ID | product_id | sku
        Category | category - | cat
        Sub-Category | category - | cat
        Product Name | product_name | words
        Sales | value | money
        Quantity | quantity | small
        Discount | - | share
        Profit | - | signed
        Shipping Cost | freight - | money
        Order Priority | - | service""",
    "health programme orders": """
        Shipment # | shipment_id | doc
        Order # | purchase_order | doc2
        Order Line # | line_no | line
        Product Name | product_name product_id | words
        Item Tracer Category | category - | cat
        UoM | unit | unit
        Base Unit Multiplier | pack_size - | small
        Supplier | vendor | company
        Country of Origin | country_origin | country
        Destination Country | country_destination | country
        Ordered Quantity | - | count
        Shipped Quantity | quantity | count
        Unit Price (USD) | unit_price | money
        Line Total (USD) | value | money
        Order Entry Date | recorded_date order_date | us
        Requested Delivery Date | planned_delivery | us
        Estimated Delivery Date | planned_delivery - | us
        Actual Ship Date | ship_date | us
        Actual Delivery Date | delivery_date | us_undated
        Fulfillment Channel | - | service
        Shipment Weight (lb) | weight | decimal
        Freight Cost (USD) | freight - | money
        Incoterm | incoterm - | inco""",
    "farm gate purchases": """
        Receipt No | row_id shipment_id - | doc
        Season | - | season
        Farmer ID | vendor shipper site | person
        Farmer Name | vendor shipper site - | first
        Cooperative | - vendor site | company
        Village | city site - | city
        GPS Lat | latitude | lat
        GPS Long | longitude | lon
        Delivery Date | delivery_date | slash
        Crop | product_id product_name | crop
        Bags | packages quantity | small
        Weight (kg) | weight | decimal
        Price per kg (XOF) | unit_price - | money
        Amount Paid (XOF) | - value | money
        Buying Station | facility site consignee | plant
        Truck Plate | - | plate""",
    "shop fulfilments": """
        Name | purchase_order row_id - | shop_order
        Email | - | masked
        Financial Status | status - | order_state
        Paid at | - recorded_date | offset_time
        Fulfillment Status | status - | order_state
        Fulfilled at | ship_date | offset_time
        Currency | currency | usd_only
        Subtotal | - value | money
        Shipping | freight - | money
        Taxes | - | money
        Total | value | money
        Created at | recorded_date order_date | offset_time
        Lineitem quantity | quantity | small
        Lineitem name | product_name product_id | words
        Lineitem price | unit_price | money
        Lineitem sku | product_id | sku
        Billing City | city - | city
        Billing Country | country - | iso2
        Shipping Name | consignee - | first
        Shipping City | city - | city
        Shipping Zip | - | zip
        Shipping Country | country_destination | iso2
        Vendor | vendor | company
        Notes | remark - | note""",
    "truck trips": """
        BookingID | shipment_id row_id purchase_order | trip
        BookingID_Date | recorded_date order_date - | iso
        vehicle_no | - | plate
        Origin_Location | site shipper port_loading | city
        Destination_Location | consignee | city2
        Data_Ping_time | - event_date recorded_date | iso_minute
        Planned_ETA | planned_delivery | iso_minute
        actual_eta | delivery_date | iso_minute
        Curr_lat | latitude - | lat
        Curr_lon | longitude - | lon
        OriginLocation_Code | - site shipper | plant4
        DestinationLocation_Code | - consignee | plant_no
        trip_start_date | ship_date | iso_minute
        trip_end_date | delivery_date | iso_minute
        TRANSPORTATION_DISTANCE_IN_KM | - | decimal
        vehicleType | - | truck
        Driver_Name | - | first
        customerID | consignee | person
        customerNameCode | consignee - | company
        supplierID | vendor carrier | person2
        supplierNameCode | vendor carrier - | company2
        Material Shipped | product_name product_id | words""",
}
