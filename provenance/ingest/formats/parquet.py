"""Parquet: row group by row group, a few rows at a time.

Texts stay dictionaries until a row needs them, so that a column which says
one long text a million times costs that text once. What a file unpacks to is
counted like any other packed file.

Next: provenance/ingest/columns.py
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from provenance.errors import InputError
from provenance.ingest.formats.texts import typed_text
from provenance.ingest.heading import named_columns
from provenance.ingest.limits import Meter
from provenance.ingest.table import MAX_ROW, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provenance.ingest.sources import Source
    from provenance.ingest.table import Position

__all__ = ["ParquetTable", "open_parquet"]

_ROWS: Final = 1024
_GROUP: Final = 8 << 30
_FOOTER: Final = 64 << 20
_NAMES: Final = 1_000_000


@dataclass(frozen=True)
class ParquetTable:
    """A Parquet file.

    Attributes:
        source: The bytes.
        header: The columns; those within structures are called `parent.child`.
        notes: As for any `Table`.
        details: As for any `Table`.
    """

    source: Source
    header: tuple[str, ...]
    notes: tuple[str, ...]
    details: dict[str, str]

    @property
    def form(self) -> str:
        """What `Table` asks for."""
        return "parquet"

    @property
    def header_line(self) -> int:
        """The names stand in the file's schema."""
        return 0

    def rows(self, progress: Callable[[Position], None] | None = None) -> Iterator[Row]:
        """Yield the rows, numbered from 1."""
        meter = Meter(self.source.name, self.source.size, self.source.limits)
        number = 0
        with self.source.open() as (plain, _):
            file = _opened(self.source.name, plain)
            total = file.metadata.num_rows or 1
            for batch in _batches(self.source.name, file):
                columns = self._columns(batch, number)
                for cells in zip(*columns, strict=True):
                    number += 1
                    size = sum(map(len, cells))
                    meter.add(size + len(columns))
                    if size > MAX_ROW:
                        yield Row(number, [], f"has more than {MAX_ROW} characters", "")
                    elif any(cells):
                        yield Row(number, list(cells))
                if progress is not None:
                    progress((self.source.size * min(number, total) // total, self.source.size))

    def _columns(self, batch: pa.Table, before: int) -> list[list[str]]:
        try:
            return [_texts(column.chunk(0)) for column in batch.columns]
        except (pa.ArrowException, ValueError, OverflowError, IndexError) as error:
            # Texts that are no UTF-8, times beyond the calendar, places beyond a dictionary.
            said = " ".join(str(error).split())[:200]
            raise InputError(
                f"{self.source.name}: row {before + 1} or one of the {batch.num_rows - 1} after it "
                f"cannot be read ({said})"
            ) from None


def open_parquet(source: Source, known: frozenset[str]) -> ParquetTable:
    """Read the schema of a Parquet file.

    Raises:
        InputError: Damaged, packed once more, encrypted, or a row group too large to read.
    """
    with source.open() as (plain, _):
        if not plain.seekable():
            raise InputError(f"{source.name}: is a packed Parquet file; unpack it, it packs itself")
        file = _opened(source.name, plain)
        _refuse_large(source, file)
        names = [field.name for field in _flat_schema(file.schema_arrow)]
        rows, groups = file.metadata.num_rows, file.metadata.num_row_groups
    if not names:
        raise InputError(f"{source.name}: has no columns")
    header, notes = named_columns(names, source.name, known)
    details = {"rows": f"{rows:,}", "row groups": f"{groups:,}"}
    return ParquetTable(source, header, notes, details)


def _opened(name: str, plain: IO[bytes]) -> pq.ParquetFile:
    try:
        schema = _file(plain, []).schema
        columns = [schema.column(at) for at in range(len(schema))]
        # Only plain columns: dictionaries within lists and structures are not read as such.
        texts = [
            column.path
            for column in columns
            if column.physical_type == "BYTE_ARRAY" and column.path == column.name
        ]
        return _file(plain, texts)
    except (pa.ArrowException, OSError, ValueError, RecursionError) as error:
        raise _damaged(name, error) from None


def _file(plain: IO[bytes], dictionaries: list[str]) -> pq.ParquetFile:
    return pq.ParquetFile(
        plain,
        read_dictionary=dictionaries,
        pre_buffer=False,
        buffer_size=1 << 16,
        thrift_string_size_limit=_FOOTER,
        thrift_container_size_limit=_NAMES,
    )


def _refuse_large(source: Source, file: pq.ParquetFile) -> None:
    """A row group is read as a whole, column by column, so its size is bounded.

    Its columns are not asked: of a damaged one the library's answer is the end of the process.
    """
    meta = file.metadata
    meter = Meter(source.name, source.size, source.limits)
    for group in range(meta.num_row_groups):
        size = meta.row_group(group).total_byte_size
        meter.add(max(0, size))
        if size > _GROUP:
            raise InputError(
                f"{source.name}: row group {group} has {size >> 20:,} MiB; "
                "write it with smaller row groups"
            )


def _batches(name: str, file: pq.ParquetFile) -> Iterator[pa.Table]:
    try:
        for batch in file.iter_batches(batch_size=_ROWS, use_threads=False):
            if batch.num_rows:
                yield _flattened(batch)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(name, error) from None


def _flattened(batch: pa.RecordBatch) -> pa.Table:
    table = pa.Table.from_batches([batch])
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    return table.combine_chunks()


def _flat_schema(schema: pa.Schema) -> pa.Schema:
    while any(pa.types.is_struct(field.type) for field in schema):
        schema = schema.empty_table().flatten().schema
    return schema


def _texts(column: pa.Array) -> list[str]:
    """A column's values as texts."""
    if pa.types.is_dictionary(column.type):
        words = [typed_text(value) for value in column.dictionary.to_pylist()]
        places = column.indices.to_pylist()
        return ["" if at is None else words[at] for at in places]
    if pa.types.is_temporal(column.type) and not pa.types.is_date(column.type):
        column = _microseconds(column)
    return [_text(value) for value in column.to_pylist()]


def _microseconds(column: pa.Array) -> pa.Array:
    """Times to the microsecond, the finest that events have."""
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        return column.cast(pa.timestamp("us", tz=column.type.tz), safe=False)
    return column


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ";".join(_text(each) for each in value)
    return typed_text(value)


def _damaged(name: str, error: Exception) -> InputError:
    said = " ".join(str(error).split())[:200]
    return InputError(f"{name}: is a damaged Parquet file, or one of a kind not read ({said})")
