"""Which files an ingest takes, what kind each is, and in which order.

Files that are named must be tables of a known kind, or EPCIS documents. In a
directory, files of other kinds (a README, labels) are passed over with a
notice; a table that should be read and cannot be is an error there too.

Next: provenance/ingest/rows.py
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from provenance.errors import InputError
from provenance.ingest.columns import KINDS, KNOWN_COLUMNS
from provenance.ingest.decisions import Evidence
from provenance.ingest.documents import KIND, Document, is_json, names_epcis
from provenance.ingest.headers import recognise, unknown_header
from provenance.ingest.layout import mapped_recipes, missing_columns, native_recipe
from provenance.ingest.mapping import load_mapping, shipped_mappings
from provenance.ingest.reading import open_table
from provenance.ingest.receipt import Part
from provenance.ingest.sources import open_source, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provenance.ingest.layout import Recipe
    from provenance.ingest.mapping import Mapping
    from provenance.ingest.reading import Table
    from provenance.ingest.sources import Source

__all__ = ["Job", "find_jobs"]

_TABLES: Final = (".csv", ".tsv")
_DOCUMENTS: Final = (".json", ".jsonld")
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


def find_jobs(
    paths: Sequence[str], mapping: Mapping | None, encoding: str | None, notices: list[str]
) -> list[Job | Document]:
    """Open the files and recognise what each is.

    Args:
        paths: Files, directories, or "-".
        mapping: For files that are not native; one without fields is for native files.
        encoding: For files without a byte order mark.
        notices: Is told what was passed over.

    Returns:
        The jobs, in the order in which kinds depend on each other, then as named.

    Raises:
        InputError: A file cannot be read or recognised, or a directory holds no table.
    """
    jobs: list[Job | Document] = []
    for path in paths:
        if path == "-" or not Path(path).is_dir():
            jobs.append(_job(path, mapping, encoding, named=True))
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
        endings = [suffix.lower() for suffix in file.suffixes if suffix.lower() not in _PACKED]
        known = not file.name.startswith(".") and endings and endings[-1]
        if known not in {*_TABLES, *_DOCUMENTS}:
            notices.append(f"{file}: not a table, passed over")
            continue
        try:
            yield _job(str(file), mapping, encoding, named=False)
        except _UnknownHeaderError as error:
            notices.append(f"{file}: {error}, passed over")


class _UnknownHeaderError(InputError):
    """No kind has this header; in a directory the file is passed over."""


def _job(
    path: str, mapping: Mapping | None, encoding: str | None, *, named: bool
) -> Job | Document:
    source = open_source(path)
    try:
        if is_json(source):
            return _document(source, named=named)
        return _table_job(source, mapping, encoding, named=named)
    except BaseException:
        source.close()
        raise


def _document(source: Source, *, named: bool) -> Document:
    if not named and not names_epcis(source):
        raise _UnknownHeaderError("no EPCIS document")
    return Document(source, Part(source.name, KIND), named)


def _table_job(
    source: Source, mapping: Mapping | None, encoding: str | None, *, named: bool
) -> Job:
    columns = frozenset(_columns_of(mapping)) if mapping else frozenset()
    encoding = encoding or (mapping.encoding if mapping else None)
    table = open_table(source, encoding, KNOWN_COLUMNS | columns)
    try:
        recipes, used = _recipes(table, mapping, named=named)
    except _UnknownHeaderError:
        if named:
            raise
        raise _UnknownHeaderError("no known header") from None
    return Job(table, recipes, Part(source.name, recipes[0].kind.name, used), named)


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
