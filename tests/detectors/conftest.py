"""What keeps the tests of detection quick."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from detectors import unusual_models

if TYPE_CHECKING:
    from collections.abc import Iterator

FEW = 40


@pytest.fixture(scope="module", autouse=True)
def few_trees(request: pytest.FixtureRequest) -> Iterator[None]:
    """A forest of a fifth of its trees, but where the models themselves are examined.

    Growing them takes half a second each time, and the laws hold for any number.
    """
    with pytest.MonkeyPatch.context() as patch:
        if request.module.__name__ != "test_unusual_overall":
            patch.setattr(unusual_models, "TREES", FEW)
        yield
