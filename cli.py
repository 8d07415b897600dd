"""The command line: names the commands, and loads each from `commands/` when it is called.

Exit codes: 0 fine, duplicates included; 1 verification failed, or nothing was
logged or found; 2 usage, or a workspace that cannot be used; 3 done, but some
rows were quarantined; 130 interrupted.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from commands.options import LogLevel, set_up

COMMANDS: Final = (
    "init",
    "inspect",
    "mapping",
    "ingest",
    "receipt",
    "quarantine",
    "detect",
    "flags",
    "replay",
    "report",
    "trace",
    "track",
    "recall",
    "journey",
    "custody",
    "balance",
    "exposure",
    "coverage",
    "path",
    "lanes",
    "network",
    "verify",
    "proof",
    "disclose",
    "export",
    "erase",
    "lookup",
    "qr",
    "serve",
    "graph",
    "log",
    "witness",
    "monitor",
    "key",
    "party",
    "subjects",
    "tiers",
    "watchlist",
    "upgrade",
    "demo",
)


_QUESTIONS: Final = frozenset(
    (
        *("trace", "track", "recall", "journey", "custody"),
        *("balance", "exposure", "coverage", "path", "lanes"),
    )
)


class _OnDemand(TyperGroup):
    """Imports a command's module only when it is called, or listed by `--help`."""

    def list_commands(self, ctx: Any) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        room = "commands.questions" if cmd_name in _QUESTIONS else "commands"
        command = typer.main.get_command(import_module(f"{room}.{cmd_name}").app)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=_OnDemand,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Supply-chain provenance: a log that nobody can quietly change, and what it shows.",
    epilog="Exit codes: 0 fine · 1 verification failed, nothing logged or found · 2 usage or "
    "workspace · 3 some rows quarantined · 130 interrupted.",
)
"""The whole command line; `main` runs it."""


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # noqa: PLC0415 - not needed for --help

        typer.echo(version("provenance-tracker"))
        raise typer.Exit


@app.callback()
def _options(
    data: Annotated[
        Path | None, typer.Option("--data", help="The workspace, for every command.")
    ] = None,
    log_level: Annotated[
        LogLevel, typer.Option(help="What goes to standard error.")
    ] = LogLevel.WARNING,
    *,
    log_json: Annotated[bool, typer.Option("--log-json", help="Log lines as JSON.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    del version  # its callback has done the work
    set_up(data, log_level, as_json=log_json)


def main() -> None:
    """Run the command line; every error of the program ends as one line and an exit code."""
    from provenance.errors import ProvenanceError  # noqa: PLC0415 - not needed for --help

    try:
        app()
    except ProvenanceError as error:
        sys.stderr.write(f"provenance: {error}\n")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader of our output has gone, as `head` does; that is no failure of ours.
        sys.stderr.close()
        sys.exit(0)


if __name__ == "__main__":
    main()
