"""The README, followed: its commands print what it shows, its queries get the answers it gives."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from doc_blocks import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent


def _session(block: str) -> list[tuple[str, str]]:
    """Split a console block into commands and what is shown under each."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)
    assert parts[0].strip() == ""
    shown = []
    for part in parts[1:]:
        command, _, output = part.partition("\n")
        while command.endswith("\\"):
            more, _, output = output.partition("\n")
            command = command[:-1] + more.removeprefix(">").strip()
        shown.append((command, output))
    return shown


def matches(shown: str, printed: str) -> bool:
    """Whether output is as shown: `...` in a line is any text, a line of `...` is any lines."""
    pattern = ""
    for line in shown.strip().splitlines():
        if line.strip() == "...":
            pattern += r"(?:.*\n)*?"
        else:
            parts = [re.escape(part.rstrip()) for part in line.split("...")]
            pattern += r"[^\n]*".join(parts) + r"[ ]*\n"
    return re.fullmatch(pattern, printed.strip() + "\n") is not None


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a ... c", "a b c", True),
        ("a ... c", "a b d", False),
        ("a\n...\nd", "a\nb\nc\nd", True),
        ("a\n...\nd", "a\nb\nc", False),
        ("a", "a\nb", False),
    ],
)
def test_what_counts_as_shown(shown: str, printed: str, *, same: bool) -> None:
    """Dots stand for what varies and for nothing else."""
    assert matches(shown, printed) is same


ENVIRONMENT = {
    "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
    "PYTHONPATH": str(ROOT),
    "COLUMNS": "100",
    "LANG": "C.UTF-8",
}


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[str, str, str]]]:
    """Follow the README in an empty directory: each command, what it shows, what was printed."""
    place = tmp_path_factory.mktemp("reader")
    shutil.copytree(ROOT / "samples" / "data", place / "samples" / "data")
    ran = []
    for block in blocks(ROOT / "README.md", "console"):
        for command, shown in _session(block):
            if command.startswith("make "):
                continue  # these set up what runs here already
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=place,
                env=ENVIRONMENT,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            ran.append((command, shown, done.stdout))
    return place, ran


@pytest.fixture(scope="module")
def served(followed: tuple[Path, object]) -> Iterator[str]:
    """The address of a server on the workspace that the README has made."""
    with subprocess.Popen(
        ["provenance", "serve", "--port", "0"],
        cwd=followed[0],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        said = re.search(r"http://[0-9.]+:\d+", server.stdout.readline())
        assert said is not None
        yield said[0]
        server.terminate()


def test_readme_commands_give_what_is_shown(
    followed: tuple[Path, list[tuple[str, str, str]]],
) -> None:
    """The console blocks of the README, run in their order, print what the README shows."""
    differing = [
        f"$ {command}\n{printed}"
        for command, shown, printed in followed[1]
        if not matches(shown, printed)
    ]

    assert len(followed[1]) >= 8
    assert "\n".join(differing) == ""


def test_readme_queries_give_the_answers_shown(served: str) -> None:
    """The GraphQL queries of the README, asked anonymously, give exactly the answers shown."""
    queries = blocks(ROOT / "README.md", "graphql")
    answers = blocks(ROOT / "README.md", "json")
    given = [_asked(served, query) for query in queries]

    assert len(queries) == 2
    assert given == [json.loads(answer) for answer in answers]


def _asked(address: str, query: str) -> dict[str, Any]:
    """Ask a server that may only just have begun."""
    request = urllib.request.Request(
        f"{address}/graphql",
        json.dumps({"query": query}).encode(),
        {"Content-Type": "application/json"},
    )
    for attempt in range(100):
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return {"data": json.load(answer)["data"]}
        except urllib.error.URLError:
            if attempt == 99:
                raise
            time.sleep(0.1)
    raise AssertionError
