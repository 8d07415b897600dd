"""`provenance lookup`: what the log knows under a name that a person has in hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.options import Data, Json
from commands.output import print_json

if TYPE_CHECKING:
    from provenance.entries import Content
    from workspace.workspace import Workspace

app = typer.Typer(add_completion=False)


@app.command()
def lookup(
    data: Data,
    text: Annotated[
        str,
        typer.Argument(
            help="An event, lot, serial or product id, an event hash, a URL, or a GTIN."
        ),
    ],
    party: Annotated[
        str | None, typer.Option(help="Whose event id. [default: the workspace's party]")
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Find an event or an item by its id, URL or barcode."""
    from commands.session import with_graph
    from provenance.errors import NotFound

    with with_graph(data) as workspace:
        event = _event(workspace, text, party or workspace.settings.party)
        item = None if text.startswith("ni:") else _item(workspace, text)
        if event is None and item is None:
            raise NotFound(f"nothing in the log is called {text!r}")
    if json:
        print_json({"event": event, "item": item})
        return
    for kind, found in (("event", event), ("item", item)):
        if found is not None:
            typer.echo(kind)
            for name, value in found.items():
                for line in value if isinstance(value, list) else [value]:
                    if line is not None:
                        typer.echo(f"  {name:<12}{line}")


def _event(workspace: Workspace, text: str, party: str) -> dict[str, Any] | None:
    from provenance.disclosure.privacy import open_entry
    from provenance.entries import Tier
    from provenance.epcis.content import hash_of
    from provenance.govern.delivered import signer_of

    keys = (("event", party, text), ("event_hash", party, text))
    index = next((at for key in keys if (at := workspace.reader.find(key)) is not None), None)
    if index is None and text.startswith("ni:"):
        index = _row(workspace, text)
    if index is None:
        return None
    entry = workspace.reader.entry(index)
    content = open_entry(entry, Tier.PRIVATE)
    names = ("event_type", "event_time", "facility_id", "shipment_id")
    return {
        "event_id": content.get("event_id", text),
        "party": party,
        "index": index,
        "leaf_hash": entry.leaf_hash.hex(),
        "signed_by": signer_of(workspace.reader, index),
        "erased": True if entry.body is None else None,
        **{name: content.get(name) for name in names},
        "quality": _notes(content),
        "event_hash": hash_of(content) if "epcis" in content else None,
    }


def _row(workspace: Workspace, name: str) -> int | None:
    """Find the row of a table that makes an EPCIS event of this hash."""
    from commands.output import progress
    from provenance.ingest.same_event import rows_with_hash

    domain = workspace.settings.domain.rstrip("/")
    with progress("Hashing rows") as report:
        return next(rows_with_hash(workspace.reader, name, [domain], report), None)


def _notes(content: Content) -> list[str] | None:
    from provenance.ingest.quality.notes import FIELD, meaning

    return [f"{code}: {meaning(code)}" for code in content.get(FIELD, ())] or None


def _item(workspace: Workspace, text: str) -> dict[str, Any] | None:
    from commands.items import find_item, item_words
    from provenance.entries import Tier
    from provenance.errors import NotFound

    try:
        found = find_item(workspace.graph, text)
    except NotFound:
        return None
    flags = workspace.graph.flags_for(found.node, Tier.PRIVATE)
    return {
        "item": found.node,
        "called": item_words(found.item),
        "name": found.name,
        "gtin": found.gtin,
        "url": workspace.settings.domain.rstrip("/") + found.path,
        "own_flags": len(flags),
    }
