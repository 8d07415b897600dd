"""The stores that the rules are tested on: adding one here puts it to all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from graph_factories import chain

from graph.connect import open_store
from graph.sync import catch_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graph.store import GraphStore

STORES = ("memory", "sqlite")


@pytest.fixture(scope="module", params=STORES)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where a store of each kind may be made."""
    place = tmp_path_factory.mktemp("graph") / "graph.db" if request.param == "sqlite" else ""
    return f"{request.param}:{place}"


@pytest.fixture
def store(url: str) -> Iterator[GraphStore]:
    """An empty store of each kind."""
    opened = open_store(url)
    opened.reset()
    yield opened
    opened.close()


@pytest.fixture
def full(store: GraphStore) -> GraphStore:
    """A store that holds the chain of `graph_factories`."""
    catch_up(chain(), store)
    return store
