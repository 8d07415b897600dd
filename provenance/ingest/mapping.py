"""The mapping language: how a file that is not ours becomes native rows.

A mapping is a small TOML file, described in docs/ingest.md. It says which
column (or constant, or text with columns in it) fills which native field,
which rows make which events, how open dates are read, and which tiers differ
from the workspace's. A mapping without fields only settles the times and the
encoding of a native file.

Next: provenance/ingest/mapping_form.py
"""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfoNotFoundError

import msgspec

from provenance.errors import InputError
from provenance.ingest.mapping_checks import check_mapping
from provenance.ingest.mapping_form import Mapping

__all__ = [
    "about_mapping",
    "load_mapping",
    "parse_mapping",
    "shipped_mappings",
    "shipped_text",
]


def load_mapping(name: str) -> Mapping:
    """Load a mapping.

    Args:
        name: A shipped mapping's name, or the path of a TOML file.

    Raises:
        InputError: There is none, or it is wrong; the message names the setting.
    """
    if name in shipped_mappings():
        return parse_mapping(_shipped(name), name)
    try:
        text = Path(name).read_text(encoding="utf-8")
    except FileNotFoundError:
        offered = ", ".join(shipped_mappings())
        raise InputError(f"mapping {name}: no such file; shipped mappings: {offered}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"mapping {name}: cannot be read: {error}") from None
    return parse_mapping(text, name)


def shipped_mappings() -> list[str]:
    """Names of the mappings that come with the program."""
    folder = resources.files("provenance.ingest") / "mappings"
    return sorted(file.name[:-5] for file in folder.iterdir() if file.name.endswith(".toml"))


def shipped_text(name: str) -> str:
    """The text of a shipped mapping.

    Raises:
        InputError: There is none of this name.
    """
    if name not in shipped_mappings():
        offered = ", ".join(shipped_mappings())
        raise InputError(f"mapping {name}: is not shipped; there are {offered}")
    return _shipped(name)


def about_mapping(name: str) -> str:
    """The first sentence of a shipped mapping's comment."""
    lines = (line[2:] for line in shipped_text(name).splitlines() if line.startswith("# "))
    return " ".join(lines).partition(". ")[0].partition(": ")[0].rstrip(".")


def _shipped(name: str) -> str:
    file = resources.files("provenance.ingest") / "mappings" / f"{name}.toml"
    return file.read_text(encoding="utf-8")


def parse_mapping(text: str, place: str) -> Mapping:
    """Read and check a mapping's text.

    Args:
        text: TOML.
        place: For messages.

    Raises:
        InputError: Not TOML, an unknown setting, field, tier or zone.
    """
    try:
        mapping = msgspec.convert(tomllib.loads(text), Mapping)
        mapping.time_settings()
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"mapping {place}: is not TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise InputError(f"mapping {place}: {error}") from None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = tomllib.loads(text)["times"]["zone"]
        raise InputError(f"mapping {place}: times.zone: no time zone {zone!r}") from None
    check_mapping(mapping, f"mapping {place}")
    return mapping
