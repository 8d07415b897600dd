"""`provenance verify`: recompute the whole log, or check a proof bundle offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commands.options import Data, Json
from commands.output import print_json, progress

app = typer.Typer(add_completion=False)


@app.command()
def verify(
    data: Data,
    bundle: Annotated[
        Path | None, typer.Option(help="Check this proof bundle instead; needs no workspace.")
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(help="Whom to trust (C2SP tlog-policy). [default: the workspace's]"),
    ] = None,
    evidence: Annotated[
        Path | None,
        typer.Option(help="Check this directory of evidence that a monitor has kept instead."),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Recompute everything that is stored, and say what differs and where."""
    if evidence is not None:
        good = _evidence(evidence, policy or data / "log.policy", as_json=json)
    elif bundle is None:
        good = _workspace(data, as_json=json)
    else:
        good = _bundle(bundle, policy or data / "log.policy", as_json=json)
    raise typer.Exit(0 if good else 1)


def _evidence(evidence: Path, policy: Path, *, as_json: bool) -> bool:
    from provenance.errors import VerificationError
    from provenance.wire.evidence import check_evidence
    from provenance.wire.monitor_state import read_evidence
    from provenance.witnessed import read_trust

    trust = read_trust(policy)
    try:
        good, text = True, check_evidence(read_evidence(evidence), trust)
    except VerificationError as error:
        good, text = False, str(error)
    if as_json:
        print_json({"proves": good, "text": text})
    else:
        typer.echo(f"SPLIT VIEW  {text}" if good else f"NO EVIDENCE  {text}")
    return good


def _workspace(data: Path, *, as_json: bool) -> bool:
    from workspace.workspace import Workspace

    with Workspace(data) as workspace, progress("Verifying") as report_progress:
        report = workspace.audit(report_progress)
    if as_json:
        print_json(
            {
                "ok": not report.problems,
                "origin": report.origin,
                "size": report.size,
                "root": report.root.hex(),
                "problems": report.problems,
                "openings_missing": report.openings_missing,
            }
        )
        return not report.problems
    for problem in report.problems:
        typer.echo(f"FAILED  {problem}")
    if not report.problems:
        typer.echo(f"OK  {report.origin}: {report.size} entries, chain, tree and signatures add up")
        typer.echo(f"    root hash {report.root.hex()}")
    if report.openings_missing:
        typer.echo(f"    {report.openings_missing} committed fields have no opening here")
    return not report.problems


def _bundle(bundle: Path, policy: Path, *, as_json: bool) -> bool:
    from provenance.verify import check_bundle, parse_policy

    verdicts = check_bundle(_read(bundle), parse_policy(_read(policy)))
    good = all(verdict.status != "failed" for verdict in verdicts)
    if as_json:
        print_json({"ok": good, "verdicts": [verdict._asdict() for verdict in verdicts]})
        return good
    for verdict in verdicts:
        typer.echo(f"{verdict.status.upper():<7} {verdict.name:<12} {verdict.text}")
    return good


def _read(path: Path) -> bytes:
    from provenance.errors import UsageError

    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
