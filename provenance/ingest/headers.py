"""What kind of file a header belongs to, and what to say when it belongs to none.

Next: provenance/ingest/mapping.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rapidfuzz import fuzz, process

from provenance.ingest.columns import KINDS, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["IGNORED_PREFIX", "data_columns", "recognise", "unknown_header"]

IGNORED_PREFIX: Final = "quarantine_"
"""Columns of a quarantine file that are no data."""

# The more a kind's key says, the earlier it is tried: a timesheet also has the
# key of labour, and labour that of facilities.
_BY_KEY: Final = sorted(KINDS.values(), key=lambda kind: -len(kind.key))
_ALIKE: Final = 70
_SHOWN: Final = 6


def data_columns(header: Sequence[str]) -> list[str]:
    """The columns of a header that hold data, folded as they are compared."""
    folded = (column.casefold() for column in header)
    return [column for column in folded if not column.startswith(IGNORED_PREFIX)]


def recognise(header: Sequence[str]) -> Kind | None:
    """Return the native kind with this header, or None.

    A key of several columns is proof enough. A key of one, such as `product_id`, may
    stand in any file, so half of the header must belong to the kind as well.
    """
    columns = data_columns(header)
    fits = [kind for kind in _BY_KEY if set(kind.key) <= set(columns)]
    if fits and len(fits[0].key) > 1:
        return fits[0]
    best = max(fits, key=lambda kind: _shared(kind, columns), default=None)
    if best is None or not 2 <= _shared(best, columns) >= len(columns) / 2:  # noqa: PLR2004
        return None
    return best


def _shared(kind: Kind, columns: Iterable[str]) -> int:
    return sum(column in kind.columns for column in columns)


def unknown_header(place: str, header: Sequence[str], mappings: Sequence[str]) -> str:
    """Say in one line which native columns come nearest, and what to do.

    Args:
        place: The file's name.
        header: As it stands in the file.
        mappings: Shipped mappings that have all the columns they need in it.
    """
    if mappings:
        return f"{place}: no native header, but that of a known export; use --mapping {mappings[0]}"
    columns = data_columns(header)
    kind, pairs = max(
        ((kind, _nearest(kind, columns)) for kind in KINDS.values()),
        key=lambda found: len(found[1]),
    )
    if not pairs:
        names = ", ".join(_shown(column) for column in columns[:_SHOWN])
        return f"{place}: no native column among its {len(columns)} ({names}...); use a --mapping"
    missing = [name for name in kind.key if name not in pairs.values()]
    likeness = ", ".join(
        f"{_shown(theirs)} ~ {ours}" for theirs, ours in list(pairs.items())[:_SHOWN]
    )
    lacking = f"; {', '.join(missing)} missing" if missing else ""
    return (
        f"{place}: unknown header, nearest is {kind.name} ({likeness}{lacking}); "
        "rename the columns or use a --mapping"
    )


def _shown(column: str) -> str:
    """A column name within one line."""
    return column if column.isprintable() else repr(column)


def _nearest(kind: Kind, columns: Sequence[str]) -> dict[str, str]:
    """The kind's columns that those of a header look like, each at most once."""
    pairs: dict[str, str] = {}
    for column in columns:
        free = [name for name in kind.columns if name not in pairs.values()]
        found = process.extractOne(
            column.replace(" ", "_"), free, scorer=fuzz.ratio, score_cutoff=_ALIKE
        )
        if found:
            pairs[column] = found[0]
    return pairs
