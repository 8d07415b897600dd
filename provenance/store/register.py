"""The register: who signs for the log, who may see what, and which parties there are.

Some entries govern the log itself. They are numbered from 0, the entry that
founds it, and each is found by its row key `("register", origin, number)`.
Replayed in their order they give the `Register`: the log's keys at any size, the
tier policy in force at any entry, and what was said of each party. Replay
is pure, so readers, writers and the audit come to the same answer.

A key is handed over in the open: the checkpoint that covers the entry which
names the new key is signed by the old key and by the new one, those before by
the old one alone and those after by the new one alone. An entry of the register
is appended by itself, so that checkpoint has exactly one entry more than the
index of the entry, and its size alone tells who must have signed.

Next: provenance/notes/keys.py
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from provenance import canonical
from provenance.disclosure.tiers import TierPolicy
from provenance.entries import Draft, EntryType, Identity, Tier
from provenance.errors import EncodingError, InputError, UsageError
from provenance.notes.checkpoint import ED25519, parse_vkey
from provenance.notes.parties import PARTY, Party
from provenance.proving.predecessor import Predecessor

if TYPE_CHECKING:
    from provenance.entries import Content

__all__ = ["POLICY", "KeyPeriod", "Register", "founding_draft", "register_key"]

POLICY: Final = "policy/1"
_FOUNDING: Final = {"origin", "keys", "tiers", "predecessor"}
_LATER: Final = {"origin", "keys", "tiers"}
_MARKERS: Final = {"_v", "_n", "_t"}


def register_key(origin: str, number: int) -> tuple[str, ...]:
    """Return the row key of an entry of the register; that of number 0 has none."""
    return ("register", origin, str(number))


def founding_draft(vkey: str, tiers: TierPolicy, predecessor: Predecessor | None = None) -> Draft:
    """Make entry 0 of a log.

    Args:
        vkey: The first public key; its name is the log's origin.
        tiers: The first tier policy.
        predecessor: The log that this one continues, if any.

    Raises:
        UsageError: The key cannot be a log's, or the policy would hide the register itself.
    """
    content = {
        "origin": vkey.split("+", 1)[0],
        "keys": [vkey],
        "tiers": tiers.to_content(),
        "predecessor": predecessor and predecessor.to_content(),
    }
    try:
        Register.founded(canonical.encode({**content, "_v": POLICY}))
    except EncodingError as error:
        raise UsageError(str(error)) from None
    return Draft(EntryType.POLICY, POLICY, content)


class KeyPeriod(NamedTuple):
    """From which entry on which keys sign: `vkeys`, all of them, in this order."""

    entry: int
    vkeys: tuple[str, ...]


@dataclass(frozen=True)
class Register:
    """What the entries of the register say, taken in their order.

    Attributes:
        origin: The log's name.
        entries: Indexes of the entries that were taken.
        periods: The log's keys, oldest first, each with the entry that names them.
        policies: The tier policies, oldest first, each with the entry that states it.
        statements: What was said of parties, in order; the latest about a party counts.
        predecessor: The log that this one continues. Its entries are carried over, and keys that
            they name are no keys of this log.
    """

    origin: str
    entries: tuple[int, ...]
    periods: tuple[KeyPeriod, ...]
    policies: tuple[tuple[int, TierPolicy], ...]
    statements: tuple[Party, ...] = ()
    predecessor: Predecessor | None = None

    @classmethod
    def founded(cls, body: bytes | None) -> Self:
        """Read entry 0.

        Raises:
            EncodingError: It does not found a log.
        """
        version, content = _read(body)
        if version != POLICY or content.keys() != _FOUNDING:
            raise EncodingError(f"entry 0 is not a {POLICY} that founds a log")
        origin = content["origin"]
        if type(origin) is not str:
            raise EncodingError("the origin is not a text")
        keys = _keys(content["keys"], origin)
        predecessor = Predecessor.read(content["predecessor"])
        if predecessor is not None and predecessor.said.origin == origin:
            raise EncodingError("a log does not continue itself")
        return cls(
            origin,
            (0,),
            (KeyPeriod(0, keys),),
            ((0, _tiers(content["tiers"])),),
            predecessor=predecessor,
        )

    def followed(self, index: int, body: bytes | None) -> Self:
        """Take the next entry of the register, which stands at `index`.

        Raises:
            EncodingError: It is none, or says what cannot be.
        """
        version, content = _read(body)
        return self._take(index, version, content)

    def _take(self, index: int, version: str, content: Content) -> Self:
        if index <= self.entries[-1]:
            raise EncodingError(f"it stands before entry {self.entries[-1]}, which it follows")
        entries = (*self.entries, index)
        if version == PARTY:
            said = Party.read(index, content)
            return replace(self, entries=entries, statements=(*self.statements, said))
        if version != POLICY or content.keys() != _LATER:
            raise EncodingError(f"{version!a} is no entry of the register, or lacks a member")
        keys = self.current if self._is_carried(index) else self._named_keys(content)
        periods, policies = self.periods, self.policies
        if keys != self.current:
            if not {*keys}.isdisjoint(self.keys):
                raise EncodingError("a key that was retired, or is in use, is no new key")
            periods = (*periods, KeyPeriod(index, keys))
        tiers = _tiers(content["tiers"])
        if tiers != self.tiers:
            policies = (*policies, (index, tiers))
        return replace(self, entries=entries, periods=periods, policies=policies)

    def _is_carried(self, index: int) -> bool:
        return self.predecessor is not None and index < self.predecessor.said.size

    def _named_keys(self, content: Content) -> tuple[str, ...]:
        if content["origin"] != self.origin:
            raise EncodingError(f"it is of the log {content['origin']!a}")
        return _keys(content["keys"], self.origin)

    @property
    def size(self) -> int:
        """How many entries there are; the number of the next one."""
        return len(self.entries)

    @property
    def current(self) -> tuple[str, ...]:
        """The keys that sign the next checkpoint."""
        return self.periods[-1].vkeys

    @property
    def keys(self) -> list[str]:
        """All keys that ever signed for the log, oldest first."""
        return [vkey for period in self.periods for vkey in period.vkeys]

    @property
    def tiers(self) -> TierPolicy:
        """The tier policy for the next entry."""
        return self.policies[-1][1]

    def signers_at(self, size: int) -> tuple[str, ...]:
        """Return who must have signed the checkpoint of this size: these keys, in this order."""
        signers = self.periods[0].vkeys
        for period in self.periods[1:]:
            if size == period.entry + 1:
                return (*signers, *period.vkeys)
            if size > period.entry:
                signers = period.vkeys
        return signers

    def tiers_at(self, index: int) -> TierPolicy:
        """Return the tier policy that the entry at `index` was made under."""
        for start, tiers in reversed(self.policies):
            if start < index:
                return tiers
        return self.policies[0][1]

    def party(self, name: str, before: int | None = None) -> Party | None:
        """Return what counts of a party: the latest statement, or the latest before an entry."""
        for said in reversed(self.statements):
            if said.id == name and (before is None or said.entry < before):
                return said
        return None

    @property
    def parties(self) -> list[Party]:
        """The latest statement about each party, by id."""
        return [one for _, one in sorted({said.id: said for said in self.statements}.items())]

    def rotation(self, vkey: str) -> Draft:
        """Make the entry that hands the log over to another key.

        Raises:
            UsageError: It cannot be this log's next key.
        """
        if vkey in self.current:
            raise UsageError(f"{vkey}: is the log's key already")
        return self._draft(POLICY, self._policy([vkey], self.tiers))

    def policy_change(self, tiers: TierPolicy) -> Draft:
        """Make the entry that states another tier policy, for the entries after it.

        Raises:
            UsageError: It would hide the register itself.
        """
        return self._draft(POLICY, self._policy(list(self.current), tiers))

    def statement(self, said: Party) -> Draft:
        """Make the entry that says who a party is; it replaces what was said before.

        Raises:
            UsageError: A value is out of form.
        """
        return self._draft(PARTY, said.to_content())

    def _policy(self, vkeys: list[str], tiers: TierPolicy) -> Content:
        return {"origin": self.origin, "keys": vkeys, "tiers": tiers.to_content()}

    def _draft(self, version: str, content: Content) -> Draft:
        try:
            self._take(self.entries[-1] + 1, version, content)
        except EncodingError as error:
            raise UsageError(str(error)) from None
        # Public whatever a policy says: what governs the log is for everybody to check.
        return Draft(
            EntryType.POLICY,
            version,
            content,
            (Identity(register_key(self.origin, self.size)),),
            tiers={"*": Tier.PUBLIC},
        )


def _read(body: bytes | None) -> tuple[str, Content]:
    if body is None:
        raise EncodingError("the entry is erased; what governs the log cannot be")
    content = canonical.loads(body)
    if not isinstance(content, dict) or "_c" in content:
        raise EncodingError("what governs the log is an object, and public throughout")
    version = content.get("_v")
    return str(version), {name: content[name] for name in content.keys() - _MARKERS}


def _keys(vkeys: object, origin: str) -> tuple[str, ...]:
    if not isinstance(vkeys, list) or not vkeys or len({*map(str, vkeys)}) != len(vkeys):
        raise EncodingError("keys is a list of different vkeys, at least one")
    for vkey in vkeys:
        try:
            key = parse_vkey(str(vkey))
        except InputError as error:
            raise EncodingError(str(error)) from None
        if key.name != origin or key.type != ED25519:
            raise EncodingError(f"a key of the log {origin} is an Ed25519 key of that name")
    return tuple(vkeys)


def _tiers(content: object) -> TierPolicy:
    if not isinstance(content, dict):
        raise EncodingError("tiers is an object")
    tiers = TierPolicy.from_content(content)
    for version in (POLICY, PARTY):
        if set(tiers.rules.get(version, {"*": Tier.PUBLIC}).values()) != {Tier.PUBLIC}:
            raise EncodingError(f"tiers: {version} governs the log and is public throughout")
    return tiers
