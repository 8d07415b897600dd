"""Asking one detector about a world."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frame_factories import ROOT

from detectors.registry import BUILT_IN
from detectors.run import run

if TYPE_CHECKING:
    from frame_factories import World

    from detectors.base import Flag
    from detectors.run import RunResult


def ask(name: str, world: World) -> RunResult:
    """What a detector says about a world; a fault is a failure."""
    detector = next(one for one in BUILT_IN if one.name == name)
    result = run(world.frames(), [detector], tree_size=len(world.entries), root=ROOT)
    assert result.errors == ()
    return result


def flagged(name: str, world: World) -> dict[str, Flag]:
    """The flags by subject."""
    return {flag.subject_id: flag for flag in ask(name, world).flags}


def reasons(name: str, world: World) -> dict[str, tuple[str, ...]]:
    """What was not judged: reason to examples."""
    return {one.reason: one.examples for one in ask(name, world).abstentions}
