"""Products: which master data belongs to an item.

An item is declared by its maker; where the maker declared nothing, the latest
declaration of the same product id by anybody else stands in.

Next: detectors/units.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from detectors.columns import codes, firsts, numbers, positive, texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["catalogue", "find"]


def catalogue(products: pd.DataFrame) -> pd.DataFrame:
    """Put the product master data into one order and one meaning of "missing".

    Returns:
        One row per party and product in the order of the log: `party`, `product_id`, `unit`,
        `unit_weight_kg`, `input_product_id`, `rate` (input units per output unit), `hs_code`,
        `min_temperature_c` and `max_temperature_c` (degrees Celsius), `index`.
    """
    table = pd.DataFrame(
        {
            "party": texts(products, "party").to_numpy(),
            "product_id": texts(products, "product_id").to_numpy(),
            "unit": texts(products, "unit").to_numpy(),
            "unit_weight_kg": positive(products, "unit_weight_kg"),
            "input_product_id": texts(products, "input_product_id").to_numpy(),
            "rate": positive(products, "input_units_per_output_unit"),
            "hs_code": texts(products, "hs_code").to_numpy(),
            "min_temperature_c": numbers(products, "min_temperature_c"),
            "max_temperature_c": numbers(products, "max_temperature_c"),
            "index": products["index"].to_numpy(np.int64),
        }
    )
    table = table[table["product_id"].notna()].sort_values("index")
    table = table.drop_duplicates(["party", "product_id"], keep="last")
    return table.reset_index(drop=True)


def find(items: pd.DataFrame, known: pd.DataFrame) -> NDArray[np.int64]:
    """Return the catalogue row of each item, -1 where nobody declared the product.

    Args:
        items: With `item_party` and `product_id`.
        known: A `catalogue`.
    """
    by_product = known.drop_duplicates("product_id", keep="last")
    anyone = pd.Series(by_product.index, index=pd.Index(by_product["product_id"]))
    number = codes(items, ["item_party", "product_id"])
    kinds = items[["item_party", "product_id"]].iloc[firsts(number)]
    own = pd.MultiIndex.from_frame(known[["party", "product_id"]]).get_indexer(
        pd.MultiIndex.from_frame(kinds)
    )
    other = kinds["product_id"].map(anyone).fillna(-1).to_numpy(np.int64)
    return np.where(own >= 0, own, other)[number]
