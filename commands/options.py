"""Options that commands share, and what the program does before any of them runs."""

from __future__ import annotations

import logging
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import orjson
import typer

__all__ = ["Data", "Json", "LogLevel", "set_up"]

DEFAULT_DATA: Final = "provenance-data"

Data = Annotated[
    Path,
    typer.Option(
        "--data",
        envvar="PROVENANCE_DATA",
        help="The workspace directory.",
        show_default=f"./{DEFAULT_DATA}",
        default_factory=lambda: Path(os.environ.get("PROVENANCE_DATA", DEFAULT_DATA)),
    ),
]
"""Where the workspace is: `--data`, else PROVENANCE_DATA, else ./provenance-data."""

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
"""Print the result as JSON on standard output."""


class LogLevel(StrEnum):
    """How much is logged to standard error."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class _JsonLines(logging.Formatter):
    """One JSON object a line. Messages carry ids and counts, never field values."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return orjson.dumps(line).decode()


def set_up(data: Path | None, level: LogLevel, *, as_json: bool) -> None:
    """Point the commands to a workspace, and logging to standard error."""
    if data is not None:
        os.environ["PROVENANCE_DATA"] = str(data)
    handler = logging.StreamHandler()
    plain = logging.Formatter("%(levelname)s %(name)s: %(message)s")
    handler.setFormatter(_JsonLines() if as_json else plain)
    logging.basicConfig(level=level.value.upper(), handlers=[handler], force=True)
