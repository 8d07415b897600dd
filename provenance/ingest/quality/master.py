"""What rows are compared with: the master data that the log holds, each looked up once.

Next: provenance/ingest/quality/checks.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from provenance.disclosure.privacy import open_entry
from provenance.entries import Identity, Tier
from provenance.errors import ProvenanceError
from provenance.ingest.quality.rules import Product, as_float

if TYPE_CHECKING:
    from provenance.entries import Content
    from provenance.ingest.ports import LogWriter

__all__ = ["MasterData"]

_KEPT: Final = 65_536
_UNKNOWN: Final = Product()


class MasterData:
    """Products and places of a log, as they are when they are first asked for."""

    def __init__(self, log: LogWriter) -> None:
        """Look up in `log`."""
        self._log = log
        self._products: dict[str, Product] = {}
        self._longitudes: dict[str, float | None] = {}

    def product(self, product_id: str) -> Product:
        """What is known of a product."""
        found = self._products.get(product_id)
        if found is None:
            content = self._latest("product", product_id)
            found = _UNKNOWN if not content else _product(content)
            if len(self._products) < _KEPT:
                self._products[product_id] = found
        return found

    def longitude(self, facility_id: str) -> float | None:
        """Degrees east of a site, or None."""
        if facility_id not in self._longitudes:
            if len(self._longitudes) >= _KEPT:
                self._longitudes.clear()
            found = self._latest("facility", facility_id).get("longitude")
            self._longitudes[facility_id] = _number(found)
        return self._longitudes[facility_id]

    def _latest(self, kind: str, name: str) -> Content:
        (known,) = self._log.known([Identity((kind, name))])
        if known is None:
            return {}
        try:
            return open_entry(self._log.entry(known.index), Tier.PRIVATE)
        except ProvenanceError:
            return {}  # `verify` says what is wrong with it; a row is not refused for that


def _product(content: Content) -> Product:
    unit = content.get("unit")
    weight, price = (_number(content.get(n)) for n in ("unit_weight_kg", "reference_value_usd"))
    return Product(unit if isinstance(unit, str) else None, weight or None, price or None)


def _number(value: Any) -> float | None:
    try:
        return None if value is None else as_float(value)
    except (LookupError, TypeError, ValueError):
        return None
