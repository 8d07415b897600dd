"""Every parser of bytes from outside: what is read is written back, else it is an error of ours."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz import Finding, turn
from fuzz_mutation import OPERATIONS, mutant, smallest
from fuzz_parsers import PARSERS, Parser, fault, takes
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parent.parent.parent
INPUTS = 150  # a parser here; `make fuzz` gives as many as fit into its time


@pytest.mark.parametrize("name", PARSERS)
def test_every_sample_is_taken(name: str) -> None:
    """A sample that is refused would fuzz nothing."""
    samples = PARSERS[name].samples()
    assert samples
    assert [sample for sample in samples if not takes(PARSERS[name], sample)] == []
    assert [fault(PARSERS[name], sample) for sample in samples] == [None] * len(samples)


@pytest.mark.parametrize("name", PARSERS)
def test_spoilt_samples_come_back_or_are_refused(name: str) -> None:
    """The same inputs every time; some get past the parser and some do not."""
    weight = PARSERS[name].weight
    assert [str(finding) for finding in turn(name, "ci", INPUTS // weight)] == []
    samples, dice = PARSERS[name].samples(), random.Random(name)
    taken = {takes(PARSERS[name], mutant(dice, samples)) for _ in range(100 // min(weight, 3))}
    assert taken == {True, False}


@pytest.mark.parametrize("name", PARSERS)
def test_arbitrary_bytes_come_back_or_are_refused(name: str) -> None:
    """Bytes and text without any form, and spoilt samples that Hypothesis chooses."""
    samples = PARSERS[name].samples()
    spoilt = st.integers(0, 2**32).map(lambda seed: mutant(random.Random(seed), samples))

    @given(st.binary(max_size=200) | st.text(max_size=60).map(str.encode) | spoilt)
    @settings(max_examples=30 // PARSERS[name].weight)
    def check(data: bytes) -> None:
        assert fault(PARSERS[name], data) is None

    check()


def _breaks(data: bytes) -> object:
    if b"ab" in data:
        raise KeyError("ab")
    return data


def test_a_parser_that_breaks_is_found_and_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another error, other bytes and a message of several lines are faults, with short bytes."""
    broken = Parser(lambda: [b"xxxxabxxxx", b"xx"], _breaks)
    monkeypatch.setitem(PARSERS, "broken", broken)
    findings = list(turn("broken", "1", 200))
    assert findings
    assert {finding.data for finding in findings} == {b"ab"}
    assert "KeyError: 'ab'" in str(findings[0])
    assert "--only 'broken' --bytes YWI=" in str(findings[0])
    changing = Parser(lambda: [b""], bytes.upper, lambda value: value)
    assert fault(changing, b"a") == "is written back as b'A'"
    assert fault(changing, b"A") is None
    assert isinstance(findings[0], Finding)


@given(st.integers(0, 2**32))
def test_spoiling_is_the_same_for_the_same_seed(seed: int) -> None:
    """A finding can be made again from its seed."""
    samples = [b'{"a":[1,{"b":"QUJDREVGR0hJSks"}]}\n', b"old 12\nAAAA\n\nnote\n"]
    assert mutant(random.Random(seed), samples) == mutant(random.Random(seed), samples)


def test_every_way_of_spoiling_spoils() -> None:
    """Each operation changes something, takes the empty input, and keeps JSON and base64 whole."""
    samples = [b'{"a":[1,{"b":"QUJDREVGR0hJSks"}],"c":{"d":null}}\n', b"x 1 QUJDREVGR0hJSks=\n"]
    for operation in OPERATIONS:
        dice = random.Random(1)
        made = {operation(dice, sample, samples) for sample in samples for _ in range(30)}
        assert len(made - {*samples}) > 3, operation.__name__
        operation(dice, b"", samples)


def test_what_fails_is_made_short() -> None:
    """Everything that may be left out is left out."""
    data = random.Random(1).randbytes(500) + b"needle" + random.Random(2).randbytes(500)
    assert smallest(data, lambda less: b"needle" in less) == b"needle"


def test_the_long_run_is_a_program() -> None:
    """`make fuzz` runs it for a time; here for a second, and with bytes of one's own."""
    recipe = (ROOT / "Makefile").read_text()
    assert re.search(r"^fuzz: setup .*\n\t.*tests/fuzz/fuzz\.py --seconds", recipe, re.MULTILINE)
    for arguments, said in (
        (["--seconds", "1", "--seed", "7", "--only", "leaf", "--only", "vkey"], "0 failures"),
        (["--only", "leaf", "--bytes", "AAAA"], "as it should be"),
    ):
        ran = subprocess.run(
            [sys.executable, str(ROOT / "tests/fuzz/fuzz.py"), *arguments],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ran.returncode, ran.stderr) == (0, "")
        assert said in ran.stdout
