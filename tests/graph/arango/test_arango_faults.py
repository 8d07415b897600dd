"""A server that is away, busy, slow, restarted, full or wary: retried or told, never half-done."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from arango_double import Double, Fault, serving
from graph_factories import ListLog, ListLogUpTo, chain, event, item
from test_graph_conformance import snapshot_of

from graph.audit import audit_graph
from graph.connect import open_store
from graph.model import EdgeKind
from graph.place import ArangoPlace
from graph.project import project
from graph.stores.arango.session import Session
from graph.sync import catch_up
from provenance.entries import Tier
from provenance.errors import (
    StorageError,
    UsageError,
    WorkspaceLocked,
    WorkspaceMissing,
    WorkspaceReadOnly,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from graph.store import GraphStore

SHIRT = "item:bolt/SHIRT/10/T1"
WRITES = (
    "head/head",
    "transaction/begin",
    "POST .*/cursor",
    "document/provenance_nodes",
    "document/provenance_edges",
    "document/provenance_became",
    "document/provenance_entries",
    "PUT .*/transaction/",
)
"""Each kind of request that applying a batch makes."""


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[Double]:
    """A double that is asked over HTTP."""
    with serving() as running:
        monkeypatch.setenv("PROVENANCE_GRAPH_PASSWORD", running.password)
        yield running
        assert running.refused == []


def opened(double: Double, *, readonly: bool = False, **how: Any) -> GraphStore:
    """A store that is patient for a few seconds."""
    place = ArangoPlace(**({"patience": 5.0, "timeout": 5.0} | how))
    return open_store(f"arangodb:{double.url}", readonly=readonly, arangodb=place)


def whole(double: Double, store: GraphStore, log: ListLog) -> bool:
    """Whether the store holds the log's facts, each once, and no lock or transaction is left."""
    assert audit_graph(log, store).problems == []
    idle = [one for each in double.databases.values() for one in each.transactions.values()]
    assert not any(one.written for one in idle)
    return store.position() == log.size


@pytest.mark.parametrize(
    "what",
    [
        "drop",
        "drop_after",
        "restart",
        "503 503 service unavailable",
        "409 1200 write-write conflict",
        "500 18 timeout while waiting for a lock",
        "410 1654 transaction aborted",
        "404 1655 transaction not found",
        "503 1496 not a leader",
    ],
)
def test_a_batch_that_fails_once_is_applied_once(double: Double, what: str) -> None:
    """Whatever request fails, before or after the server did it: nothing is lost or doubled."""
    log = ListLog(
        event(n, "transform", item("P", str(n + 1)), inputs=[item("P", str(n))])
        for n in range(len(WRITES))
    )
    store = opened(double)
    store.position()
    for size, request in enumerate(WRITES, start=1):
        fault = Fault(what, request)
        double.faults = [fault]
        catch_up(ListLogUpTo(log, size), store)
        assert fault.times == 0, request
    double.faults = []
    assert whole(double, store, log)
    store.close()


@pytest.mark.parametrize(
    ("what", "kind", "says"),
    [
        ("401 11 not authorized", StorageError, "refuses the password of 'root'"),
        ("403 11 forbidden", WorkspaceReadOnly, "the right to write"),
        ("403 1004 read only", WorkspaceReadOnly, "the right to write"),
        ("500 1104 filesystem full", StorageError, r"lacks room .* nothing was half-written"),
        ("507 0 insufficient storage", StorageError, r"lacks room .* nothing was half-written"),
        ("400 32 resource limit exceeded", StorageError, r"lacks room .* nothing was half-written"),
        ("400 1204 parameter missing", StorageError, "error 1204"),
    ],
)
def test_what_repeating_cannot_mend_is_told_at_once(
    double: Double, what: str, kind: type[Exception], says: str
) -> None:
    """One request more at most, an error that a person can act on, and no part of the batch."""
    log = chain()
    store = opened(double, patience=60.0)
    catch_up(ListLogUpTo(log, 4), store)
    double.faults = [Fault(what, "document/provenance_edges")]
    with pytest.raises(kind, match=says):
        catch_up(log, store)
    assert store.position() == 4
    assert audit_graph(log, store).problems == []
    catch_up(log, store)
    assert whole(double, store, log)


@pytest.mark.parametrize(
    ("what", "kind", "says"),
    [
        ("drop", StorageError, "cannot be reached"),
        ("503 503 unavailable", StorageError, "cannot be reached"),
        ("500 30 shutting down", StorageError, "shutting down"),
        ("503 30 shutting down", StorageError, "shutting down"),
        ("409 1200 conflict", WorkspaceLocked, "others write"),
    ],
)
def test_patience_ends(double: Double, what: str, kind: type[Exception], says: str) -> None:
    """A server that stays so is told after the patience set, and the graph goes on later."""
    log = chain()
    store = opened(double, patience=0.5)
    catch_up(ListLogUpTo(log, 4), store)
    double.faults = [Fault(what, times=1_000)]
    with pytest.raises(kind, match=says):
        catch_up(log, store)
    with pytest.raises((StorageError, WorkspaceLocked)):
        store.upstream(SHIRT, Tier.PRIVATE)
    double.faults = []
    catch_up(log, store)
    assert whole(double, store, log)


def test_answers_over_http_are_those_of_memory(double: Double) -> None:
    """Whatever is asked of the chain, over real connections: as from the store in memory."""
    log = chain()
    store, memory = opened(double), open_store("memory:")
    catch_up(log, store, batch=3)
    catch_up(log, memory)
    assert snapshot_of(store) == snapshot_of(memory)
    assert whole(double, store, log)


def test_a_slow_server_is_not_waited_for_for_ever(double: Double) -> None:
    """A request takes as long as is set, and is then as one that nobody answered."""
    store = opened(double, timeout=1.0, patience=0.2)
    store.position()
    double.faults = [Fault("slow", seconds=2.0, times=2)]
    with pytest.raises(StorageError, match=r"no answer within 1 s"):
        store.position()


def test_a_question_is_asked_again_within_its_transaction(double: Double) -> None:
    """A connection that breaks within a question is mended; a lost transaction is told."""
    log = chain()
    store = opened(double)
    catch_up(log, store)
    wanted = store.upstream(SHIRT, Tier.PRIVATE)
    double.faults = [Fault("drop", "cursor", skip=2), Fault("503 503 busy", "cursor", skip=3)]
    assert store.upstream(SHIRT, Tier.PRIVATE) == wanted
    double.faults = [Fault("restart", "cursor", skip=2)]
    with pytest.raises(StorageError, match="ask again"):
        store.upstream(SHIRT, Tier.PRIVATE)
    assert store.upstream(SHIRT, Tier.PRIVATE) == wanted


def test_the_server_restarts_at_its_address(double: Double) -> None:
    """What was committed is there after a restart; what was not is applied again."""
    log = chain()
    store = opened(double)
    catch_up(ListLogUpTo(log, 4), store)
    port = int(double.url.rpartition(":")[2])
    kept = Double(databases=double.databases)
    double.faults = [Fault("drop", times=1_000)]

    def again() -> None:
        double.faults = []
        kept.restart()

    timer = threading.Timer(0.5, again)
    timer.start()
    catch_up(log, store)
    timer.join()
    assert port
    assert whole(double, store, log)


def test_half_a_batch_is_completed(double: Double) -> None:
    """In a cluster a commit may leave facts without their position: the batch comes again."""
    log = chain()
    store = opened(double)
    catch_up(ListLogUpTo(log, 4), store)
    database = double.databases["provenance"]
    before = database.collections["provenance_head"].held["head"]
    catch_up(log, store)
    database.collections["provenance_head"].put("head", before)
    for name in ("provenance_edges", "provenance_entries", "provenance_nodes"):
        held = database.collections[name].held
        for key in list(held)[-3:]:
            database.collections[name].put(key, None)
    assert store.position() == 4
    catch_up(log, store, batch=2)
    assert whole(double, store, log)


def test_two_writers_take_turns(double: Double) -> None:
    """Each batch is taken from one of them, whoever comes first, and all of it is there."""
    log = ListLog([event(n, "produce", item("P", str(n % 7))) for n in range(60)])
    stores = [opened(double), opened(double)]
    errors: list[Exception] = []

    def follow(store: GraphStore) -> None:
        try:
            catch_up(log, store, batch=5)
        except Exception as error:  # noqa: BLE001 - told below
            errors.append(error)

    stores[0].position()
    threads = [threading.Thread(target=follow, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert whole(double, stores[0], log)


def test_a_writer_that_died_is_waited_for(double: Double) -> None:
    """The lock of one that died goes when the server ends its transaction."""
    log = chain()
    store = opened(double)
    catch_up(ListLogUpTo(log, 4), store)
    database = double.databases["provenance"]
    with database.freed:
        left = database.begin({"exclusive": ["provenance_head"]}, 0)

    def expire() -> None:
        with database.freed:
            database.end(left)

    timer = threading.Timer(0.5, expire)
    timer.start()
    catch_up(log, store)
    timer.join()
    assert whole(double, store, log)


def test_beginning_anew_is_resumed(double: Double) -> None:
    """A crash while everything is forgotten leaves a head that says so: the next one goes on."""
    log = chain()
    store = opened(double)
    catch_up(log, store)
    double.faults = [Fault("500 4 internal", "provenance_entries/truncate")]
    with pytest.raises(StorageError, match="internal"):
        store.reset()
    again = opened(double)
    assert again.position() == 0
    assert double.databases["provenance"].collections["provenance_entries"].held == {}
    catch_up(log, again)
    assert whole(double, again, log)


def test_the_same_address_twice_is_no_harm(double: Double) -> None:
    """One of several addresses that does not answer is passed over."""
    place = ArangoPlace(patience=2.0)
    store = open_store(f"arangodb:http://127.0.0.1:1,{double.url}/other", arangodb=place)
    assert store.position() == 0
    assert "other" in double.databases


def test_what_is_not_there_is_not_made_by_readers(double: Double) -> None:
    """Who may only read makes no database; who writes makes all of it."""
    with pytest.raises(WorkspaceMissing, match="graph rebuild"):
        opened(double, readonly=True).position()
    assert double.databases.keys() == {"_system"}
    catch_up(chain(), opened(double))
    reader = opened(double, readonly=True)
    assert reader.position() == 10
    with pytest.raises(WorkspaceReadOnly):
        reader.reset()


def test_a_database_that_may_not_be_made_is_named(double: Double) -> None:
    """The owner of the server is told what to make."""
    double.faults = [Fault("403 11 forbidden", "_system/_api/database", times=9)]
    with pytest.raises(StorageError, match="make the database, or let the user make it"):
        opened(double).position()


def test_documents_written_by_others_are_found(double: Double) -> None:
    """An audit names a document that does not say the same everywhere, and one in a wrong place."""
    log = chain()
    store = opened(double)
    catch_up(log, store)
    collections = double.databases["provenance"].collections
    edges = collections["provenance_edges"]
    for change in (
        {"tier": 2},
        {"src": "item:x/y"},
        {"_to": "provenance_nodes/other"},
        {"order": "e0"},
        {"layers": "no json"},
        {"more": 1},
        {"time": 5},
        {"kind": "became"},
    ):
        key, held = next((k, e) for k, e in edges.held.items() if e["kind"] == EdgeKind.INVOLVES)
        edges.put(key, held | change)
        assert audit_graph(log, store).problems, change
        edges.put(key, held)
    for name in ("nodes", "became", "names"):
        collection = collections[f"provenance_{name}"]
        key, held = next(iter(collection.held.items()))
        collection.put(key, None)
        assert audit_graph(log, store).problems, name
        collection.put("another", held | {"_key": "another"})
        assert audit_graph(log, store).problems, name
        collection.put("another", None)
        collection.put(key, held)
    assert audit_graph(log, store).problems == []


def test_the_password_comes_from_where_it_is_said(
    double: Double, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a program, else a file, else the environment; a wrong one is told, never shown."""
    monkeypatch.setenv("OTHER", "wrong")
    with pytest.raises(StorageError, match="refuses the password") as told:
        opened(double, password_env="OTHER").position()
    assert "wrong" not in str(told.value)
    (tmp_path / "word").write_text(f"{double.password}\n")
    assert opened(double, password_file=str(tmp_path / "word")).position() == 0
    printing = ["/bin/echo", double.password]
    assert opened(double, password_env="OTHER", password_command=printing).position() == 0
    with pytest.raises(UsageError, match="password_file"):
        opened(double, password_file=str(tmp_path / "none"))
    with pytest.raises(UsageError, match="password_command"):
        opened(double, password_command=["/bin/false"])


@pytest.mark.parametrize(
    "place",
    [
        "",
        "127.0.0.1:8529",
        "http://",
        "ftp://h/x",
        "http://root:word@h:1",
        "http://h/a b",
        "http://h?x=1",
    ],
)
def test_an_address_that_is_none_is_refused(place: str) -> None:
    """With the form that one has; a password never stands in it."""
    with pytest.raises(UsageError) as refused:
        open_store(f"arangodb:{place}")
    assert "word" not in str(refused.value).replace("password", "")


@pytest.mark.parametrize(
    "how",
    [
        {"graph": "1"},
        {"shard_count": 0},
        {"write_concern": 2},
        {"timeout": 0.0},
        {"patience": -1.0},
    ],
)
def test_settings_that_cannot_be_are_refused(how: dict[str, Any]) -> None:
    """Before anything is sent."""
    with pytest.raises(UsageError, match=r"graph\.arangodb"):
        open_store("arangodb:http://127.0.0.1:1", arangodb=ArangoPlace(**how))


def test_cluster_settings_reach_the_server(double: Double) -> None:
    """Shards, copies and what a write waits for stand in what makes graph and collections."""
    opened(double, shard_count=3, replication_factor=2, write_concern=2).position()
    options = double.databases["provenance"].graphs["provenance"]["options"]
    assert options == {"numberOfShards": 3, "replicationFactor": 2, "writeConcern": 2}


@pytest.mark.usefixtures("test_data")  # the documented interface is among it
def test_the_double_refuses_what_is_not_documented(double: Double) -> None:
    """An unknown path, parameter or attribute is refused, so that no test passes by it."""
    word = {"authorization": "Basic cm9vdDpzZWNyZXQ="}
    given = [
        ("POST", "/_db/_system/_api/cursor?stream=1", {"query": "RETURN 1"}),
        ("POST", "/_db/_system/_api/cursor", {"text": "RETURN 1"}),
        ("POST", "/_db/_system/_api/cursor", {"query": 1}),
        ("POST", "/_db/_system/_api/no_such", None),
        ("POST", "/_db/_system/_api/transaction/begin", {}),
        ("PUT", "/_db/_system/_api/cursor", {"query": "RETURN 1"}),
    ]
    for method, url, body in given:
        raw = b"" if body is None else json.dumps(body).encode()
        status, answer = double.answer(method, url, word, raw)
        assert status in {400, 404}, (method, url)
        assert answer["error"] is True
    double.refused.clear()
    assert double.answer("GET", "/_db/x/_api/document/c/k", {}, b"")[0] == 401


def test_nothing_is_sent_before_a_question(double: Double) -> None:
    """A store that is only opened and closed holds up nobody."""
    opened(double).close()
    assert double.requests == []


def test_a_batch_that_does_not_hang_together_is_refused_whole(double: Double) -> None:
    """And the transaction is given up."""
    store = opened(double)
    changes = project(chain().entries(0, 4), 0, 4)
    changes.entries.pop()
    with pytest.raises(StorageError, match="hang together"):
        store.apply(changes)
    assert store.position() == 0
    assert not double.databases["provenance"].transactions


def test_pauses_grow_up_to_a_limit(double: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two tries it waits, longer each time, and not beyond the patience."""
    pauses: list[float] = []
    now = iter(range(1000))
    monkeypatch.setattr("graph.stores.arango.session.monotonic", lambda: float(next(now)))
    session = Session(double.url, ArangoPlace(patience=12.0), sleep=pauses.append)
    with pytest.raises(StorageError):
        session.run(lambda: (_ for _ in ()).throw(ConnectionError()))
    assert pauses == sorted(pauses)
    assert 5 < len(pauses) < 20
    assert pauses[0] < 0.2
    assert max(pauses) <= 5.0
