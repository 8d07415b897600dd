"""A mapping worked out for a file that nobody knows, tried on all of its rows.

Next: provenance/ingest/inspecting/inspection.py
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from provenance.errors import InputError
from provenance.ingest.inspecting.fields_planned import make_plan
from provenance.ingest.inspecting.recognising import SAMPLE, recognise_columns
from provenance.ingest.inspecting.toml_text import mapping_text
from provenance.ingest.inspecting.trial import Conditions, Trial, try_rows
from provenance.ingest.layout import mapped_recipes
from provenance.ingest.mapping import parse_mapping

if TYPE_CHECKING:
    from provenance.ingest.inspecting.plan import Plan
    from provenance.ingest.mapping_form import Mapping
    from provenance.ingest.table import Table, TableSettings

__all__ = ["Suggestion", "suggest"]

_OPEN: Final = "may have the day or the month first, and no value"


@dataclass
class Suggestion:
    """A mapping that a person should look at.

    Attributes:
        plan: What it was made from.
        text: The TOML.
        mapping: The text, read back; None where a field that must be filled is not.
        trial: What would become of the file's rows with it.
        why_not: Why there is no mapping, "" where there is one.
    """

    plan: Plan
    text: str
    mapping: Mapping | None
    trial: Trial
    why_not: str = ""


def suggest(table: Table, form: TableSettings, given: Conditions, unread: str = "") -> Suggestion:
    """Work out a mapping and try it.

    Args:
        table: The file.
        form: What had to be said to open it so.
        given: The party and so on.
        unread: What of the file this is not about, in words.

    Raises:
        InputError: The file cannot be read to its end, or has no rows.
    """
    rows, count, problem = _sampled(table)
    if not rows:
        said = f"no row can be read: {problem}" if problem else "has a header and no rows"
        raise InputError(f"{table.source.name}: {said}")
    plan = make_plan(recognise_columns(table.header, rows), rows)
    if unread:
        plan.notes.append(unread)
    name = re.sub(r"[^a-z0-9]+", "-", table.source.stem.casefold()).strip("-") or "table"
    about = [
        f"Made for {Path(table.source.name).name}: {count:,} rows, {len(table.header)} columns."
    ]
    text = mapping_text(plan, name, form, about=about)
    found = _tried(plan, text, table, given)
    order = _order(found.trial, plan)
    if order:
        plan.notes.append(
            f"dates such as 05/06 can be read in two ways, and nothing decides; {order} is a guess"
        )
        text = mapping_text(plan, name, form, date_order=order, about=about)
        found = _tried(plan, text, table, given)
    return found


def _sampled(table: Table) -> tuple[list[list[str]], int, str]:
    """Rows spread evenly over the file, how many there are, and the first one's problem."""
    kept: list[list[str]] = []
    problem = ""
    step = count = 0
    stride = 1
    for row in table.rows():
        count += 1
        if row.problem:
            problem = problem or row.problem
            continue
        if step % stride == 0:
            kept.append(row.cells)
        step += 1
        if len(kept) > SAMPLE:
            kept = kept[::2]
            stride *= 2
    return kept, count, problem


def _tried(plan: Plan, text: str, table: Table, given: Conditions) -> Suggestion:
    try:
        mapping = parse_mapping(text, "suggested")
        recipes = mapped_recipes(mapping, table.header, table.source.name)
    except InputError as error:
        return Suggestion(plan, text, None, Trial(), str(error))
    trial = try_rows(table, recipes, mapping.time_settings(), given)
    return Suggestion(plan, text, mapping, trial)


def _order(trial: Trial, plan: Plan) -> str:
    """A guess for dates that stay open: months first only where the file looks American."""
    if not any(_OPEN in reason for reason in trial.problems):
        return ""
    headers = " ".join(guess.header.casefold() for guess in plan.guesses)
    shapes = {shape for guess in plan.guesses for shape in guess.profile.dates}
    if any("." in shape for shape in shapes) or plan.decimal == ",":
        return "day-first"
    american = re.search(r"\blbs?\b|\bzip\b|\bstate\b|\bus\b|\bscac\b|\bhts\b", headers)
    return "month-first" if american else "day-first"
