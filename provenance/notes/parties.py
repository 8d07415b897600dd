"""Parties: what the register says of those who deliver records and sign their batches.

A statement is whole: a later one about the same party replaces it, from its own
entry on. So a batch is judged by what was said before it, and a key that a
party gives up does not spoil what it signed.

Next: provenance/store/register.py
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from provenance.errors import EncodingError, InputError
from provenance.notes.checkpoint import ED25519, parse_vkey

if TYPE_CHECKING:
    from provenance.entries import Content

__all__ = ["PARTY", "Party", "day_of"]

PARTY: Final = "party/1"
_ID: Final = re.compile(r"[^\s/+%?#\x00-\x1f\ud800-\udfff]{1,64}")
_TEXT: Final = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,200}")
_MICROSECONDS: Final = 1_000_000
_LAST_SECOND: Final = 253_402_300_799  # 9999-12-31T23:59:59Z


class Party(NamedTuple):
    """What one entry says of a party.

    Attributes:
        entry: Its index.
        id: The party, as it stands in events and batches.
        name: What it is called.
        role: What it does in the chain, in a few words.
        keys: The vkeys it signs with; each is named like the party.
        valid_from: First day on which the keys count, YYYY-MM-DD in UTC.
        valid_to: Last such day, or None.
    """

    entry: int
    id: str
    name: str
    role: str
    keys: tuple[str, ...]
    valid_from: str
    valid_to: str | None = None

    @classmethod
    def read(cls, entry: int, content: Content) -> Self:
        """Read a statement.

        Raises:
            EncodingError: It is out of form; the message says where.
        """
        if content.keys() != {*cls._fields} - {"entry"}:
            raise EncodingError(f"a {PARTY} has id, name, role, keys, valid_from and valid_to")
        for name, form in (("id", _ID), ("name", _TEXT), ("role", _TEXT)):
            if not isinstance(content[name], str) or not form.fullmatch(content[name]):
                raise EncodingError(f"a party's {name} cannot be {content[name]!a}")
        keys = _keys(content["keys"], content["id"])
        said = cls(entry, **{**content, "keys": keys})
        if said.valid_to is not None and _day(said.valid_to) < _day(said.valid_from):
            raise EncodingError("a party's last valid day is before its first")
        _day(said.valid_from)
        return said

    def to_content(self) -> Content:
        """Write the statement."""
        content = {**self._asdict(), "keys": list(self.keys)}
        del content["entry"]
        return content

    def is_valid(self, time_us: int, grace_days: int = 0) -> bool:
        """Say whether the keys count at a time, or so many days around it."""
        day = _day(day_of(time_us))
        first, last = _day(self.valid_from), _day(self.valid_to or "9999-12-31")
        return (first - day).days <= grace_days and (day - last).days <= grace_days


def day_of(time_us: int) -> str:
    """Write the day of a time, YYYY-MM-DD in UTC."""
    # A damaged leaf may name any time; no calendar goes further than this one.
    seconds = min(time_us // _MICROSECONDS, _LAST_SECOND)
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def _day(text: Any) -> date:
    try:
        day = date.fromisoformat(text)
    except (TypeError, ValueError):
        day = None
    if day is None or day.isoformat() != text:
        raise EncodingError(f"a day is written YYYY-MM-DD, {text!a} is not one")
    return day


def _keys(vkeys: Any, party: str) -> tuple[str, ...]:
    if not isinstance(vkeys, list) or len({*map(str, vkeys)}) != len(vkeys):
        raise EncodingError("a party's keys are a list of different vkeys")
    for vkey in vkeys:
        try:
            key = parse_vkey(str(vkey))
        except InputError as error:
            raise EncodingError(str(error)) from None
        if key.name != party or key.type != ED25519:
            raise EncodingError(
                f"a key of the party {party} is of type 01 and named like it, not {key.name}"
            )
    return tuple(vkeys)
