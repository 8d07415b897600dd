"""A mirror's workspace: made once, then brought up to date with each pull.

It has settings, the trust policy that it was given, a secret of its own for row
keys, and no signing key. Everything that only reads works on it, for what is public.

Next: workspace/upgrade.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from provenance.errors import EncodingError, UsageError, VerificationError, WorkspaceDamaged
from provenance.files import replace_file
from provenance.notes.checkpoint import format_line, format_vkey, key_id
from provenance.notes.cosignature import signed_by
from provenance.notes.trust import parse_trust
from provenance.store.storage import translated
from provenance.store.witnessed import Cosignature, store
from provenance.wire.mirror import SplitView, pull, read_offer
from provenance.wire.monitor_state import State
from provenance.wire.replica import Replica
from workspace.making import placed
from workspace.settings import edited, read_settings, settings_text
from workspace.workspace import Layout, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from provenance.clock import Entropy
    from provenance.wire.mirror import Offer, Pulled
    from provenance.wire.remote import RemoteLog

__all__ = ["Source", "make_mirror", "pull_into"]

_SECRET_SIZE: Final = 32
_READ: Final = "log.db: somebody reads an older state of the mirror: end that, or wait"


class Source(NamedTuple):
    """The log to follow, and whom to trust about it.

    Attributes:
        remote: Reads it.
        policy: A C2SP tlog-policy that names its key; None for the one the mirror has.
    """

    remote: RemoteLog
    policy: bytes | None


def make_mirror(directory: Path, source: Source, entropy: Entropy, party: str = "self") -> None:
    """Make a mirror that holds nothing yet, of the log that `source` shows.

    Args:
        directory: Where; absent, or an empty directory.
        source: The log.
        entropy: Gives the secret that keys the mirror's row digests.
        party: Whose event ids are meant where none is named.

    Raises:
        UsageError: There is something at `directory`, or no policy.
        InputError: The policy is none.
        VerificationError: No key of the policy has signed what the source shows.
        RemoteError: No answer.
    """
    if source.policy is None:
        raise UsageError(
            f"{directory}: a new mirror needs --policy or --vkey: whose signature it trusts"
        )
    offer = read_offer(source.remote, _vkeys(source.policy))
    origin = offer.said.origin
    text = settings_text(origin, party, f"https://{origin.split('/')[0]}")
    with placed(directory, entropy) as building:
        layout = Layout(building)
        layout.secret.parent.mkdir(mode=0o700)
        replace_file(layout.secret, secret := entropy(_SECRET_SIZE), mode=0o600)
        replace_file(layout.policy, source.policy)
        layout.quarantine.mkdir(mode=0o700)
        Replica.create(layout.log, origin, secret).close()
        replace_file(layout.settings, edited(text, role="mirror").encode())


def pull_into(
    directory: Path, source: Source, progress: Callable[[int, int], None]
) -> tuple[Pulled, list[str]]:
    """Bring the mirror at `directory` up to date, and its graph, where it has one.

    Returns:
        What came of it, and where what was erased cannot be forgotten yet, with the reason.

    Raises:
        UsageError: It is no mirror.
        VerificationError: The source serves what does not fit its signed checkpoint, or has shown
            two histories; the evidence of that is kept in the mirror.
        RemoteError: No answer.
        WorkspaceError: The mirror cannot be written.
    """
    layout = Layout(directory)
    settings = read_settings(layout.settings)
    if settings.role != "mirror":
        raise UsageError(f"{directory}: is a {settings.role}, not a mirror")
    with Workspace(directory) as workspace:
        secret = workspace.secret
    policy = source.policy or _read(layout.policy)
    replica = Replica.open(layout.log, settings.origin, secret)
    try:
        with replica.holding():
            offer = read_offer(source.remote, [*_vkeys(policy), *_current(replica, layout)])
            done = _pull(directory, source.remote, replica, offer, progress)
            pending = [] if replica.cut() else [_READ]
    finally:
        replica.close()
    if not done.behind:
        _keep_cosignatures(layout, policy, offer)
    if source.policy is not None and source.policy != _read(layout.policy):
        with translated(layout.policy):
            replace_file(layout.policy, source.policy)
    with Workspace(directory) as workspace:
        why = workspace.let_graph_follow()
    return done, [*pending, *([f"graph: {why}"] if why else [])]


def _pull(
    directory: Path,
    remote: RemoteLog,
    replica: Replica,
    offer: Offer,
    progress: Callable[[int, int], None],
) -> Pulled:
    try:
        return pull(remote, replica, offer, progress)
    except SplitView as split:
        kept = State(directory / "split-view", replica.origin).accuse(split.evidence)
        raise VerificationError(f"{split}; the evidence is kept in {kept}") from None


def _keep_cosignatures(layout: Layout, policy: bytes, offer: Offer) -> None:
    """Keep what witnesses of the policy have put under the checkpoint that was served.

    Raises:
        VerificationError: A line of one of them is wrong.
    """
    witnesses = [witness.key for witness in parse_trust(policy).witnesses]
    keys = {(key.name, key_id(*key)): key for key in signed_by(offer.note, witnesses)}
    found = [
        Cosignature(offer.said.size, keys[line.name, line.key_id], format_line(line).rstrip("\n"))
        for line in offer.note.signatures
        if (line.name, line.key_id) in keys
    ]
    if found:
        store(layout.log, found)


def _current(replica: Replica, layout: Layout) -> tuple[str, ...]:
    """The keys that the log was handed over to, as far as the mirror knows."""
    try:
        register = replica.register()
    except EncodingError as error:
        raise WorkspaceDamaged(f"{layout.log.database}: {error}; run `verify`") from None
    return register.current if register else ()


def _vkeys(policy: bytes) -> list[str]:
    return [format_vkey(log.key) for log in parse_trust(policy).logs]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WorkspaceDamaged(f"{path}: cannot be read: {error.strerror}") from None
