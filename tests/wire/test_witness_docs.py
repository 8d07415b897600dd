"""The documents' commands are ones that the program understands, and their numbers are right."""

from __future__ import annotations

import itertools
import re
import shlex
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from small_log import Witness, small_log

import cli
from provenance.verify import parse_policy
from provenance.wire.cosign import _LONGEST_REST, ASK_SECONDS
from provenance.wire.monitor import Finding, Kind

ROOT = Path(__file__).parents[2]
OPERATING = (ROOT / "docs" / "operating.md").read_text()
ROW = r"^\| (`[A-Z`, ]+`) \|.*\| (yes|no) \|$"
SHOWN = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", OPERATING, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
    if line.startswith("provenance ")
]


@pytest.mark.parametrize("line", SHOWN)
def test_each_shown_command_is_understood(line: str) -> None:
    """Every command line in docs/operating.md names a command, and options that it has."""
    command: Any = typer.main.get_command(cli.app)
    context = command.make_context("provenance", shlex.split(line, comments=True)[1:])
    while hasattr(command, "resolve_command"):
        arguments = [*context._protected_args, *context.args]
        name, command, rest = command.resolve_command(context, arguments)
        assert command is not None
        context = command.make_context(name, rest, parent=context)


def test_commands_are_shown() -> None:
    """The list that is tried is not empty."""
    assert any(line.startswith("provenance witness serve") for line in SHOWN)
    assert any(line.startswith("provenance monitor") for line in SHOWN)


def test_the_shown_policy_has_the_form_of_one() -> None:
    """But for its shortened keys, the policy in docs/operating.md is one."""
    (shown,) = re.findall(r"^```text\n(log .*?)^```", OPERATING, re.MULTILINE | re.DOTALL)
    numbers = itertools.count(1)
    whole = re.sub(
        r"\S+\+\.\.\.",
        lambda match: (
            small_log().key.vkey
            if match[0].startswith("example.org")
            else Witness(match[0].split("+")[0], next(numbers)).vkey
        ),
        shown,
    )
    policy = parse_policy(whole.encode())
    assert policy.groups == {"most": (2, ["north", "south", "west"])}
    assert policy.quorum == ["most"]


def test_what_the_monitor_says_is_explained() -> None:
    """The table of words has each kind of finding, and says rightly whether it is an alarm."""
    table = OPERATING.split("| word | means | alarm? |")[1].split("\n\n")[0]
    told = {
        kind.lower(): alarm.startswith("yes")
        for kinds, alarm in re.findall(
            r"^\| (`[A-Z`, ]+`) \|.*\| (yes|no) \|$", table, re.MULTILINE
        )
        for kind in re.findall(r"`([A-Z]+)`", kinds)
    }

    assert set(told) == set(get_args(Kind))
    assert {kind: Finding(kind, "", "").is_alarm for kind in told} == told  # type: ignore[arg-type]


def test_numbers_in_the_text_are_the_programs() -> None:
    """How long a witness may take, and how long it is left alone, is as it says."""
    words = " ".join(OPERATING.split())
    assert f"Each witness has {ASK_SECONDS:g} seconds in a round" in words
    assert _LONGEST_REST == 300
    assert "up to five minutes" in words


@pytest.mark.parametrize(("needed", "of", "both"), [(2, 3, 1), (3, 4, 2), (3, 3, 3), (4, 5, 3)])
def test_how_many_must_lie(needed: int, of: int, both: int) -> None:
    """Two quorums of k out of n share at least 2k - n witnesses, as docs/trust.md says."""
    quorums = [set(chosen) for chosen in itertools.combinations(range(of), needed)]
    assert min(len(one & other) for one in quorums for other in quorums) == both == 2 * needed - of
