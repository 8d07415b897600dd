"""The shape of the repository: what is where, how long a file is, what no file may hold."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent.parent
ROOMS = ("provenance", "graph", "detectors", "workspace", "api", "commands", "samples")
NOT_OURS = {".venv", ".git", ".hypothesis", "__pycache__", "node_modules", "dist", "build"}
TEXT = {".py", ".md", ".toml", ".yaml", ".service", ".html", ".css", ".js", ".graphql", ".lock", ""}

# "About 300 lines": a file may run over by a docstring, not by a thought. A test file may hold one
# or two more tables of cases.
LONGEST, LONGEST_TEST = 330, 490
LONGER = {
    # To be read as one page by a sceptic, so it stays one file.
    "provenance/verify.py": 400,
    # One class each that answers one port, method by method.
    "graph/stores/memory.py": 375,
    "graph/stores/sqlite.py": 375,
}


def _files() -> list[Path]:
    found = []
    for place, folders, names in os.walk(ROOT):
        folders[:] = [one for one in folders if one not in NOT_OURS and not one.endswith("_cache")]
        found += [path for name in names if (path := Path(place, name)).suffix in TEXT]
    return found


FILES = _files()
CODE = [path for path in FILES if path.suffix == ".py"]


def _lines_with(pattern: str, files: list[Path], flags: int = 0) -> list[str]:
    sought = re.compile(pattern, flags)
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in files
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if sought.search(line)
    ]


def test_files_are_short() -> None:
    """A source or test file is within about 300 lines; the exceptions are named here."""
    long = {
        name: count
        for path in CODE
        if (count := len(path.read_text().splitlines()))
        > LONGER.get(
            name := path.relative_to(ROOT).as_posix(),
            LONGEST_TEST if name.startswith("tests/") else LONGEST,
        )
    }

    assert long == {}


@pytest.mark.parametrize(
    "name",
    [
        "provenance",
        "graph",
        "detectors",
        "samples",
        "tests",
        "cli.py",
        "schema.graphql",
        "pyproject.toml",
    ],
)
def test_the_given_names_exist(name: str) -> None:
    """The top-level names that the project was given stay where they are."""
    assert (ROOT / name).exists()


def test_the_data_flow_line_names_real_modules() -> None:
    """Each module in README's data-flow line can be imported by that name."""
    (line,) = [
        line for line in (ROOT / "README.md").read_text().splitlines() if line.count(" → ") >= 5
    ]
    named = re.findall(r"`([a-z_.]+)`", line)

    assert named[0] == "provenance.ingest"
    assert [name for name in named if importlib.util.find_spec(name) is None] == []


def test_reading_order_leads_on() -> None:
    """The "Next:" at the end of a module's docstring names a file or package that exists."""
    lost = []
    for path in CODE:
        said = re.search(r"^Next: (\S+?)\.?$", _told(path).purpose, re.MULTILINE)
        if said and not (ROOT / said[1]).exists():
            lost.append(f"{path.relative_to(ROOT)}: {said[1]}")

    assert lost == []


def test_every_module_says_what_it_is_for() -> None:
    """Every module, test files included, begins with a docstring."""
    assert [str(path) for path in CODE if not _told(path).purpose] == []


def test_every_test_states_its_rule() -> None:
    """Each test has a docstring: the rule that it checks."""
    silent = [
        f"{path.name}: {name}"
        for path in CODE
        if path.name.startswith("test_")
        for name in _told(path).silent
        if name != "test_data"
    ]

    assert silent == []


def test_test_files_have_names_of_their_own() -> None:
    """No two files under tests/ share a name; pytest would import one for the other."""
    tests = [path.name for path in CODE if path.is_relative_to(ROOT / "tests")]
    names = [name for name in tests if name != "conftest.py"]

    assert sorted(names) == sorted(set(names))


def test_nothing_is_left_for_later() -> None:
    """No file holds a note to oneself, and no code stands in for code that is not there."""
    assert _lines_with(r"\b(?:TO[D]O|FIX[M]E|X{3}|HAC[K])\b", FILES) == []
    assert _lines_with(r"\bNot[I]mplementedError\b", CODE) == []


def test_no_machine_paths() -> None:
    """No file names a directory of somebody's machine."""
    assert _lines_with(r"(?<![\w.])/(?:work|root|home|Users)/", FILES) == []


def test_tests_are_not_excused() -> None:
    """A test is skipped for want of the real data or of a browser, and for no other reason."""
    wanting = [
        path
        for path in CODE
        if not re.search(r"PROVENANCE_TEST_DATA|make setup-browser", path.read_text())
    ]

    assert _lines_with(r"pytest\.[s]kip\(", wanting) == []
    assert _lines_with(r"pytest\.(?:mark\.(?:[s]kip|[x]fail)|[x]fail|importor[s]kip)", CODE) == []


def test_the_lock_pins_and_hashes_everything() -> None:
    """Each requirement is one exact version with hashes, and no index is named."""
    text = (ROOT / "requirements.lock").read_text()
    blocks = re.split(r"\n(?=\S)", text.split("\n", 2)[2].strip())

    assert len(blocks) > 50
    assert [b[:40] for b in blocks if not re.match(r"[a-z0-9._-]+==\S+( ;.*)? \\\n", b)] == []
    assert [block[:40] for block in blocks if "--hash=sha256:" not in block] == []
    assert re.search(r"https?://|--(?:extra-)?index-url|--find-links", text) is None


def test_no_file_names_a_package_index() -> None:
    """Where packages come from is the machine's business, not the project's."""
    hosts = r"pypi\.or[g]|pythonhosted\.or[g]|registry\.npmj[s]|--trusted-hos[t]|index-ur[l][= ]h"

    assert _lines_with(hosts, FILES) == []


def test_the_lock_has_what_the_project_asks_for() -> None:
    """Every dependency of pyproject.toml, and of its group for tests, is in the lock."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    names = {re.split(r"[<>=~! ]", line)[0] for line in asked}
    locked = set(
        re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    )

    assert names - locked == set()


def test_graphene_stays_outside() -> None:
    """Graphene cannot share an environment with our GraphQL server (docs/adr/0006)."""
    locked = re.findall(
        r"^([a-z0-9._-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE
    )

    assert "graphene" not in locked


def test_integrations_import_nothing_of_ours() -> None:
    """What runs in somebody else's process speaks HTTP."""
    outside = [path for path in CODE if path.is_relative_to(ROOT / "integrations")]

    assert _lines_with(rf"^\s*(?:from|import) (?:{'|'.join(ROOMS)})\b", outside) == []


def test_samples_import_nothing_of_ours() -> None:
    """The generator shares no code with what is tested on its output."""
    others = [room for room in ROOMS if room != "samples"]
    found = [path for path in CODE if path.is_relative_to(ROOT / "samples")]

    assert found
    assert _lines_with(rf"^\s*(?:from|import) (?:{'|'.join(others)})\b", found) == []


def test_the_verifier_is_an_island() -> None:
    """The three files that a sceptic copies import each other, blake3 and cryptography alone."""
    island = {"provenance.verify", "provenance.hashing", "provenance.errors"}
    allowed = {"blake3", "cryptography", *sys.stdlib_module_names}
    strangers = [
        f"{name}: {found}"
        for name in sorted(island)
        for found in _imports(ROOT / f"{name.replace('.', '/')}.py")
        if found not in island and found.split(".")[0] not in allowed
    ]

    assert strangers == []


def test_the_command_line_only_names_its_commands() -> None:
    """cli.py loads options and errors, and nothing that a command is about; nobody imports it."""
    ours = [name for name in _imports(ROOT / "cli.py") if name.split(".")[0] in ROOMS]
    rooms = [path for path in CODE if path.relative_to(ROOT).parts[0] in ROOMS]

    assert sorted(ours) == ["commands.options", "provenance.errors"]
    assert _lines_with(r"^\s*(?:from|import) cli\b", rooms) == []


def test_links_in_documents_lead_somewhere() -> None:
    """A relative link in a document names a file of this repository."""
    dead = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in FILES
        if path.suffix == ".md"
        for target in re.findall(r"\]\((?!https?://|#)([^)#\s]+)", path.read_text())
        if not (path.parent / target).exists()
    ]

    assert dead == []


def test_paths_in_documents_exist() -> None:
    """A source file or folder that a document names in backticks is there."""
    # integrations/ is still to come, and says so where it is named.
    top = {path.name for path in ROOT.iterdir()} - {"integrations"}
    formats = r"/\d+$"  # provenance/proof/1 is a name, not a path
    lost = [
        f"{path.relative_to(ROOT)}: {named}"
        for path in FILES
        if path.suffix == ".md"
        for named in re.findall(r"`([\w.-]+/[\w./-]*)`", path.read_text())
        if named.split("/")[0] in top and not re.search(formats, named)
        if not (ROOT / named).exists()
    ]

    assert lost == []


def _imports(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None, "relative import"
            found.append(node.module)
    return found


class _Told(NamedTuple):
    """What a file says of itself. Its tree is not kept: all of them are half a gigabyte."""

    purpose: str
    silent: tuple[str, ...]


@cache
def _told(path: Path) -> _Told:
    tree = ast.parse(path.read_text())
    tests = [
        node
        for node in (*tree.body, *(each for one in tree.body for each in getattr(one, "body", ())))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    silent = tuple(node.name for node in tests if not ast.get_docstring(node))
    return _Told(ast.get_docstring(tree) or "", silent)


def test_a_test_module_has_a_name_of_its_own() -> None:
    """Test modules share one namespace: two of one name would import each other's helpers."""
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py"]

    assert sorted(set(names)) == sorted(names)
