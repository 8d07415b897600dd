"""Misdeclared value: a shipment priced far from what its like cost at the time.

Value per unit is held against the product, its price of the month, its shipper,
its buyer and its amount, in both directions: too low saves duty, too high moves
money out.

Next: detectors/routes/dwell_anomaly.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import pandas as pd

from detectors.base import Account, Benign, Expected, Measure, PeerGroup
from detectors.columns import texts
from detectors.routes.additive import crossed, standing, steps
from detectors.routes.company import in_company
from detectors.routes.shipments import declared, smallness
from detectors.routes.statistical import LATER_TOO, Statistical
from detectors.rules import not_judged, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.base import Abstention, Case
    from detectors.features import Features
    from detectors.routes.additive import Effects

__all__ = ["ValueMisdeclared"]

FLOOR: Final = 0.02
"""Rounding of currencies and of invoices alone makes 2 % of difference."""
SHORT_DAYS: Final = 10
"""Prices may move within a month."""
PRICE_ACTION: Final = "a clearance or another price for several at once"
ACTION_DAYS: Final = 60
COMPANY: Final = 3
COMPANY_SHARE: Final = 0.15
"""So many odd ones, and such a share of the product's shipments of those weeks, are an action."""
_DAY_US: Final = 86_400_000_000


class ValueMisdeclared(Statistical):
    """Is the shipment worth what such goods cost at that time?"""

    name: Final = "value_misdeclared"
    type: Final = "value_misdeclared"
    version: Final = "7"
    closing = LATER_TOO
    reads: Final = (
        "event/1 /declared_value_usd",
        "event/1 /event_time",
        "event/1 /items",
        "event/1 /from_facility_id",
        "event/1 /shipment_id",
        "event/1 /to_facility_id",
        "facility/1 /country",
        "facility/1 /facility_type",
        "product/1 /chain",
        "product/1 /stage",
    )
    constants: ClassVar[Mapping[str, float | int | str]] = {
        "least_spread": FLOOR,
        "short_days": SHORT_DAYS,
        "price_action_days": ACTION_DAYS,
        "price_action_least": COMPANY,
        "price_action_share": COMPANY_SHARE,
    }

    def cases(self, shared: Features) -> tuple[pd.DataFrame, tuple[Abstention, ...]]:
        """Take every shipment with a value and a quantity."""
        table, several = declared(shared)
        known = (table["usd"] > 0) & (table["amount"] > 0)
        reasons = {
            "a shipment of several items under one value": several,
            "no value or no quantity": table["subject_id"][~known],
        }
        table = table[known].reset_index(drop=True)
        ratio = np.log(table["usd"].to_numpy() / table["amount"].to_numpy())
        buyer = _of_sites(shared, table["to_site"], "facility_type")
        seller = _of_sites(shared, table["shipper"], "facility_type")
        land = _of_sites(shared, table["shipper"], "country")
        kin = _kin(shared, table["product_id"])
        table = table.assign(ratio=ratio, buyer=buyer, seller=seller, land=land, kin=kin)
        return table, not_judged(self.name, reasons)

    def standing(self, window: pd.DataFrame) -> pd.DataFrame:
        """Hold value per unit against product, shipper, lane and the market of the days around."""
        at, product = window["at"].to_numpy(), window["product"].to_numpy()
        expected = standing(
            window["ratio"].to_numpy(),
            product,
            _groupings(window),
            scale_by=product,
            floor=FLOOR,
            grain=window["usd_grain"].to_numpy(),
            unrest=[smallness(window)],
            alike=True,
            settled=True,
        )
        z = expected.residual / expected.spread
        # Shops clear all their rails at once: what one kind of buyer pays moves together, too.
        action = _together(z, at, product) | _together(z, at, window["buyer"].to_numpy())
        return pd.DataFrame(
            {
                "z": z,
                "residual": expected.residual,
                "spread": expected.spread,
                "peers": pd.Series(product).groupby(product).transform("size"),
                "benign": np.where(action, PRICE_ACTION, ""),
            }
        )

    def explain(self, case: Case) -> Account:
        """Say what it is valued at, and what that much usually costs."""
        return _account(case.row, case.threshold)


def _groupings(window: pd.DataFrame) -> list[Effects]:
    """Return what a price may depend on, and whose prices depend on it alike.

    The level of trade comes first: what a shop pays over a factory's buyer is the same share of all
    goods. Then partners and amounts, the markets of kinds of buyers and the product's own: goods of
    one stage of a chain are cleared in the same months, so where few of a product are sold, its
    kin tell. Last comes what only explains what these leave: prices agreed between two firms for a
    month, buyers that pay more for everything, and what moves a whole country's prices, as its
    currency does.
    """
    product, shipper = window["product"].to_numpy(), window["product_shipper"].to_numpy()
    buyer, month = window["buyer"].to_numpy(), window["month"].to_numpy()
    lane, level = window["product_lane"].to_numpy(), crossed(window["seller"].to_numpy(), buyer)
    market, every = crossed(product, buyer), np.zeros_like(product)
    trade = crossed(window["kin"].to_numpy(), buyer)
    amount = steps(window["amount"].to_numpy(), product)
    days = window["at"].to_numpy() // (SHORT_DAYS * _DAY_US)
    return [
        (level, every),
        (shipper, product),
        (lane, product),
        (market, product),
        (every, every, amount),
        (product, every, amount),
        (crossed(buyer, month), buyer),
        (month, every),
        (crossed(trade, month % 12), trade),
        (crossed(trade, month), trade),
        (crossed(market, month % 12), market),
        (crossed(market, month), market),
        (crossed(product, month // 6), product),
        (crossed(product, month), product),
        (crossed(product, days), product),
        (crossed(shipper, month), product),
        (crossed(lane, month), product),
        (window["to_number"].to_numpy(), every),
        (crossed(window["land"].to_numpy(), month), every),
    ]


_ODD: Final = 2.5


def _of_sites(shared: Features, sites: pd.Series, column: str) -> NDArray[np.int64]:
    """Number what the master data say of sites; what is unknown is one more."""
    source = shared.frames.facilities
    known = texts(source, column).set_axis(texts(source, "facility_id").to_numpy())
    known = known[known.index.notna() & ~known.index.duplicated(keep="last")]
    return np.asarray(pd.factorize(sites.map(known).fillna(""), sort=True)[0], np.int64)


def _kin(shared: Features, goods: pd.Series) -> NDArray[np.int64]:
    """Number the goods' chains and stages within them; what is unknown is one more."""
    source = shared.frames.products
    known = [texts(source, "chain").fillna(""), source["stage"].astype("string").fillna("")]
    kin = (known[0] + " " + known[1]).set_axis(texts(source, "product_id").to_numpy())
    kin = kin[kin.index.notna() & ~kin.index.duplicated(keep="last")]
    return np.asarray(pd.factorize(goods.map(kin).fillna(""), sort=True)[0], np.int64)


def _together(
    z: NDArray[np.float64], at: NDArray[np.int64], market: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Mark odd values in company: a fair share of their market's of those weeks, the same way."""
    marked = np.zeros(len(z), bool)
    for odd in (z >= _ODD, z <= -_ODD):
        marked |= in_company(
            odd,
            at,
            market,
            reach_us=ACTION_DAYS * _DAY_US // 2,
            least=COMPANY - 1,
            share=COMPANY_SHARE,
            asked=odd,
        )
    return marked


def _account(row: Mapping[str, Any], threshold: float) -> Account:
    usual = row["usd"] / np.exp(row["residual"])
    away = np.exp(threshold * row["spread"])
    low, high = usual / away, usual * away
    return Account(
        evidence=(),
        observed=Measure("declared value", row["usd"], "USD"),
        expected=Expected(low, high, "USD"),
        peer_group=PeerGroup(
            f"shipments of {row['product_id']} at the prices of the time", int(row["peers"])
        ),
        sentence=(
            f"{plain(row['amount'])} of {row['product_id']} from {row['shipper']} is valued at "
            f"{plain(row['usd'])} USD, {plain(np.exp(row['residual']))} times what such a shipment "
            f"usually was at the time ({plain(usual)} USD)."
        ),
        counterfactual=(
            f"The flag would disappear if the value were between {plain(low)} and "
            f"{plain(high)} USD."
        ),
        benign=(
            Benign("a price that moved with the market", "ruled out"),
            Benign(PRICE_ACTION, "ruled out"),
            Benign("prices usual between these two firms, or agreed for a month", "ruled out"),
            Benign("rounding, or a rate of exchange of another day", "ruled out"),
            Benign("samples, second quality or a sale of remainders", "not checked"),
        ),
        caveat=(
            "It does not say that a value was declared wrongly on purpose, nor what the right "
            "value is."
        ),
    )
