"""`provenance network`: what the shape of the network says: who is central, rare, alone."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.options import Data, Json
from commands.output import console, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graph.network.report import NetworkReport

app = typer.Typer(add_completion=False)

_MOST_GOODS, _MOST_MEMBERS = 3, 8


class Of(StrEnum):
    """Which network."""

    SITES = "sites"
    PARTIES = "parties"


@app.command()
def network(
    data: Data,
    of: Annotated[
        Of, typer.Option("--of", help="Sites that goods move between, or parties that deal.")
    ] = Of.SITES,
    limit: Annotated[int, typer.Option(min=0, help="Rows of each table; 0 shows all.")] = 5,
    *,
    json: Json = False,
) -> None:
    """Show central sites, rare lanes, groups, ways round, and single points of failure."""
    from commands.session import with_graph
    from graph.network.report import network_report
    from provenance.entries import Tier

    with with_graph(data) as workspace:
        report = network_report(workspace.graph, Tier.PRIVATE, of.value)
    most = limit or None
    if json:
        print_json(_document(report, most))
        return
    out = console()
    out.print(
        f"{report.nodes} {report.kind}, {report.links} links, true for log position "
        f"{report.position}"
    )
    for title, columns, rows in _tables(report):
        if rows:
            _show(title, columns, rows[:most], len(rows))


def _document(report: NetworkReport, most: int | None) -> dict[str, Any]:
    tables: dict[str, Sequence[Any]] = {
        "central": report.central,
        "lanes": report.lanes,
        "rare": report.rare,
        "rings": report.rings,
        "points": report.points,
        "bridges": report.bridges,
    }
    return {
        "of": report.kind,
        "position": report.position,
        "nodes": report.nodes,
        "links": report.links,
        **{name: [row._asdict() for row in rows[:most]] for name, rows in tables.items()},
        "communities": report.communities[:most],
        "found": {name: len(rows) for name, rows in tables.items()}
        | {"communities": len(report.communities)},
    }


def _tables(report: NetworkReport) -> list[tuple[str, str, list[tuple[str, ...]]]]:
    return [
        (
            "Most passes through",
            "node between in out",
            [
                (_words(each.node), f"{each.between:.3f}", str(each.incoming), str(each.outgoing))
                for each in report.central
            ],
        ),
        (
            "Most passes along",
            "link between times",
            [
                (_words(each.node), f"{each.between:.3f}", str(each.outgoing))
                for each in report.lanes
            ],
        ),
        (
            "Rare for where it leaves",
            "link times share bits",
            [
                (
                    *(_words((each.source, each.target)), str(each.times)),
                    *(f"{each.share:.2%}", f"{each.bits:.1f}"),
                )
                for each in report.rare
            ],
        ),
        (
            "Deal with each other",
            "size members",
            [(str(len(part)), _some(part, _MOST_MEMBERS)) for part in report.communities],
        ),
        (
            "Goes round",
            "way goods",
            [
                (_words((*ring.nodes, ring.nodes[0])), _some(ring.goods, _MOST_GOODS))
                for ring in report.rings
            ],
        ),
        ("Nothing goes round it", "node cut_off", _cut(report.points)),
        ("The only link between two parts", "link cut_off", _cut(report.bridges)),
    ]


def _cut(cuts: Sequence[Any]) -> list[tuple[str, ...]]:
    return [(_words(each.node), str(each.cut_off)) for each in cuts]


def _some(items: Sequence[str], most: int) -> str:
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return (", ".join(map(_word, items[:most])) or "none") + more


def _words(nodes: Sequence[str]) -> str:
    return " -> ".join(map(_word, nodes))


def _word(key: str) -> str:
    """Return what a key names, without its kind, as people spell it."""
    from graph.keys import parse_key

    kind, parts = parse_key(key)
    return "/".join(part for part in parts if part) or kind


def _show(title: str, columns: str, rows: list[tuple[str, ...]], total: int) -> None:
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for number, column in enumerate(columns.split()):
        numeric = number > 0 and column not in {"members", "goods"}
        name = column.replace("_", " ")
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console().print(table)
    if total > len(rows):
        typer.echo(f"  ... {total - len(rows)} more; --limit 0 shows all")
