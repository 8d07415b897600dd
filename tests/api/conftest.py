"""Fixtures of the API's tests: one workspace, one app, and ways to ask it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import api_world
import pytest
from api_asker import Asker

from api.app import build_app
from api.readers import Readers
from api.settings import ApiSettings
from api.store_reading import open_reading
from provenance.entries import Draft, EntryType, Identity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workspace.workspace import Workspace

# The naive client reads a log here as it does elsewhere.
sys.path.append(str(Path(__file__).parent.parent / "provenance"))


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """The small chain."""
    directory: Path = tmp_path_factory.mktemp("api") / "chain"
    with api_world.build(directory) as made:
        yield made


@pytest.fixture(scope="session")
def readers(workspace: Workspace) -> Iterator[Readers]:
    """A pool of views of it."""
    pool = Readers(lambda: open_reading(workspace))
    yield pool
    pool.close()


@pytest.fixture(scope="session")
def ask(readers: Readers) -> Asker:
    """The app, to be asked."""
    return Asker(build_app(readers, ApiSettings(base=api_world.BASE, token=api_world.TOKEN)))


@pytest.fixture(scope="session")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    """The small chain, with a watch list that names the farm's site."""
    with api_world.build(tmp_path_factory.mktemp("listed") / "chain") as made:
        entry = {"list_name": "Sites", "kind": "facility", "value": "F-FARM"}
        key = ("watchlist", "Sites", "facility", "F-FARM")
        made.log.append([Draft(EntryType.REFERENCE_DATA, "watchlist/1", entry, (Identity(key),))])
        made.sync_graph()
        pool = Readers(lambda: open_reading(made))
        yield Asker(build_app(pool, ApiSettings(base=api_world.BASE, token=api_world.TOKEN)))
        pool.close()
