"""Entries into their tables, whole columns at a time where SQLite can take them so.

A statement for every row costs more than the row. Leaves and bodies are handed
over as columns; so are the openings of entries that commit to the same paths as
their neighbours, as those of one delivery mostly do.

Next: provenance/store/writing.py
"""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Final

import apsw

from provenance.disclosure.privacy import SALT_SIZE
from provenance.disclosure.sealing import opened

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from provenance.disclosure.privacy import PlainOpening
    from provenance.disclosure.sealing import Shape
    from provenance.disclosure.subject_cipher import Encryption
    from provenance.store.preparing import Prepared

__all__ = ["insert_entries"]

_LONG_RUN: Final = 4
"""From how many entries alike on one statement for all is cheaper than one for each opening."""
_FEW: Final = 32
"""Openings of an entry up to which such a statement stays small."""


def insert_entries(
    connection: apsw.Connection,
    fresh: Prepared,
    leaves: Sequence[bytes],
    size: int,
    encryption: Encryption | None,
) -> None:
    """Insert entries with their bodies and openings.

    Args:
        connection: The database, in a transaction.
        fresh: What to insert.
        leaves: Their leaves.
        size: The index of the first.
        encryption: Encrypts the openings about data subjects, where such are.
    """
    # Where rows are numbered through, SQLite takes a column at a time; its rowids begin at 1.
    for ask, column in (
        ("INSERT INTO leaf SELECT ? + rowid, value FROM carray(?)", leaves),
        ("INSERT INTO body SELECT ? + rowid, value FROM carray(?)", fresh.bodies),
    ):
        connection.execute(ask, (size - 1, apsw.carray(tuple(column))))
    runs = [(shape, len(list(run))) for shape, run in groupby(fresh.shapes)]
    long = len(runs) * _LONG_RUN <= len(fresh.shapes)
    if encryption is None and long and all(len(paths) <= _FEW for (paths, _), _ in runs):
        _insert_runs(connection, runs, fresh.sealed, size)
        return
    each: Iterable[tuple[int, list[PlainOpening]]]
    each = enumerate(opened(fresh.shapes, fresh.sealed), size)
    if encryption is not None:
        pairs = zip(each, fresh.subjects, strict=True)
        each = ((index, encryption(index, about, own)) for (index, own), about in pairs)
    openings = [(index, *one) for index, own in each for one in own]
    connection.executemany("INSERT INTO opening VALUES (?, ?, ?, ?, ?)", openings)


def _insert_runs(
    connection: apsw.Connection,
    runs: Iterable[tuple[Shape, int]],
    sealed: Sequence[bytes],
    size: int,
) -> None:
    """Insert the openings of entries that commit to the same paths as their neighbours.

    Then SQLite can tell from an opening's place where it belongs, and takes them a run at a
    time: that costs half of what one by one does.
    """
    start = 0
    for (paths, tiers), count in runs:
        if paths:
            stop = start + count * len(paths)
            column = apsw.carray(tuple(sealed[start:stop]))
            connection.execute(_run(len(paths)), (size, column, *paths, *tiers))
            start = stop
        size += count


@lru_cache(maxsize=_FEW)
def _run(width: int) -> str:
    """Write the statement for entries with `width` openings each."""
    first = 3
    path, tier = (
        " ".join([f"WHEN {at} THEN ?{start + at}" for at in range(width)])
        for start in (first, first + width)
    )
    at = f"(rowid - 1) % {width}"
    return (
        f"INSERT INTO opening SELECT ?1 + (rowid - 1) / {width}, CASE {at} {path} END, "  # noqa: S608 - numbers
        f"CASE {at} {tier} END, substr(value, 1, {SALT_SIZE}), substr(value, {SALT_SIZE + 1}) "
        "FROM carray(?2)"
    )
