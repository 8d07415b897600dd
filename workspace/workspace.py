"""A workspace: a directory with a log, its keys, its graph and its settings.

Nothing outside this module puts these parts together.

Next: workspace/upgrade.py
"""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING, Final, Self

from msgspec.structs import replace

from provenance.clock import system_clock, system_entropy
from provenance.disclosure.tiers import DEFAULT_POLICY
from provenance.errors import WorkspaceDamaged, WorkspaceReadOnly
from provenance.forget.run import Forgetter
from provenance.govern.keyring import KeyRing
from provenance.govern.sources import KeySource
from provenance.log import Instruments, Log
from provenance.store.subjects import SubjectKeys
from workspace.followers import Places
from workspace.layout import Layout
from workspace.making import fill, first_signer, placed
from workspace.settings import KeySetting, read_settings, settings_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from graph.store import GraphStore
    from provenance.auditing.audit import AuditReport
    from provenance.clock import Clock, Entropy
    from provenance.disclosure.tiers import TierPolicy
    from provenance.store.reading import LogReader
    from workspace.settings import Settings

__all__ = ["Layout", "Workspace", "create_workspace", "random_origin"]

_LOG: Final = logging.getLogger(__name__)
_SECRET_SIZE: Final = 32
_NEW_KEY: Final = KeySource()
_ONLY_READ: Final = {
    "mirror": "is a mirror and only read; the log is written where its key is",
    "copy": "is a backup, or restored from one, and only read: nothing proves that it holds the "
    "newest entries. `provenance log restore` makes a log of it",
}


class Workspace:
    """An open workspace. Use as a context manager, or call `close`.

    The parts are opened when they are first asked for: reading a proof needs no
    graph, and verifying needs no key.

    Attributes:
        layout: Where the files lie.
        settings: From `workspace.toml`.
        clock: Time for whoever needs it.
        entropy: Randomness for whoever needs it.
        patience: Seconds at most that a graph server is waited for; None as the settings say.
    """

    def __init__(
        self,
        directory: Path,
        clock: Clock = system_clock,
        entropy: Entropy = system_entropy,
    ) -> None:
        """Open the workspace at `directory`.

        Raises:
            WorkspaceMissing: There is none.
            WorkspaceTooNew: A newer version of the program wrote it.
            WorkspaceDamaged: Its settings cannot be read.
        """
        self.layout = Layout(directory)
        self.settings: Settings = read_settings(self.layout.settings)
        self.clock = clock
        self.entropy = entropy
        self.patience: float | None = None

    @cached_property
    def log(self) -> Log:
        """The log, to append to.

        Raises:
            WorkspaceError: It cannot be written; the subclass and the message say why.
        """
        if self.settings.role != "log":
            raise WorkspaceReadOnly(f"{self.layout.directory}: {_ONLY_READ[self.settings.role]}")
        ring = self.key_ring
        log = Log.open(
            self.layout.log,
            Instruments(
                *(ring.signer(), self.secret, self.clock, self.entropy, ring.find),
                subjects=self.new_subjects(),
            ),
        )
        # What an erasure could not reach, or a crash has left, whoever writes goes to again.
        try:
            for place, why in self.forgetter(log).follow().pending.items():
                _LOG.warning("an erasure is pending in %s: %s", place, why)
        except BaseException:
            log.close()
            raise
        return log

    def forgetter(self, log: Log) -> Forgetter:
        """Return what erases from this workspace, through its open log."""
        return Forgetter(log, self.layout.log, self.secret, self._places.followers(log))

    def let_graph_follow(self) -> str | None:
        """Let the graph, if there is one, catch up and forget; returns why it cannot forget yet."""
        follow = self._places.followers(self.reader).get("graph")
        return follow(frozenset()) if follow else None

    @property
    def _places(self) -> Places:
        return Places(self.layout, self.secret, self._graph_place(), self.new_graph)

    def new_subjects(self) -> SubjectKeys | None:
        """Open the keys of data subjects once more, for one thread; None where none are kept."""
        path = self.layout.subject_keys
        if not self.settings.privacy.subject_keys and not path.exists():
            return None
        return SubjectKeys(path, self.secret, self.entropy)

    @cached_property
    def key_ring(self) -> KeyRing:
        """The log's private keys."""
        setting = KeySetting(self.layout.settings)
        folder = self.layout.log_key.parent
        return KeyRing(folder, self.layout.policy, self.settings.origin, setting)

    @cached_property
    def reader(self) -> LogReader:
        """The log, to read; works on read-only media and beside a writer."""
        return self.new_reader()

    def new_reader(self) -> LogReader:
        """Open one more reader of the log; one thread, one reader."""
        return Log.open_readonly(self.layout.log, self.secret, self.new_subjects())

    @cached_property
    def graph(self) -> GraphStore:
        """The graph store that the settings name."""
        return self.new_graph()

    def new_graph(self) -> GraphStore:
        """Open one more connection to the graph store; one thread, one connection.

        Where it may not be written, it is opened to be read.
        """
        from graph.connect import open_store  # noqa: PLC0415 - most commands need no graph

        url, how = ":".join(self._graph_place()), self.settings.graph.arangodb
        if how.password_file:
            path = self.layout.directory / how.password_file
            how = replace(how, password_file=str(path))
        if self.patience is not None:
            how = replace(how, patience=min(how.patience, self.patience))
        try:
            return open_store(url, arangodb=how)
        except WorkspaceReadOnly:
            return open_store(url, arangodb=how, readonly=True)

    def _graph_place(self) -> tuple[str, str]:
        scheme, _, place = self.settings.graph.url.partition(":")
        if scheme == "sqlite" and not place.startswith("/"):
            place = str(self.layout.directory.resolve() / place)
        return scheme, place

    def sync_graph(self, progress: Callable[[int, int], None] | None = None) -> int:
        """Let the graph catch up with the log; returns how many entries it applied.

        Raises:
            WorkspaceReadOnly: It has to, and may not be written.
        """
        from graph.sync import catch_up  # noqa: PLC0415 - as above

        try:
            return catch_up(self.reader, self.graph, progress)
        except WorkspaceReadOnly:
            raise WorkspaceReadOnly(
                f"{self.layout.directory}: the graph is behind the log and may not be written; run "
                "`provenance graph sync` where it may, or copy the directory"
            ) from None

    def audit(self, progress: Callable[[int, int], None]) -> AuditReport:
        """Recompute the whole log; see `provenance.auditing.audit`."""
        from provenance.auditing.audit import audit  # noqa: PLC0415 - only `verify` needs it

        held = self.settings.role != "mirror"
        subjects = self.new_subjects()
        log = self.layout.log
        # A mirror need not have seen a key handed over that its people trust themselves.
        known = [] if held else [vkey for vkey in self.reader.keys if vkey in self.vkeys]
        vkey = known[-1] if known else self.vkey
        report = audit(log, vkey, self.secret, progress, openings=held, subjects=subjects)
        if report.problems and self.layout.pulling.exists():
            report.problems.insert(
                0, f"{self.layout.pulling}: a pull was cut off; repeat it, and verify again"
            )
        for fault in () if report.problems else self._predecessor_faults():
            report.add(fault)
        return report

    def _predecessor_faults(self) -> list[str]:
        from provenance.govern.succession import predecessor_faults  # noqa: PLC0415 - as above

        reader = self.new_reader()
        try:
            return predecessor_faults(reader)
        finally:
            reader.close()

    @property
    def vkey(self) -> str:
        """The log's first public key of those in `log.policy`."""
        return self.vkeys[0]

    @cached_property
    def vkeys(self) -> list[str]:
        """The log's public keys, from `log.policy`.

        Raises:
            WorkspaceDamaged: The file is missing or names no key of this origin.
        """
        try:
            lines = self.layout.policy.read_text().splitlines()
        except (OSError, ValueError) as error:
            raise WorkspaceDamaged(f"{self.layout.policy}: cannot be read: {error}") from None
        named = [words[1] for line in lines if (words := line.split())[:1] == ["log"] and words[1:]]
        vkeys = [vkey for vkey in named if vkey.split("+")[0] == self.settings.origin]
        if not vkeys:
            raise WorkspaceDamaged(f"{self.layout.policy}: names no key of {self.settings.origin}")
        return vkeys

    @cached_property
    def secret(self) -> bytes:
        """The secret that keys row digests.

        Raises:
            WorkspaceDamaged: The file is missing, or not of the right length.
        """
        try:
            secret = self.layout.secret.read_bytes()
        except OSError as error:
            raise WorkspaceDamaged(f"{self.layout.secret}: {error.strerror}") from None
        if len(secret) != _SECRET_SIZE:
            raise WorkspaceDamaged(f"{self.layout.secret}: must hold {_SECRET_SIZE} bytes")
        return secret

    def close(self) -> None:
        """Close what was opened."""
        for part in ("log", "reader", "graph"):
            opened = self.__dict__.pop(part, None)
            if opened is not None:
                opened.close()

    def __enter__(self) -> Self:
        """Return self."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close what was opened."""
        self.close()


def random_origin(entropy: Entropy) -> str:
    """Make an origin for a log whose owner named none, under the reserved domain .invalid."""
    return f"{entropy(8).hex()}.invalid/log"


def create_workspace(
    directory: Path,
    *,
    origin: str,
    party: str,
    domain: str,
    tiers: TierPolicy = DEFAULT_POLICY,
    key: KeySource = _NEW_KEY,
    subject_keys: bool = False,
    clock: Clock = system_clock,
    entropy: Entropy = system_entropy,
) -> None:
    """Make a new workspace at `directory`, which must be absent or empty.

    All of it is made beside its place and moved there in one step: a crash
    leaves a hidden directory that nobody takes for a workspace.

    Args:
        directory: Where; parents are made.
        origin: The log's identity: a domain and path that the owner controls.
        party: Whose events go in by default.
        domain: Where QR codes lead.
        tiers: Which fields are public, partner or private, from entry 0 on.
        key: Where the signing key is; a new one is made in its file unless it is elsewhere.
        subject_keys: Store what is about a data subject under a key of that subject.
        clock: Gives the time of entry 0.
        entropy: Gives the keys.

    Raises:
        UsageError: A value is out of form, or the directory holds something already.
        WorkspaceError: The key is not where it is said to be, or is another log's.
        StorageError: The disk refused.
    """
    text = settings_text(origin, party, domain, key, subject_keys=subject_keys)
    with placed(directory, entropy) as building:
        layout = Layout(building)
        signer = first_signer(layout, key, origin, entropy)
        if subject_keys:
            SubjectKeys.create(layout.subject_keys)
        fill(layout, text, tiers, Instruments(signer, entropy(_SECRET_SIZE), clock, entropy))
