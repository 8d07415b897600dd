"""Fixtures for all rooms."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# One core may be busy with other tests; a slow example is not a wrong one.
settings.register_profile("project", deadline=None)
settings.load_profile("project")


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real data and published vectors; missing in CI is a failure."""
    named = os.environ.get("PROVENANCE_TEST_DATA")
    if named and Path(named).is_dir():
        return Path(named)
    if os.environ.get("CI"):
        pytest.fail("PROVENANCE_TEST_DATA names no folder")
    pytest.skip("PROVENANCE_TEST_DATA is not set")
