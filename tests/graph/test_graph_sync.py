"""Catching up: resumable, safe to do twice or from several processes, never with another log."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from graph_factories import ListLog, ListLogUpTo, event, item
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.connect import open_store
from graph.sync import catch_up, rebuild
from provenance.entries import Tier
from provenance.errors import StorageError, UsageError, WorkspaceDamaged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graph.store import GraphStore
    from provenance.entries import Entry

HERE = Path(__file__).parent


def lots(count: int) -> ListLog:
    """A chain of transformations, one lot after the other."""
    return ListLog(
        event(n, "transform", item("P", str(n + 1), 5), inputs=[item("P", str(n), 5)])
        for n in range(count)
    )


class Failing:
    """A log that fails when a certain entry is read, as a disk does."""

    def __init__(self, log: ListLog, at: int) -> None:
        """Fail at index `at`."""
        self.log, self.at = log, at

    @property
    def size(self) -> int:
        """Number of entries."""
        return self.log.size

    def entries(self, start: int, stop: int) -> Iterator[Entry]:
        """Yield entries until the failing one."""
        for entry in self.log.entries(start, stop):
            if entry.index == self.at:
                raise StorageError("the disk failed")
            yield entry


@settings(max_examples=40)
@given(at=st.integers(0, 20), batch=st.integers(1, 7))
def test_a_failure_between_batches_is_resumed(at: int, batch: int) -> None:
    """Wherever reading stops, whole batches stay, and the next run goes on from there."""
    log, store = lots(20), open_store("memory:")
    if at < 20:
        with pytest.raises(StorageError):
            catch_up(Failing(log, at), store, batch=batch)
        assert store.position() == at - at % batch
    catch_up(log, store, batch=batch)
    whole = open_store("memory:")
    catch_up(log, whole)
    key = "item:acme/P/10/20"
    assert store.position() == 20
    assert store.upstream(key, Tier.PRIVATE) == whole.upstream(key, Tier.PRIVATE)


def test_progress_is_told_after_each_batch(tmp_path: Path) -> None:
    """The caller hears how many entries of how many; the answer is how many were applied."""
    store, told = open_store(f"sqlite:{tmp_path / 'graph.db'}"), []
    assert catch_up(lots(10), store, lambda done, size: told.append((done, size)), batch=4) == 10
    assert told == [(4, 10), (8, 10), (10, 10)]
    assert catch_up(lots(10), store) == 0
    store.close()


def test_a_graph_of_another_log_is_refused(tmp_path: Path) -> None:
    """A graph that holds entries which the log does not is never continued; rebuilding helps."""
    store = open_store(f"sqlite:{tmp_path / 'graph.db'}")
    catch_up(lots(5), store)
    other = ListLog([event(n, "inspect", item("Q", "1")) for n in range(9)], seed=2)
    for log in (other, lots(4), ListLog()):
        with pytest.raises(WorkspaceDamaged, match="graph rebuild"):
            catch_up(log, store)
        assert store.position() == 5
    assert rebuild(other, store) == 9
    assert store.position() == 9
    store.close()


class Rival:
    """A store in front of which another process is always a bit faster."""

    def __init__(self, store: GraphStore, log: ListLog) -> None:
        """Apply one entry of `log` before each of the caller's batches."""
        self.store, self.log = store, log

    def __getattr__(self, name: str) -> object:
        """Let everything else through."""
        return getattr(self.store, name)

    def apply(self, changes: object) -> int:
        """Be faster, then let the caller try."""
        position = self.store.position()
        catch_up(ListLogUpTo(self.log, min(position + 1, self.log.size)), self.store)
        return self.store.apply(changes)  # type: ignore[arg-type]


def test_a_faster_rival_is_no_obstacle() -> None:
    """When somebody else applies entries meanwhile, the run goes on from where they got to."""
    log, store = lots(7), open_store("memory:")
    assert catch_up(log, Rival(store, log), batch=3) == 7  # type: ignore[arg-type]
    whole = open_store("memory:")
    catch_up(log, whole)
    key = "item:acme/P/10/7"
    assert store.upstream(key, Tier.PRIVATE) == whole.upstream(key, Tier.PRIVATE)


WORKER = """
import sys
sys.path[:0] = {paths!r}
from pathlib import Path
from graph.connect import open_store
from graph.sync import catch_up
from test_graph_sync import lots
store = open_store("sqlite:" + sys.argv[1])
print("ready", flush=True)
catch_up(lots(int(sys.argv[2])), store, lambda done, size: print(done, flush=True), batch=7)
"""


def start(database: Path, count: int) -> subprocess.Popen[str]:
    """Start a process that catches up, and wait until it is about to."""
    code = WORKER.format(paths=[str(HERE), str(HERE.parent.parent)])
    command = [sys.executable, "-c", code, str(database), str(count)]
    worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    assert worker.stdout.readline() == "ready\n"
    return worker


def test_two_processes_share_the_work(tmp_path: Path) -> None:
    """Two processes catching up at once apply each entry once; a reader sees whole batches."""
    database = tmp_path / "graph.db"
    workers = [start(database, 400), start(database, 400)]
    store = open_store(f"sqlite:{database}")
    while store.position() < 400:
        with store.snapshot():
            position = store.position()
            if position:
                answer = store.upstream(f"item:acme/P/10/{position}", Tier.PUBLIC, depth=500)
                assert len(answer.hops) == position + 1
        assert all(worker.poll() in (None, 0) for worker in workers)
    assert [worker.wait(60) for worker in workers] == [0, 0]
    for worker in workers:
        assert worker.stdout is not None
        worker.stdout.close()
    whole = open_store("memory:")
    catch_up(lots(400), whole)
    key = "item:acme/P/10/400"
    assert store.journey(key, Tier.PRIVATE, depth=500) == whole.journey(
        key, Tier.PRIVATE, depth=500
    )
    store.close()


def test_killed_at_any_moment_it_completes(tmp_path: Path) -> None:
    """After `kill -9`, the graph holds whole batches, and the next run completes it."""
    database = tmp_path / "graph.db"
    positions = []
    for attempt in range(3):
        worker = start(database, 300)
        assert worker.stdout is not None
        worker.stdout.readline()
        time.sleep(0.003 * attempt)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        worker.stdout.close()
        store = open_store(f"sqlite:{database}")
        positions.append(store.position())
        assert store.position() % 7 == 0 or store.position() == 300
        store.close()
    assert positions == sorted(positions)
    store = open_store(f"sqlite:{database}")
    catch_up(lots(300), store)
    whole = open_store("memory:")
    catch_up(lots(300), whole)
    key = "item:acme/P/10/300"
    assert store.upstream(key, Tier.PUBLIC, depth=500) == whole.upstream(
        key, Tier.PUBLIC, depth=500
    )
    store.close()


def test_an_erased_field_is_gone_after_a_rebuild(tmp_path: Path) -> None:
    """Rebuilding forgets what was erased: in the answers, and in the bytes on the disk."""
    secret, kept = "VERYSECRETCARRIER", "KEPTCARRIER"
    log = ListLog(
        [
            event(1, "ship", item("P", "1"), carrier=secret, shipment_id=f"S{secret}"),
            event(2, "ship", item("P", "1"), carrier=kept),
        ]
    )
    store = open_store(f"sqlite:{tmp_path / 'graph.db'}")
    catch_up(log, store)
    assert secret in str(store.node("event:acme/E-1", Tier.PRIVATE))
    log.forget(0, "/carrier")
    log.forget(0, "/shipment_id")
    rebuild(log, store)
    assert secret not in str(store.node("event:acme/E-1", Tier.PRIVATE))
    assert store.fetch([f"shipment:S{secret}"], Tier.PRIVATE) == {}
    files = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert secret.encode() not in files
    assert kept.encode() in files
    store.close()


@pytest.mark.parametrize("url", ["", "graph.db", "oracle:x", "sqlite:", "memory:place", "sqlite"])
def test_a_url_that_names_no_store_is_a_usage_error(url: str) -> None:
    """An unknown scheme or a missing place is said in one line that names what is expected."""
    with pytest.raises(UsageError) as caught:
        open_store(url)
    assert "\n" not in str(caught.value)
    with pytest.raises(UsageError):
        open_store("memory:", readonly=True)
