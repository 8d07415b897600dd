"""Checking the openings of ranges of entries, here or in a process of its own.

An audit of a large log spends most of its time with openings, and those of one
entry say nothing about those of another. So the audit hands ranges of entries
to processes that run this module, and takes back what is to be said, in order.
What it hands over is small: which entries govern the log, and where the ranges
begin and end. All else each process reads from the database by itself, and
from the file of subject keys; no secret passes between them.

Such a process ends when its input does, so none outlives the audit.

Next: provenance/auditing/team.py
"""

from __future__ import annotations

import gc
import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from provenance.auditing.openings import Openings
from provenance.auditing.report import MOST_PROBLEMS
from provenance.clock import system_entropy
from provenance.store.register import Register
from provenance.store.storage import connect, rows
from provenance.store.subjects import SubjectKeys

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import apsw

__all__ = ["Checker", "Found", "state_of"]


class Found(NamedTuple):
    """What was found between two bounds.

    Attributes:
        missing: Commitments without a stored opening.
        locked: Openings that could not be checked.
        said: In order, lines about what differs; and index and paths of what is missing, which
            the log's erasures may name.
    """

    missing: int
    locked: int
    said: list[str | tuple[int, list[str]]]


class Checker:
    """Checks ranges, of one snapshot."""

    def __init__(self, connection: apsw.Connection, subjects: SubjectKeys | None) -> None:
        """Read through `connection`, within its transaction; decrypt with `subjects`."""
        self._connection = connection
        self._openings = Openings(connection, self._tell, self._miss)
        self._openings.subjects = subjects
        self._said: list[str | tuple[int, list[str]]] = []
        self._lines = 0
        self._governing: Sequence[int] = ()
        self._register: Register | None = None

    def check(self, governing: Sequence[int], bounds: Sequence[int]) -> list[Found]:
        """Check the openings of some entries.

        Args:
            governing: The entries of the register, as far as they were found good.
            bounds: Where the first range begins, where each ends and the next begins.

        Returns:
            What was found in each range.
        """
        self._lines = 0
        if governing != self._governing:
            self._register, self._governing = self._replayed(governing), governing
        found = []
        for start, stop in pairwise(bounds):
            openings, self._said = self._openings, []
            missing, locked = openings.missing, openings.locked
            openings.check_stored(start, stop, self._register)
            found.append(Found(openings.missing - missing, openings.locked - locked, self._said))
        return found

    def _tell(self, line: str) -> None:
        # More of them a report does not hold, whatever comes before.
        self._lines += 1
        if self._lines <= MOST_PROBLEMS:
            self._said.append(line)

    def _miss(self, index: int, paths: Collection[str]) -> None:
        self._said.append((index, [*paths]))

    def _replayed(self, governing: Sequence[int]) -> Register | None:
        register = None
        for index in governing:
            body = rows(self._connection, "SELECT body FROM body WHERE idx = ?", index)[0][0]
            register = register.followed(index, body) if register else Register.founded(body)
        return register


def state_of(connection: apsw.Connection) -> str:
    """Write down which log this is, and how far it has come: the row of its head."""
    return repr(rows(connection, "SELECT * FROM head"))


def _say(what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Answer the lines of standard input, one each, until it ends."""
    given = json.loads(sys.stdin.readline())
    connection = connect(Path(given["database"]), readonly=True)
    connection.execute("BEGIN")
    _say(state_of(connection))
    # Keys are found by their ids here, for which the secret is not needed.
    keys = given["subjects"]
    subjects = SubjectKeys(Path(keys), bytes(32), system_entropy) if keys else None
    checker = Checker(connection, subjects)
    gc.freeze()
    gc.disable()  # looking for cycles among thousands of rows costs a tenth, and there are none
    for line in sys.stdin:
        _say(checker.check(*json.loads(line)))


if __name__ == "__main__":
    main()
