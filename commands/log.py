"""`provenance log`: the log as a whole, its copies and what it shows of itself."""

from __future__ import annotations

import typer

from commands.anchor import app as anchor
from commands.copies import backup, mirror, restore
from commands.publish import consistency, export
from commands.standing import status

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Look after the log as a whole: copies of it, and what others may have of it.",
)
app.command()(status)
app.command()(backup)
app.command()(restore)
app.command()(export)
app.command()(consistency)
app.command()(mirror)
app.add_typer(anchor, name="anchor")
