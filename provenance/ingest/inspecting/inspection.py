"""One file, looked at: what it is, what its columns mean, what would become of its rows.

Next: commands/inspect.py
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from provenance.errors import InputError
from provenance.ingest.columns import KNOWN_COLUMNS
from provenance.ingest.decisions import TimeSettings
from provenance.ingest.documents import is_json, names_epcis
from provenance.ingest.files import Sheets, open_with, sheet_of, sheets_of
from provenance.ingest.formats.opening import open_any, sheets_in
from provenance.ingest.headers import recognise
from provenance.ingest.inspecting.suggestion import Suggestion, suggest
from provenance.ingest.inspecting.trial import Conditions, try_rows
from provenance.ingest.layout import mapped_recipes, missing_columns, native_recipe
from provenance.ingest.limits import DEFAULT_LIMITS
from provenance.ingest.mapping import load_mapping, shipped_mappings
from provenance.ingest.sources import open_source
from provenance.ingest.table import TableSettings

if TYPE_CHECKING:
    from provenance.ingest.formats.xlsx import Listed
    from provenance.ingest.inspecting.recognising import Guess
    from provenance.ingest.inspecting.trial import Trial
    from provenance.ingest.layout import Recipe
    from provenance.ingest.mapping_form import Mapping
    from provenance.ingest.sources import Source
    from provenance.ingest.table import Table

__all__ = ["Inspection", "inspect_file", "sheets_named", "suggest_mapping"]

_SAMPLES: Final = 3


@dataclass
class Inspection:
    """What was found.

    Attributes:
        file: As it was named.
        table: Its form and header.
        read_as: "native", a mapping's name, or "suggestion".
        kind: The native format that its rows become.
        columns: Per column what it fills, how sure that is, and why.
        trial: What would become of the rows.
        suggestion: The mapping that was worked out, where the file had none.
        unread: Sheets of a workbook that an ingest of it would not read, "" where there are none.
    """

    file: str
    table: Table
    read_as: str
    kind: str
    columns: list[dict[str, Any]]
    trial: Trial
    suggestion: Suggestion | None = None
    unread: str = ""

    def times(self) -> list[dict[str, Any]]:
        """What the file proves about each form of date that leaves the order open."""
        return [
            {
                "form": shape,
                "source_system": source,
                "day_first": proof.day_first,
                "month_first": proof.month_first,
                "lines": [line for line in (proof.day_line, proof.month_line) if line],
                "read": _decided(proof.day_first, proof.month_first),
            }
            for (shape, source), proof in self.trial.evidence.orders.items()
        ]

    def notes(self) -> list[str]:
        """What a person should know about how the table was found in the file."""
        return [*self.table.notes, *([self.unread] if self.unread else [])]

    def to_dict(self) -> dict[str, Any]:
        """Everything, for `--json`."""
        trial = self.trial
        return {
            "file": self.file,
            "form": self.table.form,
            "details": self.table.details,
            "header_line": self.table.header_line,
            "notes": self.notes(),
            "read_as": self.read_as,
            "kind": self.kind,
            "columns": self.columns,
            "look": self.suggestion.plan.notes if self.suggestion else [],
            "times": self.times(),
            "rows": trial.rows,
            "taken": trial.taken,
            "repeated": trial.repeated,
            "set_aside": trial.set_aside,
            "entries": dict(trial.made),
            "problems": {text: found.to_dict() for text, found in trial.problems.items()},
            "oddities": {text: found.to_dict() for text, found in trial.oddities.items()},
            "not_made": dict(trial.not_made),
            "first": trial.first,
        }


def _decided(day_first: int, month_first: int) -> str:
    if day_first and month_first:
        return "both are proven: open dates are set aside"
    return "day first" if day_first else "month first"


def sheets_named(name: str, mapping: Mapping | None = None) -> Sheets:
    """Name what is read of a file: itself, or those sheets of a workbook that an ingest takes.

    Raises:
        InputError: It cannot be read.
    """
    path, sheet = sheet_of(name)
    if sheet or path == "-":
        return Sheets((name,), "")
    source = open_source(path, mapping.limits if mapping else DEFAULT_LIMITS)
    try:
        found = sheets_of(source, mapping)
    finally:
        source.close()
    return found._replace(read=tuple(f"{path}#{one}" if one else path for one in found.read))


def inspect_file(
    name: str,
    given: Conditions,
    *,
    mapping: Mapping | None = None,
    encoding: str | None = None,
    profiles: bool = True,
) -> Inspection:
    """Look at a file; nothing is written.

    Args:
        name: A path, `book.xlsx#Sheet`, or "-".
        given: Whose rows they would be, and the time.
        mapping: Read it with this one.
        encoding: For a file without a byte order mark.
        profiles: Whether a shipped mapping is taken where its columns are all there.

    Raises:
        InputError: It cannot be read, or not with this mapping.
    """
    path, sheet = sheet_of(name)
    source = open_source(path, mapping.limits if mapping else DEFAULT_LIMITS)
    try:
        _refuse_epcis(source)
        table = open_with(source, mapping, encoding, sheet)
        unread = "" if sheet else _unread(source, table)
        if profiles and (mapping is None or not mapping.maps):
            mapping = _shipped(table) or mapping
        recipes = _recipes(table, mapping)
        if not recipes:
            table, form = _unfolded(source, table, encoding, sheet)
            found = suggest(table, form, given, unread)
            columns = _guessed(found)
            read_as = "suggestion"
            return Inspection(name, table, read_as, "events", columns, found.trial, found)
        settings = mapping.time_settings() if mapping else TimeSettings()
        trial = try_rows(table, recipes, settings, given)
        read_as = mapping.name if mapping else "native"
        kind = recipes[0].kind.name
        columns = _filled(table, recipes)
        return Inspection(name, table, read_as, kind, columns, trial, unread=unread)
    finally:
        source.close()


def suggest_mapping(name: str, given: Conditions, encoding: str | None = None) -> Suggestion:
    """Work out a mapping for a file, whatever shipped mapping or native format it fits.

    Raises:
        InputError: It cannot be read.
    """
    path, sheet = sheet_of(name)
    source = open_source(path)
    try:
        _refuse_epcis(source)
        table = open_with(source, None, encoding, sheet)
        unread = "" if sheet else _unread(source, table)
        table, form = _unfolded(source, table, encoding, sheet)
        return suggest(table, form, given, unread)
    finally:
        source.close()


def _refuse_epcis(source: Source) -> None:
    if is_json(source) and names_epcis(source):
        raise InputError(f"{source.name}: is an EPCIS document, which needs no mapping; ingest it")


def _shipped(table: Table) -> Mapping | None:
    if recognise(table.header) is not None:
        return None
    mappings = (load_mapping(name) for name in shipped_mappings())
    return next((each for each in mappings if not missing_columns(each, table.header)), None)


def _recipes(table: Table, mapping: Mapping | None) -> list[Recipe]:
    """What is made of a row; nothing where the header is not known."""
    if mapping is not None and mapping.maps:
        return mapped_recipes(mapping, table.header, table.source.name)
    kind = recognise(table.header)
    return [] if kind is None else [native_recipe(kind, table.header, mapping)]


def _unfolded(
    source: Source, table: Table, encoding: str | None, sheet: str
) -> tuple[Table, TableSettings]:
    """Open a file so that nothing of it stays folded: lists within values, merged areas."""
    form = TableSettings(encoding=encoding, sheet=sheet)
    lists: tuple[str, ...] = getattr(table, "lists", ())
    if len(lists) == 1:
        form = form._replace(rows=lists[0])
    if "merged" in table.details:
        form = form._replace(merged="fill")
    if form.rows or form.merged:
        table = open_any(source, KNOWN_COLUMNS, form)
    own = table.details.get("sheet", "")
    twins = any(_is_like(one, table) for one in _beside(source, table))
    return table, form._replace(sheet="" if twins and not sheet else own)


def _beside(source: Source, table: Table) -> list[Listed]:
    """The other sheets of a workbook."""
    own = table.details.get("sheet")
    if own is None:
        return []
    columns = frozenset(column.casefold() for column in table.header)
    listed = sheets_in(source, KNOWN_COLUMNS | columns, TableSettings())
    return [one for one in listed if one.name != own]


def _is_like(sheet: Listed, table: Table) -> bool:
    """Whether a mapping made for the table reads the sheet too."""
    return set(table.header) <= set(sheet.header)


def _unread(source: Source, table: Table) -> str:
    """What becomes of the other sheets."""
    from provenance.ingest.formats.xlsx import said_of  # noqa: PLC0415 - heavy

    beside = _beside(source, table)
    alike = [one for one in beside if _is_like(one, table)]
    others = [one for one in beside if one.last and one not in alike]
    told = [f"read in the same way: {said_of(alike)}"] if alike else []
    told += [f"not read: {said_of(others)}"] if others else []
    return "; ".join(told)


def _guessed(found: Suggestion) -> list[dict[str, Any]]:
    fields: dict[str, list[str]] = {}
    lines = [*found.plan.common, *(line for _, each in found.plan.events for line in each)]
    for line in lines:
        if line.column and line.field not in fields.setdefault(line.column, []):
            fields[line.column].append(line.field)
    return [_column(guess, fields.get(guess.header, [])) for guess in found.plan.guesses]


def _column(guess: Guess, fields: list[str]) -> dict[str, Any]:
    return {
        "column": guess.header,
        "is": guess.best.role if guess.best else None,
        "fields": fields,
        "confidence": guess.best.confidence if guess.best else 0.0,
        "why": guess.best.why if guess.best else "",
        "or": [{"is": other.role, "confidence": other.confidence} for other in guess.others],
        "samples": guess.profile.samples[:_SAMPLES],
    }


def _filled(table: Table, recipes: list[Recipe]) -> list[dict[str, Any]]:
    """What the columns of a known file fill."""
    fields: dict[str, list[str]] = {}
    for recipe in recipes:
        for name, label in zip(recipe.fields, recipe.labels, strict=True):
            if name not in fields.setdefault(label, []):
                fields[label].append(name)
    return [
        {
            "column": column,
            "is": None,
            "fields": fields.get(column, []),
            "confidence": 1.0 if column in fields else 0.0,
            "why": "",
            "or": [],
            "samples": [],
        }
        for column in table.header
    ]
