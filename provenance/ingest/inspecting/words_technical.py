"""Technical names of columns, as ERP systems export them: SAP's are short and German.

Next: provenance/ingest/inspecting/tokens.py
"""

from __future__ import annotations

from typing import Final

__all__ = ["TECHNICAL"]

_SAP: Final = """
VBELN shipment+delivery+number
POSNR EBELP ZEILE VGPOS line+number
LFART AUART BSART MTART MATKL category
KUNNR KUNAG KUNWE consignee+number
WERKS RESWK site
LGORT other
VSTEL site+shipped
MATNR product+number
MAKTX ARKTX TXZ01 MAKTG product+description
CHARG LICHN lot
LFIMG FKIMG MENGE KWMENG ERFMG LGMNG quantity
BSTMG planned+quantity
VRKME MEINS ERFME BSTME unit
BRGEW gross+weight
NTGEW net+weight
GEWEI weight+unit
VOLUM volume
WADAT planned+shipped+date
LFDAT EINDT EDATU VDATU planned+delivery+date
WADAT_IST shipped+date+actual
LFDAT_IST PODAT delivery+date+actual
ERDAT AEDAT CPUDT recorded+date
ERZET ERNAM AENAM USNAM other
BUDAT recorded+date
BLDAT recorded+date
BEDAT AUDAT order+date
FKDAT invoice+date
VFDAT expiry+date
HSDAT produced+date
VGBEL sales+order+number
AUBEL VBELV KDAUF sales+order+number
EBELN BSTNR BSTNK purchase+order+number
MBLNR document+number
MJAHR GJAHR other
XBLNR delivery+reference
TKNUM shipment+number
LIFNR vendor+number
EMLIF vendor+number
TDLNR SPDNR carrier+number
NAME1 party
ORT01 city
PSTLZ STRAS address
REGIO state
LAND1 country
HERKL country+origin
STAWN hs+code
EAN11 gtin
EXIDV sscc
SERNR serial+number
NETPR unit+price
PEINH per+unit
NETWR DMBTR WRBTR value
WAERS WAERK currency
VSART VSARTTR transport+mode
ROUTE other
INCO1 INCO2 incoterm
BOLNR bol+number
BWART event+code
"""
TECHNICAL: Final[dict[str, tuple[str, ...]]] = {
    name.casefold(): tuple(line.split()[-1].split("+"))
    for line in _SAP.strip().splitlines()
    for name in line.split()[:-1]
}
"""Name -> the concepts that it stands for."""
