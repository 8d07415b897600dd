"""What the questions' commands share: finding what is meant, times, and how answers are printed."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graph.keys import NodeKind
    from graph.store import GraphStore

__all__ = [
    "At",
    "Back",
    "Detail",
    "Drawing",
    "Form",
    "Format",
    "Item",
    "MostItems",
    "Output",
    "Through",
    "amount",
    "day",
    "find",
    "micros_of",
    "plain",
    "print_table",
    "refuse_mixed",
    "tell_limits",
    "words",
    "write_drawing",
]


class Format(StrEnum):
    """What an answer can be drawn or written as."""

    SVG = "svg"
    HTML = "html"
    DOT = "dot"
    GRAPHML = "graphml"
    JSON = "json"


class Drawing(NamedTuple):
    """How an answer is drawn, and where to; no form, no drawing."""

    form: Format | None
    output: Path | None
    detail: int


Item = Annotated[str, typer.Argument(help="A lot, serial or product id, a URL or a GTIN.")]
"""The item of a question about one."""

Back = Annotated[int, typer.Option("--depth", min=0, help="Transformations to look back.")]
"""How far a question about the origin goes."""

Through = Annotated[int, typer.Option("--depth", min=0, help="Transformations to look through.")]
"""How far a lineage goes."""

MostItems = Annotated[int, typer.Option("--limit", min=1, help="At most so many items.")]
"""How many items an answer is about."""

Form = Annotated[
    Format | None, typer.Option("--format", help="Draw it, or write it for other programs.")
]
"""What to draw or write."""

Output = Annotated[
    Path | None,
    typer.Option("--output", help="The file for --format. [default: standard output]"),
]
"""Where to."""

Detail = Annotated[
    int,
    typer.Option("--detail", min=1, help="Items drawn one by one before alike ones share a box."),
]
"""How much of it to draw one by one."""

At = Annotated[
    str | None,
    typer.Option("--at", help="As of a day (YYYY-MM-DD, all of it, UTC) or a time with offset."),
]
"""The time of question."""

_SECOND: Final = 1_000_000


def micros_of(at: str | None) -> int | None:
    """Read `--at` as microseconds since the epoch; a day counts to its end.

    Raises:
        UsageError: It is neither a day nor a time with an offset.
    """
    from provenance.errors import UsageError

    if at is None:
        return None
    try:
        if len(at) == len("2024-01-31"):
            start = datetime.combine(date.fromisoformat(at), datetime.min.time(), UTC)
            moment = start + timedelta(days=1, microseconds=-1)
        else:
            moment = datetime.fromisoformat(at)
    except (ValueError, OverflowError):
        raise UsageError(f"--at {at!r}: expected 2024-01-31 or 2024-01-31T08:00:00Z") from None
    if moment.tzinfo is None:
        raise UsageError(f"--at {at!r}: says no offset from UTC; add Z or +01:00")
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def find(graph: GraphStore, text: str, *kinds: NodeKind) -> str:
    """Find the node that a person means: a key, an item by any of its names, or another's id.

    Args:
        graph: Where to look.
        text: What was typed.
        kinds: What it may be; without any, anything that has a key.

    Raises:
        NotFound: Nothing has this name.
        UsageError: Several things have; or it is of another kind.
    """
    from graph.keys import NodeKind
    from provenance.errors import UsageError

    keys = _named(graph, text, kinds or tuple(NodeKind))
    if len(keys) > 1:
        raise UsageError(f"{text!r} names {len(keys)} things, say which: {', '.join(keys)}")
    return keys[0]


def _named(graph: GraphStore, text: str, kinds: Sequence[NodeKind]) -> list[str]:
    from commands.items import find_item
    from graph.keys import NodeKind, certificate_key, container_key, facility_key, kind_of
    from provenance.entries import Tier
    from provenance.errors import NotFound, UsageError

    if text.partition(":")[0] in set(NodeKind):
        if kind_of(text) not in kinds:
            raise UsageError(f"{text!r} is a {kind_of(text)}; asked for is {' or '.join(kinds)}")
        graph.node(text, Tier.PRIVATE)
        return [text]
    wanted = [build(text) for build in (facility_key, certificate_key, container_key)]
    found = [key for key in graph.fetch(wanted, Tier.PRIVATE) if kind_of(key) in kinds]
    try:
        item = [find_item(graph, text).node] if NodeKind.ITEM in kinds else []
    except NotFound:
        item = []
    if not found and not item:
        raise NotFound(f"no {' or '.join(kinds)} is called {text!r}; try `provenance lookup`")
    return [*item, *found]


def words(key: str) -> str:
    """Write a key as people here do: items by maker, product and lot, other things by their id."""
    from commands.items import item_words
    from graph.keys import NodeKind, is_item, parse_item, parse_key

    if not key:
        return "?"
    if is_item(key):
        return item_words(parse_item(key))
    kind, parts = parse_key(key)
    id_ = "/".join(part or "" for part in parts)
    return id_ if kind in (NodeKind.FACILITY, NodeKind.SHIPMENT) else f"{kind} {id_}"


def day(time_us: int | None) -> str:
    """Write a moment to the minute, in UTC."""
    if time_us is None:
        return ""
    return f"{datetime.fromtimestamp(time_us // _SECOND, UTC):%Y-%m-%d %H:%M}"


def amount(quantity: Decimal | None, unit: str | None = None) -> str:
    """Write a quantity; "?" for one that nobody measured."""
    return "?" if quantity is None else f"{quantity:,f} {unit or ''}".strip()


def plain(value: Any) -> Any:
    """Return an answer as JSON has it: numbers that are no integers as text, times as ISO 8601."""
    if isinstance(value, Fraction):
        return f"{float(value):.6g}"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, IntEnum):
        return value.name.lower()
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}
    names = _fields(value)
    return {_name(n): _timed(n, getattr(value, n)) for n in names} if names else value


def _fields(value: Any) -> Sequence[str]:
    if is_dataclass(value) and not isinstance(value, type):
        return [field.name for field in fields(value)]
    return getattr(value, "__struct_fields__", ())


def _name(name: str) -> str:
    return name.removesuffix("_us")


def _timed(name: str, value: Any) -> Any:
    if (name.endswith("_us") or name == "at") and isinstance(value, int):
        moment = datetime.fromtimestamp(value // _SECOND, UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    return plain(value)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], most: int = 0) -> None:
    """Print rows under their headings, at most `most` of them if that is not 0."""
    from rich.cells import cell_len, set_cell_size

    shown = list(rows)
    lines = [columns, *(shown[:most] if most else shown)]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    for line in lines if shown else ():
        cells = (set_cell_size(cell, width) for cell, width in zip(line, widths, strict=True))
        typer.echo(f"  {'  '.join(cells).rstrip()}")
    if most and len(shown) > most:
        typer.echo(f"... {len(shown) - most:,} more; --json shows all")


def refuse_mixed(form: Format | None, output: Path | None, *, other: bool) -> None:
    """Refuse options that do not go together.

    Raises:
        UsageError: A drawing and something else are asked for, or a file without a drawing.
    """
    from provenance.errors import UsageError

    if form and other:
        raise UsageError("--format goes with neither --events, --export nor --json")
    if output and not form:
        raise UsageError("--output needs a --format")


def write_drawing(text: str, output: Path | None) -> None:
    """Write a drawing where it was asked for, and say so."""
    from commands.output import write_result

    write_result(text.encode(), output)
    if output:
        typer.echo(f"Wrote {output}")


def tell_limits(position: int, *, truncated: bool) -> None:
    """Say what every answer ends with."""
    if truncated:
        typer.echo("cut short: a limit left something out; raise --depth or --limit to see more")
    typer.echo(f"true for log position {position:,}")
