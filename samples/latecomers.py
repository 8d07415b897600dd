"""A file that arrives late: scans found in a handheld's memory, some of them spoilt.

Next: samples/generate.py
"""

from __future__ import annotations

from samples.goods import gs1_check_digit

__all__ = ["SPOILT", "late_rows"]

_GOOD = 4
# Systems whose times can be read without looking at the rest of a large file.
_PLAIN = frozenset(("agri-app", "mill-erp", "portlink", "sap-west"))
_SPOILERS = (
    ("event_time", "2024-02-30T09:14:00+01:00"),  # no such day
    ("quantity", "-{}"),
    ("gtin", ""),  # gets a wrong check digit
    ("event_type", "teleport"),
    ("latitude", "151.2800"),  # no such place on earth
)
SPOILT = len(_SPOILERS)


def late_rows(missed: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return the late file, made of scans that are missing in the main export.

    Args:
        missed: The rows of the missed scans.

    Returns:
        Up to `SPOILT` rows that no reader should accept, then up to four good ones.
    """
    found = [cells for cells in missed if cells["source_system"] in _PLAIN]
    late = []
    for column, value in _SPOILERS:
        fitting = [cells for cells in found if column != "gtin" or "gtin" in cells]
        if not fitting:
            continue
        cells = fitting[-1]
        found.remove(cells)
        late.append(cells | {column: _spoil(cells, column, value)})
    return late + found[:_GOOD]


def _spoil(cells: dict[str, str], column: str, value: str) -> str:
    """Return the cell that replaces a good one."""
    if column == "gtin":
        body = cells["gtin"][:-1]
        return body + str((int(gs1_check_digit(body)) + 1) % 10)
    return value.format(cells.get(column, ""))
