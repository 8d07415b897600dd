"""Ids that differ only in case or Unicode form: told, and kept apart.

`ME-GIN` and `me-gin` may be one site typed twice, or two. Nothing here
decides that; the receipt says that they are there.

Next: provenance/ingest/times.py
"""

from __future__ import annotations

import unicodedata
from typing import Final

__all__ = ["SPACES", "Names", "folded"]

SPACES: Final = {
    "facility_id": "facility",
    "from_facility_id": "facility",
    "to_facility_id": "facility",
    "product_id": "product",
    "input_product_id": "product",
    "lot_id": "lot",
    "shipment_id": "shipment",
    "container_id": "container",
}
"""Fields whose ids are compared, and with which others."""
_KEPT: Final = 100_000


class Names:
    """The ids of one file, by what they are ids of; up to 100,000 of a kind are compared.

    Attributes:
        seen: What they are ids of -> the ids.
        alike: Likewise, those that differ from another only in case or Unicode form.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.seen: dict[str, set[str]] = {}
        self._folded: dict[str, dict[str, str]] = {}
        self.alike: dict[str, set[str]] = {}

    def settle(self) -> None:
        """Hold only what is asked for after the first pass."""
        self._folded.clear()

    def add(self, space: str, name: str) -> None:
        """Take note of an id."""
        seen = self.seen.setdefault(space, set())
        if name in seen or len(seen) >= _KEPT:
            return
        seen.add(name)
        first = self._folded.setdefault(space, {}).setdefault(folded(name), name)
        if first != name:
            self.alike.setdefault(space, set()).update((first, name))


def folded(name: str) -> str:
    """What names have in common that people may take for the same."""
    return (name if name.isascii() else unicodedata.normalize("NFKC", name)).casefold()
