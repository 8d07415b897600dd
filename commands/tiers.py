"""`provenance tiers`: which fields are public, partner or private, from now on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.options import Data, Json
from commands.output import print_json

if TYPE_CHECKING:
    from provenance.disclosure.tiers import TierPolicy
    from provenance.entries import Draft
    from provenance.store.register import Register

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Show and change which fields are public, partner or private.",
)


@app.command()
def show(data: Data, *, json: Json = False) -> None:
    """Show the tiers in force, as a file that `tiers set` and `init --tiers` read."""
    from workspace.tier_file import tiers_text
    from workspace.workspace import Workspace

    with Workspace(data) as workspace:
        policy = workspace.reader.policy
    if json:
        print_json(policy.to_content())
    else:
        typer.echo(tiers_text(policy), nl=False)


@app.command("set")
def set_tiers(
    data: Data,
    file: Annotated[Path, typer.Argument(help="A tier file; what it does not name stays.")],
    *,
    json: Json = False,
) -> None:
    """Change the tiers of entries from now on, as an entry of the log.

    What is logged already keeps the tiers it was logged under.
    """
    from provenance.errors import UsageError
    from workspace.tier_file import read_tiers
    from workspace.workspace import Workspace

    with Workspace(data) as workspace:
        before = workspace.reader.policy
        read_tiers(file, before)

        def change(register: Register) -> Draft:
            # Read again: another process may have changed what the file does not name.
            policy = read_tiers(file, register.tiers)
            if policy == register.tiers:
                raise UsageError(f"{file}: these are the tiers in force; nothing is changed")
            return register.policy_change(policy)

        outcome = workspace.log.govern(change)
        after = workspace.log.policy
    changes = _changes(before, after)
    if json:
        print_json({"index": outcome.index, "changed": changes})
        return
    for line in changes:
        typer.echo(line)
    typer.echo(f"In force after entry {outcome.index}; what is logged keeps its tiers")


def _changes(before: TierPolicy, after: TierPolicy) -> list[str]:
    old, new = before.to_content(), after.to_content()
    return [
        f"{version} {pattern.removeprefix('/')}: {tier}"
        for version, rules in new.items()
        for pattern, tier in rules.items()
        if old.get(version, {}).get(pattern) != tier
    ]
