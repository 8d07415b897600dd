"""What is to be forgotten: one record with all its versions, or everything about one subject.

A request looks at one entry after the other and picks what it is about: some
openings, or the whole body. It never learns more of the log than the entry at hand.

Next: provenance/forget/survey.py
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from provenance import canonical
from provenance.disclosure.erased import NEVER
from provenance.disclosure.privacy import open_entry
from provenance.entries import EntryType, Tier
from provenance.errors import EncodingError, UsageError, WorkspaceDamaged

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from provenance.entries import Content, Entry

__all__ = [
    "KEYS",
    "Looked",
    "Pick",
    "Record",
    "Subject",
    "Wanted",
    "clear_names",
    "record_named",
    "record_of",
]

KEYS: Final = {
    "event/1": ("party", "event_id"),
    "facility/1": ("facility_id",),
    "product/1": ("product_id",),
    "location/1": ("locode",),
    "labour/1": ("facility_id", "month"),
    "timesheet/1": ("facility_id", "month"),
    "legal_limit/1": ("country", "effective_from"),
    "watchlist/1": ("list_name", "kind", "value", "goods"),
}
"""The fields that tell one record of a version from another; its entries are its versions."""

_MARKERS: Final = frozenset(("_v", "_n", "_c", "_t"))
_FOREIGN: Final = "ext"
_WATCHLIST: Final = "watchlist"
_PAIR: Final = 2

Looked = tuple[tuple[str, str], ...]
"""What a row set aside must hold to be forgotten too: (column, text), column "" for any."""


class Pick(NamedTuple):
    """What of one entry is to be forgotten.

    Attributes:
        paths: Of openings.
        whole: The body, with all its openings.
        mentioned: A longer text holds what is looked for; that is reported, not erased.
    """

    paths: frozenset[str] = frozenset()
    whole: bool = False
    mentioned: bool = False


class Wanted(Protocol):
    """A request to forget."""

    @property
    def looked(self) -> tuple[Looked, ...]:
        """What rows set aside are to be forgotten: those that fit any of these."""
        ...

    def pick(self, entry: Entry) -> Pick:
        """Pick what of an entry, whose body is there, is to be forgotten."""
        ...


@dataclass(frozen=True)
class Record:
    """A record in all its versions.

    Attributes:
        version: Of the bodies.
        key: Its key fields and their values; without any, the one entry at `index` is meant.
        names: The fields, as paths without the first slash (`*` is any one step) or as
            `ext/COLUMN`; none means the whole record.
        index: Of the one entry that is meant.
    """

    version: str
    key: dict[str, str] = field(hash=False)
    names: tuple[str, ...] = ()
    index: int = -1

    @property
    def looked(self) -> tuple[Looked, ...]:
        """Rows with the same key; the party is in no column."""
        named = tuple((n, text) for n, text in self.key.items() if n != "party" and text)
        return (named,) if named else ()

    def pick(self, entry: Entry) -> Pick:
        """Pick the named fields, where the entry is a version of the record."""
        if not self._is_version(entry):
            return Pick()
        return Pick(frozenset(_chosen(entry, self.names))) if self.names else Pick(whole=True)

    def _is_version(self, entry: Entry) -> bool:
        if not self.key:
            return entry.index == self.index
        rarest = max(self.key.values(), key=len)
        held = (entry.body or b"", *(opening.preimage for opening in entry.openings))
        # Nearly every entry is another one, which its bytes tell at once.
        if not any(_inside(rarest) in data for data in held):
            return False
        content = open_entry(entry, Tier.PRIVATE)
        same = all(content.get(name, "") == text for name, text in self.key.items())
        return same and _loads(entry, entry.body or b"").get("_v") == self.version

    def refuse_unknown(self, entry: Entry) -> None:
        """See that each name picks something of an entry.

        Raises:
            UsageError: It is public, or there is no such field, or it is erased already.
        """
        for name in self.names:
            if not any(_chosen(entry, (name,))):
                raise UsageError(f"entry {entry.index}: {_why_not(name, entry)}")


@dataclass(frozen=True)
class Subject:
    """Everything that says exactly this text, anywhere or in one field.

    Attributes:
        text: A name, an id, a number plate: what stands for the subject.
        name: Only in the field or foreign column of this name; "" for any.
    """

    text: str
    name: str = ""

    @property
    def looked(self) -> tuple[Looked, ...]:
        """Rows with the text in a cell."""
        return (((self.name, self.text),),)

    def pick(self, entry: Entry) -> Pick:
        """Pick openings that hold the text, or the whole body where it stands there in clear."""
        inside = _inside(self.text)
        mentioned = False
        if entry.body is not None and inside in entry.body:
            body = _loads(entry, entry.body)
            clear = {name: value for name, value in body.items() if name not in _MARKERS}
            if any(self._is_it(name, text) for name, text in _texts("", clear)):
                return Pick(whole=True)
            mentioned = any(self.text in text for _, text in _texts("", clear))
        paths = set()
        for opening in entry.openings:
            if inside in opening.preimage:
                path, value = _loads(entry, opening.preimage)
                steps = [step for step in path.split("/") if not step.isdigit()]
                said = list(_texts(steps[-1], value))
                if any(self._is_it(name, text) for name, text in said):
                    paths.add(opening.path)
                else:
                    mentioned = mentioned or any(self.text in text for _, text in said)
        return Pick(frozenset(paths), mentioned=mentioned)

    def _is_it(self, name: str, text: str) -> bool:
        return text == self.text and (not self.name or name.casefold() == self.name.casefold())


def record_of(entry: Entry, names: tuple[str, ...]) -> Record:
    """Ask for the record that an entry is a version of; for one without a key, for the entry.

    Args:
        entry: From a reader.
        names: As in `Record`.

    Raises:
        UsageError: It is never erased, has been already, or has no such field.
    """
    if entry.type in NEVER:
        raise UsageError(f"entry {entry.index}: says who signs, what is secret, or what was erased")
    if entry.body is None:
        raise UsageError(f"entry {entry.index}: was erased already")
    content, version = open_entry(entry, Tier.PRIVATE), _loads(entry, entry.body)["_v"]
    keys = KEYS.get(version, KEYS["event/1"] if entry.type == EntryType.EVENT else ())
    key = {name: content[name] for name in keys if isinstance(content.get(name), str)}
    record = Record(version, key, names, entry.index)
    record.refuse_unknown(entry)
    return record


def record_named(text: str, names: tuple[str, ...]) -> Record:
    """Ask for a record by its row key, its kind first: "labour|F1|2024-01".

    Raises:
        UsageError: There is no such kind of record, or its key has other parts.
    """
    kind, *parts = text.split("|")
    fields = KEYS.get(f"{kind}/1")
    if fields is None:
        kinds = ", ".join(version.removesuffix("/1") for version in KEYS)
        raise UsageError(f"--record {text}: begins with one of {kinds}")
    if not len(fields) - (kind == _WATCHLIST) <= len(parts) <= len(fields) or not all(parts[:2]):
        raise UsageError(f"--record {text}: write {kind}|{'|'.join(fields).upper()}")
    return Record(f"{kind}/1", dict(zip(fields, [*parts, ""], strict=False)), names)


def _chosen(entry: Entry, names: Collection[str]) -> Iterator[str]:
    """Yield the paths of the openings that names pick."""
    for opening in entry.openings:
        steps = opening.path[1:].split("/")
        if steps[0] == _FOREIGN:
            value = _loads(entry, opening.preimage)[1]
            column = value[0] if isinstance(value, list) and len(value) == _PAIR else ""
            if f"{_FOREIGN}/{column}" in names:
                yield opening.path
        if any(_fits(name.lstrip("/").split("/"), steps) for name in names):
            yield opening.path


def _why_not(name: str, entry: Entry) -> str:
    body = _loads(entry, entry.body or b"")
    plain = name.lstrip("/")
    first = plain.split("/")[0]
    committed = [path[1:] for path in body.get("_c", {})]
    parts = [path for path in committed if path.split("/")[0] == first]
    if plain in committed:
        return f"{name} is erased already"
    if first in body:
        return f"{name} stands in the body in clear; only --whole erases it"
    if parts:
        return f"{name} is not one field that is there; there were {', '.join(parts)}"
    return f"has no field {name!a}; it has {', '.join(committed) or 'none that is not public'}"


def clear_names(body: Content) -> list[str]:
    """Name the fields of a body that stand there in clear."""
    return sorted(body.keys() - _MARKERS)


def _texts(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield all texts of a value, each with the name of its field or foreign column."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(key, item)
    elif isinstance(value, list):
        pair = name == _FOREIGN and len(value) == _PAIR and all(isinstance(v, str) for v in value)
        for item in value[1:] if pair else value:
            yield from _texts(value[0] if pair else name, item)


def _inside(text: str) -> bytes:
    """Write a text as it stands within canonical bytes."""
    return canonical.dump(text)[1:-1]


def _fits(pattern: list[str], steps: list[str]) -> bool:
    return len(pattern) == len(steps) and all(
        one in {"*", other} for one, other in zip(pattern, steps, strict=True)
    )


def _loads(entry: Entry, data: bytes) -> Any:
    try:
        return canonical.loads(data)
    except EncodingError as error:
        raise WorkspaceDamaged(f"entry {entry.index}: {error}; run `verify`") from None
