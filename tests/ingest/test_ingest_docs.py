"""docs/ingest.md: its lists are the program's, and its example does what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ingest_log import MemoryLog, feed

from provenance.entries import Tier
from provenance.ingest.columns import KINDS
from provenance.ingest.events import EVENT_TYPES
from provenance.ingest.mapping import parse_mapping

TEXT = Path(__file__).parents[2].joinpath("docs/ingest.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The code blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_the_example_gives_the_receipt(tmp_path: Path) -> None:
    """The despatch list with its mapping ends in exactly the receipt that is printed."""
    settings, mapping_text = blocks("toml")
    assert parse_mapping(settings, "docs").times.zone == "Europe/Berlin"
    log = MemoryLog()
    mapping = parse_mapping(mapping_text, "docs")
    receipt = feed(log, tmp_path, blocks("csv")[0], name="despatch.csv", mapping=mapping)
    printed = json.loads(blocks("json")[0])
    assert {name: receipt.to_dict()[name] for name in printed} == printed
    assert list(receipt.to_dict())[: len(printed)] == list(printed)
    first = log.contents()[0]
    assert first["items"][0]["quantity"] == {"_d": "1234.50"}
    assert first["event_time"] == "2023-06-30T22:23:00Z"
    assert log.drafts[1] is not None
    assert Tier.PARTNER in log.drafts[1].tiers.values()


def test_all_columns_are_listed() -> None:
    """Every kind's line lists exactly the kind's columns."""
    for kind in KINDS.values():
        (line,) = re.findall(rf"^\| {kind.name} \|.*$", TEXT, re.MULTILINE)
        words = set(re.findall(r"\w+", line)) & set().union(*(k.columns for k in KINDS.values()))
        assert set(kind.columns) - words == set()
        listed = re.findall(r"\w+", line.rsplit("|", 2)[1])
        assert set(listed) <= set(kind.columns)


def test_all_event_types_are_listed() -> None:
    """The table of event types is the program's."""
    for word, meaning in EVENT_TYPES.items():
        kind = f"{meaning.type} {meaning.action}" if meaning.action else meaning.type
        step, disposition = meaning.biz_step, meaning.disposition or ""
        row = f"| {word} | {kind} | {step} | {disposition} |".replace("|  |", "| |")
        assert row in TEXT


def test_all_quarantine_columns_are_listed(tmp_path: Path) -> None:
    """The columns that the document explains are those that are written."""
    receipt = feed(MemoryLog(), tmp_path, "event_id,event_time,event_type\n1,x,ship\n")
    header = Path(receipt.parts[0].quarantine or "").read_text().splitlines()[0]
    explained = re.findall(r"^\| `(quarantine_\w+)` \|", TEXT, re.MULTILINE)
    assert header.split(",")[3:] == explained
