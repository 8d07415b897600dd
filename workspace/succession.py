"""Continuing a backup as a new log, where nothing proves that it is the newest state.

The new log has a name and a key of its own, and says in entry 0 which log it
continues. What the old one erased after the backup was taken comes back with
the backup; the erasures of the newest copy that is known are repeated.

Next: workspace/upgrade.py
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from provenance import canonical
from provenance.disclosure.erased import erasure_drafts, read_erasure
from provenance.entries import EntryType
from provenance.errors import EncodingError, UsageError, VerificationError
from provenance.files import replace_file
from provenance.forget.removal import places_of, removal
from provenance.forget.survey import Target
from provenance.govern.acts import acts_of, count_acts
from provenance.govern.succession import carry_over
from provenance.hashing import body_digest, leaf_hash
from provenance.log import Instruments, LogFiles
from provenance.notes import keys
from provenance.proving.leaf import decode_leaf
from provenance.proving.merkle import tree_of
from provenance.wire.mirror import read_offer
from provenance.wire.remote import RemoteLog
from workspace.backup import refuse_unsound, stage
from workspace.layout import Layout
from workspace.making import placed
from workspace.restore import Restored, take_copy
from workspace.settings import edited, settings_text
from workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provenance.clock import Clock, Entropy
    from provenance.disclosure.erased import Place
    from provenance.entries import Draft
    from provenance.store.writing import Amend
    from workspace.backup import Progress
    from workspace.restore import Backup

__all__ = ["continue_as", "later_erasures"]


def continue_as(
    origin: str,
    backup: Backup,
    directory: Path,
    *,
    entropy: Entropy,
    clock: Clock,
    progress: Progress,
    erasures_from: str | None = None,
) -> tuple[Restored, int]:
    """Make a workspace with a new log that continues the one in a backup.

    Args:
        origin: The new log's name, such as the old one's with /2 after it.
        backup: What to continue.
        directory: Where; absent, or an empty directory.
        entropy: Gives the new key.
        clock: Gives the time of erasures that are repeated.
        progress: Told how far it is.
        erasures_from: A workspace, a static export or the address of the old log, as new as can
            be had: what it has erased since is erased here.

    Returns:
        What was restored, and how many entries lost something by repeated erasures.

    Raises:
        ProvenanceError: As for `workspace.restore.restore`; nothing is left.
    """
    with placed(directory, entropy) as building:
        copied, old_origin = take_copy(backup, building, progress)
        if origin == old_origin:
            raise UsageError(f"--as: {origin} is the old log's name; a new log needs another")
        settings_text(origin, "self", "https://example.org")  # refuses what cannot be an origin
        with Workspace(building) as old:
            vkeys = old.reader.keys
        found = later_erasures(erasures_from, vkeys) if erasures_from else ()
        _exchange(building, origin, entropy, clock, progress)
        with Workspace(building, clock, entropy) as made:
            erased = _erase_again(made, found, old_origin)
            problems = made.audit(stage(progress, "Verifying")).problems
            refuse_unsound(problems, backup.directory)
            size = made.log.size
    log = copied._replace(size=size)
    return Restored(origin, log, writable=True), erased


def _exchange(
    building: Path, origin: str, entropy: Entropy, clock: Clock, progress: Progress
) -> None:
    """Put a new log with the old one's entries in its place, and its name and key with it."""
    layout, following = Layout(building), LogFiles(building / "following")
    following.directory.mkdir()
    key = keys.generate(origin, entropy)
    with Workspace(building) as old:
        instruments = Instruments(key, old.secret, clock, entropy)
    carry_over(layout.log, following, instruments, stage(progress, "Carrying over"))
    for path in building.glob("log.db*"):
        path.unlink()
    for path in list(following.directory.iterdir()):
        path.replace(building / path.name)
    following.directory.rmdir()
    kept = {layout.secret.name, layout.subject_keys.name}
    for path in list(layout.log_key.parent.iterdir()):
        if path.is_dir():  # keys that the old log has retired
            shutil.rmtree(path)
        elif path.name not in kept:
            path.unlink()
    keys.save(key, layout.log_key)
    replace_file(layout.policy, f"log {key.vkey}\nquorum none\n".encode())
    # The new log has its key in a file, whatever the old one had.
    in_file = {"env": "", "command": [], "vkey": ""}
    text = edited(layout.settings.read_text(), role="log", origin=origin, key=in_file)
    replace_file(layout.settings, text.encode())


def later_erasures(place: str, vkeys: list[str]) -> list[Place]:
    """Read what a log has erased, from a workspace or from afar.

    Args:
        place: A workspace directory, or the address of a log or of a static export.
        vkeys: The log's keys; another log is refused.

    Raises:
        VerificationError: What is served does not fit a checkpoint that the log has signed.
        UsageError: There is another log.
    """
    if (Path(place) / "workspace.toml").exists():
        with Workspace(Path(place)) as workspace:
            if {*vkeys}.isdisjoint(workspace.reader.keys):
                raise UsageError(f"{place}: is {workspace.settings.origin}, another log")
            acts = acts_of(workspace.reader, "erasure")
            return [named for entry in acts for named in _named(entry.body)]
    with RemoteLog(place) as remote:
        return list(_remote_erasures(remote, vkeys))


def _remote_erasures(remote: RemoteLog, vkeys: list[str]) -> Iterator[Place]:
    said = read_offer(remote, vkeys).said
    leaves = list(remote.leaves(0, said.size))
    if tree_of([leaf_hash(leaf) for leaf in leaves])[0] != said.root:
        raise VerificationError(f"{remote.address}: its leaves are not those that it has signed")
    for index, data in enumerate(leaves):
        leaf = decode_leaf(data)
        if leaf.type == EntryType.ERASURE:
            body = remote.body(index)
            if body is None or body_digest(body) != leaf.body_digest:
                raise VerificationError(f"{remote.address}: body {index} is not the one logged")
            yield from _named(body)


def _named(body: bytes | None) -> list[Place]:
    try:
        return list(read_erasure(canonical.loads(body or b"")))
    except EncodingError as error:
        raise VerificationError(f"an erasure entry cannot be read: {error}") from None


def _erase_again(workspace: Workspace, places: Iterable[Place], old_origin: str) -> int:
    """Erase what is there and was erased elsewhere; returns from how many entries."""
    log = workspace.log
    targets: dict[int, Target] = {}
    for index, path in places:
        if index >= log.size or (index in targets and targets[index].whole):
            continue
        entry = log.entry(index)
        stored = {opening.path for opening in entry.openings}
        if entry.body is None or (path is not None and path not in stored):
            continue
        version = str(canonical.loads(entry.body)["_v"])
        target = targets.setdefault(index, Target(entry, version, "asked"))
        target.whole = path is None
        target.paths |= stored if path is None else {path}
    if not targets:
        return 0

    def decide() -> tuple[list[Draft], Amend]:
        first = count_acts(log, "erasure") + 1
        why = f"erased in {old_origin} after the backup was taken"
        drafts = erasure_drafts(
            log.origin, first, places_of(targets), workspace.settings.party, why
        )
        return drafts, removal(targets)

    log.erase(decide)
    log.scrub(rewrite=True)
    return len(targets)
