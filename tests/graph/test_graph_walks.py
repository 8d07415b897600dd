"""What a store keeps of its walks: never more than it may, and never an answer of yesterday."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graph_factories import ListLog, chain, event, item

from graph.connect import open_store
from graph.stores import sqlite_walk
from graph.sync import catch_up
from provenance.entries import Draft, Tier

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

YARN, COTTON = "item:acme/YARN/10/Y1", "item:acme/COTTON/10/C1"


def _spun(number: int, *lots: str) -> Draft:
    inputs = [item("COTTON", lot, 5) for lot in lots]
    return event(number, "transform", item("YARN", "Y1", 4), inputs=inputs)


def test_what_another_process_wrote_is_in_the_next_answer(tmp_path: Path) -> None:
    """A store that has answered before reads anew once somebody else has written."""
    url = f"sqlite:{tmp_path / 'graph.db'}"
    log = ListLog([_spun(1, "C1")])
    writer, reader = open_store(url), open_store(url)
    catch_up(log, writer)
    assert set(reader.upstream(YARN, Tier.PUBLIC).hops) == {YARN, COTTON}
    assert [gap.item for gap in reader.upstream(YARN, Tier.PUBLIC).gaps] == [COTTON]
    log.append(_spun(2, "C2"), event(3, "produce", item("COTTON", "C1", 9)))
    catch_up(log, writer)
    answer = reader.upstream(YARN, Tier.PUBLIC)
    assert len(answer.hops) == 3
    assert [gap.item for gap in answer.gaps] == ["item:acme/COTTON/10/C2"]
    assert answer.position == 3
    writer.close()
    reader.close()


def test_what_this_store_wrote_is_in_its_next_answer(tmp_path: Path) -> None:
    """Its own batches, and its own reset, count at once."""
    store = open_store(f"sqlite:{tmp_path / 'graph.db'}")
    log = ListLog([_spun(1, "C1")])
    catch_up(log, store)
    assert len(store.upstream(YARN, Tier.PUBLIC).hops) == 2
    log.append(_spun(2, "C2"))
    catch_up(log, store)
    assert len(store.upstream(YARN, Tier.PUBLIC).hops) == 3
    store.reset()
    catch_up(ListLog([_spun(1, "C1")]), store)
    assert len(store.upstream(YARN, Tier.PUBLIC).hops) == 2
    store.close()


def test_one_snapshot_gives_one_answer(tmp_path: Path) -> None:
    """Inside a snapshot nothing changes, and what was kept there does not outlive it."""
    url = f"sqlite:{tmp_path / 'graph.db'}"
    log = ListLog([_spun(1, "C1")])
    writer, reader = open_store(url), open_store(url)
    catch_up(log, writer)
    with reader.snapshot():
        assert len(reader.upstream(YARN, Tier.PUBLIC).hops) == 2
        log.append(_spun(2, "C2"))
        catch_up(log, writer)
        assert len(reader.upstream(YARN, Tier.PUBLIC).hops) == 2
    assert len(reader.upstream(YARN, Tier.PUBLIC).hops) == 3
    writer.close()
    reader.close()


def test_tiers_are_kept_apart(tmp_path: Path) -> None:
    """What was read for the operator is not shown to the public afterwards."""
    hidden = {"/inputs/*/lot_id": Tier.PRIVATE}
    draft = _spun(1, "C1")
    store = open_store(f"sqlite:{tmp_path / 'graph.db'}")
    catch_up(ListLog([Draft(draft.type, draft.version, draft.content, tiers=hidden)]), store)
    assert len(store.upstream(YARN, Tier.PRIVATE).hops) == 2
    assert len(store.upstream(YARN, Tier.PUBLIC).hops) == 1
    store.close()


def test_little_room_changes_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for nothing each question reads anew, and is answered the same."""
    store = open_store(f"sqlite:{tmp_path / 'graph.db'}")
    catch_up(chain(), store)
    keys = ["item:bolt/SHIRT/10/T1", "item:bolt/YARN/10/Y1", "item:acme/COTTON/10/C1"]
    roomy = [(store.upstream(k, Tier.PRIVATE), store.downstream(k, Tier.PRIVATE)) for k in keys]
    monkeypatch.setattr(sqlite_walk, "_MOST_KEPT", 0)
    tight = [(store.upstream(k, Tier.PRIVATE), store.downstream(k, Tier.PRIVATE)) for k in keys]
    assert tight == roomy
    store.close()
