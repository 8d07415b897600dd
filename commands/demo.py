"""`provenance demo`: the whole path on the samples, by running the real commands."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from collections.abc import Collection

app = typer.Typer(add_completion=False)

_DOMAIN: Final = "http://127.0.0.1:8765"
_SHIRTS: Final = "/01/09521234004332/10/ASH-SEW-24012"
_QUARANTINED: Final = 3
_FINE: Final = frozenset({0})


@app.command()
def demo(
    directory: Annotated[
        Path | None,
        typer.Option("--keep", help="Make the workspace here. [default: a temporary directory]"),
    ] = None,
) -> None:
    """Ingest the samples, detect, verify, prove and trace one product; under a minute."""
    from samples import data_dir

    data = directory or Path(tempfile.mkdtemp(prefix="provenance-demo-")) / "workspace"
    proof = data.parent / f"{data.name}-proof.json"
    _title("A workspace: a signing key, an empty log, a settings file")
    _run(data, "init", "--origin", "demo.example/log", "--party", "demo", "--domain", _DOMAIN)
    _title("Two years of a shirt and a chocolate chain, as messy as real files are")
    # The samples hold a few spoilt rows, so that quarantine can be seen at work.
    _run(data, "ingest", str(data_dir()), fine={0, _QUARANTINED})
    _title("Every detector, and the ten most serious flags")
    _run(data, "detect")
    _run(data, "flags", "list", "--limit", "10", "--explain")
    _title("One product: what its lot was made from, and its journey")
    _run(data, "trace", _SHIRTS)
    _run(data, "trace", _SHIRTS, "--events", "--depth", "0")
    _title("The code on its label")
    _run(data, "qr", _SHIRTS)
    _title("Is it all as it was logged? And can a stranger check one sale without our database?")
    _run(data, "verify")
    _run(data, "proof", "SW-101679", "--output", str(proof))
    _run(data, "verify", "--bundle", str(proof))
    _title("The page behind the code")
    typer.echo(f"  provenance serve --data {data}")
    typer.echo(f"  then open {_DOMAIN}{_SHIRTS}")
    if directory is None:
        typer.echo(f"  when you are done: rm -r {data.parent}")


def _title(text: str) -> None:
    typer.secho(f"\n== {text}", bold=True)


def _run(data: Path, command: str, *arguments: str, fine: Collection[int] = _FINE) -> None:
    """Run one command as a person would, and end the demo if it fails."""
    typer.secho(f"$ provenance {' '.join([command, *arguments])}", fg="cyan")
    sys.stdout.flush()
    # -P keeps a file called cli.py in the current directory from being taken for ours.
    words = [sys.executable, "-P", "-m", "cli", "--data", str(data), command, *arguments]
    done = subprocess.run(words, check=False)  # noqa: S603 - our own command line
    if done.returncode not in fine:
        typer.echo(f"provenance: `{command}` ended with exit code {done.returncode}", err=True)
        raise typer.Exit(done.returncode)
