"""Memory kept while a large record is worked on: given back afterwards, and only where glibc is."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace
from typing import Any

import pytest

from detectors.heap import kept


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the library of C is told."""
    told: list[Any] = []
    library = SimpleNamespace(
        mallopt=lambda *option: told.append(option),
        malloc_trim=lambda *_: told.append("give back"),
    )
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    return told


def test_more_is_kept_while_the_body_runs_than_after_it(said: list[Any]) -> None:
    """Each size is larger in the body than it is set to afterwards; what is free is given back."""
    with kept():
        inside = dict(said)
        said.clear()
    *after, last = said
    assert inside.keys() == dict(after).keys()
    assert all(inside[option] > size for option, size in after)
    assert last == "give back"


def test_what_raises_keeps_nothing(said: list[Any]) -> None:
    """Memory is given back, whatever becomes of the body."""
    with pytest.raises(LookupError), kept():
        raise LookupError
    assert said[-1] == "give back"


@pytest.mark.parametrize("library", [SimpleNamespace(), OSError("none")])
def test_another_library_of_c_changes_nothing(
    library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The body runs where there is nothing to be told, or nobody to tell."""

    def found(_: object) -> Any:
        if isinstance(library, OSError):
            raise library
        return library

    monkeypatch.setattr(ctypes, "CDLL", found)
    ran = []
    with kept():
        ran.append(True)
    assert ran
