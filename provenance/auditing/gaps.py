"""Gaps: what is missing from the database must be named by an erasure entry, and only that.

Whoever can write the database can take an opening or a body out of it, and
every proof goes on verifying. So the audit asks of each gap which entry says
that it was made, and of each erasure whether it was carried out.

Next: provenance/auditing/openings.py
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from provenance import canonical
from provenance.disclosure.erased import NEVER, erasure_key, read_erasure
from provenance.entries import EntryType
from provenance.errors import EncodingError
from provenance.store.storage import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    import apsw

    from provenance.store.identity import Rows

__all__ = ["Gaps"]


class Gaps:
    """What the erasure entries of a log name, and how much of it is gone.

    Attributes:
        entries: The erasure entries that readers find.
        bodies: Bodies that are missing and were erased.
        openings: Openings that are missing and were erased.
    """

    def __init__(
        self, connection: apsw.Connection, problem: Callable[[str], None], *, openings: bool
    ) -> None:
        """Know of no erasure yet.

        Args:
            connection: The database.
            problem: Is told one line for each gap that nothing names, and the like.
            openings: Whether the database is meant to hold openings; a mirror's is not.
        """
        self.entries: set[int] = set()
        self.bodies = 0
        self.openings = 0
        self._connection = connection
        self._problem = problem
        self._openings = openings
        self._named: dict[int, dict[str | None, int]] = defaultdict(dict)
        self._indexes: list[int] = []

    def read(self, row_keys: Rows, origin: str) -> None:
        """Take up all erasures as readers find them; that they are as logged is checked later."""
        number = 1
        while (index := row_keys.index_of(erasure_key(origin, number))) is not None:
            self._read_one(index)
            number += 1
        self._indexes = sorted(self._named)

    def _read_one(self, index: int) -> None:
        self.entries.add(index)
        ask = "SELECT leaf, body FROM leaf JOIN body USING (idx) WHERE idx = ?"
        try:
            leaf, body = rows(self._connection, ask, index)[0]
            named = list(read_erasure(canonical.loads(body or b"")))
        except (EncodingError, LookupError, AttributeError):
            leaf, named = b"", []
        if leaf[4:5] != bytes([EntryType.ERASURE]) or not named:
            self._problem(f"body {index}: readers take it for an erasure, which it is not")
            return
        for erased, path in named:
            if erased >= index:
                self._problem(f"body {index}: erases what came after it, entry {erased}")
            else:
                self._named[erased][path] = index

    def missing_body(self, index: int, kind: int) -> None:
        """Judge that an entry has no body."""
        if kind in NEVER or None not in self._named.get(index, ()):
            self._problem(f"body {index}: missing, and no erasure in the log names it")
        else:
            self.bodies += 1

    def missing_openings(self, index: int, paths: Collection[str]) -> None:
        """Judge that commitments of an entry have no opening."""
        named = self._named.get(index, ())
        for path in paths if self._openings else ():
            if path in named:
                self.openings += 1
            else:
                self._problem(
                    f"opening {ascii(path)[1:-1]} of entry {index}: missing, and no erasure in the "
                    "log names it"
                )

    def still_there(self, start: int, stop: int, bodies: Mapping[int, bytes | None]) -> None:
        """Judge what of the entries start <= index < stop is stored although it was erased.

        Args:
            start: The first.
            stop: One past the last.
            bodies: Those that are stored.
        """
        first, last = bisect_left(self._indexes, start), bisect_left(self._indexes, stop)
        for index in self._indexes[first:last]:
            body = bodies.get(index)
            if body is None:
                continue
            stored, committed = self._stored(index), _committed(body)
            for path, erasure in self._named[index].items():
                if path is None:
                    self._problem(f"body {index}: still stored, though entry {erasure} erased it")
                elif path in stored:
                    self._problem(
                        f"opening {ascii(path)[1:-1]} of entry {index}: still stored, though entry "
                        f"{erasure} erased it"
                    )
                elif path not in committed:
                    self._problem(
                        f"body {erasure}: erases {ascii(path)[1:-1]} of entry {index}, which never "
                        "was there"
                    )

    def _stored(self, index: int) -> set[str]:
        ask = "SELECT CAST(path AS BLOB) FROM opening WHERE idx = ?"
        return {path.decode(errors="replace") for (path,) in rows(self._connection, ask, index)}

    def erasure(self, index: int) -> None:
        """Judge that an entry is an erasure: readers must find it."""
        if index not in self.entries:
            self._problem(f"event_id: readers do not find the erasure in entry {index}")


def _committed(body: bytes) -> Collection[Any]:
    try:
        committed: Collection[Any] = canonical.loads(body).get("_c", ())
    except (EncodingError, AttributeError):
        return ()  # the pass has said so
    return committed
