"""Whom a log's people trust, with the addresses to ask: the trust policy as a log reads it.

The file is a C2SP tlog-policy: logs, witnesses, groups of them, and the quorum
that must have cosigned. `verify` reads the same file with a parser of its own,
which passes over addresses; the two accept the same files.

Next: provenance/notes/keys.py
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from provenance.errors import InputError
from provenance.notes.checkpoint import COSIGNATURE, ED25519, parse_vkey

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from provenance.notes.checkpoint import VerifierKey

__all__ = ["Group", "KnownLog", "Trust", "TrustedWitness", "parse_trust"]

_MAX_POLICY: Final = 64 << 10  # bytes
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class KnownLog(NamedTuple):
    """A log's key, named like its origin, and where to reach the log; a log may have several."""

    key: VerifierKey
    url: str | None


class TrustedWitness(NamedTuple):
    """A witness: its name in the policy, its key, and its submission prefix where one is given."""

    name: str
    key: VerifierKey
    url: str | None


class Group(NamedTuple):
    """How many of its members must have seen a checkpoint for the group to have seen it."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Trust:
    """A trust policy.

    Attributes:
        logs: The known logs' keys.
        witnesses: The known witnesses.
        groups: By name, in the order of the file: a group names only what stands before it.
        quorum: The witness or group that must have cosigned; "none" asks for nobody.
    """

    logs: tuple[KnownLog, ...] = ()
    witnesses: tuple[TrustedWitness, ...] = ()
    groups: dict[str, Group] = field(default_factory=dict)
    quorum: str = "none"

    @property
    def asks(self) -> bool:
        """Whether a checkpoint must have been cosigned at all."""
        return self.quorum != "none"

    def met_by(self, keys: Collection[VerifierKey]) -> bool:
        """Say whether cosignatures of `keys` are the quorum."""
        present = {"none", *(one.name for one in self.witnesses if one.key in keys)}
        for name, group in self.groups.items():
            if len(present.intersection(group.members)) >= group.threshold:
                present.add(name)
        return self.quorum in present


def parse_trust(data: bytes) -> Trust:
    """Read a trust policy of at most 64 KiB, with Ed25519 keys.

    Raises:
        InputError: It is not one; the message names the line.
    """
    text = data.decode(errors="surrogateescape")  # names are bytes to the format
    if len(data) > _MAX_POLICY or _CONTROL.search(text) or not text.endswith("\n"):
        raise InputError(
            f"a trust policy is at most {_MAX_POLICY} bytes of whole lines, without control "
            "characters"
        )
    reading = _Reading()
    for number, line in enumerate(text.split("\n"), 1):
        words = [word for word in re.split("[ \t]", line) if word]
        try:
            if words and not words[0].startswith("#"):
                reading.line(words)
        except InputError as error:
            raise InputError(f"trust policy, line {number}: {error}") from None
    return reading.done()


class _Reading:
    """A policy as far as it has been read."""

    def __init__(self) -> None:
        self._logs: list[KnownLog] = []
        self._witnesses: list[TrustedWitness] = []
        self._groups: dict[str, Group] = {}
        self._quorum: list[str] = []

    def line(self, words: list[str]) -> None:
        """Read one line that is not empty and no comment."""
        names = {"none", *(one.name for one in self._witnesses), *self._groups}
        match words:
            case ["log", vkey, *url] if len(url) <= 1:
                others = [one.key for one in self._logs]
                self._logs.append(KnownLog(_key(vkey, ED25519, others), _url(url)))
            case ["witness", name, vkey, *url] if name not in names and len(url) <= 1:
                others = [one.key for one in self._witnesses]
                key = _key(vkey, COSIGNATURE, others)
                self._witnesses.append(TrustedWitness(name, key, _url(url)))
            case ["group", name, needed, *members] if members and name not in names:
                self._groups[name] = self._group(needed, members, names)
            case ["quorum", name] if name in names and not self._quorum:
                self._quorum.append(name)
            case _:
                raise InputError("not a line of a policy, or its name is taken or unknown")

    def _group(self, needed: str, members: list[str], names: set[str]) -> Group:
        taken = {"none", *(one for group in self._groups.values() for one in group.members)}
        if len({*members} & (names - taken)) != len(members):
            raise InputError("a member is unknown, or is in a group already")
        threshold = {"any": "1", "all": str(len(members))}.get(needed, needed)
        if threshold not in map(str, range(1, len(members) + 1)):
            raise InputError(f"a threshold is any, all, or 1 to {len(members)}")
        return Group(int(threshold), tuple(members))

    def done(self) -> Trust:
        """Return the whole."""
        if not self._quorum:
            raise InputError("trust policy: no quorum line; `quorum none` asks for nobody")
        return Trust(tuple(self._logs), tuple(self._witnesses), self._groups, self._quorum[0])


def _key(vkey: str, kind: int, others: Iterable[VerifierKey]) -> VerifierKey:
    key = parse_vkey(vkey)
    if key.type != kind:
        raise InputError(f"the vkey is not of type {kind:02x}")
    if key.public in {other.public for other in others}:
        raise InputError("the key comes twice")
    return key


def _url(given: list[str]) -> str | None:
    return given[0] if given else None
