"""From the columns of one file to native fields: which cell, constant or text fills which field.

A `Recipe` makes one native row of a file's row. A native file has one recipe
that picks cells; a mapping has one per event. What a recipe does not use is
kept as foreign columns, and so is every text that was not taken as it stood.

Next: provenance/ingest/files.py
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from provenance.errors import InputError
from provenance.ingest.amounts import unit_in
from provenance.ingest.headers import IGNORED_PREFIX
from provenance.ingest.mapping_form import Field
from provenance.ingest.values import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provenance.entries import Tier
    from provenance.ingest.columns import Kind
    from provenance.ingest.mapping_form import EventRule, Mapping

__all__ = ["Recipe", "mapped_recipes", "missing_columns", "native_recipe"]

Getter = Callable[[list[str]], str]

_BRACES: Final = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one native row is made of the cells of a file's row.

    Attributes:
        name: The event rule's name, "" where a row makes just one thing.
        kind: The native format.
        fields: Native field names.
        labels: For each field the column that a message should name.
        read: Gives the text of each field.
        kept: Foreign columns to keep, as (position, name).
        replaced: Columns whose text a value map may replace: (position, name, the texts replaced).
        missing: Further texts that mean "missing" in number columns.
        undated: Texts in the time column that mean that there is no date.
        conditions: The row must have one of the texts at each of these positions.
        field_tiers: Tiers of native fields that differ from the workspace's.
        extra_tiers: Tiers of foreign columns that differ from the workspace's.
        subjects: Columns that name a person, each with the others that are about that person.
        decimal: The decimal sign of its numbers, "" where each text must say it.
        factors: Fields whose numbers are multiplied, and with what.
        units: Numbers that share their cells with a unit, and which units may stand there.
        originals: Columns that are kept as they stand beside what was made of them.
        price: Position of the price of one unit, to be compared with quantity and value.
    """

    name: str
    kind: Kind
    fields: tuple[str, ...]
    labels: tuple[str, ...]
    read: Callable[[list[str]], Sequence[str]]
    kept: tuple[tuple[int, str], ...]
    replaced: tuple[tuple[int, str, frozenset[str]], ...] = ()
    missing: frozenset[str] = frozenset()
    undated: frozenset[str] = frozenset()
    conditions: tuple[tuple[int, frozenset[str]], ...] = ()
    field_tiers: tuple[tuple[str, Tier], ...] = ()
    extra_tiers: tuple[tuple[str, Tier], ...] = ()
    subjects: tuple[tuple[str, tuple[str, ...]], ...] = ()
    decimal: str = ""
    factors: tuple[tuple[str, str], ...] = ()
    units: tuple[tuple[str, tuple[str, ...]], ...] = ()
    originals: tuple[tuple[int, str], ...] = ()
    price: int | None = None

    def applies(self, cells: list[str]) -> bool:
        """Whether the row meets the conditions."""
        if not self.conditions:
            return True
        return all(cells[place].strip() in texts for place, texts in self.conditions)

    def foreign(self, cells: list[str]) -> list[list[str]]:
        """The foreign columns of a row that hold something, and texts that were replaced."""
        kept = (*self.kept, *self.originals) if self.originals else self.kept
        found = [[name, text] for place, name in kept if (text := cells[place].strip())]
        for place, name, texts in self.replaced:
            if (text := cells[place].strip()) in texts:
                found.append([name, text])
        return found


def native_recipe(kind: Kind, header: Sequence[str], mapping: Mapping | None = None) -> Recipe:
    """Take the columns of a native file as they are, in any order and any case.

    Args:
        kind: What the header was recognised as.
        header: The file's columns.
        mapping: One without fields, for its tiers.
    """
    places: dict[str, int] = {}
    kept = []
    for place, column in enumerate(header):
        name = column.casefold()
        if name in kind.columns:
            places[name] = place
        elif not name.startswith(IGNORED_PREFIX):
            kept.append((place, column))
    field_tiers, extra_tiers = _tiers(kind, mapping) if mapping else ((), ())
    return Recipe(
        name="",
        kind=kind,
        fields=tuple(places),
        labels=tuple(header[place] for place in places.values()),
        read=_pick(list(places.values())),
        kept=tuple(kept),
        field_tiers=field_tiers,
        extra_tiers=extra_tiers,
        subjects=_subjects(kind, mapping, header) if mapping else (),
        decimal=mapping.decimal if mapping else "",
    )


def _pick(places: list[int]) -> Callable[[list[str]], Sequence[str]]:
    if len(places) == 1:
        return lambda cells: (cells[places[0]],)
    return itemgetter(*places)


def missing_columns(mapping: Mapping, header: Sequence[str]) -> list[str]:
    """The columns that a mapping uses and a header has not."""
    there = set(header)
    used = [column for rule in mapping.rules() for column in _columns_of(rule)]
    used += [c for rule in mapping.rules() if isinstance(rule.extra, list) for c in rule.extra]
    used += [mapping.price] if mapping.price else []
    return [column for column in dict.fromkeys(used) if column not in there]


def mapped_recipes(mapping: Mapping, header: Sequence[str], place: str) -> list[Recipe]:
    """Make the recipes of a mapping for one header.

    Args:
        mapping: A mapping with fields.
        header: The file's columns.
        place: The file's name.

    Raises:
        InputError: The header has not all the columns that the mapping uses.
    """
    missing = missing_columns(mapping, header)
    if missing:
        close = nearest(missing[0], header, 1)
        hint = f"; nearest to {missing[0]!r} is {close[0]!r}" if close else ""
        raise InputError(
            f"{place}: mapping {mapping.name} needs columns that are not there: "
            f"{', '.join(missing)}{hint}"
        )
    return [_recipe(mapping, rule, header) for rule in mapping.rules()]


def _recipe(mapping: Mapping, rule: EventRule, header: Sequence[str]) -> Recipe:
    places = {column: place for place, column in enumerate(header)}
    getters = [
        _getter(given, mapping.values.get(name), places) for name, given in rule.fields.items()
    ]
    used = set(_columns_of(rule)) - set(rule.when)
    columns = {
        name: given if isinstance(given, str) else given.column
        for name, given in rule.fields.items()
    }
    replaced = [
        (places[column], column, frozenset(mapping.values[name]))
        for name, column in columns.items()
        if name in mapping.values and column
    ]
    changed = {
        name: given
        for name, given in rule.fields.items()
        if isinstance(given, Field) and (given.factor or given.split or given.part)
    }
    field_tiers, extra_tiers = _tiers(mapping.native, mapping)
    return Recipe(
        name=rule.name,
        kind=mapping.native,
        fields=tuple(rule.fields),
        labels=tuple(_label(name, given) for name, given in rule.fields.items()),
        read=lambda cells: [get(cells) for get in getters],
        kept=tuple(_kept(rule, used, header)),
        replaced=tuple(replaced),
        missing=frozenset(mapping.missing),
        undated=frozenset(mapping.undated),
        conditions=tuple((places[column], frozenset(texts)) for column, texts in rule.when.items()),
        field_tiers=field_tiers,
        extra_tiers=extra_tiers,
        subjects=_subjects(mapping.native, mapping, header),
        decimal=mapping.decimal,
        price=places[mapping.price] if mapping.price else None,
        factors=tuple((name, given.factor) for name, given in changed.items() if given.factor),
        units=tuple(
            (name, tuple(given.units)) for name, given in changed.items() if given.part == "number"
        ),
        originals=tuple(
            (places[column], column)
            for column in dict.fromkeys(given.column for given in changed.values())
        ),
    )


_TierRules = tuple[tuple[str, "Tier"], ...]


def _tiers(kind: Kind, mapping: Mapping) -> tuple[_TierRules, _TierRules]:
    """A mapping's tiers, for native fields and for foreign columns."""
    rules = [(name, tier) for name in mapping.tiers if (tier := mapping.tier_of(name)) is not None]
    native = tuple(rule for rule in rules if rule[0] in kind.columns)
    return native, tuple(rule for rule in rules if rule[0] not in kind.columns)


def _subjects(
    kind: Kind, mapping: Mapping, header: Sequence[str]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The columns that name persons; each must be there, or what it says would not be forgotten."""
    for name in (each for pair in mapping.subjects.items() for each in (pair[0], *pair[1])):
        if name not in kind.columns and name not in header:
            close = nearest(name, [*kind.columns, *header], 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise InputError(f"mapping {mapping.name}: subjects: there is no column {name!r}{hint}")
    return tuple((name, tuple(others)) for name, others in mapping.subjects.items())


def _kept(rule: EventRule, used: set[str], header: Sequence[str]) -> Iterator[tuple[int, str]]:
    for place, column in enumerate(header):
        wanted = rule.extra if isinstance(rule.extra, bool) else column in rule.extra
        if wanted and column not in used and not column.casefold().startswith(IGNORED_PREFIX):
            yield place, column


def _columns_of(rule: EventRule) -> Iterator[str]:
    """The columns that a rule reads."""
    for given in rule.fields.values():
        if isinstance(given, str):
            yield given
        elif given.column:
            yield given.column
        else:
            yield from _BRACES.findall(given.template)
    yield from rule.when


def _label(name: str, given: str | Field) -> str:
    if isinstance(given, str):
        return given
    columns = _BRACES.findall(given.template)
    return given.column or (columns[0] if columns else name)


def _getter(given: str | Field, texts: dict[str, str] | None, places: dict[str, int]) -> Getter:
    if isinstance(given, str):
        read: Getter = itemgetter(places[given])
    elif given.column:
        read = itemgetter(places[given.column])
        if given.split:
            read = _splitting(read, given.split)
        if given.part == "unit":
            read = _unit_of(read)
    elif given.value:
        read = _constant(given.value)
    else:
        read = _filled(given.template, places)
    return read if texts is None else _replacing(read, texts)


def _constant(value: str) -> Getter:
    return lambda _cells: value


def _splitting(read: Getter, mark: str) -> Getter:
    return lambda cells: read(cells).replace(mark, ";")


def _unit_of(read: Getter) -> Getter:
    return lambda cells: unit_in(read(cells))


def _replacing(read: Getter, texts: dict[str, str]) -> Getter:
    def replaced(cells: list[str]) -> str:
        text = read(cells).strip()
        return texts.get(text, text)

    return replaced


def _filled(template: str, places: dict[str, int]) -> Getter:
    """Fill a template; it is missing as a whole where one of its columns is empty."""
    literal = _BRACES.split(template)
    columns = [places[name] for name in literal[1::2]]

    def filled(cells: list[str]) -> str:
        parts = [cells[place].strip() for place in columns]
        if not all(parts):
            return ""
        return literal[0] + "".join(
            part + text for part, text in zip(parts, literal[2::2], strict=True)
        )

    return filled
