"""What commands print: results on standard output, progress and notices on standard error."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rich.console import Console

__all__ = ["console", "json_bytes", "notice", "print_json", "progress", "told", "write_result"]


def print_json(value: Any) -> None:
    """Print one JSON document, indented, keys in the order given."""
    sys.stdout.write(json_bytes(value).decode())


def json_bytes(value: Any) -> bytes:
    """Write one JSON document as `print_json` does."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def write_result(data: bytes, output: Path | None) -> None:
    """Write a text that is the result to a file, whole or not at all, or to standard output."""
    if output is None:
        sys.stdout.write(data.decode())
        return
    from provenance.files import replace_file
    from provenance.store.storage import translated

    with translated(output):
        replace_file(output, data)


def console() -> Console:
    """Return a console on standard output; plain text where that is not a terminal."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


def notice(text: str) -> None:
    """Tell the person something that is not the result."""
    sys.stderr.write(f"{text}\n")


def told(report: Callable[[int, int], None]) -> Callable[[tuple[int, int]], None]:
    """Take a position in a file to a progress bar."""
    return lambda position: report(*position)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error, if that is a terminal, while work goes on.

    Yields:
        A function to call with (done, total); total 0 means unknown.
    """
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)
