"""What a custody gap says, in words: who had the goods, and what is missing.

Next: detectors/mass_balance.py
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from detectors.base import Account, Benign, Expected, Measure
from detectors.custody import stock
from detectors.rules import much, unit_in_words
from detectors.units import unit_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detectors.base import Case, Finding
    from detectors.features import Row

__all__ = ["account"]

_MOST_EVIDENCE: Final = 200
_CAVEAT: Final = (
    "It does not say that goods were stolen, swapped or added: a record can be incomplete "
    "while the goods are in order."
)
_UNSEEN: Final = "a hand-over that neither side scanned"


def account(case: Case) -> Account:
    """Put one gap into words, with the events it rests on."""
    row = case.row
    ship = case.shared.row(int(row["position"]))
    unit = unit_of(int(ship["product"]), ship["quantity_unit"], case.shared.products)
    words = _words(row, ship, unit, _last_holder(case, ship))
    amount, other = _finite(row["amount"]), _finite(row["other"])
    sentence, remedy, what, expected = words
    observed = amount if row["problem"] in ("holder", "quantity") else other
    return Account(
        evidence=_evidence(case, ship),
        observed=Measure(what, observed, unit_in_words(unit)),
        expected=expected,
        sentence=sentence,
        counterfactual=f"The flag would disappear if {remedy}.",
        benign=_benign(row),
        caveat=_CAVEAT,
    )


def _finite(value: float) -> float:
    return 0.0 if math.isnan(value) else float(value)


class _Words(NamedTuple):
    sentence: str
    remedy: str
    what: str
    expected: Expected


def _words(row: Mapping[str, Any], ship: Row, unit: object, last: str | None) -> _Words:
    match row["problem"]:
        case "holder" | "quantity":
            return _held_words(row, ship, unit, last)
        case _:
            return _arrived_words(row, ship, unit)


def _held_words(row: Mapping[str, Any], ship: Row, unit: object, last: str | None) -> _Words:
    amount, held = _finite(row["amount"]), _finite(row["other"])
    goods, shipper = f"lot {ship['lot_id']} of {ship['product_id']}", ship["shipper"]
    if row["problem"] == "quantity":
        had = much(held, unit)
        sentence = f"shipped {much(amount, unit)} of {goods}, but by the record it held {had}"
        remedy = f"{much(amount - held, unit)} more had arrived there, or {had} been shipped"
    else:
        where = f"; the record last shows it at {last}" if last else ""
        sentence = f"shipped {goods}, but nothing shows that it ever got it{where}"
        remedy = f"an event showed how {shipper} came by the lot"
    expected = Expected(0.0, held, unit_in_words(unit))
    return _Words(f"{shipper} {sentence}.", remedy, "quantity shipped", expected)


def _arrived_words(row: Mapping[str, Any], ship: Row, unit: object) -> _Words:
    amount, arrived = _finite(row["amount"]), _finite(row["other"])
    goods = f"{much(amount, unit)} of lot {ship['lot_id']} of {ship['product_id']}"
    shipper, to = ship["shipper"], ship["to_site"]
    if row["problem"] == "never arrived":
        sentence = f"{goods} left {shipper} for {to}, and nobody scanned it in"
        remedy = f"{to} recorded the receipt"
    else:
        more = "more" if arrived > amount else "less"
        change = f"{much(abs(arrived - amount), unit)} {more}"
        sentence = f"{shipper} shipped {goods}, and {much(arrived, unit)} arrived: {change}"
        remedy = f"the receipts added up to {much(amount, unit)}"
    expected = Expected(amount, amount, unit_in_words(unit))
    return _Words(f"{sentence}.", remedy, "quantity received", expected)


def _last_holder(case: Case, ship: Row) -> str | None:
    """Return the site that, by the record, got the lot last before the shipment."""
    flows = case.shared.flows_of(int(ship["lot"]))
    arrivals = flows.position[(flows.sign > 0) & (flows.at <= ship["at"])]
    return str(case.shared.row(int(arrivals[-1]))["site"]) if len(arrivals) else None


def _evidence(case: Case, ship: Row) -> tuple[int, ...]:
    """Name the events of the lot at the shipper and of the shipment, nearest in time first."""
    lot, shipment = case.shared.flows_of(int(ship["lot"])), ship["shipment_number"]
    own = lot.stock == stock(ship["lot"], ship["shipper_number"])
    related = own if (lot.sign[own] > 0).any() else np.ones(len(own), bool)
    travelled = case.shared.cells("shipment_number", lot.position)
    named = (lot.position >= 0) & (travelled == shipment) & (shipment >= 0)
    index, at = (np.append(one[related], one[named]) for one in (lot.entry, lot.at))
    found = index[np.lexsort((index, np.abs(at - ship["at"])))]
    return tuple(dict.fromkeys(found.tolist()))[:_MOST_EVIDENCE]


def _benign(row: Mapping[str, Any]) -> tuple[Benign, ...]:
    forgotten = "receipt" in row["benign"]
    slip: Finding = "likely" if row["benign"] and not forgotten else "ruled out"
    unscanned: Finding = "likely" if forgotten else "ruled out"
    if row["problem"] == "less arrived":
        unscanned = "possible"
    unseen = (Benign(_UNSEEN, "possible"),) if row["problem"] == "holder" else ()
    return (
        *unseen,
        Benign("a receipt that was not scanned", unscanned),
        Benign(row["benign"] if slip == "likely" else "a wrong unit of measure", slip),
        Benign("a receipt scanned late, or clocks that differ", "ruled out"),
        Benign("weighing, rounding and ordinary loss", "ruled out"),
    )
