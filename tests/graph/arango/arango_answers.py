"""What the double answers to each kind of request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import aql_query
from arango_data import Collection, Database, Refused, Transaction, checked, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from arango_double import Asked

Doc = dict[str, Any]
Answer = tuple[int, Any]
_OVER = {"replace", "update", "ignore", "conflict"}


def _view(asked: Asked, database: Database) -> tuple[Any, Transaction | None]:
    id_ = asked.headers.get("x-arango-trx-id")
    if id_ is None:
        return database, None
    transaction = database.transaction(id_)
    return transaction, transaction


def get_document(asked: Asked, database: Database, name: str, key: str) -> Answer:
    """Return one document."""
    view, _ = _view(asked, database)
    found = view.collection(name).held.get(key)
    if found is None:
        raise Refused(404, 1202, "document not found")
    return 200, found


def create_documents(asked: Asked, database: Database, name: str) -> Answer:
    """Store documents, each as `overwriteMode` says where there is one of its key."""
    mode = asked.query.get("overwriteMode", "conflict")
    if mode not in _OVER:
        raise Refused(400, 10, f"overwriteMode {mode}")
    return 202, [_one(asked, database, name, each, mode) for each in asked.body]


def _one(asked: Asked, database: Database, name: str, given: Any, mode: str) -> Doc:
    view, transaction = _view(asked, database)
    collection: Collection = view.collection(name)
    try:
        document = checked(collection, given)
    except Refused as refused:
        return {"error": True, "errorNum": refused.number, "errorMessage": str(refused)}
    held = collection.held.get(document["_key"])
    if held is not None and mode == "conflict":
        return {"error": True, "errorNum": 1210, "errorMessage": "unique constraint violated"}
    if held is not None and mode == "ignore":
        return {name: held[name] for name in ("_id", "_key", "_rev")}
    own = {"_id": f"{name}/{document['_key']}", "_rev": f"_r{database.number()}"}
    base = held or {} if mode == "update" else {}
    write(database, transaction, name, document["_key"], base | document | own)
    return own | {"_key": document["_key"]}


def truncate(asked: Asked, database: Database, name: str) -> Answer:
    """Empty a collection."""
    view, transaction = _view(asked, database)
    for key in list(view.collection(name).held):
        write(database, transaction, name, key, None)
    return 200, {"error": False, "code": 200, "name": name}


def compact(_asked: Asked, database: Database, name: str) -> Answer:
    """Do nothing to a collection that is there."""
    database.collection(name)
    return 200, {"error": False, "code": 200, "name": name}


def create_collection(asked: Asked, database: Database) -> Answer:
    """Make a collection."""
    name = asked.body["name"]
    if name in database.collections:
        raise Refused(409, 1207, "duplicate name")
    database.collections[name] = Collection(edges=asked.body.get("type") == 3)
    return 200, {"error": False, "code": 200, "name": name, "id": database.number(), "status": 3}


def create_graph(asked: Asked, database: Database) -> Answer:
    """Make a named graph, with the collections that it lacks."""
    name = asked.body["name"]
    if name in database.graphs:
        raise Refused(409, 1925, "graph already exists")
    for definition in asked.body.get("edgeDefinitions", ()):
        database.collections.setdefault(definition["collection"], Collection(edges=True))
        for end in {*definition["from"], *definition["to"]}:
            database.collections.setdefault(end, Collection(edges=False))
    database.graphs[name] = asked.body
    return 202, {"error": False, "code": 202, "graph": asked.body | {"_id": f"_graphs/{name}"}}


def create_index(asked: Asked, database: Database) -> Answer:
    """Say that there is an index now."""
    database.collection(asked.query["collection"])
    made = asked.body | {"id": f"{asked.query['collection']}/{database.number()}"}
    return 201, made | {"isNewlyCreated": True, "error": False, "code": 201}


def create_database(asked: Asked, _system: Database) -> Answer:
    """Make a database."""
    name = asked.body["name"]
    if name in asked.double.databases:
        raise Refused(409, 1207, "duplicate name")
    asked.double.databases[name] = Database()
    return 201, {"error": False, "code": 201, "result": True}


def begin(asked: Asked, database: Database) -> Answer:
    """Begin a stream transaction."""
    given = asked.body["collections"]
    names = {way: [one] if isinstance(one, str) else one for way, one in given.items()}
    patience = min(asked.body.get("lockTimeout", 900), asked.double.lock_seconds)
    return 201, _told(201, database.begin(names, patience), "running")


def commit(_asked: Asked, database: Database, id_: str) -> Answer:
    """Let all see what was written."""
    database.commit(id_)
    return 200, _told(200, id_, "committed")


def abort(_asked: Asked, database: Database, id_: str) -> Answer:
    """Forget what was written."""
    database.end(id_)
    return 200, _told(200, id_, "aborted")


def _told(code: int, id_: str, status: str) -> Doc:
    return {"error": False, "code": code, "result": {"id": id_, "status": status}}


def cursor(asked: Asked, database: Database) -> Answer:
    """Run a query, and answer the first page."""
    view, _ = _view(asked, database)
    rows = aql_query.run(asked.body["query"], asked.body.get("bindVars", {}), view)
    return 201, _page(database, database.number(), rows, asked.body.get("batchSize", 1000))


def following(_asked: Asked, database: Database, id_: str) -> Answer:
    """Answer the next page."""
    if id_ not in database.cursors:
        raise Refused(404, 1600, "cursor not found")
    size, *rows = database.cursors.pop(id_)
    return 200, _page(database, id_, rows, size)


def _page(database: Database, id_: str, rows: list[Any], size: int) -> Doc:
    more = len(rows) > size
    if more:
        database.cursors[id_] = [size, *rows[size:]]
    answer = {"result": rows[:size], "hasMore": more, "cached": False, "error": False, "code": 201}
    return answer | ({"id": id_} if more else {})


def _is(path: str) -> re.Pattern[str]:
    return re.compile(f"/_api{path}\\Z")


ANSWERS: list[tuple[str, re.Pattern[str], Callable[..., Answer]]] = [
    ("GET", _is("/document/([^/]+)/([^/]+)"), get_document),
    ("POST", _is("/document/([^/]+)"), create_documents),
    ("PUT", _is("/collection/([^/]+)/truncate"), truncate),
    ("PUT", _is("/collection/([^/]+)/compact"), compact),
    ("POST", _is("/collection"), create_collection),
    ("POST", _is("/gharial"), create_graph),
    ("POST", _is("/index"), create_index),
    ("POST", _is("/database"), create_database),
    ("POST", _is("/transaction/begin"), begin),
    ("PUT", _is("/transaction/([^/]+)"), commit),
    ("DELETE", _is("/transaction/([^/]+)"), abort),
    ("POST", _is("/cursor"), cursor),
    ("POST", _is("/cursor/([^/]+)"), following),
]
