"""`provenance verify`: recompute the whole log, or check proofs offline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.options import Data, Json
from commands.output import print_json, progress

if TYPE_CHECKING:
    from provenance.ingest.answers import Said
    from provenance.notes.trust import Trust
    from provenance.verify import Verdict
    from workspace.workspace import Workspace

app = typer.Typer(add_completion=False)


@app.command()
def verify(
    data: Data,
    bundle: Annotated[
        Path | None,
        typer.Option(help="Check this file of proofs instead; needs no workspace."),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(help="Whom to trust (C2SP tlog-policy). [default: the workspace's]"),
    ] = None,
    evidence: Annotated[
        Path | None,
        typer.Option(help="Check this directory of evidence that a monitor has kept instead."),
    ] = None,
    older: Annotated[
        Path | None,
        typer.Option(help="With --bundle: a checkpoint you kept, which the log must continue."),
    ] = None,
    party_key: Annotated[
        list[str] | None,
        typer.Option(help="With --bundle: a vkey, one of which must have signed the batch."),
    ] = None,
    payload: Annotated[
        Path | None,
        typer.Option(
            help="With --answer, or --bundle of a receipt: the file that is said to be delivered."
        ),
    ] = None,
    answer: Annotated[
        Path | None,
        typer.Option(
            help="Check this signed answer to an ingest that added nothing, or those of a receipt."
        ),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Recompute everything that is stored, and say what differs and where."""
    if evidence is not None:
        good = _evidence(evidence, policy or data / "log.policy", as_json=json)
    elif answer is not None:
        good = _answers(answer, policy or data / "log.policy", payload, as_json=json)
    elif bundle is None:
        good = _workspace(data, as_json=json)
    else:
        trust = policy or data / "log.policy"
        good = _bundles(bundle, trust, older, party_key or [], payload, as_json=json)
    raise typer.Exit(0 if good else 1)


def _evidence(evidence: Path, policy: Path, *, as_json: bool) -> bool:
    from commands.kept import read_bytes
    from provenance.errors import VerificationError
    from provenance.notes.trust import parse_trust
    from provenance.wire.evidence import check_evidence
    from provenance.wire.monitor_state import read_evidence

    trust = parse_trust(read_bytes(policy))
    try:
        good, text = True, check_evidence(read_evidence(evidence), trust)
    except VerificationError as error:
        good, text = False, str(error)
    if as_json:
        print_json({"proves": good, "text": text})
    else:
        typer.echo(f"SPLIT VIEW  {text}" if good else f"NO EVIDENCE  {text}")
    return good


def _answers(file: Path, policy: Path, payload: Path | None, *, as_json: bool) -> bool:
    from commands.kept import read_bytes
    from provenance.errors import InputError
    from provenance.ingest.answers import said_in
    from provenance.notes.trust import parse_trust

    trust = parse_trust(read_bytes(policy))
    try:
        found = said_in(read_bytes(file))
    except InputError as error:
        raise InputError(f"{file}: {error}") from None
    judged = [_judge_answer(said, trust, payload) for said in found]
    good = all(one[0] for one in judged)
    if as_json:
        print_json({"ok": good, "answers": [{"ok": ok, "text": text} for ok, text in judged]})
    else:
        for ok, text in judged:
            typer.echo(f"{'OK' if ok else 'FAILED':<7} answer       {text}")
    return good


def _judge_answer(said: Said, trust: Trust, payload: Path | None) -> tuple[bool, str]:
    from provenance.errors import VerificationError
    from provenance.ingest.answers import check_answer
    from provenance.ingest.recalled import digest_of_file

    try:
        origin = check_answer(said, trust)
    except VerificationError as error:
        return False, str(error)
    told = said.content["receipt"]
    if payload is not None and digest_of_file(payload).hex() != said.content["payload"]:
        return False, f"{payload} is not the file that the answer is about"
    about = f"{payload}, byte by byte," if payload is not None else f"{said.content['payload']}"
    return True, (
        f"{origin} has signed that of {about} nothing was appended: {told['status']}, "
        f"{told['rows']:,} rows, {told['quarantined']:,} set aside; it stands in no log"
    )


def _workspace(data: Path, *, as_json: bool) -> bool:
    from workspace.workspace import Workspace

    with Workspace(data) as workspace, progress("Verifying") as report_progress:
        report = workspace.audit(report_progress)
        subjects = workspace.new_subjects()
        if subjects is not None and subjects.absent and workspace.settings.role == "log":
            report.add(f"subject keys: {subjects.path} is missing; put it back from your copy")
        pending = _pending(workspace) if workspace.settings.role == "log" else {}
    for note in report.notes:
        typer.echo(f"provenance: {note}", err=True)
    if as_json:
        print_json(
            {
                "ok": not report.problems,
                "origin": report.origin,
                "size": report.size,
                "root": report.root.hex(),
                "problems": report.problems,
                "openings_missing": report.openings_missing,
                "openings_erased": report.openings_erased,
                "bodies_erased": report.bodies_erased,
                "openings_locked": report.openings_locked,
                "pending": pending,
            }
        )
        return not report.problems
    for problem in report.problems:
        typer.echo(f"FAILED  {problem}")
    if not report.problems:
        typer.echo(f"OK  {report.origin}: {report.size} entries, chain, tree and signatures add up")
        typer.echo(f"    root hash {report.root.hex()}")
    if report.openings_erased or report.bodies_erased:
        typer.echo(
            f"    {report.openings_erased} fields and {report.bodies_erased} whole entries were "
            "erased, and the log says so"
        )
    if report.openings_missing > report.openings_erased:
        missing = report.openings_missing - report.openings_erased
        typer.echo(f"    {missing} committed fields have no opening here")
    if report.openings_locked:
        typer.echo(
            f"    {report.openings_locked} fields are under keys of data subjects that are not "
            "here, and were not checked"
        )
    for place, why in pending.items():
        typer.echo(f"PENDING  an erasure in {place}: {why}")
    return not report.problems


def _pending(workspace: Workspace) -> dict[str, str]:
    """Say where erasures are still to be carried out, and why."""
    from provenance.forget.run import state

    return dict(state(workspace.reader, workspace.layout.log).pending)


def _bundles(
    file: Path,
    policy: Path,
    older: Path | None,
    parties: list[str],
    payload: Path | None,
    *,
    as_json: bool,
) -> bool:
    from commands.kept import read_bytes
    from provenance.proving.unpack import bundles_in

    trusted, kept = read_bytes(policy), None if older is None else read_bytes(older)
    bundles = list(bundles_in(read_bytes(file)))
    judged = [_judge(one, trusted, kept, parties) for one in bundles]
    if payload is not None:
        for one, (_, verdicts) in zip(bundles, judged, strict=True):
            verdicts.append(_judge_payload(one, payload))
    good = all(verdict.status != "failed" for _, verdicts in judged for verdict in verdicts)
    if as_json:
        entries = [
            {"index": index, "verdicts": [verdict._asdict() for verdict in verdicts]}
            for index, verdicts in judged
        ]
        print_json({"ok": good, **(entries[0] if len(entries) == 1 else {"entries": entries})})
    elif len(judged) == 1:
        for verdict in judged[0][1]:
            typer.echo(f"{verdict.status.upper():<7} {verdict.name:<12} {verdict.text}")
    else:
        _tell_many(judged)
    return good


def _judge(
    bundle: bytes, trusted: bytes, kept: bytes | None, parties: list[str]
) -> tuple[int, list[Verdict]]:
    from json import loads

    from provenance.govern.anchor_checks import check_anchors
    from provenance.govern.consistency import continues
    from provenance.notes.trust import parse_trust
    from provenance.verify import check_bundle, parse_policy

    verdicts = check_anchors(bundle, check_bundle(bundle, parse_policy(trusted), parties))
    if kept is not None:
        verdicts.append(continues(bundle, verdicts, kept, parse_trust(trusted)))
    return loads(bundle)["index"], verdicts


def _judge_payload(bundle: bytes, payload: Path) -> Verdict:
    from provenance.ingest.recalled import check_payload
    from provenance.verify import Verdict

    good, text = check_payload(bundle, payload)
    return Verdict("payload", "ok" if good else "failed", text)


def _tell_many(judged: list[tuple[int, list[Verdict]]]) -> None:
    """One line an entry, and one more for each claim that failed."""
    for index, verdicts in judged:
        good = ", ".join(verdict.name for verdict in verdicts if verdict.status == "ok")
        failed = [verdict for verdict in verdicts if verdict.status == "failed"]
        typer.echo(f"{'FAILED' if failed else 'OK':<7} entry {index:<8} {good}")
        for verdict in failed:
            typer.echo(f"FAILED    {verdict.name:<12} {verdict.text}")
