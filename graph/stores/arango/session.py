"""Talking to ArangoDB: signing in, what is repeated, and its errors as ours.

A server may be away, restarted, busy, or in the middle of choosing another leader.
Such work is repeated as a whole, with growing pauses, until the patience set is
over. That is safe: reading changes nothing, and a batch that was applied is not
applied again, since the position is read first within the same transaction. What
repeating cannot mend (a wrong password, a full disk) is said at once.

Next: graph/stores/arango/encoding.py
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import requests
from arango.client import ArangoClient
from arango.errno import (
    CLUSTER_AQL_COMMUNICATION,
    CLUSTER_BACKEND_UNAVAILABLE,
    CLUSTER_CONNECTION_LOST,
    CLUSTER_LEADERSHIP_CHALLENGE_ONGOING,
    CLUSTER_NOT_LEADER,
    CLUSTER_SHARD_LEADER_REFUSES_REPLICATION,
    CLUSTER_SHARD_LEADER_RESIGNED,
    CLUSTER_TIMEOUT,
    CONFLICT,
    CURSOR_NOT_FOUND,
    DATABASE_NOT_FOUND,
    DEADLOCK,
    FILESYSTEM_FULL,
    LOCK_TIMEOUT,
    LOCKED,
    QUEUE_FULL,
    QUEUE_TIME_REQUIREMENT_VIOLATED,
    READ_ONLY,
    RESOURCE_LIMIT,
    SHUTTING_DOWN,
    STARTING_UP,
    TRANSACTION_ABORTED,
    TRANSACTION_INTERNAL,
    TRANSACTION_NOT_FOUND,
)
from arango.exceptions import ArangoClientError, ArangoServerError
from arango.http import DefaultHTTPClient
from urllib3.util import Retry

from provenance.clock import monotonic
from provenance.errors import (
    StorageError,
    UsageError,
    WorkspaceLocked,
    WorkspaceReadOnly,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from arango.database import StandardDatabase

    from graph.place import ArangoPlace

__all__ = ["Session", "TransactionLost", "password_of"]

_T = TypeVar("_T")

_DEFAULT: Final = "provenance"
_DATABASE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}\Z")
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0
_COMMAND_SECONDS: Final = 30
_LOST: Final = frozenset(
    [
        TRANSACTION_ABORTED,
        TRANSACTION_NOT_FOUND,
        TRANSACTION_INTERNAL,
        CURSOR_NOT_FOUND,
    ]
)
"""The server no longer knows what was going on: it was restarted, or it took too long."""
_BUSY: Final = frozenset([CONFLICT, LOCK_TIMEOUT, LOCKED, DEADLOCK])
_AWAY: Final = frozenset(
    [
        SHUTTING_DOWN,
        STARTING_UP,
        CLUSTER_TIMEOUT,
        CLUSTER_CONNECTION_LOST,
        CLUSTER_BACKEND_UNAVAILABLE,
        CLUSTER_SHARD_LEADER_RESIGNED,
        CLUSTER_SHARD_LEADER_REFUSES_REPLICATION,
        CLUSTER_LEADERSHIP_CHALLENGE_ONGOING,
        CLUSTER_NOT_LEADER,
        CLUSTER_AQL_COMMUNICATION,
        QUEUE_FULL,
        QUEUE_TIME_REQUIREMENT_VIOLATED,
    ]
)
_FULL: Final = frozenset([FILESYSTEM_FULL, RESOURCE_LIMIT])
_UNAVAILABLE: Final = frozenset([429, 502, 503, 504])
_INSUFFICIENT_STORAGE: Final = 507
_UNAUTHORIZED, _FORBIDDEN = 401, 403


class TransactionLost(Exception):  # noqa: N818 - a state, handled here and never shown
    """Work within a transaction cannot be gone on with; as a whole it can be repeated."""


class _Client(DefaultHTTPClient):
    """Sends requests as they are, whatever a .netrc or proxies of the environment would make."""

    def create_session(self, host: str) -> requests.Session:
        session = super().create_session(host)
        session.trust_env = False
        for adapter in session.adapters.values():
            # The driver's own would hide what a 500 or a 503 says.
            adapter.max_retries = Retry(0, read=False)  # type: ignore[attr-defined]
        return session


class Session:
    """A connection to one database, which is not used before the first request.

    Attributes:
        database: The database, for work outside transactions.
        database_name: Its name.
        name: What it is called in messages: hosts and database.
    """

    def __init__(
        self,
        hosts: str,
        place: ArangoPlace,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """Prepare to talk to `hosts`: addresses with commas between them, then /database.

        Raises:
            UsageError: There are none, a setting cannot be, or the password is not to be had.
        """
        place.check()
        self._hosts, self.database_name = _read(hosts)
        self._place = place
        self._sleep = sleep
        self.name = f"arangodb:{','.join(self._hosts)}/{self.database_name}"
        # Repeating is done here, where it is known what may be repeated.
        http = _Client(request_timeout=place.timeout, retry_attempts=0)
        certificate = place.ca_file or None
        self._client = ArangoClient(self._hosts, http_client=http, verify_override=certificate)
        self._password = password_of(place)
        self.database = self.sign_in(self.database_name)

    def sign_in(self, database: str) -> StandardDatabase:
        """Return a database of this server; nothing is sent yet."""
        return self._client.db(database, self._place.user, self._password)

    def close(self) -> None:
        """Give the connections up."""
        self._client.close()

    def run(self, work: Callable[[], _T], *, within: bool = False, again: bool = True) -> _T:
        """Do some work, and all of it again while the server is away or busy.

        Args:
            work: Can be repeated as a whole, if `again`.
            within: It belongs to a transaction that is under way: if that was lost, repeating
                would ask another state.
            again: Whether it can be repeated.

        Raises:
            StorageError: The server refused, or stayed away for too long.
            WorkspaceLocked: Others were writing for too long.
            WorkspaceReadOnly: The server or the user may not write.
        """
        until, pause = monotonic() + self._place.patience, _FIRST_PAUSE
        while True:
            try:
                return work()
            except (
                ArangoServerError,
                ArangoClientError,
                OSError,
                TransactionLost,
            ) as error:
                problem = self._translated(error, within=within)
                if not (again and problem.passes) or monotonic() + pause > until:
                    raise problem.error from None
            self._sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _translated(self, error: Exception, *, within: bool) -> _Problem:
        if isinstance(error, ArangoServerError):
            return self._refused(error, within=within)
        if isinstance(error, TransactionLost):
            return self._lost(within=within)
        if isinstance(error, requests.Timeout):
            what = f"{self.name}: no answer within {self._place.timeout:g} s; is it overloaded?"
            return _Problem(
                StorageError(f"{what} Nothing is lost, it catches up later"),
                passes=True,
            )
        if isinstance(error, (OSError, requests.RequestException)):
            what = f"{self.name}: cannot be reached; is it running, and is the address right?"
            return _Problem(
                StorageError(f"{what} Nothing is lost, it catches up later"),
                passes=True,
            )
        return _Problem(StorageError(f"{self.name}: {error}"), passes=False)

    def _lost(self, *, within: bool) -> _Problem:
        what = f"{self.name}: it lost the state that was read (restarted?); ask again"
        return _Problem(StorageError(what), passes=not within)

    def _refused(self, error: ArangoServerError, *, within: bool) -> _Problem:
        number, status = error.error_code, error.http_code
        said = f"{self.name}: {error.error_message or error} (error {number or status})"
        if number in _LOST:
            return self._lost(within=within)
        if number in _BUSY:
            return _Problem(WorkspaceLocked(f"{said}; others write, try again"), passes=True)
        if number in _AWAY or status in _UNAVAILABLE:
            return _Problem(
                StorageError(f"{said}. Nothing is lost, it catches up later"),
                passes=True,
            )
        if number in _FULL or status == _INSUFFICIENT_STORAGE:
            return _final(
                f"{said}; the server lacks room (disk, memory, or for so large a transaction), "
                "nothing was half-written"
            )
        if status == _UNAUTHORIZED:
            return _final(
                f"{self.name}: refuses the password of {self._place.user!r}; see "
                "[graph.arangodb] in workspace.toml"
            )
        if number == READ_ONLY or status == _FORBIDDEN:
            text = f"{said}; give {self._place.user!r} the right to write the database"
            return _Problem(WorkspaceReadOnly(text), passes=False)
        if number == DATABASE_NOT_FOUND:
            return _final(f"{said}; make the database, or let the user make it")
        return _final(f"{said}; `provenance graph rebuild` makes the graph anew")


class _Problem:
    """An error of ours, and whether it may pass by itself."""

    def __init__(self, error: Exception, *, passes: bool) -> None:
        self.error = error
        self.passes = passes


def _final(text: str) -> _Problem:
    return _Problem(StorageError(text), passes=False)


def _read(hosts: str) -> tuple[list[str], str]:
    """Take `http://a:8529,http://b:8529/database` apart."""
    addresses, database = [], ""
    for host in hosts.split(","):
        address = urlsplit(host.strip())
        if address.scheme not in {"http", "https"} or not address.hostname or address.query:
            raise UsageError(
                f"graph store 'arangodb:{hosts}': expected addresses with commas between them, "
                "then the database, as in arangodb:http://127.0.0.1:8529/provenance"
            )
        if "@" in address.netloc:
            raise UsageError(
                "graph store 'arangodb:': no password in the address, see [graph.arangodb]"
            )
        addresses.append(f"{address.scheme}://{address.netloc}")
        database = address.path.strip("/") or database
    if not _DATABASE.match(database or _DEFAULT):
        raise UsageError(
            f"graph store 'arangodb:': database {database!r} must be a letter and up to 63 "
            "letters, digits, _ or -"
        )
    return addresses, database or _DEFAULT


def password_of(place: ArangoPlace) -> str:
    """Get the password from where the settings say, the first that is set.

    Raises:
        UsageError: It cannot be read from there.
    """
    if place.password_command:
        return _printed(place.password_command)
    if place.password_file:
        try:
            return (Path(place.password_file).read_text().splitlines() or [""])[0]
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"graph.arangodb.password_file: {error}") from None
    return os.environ.get(place.password_env, "")


def _printed(command: list[str]) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the owner's own setting
            command,
            capture_output=True,
            check=True,
            timeout=_COMMAND_SECONDS,
            text=True,
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError) as error:
        raise UsageError(f"graph.arangodb.password_command: {_first_line(error)}") from None
    return (done.stdout.splitlines() or [""])[0]


def _first_line(error: Any) -> str:
    return str(error).splitlines()[0]
