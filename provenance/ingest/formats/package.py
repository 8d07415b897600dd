"""The parts of a workbook's ZIP, unpacked with a limit before anything else reads them.

A ZIP says itself how long its members are; that is not believed. Each member
is inflated here piece by piece and counted, so a bomb ends as an error with
little memory used, whatever its directory says.

Next: provenance/ingest/formats/sheet_scan.py
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Final

from provenance.errors import InputError
from provenance.ingest.limits import Meter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.ingest.sources import Source

__all__ = ["Package"]

_LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
_STORED: Final = 0
_DEFLATED: Final = 8
_ENCRYPTED: Final = 1
_BLOCK: Final = 1 << 16
_PIECE: Final = 1 << 20
_MEMBERS: Final = 20_000


class Package:
    """A ZIP whose members are inflated under one limit."""

    def __init__(self, source: Source, file: IO[bytes]) -> None:
        """Read the directory.

        Raises:
            InputError: It is no whole ZIP.
        """
        self._name = source.name
        self._file = file
        self._meter = Meter(source.name, source.size, source.limits)
        try:
            with zipfile.ZipFile(file) as package:
                self.members = {info.filename: info for info in package.infolist()}
        except (zipfile.BadZipFile, ValueError, OverflowError, struct.error, OSError):
            raise self.damaged("its directory cannot be read") from None
        if len(self.members) > _MEMBERS:
            raise InputError(f"{self._name}: a ZIP of {len(self.members):,} files is no workbook")

    def damaged(self, why: str) -> InputError:
        """The error for what cannot be read."""
        return InputError(
            f"{self._name}: is a damaged workbook or another ZIP ({why}); "
            "open and save it again, or save it as CSV"
        )

    def pieces(self, member: str) -> Iterator[bytes]:
        """Yield a member's bytes, at most 1 MiB at a time.

        Raises:
            InputError: Damaged, encrypted, packed in another way, or more than the limits allow.
        """
        for piece in self._pieces(member):
            self._meter.add(len(piece))
            yield piece

    def whole(self, member: str, most: int) -> bytes:
        """Return a member that must be small."""
        found = bytearray()
        for piece in self.pieces(member):
            found += piece
            if len(found) > most:
                raise self.damaged(f"{member} is too long")
        return bytes(found)

    def _pieces(self, member: str) -> Iterator[bytes]:
        info = self.members[member]
        if info.flag_bits & _ENCRYPTED:
            raise InputError(f"{self._name}: has a password; save it without one")
        if info.compress_type not in {_STORED, _DEFLATED}:
            raise self.damaged(f"{member} is packed in a way that workbooks are not")
        left = self._seek(info)
        inflate = zlib.decompressobj(-15) if info.compress_type == _DEFLATED else None
        while left and (block := self._file.read(min(left, _BLOCK))):
            left -= len(block)
            if inflate is None:
                yield block
                continue
            try:
                while block:
                    yield inflate.decompress(block, _PIECE)
                    block = inflate.unconsumed_tail
            except zlib.error as error:
                raise self.damaged(f"{member}: {error}") from None

    def _seek(self, info: zipfile.ZipInfo) -> int:
        """Go to a member's data; returns its packed length."""
        self._file.seek(info.header_offset)
        head = self._file.read(_LOCAL.size)
        if len(head) != _LOCAL.size or head[:4] != b"PK\x03\x04":
            raise self.damaged(f"{info.filename} is not where the directory says")
        name, extra = _LOCAL.unpack(head)[-2:]
        self._file.seek(name + extra, 1)
        return info.compress_size
