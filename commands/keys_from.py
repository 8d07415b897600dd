"""Options that say where a key is, for the commands that make or change one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from provenance.govern.sources import KeySource

__all__ = ["KeyCommand", "KeyEnv", "KeyVkey", "key_source"]

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
    import shlex

    from provenance.errors import UsageError
    from provenance.govern.sources import KeySource

    if env and command:
        raise UsageError("--key-env and --key-command exclude each other")
    if (command is None) != (vkey is None):
        raise UsageError("--key-command and --key-vkey are given together")
    try:
        words = tuple(shlex.split(command or ""))
    except ValueError as error:
        raise UsageError(f"--key-command: {error}") from None
    if command is not None and not words:
        raise UsageError("--key-command: is empty")
    return KeySource(env=env or "", command=words, vkey=vkey or "")
