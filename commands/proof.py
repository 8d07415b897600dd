"""`provenance proof`: write the proof of one entry or of many, for anybody to check offline."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.options import Data, Json
from commands.output import notice, print_json

if TYPE_CHECKING:
    from provenance.entries import Content
    from provenance.store.reading import LogReader

app = typer.Typer(add_completion=False)


class Disclose(StrEnum):
    """Up to which tier fields are opened in the bundle."""

    PUBLIC = "public"
    PARTNER = "partner"
    PRIVATE = "private"


class Form(StrEnum):
    """The file's format."""

    JSON = "json"
    TLOG = "tlog-proof"


@app.command()
def proof(
    data: Data,
    events: Annotated[
        list[str] | None,
        typer.Argument(help="Event ids, or #INDEX for any entry.", show_default=False),
    ] = None,
    item: Annotated[
        str | None, typer.Option(help="All events of this item: a lot, serial, product or code.")
    ] = None,
    depth: Annotated[
        int, typer.Option(help="With --item: and of what it was made from, so many steps back.")
    ] = 0,
    facility: Annotated[str | None, typer.Option(help="All events at this facility.")] = None,
    party: Annotated[
        str | None, typer.Option(help="Whose event ids. [default: the workspace's party]")
    ] = None,
    older: Annotated[
        Path | None, typer.Option(help="Prove too that the log continues this kept checkpoint.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file. [default: standard output]")
    ] = None,
    disclose: Annotated[
        Disclose, typer.Option(help="Open committed fields up to this tier.")
    ] = Disclose.PUBLIC,
    form: Annotated[Form, typer.Option("--format", help="The file's format.")] = Form.JSON,
    *,
    json: Json = False,
) -> None:
    """Write the proof that events are in the log, with nothing disclosed but what is public.

    Several are put into one file that holds what they share once.
    """
    from commands.kept import read_kept
    from commands.output import write_result
    from commands.selection import select
    from provenance.entries import Tier
    from provenance.govern.anchors import Anchors
    from provenance.govern.consistency import older_part

    tier = Tier[disclose.name]
    with select(data, events or [], party, item, depth, facility) as (workspace, indices):
        log = workspace.reader
        kept, note = (None, "") if older is None else read_kept(workspace, older)
        since = kept.size if kept else 0
        bundles = log.prove_all(indices, lambda opening: opening.tier <= tier, since)
        if len(bundles) == 1:  # in a file of several each would need a path of its own
            bundles = [Anchors(log).put_into(bundles[0])]
        for bundle in bundles if kept else ():
            bundle["consistency"] = older_part(log, note, bundle)
        seen = _is_seen(log, bundles)
    write_result(_text(bundles, form), output)
    opened = sum(len(bundle["disclosed"]) for bundle in bundles)
    if output is not None:
        _tell(output, indices, opened, as_json=json)
    if not seen:
        notice(
            "provenance: too few witnesses have seen this yet for the policy's quorum; run "
            "`provenance witness collect` and make the proof again"
        )


def _is_seen(log: LogReader, bundles: list[Content]) -> bool:
    """Whether the witnesses' quorum, where one is asked for, has seen the proofs' checkpoint."""
    from provenance.notes.checkpoint import parse

    sizes = {parse(bundle["checkpoint"])[0].size for bundle in bundles}
    return not log.witnesses.trust.asks or sizes <= {log.witnesses.witnessed()}


def _text(bundles: list[Content], form: Form) -> bytes:
    from provenance.errors import UsageError
    from provenance.proving.proof import bundle_text
    from provenance.proving.proof_batch import shared
    from provenance.proving.tlog_proof import format_tlog_proof

    if len(bundles) == 1:
        one = bundles[0]
        return bundle_text(one) if form is Form.JSON else format_tlog_proof(one).encode()
    if form is not Form.JSON:
        raise UsageError("a .tlog-proof holds one entry; ask for them one by one")
    return shared(bundles)


def _tell(output: Path, indices: list[int], opened: int, *, as_json: bool) -> None:
    if as_json:
        print_json({"file": str(output), "indices": indices, "opened": opened})
    elif len(indices) == 1:
        typer.echo(f"Wrote {output}: entry {indices[0]}, {opened} fields opened")
    else:
        typer.echo(f"Wrote {output}: {len(indices):,} entries, {opened:,} fields opened")
