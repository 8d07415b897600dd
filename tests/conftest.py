"""Fixtures for all rooms, and what keeps all of their tests quick together."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

# One core may be busy with other tests; a slow example is not a wrong one.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

# Files of ten seconds and more, longest first: one that began last would keep one core waiting.
LONGEST = (
    "test_replay.py",
    "test_readme.py",
    "test_wheel.py",
    "test_onward.py",
    "test_bad_input.py",
    "test_detector_conformance.py",
    "test_detect_run.py",
    "test_superseding.py",
    "test_apart.py",
    "test_witness_processes.py",
    "test_labour_signs.py",
    "test_graph_histories.py",
    "test_mass_balance.py",
    "test_arango_faults.py",
    "test_unusual_overall.py",
    "test_shelf.py",
    "test_ingest_soak.py",
    "test_executors.py",
    "test_rotation.py",
    "test_samples_files.py",
    "test_api_browser.py",
    "test_graph_forgetting.py",
    "test_mirror.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; the others keep their order."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))


def pytest_collection_finish() -> None:
    """What is loaded by now stays to the end, so the collector need not look at it each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real data and published vectors; missing in CI is a failure."""
    named = os.environ.get("PROVENANCE_TEST_DATA")
    if named and Path(named).is_dir():
        return Path(named)
    if os.environ.get("CI"):
        pytest.fail("PROVENANCE_TEST_DATA names no folder")
    pytest.skip("PROVENANCE_TEST_DATA is not set")
