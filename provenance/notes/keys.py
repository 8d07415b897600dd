"""An Ed25519 key, a log's or a witness's: made once, in one file that only its owner reads.

The file holds one line in the form of Go's note package,
`PRIVATE+KEY+name+key id+base64(type || seed)`. A key never moves: a rotation
makes a new file and an entry in the log.

The private bytes leave this module only through `secret_text`.

Next: provenance/store/schema.py
"""

from __future__ import annotations

import logging
import os
import stat
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provenance.errors import InputError, StorageError, UsageError, WorkspaceError
from provenance.notes.checkpoint import (
    COSIGNATURE,
    ED25519,
    Signer,
    VerifierKey,
    check_key_name,
    format_vkey,
    key_id,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from provenance.clock import Entropy

__all__ = ["LogKey", "Signer", "generate", "load", "parse_secret", "save"]

_SEED_SIZE: Final = 32
_MAX_FILE: Final = 4096  # bytes; one line of a name, an id and 44 characters
_MODE: Final = 0o600
_LOG: Final = logging.getLogger(__name__)


class LogKey:
    """An Ed25519 key in memory; a `Signer`. It never shows its private part by accident."""

    def __init__(self, name: str, seed: bytes, kind: int = ED25519) -> None:
        """Take a key from its 32-byte seed (RFC 8032 section 5.1.5).

        Args:
            name: Of the log, the party or the witness.
            seed: The private bytes.
            kind: The signature type; a witness's key has `COSIGNATURE` and signs nothing else.

        Raises:
            InputError: The name cannot be a key name, or the seed has another size.
        """
        check_key_name(name)
        if len(seed) != _SEED_SIZE:
            raise InputError(f"an Ed25519 key has {_SEED_SIZE} private bytes, not {len(seed)}")
        self._seed = seed
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = VerifierKey(name, kind, self._private.public_key().public_bytes_raw())
        self._key_id = key_id(*self.verifier)

    @property
    def name(self) -> str:
        """The key name: for a log its origin, for a party its id."""
        return self.verifier.name

    @property
    def key_id(self) -> bytes:
        """The four bytes that its signature lines begin with."""
        return self._key_id

    @property
    def vkey(self) -> str:
        """The public key as others put it into a trust policy."""
        return format_vkey(self.verifier)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature over `message`."""
        return self._private.sign(message)

    def secret_text(self) -> str:
        """Return the private key as one line of text; whoever reads it can sign as the log."""
        data = b64encode(bytes([self.verifier.type]) + self._seed).decode()
        return f"PRIVATE+KEY+{self.name}+{self._key_id.hex()}+{data}"

    def __repr__(self) -> str:
        """Show the public key only."""
        return f"LogKey({self.vkey})"


def generate(name: str, entropy: Entropy, kind: int = ED25519) -> LogKey:
    """Make a new key.

    Args:
        name: The log's origin.
        entropy: Gives the 32 private bytes.
        kind: The signature type, as for `LogKey`.

    Raises:
        InputError: The name cannot be a key name.
    """
    return LogKey(name, entropy(_SEED_SIZE), kind)


def parse_secret(text: str) -> LogKey:
    """Read what `secret_text` wrote. Messages never repeat any of it.

    Raises:
        InputError: Not a private key in that form, or damaged.
    """
    parts = text.split("+", 4)
    if len(parts) != 5 or parts[:2] != ["PRIVATE", "KEY"]:  # noqa: PLR2004 - the form's parts
        raise InputError("not a private key of the form PRIVATE+KEY+name+keyid+key")
    try:
        raw = b64decode(parts[4].encode(), validate=True)
    except ValueError:
        raise InputError("the private key is damaged: its last part is not base64") from None
    if raw[:1] not in (bytes([ED25519]), bytes([COSIGNATURE])):
        raise InputError("the private key is damaged, or not of type Ed25519")
    key = LogKey(parts[2], raw[1:], raw[0])
    if key.secret_text() != text:
        raise InputError("the private key is damaged: its key id is not that of name and key")
    return key


def save(key: LogKey, path: Path) -> None:
    """Write the key to a new file that only its owner may read, and make it durable.

    If we crash on the way there is a file without a whole key in it: `load`
    refuses it as damaged, and nothing was signed with it yet.

    Raises:
        UsageError: Something is at `path` already; keys are never overwritten.
        StorageError: The disk refused.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, _MODE)  # whatever the umask was
            file.write(f"{key.secret_text()}\n".encode())
            file.flush()
            os.fsync(handle)
        _sync_folder(path.parent)
    except FileExistsError:
        raise UsageError(f"{path}: there is a key already; move it away to make another") from None
    except OSError as error:
        raise StorageError(f"{path}: the key cannot be written: {error.strerror}") from None


def _sync_folder(folder: Path) -> None:
    """Make the file's name durable too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def load(path: Path, warn: Callable[[str], object] = _LOG.warning) -> LogKey:
    """Read the key from its file.

    Args:
        path: Where `save` put it.
        warn: Is told, in one line, when others than the owner may read or write the file.
            The key is used all the same: secrets that a platform mounts look like that.

    Raises:
        WorkspaceError: There is no such file, or it may not be read.
        InputError: It holds no whole key.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            data = file.read(_MAX_FILE + 1)
    except FileNotFoundError:
        raise WorkspaceError(
            f"{path}: the signing key is missing; restore it from your backup"
        ) from None
    except OSError as error:
        raise WorkspaceError(f"{path}: the key cannot be read: {error.strerror}") from None
    if mode & 0o077:
        warn(f"{path}: others may open the signing key (mode {mode:04o}); run chmod 600 on it")
    try:
        return parse_secret(data.decode().removesuffix("\n"))
    except (InputError, UnicodeDecodeError) as error:
        reason = error if isinstance(error, InputError) else "not text"
        raise InputError(f"{path}: {reason}; restore it from your backup") from None
