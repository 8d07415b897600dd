"""`provenance watchlist`: published lists of regions, names and goods, with version and days."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.options import Data, Json
from commands.output import notice, print_json

if TYPE_CHECKING:
    from provenance.ingest.watchlists import Edition

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Published lists that shipments are held against.",
)


@app.command("import")
def import_list(
    data: Data,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The list, as CSV.")],
    name: Annotated[str, typer.Option(help="What the list is called.")],
    version: Annotated[str, typer.Option(help="Which version of it this is.")],
    valid_from: Annotated[str, typer.Option(help="First day it holds, YYYY-MM-DD.")],
    valid_until: Annotated[str | None, typer.Option(help="Last day it holds.")] = None,
    shape: Annotated[
        str | None,
        typer.Option(help="native, names or dol-goods. [default: by the file's header]"),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Bring a version of a list into the log; lines that it leaves out are ended."""
    from commands.ingest import ingest_files, print_receipt
    from provenance.errors import UsageError
    from provenance.ingest.watchlists import SHAPES, Edition, read, write

    first, last = _day(valid_from, "--valid-from"), _day(valid_until, "--valid-until")
    if shape is not None and shape not in SHAPES:
        raise UsageError(f"--shape {shape}: is not one of {', '.join(SHAPES)}")
    edition = Edition(name, version, first, last)
    lines, left_out = read(file, shape)
    for line in left_out:
        notice(f"provenance: {file}: left out: {line}")
    held = _held(data)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "watchlist.csv"
        over = write(made, lines, edition, held, _before(first))
        receipt = ingest_files(data, [str(made)])
    if json:
        print_json(_told(edition, len(lines), over, left_out) | {"receipt": receipt.to_dict()})
    else:
        print_receipt(receipt)
        typer.echo(f"{name} {version}: {len(lines)} lines hold from {first}; {over} ended.")
    if receipt.total.quarantined:
        raise typer.Exit(3)


def _told(edition: Edition, lines: int, over: int, left_out: list[str]) -> dict[str, object]:
    return {**edition._asdict(), "lines": lines, "ended": over, "left_out": left_out}


def _day(text: str | None, option: str) -> str:
    from datetime import date

    from provenance.errors import UsageError

    if text is None:
        return ""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise UsageError(f"{option} {text}: is no day; write YYYY-MM-DD") from None


def _before(day: str) -> str:
    from datetime import date, timedelta

    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def _held(data: Path) -> list[dict[str, str]]:
    """Return the newest version of every line in the log, as text."""
    from commands.session import with_graph
    from graph.model import RecordKind
    from provenance.entries import Tier

    with with_graph(data) as workspace:
        found = list(workspace.graph.records(RecordKind.WATCHLIST, Tier.PRIVATE))
    return [{k: str(v) for k, v in one.attrs.items() if isinstance(v, str)} for one in found]


@app.command("list")
def list_lists(data: Data, *, json: Json = False) -> None:
    """List the lists in the log: version, days, and how many lines."""
    from collections import Counter

    keys = ("list_name", "list_version", "valid_from", "valid_until", "kind")
    counts = Counter(tuple(row.get(key, "") for key in keys) for row in _held(data))
    rows = [dict(zip(keys, key, strict=True)) | {"lines": n} for key, n in sorted(counts.items())]
    if json:
        print_json(rows)
        return
    for row in rows:
        days = f"{row['valid_from'] or 'always'} to {row['valid_until'] or 'open'}"
        named = f"{row['list_name']} {row['list_version']}".strip()
        typer.echo(f"{named:<40} {days:<26} {row['kind']:<14} {row['lines']:>6,} lines")
