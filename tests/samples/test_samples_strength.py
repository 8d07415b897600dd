"""Strength: deeds of a stated size, and nothing else changed."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import samples
from samples.generate import generate
from samples.strength import SPREADS, STRENGTHS

if TYPE_CHECKING:
    from samples.generate import Table

SCALE = 0.4
FACTOR = re.compile(r"\(x (\d+\.\d+)\)")


@cache
def world(name: str) -> dict[str, Table]:
    """A small world of one strength."""
    return generate(5, SCALE, strength=STRENGTHS[name])


@pytest.mark.parametrize("name", STRENGTHS)
@pytest.mark.parametrize("kind", ["weight", "value"])
def test_deeds_have_the_stated_size(name: str, kind: str) -> None:
    """A falsified figure is off by so many natural spreads, up to the rounding of its note."""
    low, high = STRENGTHS[name]
    spread = SPREADS[kind][0]
    rows = [row for row in world(name)["labels.csv"].rows if row["type"] == f"{kind}_misdeclared"]
    assert rows
    for row in rows:
        found = FACTOR.search(row["note"])
        assert found is not None
        assert low * spread - 0.006 <= abs(float(found[1]) - 1) <= high * spread + 0.006


@pytest.mark.parametrize("name", STRENGTHS)
def test_months_have_the_stated_size(name: str) -> None:
    """Labelled hours and pay break the law by so many spreads."""
    low, high = STRENGTHS[name]
    files = world(name)
    months = {f"{row['facility_id']}|{row['month']}": row for row in files["labour.csv"].rows}
    country = {row["facility_id"]: row["country"] for row in files["facilities.csv"].rows}
    for row in files["labels.csv"].rows:
        if row["type"] != "excess_hours":
            continue
        month = months[row["subject_id"]]
        limits = [
            float(law["max_weekly_hours"])
            for law in files["legal_limits.csv"].rows
            if law["country"] == country[month["facility_id"]]
            and law["effective_from"] <= f"{month['month']}-01"
        ]
        worked = float(month["total_hours"]) / float(month["headcount"]) / (52 / 12)
        beyond = (max(worked, float(month["avg_weekly_hours"])) - limits[-1]) / SPREADS["hours"][0]
        assert low - 0.3 <= beyond <= high + 0.3


def test_strength_changes_what_is_planted_alone() -> None:
    """People, places and prices are those of the unharmed world."""
    clean = generate(5, SCALE, clean=True)
    for name in ("products.csv", "locations.csv", "legal_limits.csv"):
        assert world("hard")[name].rows == clean[name].rows
    touched = {row["subject_id"] for row in world("hard")["labels.csv"].rows}
    honest = {row["facility_id"] + "|" + row["month"]: row for row in clean["labour.csv"].rows}
    same = [
        row == honest[f"{row['facility_id']}|{row['month']}"]
        for row in world("hard")["labour.csv"].rows
        if f"{row['facility_id']}|{row['month']}" not in touched
    ]
    assert sum(same) > 0.9 * len(same)


def test_every_spread_is_somebodys() -> None:
    """A stated spread is drawn by some scheme, and no scheme draws one that is not stated."""
    folder = Path(samples.__file__).parent
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    named = [r'draw\(\s*"(\w+)"', r'SPREADS\["(\w+)"\]', r'_STAYS\.get\([^"]*"(\w+)"\)']
    drawn = {name for pattern in named for name in re.findall(pattern, text)}
    (stays,) = re.findall(r"_STAYS = (\{.*?\})", text)
    assert drawn | set(ast.literal_eval(stays).values()) == SPREADS.keys()
