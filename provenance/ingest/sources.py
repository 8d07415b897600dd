"""Where a table's bytes come from: a file, a compressed file, or standard input.

A source can be opened more than once, because two passes are made over every
file: standard input and pipes are copied to a temporary file first. Every
way in which bytes cannot be had is one `InputError` with the place, and so is
a packed file that unpacks to more than the limits allow.

Next: provenance/ingest/decoding.py
"""

from __future__ import annotations

import gzip
import io
import os
import re
import stat
import sys
import tempfile
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import zstandard

from provenance.errors import InputError
from provenance.hashing import source_digest
from provenance.ingest.limits import DEFAULT_LIMITS, Limits, Meter

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Source", "open_source", "unreadable"]

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_COPY: Final = 1 << 20
_LONGEST_RUN: Final = 8 << 20
# Packed files, and JSON, which may be one line however much it is.
_NO_LINES: Final = re.compile(
    rb"\x1f\x8b|\x28\xb5\x2f\xfd|PK\x03\x04|PAR1|(?:\xef\xbb\xbf)?\s*[\[{]"
)
# A zstd block is at least 4 bytes and makes at most 128 KiB: so many bytes at
# a time cannot make more than 16 MiB, whatever a file was made to do.
_ZSTD_FEED: Final = 512
_SUFFIXES: Final = (
    *(".gz", ".zst", ".csv", ".tsv", ".txt", ".json", ".jsonld", ".jsonl", ".ndjson"),
    *(".xlsx", ".xlsm", ".parquet"),
)


class Source:
    """A file that can be read again and again.

    Attributes:
        name: As the user named it; "-" for standard input.
        stem: The bare file name without endings, for naming files after it.
        limits: What may come out of it.
    """

    def __init__(
        self, name: str, path: Path, limits: Limits, spooled: IO[bytes] | None = None
    ) -> None:
        """Use `open_source`."""
        self.name = name
        self.limits = limits
        self._path = path
        self._spooled = spooled
        self._kept: list[IO[bytes]] = []
        self.stem = _stem(path.name) if spooled is None else "stdin"
        self.size, self._version = self._state()

    @contextmanager
    def open(self) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
        """Open it, decompressed by its first bytes.

        Yields:
            The plain bytes, and the file under them (its position shows the progress).
        """
        with unreadable(self.name), self._raw() as file:
            head = file.read(4)
            file.seek(0)
            yield _plain(file, head, Meter(self.name, self.size, self.limits)), file

    def digest(self) -> bytes:
        """BLAKE3 over the bytes as they lie in the file, compressed or not."""
        state = source_digest()
        with unreadable(self.name), self._raw() as file:
            while block := file.read(_COPY):
                state.update(block)
        return state.digest()

    def assert_unchanged(self) -> None:
        """Refuse to go on when the file is not the one that the first pass read.

        Raises:
            InputError: Its size or modification time is another.
        """
        if self._state() != (self.size, self._version):
            raise InputError(f"{self.name}: changed while it was being read; ingest it again")

    def keep(self, file: IO[bytes]) -> None:
        """Take over a temporary file that was made of this source; it goes with it."""
        self._kept.append(file)

    def close(self) -> None:
        """Delete the temporary copies, where there are any."""
        for file in (*self._kept, *([self._spooled] if self._spooled else [])):
            file.close()

    def _raw(self) -> IO[bytes]:
        if self._spooled is not None:
            self._spooled.seek(0)
            return os.fdopen(os.dup(self._spooled.fileno()), "rb")
        return self._path.open("rb")

    def _state(self) -> tuple[int, int]:
        with unreadable(self.name):
            found = self._path.stat() if self._spooled is None else os.fstat(self._spooled.fileno())
        return found.st_size, found.st_mtime_ns


def open_source(name: str, limits: Limits = DEFAULT_LIMITS) -> Source:
    """Find a source and make sure that it can be read twice.

    Args:
        name: A path, or "-" for standard input.
        limits: What may come out of it where it is packed.

    Raises:
        InputError: It does not exist, is a directory or a device, or may not be read.
    """
    if name == "-":
        return _spool(name, sys.stdin.buffer, limits)
    path = Path(name)
    with unreadable(name):
        kind = path.stat().st_mode
        if stat.S_ISFIFO(kind):
            with path.open("rb") as pipe:
                return _spool(name, pipe, limits)
        if stat.S_ISDIR(kind):
            raise InputError(f"{name}: is a directory; name the file")
        if not stat.S_ISREG(kind):
            raise InputError(f"{name}: is not a file")
        path.open("rb").close()
    return Source(name, path, limits)


def _spool(name: str, stream: IO[bytes], limits: Limits) -> Source:
    spooled = tempfile.TemporaryFile()  # noqa: SIM115 - the source closes it
    try:
        with unreadable(name):
            for block in _with_newlines(iter(lambda: stream.read(_COPY), b""), name):
                spooled.write(block)
            spooled.flush()
    except BaseException:
        spooled.close()
        raise
    return Source(name, Path("stdin"), limits, spooled)


def _with_newlines(blocks: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Pass a stream on as long as it may be a table: one without newlines would fill the disk."""
    run = 0
    is_text = None
    for block in blocks:
        if is_text is None:
            is_text = not _NO_LINES.match(block)
        run = 0 if b"\n" in block or b"\r" in block else run + len(block)
        if is_text and run > _LONGEST_RUN:
            raise InputError(
                f"{name}: more than {_LONGEST_RUN >> 20} MiB without a newline; is this a table?"
            )
        yield block


def _stem(name: str) -> str:
    while (suffix := Path(name).suffix) and suffix.lower() in _SUFFIXES:
        name = name[: -len(suffix)]
    return name


def _plain(file: IO[bytes], head: bytes, meter: Meter) -> IO[bytes]:
    if head[:2] == _GZIP:
        return io.BufferedReader(_Metered(gzip.GzipFile(fileobj=file), meter), 1 << 16)
    if head == _ZSTD:
        return io.BufferedReader(_Metered(_Zstandard(file), meter), 1 << 16)
    return file


class _Metered(io.RawIOBase):
    """Unpacked bytes, counted on their way."""

    def __init__(self, packed: gzip.GzipFile | _Zstandard, meter: Meter) -> None:
        self._packed = packed
        self._meter = meter

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = self._packed.readinto(buffer)
        self._meter.add(count)
        return count


class _Zstandard(io.RawIOBase):
    """Decompressed bytes of a zstd file; a cut one is an error, which the library lets pass."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._left:
            block = self._file.read(_ZSTD_FEED)
            if not block:
                if self._frame is not None:
                    raise EOFError
                return 0
            self._left = memoryview(b"".join(self._frames(block)))
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    def _frames(self, block: bytes) -> Iterator[bytes]:
        """Feed one block; it may end a frame and begin others."""
        while block:
            if self._frame is None:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            yield self._frame.decompress(block)
            block = self._frame.unused_data if self._frame.eof else b""
            if self._frame.eof:
                self._frame = None


@contextmanager
def unreadable(name: str) -> Iterator[None]:
    """Turn what the system and the decompressors say into one line with place and remedy."""
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"{name}: no such file") from None
    except PermissionError:
        raise InputError(f"{name}: may not be read; check owner and mode") from None
    except IsADirectoryError:
        raise InputError(f"{name}: is a directory; name the file") from None
    except EOFError:
        raise InputError(f"{name}: the compressed file ends too early; fetch it again") from None
    except (gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as error:
        raise InputError(f"{name}: the compressed data is damaged ({error})") from None
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {error.strerror or error}") from None
