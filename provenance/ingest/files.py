"""Which files an ingest takes, what kind each is, and in which order.

Files that are named must be tables of a known kind, or EPCIS documents. In a
directory, files of other kinds (a README, labels) are passed over with a
notice; a table that should be read and cannot be is an error there too.

Next: provenance/ingest/rows.py
"""

from __future__ import annotations

import glob
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from provenance.errors import InputError
from provenance.ingest.columns import KINDS, KNOWN_COLUMNS
from provenance.ingest.decisions import Evidence
from provenance.ingest.documents import KIND, Document, is_json, names_epcis
from provenance.ingest.formats.opening import open_any, sheets_in
from provenance.ingest.headers import IGNORED_PREFIX, recognise, unknown_header
from provenance.ingest.layout import mapped_recipes, missing_columns, native_recipe
from provenance.ingest.limits import DEFAULT_LIMITS
from provenance.ingest.mapping import load_mapping, shipped_mappings
from provenance.ingest.receipt import Part
from provenance.ingest.sources import open_source, unreadable
from provenance.ingest.table import TableSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provenance.ingest.formats.xlsx import Listed
    from provenance.ingest.layout import Recipe
    from provenance.ingest.mapping_form import Mapping
    from provenance.ingest.sources import Source
    from provenance.ingest.table import Table

__all__ = ["Job", "Sheets", "find_jobs", "open_with", "sheet_of", "sheets_of"]

_TABLES: Final = (".csv", ".tsv", ".xlsx", ".xlsm", ".jsonl", ".ndjson", ".parquet")
_DOCUMENTS: Final = (".json", ".jsonld")
_PATTERN: Final = frozenset("*?[")
_PACKED: Final = (".gz", ".zst")


@dataclass
class Job:
    """One file to ingest.

    Attributes:
        table: The file.
        recipes: What is made of each row.
        part: Its place in the receipt.
        named: The user named it, rather than its directory.
        evidence: What its times say, filled by the first pass.
    """

    table: Table
    recipes: list[Recipe]
    part: Part
    named: bool
    evidence: Evidence = field(default_factory=Evidence)

    @property
    def source(self) -> Source:
        """The file's bytes."""
        return self.table.source

    @property
    def stem(self) -> str:
        """What files of it are named after: its bare name, and the sheet where there are more."""
        sheet = self.part.sheet
        return f"{self.source.stem}-{sheet}" if sheet else self.source.stem


def find_jobs(
    paths: Sequence[str], mapping: Mapping | None, encoding: str | None, notices: list[str]
) -> list[Job | Document]:
    """Open the files and recognise what each is.

    Args:
        paths: Files, directories, patterns such as "in/*.xlsx", or "-".
        mapping: For files that are not native; one without fields is for native files.
        encoding: For files without a byte order mark.
        notices: Is told what was passed over.

    Returns:
        The jobs, in the order in which kinds depend on each other, then as named.

    Raises:
        InputError: A file cannot be read or recognised, or a directory holds no table.
    """
    jobs: list[Job | Document] = []
    for path in (file for given in paths for file in _matching(given)):
        if path == "-" or not Path(path).is_dir():
            for job in _jobs(path, mapping, encoding, notices, named=True):
                jobs.append(job)
                if isinstance(job, Job):
                    notices += [f"{job.part.file}: {note}" for note in job.table.notes]
            continue
        found = list(_directory(path, mapping, encoding, notices))
        if not found:
            raise InputError(f"{path}: holds no table with a known header")
        jobs += found
    ranks = {name: rank for rank, name in enumerate(KINDS)}
    ranks[KIND] = ranks["events"]
    return sorted(jobs, key=lambda job: ranks[job.part.kind])


def _directory(
    path: str, mapping: Mapping | None, encoding: str | None, notices: list[str]
) -> Iterator[Job | Document]:
    with unreadable(path):
        files = sorted(file for file in Path(path).iterdir() if file.is_file())
    for file in files:
        if file.name.startswith(".") or _ending(file.name) not in {*_TABLES, *_DOCUMENTS}:
            notices.append(f"{file}: not a table, passed over")
            continue
        try:
            yield from _jobs(str(file), mapping, encoding, notices, named=False)
        except _UnknownHeaderError as error:
            notices.append(f"{file}: {error}, passed over")


def _matching(path: str) -> list[str]:
    """The files that a pattern names, where the shell has not put them in its place."""
    if path == "-" or not _PATTERN & set(path) or Path(path).exists():
        return [path]
    found = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 - the pattern may be absolute
    if not found:
        raise InputError(f"{path}: no file matches")
    return found


class _UnknownHeaderError(InputError):
    """No kind has this header; in a directory the file is passed over."""


def _jobs(
    path: str,
    mapping: Mapping | None,
    encoding: str | None,
    notices: list[str],
    *,
    named: bool,
) -> list[Job | Document]:
    """A file is one job; a workbook one for each sheet that is a table we know."""
    name, sheet = sheet_of(path)
    source = open_source(name, mapping.limits if mapping else DEFAULT_LIMITS)
    try:
        if is_json(source) and (names_epcis(source) or not _may_be_table(source)):
            return [_document(source, named=named)]
        if not named and _ending(source.name) in _DOCUMENTS:
            return [_json_of_others(source, mapping, encoding)]
        found = Sheets((sheet,), "") if sheet else sheets_of(source, mapping)
        jobs = [_table_job(source, mapping, encoding, each, named=named) for each in found.read]
        notices += [f"{path}: {found.told}"] if found.told else []
        return list(jobs)
    except BaseException:
        source.close()
        raise


def _document(source: Source, *, named: bool) -> Document:
    if not named and not names_epcis(source):
        raise _UnknownHeaderError("no EPCIS document")
    return Document(source, Part(source.name, KIND), named)


def sheet_of(path: str) -> tuple[str, str]:
    """Take `book.xlsx#Sheet` apart, unless a file is called so."""
    name, mark, sheet = path.partition("#")
    return (name, sheet) if mark and sheet and not Path(path).exists() else (path, "")


class Sheets(NamedTuple):
    """Which sheets of a file are read.

    Attributes:
        read: Their names; "" leaves it to the file, which is no workbook or has only one.
        told: What is not read, "" where that is nothing.
    """

    read: tuple[str, ...]
    told: str


def sheets_of(source: Source, mapping: Mapping | None) -> Sheets:
    """Find the sheets of a workbook that are read where nobody names one.

    These are the visible ones with a known header, or with the mapping's columns: a workbook is
    read as a directory of tables is.

    Raises:
        InputError: It is a workbook that cannot be read.
    """
    columns = frozenset(_columns_of(mapping)) if mapping else frozenset()
    wanted = mapping.table_settings(columns) if mapping else TableSettings()
    if wanted.sheet:
        return Sheets(("",), "")
    listed = sheets_in(source, KNOWN_COLUMNS, wanted)
    if len(listed) < 2:  # noqa: PLR2004 - there is no other
        return Sheets(("",), "")
    fits = [one for one in listed if _is_table(one, mapping)]
    others = [one for one in listed if one not in fits and one.last]
    told = ""
    if fits and others:
        from provenance.ingest.formats.xlsx import said_of  # noqa: PLC0415 - heavy

        told = f"not read: {said_of(others)}; name one to read it: {source.name}#{others[0].name}"
    return Sheets(tuple(one.name for one in fits) or ("",), told)


def _is_table(sheet: Listed, mapping: Mapping | None) -> bool:
    if mapping is not None and mapping.maps:
        return bool(sheet.header) and not missing_columns(mapping, sheet.header)
    return recognise(sheet.header) is not None


def open_with(
    source: Source, mapping: Mapping | None, encoding: str | None, sheet: str = ""
) -> Table:
    """Open a table as a mapping, and the user before it, say.

    A quarantine file has the columns of its source, but not its form.

    Raises:
        InputError: It cannot be read, or not as the mapping says.
    """
    columns = frozenset(_columns_of(mapping)) if mapping else frozenset()
    wanted = mapping.table_settings(columns) if mapping else TableSettings()
    kept = _quarantined(source, encoding) if wanted.header or wanted.encoding else None
    if kept is not None:
        return kept
    wanted = wanted._replace(encoding=encoding or wanted.encoding, sheet=sheet or wanted.sheet)
    return open_any(source, KNOWN_COLUMNS, wanted)


def _quarantined(source: Source, encoding: str | None) -> Table | None:
    """The table of a quarantine file, which is UTF-8 and begins with its header; else None."""
    try:
        table = open_any(source, _QUARANTINE, TableSettings(encoding=encoding))
    except InputError:
        return None
    return table if table.form == "csv" and _is_quarantine(table) else None


_QUARANTINE: Final = KNOWN_COLUMNS | {f"{IGNORED_PREFIX}line", f"{IGNORED_PREFIX}reason"}


def _is_quarantine(table: Table) -> bool:
    return any(column.casefold().startswith(IGNORED_PREFIX) for column in table.header)


def _ending(name: str) -> str:
    suffixes = [suffix.lower() for suffix in Path(name).suffixes]
    return next((suffix for suffix in reversed(suffixes) if suffix not in _PACKED), "")


def _may_be_table(source: Source) -> bool:
    """Whether a JSON file without the words of EPCIS may be a table: linked data is none."""
    return _ending(source.name) != ".jsonld"


def _json_of_others(source: Source, mapping: Mapping | None, encoding: str | None) -> Job:
    """A JSON file of a directory that is no EPCIS: a table if it is one, else passed over."""
    try:
        return _table_job(source, mapping, encoding, "", named=False)
    except InputError:
        raise _UnknownHeaderError("no EPCIS document") from None


def _table_job(
    source: Source, mapping: Mapping | None, encoding: str | None, sheet: str, *, named: bool
) -> Job:
    table = open_with(source, mapping, encoding, sheet)
    try:
        recipes, used = _recipes(table, mapping, named=named)
    except _UnknownHeaderError:
        if named:
            raise
        raise _UnknownHeaderError("no known header") from None
    name = f"{source.name}#{sheet}" if sheet else source.name
    return Job(table, recipes, Part(name, recipes[0].kind.name, used, sheet=sheet), named)


def _columns_of(mapping: Mapping) -> list[str]:
    return [column.casefold() for column in missing_columns(mapping, ())]


def _recipes(
    table: Table, mapping: Mapping | None, *, named: bool
) -> tuple[list[Recipe], str | None]:
    """The recipes for a table, and the mapping that they come from."""
    place, header = table.source.name, table.header
    if mapping is not None and mapping.maps:
        if named or not missing_columns(mapping, header):
            return mapped_recipes(mapping, header, place), mapping.name
        settings = None
    else:
        settings = mapping
    kind = recognise(header)
    if kind is None:
        fitting = [n for n in shipped_mappings() if not missing_columns(load_mapping(n), header)]
        raise _UnknownHeaderError(unknown_header(place, header, fitting))
    return [native_recipe(kind, header, settings)], settings.name if settings else None
