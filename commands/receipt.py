"""`provenance receipt`: the answer to an ingest once more, from the log, with its proof."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.options import Data, Json
from commands.output import print_json
from provenance.errors import NotFound

if TYPE_CHECKING:
    from provenance.store.reading import LogReader
    from workspace.workspace import Workspace

app = typer.Typer(add_completion=False)


@app.command()
def receipt(
    data: Data,
    batch: Annotated[
        str, typer.Argument(help="The file that was ingested, or #INDEX of its batch entry.")
    ],
    proof: Annotated[
        Path | None,
        typer.Option(
            help="Write the proof here, with digest and counts opened, for `verify --bundle`. "
            "Of a file that was refused: the signed answer, which `verify --answer` checks."
        ),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Give the answer to an ingest again, as the log holds it."""
    from provenance.ingest.recalled import batch_of, recall
    from workspace.workspace import Workspace

    with Workspace(data) as workspace:
        reader = workspace.reader
        number = batch[1:]
        named = batch.startswith("#") and number.isdecimal()
        try:
            index = int(number) if named else batch_of(reader, batch)
        except NotFound:
            if named or not _tell_refused(workspace, batch, proof, as_json=json):
                raise
            return
        found = recall(reader, index)
        if proof is not None:
            _write_proof(reader, index, proof)
    if json:
        print_json(found)
        return
    for name, value in _lines(found):
        typer.echo(f"{name:<12}{value}")
    if proof is not None:
        typer.echo(f"Wrote {proof}: it opens the file's digest and the counts")


def _tell_refused(workspace: Workspace, name: str, proof: Path | None, *, as_json: bool) -> bool:
    """Tell the answer to a file of which nothing was taken; False where none is kept."""
    from commands.output import write_result
    from provenance.ingest.answers import Answers
    from provenance.ingest.files import sheet_of
    from provenance.ingest.recalled import digest_of_file

    path, sheet = sheet_of(name)
    said = Answers(workspace.layout.quarantine).find(digest_of_file(Path(path)), sheet)
    if said is None:
        return False
    if proof is not None:
        write_result(said.note.encode(), proof)
    if as_json:
        print_json({**said.content, "answer": said.note})
        return True
    time = datetime.fromtimestamp(said.content["time_us"] // 1_000_000, UTC)
    told = said.content["receipt"]
    lines = [
        ("batch", "none: nothing was appended"),
        ("told", f"{time.isoformat().removesuffix('+00:00')}Z, at size {said.content['size']:,}"),
        ("party", said.content["party"]),
        ("payload", said.content["payload"]),
        ("status", told["status"]),
        *((name, f"{told[name]:,}") for name in _COUNTS if name in told),
        *(("reasons", f"{number:,} {text}") for text, number in told.get("reasons", ())),
        ("proof", "the signature of the log's key; no checkpoint covers it"),
    ]
    for title, text in lines:
        typer.echo(f"{title:<12}{text}")
    if proof is not None:
        typer.echo(f"Wrote {proof}: the signed answer; `provenance verify --answer` checks it")
    return True


def _write_proof(reader: LogReader, index: int, path: Path) -> None:
    from commands.output import write_result
    from provenance.govern.anchors import Anchors
    from provenance.proving.proof import bundle_text

    bundle = Anchors(reader).put_into(reader.prove(index, lambda _opening: True))
    write_result(bundle_text(bundle), path)


def _lines(found: dict[str, Any]) -> list[tuple[str, str]]:
    time = datetime.fromtimestamp(found["time_us"] // 1_000_000, UTC)
    ranges = ", ".join(f"{a} to {b}" if a < b else str(a) for a, b in found["ranges"])
    lines = [
        ("batch", f"#{found['batch']}, {time.isoformat().removesuffix('+00:00')}Z"),
        ("party", found["party"]),
        ("signed by", found["signed_by"] or "nobody; the log's checkpoint covers it"),
        ("file", found["file"] or "erased"),
        *([("sheet", found["sheet"])] if found["sheet"] else []),
        ("payload", found["payload"] or "erased"),
        ("status", found["status"] or "not kept by the version that took it"),
    ]
    counted = [(name, found[name]) for name in _COUNTS if name in found]
    lines += [(name, f"{value:,}") for name, value in counted]
    lines += [("entries", f"{found['entries']:,}: {ranges}"), ("root", found["root"])]
    for name in ("reasons", "not_made", "warning_texts"):
        lines += [(name, f"{number:,} {text}") for text, number in found.get(name, ())]
    lines += [("noted", f"{number:,} {code}") for code, number in found.get("quality", {}).items()]
    if found["quarantine"]:
        lines.append(("quarantine", found["quarantine"]))
    if found["settles"]:
        rows, of = len(found["settles"]["rows"]), found["settles"]["of"]
        lines.append(("settles", f"{rows:,} rows that {of} had set aside"))
    covers = f"size {found['size']}, signed:"
    return [
        *lines,
        ("checkpoint", covers),
        *(("", line) for line in found["checkpoint"].split("\n")),
    ]


_COUNTS = ("rows", "accepted", "duplicate", "quarantined", "warnings", "appended", "corrected")
