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

_MISSING = frozenset(
    {GapReason.UNKNOWN_LOT, GapReason.NO_LOT, GapReason.NO_INPUTS, GapReason.NO_ORIGIN}
)
"""The gaps that lie upstream; a shipment under way is none."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A far end of what is documented: one material from one place.

    Attributes:
        key: Its earliest item.
        lots: How many items of it there are.
        steps_back: How many transformations lie between it and the item asked for.
        material: Its product's name, else its product id.
        where: Where it was made; empty when that is not recorded.
        first: The day of the earliest making, ISO 8601; empty when that is not recorded.
        last: The day of the latest.
        who: The party that recorded the making.
    """

    key: ItemKey
    lots: int
    steps_back: int
    material: str
    where: str
    first: str
    last: str
    who: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much is on record.

    Attributes:
        documented: Items whose making is on record, the one asked for included.
        missing: Places where the trail to the origin breaks off: inputs, or the item itself,
            whose making is not on record.
        steps_back: How many transformations the records go back.
        erased: Events of the log that were erased; what is missing may have been among them.
        truncated: Whether a limit ended the search, so that the figures are lower bounds.
        sentence: The same in words.
    """

    documented: int
    missing: int
    steps_back: int
    erased: int
    truncated: bool
    sentence: str


def coverage(product: Product) -> Coverage:
    """Say how much of a product's past is on record."""
    if product.closed:
        return Coverage(0, 0, 0, 0, False, "Origins are recorded for each lot, not for a product.")
    lineage = product.upstream
    made = [key for key in lineage.depths if key in product.makings]
    missing = sum(gap.reason in _MISSING for gap in lineage.gaps)
    depth = max((lineage.depths[key] for key in made), default=0)
    sentence = _sentence(origins(product), missing, truncated=lineage.truncated)
    erased = product.reading.erased_events()
    if missing and erased:
        sentence = f"{sentence} {_erased(erased, missing)}"
    return Coverage(len(made), missing, depth, erased, lineage.truncated, sentence)


def _sentence(far: Sequence[Origin], missing: int, *, truncated: bool) -> str:
    if not far:
        return "Where it was made is not on record here."
    return f"{_reach(far)} {_rest(missing, truncated=truncated)}"


def _reach(far: Sequence[Origin]) -> str:
    first = far[0]
    place = first.where or f"the making of {first.material}"
    if len(far) == 1 and first.lots == 1 and first.first:
        place = f"{place} on {phrases.long_date(first.first)}"
    others = len(far) - 1
    more = f" and {others} other {'source' if others == 1 else 'sources'}" if others else ""
    return f"Documented back to {place}{more}."


def _rest(missing: int, *, truncated: bool) -> str:
    if truncated:
        return "The records go on beyond what is shown."
    if missing == 0:
        return "No recorded input is without a record of its own."
    return f"{missing} {'input has' if missing == 1 else 'inputs have'} no record."


def _erased(events: int, missing: int) -> str:
    what = "1 event of this log was erased" if events == 1 else f"{events} events were erased"
    return f"{what}, which may be why{'' if missing == 1 else ' of some'}."


def origins(product: Product) -> list[Origin]:
    """Return the far ends whose making is on record, the farthest first."""
    lineage = product.upstream
    made_of_others = {link.target for link in lineage.links}
    sources: dict[tuple[str, str, str], list[ItemKey]] = {}
    for key, making in product.makings.items():
        if key not in made_of_others:
            place = phrases.place(making.content, product.facilities)
            sources.setdefault((key.party, key.product_id, place), []).append(key)
    found = [_origin(keys, place, product) for (*_, place), keys in sources.items()]
    return sorted(found, key=lambda each: (-each.steps_back, each.where, each.material))


def _origin(keys: list[ItemKey], place: str, product: Product) -> Origin:
    makings = product.makings
    keys = sorted(keys, key=lambda key: str(makings[key].content.get("event_time", "")))
    first, last = makings[keys[0]].content, makings[keys[-1]].content
    master = product.materials.get((keys[0].party, keys[0].product_id), {})
    return Origin(
        key=keys[0],
        lots=len(keys),
        steps_back=max(product.upstream.depths.get(key, 0) for key in keys),
        material=str(master.get("name") or keys[0].product_id),
        where=place,
        first=phrases.date(first),
        last=phrases.date(last),
        who=str(first.get("party", keys[0].party)),
    )
