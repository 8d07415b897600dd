"""Options that say where a key is, for the commands that make or change one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.govern.sources import KeySource
    from provenance.notes.keys import Signer
    from provenance.store.register import Register

__all__ = ["KeyCommand", "KeyEnv", "KeyVkey", "PartyKey", "key_source", "party_signer"]

_SECONDS: Final = 60

KeyEnv = Annotated[
    str | None,
    typer.Option("--key-env", help="The key is in this environment variable, not in a file."),
]
KeyCommand = Annotated[
    str | None,
    typer.Option(
        "--key-command", help="The key stays with this program, which signs; needs --key-vkey."
    ),
]
KeyVkey = Annotated[str | None, typer.Option("--key-vkey", help="The program's public key.")]


def key_source(env: str | None, command: str | None, vkey: str | None) -> KeySource:
    """Say where the key is; without any option in our file.

    Raises:
        UsageError: The options exclude each other, or the command cannot be taken apart.
    """
    from provenance.errors import UsageError
    from provenance.govern.sources import KeySource

    if env and command is not None:
        raise UsageError("--key-env and --key-command exclude each other")
    if (command is None) != (vkey is None):
        raise UsageError("--key-command and --key-vkey are given together")
    words = () if command is None else _words("--key-command", command)
    return KeySource(env=env or "", command=words, vkey=vkey or "")


class PartyKey(NamedTuple):
    """What was said of the key that signs a party's batches: options as they were given."""

    file: Path | None
    command: str | None
    vkey: str | None


def party_signer(register: Register, party: str, key: PartyKey) -> Signer | None:
    """Return what signs a party's batches, or None where nothing was asked for.

    Args:
        register: Says which key a program signs with, where no option does.
        party: The capturing party.
        key: The options.

    Raises:
        UsageError: The options exclude each other, or leave open which key it is.
        WorkspaceError: The key is not there.
    """
    from provenance.errors import UsageError
    from provenance.govern.sources import CommandSigner
    from provenance.notes import keys

    file, command, vkey = key
    if (file is not None and command is not None) or (vkey is not None and command is None):
        raise UsageError("give --sign-key, or --sign-command with or without --sign-vkey")
    if command is None:
        return None if file is None else keys.load(file)
    said = register.party(party)
    known = said.keys if said else ()
    if vkey is None and len(known) != 1:
        raise UsageError(f"the party {party} has {len(known)} registered keys: give --sign-vkey")
    return CommandSigner(_words("--sign-command", command), vkey or known[0], _SECONDS)


def _words(option: str, command: str) -> tuple[str, ...]:
    import shlex

    from provenance.errors import UsageError

    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None
    if not words:
        raise UsageError(f"{option}: is empty")
    return words
