"""The files of a workspace.

    workspace.toml        settings
    log.policy            whom to trust: the log's public key (C2SP tlog-policy)
    log.db, log.lock      the log
    checkpoint            the newest signed checkpoint
    high-water            the furthest state ever published
    keys/log.key          signs checkpoints (mode 0600)
    keys/workspace.secret keys the row digests (mode 0600)
    keys/subjects.db      keys of data subjects, if such are kept (mode 0600)
    graph.db              the projection; may be deleted, `graph rebuild` makes it again
    quarantine/           rejected rows, to be corrected and ingested again
    names.db              digests of ids, to notice slips; may be deleted at any time
    captures/             what became of documents that were sent to the server
    detection/            what the last detection run read; may be deleted at any time
    detection.lock        held by the detection run that is going on
    detection.state       what the patrol of `serve --detect` is doing
    patrol.lock           held by that patrol

Next: workspace/settings.py
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.log import LogFiles

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Layout"]


@dataclass(frozen=True)
class Layout:
    """Where the parts of a workspace lie.

    Attributes:
        directory: The workspace directory.
    """

    directory: Path

    @property
    def settings(self) -> Path:
        """`workspace.toml`."""
        return self.directory / "workspace.toml"

    @property
    def policy(self) -> Path:
        """`log.policy`: the trust configuration that verifiers are given."""
        return self.directory / "log.policy"

    @property
    def names(self) -> Path:
        """`names.db`: digests of the ids of ingested tables."""
        return self.directory / "names.db"

    @property
    def log(self) -> LogFiles:
        """The log's files."""
        return LogFiles(self.directory)

    @property
    def log_key(self) -> Path:
        """The private key that signs checkpoints."""
        return self.directory / "keys" / "log.key"

    @property
    def secret(self) -> Path:
        """The secret that keys row digests."""
        return self.directory / "keys" / "workspace.secret"

    @property
    def subject_keys(self) -> Path:
        """The keys of data subjects, where the workspace keeps such."""
        return self.directory / "keys" / "subjects.db"

    @property
    def pulling(self) -> Path:
        """In a mirror, while a pull is on its way: the checkpoint that it goes to."""
        return self.directory / "pulling"

    @property
    def quarantine(self) -> Path:
        """Where rejected rows are kept."""
        return self.directory / "quarantine"

    @property
    def detection(self) -> Path:
        """What the last detection run read, for the next one to go on from."""
        return self.directory / "detection"

    @property
    def detection_lock(self) -> Path:
        """Held by the detection run that is going on."""
        return self.directory / "detection.lock"

    @property
    def detection_state(self) -> Path:
        """What the patrol says of itself."""
        return self.directory / "detection.state"

    @property
    def patrol_lock(self) -> Path:
        """Held by the patrol that keeps detection up with the log."""
        return self.directory / "patrol.lock"

    @property
    def captures(self) -> Path:
        """What became of documents that were sent to the server."""
        return self.directory / "captures"
