"""The log's private keys through a rotation: the present one, the next one, the retired.

    keys/log.key          the present key, where its source is the file
    keys/next.key         the next key, while a rotation is on its way
    keys/next.json        its source instead, where that is not a file
    keys/retired/ID.key   keys that were handed over
    keys/rotate.lock      held by whoever rotates

The next key is durable before the log names it, and the present one is moved away
only after. In between, whoever opens the log to write finds the log's register
ahead of the files, and finishes: each step can be repeated, and what tells of an
unfinished rotation goes last. Files are moved under the writers' lock alone.

Next: provenance/govern/rotation.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import msgspec

from provenance.errors import InputError, UsageError, WorkspaceDamaged, WorkspaceError
from provenance.files import replace_file
from provenance.govern.sources import KeySource, open_signer
from provenance.notes import keys
from provenance.store.storage import translated

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from provenance.clock import Entropy
    from provenance.notes.keys import Signer

__all__ = ["KeyRing", "KeySettings"]

_MODE: Final = 0o600


class KeySettings(Protocol):
    """The setting that says where the present key is."""

    def read(self) -> KeySource:
        """Return the source, as the setting is now."""
        ...

    def write(self, source: KeySource) -> None:
        """Change the setting; a reader sees the old one or the new one, also after a crash."""
        ...


class _Next(NamedTuple):
    """The key that a rotation leads to; `key` is None where it is not in our file."""

    vkey: str
    source: KeySource
    key: keys.LogKey | None


class KeyRing:
    """The private keys of one log."""

    def __init__(self, directory: Path, policy: Path, origin: str, settings: KeySettings) -> None:
        """Keep the keys of `origin` in `directory`.

        Args:
            directory: Of the key files.
            policy: The trust policy for verifiers; a new key is added to it.
            origin: The log's name, and every key's.
            settings: Where the present key is.
        """
        self._directory = directory
        self._policy = policy
        self._origin = origin
        self._settings = settings

    @property
    def lock(self) -> Path:
        """The lock file of whoever rotates; taken before the writers' lock."""
        return self._directory / "rotate.lock"

    def describe(self) -> str:
        """Name the place where the present key is."""
        return self._settings.read().describe(self._present)

    def signer(self) -> Signer:
        """Return what signs with the present key, as the settings name it.

        Raises:
            WorkspaceError: It is not there, or is another log's.
            InputError: It is no whole key.
        """
        return self._named(open_signer(self._settings.read(), self._present))

    def find(self, vkey: str) -> Signer:
        """Return the present signer, once a rotation to `vkey` that was interrupted is finished.

        The caller holds the writers' lock and has `vkey` from the log's register; it
        sees for itself whether the signer is the one.

        Raises:
            WorkspaceError: As for `signer`.
            StorageError: The disk refused.
        """
        following = self._read_next()
        if following is not None and following.vkey == vkey:
            with translated(self._directory):
                self._finish(following)
        return self.signer()

    def prepare(self, source: KeySource, entropy: Entropy, taken: Collection[str]) -> Signer:
        """Make the next key durable, before any entry names it.

        The caller holds `lock`, and has seen that no rotation is unfinished. A next
        key in our file that an earlier rotation left, before its entry, is used.

        Args:
            source: Where it is, or will be.
            entropy: Makes a key in our file.
            taken: The vkeys that the log has, or had.

        Raises:
            UsageError: The source contradicts itself, or has a key that is taken.
            WorkspaceError: The key is not there, or is another log's.
            StorageError: The disk refused.
        """
        with translated(self._directory):
            if source.in_file:
                self._elsewhere.unlink(missing_ok=True)
                return self._next_in_file(entropy)
            signer = self._named(open_signer(source, self._present))
            if signer.vkey in taken:
                # Noted down as the next key, the present one would be taken for a
                # rotation that has happened.
                raise UsageError(f"{signer.vkey}: was retired, or is in use, so it is no new key")
            text = msgspec.json.encode(msgspec.structs.replace(source, vkey=signer.vkey))
            replace_file(self._elsewhere, text, mode=_MODE)
            self._next.unlink(missing_ok=True)
        return signer

    def _next_in_file(self, entropy: Entropy) -> Signer:
        following = self._read_next()
        if following is not None and following.key is not None:
            return following.key
        # Torn by a crash while it was written: no entry names it, so nothing is lost.
        self._next.unlink(missing_ok=True)
        key = keys.generate(self._origin, entropy)
        keys.save(key, self._next)
        return key

    def _read_next(self) -> _Next | None:
        """Read what the next key is; None without one, or with one that was never whole."""
        try:
            if self._next.exists():
                key = keys.load(self._next)
                return _Next(key.vkey, KeySource(), key)
        except InputError:
            return None
        except WorkspaceError:
            # A rotation to elsewhere may just have taken it away: no entry names it.
            if self._next.exists():
                raise
        try:
            text = self._elsewhere.read_bytes()
            source = msgspec.json.decode(text, type=KeySource)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            raise WorkspaceDamaged(f"{self._elsewhere}: cannot be read: {error}") from None
        return _Next(source.vkey, source, None)

    def _finish(self, following: _Next) -> None:
        """Move on to the next key. A crash between two steps: whoever comes next repeats them."""
        self._announce(following.vkey)
        self._retire(following.vkey)
        if following.key is not None:
            replace_file(self._present, f"{following.key.secret_text()}\n".encode(), mode=_MODE)
        if self._settings.read() != following.source:
            self._settings.write(following.source)
        if following.key is None:
            self._present.unlink(missing_ok=True)
            self._elsewhere.unlink()
        else:
            self._next.unlink()

    def _announce(self, vkey: str) -> None:
        """Add the new key to the trust policy; the old ones stay, for the proofs they signed."""
        try:
            lines = self._policy.read_text().splitlines()
        except (FileNotFoundError, UnicodeDecodeError):
            lines = ["quorum none"]
        if any(line.split()[1:2] == [vkey] for line in lines):
            return
        ours = [at for at, line in enumerate(lines, 1) if line.startswith(f"log {self._origin}+")]
        lines.insert(ours[-1] if ours else 0, f"log {vkey}")
        replace_file(self._policy, "".join(f"{line}\n" for line in lines).encode())

    def _retire(self, successor: str) -> None:
        """Copy the present key to the retired ones, unless it is the new one already."""
        if not self._present.exists():
            return
        key = keys.load(self._present)
        if key.vkey != successor:
            retired = self._directory / "retired"
            retired.mkdir(mode=0o700, exist_ok=True)
            text = f"{key.secret_text()}\n".encode()
            replace_file(retired / f"{key.key_id.hex()}.key", text, mode=_MODE)

    def _named(self, signer: Signer) -> Signer:
        if signer.name != self._origin:
            raise WorkspaceDamaged(
                f"{self.describe()}: the key of {signer.name}, not of {self._origin}"
            )
        return signer

    @property
    def _present(self) -> Path:
        return self._directory / "log.key"

    @property
    def _next(self) -> Path:
        return self._directory / "next.key"

    @property
    def _elsewhere(self) -> Path:
        return self._directory / "next.json"
