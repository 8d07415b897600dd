"""The stores that the rules are tested on: adding one here puts it to all of them."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent / "arango"))

from arango_double import serving, without_sockets
from graph_factories import chain

from graph.connect import open_store
from graph.place import ArangoPlace
from graph.sync import catch_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graph.store import GraphStore

STORES = ("memory", "sqlite", "arangodb")
SERVER = os.environ.get("ARANGO_URL")
"""A real ArangoDB server to test on instead of the double, with the password of root in
ARANGO_PASSWORD. Its database `provenance_tests` is emptied again and again."""


@pytest.fixture(scope="module", params=STORES)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a store of each kind may be made."""
    if request.param == "arangodb":
        with _server() as address:
            yield address
        return
    place = tmp_path_factory.mktemp("graph") / "graph.db" if request.param == "sqlite" else ""
    yield f"{request.param}:{place}"


@contextmanager
def _server() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch, serving() as double:
        password = os.environ.get("ARANGO_PASSWORD", "") if SERVER else double.password
        patch.setenv("PROVENANCE_GRAPH_PASSWORD", password)
        patch.setattr("graph.connect.ArangoPlace", partial(ArangoPlace, patience=5))
        if not SERVER:
            without_sockets(double, patch)  # over HTTP in arango/test_arango_faults.py
        yield f"arangodb:{SERVER or double.url}/provenance_tests"
        assert double.refused == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Draw fewer examples where each question is a request or more."""
    test = getattr(item, "obj", None)
    chosen = getattr(test, "_hypothesis_internal_use_settings", None)
    if chosen is None or "arangodb" not in item.name:
        return (yield)
    few = settings(chosen, max_examples=max(chosen.max_examples // 12, 2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(test, "_hypothesis_internal_use_settings", few)
        return (yield)


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
