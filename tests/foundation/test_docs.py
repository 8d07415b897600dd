"""The documents say what is so: shown commands give the shown output, every setting is named."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from doc_blocks import blocks

import cli
from graph.model import EdgeKind
from provenance.disclosure.tiers import DEFAULT_POLICY
from provenance.entries import EntryType, Tier
from provenance.errors import ProvenanceError
from workspace.settings import Settings

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parent.parent.parent
Command = Callable[..., tuple[int, str, str]]


def test_command_reference_is_current() -> None:
    """docs/cli.md holds the help text of each command as it is; `make docs` writes it."""
    generator = _generator()
    text = generator.PAGE.read_text()

    assert text == generator.page(text)
    for name in cli.COMMANDS:
        assert f"### `provenance {name}`" in text


def test_every_option_has_help() -> None:
    """No command and no option is listed without a word on what it does."""
    bare = [
        f"{called}: {line.strip()}"
        for called, text in _generator().help_texts().items()
        for line, following in _pairs(text.splitlines())
        if re.fullmatch(r"  (-\w, )?--?\w[\w-]*( [<\[]\S+)?", line)
        and not following.startswith("      ")
    ]

    assert bare == []


def test_every_setting_is_documented() -> None:
    """docs/operating.md names each setting of workspace.toml, and none that does not exist."""
    text = (ROOT / "docs" / "operating.md").read_text()
    table = text.split("| setting |")[1].split("\n\n")[0]

    assert re.findall(r"^\| `([a-z_.]+)` \|", table, re.MULTILINE) == _settings(Settings)


def test_messages_that_are_explained_exist() -> None:
    """Each message that docs/operating.md explains is one that the code can print."""
    text = (ROOT / "docs" / "operating.md").read_text()
    table = text.split("| message |")[1].split("\n\n")[0]
    code = "".join(
        re.sub(r'"\s*\n\s*f?"', "", path.read_text())
        for room in ("provenance", "workspace", "commands")
        for path in (ROOT / room).rglob("*.py")
    )
    explained = re.findall(r"^\| `([^`]+)`", table, re.MULTILINE)

    assert len(explained) >= 6
    for message in explained:
        for part in message.split("…"):
            assert part.strip() in code, message


def test_exit_codes_are_told_the_same_everywhere() -> None:
    """Both documents have the same table of exit codes, and it covers every error's."""
    tables = [
        (ROOT / "docs" / name).read_text().split("| code |")[1].split("\n\n")[0]
        for name in ("cli.md", "operating.md")
    ]
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", tables[0], re.MULTILINE)}

    assert re.findall(r"^\| (\d+) \|", tables[1], re.MULTILINE) == re.findall(
        r"^\| (\d+) \|", tables[0], re.MULTILINE
    )
    assert {error.exit_code for error in _errors(ProvenanceError)} <= codes


def test_the_data_model_names_every_entry_type() -> None:
    """docs/data-model.md has each type byte with its name."""
    text = (ROOT / "docs" / "data-model.md").read_text()
    told = re.findall(r"^\| (\d+) \| ([a-z ]+) \|", text, re.MULTILINE)

    assert told == [(str(int(kind)), kind.name.lower().replace("_", " ")) for kind in EntryType]


def test_the_data_model_tells_the_tiers() -> None:
    """docs/data-model.md gives the tier of every field as a new workspace has it."""
    text = (ROOT / "docs" / "data-model.md").read_text()
    told: dict[str, dict[str, Tier]] = {}
    for version, default, rest in re.findall(
        r"^\| `([a-z_]+/\d)` \| (\w+) \|(.*)\|$", text, re.MULTILINE
    ):
        told[version] = {"*": Tier[default.upper()]}
        for group in filter(None, rest.strip().split("; ")):
            tier, names = group.split(": ")
            paths = names.replace("\\*", "*").split(", ")
            told[version] |= {f"/{path}": Tier[tier.upper()] for path in paths}

    assert told == DEFAULT_POLICY.rules


def test_the_data_model_names_every_edge() -> None:
    """docs/data-model.md has each kind of edge that the graph knows."""
    text = (ROOT / "docs" / "data-model.md").read_text()
    table = text.split("| edge |")[1]

    assert re.findall(r"^\| `([a-z]+)` \|", table, re.MULTILINE) == [str(kind) for kind in EdgeKind]


def test_the_backup_recipe_restores(small: Path, tmp_path: Path, provenance: Command) -> None:
    """The commands that the documents give make a backup and a workspace of it that verifies."""
    text = "\n".join(blocks(ROOT / "docs" / "operating.md", "sh"))
    lines = re.findall(r"^provenance (log (?:backup|restore) .+)$", text, re.MULTILINE)
    backup, restore = (line.replace("/srv/backup", str(tmp_path)) for line in lines)

    assert provenance(*shlex.split(backup), environment=str(small)).code == 0
    assert provenance(*shlex.split(restore), "--keys", small / "keys").code == 0
    assert provenance("verify", "--data", "restored").code == 0


def test_the_changelog_has_this_version() -> None:
    """The version of the distribution has its section in the changelog."""
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)

    assert version is not None
    assert f"## [{version[1]}]" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("name", ["Containerfile", "compose.yaml", "packaging/provenance.service"])
def test_what_was_not_run_says_so(name: str) -> None:
    """Files for containers and services say in their first line that they are untested."""
    assert "UNTESTED" in (ROOT / name).read_text().splitlines()[0]


def test_each_decision_weighs_options() -> None:
    """Each record of a decision has a number, a status, options, and what speaks against each."""
    records = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
    numbers = [int(path.name[:4]) for path in records]

    assert numbers == list(range(len(records)))
    for path in records[1:]:
        text = path.read_text()
        options = re.findall(r"^\d\. \*\*", text, re.MULTILINE)
        assert text.startswith(f"# {path.name[:4]}: ")
        assert len(options) >= 2
        assert text.count("- Against: ") >= len(options)
        assert re.search(r"^- Status: (accepted|proposed|superseded by \d{4})$", text, re.MULTILINE)


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_cli", ROOT / "docs" / "make_cli.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _pairs(lines: list[str]) -> list[tuple[str, str]]:
    return list(zip(lines, [*lines[1:], ""], strict=True))


def _settings(kind: type[msgspec.Struct], prefix: str = "") -> list[str]:
    names = []
    for field in msgspec.structs.fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            names += _settings(field.type, f"{prefix}{field.name}.")
        else:
            names.append(prefix + field.name)
    return names


def _errors(root: type[ProvenanceError]) -> list[type[ProvenanceError]]:
    return [root, *(each for child in root.__subclasses__() for each in _errors(child))]
