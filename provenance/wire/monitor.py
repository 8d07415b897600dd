"""A monitor: follows a log for ever, from several places, and cries when it is shown two histories.

Each round fetches the checkpoints at all addresses, and compares them, and those
that people hand in, with the largest that has been seen so far. What fits becomes
the newest; what cannot fit is evidence, which is kept before it is told.

A proof is made from the tiles of the address that is being judged, so its tiles
are first held against its own checkpoint: an address whose tiles do not lead to it
serves garbage, and garbage accuses nobody.

Next: provenance/wire/recount.py
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from provenance.errors import InputError, ProvenanceError, RemoteError, VerificationError
from provenance.files import locked
from provenance.hashing import EMPTY_ROOT
from provenance.notes.checkpoint import parse
from provenance.proving.merkle import TileTree
from provenance.store.storage import translated
from provenance.verify import verify_consistency
from provenance.wire.evidence import Evidence, Proof, check_evidence, read_signed
from provenance.wire.monitor_state import State
from provenance.wire.paths import width_at
from provenance.wire.recount import recount

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from provenance.notes.checkpoint import Checkpoint
    from provenance.notes.trust import Trust
    from provenance.wire.remote import RemoteLog

__all__ = ["Finding", "Monitor", "Seen"]

_LOCK_WAIT_SECONDS: Final = 10.0
Kind = Literal["agrees", "grew", "shrank", "unreachable", "garbage", "split", "entries", "waits"]


class Finding(NamedTuple):
    """What a round found at one place.

    Attributes:
        kind: "agrees", "grew" and "waits" (for an answer that it could be compared with) are
            well; "unreachable" says nothing about the log; the others are alarms.
        place: The address, or what was handed in.
        text: One line.
    """

    kind: Kind
    place: str
    text: str

    @property
    def is_alarm(self) -> bool:
        """Whether something is wrong with the log, or with who serves it."""
        return self.kind in {"shrank", "garbage", "split", "entries"}


class Seen(NamedTuple):
    """A checkpoint that somebody was shown: where it is from, and its text."""

    place: str
    text: bytes


@dataclass(frozen=True)
class _Claim:
    """A signed checkpoint, from where, and the address whose tiles belong to it, if any."""

    place: str
    note: str
    said: Checkpoint
    remote: RemoteLog | None

    def tree(self, remote: RemoteLog) -> TileTree:
        """The tree that `remote` serves for this checkpoint, in the widths that it must have."""
        size = self.said.size
        return TileTree(
            lambda level, number, width: remote.tile(level, number, width_at(level, number, size))[
                : width * 32
            ]
        )


class _Split(Exception):  # noqa: N818 - a verdict
    """Two checkpoints contradict each other."""

    def __init__(self, evidence: Evidence) -> None:
        super().__init__()
        self.evidence = evidence


class Monitor:
    """Follows the logs of a trust policy."""

    def __init__(self, trust: Trust, directory: Path, *, entries: bool = False) -> None:
        """Remember in `directory`; with `entries`, recompute all that new entries bring.

        Raises:
            StorageError: The directory cannot be made.
        """
        self._trust = trust
        self._directory = directory
        self._entries = entries
        with translated(directory):
            directory.mkdir(parents=True, exist_ok=True)

    def round(self, remotes: Sequence[RemoteLog], handed: Iterable[Seen] = ()) -> list[Finding]:
        """Look at every place once; returns what was found, at least one finding for each.

        Raises:
            WorkspaceLocked: Another monitor is at work in this directory.
            WorkspaceDamaged: What is remembered cannot be read.
        """
        with locked(self._directory / "lock", _LOCK_WAIT_SECONDS):
            findings: list[Finding] = []
            claims = self._claims(remotes, handed, findings)
            for origin in sorted({claim.said.origin for claim in claims}):
                state = State(self._directory, origin)
                mine = [claim for claim in claims if claim.said.origin == origin]
                findings += _Round(self._trust, state, mine).run(entries=self._entries)
            return findings

    def _claims(
        self, remotes: Sequence[RemoteLog], handed: Iterable[Seen], findings: list[Finding]
    ) -> list[_Claim]:
        """Fetch and read checkpoints; what is none is told at once."""
        claims = []
        for remote in remotes:
            try:
                claims.append(self._claim(remote.address, remote.checkpoint(), remote))
            except RemoteError as error:
                findings.append(
                    Finding("unreachable", remote.address, _said(error, remote.address))
                )
            except (InputError, VerificationError) as error:
                findings.append(Finding("garbage", remote.address, f"its checkpoint: {error}"))
        for place, text in handed:
            try:
                claims.append(self._claim(place, text, None))
            except (InputError, VerificationError) as error:
                findings.append(Finding("garbage", place, str(error)))
        return claims

    def _claim(self, place: str, text: bytes, remote: RemoteLog | None) -> _Claim:
        said = read_signed(text, self._trust)
        return _Claim(place, text.decode(), said, remote)


class _Round:
    """One log's part of a round."""

    def __init__(self, trust: Trust, state: State, claims: list[_Claim]) -> None:
        self._trust = trust
        self._state = state
        self._claims = claims
        self._found: list[Finding] = []

    def run(self, *, entries: bool) -> list[Finding]:
        """Compare everything with everything."""
        waited = [
            _Claim("handed in before", note, parse(note)[0], None) for note in self._state.pending()
        ]
        known = self._state.newest(self._trust)
        self._newest = _Claim("seen before", *known, None) if known else None
        floor = known[1].size if known else 0
        # What is as large as the newest goes first, from small to large, so that each is compared
        # with the largest before it; then there are tiles to compare smaller ones with.
        for claim in sorted([*self._claims, *waited], key=lambda one: _turn(one, floor)):
            self._judge(claim)
        if entries:
            self._recount()
        return self._found

    def _judge(self, claim: _Claim) -> None:
        """Compare one checkpoint with the newest; whatever comes of it is one finding."""
        try:
            self._note_size(claim)
            if self._compare(claim):
                self._state.settle(claim.note)
        except _Split as split:
            said = check_evidence(split.evidence, self._trust)
            place = self._state.accuse(split.evidence)
            self._tell("split", claim, f"{said}; the evidence is in {place}")
        except RemoteError as error:
            self._tell("unreachable", claim, _said(error, claim.place))
        except VerificationError as error:
            self._tell("garbage", claim, _said(error, claim.place))

    def _note_size(self, claim: _Claim) -> None:
        if claim.remote is None:
            return
        before = self._state.heard().get(claim.place, 0)
        if claim.said.size < before:
            self._tell(
                "shrank",
                claim,
                f"shows {claim.said.size} entries, and has shown {before}: an old copy was put "
                "back, or somebody between us keeps old answers",
            )
        self._state.hear(claim.place, claim.said.size)

    def _compare(self, claim: _Claim) -> bool:
        """Compare one checkpoint with the newest; False where that has to wait."""
        newest = self._newest
        size = claim.said.size
        if newest is None or newest.said.size == 0:
            self._check_served(claim)
            self._adopt(claim, f"is followed from its {size} entries on")
        elif claim.said == newest.said:
            # An address that serves the newest tiles can settle what waits for them.
            self._newest = claim if claim.remote and not newest.remote else newest
            self._tell("agrees", claim, f"{size} entries, as known")
        elif size == newest.said.size:
            raise _Split(Evidence(newest.note, claim.note, None))
        elif size > newest.said.size:
            return self._grow(newest, claim)
        else:
            return self._look_back(newest, claim)
        return True

    def _check_served(self, claim: _Claim) -> None:
        """See that an address's tiles lead to its checkpoint."""
        if claim.remote is not None:
            _root_of(claim, claim.remote, claim.tree(claim.remote), claim.said.size)

    def _grow(self, newest: _Claim, claim: _Claim) -> bool:
        if claim.remote is None:
            return self._wait(claim)
        _connect(newest, claim, claim.remote)
        self._adopt(claim, f"{claim.said.size} entries, {newest.said.size} before")
        return True

    def _look_back(self, newest: _Claim, claim: _Claim) -> bool:
        """Compare an older checkpoint: its root must be the newest tree's at its size."""
        remote = newest.remote or next((one.remote for one in self._serving(newest)), None)
        if remote is None:
            return self._wait(claim)
        if claim.said.size:
            _connect(claim, newest, remote)
        self._tell("agrees", claim, f"{claim.said.size} entries, with which the known begin")
        return True

    def _serving(self, newest: _Claim) -> list[_Claim]:
        return [claim for claim in self._claims if claim.remote and claim.said == newest.said]

    def _wait(self, claim: _Claim) -> bool:
        self._state.postpone(claim.note)
        served = [one.said.size for one in self._claims if one.remote]
        if served and max(served) < claim.said.size:
            self._tell(
                "shrank",
                claim,
                f"{claim.said.size} entries were signed for, and no address shows more than "
                f"{max(served)}: the newest were taken away, or are kept from us",
            )
        else:
            self._tell("waits", claim, "no address answers now that it could be compared with")
        return False

    def _adopt(self, claim: _Claim, text: str) -> None:
        self._state.remember(claim.note)
        self._newest = claim
        self._tell("grew", claim, text)

    def _tell(self, kind: Kind, claim: _Claim, text: str) -> None:
        self._found.append(Finding(kind, claim.place, text))

    def _recount(self) -> None:
        """Recompute new entries from an address that serves the newest checkpoint."""
        if self._newest is None or self._newest.remote is None:
            return
        claim, remote = self._newest, self._newest.remote
        try:
            count = recount(remote, claim.said, self._state)
        except RemoteError as error:
            self._tell("unreachable", claim, _said(error, claim.place))
        except ProvenanceError as error:
            self._tell("entries", claim, _said(error, claim.place))
        else:
            if count:
                self._tell("agrees", claim, f"{count} more entries recomputed")


def _said(error: Exception, place: str) -> str:
    """An error's message without the place, which the finding names."""
    return str(error).removeprefix(f"{place}: ")


def _turn(claim: _Claim, floor: int) -> tuple[bool, bool, int]:
    return claim.remote is None, claim.said.size < floor, claim.said.size


def _connect(old: _Claim, new: _Claim, remote: RemoteLog) -> None:
    """See that `new` continues `old`, by the tiles that `remote` serves for `new`.

    Raises:
        _Split: It does not, and the tiles prove it.
        VerificationError: The tiles do not belong to `new`.
        RemoteError: No answer.
    """
    tree = new.tree(remote)
    begun = _root_of(new, remote, tree, old.said.size)
    path = tuple(tree.consistency_path(old.said.size, new.said.size))
    try:
        verify_consistency(old.said.size, new.said.size, list(path), begun, new.said.root)
    except VerificationError:
        raise VerificationError(f"the tiles at {remote.address} contradict each other") from None
    if begun != old.said.root:
        raise _Split(Evidence(old.note, new.note, Proof(begun, path)))


def _root_of(claim: _Claim, remote: RemoteLog, tree: TileTree, size: int) -> bytes:
    """Return the root at `size` of the tree that `remote` serves, once that is the claimed tree."""
    if claim.said.size and tree.root_at(claim.said.size) != claim.said.root:
        raise VerificationError(
            f"the tiles at {remote.address} do not lead to the root of the checkpoint there"
        )
    return tree.root_at(size) if size else EMPTY_ROOT
