"""How much of an item's past is on record: the far ends, the gaps, and one sentence.

Missing data is said to be missing. "Complete" only ever means that no input on
record lacks a record of its own; what was never recorded cannot be counted.

Next: api/story.py
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from api import phrases
from graph.lineage import GapReason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.product import Product
    from provenance.identifiers import ItemKey

__all__ = ["Coverage", "Origin", "coverage", "origins"]

_ORIGINS_SHOWN = 12
_MISSING = frozenset(
    {GapReason.UNKNOWN_LOT, GapReason.NO_LOT, GapReason.NO_INPUTS, GapReason.NO_ORIGIN}
)
"""The gaps that lie upstream; a shipment under way is none."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A material at the far end of what is documented.

    Attributes:
        key: The item.
        steps_back: How many transformations lie between it and the item asked for.
        material: Its product's name, else its product id.
        where: Where it was made; empty when that is not recorded.
        when: On which day; empty when that is not recorded.
        who: The party that recorded its making.
    """

    key: ItemKey
    steps_back: int
    material: str
    where: str
    when: str
    who: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much is on record.

    Attributes:
        documented: Items whose making is on record, the one asked for included.
        missing: Inputs without a record.
        steps_back: How many transformations the records go back.
        truncated: Whether a limit ended the search, so that the figures are lower bounds.
        sentence: The same in words.
    """

    documented: int
    missing: int
    steps_back: int
    truncated: bool
    sentence: str


def coverage(product: Product) -> Coverage:
    """Say how much of a product's past is on record."""
    if product.closed:
        return Coverage(0, 0, 0, False, "Origins are recorded for each lot, not for a product.")
    lineage = product.upstream
    made = [key for key in lineage.depths if key in product.makings]
    missing = sum(gap.reason in _MISSING for gap in lineage.gaps)
    depth = max((lineage.depths[key] for key in made), default=0)
    sentence = f"{_reach(origins(product))} {_rest(missing, truncated=lineage.truncated)}"
    return Coverage(len(made), missing, depth, lineage.truncated, sentence)


def _reach(far: Sequence[Origin]) -> str:
    if not far:
        return "Where it was made is not on record here."
    first = far[0]
    place = first.where or f"the making of {first.material}"
    when = f" on {first.when}" if first.when else ""
    return f"Documented back to {place}{when}{_others(len(far) - 1)}."


def _others(count: int) -> str:
    if count == 0:
        return ""
    return f" and {count} other {'source' if count == 1 else 'sources'}"


def _rest(missing: int, *, truncated: bool) -> str:
    if truncated:
        return "The records go on beyond what is shown."
    if missing == 0:
        return "No recorded input is without a record of its own."
    return f"{missing} {'input has' if missing == 1 else 'inputs have'} no record."


def origins(product: Product) -> list[Origin]:
    """Return the far ends whose making is on record, the farthest first, at most twelve."""
    lineage = product.upstream
    made_of_others = {link.target for link in lineage.links}
    far = [key for key in product.makings if key not in made_of_others]
    far.sort(key=lambda key: (-lineage.depths.get(key, 0), key[:2], key.lot_id or ""))
    return [_origin(key, product) for key in far[:_ORIGINS_SHOWN]]


def _origin(key: ItemKey, product: Product) -> Origin:
    making = product.makings[key].content
    master = product.materials.get((key.party, key.product_id), {})
    return Origin(
        key=key,
        steps_back=product.upstream.depths.get(key, 0),
        material=str(master.get("name") or key.product_id),
        where=phrases.place(making, product.facilities),
        when=phrases.day(making),
        who=str(making.get("party", key.party)),
    )
