"""`provenance replay`: verdicts, their reasons, and the exit code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from detectors import replay
from detectors.replay import Replay, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., "tuple[int, str, str]"]

FLAG = "16"
"""Where the fixture workspace holds its one flag, which lacks what a replay needs."""


def test_what_cannot_be_repeated_is_no_failure(provenance: Command, small: Path) -> None:
    """A flag without its parameters is impossible to replay, says why, and exits 0."""
    code, out, _ = provenance("replay", FLAG, "--data", small, "--json")

    assert code == 0
    (found,) = json.loads(out)
    assert (found["index"], found["verdict"]) == (16, "impossible")
    assert found["reasons"]


def test_all_finds_every_flag(provenance: Command, small: Path) -> None:
    """`--all` replays the flags of the log and nothing else."""
    code, out, _ = provenance("replay", "--all", "--data", small)

    assert code == 0
    assert out.startswith("#16 ")
    assert out.endswith("flags: 0 same, 0 different, 1 impossible\n")


def test_a_different_one_fails(
    provenance: Command, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One flag that comes out different makes the exit code 1."""
    verdict = Replay(Verdict.DIFFERENT, ("score differs",))
    monkeypatch.setattr(replay.Replayer, "replay", lambda _self, _flag: verdict)

    code, out, _ = provenance("replay", "#16", "--data", small)

    assert code == 1
    assert "score differs" in out


@pytest.mark.parametrize("words", [(), (FLAG, "--all"), ("no-index",), ("-1",)])
def test_wrong_words(words: tuple[str, ...], provenance: Command, small: Path) -> None:
    """Neither flags nor --all, both, or no log index: exit code 2 and no traceback."""
    code, out, err = provenance("replay", *words, "--data", small)

    assert (code, out) == (2, "")
    assert "Traceback" not in err
