"""`provenance log backup`: copies of a workspace, and what becomes of them."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.options import Data, Json
from commands.output import print_json, progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workspace.backup import BackedUp, Progress


def backup(
    data: Data,
    destination: Annotated[Path, typer.Argument(help="A new directory, or an empty one.")],
    *,
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Put the keys in: then it can sign as the log.")
    ] = False,
    unchecked: Annotated[
        bool, typer.Option("--unchecked", help="Leave out the audit of the copy.")
    ] = False,
    json: Json = False,
) -> None:
    """Copy the workspace while it is used, check the copy, and say how confidential it is."""
    from workspace.backup import back_up
    from workspace.workspace import Workspace

    with Workspace(data) as workspace, _stages() as report:
        made = back_up(workspace, destination, report, with_keys=with_keys, check=not unchecked)
    if json:
        print_json(
            {
                "backup": str(destination),
                "size": made.log.size,
                "root": made.log.root.hex(),
                "openings": made.log.openings,
                "quarantine_files": made.files,
                "keys": made.keys,
                "checked": not unchecked,
            }
        )
    else:
        _tell_backup(destination, made, checked=not unchecked)


def _tell_backup(destination: Path, made: BackedUp, *, checked: bool) -> None:
    typer.echo(f"Backed up to {destination}: {made.log.size:,} entries")
    typer.echo(f"  root hash     {made.log.root.hex()}")
    typer.echo(f"  checked       {'every entry was recomputed' if checked else 'no'}")
    typer.echo(f"  confidential  {made.log.openings:,} fields that are not public can be read")
    typer.echo(f"                in it, and {made.files:,} quarantined files")
    if made.keys:
        typer.echo(f"  SECRET        {', '.join(made.keys)}: whoever has it can sign as the log")
    else:
        typer.echo("  keys          none; keep keys/ elsewhere, it is needed to restore")


@contextmanager
def _stages() -> Iterator[Progress]:
    """Show one progress bar for work in stages."""
    with progress("") as report:
        yield lambda _what, done, total: report(done, total)
