"""What goods cost: markets that move far, prices of a month, levels of trade."""

from __future__ import annotations

import numpy as np
import pandas as pd

from detectors.routes.additive import crossed, standing
from detectors.routes.value_misdeclared import ValueMisdeclared

NOISE = 0.03
_MONTH_US = 30 * 86_400_000_000


def trade(seed: int, size: int, *, goods: int, lanes: int, months: int) -> pd.DataFrame:
    """Loads of several goods on several lanes, each with its own price, noise apart."""
    dice = np.random.default_rng(seed)
    product, lane = dice.integers(0, goods, size), dice.integers(0, lanes, size)
    month = dice.integers(0, months, size)
    own = crossed(product, lane)
    return pd.DataFrame(
        {
            "product": product,
            "product_shipper": product,
            "product_lane": own,
            "to_number": lane,
            "buyer": 0,
            "seller": 0,
            "land": 0,
            "kin": 0,
            "month": month,
            "at": month * _MONTH_US + dice.integers(0, _MONTH_US, size),
            "amount": 100.0,
            "usd_grain": 0.0,
            "ratio": dice.normal(0, 1, goods)[product] + dice.normal(0, NOISE, size),
        }
    )


def test_partners_of_dear_months_are_not_taken_for_dear_ones() -> None:
    """A market rises while one partner follows another: what is whose is told in the end."""
    dice, table = np.random.default_rng(3), trade(4, 600, goods=6, lanes=1, months=24)
    product, month = table["product"].to_numpy(), table["month"].to_numpy()
    partner = (month // 6 + (dice.random(len(month)) < 0.15)) % 4
    own = crossed(product, partner)
    rise = np.linspace(1, 0.1, 6)[product] * np.interp(month, [0, 15, 19, 23], [0, 0.1, 0.65, 0.5])
    noise = dice.normal(0, NOISE, len(month))
    every = np.zeros_like(month)
    groupings = [(own, product), (month, every), (crossed(product, month), product)]
    hasty, settled = (
        standing(rise + noise, product, groupings, scale_by=product, floor=0.01, settled=one)
        for one in (False, True)
    )
    error = [float(np.std(one.residual - noise)) for one in (hasty, settled)]
    assert error[1] < 0.8 * NOISE
    assert error[1] < 0.8 * error[0]


def test_a_price_agreed_for_a_month_is_no_misdeclaration() -> None:
    """What all loads of a lane cost in a month is its price; one load among them is not."""
    table = trade(5, 1_500, goods=6, lanes=6, months=12)
    agreed = crossed(table["product_lane"].to_numpy(), table["month"].to_numpy())
    table["ratio"] += np.random.default_rng(6).normal(0, 3 * NOISE, agreed.max() + 1)[agreed]
    several = np.flatnonzero(np.bincount(agreed) >= 5)
    together, alone = agreed == several[0], np.flatnonzero(agreed == several[1])[0]
    table.loc[together, "ratio"] += 0.3
    table.loc[alone, "ratio"] += 0.3
    z = ValueMisdeclared().standing(table)["z"].to_numpy()
    assert np.abs(z[together]).max() < 4 < z[alone]


def test_a_level_of_trade_is_the_same_share_of_all_goods() -> None:
    """What shops pay over others for goods they hardly ever bought is read off all other goods."""
    table = trade(7, 600, goods=40, lanes=1, months=12)
    shop = np.random.default_rng(8).random(len(table)) < 0.3
    # A product of which shops bought but one load.
    shop[table["product"] == 0] = np.arange((table["product"] == 0).sum()) == 0
    only = np.flatnonzero(shop & (table["product"] == 0))[0]
    table["product_lane"] = crossed(table["product"].to_numpy(), shop.astype(np.int64))
    table["buyer"] = shop.astype(np.int64)
    table["ratio"] += np.where(shop, 0.5, 0)
    assert abs(ValueMisdeclared().standing(table)["residual"][only]) < 5 * NOISE
    table["seller"] = table["buyer"] = 0
    assert ValueMisdeclared().standing(table)["residual"][only] > 5 * NOISE


def test_goods_of_one_stage_tell_of_the_clearance_of_one_of_them() -> None:
    """Goods of a kind are cleared in the same months: the one load of one of them is none alone."""
    table = trade(9, 900, goods=9, lanes=1, months=12)
    product, month = table["product"].to_numpy(), table["month"].to_numpy()
    garment = product < 3
    # Of one garment a single load was sold in the month of the clearance.
    held = ~((product == 0) & (month == 4)) | (np.cumsum((product == 0) & (month == 4)) == 1)
    table["ratio"] -= np.where(garment & (month == 4), 0.4, 0)
    table = table[held].reset_index(drop=True)
    only = (table["product"] == 0) & (table["month"] == 4)
    z = [
        float(np.abs(ValueMisdeclared().standing(table.assign(kin=kin))["z"][only].iloc[0]))
        for kin in (table["product"] // 3, table["product"] % 3)
    ]
    assert z[0] < 2.5 < z[1]
