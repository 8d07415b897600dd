"""`provenance exposure`: whether an item comes from what is on a list."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from commands.options import Data, Json
from commands.output import print_json
from commands.questions.asking import (
    At,
    Back,
    Item,
    MostItems,
    find,
    micros_of,
    plain,
    print_table,
    tell_limits,
    words,
)

if TYPE_CHECKING:
    from graph.questions.exposure import Exposure
    from graph.questions.lists import ListEntry
    from graph.store import GraphStore

app = typer.Typer(add_completion=False)

_MOST_LINES: Final = 50
_LARGEST: Final = 16 * 1024 * 1024


@app.command()
def exposure(
    data: Data,
    item: Item,
    watchlist: Annotated[
        str | None,
        typer.Option(
            help="A list in the log by its name, or a CSV file with the columns kind and value "
            "(and valid_from, valid_until). "
            "[default: all lists in the log]"
        ),
    ] = None,
    depth: Back = 100,
    limit: MostItems = 10_000,
    at: At = None,
    *,
    json: Json = False,
) -> None:
    """Say yes, no or unknown: does an item come from a listed place or party?"""
    from commands.session import with_graph
    from graph.keys import NodeKind
    from graph.questions.exposure import exposure as ask
    from provenance.entries import Tier

    with with_graph(data) as workspace:
        graph = workspace.graph
        key = find(graph, item, NodeKind.ITEM, NodeKind.CONTAINER)
        listed = _listed(graph, watchlist)
        time = micros_of(at)
        answer = ask(graph, key, Tier.PRIVATE, listed, depth=depth, limit=limit, at=time)
    if json:
        print_json(plain(answer))
    else:
        _print(answer)


def _listed(graph: GraphStore, watchlist: str | None) -> list[ListEntry]:
    from graph.questions.lists import entries_on_record
    from provenance.entries import Tier
    from provenance.errors import UsageError

    found = entries_on_record(graph, Tier.PRIVATE, watchlist or "")
    if not found and watchlist and Path(watchlist).is_file():
        found = _read(Path(watchlist))
    if not found:
        named = f"no list {watchlist!r} is in the log, and no file has that name"
        raise UsageError(named if watchlist else "no list is in the log; give one by --watchlist")
    return found


def _read(file: Path) -> list[ListEntry]:
    """Read a list from a CSV file.

    Raises:
        InputError: It cannot be read, has no such columns, is no UTF-8, or is too large.
    """
    import csv

    from graph.questions.lists import KINDS, ListEntry
    from provenance.errors import InputError

    try:
        if file.stat().st_size > _LARGEST:
            raise InputError(f"{file}: larger than {_LARGEST >> 20} MiB; ingest it as a watchlist")
        lines = file.read_text(encoding="utf-8-sig").splitlines()
        rows = list(csv.DictReader(lines, strict=True))
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file}: not a CSV file in UTF-8: {error}") from None
    found = []
    for number, row in enumerate(rows, 2):
        kind, value = ((row.get(name) or "").strip() for name in ("kind", "value"))
        if kind.lower() not in KINDS or not value:
            raise InputError(
                f"{file}, row {number}: needs a kind of {', '.join(KINDS)}, and a value"
            )
        name = row.get("list_name") or file.stem
        days = (row.get("valid_from") or "", row.get("valid_until") or "")
        found.append(ListEntry(name, kind.lower(), value, row.get("goods") or "", *days))
    return found


def _print(answer: Exposure) -> None:
    typer.echo(f"{answer.verdict.upper()}: {words(answer.item)}, {answer.items:,} items compared")
    for heading, hits in (("Listed", answer.hits), ("For context only", answer.context)):
        if hits:
            typer.echo(heading)
            print_table(
                ("hops", "item", "where", "list", "entry", "log entry"),
                (
                    [
                        str(hit.hops),
                        words(hit.item),
                        words(hit.place) if hit.place else "as declared",
                        hit.list_name,
                        f"{hit.kind} {hit.value}",
                        f"#{hit.index}",
                    ]
                    for hit in hits
                ),
                _MOST_LINES,
            )
    if answer.missing:
        typer.echo("Not known")
        print_table(
            ("hops", "item", "what"),
            (
                [str(one.hops), words(one.item), f"{one.reason.replace('_', ' ')} {one.what}"]
                for one in answer.missing
            ),
            _MOST_LINES,
        )
    tell_limits(answer.position, truncated=answer.truncated)
