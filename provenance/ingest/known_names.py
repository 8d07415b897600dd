"""Ids that differ only in case or Unicode form from one that an earlier file had.

Beside the log lies an index of the ids of the tables that were ingested here: a
keyed digest of each, under that of its folded form. It holds no id, and nobody
without the workspace's secret can test a guess with it. It only helps people to
see a slip: without it, or where it is damaged, ingest goes on and compares less.

Next: provenance/ingest/files.py
"""

from __future__ import annotations

import logging
from contextlib import contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING, Final

import apsw

from provenance.hashing import keyer_each
from provenance.ingest.alike import folded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from provenance.ingest.alike import Names

__all__ = ["KnownNames", "comparing"]

_LOG: Final = logging.getLogger(__name__)
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS name (folded BLOB, name BLOB, PRIMARY KEY (folded, name)) WITHOUT ROWID
"""
_SIZE: Final = 16
_AT_ONCE: Final = 500
_WAIT_MS: Final = 5_000


class KnownNames:
    """The index of a workspace."""

    def __init__(self, path: Path, secret: bytes) -> None:
        """Use the file at `path`, which is made when there is something to remember."""
        self._path = path
        self._digests = keyer_each(secret, "provenance 2026-11 names alike v1", _SIZE)

    def compare(self, names: Names) -> None:
        """Add to `names.alike` what differs from an id of an earlier file only in its form."""

        def look(db: apsw.Connection) -> None:
            for space, seen in names.seen.items():
                for some in _groups(iter(seen)):
                    for name in self._alike(db, space, some):
                        names.alike.setdefault(space, set()).add(name)

        if self._path.exists():
            self._use(look)

    def remember(self, names: Names) -> None:
        """Keep the ids of a file, for the files that come after it.

        A crash before it: they are not compared with, until the file comes again.
        """

        def write(db: apsw.Connection) -> None:
            with db:
                for space, seen in names.seen.items():
                    rows = sorted(self._keys(space, list(seen)))
                    db.executemany("INSERT OR IGNORE INTO name VALUES (?, ?)", rows)

        if any(names.seen.values()):
            self._use(write)

    def _alike(self, db: apsw.Connection, space: str, names: list[str]) -> Iterator[str]:
        keys = dict(zip(names, self._keys(space, names), strict=True))
        marks = ",".join("?" * len(keys))
        wanted = [key for key, _ in keys.values()]
        held: dict[bytes, set[bytes]] = {}
        for key, name in db.execute(
            f"SELECT folded, name FROM name WHERE folded IN ({marks})",  # noqa: S608 - marks only
            wanted,
        ):
            held.setdefault(key, set()).add(name)
        for text, (key, name) in keys.items():
            if held.get(key, set()) - {name}:
                yield text

    def _keys(self, space: str, names: list[str]) -> list[tuple[bytes, bytes]]:
        """The digests of each name, that of its folded form first."""
        forms = self._digests(f"{space}\0{folded(name)}".encode() for name in names)
        wholes = self._digests(f"{space}\0\0{name}".encode() for name in names)
        return list(zip(forms, wholes, strict=True))

    def _use(self, action: Callable[[apsw.Connection], None]) -> None:
        """Do something with the index; one that cannot be used is said to be so, and no more."""
        db = None
        try:
            db = apsw.Connection(str(self._path))
            self._path.chmod(0o600)
            db.set_busy_timeout(_WAIT_MS)
            db.execute(_SCHEMA)
            action(db)
        except (apsw.Error, OSError) as error:
            _LOG.warning("%s: ids are not compared with earlier files: %s", self._path, error)
            if isinstance(error, apsw.NotADBError | apsw.CorruptError):
                with suppress(OSError):
                    self._path.unlink()
        finally:
            if db is not None:
                db.close()


@contextmanager
def comparing(known: KnownNames | None, names: Names) -> Iterator[None]:
    """Compare the ids of a file before it is logged, and remember them afterwards."""
    if known is not None:
        known.compare(names)
    yield
    if known is not None:
        known.remember(names)


def _groups(names: Iterator[str]) -> Iterator[list[str]]:
    while some := list(islice(names, _AT_ONCE)):
        yield some
