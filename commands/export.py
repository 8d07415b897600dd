"""`provenance export`: hand events on in the format that partners ask for."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Final

import typer

from commands.options import Data, Json
from commands.output import notice, print_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from provenance.entries import Content, Entry, Tier
    from workspace.workspace import Workspace

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Hand events on in a partner's format."
)

_GTINS_KEPT: Final = 65_536


@app.callback()
def export() -> None:
    """Hand events on in a partner's format."""


@app.command()
def epcis(
    data: Data,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The file; - for standard output.")
    ],
    tier: Annotated[str, typer.Option(help="public, partner or private.")] = "partner",
    event: Annotated[
        list[str] | None, typer.Option(help="Only this event: its id, or #INDEX. Repeatable.")
    ] = None,
    lot: Annotated[
        str | None, typer.Option(help="Only events of this lot or item, by id, URL or barcode.")
    ] = None,
    depth: Annotated[
        int, typer.Option(min=0, help="With --lot: and of what it was made from, so many steps.")
    ] = 0,
    since: Annotated[
        str | None, typer.Option(help="Only events from this time on, in ISO 8601.")
    ] = None,
    party: Annotated[
        str | None, typer.Option(help="Whose event ids. [default: the workspace's party]")
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Write events as an EPCIS 2.0 document, as far as a tier may see them."""
    from commands.selection import select
    from workspace.workspace import Workspace

    seen, start = _tier(tier), _time(since)
    if event or lot:
        with select(data, event or [], party, lot, depth, None) as (workspace, indexes):
            counts = _write(workspace, output, seen, start, indexes)
    else:
        with Workspace(data) as workspace:
            counts = _write(workspace, output, seen, start, None)
    if json:
        print_json({"file": str(output), **counts})
    elif str(output) != "-":
        typer.echo(f"Wrote {output}: {counts['events']:,} events")
    for reason, number in counts["left_out"].items():
        notice(f"provenance: {number:,} events left out: {reason}")


def _tier(text: str) -> Tier:
    from provenance.entries import Tier
    from provenance.errors import UsageError

    try:
        return Tier[text.upper()]
    except KeyError:
        raise UsageError(f"--tier {text!r}: is not public, partner or private") from None


def _time(text: str | None) -> datetime | None:
    from provenance.epcis.export import instant
    from provenance.errors import UsageError

    try:
        return None if text is None else instant(text)
    except ValueError:
        raise UsageError(f"--since {text!r}: is not a time such as 2024-03-01") from None


def _write(
    workspace: Workspace,
    output: Path,
    tier: Tier,
    start: datetime | None,
    indexes: list[int] | None,
) -> dict[str, Any]:
    """Write the document piece by piece; the file is put in place when it is complete."""
    from datetime import UTC, datetime, timedelta

    from provenance.epcis.writing import document_text
    from provenance.ingest.times import instant_text
    from provenance.store.storage import translated

    counts: dict[str, Any] = {"events": 0, "left_out": {}}
    made = instant_text(
        datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=workspace.clock())
    )
    text = document_text(_events(workspace, tier, start, indexes, counts), made)
    if str(output) == "-":
        sys.stdout.writelines(text)
        return counts
    with translated(output):
        fresh = output.with_name(f".{output.name}.new")
        try:
            with fresh.open("w", encoding="utf-8") as file:
                _write_durably(file, text)
            fresh.replace(output)
        finally:
            # After a crash it stays behind, and the next export to this file overwrites it.
            fresh.unlink(missing_ok=True)
    return counts


def _write_durably(file: IO[str], text: Iterable[str]) -> None:
    file.writelines(text)
    file.flush()
    os.fsync(file.fileno())


def _events(
    workspace: Workspace,
    tier: Tier,
    start: datetime | None,
    indexes: list[int] | None,
    counts: dict[str, Any],
) -> Iterator[tuple[dict[str, Any], list[Any]]]:
    """The events that were asked for and can be shown; counts them, and those left out."""
    from provenance.disclosure.privacy import open_entry
    from provenance.epcis.export import epcis_event
    from provenance.epcis.native import Names

    names = Names(workspace.settings.domain.rstrip("/"), _gtins(workspace))
    for entry, version in _entries(workspace, indexes):
        content = open_entry(entry, tier)
        if start and not _is_from(content, start):
            continue
        found = epcis_event(version, content, tier, names)
        if isinstance(found, str):
            counts["left_out"][found] = counts["left_out"].get(found, 0) + 1
            continue
        counts["events"] += 1
        yield found


def _is_from(content: Content, start: datetime) -> bool:
    from provenance.epcis.export import instant

    return "event_time" in content and instant(content["event_time"]) >= start


def _entries(workspace: Workspace, indexes: list[int] | None) -> Iterator[tuple[Entry, str]]:
    """The events among the entries asked for, with the version of their content."""
    from provenance import canonical
    from provenance.entries import EntryType
    from provenance.epcis.export import EVENT_VERSIONS

    reader = workspace.reader
    wanted = reader.entries(0) if indexes is None else map(reader.entry, indexes)
    for entry in wanted:
        if entry.type in {EntryType.EVENT, EntryType.CORRECTION} and entry.body is not None:
            version = canonical.loads(entry.body)["_v"]
            if version in EVENT_VERSIONS:
                yield entry, version


def _gtins(workspace: Workspace) -> Callable[[str, str], str | None]:
    """Look up the GTIN of a product in its newest master data."""
    from functools import lru_cache

    from provenance.disclosure.privacy import open_entry
    from provenance.entries import Tier

    @lru_cache(maxsize=_GTINS_KEPT)
    def gtin_of(party: str, product: str) -> str | None:
        index = workspace.reader.find(("product", product))
        if index is None:
            return None
        content = open_entry(workspace.reader.entry(index), Tier.PUBLIC)
        return content.get("gtin") if content.get("party") == party else None

    return gtin_of
