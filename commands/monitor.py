"""`provenance monitor`: follow somebody's log, and cry when it shows two histories."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from commands.options import Json
from commands.output import notice, print_json

if TYPE_CHECKING:
    from provenance.wire.monitor import Finding, Seen

app = typer.Typer(add_completion=False)

_SPLIT: Final = """\
provenance: ALARM: SPLIT VIEW. The log has signed two histories that contradict each other.
provenance:   1. Do not rely on this log, and do not add to it, until this is explained.
provenance:   2. Copy the evidence to a place that the log's operator cannot reach.
provenance:   3. Check it: provenance verify --evidence DIR --policy FILE
provenance:   4. Give it to everybody who relies on the log, and ask its operator to explain it."""


@app.command()
def monitor(
    urls: Annotated[
        list[str], typer.Argument(metavar="URL...", help="Where the log, or copies of it, are.")
    ],
    policy: Annotated[Path, typer.Option(help="The logs' keys (C2SP tlog-policy).")],
    state: Annotated[Path, typer.Option(help="The directory to remember in.")],
    interval: Annotated[float, typer.Option(min=1, help="Seconds between looks.")] = 60.0,
    seen: Annotated[
        list[Path] | None,
        typer.Option(help="A checkpoint or file of proofs that somebody was given; repeatable."),
    ] = None,
    *,
    once: Annotated[bool, typer.Option("--once", help="Look once and end.")] = False,
    entries: Annotated[
        bool, typer.Option("--entries", help="Recompute chain, time and tree of new entries.")
    ] = False,
    json: Json = False,
) -> None:
    """Follow a log from one or several addresses, and keep evidence when it contradicts itself.

    Ends with exit code 1 at a split view; with --once, at any alarm. An address that does not
    answer is no alarm.
    """
    from provenance.store.witnessed import read_trust
    from provenance.wire.monitor import Monitor
    from provenance.wire.remote import RemoteLog

    _refuse_missing(policy)
    watcher = Monitor(read_trust(policy), state, entries=entries)
    handed = [_seen(path) for path in seen or ()]
    told: list[Finding] = []
    with ExitStack() as stack:
        remotes = [stack.enter_context(RemoteLog(url)) for url in urls]
        while True:
            findings = watcher.round(remotes, handed)
            if once or findings != told:
                _tell(findings, as_json=json)
            told = findings
            if any(finding.kind == "split" for finding in findings):
                notice(_SPLIT)
                raise typer.Exit(1)
            if once:
                raise typer.Exit(int(any(finding.is_alarm for finding in findings)))
            time.sleep(interval)


def _refuse_missing(policy: Path) -> None:
    from provenance.errors import UsageError

    if not policy.is_file():
        raise UsageError(f"{policy}: no such file; it names the keys of the logs to follow")


def _seen(path: Path) -> Seen:
    """Read a checkpoint, or take it out of a file of proofs; they all have the same one."""
    import orjson

    from commands.kept import read_bytes
    from provenance.errors import ProvenanceError, UsageError
    from provenance.proving.unpack import bundles_in
    from provenance.wire.monitor import Seen

    try:
        data = next(bundles_in(read_bytes(path)), b"")
        if data.lstrip()[:1] == b"{":
            data = str(orjson.loads(data)["checkpoint"]).encode()
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{path}: neither a checkpoint nor a proof") from None
    except ProvenanceError as error:
        raise type(error)(f"{path}: {error}") from None
    return Seen(str(path), data)


def _tell(findings: list[Finding], *, as_json: bool) -> None:
    if as_json:
        print_json([{**one._asdict(), "alarm": one.is_alarm} for one in findings])
        return
    for kind, place, text in findings:
        typer.echo(f"{kind.upper():<11} {place}: {text}")
