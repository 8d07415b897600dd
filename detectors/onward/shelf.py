"""The shelf: what a run read and what was kept of it, for the next run to go on from.

    run.json          what was kept, and of which parts the tables are made
    events.7-9.arrow  one table of one part: rows of the entries from 7 up to, not with, 9
    NAME.fit          what a detector fitted, as it wrote it down

It holds values of every tier, and nothing that the graph and the log do not hold: it
may be thrown away at any time, which costs one whole run. An erasure throws it
away. A crash leaves parts that `run.json` does not name; the next run removes them.

Next: detectors/onward/reading.py
"""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import pandas as pd

from detectors.onward.kept import FORMAT, KeptRun
from graph.frames import KEYS, Frames
from provenance.errors import StorageError
from provenance.files import replace_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["TABLES", "Held", "Shelf", "joined"]

TABLES: Final = tuple(name for name in Frames.__dataclass_fields__ if name != "position")
_MANIFEST: Final = "run.json"
_PRIVATE: Final = 0o600
_LIST: Final = struct.Struct(">BI")
_OF_SO_MANY: Final = 0xDD
"""MessagePack: how a list begins whose length follows in four bytes, and then what it holds."""
_MOST_PARTS: Final = 16
"""More parts than this become one: each costs a little to open."""


class Part(msgspec.Struct, frozen=True):
    """Rows of the entries from `start` up to `stop`.

    Attributes:
        start: The first entry.
        stop: The first that is not in it.
        sizes: Bytes of each table's file; of a later part only those that have rows.
    """

    start: int
    stop: int
    sizes: dict[str, int]


class Held(msgspec.Struct, frozen=True):
    """What the shelf holds."""

    kept: KeptRun
    parts: tuple[Part, ...]
    code: str


class Shelf:
    """A directory of one workspace; whoever reads or writes it holds the run's lock."""

    def __init__(self, directory: Path, code: str) -> None:
        """Use `directory`, made when first written.

        Args:
            directory: Where.
            code: Names what reads frames out of the graph: another one reads other frames.
        """
        self._directory = directory
        self._code = code

    def read(self) -> Held | None:
        """Return what is held; None where there is nothing that this program wrote, whole."""
        try:
            held = msgspec.json.decode((self._directory / _MANIFEST).read_bytes(), type=Held)
            files = [(part, name) for part in held.parts for name in part.sizes]
            whole = all(
                self._file(part, name).stat().st_size == part.sizes[name] for part, name in files
            )
        except (OSError, msgspec.MsgspecError):
            return None
        return held if whole and held.kept.format == FORMAT and held.code == self._code else None

    def frames(self, held: Held) -> Frames | None:
        """Return the frames of the run that is held; None where they cannot be read after all."""
        try:
            pieces = [
                {name: _read(self._file(part, name)) for name in part.sizes} for part in held.parts
            ]
            tables = {name: pieces[0][name] for name in TABLES}
        except (OSError, ValueError, LookupError, msgspec.MsgspecError):
            return None
        for later in pieces[1:]:
            for name, more in later.items():
                tables[name] = _joined(tables[name], more, KEYS.get(name))
        return Frames(position=held.kept.position, **tables)

    def fit(self, name: str, digest: str) -> bytes | None:
        """Return what a detector fitted; None where it is not what was written."""
        try:
            whole = self._fit(name).read_bytes()
        except OSError:
            return None
        return whole if hashlib.sha256(whole).hexdigest() == digest else None

    def write(
        self,
        kept: KeptRun,
        frames: Frames,
        held: Held | None,
        later: Frames | None,
        fits: Mapping[str, bytes] = MappingProxyType({}),
    ) -> None:
        """Hold a run.

        Args:
            kept: What is kept of it.
            frames: What it read.
            held: What is on the shelf, where the run went on from it.
            later: Then, what it read besides.
            fits: What was fitted, or read from here, by name.

        Raises:
            StorageError: The disk refused. What was held before, is still, or nothing.
        """
        try:
            self._directory.mkdir(mode=0o700, exist_ok=True)
            if held is None or later is None or len(held.parts) >= _MOST_PARTS:
                parts: tuple[Part, ...] = (self._put(frames, 0, kept.position),)
            elif later.position > held.kept.position:
                parts = (*held.parts, self._put(later, held.kept.position, kept.position))
            else:
                parts = held.parts
            digests = {
                name: told for one in kept.answers.values() for name, told in one.fits.items()
            }
            for name in fits.keys() & digests:
                if self.fit(name, digests[name]) is None:
                    replace_file(self._fit(name), fits[name], mode=_PRIVATE, settle=False)
            whole = msgspec.json.encode(Held(kept, parts, self._code))
            # Crash before this: parts that nobody names, beside what was held before.
            replace_file(self._directory / _MANIFEST, whole, mode=_PRIVATE)
            self._remove_all_but(parts, digests)
        except OSError as error:
            raise StorageError(f"{self._directory}: {error.strerror}") from None

    def discard(self) -> None:
        """Throw everything away.

        Raises:
            StorageError: The disk refused.
        """
        try:
            # First what leads to the rest: a crash leaves files that the next run removes.
            (self._directory / _MANIFEST).unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                shutil.rmtree(self._directory)
        except OSError as error:
            raise StorageError(f"{self._directory}: {error.strerror}") from None

    def _file(self, part: Part, table: str) -> Path:
        return self._directory / f"{table}.{part.start}-{part.stop}.arrow"

    def _put(self, frames: Frames, start: int, stop: int) -> Part:
        part = Part(start, stop, {})
        for name in TABLES:
            table = getattr(frames, name)
            if len(table) or not start:
                path = self._file(part, name)
                _write(path, table)
                part.sizes[name] = path.stat().st_size
        return part

    def _fit(self, name: str) -> Path:
        return self._directory / f"{name}.fit"

    def _remove_all_but(self, parts: tuple[Part, ...], fits: Iterable[str]) -> None:
        named = {self._file(part, name).name for part in parts for name in part.sizes}
        named |= {self._fit(name).name for name in fits}
        for path in (*self._directory.glob("*.arrow*"), *self._directory.glob("*.fit*")):
            if path.name not in named:
                path.unlink(missing_ok=True)


def joined(earlier: Frames, later: Frames) -> Frames:
    """Put frames of later entries behind those of earlier ones; later versions replace earlier."""
    tables = {
        name: _joined(getattr(earlier, name), getattr(later, name), KEYS.get(name))
        for name in TABLES
    }
    return Frames(position=later.position, **tables)


def _joined(before: pd.DataFrame, more: pd.DataFrame, key: tuple[str, ...] | None) -> pd.DataFrame:
    if not len(more) or not len(before):
        return before if len(before) else more
    whole = pd.concat([before, more], ignore_index=True)
    if key is None:
        return whole
    return whole.drop_duplicates(list(key), keep="last").reset_index(drop=True)


def _write(path: Path, table: pd.DataFrame) -> None:
    import pyarrow as pa  # noqa: PLC0415 - only runs that are kept need it

    columns = {name: _packed(table[name]) for name in table.columns}
    data = pa.table({str(name): column for name, column in columns.items()})
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
    with os.fdopen(descriptor, "wb") as file, pa.ipc.new_file(file, data.schema) as writer:
        writer.write_table(data)
    fresh.replace(path)


def _packed(column: pd.Series[Any]) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - as above

    if column.dtype != object:
        return pa.array(column, from_pandas=column.dtype.kind != "f")
    if column.name == "leaf_hash":
        return pa.array(column.tolist(), pa.binary())
    pack = msgspec.msgpack.Encoder().encode
    return pa.array([pack(value) for value in column], pa.large_binary())


def _read(path: Path) -> pd.DataFrame:
    import pyarrow as pa  # noqa: PLC0415 - as above

    with pa.memory_map(str(path)) as source:
        table = pa.ipc.open_file(source).read_all()
    text = pd.StringDtype(na_value=np.nan)
    texts = {pa.string(): text, pa.large_string(): text}
    frame: pd.DataFrame = table.to_pandas(types_mapper=texts.get)
    for name, kind in zip(table.column_names, table.schema.types, strict=True):
        if kind == pa.large_binary():
            frame[name] = pd.Series(_unpacked(frame[name]), dtype=object)
    return frame


def _unpacked(packed: pd.Series[Any]) -> list[Any]:
    """Return values that were packed one by one; one list is read in a tenth of the time."""
    start = _LIST.pack(_OF_SO_MANY, len(packed))
    values: list[Any] = msgspec.msgpack.decode(b"".join([start, *packed]))
    return values
