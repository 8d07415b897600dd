"""Where a signing key comes from: a file, an environment variable, or a program that signs.

A program keeps the private key to itself (a hardware module, a key service). It
gets the message on standard input and writes the signature on standard output,
in base64. What it answers is verified before anything is done with it, so a
program that is mistaken about its key spoils no checkpoint.

No message of this module repeats what a file, a variable or a program gave it.

Next: provenance/govern/keyring.py
"""

from __future__ import annotations

import os
import subprocess
from base64 import b64decode
from typing import TYPE_CHECKING, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from provenance.errors import InputError, UsageError, WorkspaceError
from provenance.notes import keys
from provenance.notes.checkpoint import ED25519, key_id, parse_vkey

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from provenance.notes.keys import Signer

__all__ = ["CommandSigner", "KeySource", "open_signer"]

_SIGNATURE_SIZE: Final = 64
_LONGEST_WAIT: Final = 600


class KeySource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the key is; with neither `env` nor `command` it is in its file.

    Attributes:
        env: The environment variable that holds the text of a key file.
        command: The program that signs, and its arguments.
        vkey: The public key; needed with `command`, else checked where it is given.
        timeout: How long the program may take, 1 to 600 seconds.
    """

    env: str = ""
    command: tuple[str, ...] = ()
    vkey: str = ""
    timeout: int = 30

    @property
    def in_file(self) -> bool:
        """Whether the key is in its file."""
        return not self.env and not self.command

    def describe(self, file: Path) -> str:
        """Name the place in a few words."""
        if self.command:
            return f"the program {self.command[0]}"
        return f"the environment variable {self.env}" if self.env else str(file)


def open_signer(source: KeySource, file: Path) -> Signer:
    """Return what signs with the key of a source.

    Args:
        source: Where the key is.
        file: Its file, for a source that names neither variable nor program.

    Raises:
        UsageError: The source contradicts itself.
        WorkspaceError: The key is not there, or is another than `vkey`.
        InputError: What is there is no whole key.
    """
    if source.env and source.command:
        raise UsageError("key: `env` and `command` exclude each other")
    if not 1 <= source.timeout <= _LONGEST_WAIT:
        raise UsageError(f"key: `timeout` is 1 to {_LONGEST_WAIT} seconds")
    if source.command:
        if not source.vkey:
            raise UsageError("key: `command` needs the `vkey` that it signs with")
        return CommandSigner(source.command, source.vkey, source.timeout)
    signer = _from_environment(source.env) if source.env else keys.load(file)
    if source.vkey and source.vkey != signer.vkey:
        raise WorkspaceError(f"{source.describe(file)}: holds another key than {source.vkey}")
    return signer


def _from_environment(name: str) -> keys.LogKey:
    text = os.environ.get(name)
    if not text:
        raise WorkspaceError(f"the environment variable {name}: not set; it must hold the key")
    try:
        return keys.parse_secret(text.strip())
    except InputError as error:
        raise InputError(f"the environment variable {name}: {error}") from None


class CommandSigner:
    """A signer whose private key stays with a program."""

    def __init__(self, command: Sequence[str], vkey: str, timeout: float) -> None:
        """Sign with `command`, whose public key is `vkey`.

        Raises:
            InputError: It is no vkey of an Ed25519 key.
        """
        self.verifier = parse_vkey(vkey)
        if self.verifier.type != ED25519:
            raise InputError("key: the `vkey` of a signer is of type 01")
        self.vkey = vkey
        self._command = list(command)
        self._timeout = timeout

    @property
    def name(self) -> str:
        """The key name: for a log its origin, for a party its id."""
        return self.verifier.name

    @property
    def key_id(self) -> bytes:
        """The four bytes that its signature lines begin with."""
        return key_id(*self.verifier)

    def sign(self, message: bytes) -> bytes:
        """Return the program's signature over `message`, once it has been verified.

        Raises:
            WorkspaceError: The program cannot be run, is too slow, fails, or does not answer with
                a signature of its key. Asking again is harmless.
        """
        answer = self._run(message)
        try:
            signature = b64decode(answer.strip(), validate=True)
            if len(signature) == _SIGNATURE_SIZE:
                Ed25519PublicKey.from_public_bytes(self.verifier.public).verify(signature, message)
                return signature
        except ValueError:
            raise self._refused("its answer is not base64") from None
        except InvalidSignature:
            raise self._refused(f"it did not sign with the key {self.vkey}") from None
        raise self._refused(f"its answer is not a signature of {_SIGNATURE_SIZE} bytes")

    def _run(self, message: bytes) -> bytes:
        try:
            done = subprocess.run(  # noqa: S603 - the operator's own setting, run without a shell
                self._command,
                input=message,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=self._timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise self._refused(f"no answer within {self._timeout:g} s") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not a command"
            raise self._refused(f"cannot be run: {reason}") from None
        if done.returncode:
            raise self._refused(f"failed with code {done.returncode}; run it by hand to see why")
        return done.stdout

    def _refused(self, reason: str) -> WorkspaceError:
        return WorkspaceError(f"the key's program {self._command[0]}: {reason}")
