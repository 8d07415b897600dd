"""What goods cost over the two years, as a factor on their reference value.

Cocoa nearly doubles in the world's books and falls again, cotton softens,
shops clear their rails in winter and late summer: everybody's prices move.

Next: samples/freight.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from samples.goods import Product
    from samples.places import Site

__all__ = ["price_factor"]

_FIRST = 2022 * 12 + 9  # October 2022
_COCOA = [96, 97, 98, 100, 102, 104, 107, 109, 114, 118, 121, 125]
_COCOA += [128, 133, 137, 142, 156, 178, 190, 184, 176, 170, 166, 160]
_COTTON = [112, 109, 106, 104, 103, 102, 101, 100, 99, 100, 101, 101]
_COTTON += [99, 97, 96, 96, 99, 101, 99, 96, 94, 92, 91, 91]
_SHARE_OF_RAW = {0: 1.0, 1: 1.0, 2: 0.7, 3: 0.3, 4: 0.25, 5: 0.15}  # of the price, by stage
_CLEARANCE_MONTHS = {1, 2, 8}
_CLEARANCE = 0.68


def price_factor(product: Product, target: Site, when: datetime) -> float:
    """Return the market's factor on a product's reference value.

    Args:
        product: What is sold.
        target: Who buys; shops get clearance prices for garments.
        when: When.

    Returns:
        A factor around 1.
    """
    month = min(max(when.year * 12 + when.month - 1 - _FIRST, 0), len(_COCOA) - 1)
    index = (_COCOA if product.chain == "chocolate" else _COTTON)[month] / 100
    share = _SHARE_OF_RAW[product.stage]
    factor = 1 + (index - 1) * share
    if target.kind == "retailer" and product.id.startswith("GAR"):
        factor *= _CLEARANCE if when.month in _CLEARANCE_MONTHS else 1.1
    return factor
