"""Forgetting: what the log has erased, every store erases when it catches up, and only that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import apsw
import pytest
from graph_factories import ListLog, chain, event, item, record
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_graph_conformance import snapshot_of

from graph.connect import open_store
from graph.stores.sqlite import SqliteStore
from graph.sync import catch_up, rebuild
from provenance.disclosure.erased import NEVER, erasure_drafts
from provenance.disclosure.tiers import TierPolicy
from provenance.entries import EntryType, Tier
from provenance.errors import StorageError

if TYPE_CHECKING:
    from pathlib import Path

    from graph.changes import Changes
    from graph.store import GraphStore

SECRETIVE = TierPolicy({})
"""Everything is private: each field of each version can be erased by itself."""


def everything(policy: TierPolicy | None = None) -> ListLog:
    """Entries of every version that the graph knows, many of them about the same things."""
    log = chain() if policy is None else ListLog((), policy)
    log.append(
        event(20, "pack", item("SHIRT", "T1", 5, serial_ids=["s1", "s2"]), container_id="K1"),
        event(21, "unpack", container_id="K1", facility_id="F1"),
        event(22, "ship", item("SHIRT", "T1"), from_facility_id="F1", to_facility_id="F2"),
        event(
            23, "ship", item("SHIRT", "T1"), shipment_id="S1", carrier="X", gtin="09506000134352"
        ),
        event(24, "produce", item("P", "1", 2), inputs=[item("Q", "2", 3), {"lot_id": "Z"}]),
        event(25, "inspect", item("P", "1"), certificate_id="C", locode="INBOM", gross_weight=5),
        record("facility", facility_id="F1", name="Mill", latitude={"_d": "1.5"}, locode="INBOM"),
        record("product", product_id="P", gtin="09506000134352", name="Shirt"),
        record("location", locode="INBOM", name="Mumbai"),
        record("labour", facility_id="F1", month="2024-01", total_hours=3, headcount=2),
        record(
            *("timesheet",),
            facility_id="F1",
            month="2024-01",
            workers=[
                {"worker_id": name, "weeks": [{"week": 1, "hours": 40}]} for name in ("W1", "W2")
            ],
        ),
        record("legal_limit", country="IN", effective_from="2024-01-01", min_age=14),
        record("watchlist", list_name="L", kind="region", value="V", goods="G", note="N"),
    )
    return log


def erase(log: ListLog, *places: tuple[int, str | None]) -> None:
    """Erase as the log does it: what is named goes, and an entry says so."""
    wanted: dict[int, set[str] | None] = {}
    for index, path in places:
        log.forget(index, path)
        if path is None or wanted.get(index, "") is None:
            wanted[index] = None
        else:
            wanted.setdefault(index, set()).add(path)  # type: ignore[union-attr]
    log.append(*erasure_drafts("log.example/graph", 0, wanted, "acme"))


def places_of(log: ListLog) -> list[tuple[int, str | None]]:
    """Whatever can be erased of a log."""
    fields = [
        (entry.index, opening.path)
        for entry in log.held
        if entry.type not in NEVER
        for opening in entry.openings
    ]
    return [*fields, *((entry.index, None) for entry in log.held if entry.type not in NEVER)]


def rebuilt(log: ListLog) -> Any:
    """What a graph looks like that was made after everything else."""
    store = open_store("memory:")
    catch_up(log, store)
    return snapshot_of(store)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), secretive=st.booleans())
def test_forgetting_equals_never_having_known(
    store: GraphStore, data: st.DataObject, secretive: bool
) -> None:
    """After any erasures, a graph that was built before them is the one built after them."""
    log = everything(SECRETIVE if secretive else None)
    store.reset()
    catch_up(log, store, batch=data.draw(st.integers(3, 40)))
    for _ in range(data.draw(st.integers(1, 3))):
        erase(log, *data.draw(st.lists(st.sampled_from(places_of(log)), min_size=1, max_size=4)))
        log.append(event(f"later{log.size}", "inspect", item("P", "1")))
        if data.draw(st.booleans()):
            catch_up(log, store)
    catch_up(log, store)
    assert store.position() == log.size
    assert snapshot_of(store) == rebuilt(log)


@pytest.mark.parametrize("policy", [None, SECRETIVE])
def test_each_place_alone(policy: TierPolicy | None) -> None:
    """Each field and each body, erased by itself: forgetting equals never having known."""
    for place in places_of(everything(policy)):
        log, store = everything(policy), open_store("memory:")
        catch_up(log, store)
        erase(log, place)
        catch_up(log, store)
        assert snapshot_of(store) == rebuilt(log), place


def bytes_of(directory: Path) -> bytes:
    """All files of a directory."""
    return b"".join(path.read_bytes() for path in directory.iterdir())


@pytest.mark.parametrize("whole", [False, True])
def test_what_is_erased_leaves_the_disk(tmp_path: Path, whole: bool) -> None:
    """A field or a whole event is in the files before the erasure, and in none after it."""
    marked = {"carrier": "Kestrel Lines", "ext": [["driver", "Ana Belén"]]}
    log = ListLog([event(n, "ship", item("P", str(n)), **marked) for n in (1, 2)])
    log.append(event(3, "ship", item("P", "Q-17-X"), shipment_id="SHIP-3", carrier="Osprey"))
    store = open_store(f"sqlite:{tmp_path / 'graph.db'}")
    catch_up(log, store)
    gone = [b"Q-17-X", b"SHIP-3", b"Osprey"] if whole else [b"Kestrel", "Belén".encode()]
    assert all(mark in bytes_of(tmp_path) for mark in gone)
    erase(
        log, *([(2, None)] if whole else [(i, p) for i in (0, 1) for p in ("/carrier", "/ext/0")])
    )
    catch_up(log, store)
    assert store.purge()
    assert [mark for mark in gone if mark in bytes_of(tmp_path)] == []
    assert (b"Kestrel" in bytes_of(tmp_path)) is whole
    store.close()
    assert [mark for mark in gone if mark in bytes_of(tmp_path)] == []


def test_a_reader_of_the_older_state_holds_the_bytes(tmp_path: Path) -> None:
    """While another process reads, purging says that it is not done; afterwards it is."""
    file = tmp_path / "graph.db"
    log, store = ListLog([event(1, "ship", carrier="Kestrel")]), SqliteStore(file, wait_ms=50)
    catch_up(log, store)
    reader = apsw.Connection(str(file))
    reader.execute("BEGIN; SELECT * FROM head").fetchall()
    erase(log, (0, "/carrier"))
    catch_up(log, store)
    assert not store.purge()
    assert "carrier" not in store.node("event:acme/E-1", Tier.PRIVATE).attrs
    reader.execute("COMMIT")
    assert store.purge()
    assert b"Kestrel" not in bytes_of(tmp_path)
    store.close()
    reader.close()


class Dying:
    """A store that fails when it is to apply, after it has forgotten."""

    def __init__(self, store: GraphStore) -> None:
        """Let everything else through to `store`."""
        self.store = store

    def __getattr__(self, name: str) -> Any:
        """Let it through."""
        return getattr(self.store, name)

    def apply(self, changes: Changes) -> int:
        """Die."""
        raise StorageError(f"died at {changes.start}")


@pytest.mark.parametrize("place", [(4, "/carrier"), (4, None)])
def test_a_crash_after_forgetting_is_resumed(
    store: GraphStore, place: tuple[int, str | None]
) -> None:
    """The position never passes an erasure that was not carried out; the next run does both."""
    log = ListLog([event(n, "ship", item("P", str(n)), carrier="Kestrel") for n in range(5)])
    catch_up(log, store)
    erase(log, place)
    with pytest.raises(StorageError, match="died"):
        catch_up(log, Dying(store))  # type: ignore[arg-type]
    assert store.position() < log.size
    assert "Kestrel" not in str(store.fetch(["entry:4"], Tier.PRIVATE))
    catch_up(log, store)
    assert snapshot_of(store) == rebuilt(log)


def test_a_rebuild_ends(store: GraphStore) -> None:
    """An erasure that takes a rebuild takes one, however many erasures came before."""
    log = everything()
    for index in range(1, 5):
        erase(log, (index, None))
    told: list[int] = []
    rebuild(log, store, lambda done, _size: told.append(done))
    assert told == [log.size]
    assert log.held[-1].type == EntryType.ERASURE
    assert store.position() == log.size
