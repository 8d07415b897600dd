"""`provenance log backup`, `restore` and `mirror`: copies of a workspace, and of logs elsewhere."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from commands.options import Data, Json
from commands.output import notice, print_json, progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workspace.backup import BackedUp, Progress
    from workspace.mirror import Source


def backup(
    data: Data,
    destination: Annotated[Path, typer.Argument(help="A new directory, or an empty one.")],
    *,
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Put the keys in: then it can sign as the log.")
    ] = False,
    unchecked: Annotated[
        bool, typer.Option("--unchecked", help="Leave out the audit of the copy.")
    ] = False,
    json: Json = False,
) -> None:
    """Copy the workspace while it is used, check the copy, and say how confidential it is."""
    from workspace.backup import back_up
    from workspace.workspace import Workspace

    with Workspace(data) as workspace, _stages() as report:
        made = back_up(workspace, destination, report, with_keys=with_keys, check=not unchecked)
    if json:
        print_json(
            {
                "backup": str(destination),
                "size": made.log.size,
                "root": made.log.root.hex(),
                "openings": made.log.openings,
                "quarantine_files": made.files,
                "keys": made.keys,
                "checked": not unchecked,
            }
        )
    else:
        _tell_backup(destination, made, checked=not unchecked)


def restore(
    data: Data,
    source: Annotated[Path, typer.Argument(help="A backup.")],
    keys: Annotated[
        Path | None, typer.Option(help="The directory with its keys. [default: in the backup]")
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="The newest checkpoint anybody has seen: proof that nothing is newer."),
    ] = None,
    origin: Annotated[
        str | None, typer.Option("--as", help="Continue it as a new log of this name.")
    ] = None,
    erasures_from: Annotated[
        str | None,
        typer.Option(help="With --as: a workspace, export or address whose erasures to repeat."),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Make a workspace of a backup; it is only read, unless it is proven to be the newest."""
    from provenance.errors import UsageError

    if origin and checkpoint:
        raise UsageError("--checkpoint or --as, not both: one goes on, the other begins anew")
    if erasures_from and not origin:
        raise UsageError("--erasures-from needs --as: what is only read cannot be erased from")
    backup_ = _Source(source, keys)
    if origin is None:
        _restore(data, backup_, checkpoint, as_json=json)
    else:
        _continue(data, backup_, origin, erasures_from, as_json=json)


class _Source(NamedTuple):
    """The backup, and where its keys are."""

    directory: Path
    keys: Path | None


def _continue(
    data: Path, source: _Source, origin: str, erasures_from: str | None, *, as_json: bool
) -> None:
    from provenance.clock import system_clock, system_entropy
    from workspace.restore import Backup
    from workspace.succession import continue_as

    with _stages() as report:
        made, erased = continue_as(
            origin,
            Backup(*source),
            data,
            entropy=system_entropy,
            clock=system_clock,
            progress=report,
            erasures_from=erasures_from,
        )
    if as_json:
        print_json({"origin": origin, "size": made.log.size, "writable": True, "erased": erased})
        return
    typer.echo(f"Continued in {data} as {origin}: {made.log.size:,} entries, with a new key")
    typer.echo(f"  erased again  {erased:,} entries")
    if erasures_from is None:
        notice(
            "provenance: what the old log erased after the backup was taken is back in this one; "
            "run `provenance erase` for it"
        )


def _restore(data: Path, source: _Source, checkpoint: Path | None, *, as_json: bool) -> None:
    from provenance.clock import system_entropy
    from workspace.restore import Backup
    from workspace.restore import restore as run

    newest = None if checkpoint is None else _read(checkpoint)
    with _stages() as report:
        made = run(Backup(*source), data, system_entropy, report, newest=newest)
    if as_json:
        print_json({"origin": made.origin, "size": made.log.size, "writable": made.writable})
        return
    typer.echo(f"Restored to {data}: {made.origin}, {made.log.size:,} entries, all recomputed")
    if made.writable:
        typer.echo("  may be written: nobody has seen a newer entry")
    else:
        typer.echo("  is only read: entries newer than the backup may have been published")
        notice(
            "provenance: what was erased after the backup was taken is back in this copy; keep "
            "it from everybody who must not see that"
        )


def mirror(
    data: Data,
    url: Annotated[str, typer.Argument(help="The log's address, or file:///DIRECTORY.")],
    policy: Annotated[
        Path | None, typer.Option(help="Whose signature to trust (C2SP tlog-policy).")
    ] = None,
    vkey: Annotated[str | None, typer.Option(help="The same, as one public key.")] = None,
    party: Annotated[
        str, typer.Option(help="Of a new mirror: whose event ids are meant by default.")
    ] = "self",
    every: Annotated[
        float, typer.Option(min=0.1, help="Seconds between two looks, with --watch.")
    ] = 30.0,
    *,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on until interrupted; outages are waited out.")
    ] = False,
    json: Json = False,
) -> None:
    """Follow a log elsewhere into a mirror: everything public in it, checked entry by entry."""
    from provenance.clock import system_entropy
    from provenance.wire.remote import RemoteLog
    from workspace.mirror import Source, make_mirror

    with RemoteLog(url) as remote:
        source = Source(remote, _policy(policy, vkey))
        if not (data / "workspace.toml").exists():
            make_mirror(data, source, system_entropy, party)
        _pull(data, source, as_json=json)
        while watch:
            _wait(every)
            _pull_again(data, source, as_json=json)


def _policy(policy: Path | None, vkey: str | None) -> bytes | None:
    from provenance.errors import UsageError

    if policy is not None and vkey is not None:
        raise UsageError("--policy or --vkey, not both")
    if vkey is not None:
        return f"log {vkey}\nquorum none\n".encode()
    return None if policy is None else _read(policy)


def _read(path: Path) -> bytes:
    from provenance.errors import UsageError

    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None


def _pull(data: Path, source: Source, *, as_json: bool) -> None:
    from workspace.mirror import pull_into

    with progress("Mirroring") as report:
        done, pending = pull_into(data, source, report)
    if as_json:
        print_json({**done._asdict(), "pending": pending})
        return
    forgotten = f", {done.forgotten:,} bodies deleted as erased" if done.forgotten else ""
    typer.echo(f"{data}: {done.size:,} entries, {done.added:,} of them new{forgotten}")
    for place in pending if done.forgotten else ():
        notice(f"provenance: not forgotten yet in {place}; repeat the pull")
    if done.behind:
        notice(f"provenance: the source shows an older checkpoint, {done.behind:,} entries back")


def _pull_again(data: Path, source: Source, *, as_json: bool) -> None:
    """Pull, and wait an outage out; what does not add up ends it."""
    from provenance.errors import RemoteError, WorkspaceLocked

    try:
        _pull(data, source, as_json=as_json)
    except (RemoteError, WorkspaceLocked) as error:
        notice(f"provenance: {error}")


def _wait(seconds: float) -> None:
    import time

    time.sleep(seconds)


def _tell_backup(destination: Path, made: BackedUp, *, checked: bool) -> None:
    typer.echo(f"Backed up to {destination}: {made.log.size:,} entries")
    typer.echo(f"  root hash     {made.log.root.hex()}")
    typer.echo(f"  checked       {'every entry was recomputed' if checked else 'no'}")
    typer.echo(f"  confidential  {made.log.openings:,} fields that are not public can be read")
    typer.echo(f"                in it, and {made.files:,} quarantined files")
    if made.keys:
        typer.echo(f"  SECRET        {', '.join(made.keys)}: whoever has it can sign as the log")
    else:
        typer.echo("  keys          none; keep keys/ elsewhere, it is needed to restore")


@contextmanager
def _stages() -> Iterator[Progress]:
    """Show one progress bar for work in stages."""
    with progress("") as report:
        yield lambda _what, done, total: report(done, total)
