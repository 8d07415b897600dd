"""A log with a key ring, as a workspace has it, and settings kept in a file of their own."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from log_factories import ORIGIN, SECRET, Rig, event, seeded

from provenance.clock import system_clock, system_entropy
from provenance.files import replace_file
from provenance.govern.keyring import KeyRing
from provenance.govern.rotation import rotate
from provenance.govern.sources import KeySource
from provenance.log import Instruments, Log, LogFiles
from provenance.notes import keys
from provenance.proving.proof import bundle_text
from provenance.verify import check_bundle, parse_policy

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.auditing.audit import AuditReport


@dataclass(frozen=True)
class FileSetting:
    """The setting that says where the key is, in a file."""

    path: Path

    def read(self) -> KeySource:
        """Return the source."""
        return msgspec.json.decode(self.path.read_bytes(), type=KeySource)

    def write(self, source: KeySource) -> None:
        """Change it at once."""
        replace_file(self.path, msgspec.json.encode(source))


@dataclass(frozen=True)
class Ringed:
    """A log's directory, with keys/, a policy and a setting, as processes share it."""

    directory: Path

    @classmethod
    def made(cls, directory: Path, events: int = 3) -> Ringed:
        """Begin a log of some events, with its key in its file."""
        (directory / "keys").mkdir(parents=True)
        rig = Rig(directory).filled(events)
        keys.save(rig.key, directory / "keys" / "log.key")
        (directory / "log.policy").write_text(f"# ours\nlog {rig.key.vkey}\nquorum none\n")
        FileSetting(directory / "setting").write(KeySource())
        return cls(directory)

    @property
    def ring(self) -> KeyRing:
        """The keys."""
        setting = FileSetting(self.directory / "setting")
        return KeyRing(self.directory / "keys", self.directory / "log.policy", ORIGIN, setting)

    @property
    def rig(self) -> Rig:
        """The log, for the tools of its own tests; audited with its first key."""
        return Rig(self.directory)

    def open(self) -> Log:
        """Open the log to write, as a workspace does."""
        ring = self.ring
        instruments = Instruments(
            ring.signer(), SECRET, system_clock, system_entropy, find_signer=ring.find
        )
        return Log.open(LogFiles(self.directory), instruments)

    def rotate(self, source: KeySource | None = None) -> int:
        """Hand the log over; returns the entry."""
        log = self.open()
        try:
            return rotate(log, self.ring, system_entropy, source).index
        finally:
            log.close()

    def append(self, *numbers: int) -> None:
        """Append events."""
        log = self.open()
        log.append([event(number) for number in numbers])
        log.close()

    def names(self) -> list[str]:
        """What is in keys/, but for locks."""
        found = [path for path in (self.directory / "keys").rglob("*") if path.is_file()]
        return sorted(path.name for path in found if path.suffix != ".lock")

    def vkeys(self) -> list[str]:
        """The log's keys, oldest first."""
        reader = self.rig.reader()
        try:
            return reader.keys
        finally:
            reader.close()

    def audit(self) -> AuditReport:
        """Recompute the log, trusting its first key."""
        return self.rig.audit()

    def check(self, number: int) -> None:
        """Nothing is unfinished, the keys are where they belong, and the log goes on."""
        self.append(number)
        *retired, present = self.vkeys()
        found = [keys.load(path).vkey for path in self.directory.glob("keys/retired/*.key")]
        assert set(found) <= set(retired)
        assert self.ring.signer().vkey == present
        lines = (self.directory / "log.policy").read_text().splitlines()
        assert [line for line in lines if "log " in line] == [
            f"log {vkey}" for vkey in [*retired, present]
        ]
        assert self.audit().problems == []
        assert judged(self.bundle(1), lines) == {"ok", "absent"}

    def bundle(self, index: int) -> bytes:
        """The proof of an entry."""
        reader = self.rig.reader()
        try:
            return bundle_text(reader.prove(index))
        finally:
            reader.close()


def judged(bundle: bytes, policy: list[str]) -> set[str]:
    """What the offline verifier says of a bundle."""
    text = "".join(f"{line}\n" for line in policy)
    return {verdict.status for verdict in check_bundle(bundle, parse_policy(text.encode()))}


def other_key(seed: int, name: str = ORIGIN) -> keys.LogKey:
    """A key that is not in any file yet."""
    return keys.generate(name, seeded(seed))


def signing_program(folder: Path, key: keys.LogKey, **changes: Any) -> KeySource:
    """A program that signs with `key`, and the source that names it."""
    script = folder / f"sign-{key.key_id.hex()}.py"
    script.write_text(
        "import base64, sys\n"
        "from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey\n"
        f"key = Ed25519PrivateKey.from_private_bytes({key._seed!r})\n"
        "print(base64.b64encode(key.sign(sys.stdin.buffer.read())).decode())\n"
    )
    source = KeySource(command=(sys.executable, str(script)), vkey=key.vkey)
    return msgspec.structs.replace(source, **changes) if changes else source
