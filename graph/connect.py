"""Opening a graph store by its URL: the one registry of stores.

    sqlite:graph.db         relative to the working directory
    sqlite:/var/p/graph.db  absolute; `sqlite:///var/p/graph.db` is the same
    memory:                 empty, for as long as the object lives
    arangodb:http://127.0.0.1:8529/provenance
                            a server, or with commas several of a cluster, and a database

Next: graph/place.py
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from graph.place import ArangoPlace
from provenance.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from graph.store import GraphStore

__all__ = ["open_store"]


def open_store(
    url: str, *, readonly: bool = False, arangodb: ArangoPlace | None = None
) -> GraphStore:
    """Open a store, making it where it does not exist yet.

    Args:
        url: SCHEME:PLACE, as in the module's docstring.
        readonly: Never write; the store must exist.
        arangodb: How to sign in and what to make there; the defaults if None.

    Raises:
        UsageError: The URL names no known kind of store.
        WorkspaceError: The store cannot be used as it is.
        StorageError: The disk or database refused.
    """
    scheme, colon, place = url.partition(":")
    opener = _STORES.get(scheme) if colon else None
    if opener is None:
        raise UsageError(f"graph store {url!r}: expected one of {', '.join(_STORES)}, then a place")
    return opener(place, readonly, arangodb or ArangoPlace())


def _sqlite(place: str, readonly: bool, _how: ArangoPlace) -> GraphStore:
    from graph.stores.sqlite import SqliteStore  # noqa: PLC0415 - loads the driver

    path = place.removeprefix("//")
    if not path:
        raise UsageError("graph store 'sqlite:': the file is missing, as in sqlite:graph.db")
    return SqliteStore(Path(path), readonly=readonly)


def _memory(place: str, readonly: bool, _how: ArangoPlace) -> GraphStore:
    from graph.stores.memory import MemoryStore  # noqa: PLC0415 - as its sibling

    if place.strip("/") or readonly:
        raise UsageError("graph store 'memory:': it is always empty at first, and has no place")
    return MemoryStore()


def _arangodb(place: str, readonly: bool, how: ArangoPlace) -> GraphStore:
    from graph.stores.arango.store import ArangoStore  # noqa: PLC0415 - as its siblings

    return ArangoStore(place, how, readonly=readonly)


_STORES: Final[dict[str, Callable[[str, bool, ArangoPlace], GraphStore]]] = {
    "sqlite": _sqlite,
    "memory": _memory,
    "arangodb": _arangodb,
}
