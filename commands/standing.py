"""`provenance log status`: how large the log is, and how far others have seen it."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from commands.options import Data, Json
from commands.output import print_json

if TYPE_CHECKING:
    from provenance.store.witnessed import Standing


def status(data: Data, *, json: Json = False) -> None:
    """Say how large the log is, which witnesses have seen it, and since when none has."""
    from workspace.workspace import Workspace

    with Workspace(data) as workspace:
        log = workspace.reader
        origin, standing = log.origin, log.witnesses.standing(log.checkpoint())
    if json:
        print_json(_json(origin, standing))
        return
    typer.echo(f"{origin}: {standing.size} entries under the newest checkpoint")
    typer.echo(f"  root hash    {b64encode(standing.root).decode()}")
    for line in _seen(standing):
        typer.echo(line)


def _seen(standing: Standing) -> list[str]:
    if not standing.known:
        return ["  witnesses    none named in log.policy: nobody else remembers this history"]
    lines = [f"  witnesses    {standing.known} named in log.policy"]
    if standing.seen_size:
        lines.append(f"  newest seen  {standing.seen_size} entries")
        lines += [f"               {name} at {_time(at)}" for name, at in standing.seen_by]
    if standing.quorum:
        met = "met" if standing.witnessed == standing.size else "not met for the newest checkpoint"
        covered = f"; it covers {standing.witnessed} entries" if standing.witnessed else ""
        lines.append(f"  quorum       {met}{covered}")
    if standing.since_us is not None:
        when = _time(standing.since_us // 1_000_000)
        lines.append(f"  unwitnessed  since entry {standing.witnessed} of {when}")
    return lines


def _json(origin: str, standing: Standing) -> dict[str, object]:
    since = standing.since_us
    return {
        "origin": origin,
        "size": standing.size,
        "root": b64encode(standing.root).decode(),
        "witnesses": standing.known,
        "seen_size": standing.seen_size,
        "seen_by": [{"name": name, "time": _time(at)} for name, at in standing.seen_by],
        "quorum": standing.quorum,
        "quorum_met": standing.quorum and standing.witnessed == standing.size,
        "witnessed_size": standing.witnessed,
        "unwitnessed_since": None
        if since is None
        else {"entry": standing.witnessed, "time": _time(since // 1_000_000)},
    }


def _time(seconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (OverflowError, ValueError, OSError):  # a damaged row may hold any number
        return f"second {seconds}"
