"""The mapping language: how a file that is not ours becomes native rows.

A mapping is a small TOML file, described in docs/ingest.md. It says which
column (or constant, or text with columns in it) fills which native field,
which rows make which events, how open dates are read, and which tiers differ
from the workspace's. A mapping without fields only settles the times and the
encoding of a native file.

Next: provenance/ingest/layout.py
"""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from provenance.entries import Tier
from provenance.errors import InputError
from provenance.ingest.columns import EVENTS, KINDS, KNOWN_COLUMNS, Kind
from provenance.ingest.decisions import TimeSettings
from provenance.ingest.limits import DEFAULT_LIMITS, Limits
from provenance.ingest.table import TableSettings
from provenance.ingest.values import ident_list, nearest, number_list

__all__ = [
    "EventRule",
    "Field",
    "Mapping",
    "about_mapping",
    "load_mapping",
    "parse_mapping",
    "shipped_mappings",
    "shipped_text",
]

Name = Annotated[str, msgspec.Meta(min_length=1)]
TierName = Literal["public", "partner", "private"]


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field that is not just a column as it is; one of the first three is given.

    Attributes:
        value: The same text in every row.
        template: Text with column names in braces.
        column: A column, with one of the following.
        factor: What its numbers are multiplied with, a decimal number above zero.
        split: What separates the parts of a list, where it is not a semicolon.
    """

    value: str = ""
    template: str = ""
    column: str = ""
    factor: str = ""
    split: str = ""


class _Times(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    date_order: Literal["day-first", "month-first"] | None = None
    first_year: Annotated[int, msgspec.Meta(ge=1900, le=2100)] | None = None
    zone: Name | None = None
    serial: Literal["1900", "1904"] | None = None


class EventRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[event]]`: an event that a row makes when its time is there.

    Attributes:
        name: For the receipt.
        fields: Over the mapping's own fields.
        when: Column -> texts; the event is made only of rows with one of them.
        extra: Which columns that fill no field are kept: true for all, or a list.
    """

    name: Name
    fields: dict[str, Name | Field]
    when: dict[str, list[str]] = {}
    extra: bool | list[Name] = True


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole mapping, as it stands in the file.

    Attributes:
        name: For messages.
        kind: The native format that the fields belong to.
        encoding: Where the file has no byte order mark.
        header: The line, or row, on which the header begins.
        sheet: Which sheet of a workbook.
        rows: In JSON, the list within each value whose elements are the rows.
        merged: "fill" gives every cell of a merged area its text.
        decimal: The decimal sign of numbers that are texts.
        limits: How far packed files may unpack.
        fields: Native field -> column name, or `Field`.
        event: Which events a row makes; none means one event a row.
        values: Native field -> {text in the file: native text}.
        missing: Further texts that mean "missing" in number columns; kept as foreign columns.
        undated: Texts in a time column that mean that the event has no date.
        times: What the file's values may leave open.
        tiers: Native field or foreign column -> tier.
        subjects: Native field or foreign column that names a person -> the others about that
            person; where the workspace keeps subject keys, they are stored under that person's.
        extra: As for an event.
        price: Column with the price of one unit of `quantity`; rows where quantity times price is
            not the declared value bear a note.
    """

    name: Name
    kind: str = "events"
    encoding: str | None = None
    header: Annotated[int, msgspec.Meta(ge=1, le=100_000)] | None = None
    sheet: str = ""
    rows: str = ""
    merged: Literal["", "fill"] = ""
    decimal: Literal["", ".", ","] = ""
    limits: Limits = DEFAULT_LIMITS
    fields: dict[str, Name | Field] = {}
    event: list[EventRule] = []
    values: dict[str, dict[str, str]] = {}
    missing: list[str] = []
    undated: list[str] = []
    times: _Times = _Times()
    tiers: dict[str, TierName] = {}
    subjects: dict[str, list[Name]] = {}
    extra: bool | list[Name] = True
    price: str = ""

    @property
    def maps(self) -> bool:
        """Whether it has fields, rather than settling times and encoding of native files."""
        return bool(self.fields or self.event)

    @property
    def native(self) -> Kind:
        """The native format that it maps to."""
        return KINDS[self.kind]

    def rules(self) -> list[EventRule]:
        """What is made of a row: each event with all its fields, or one nameless rule."""
        if not self.event:
            return [EventRule("", self.fields, {}, self.extra)]
        return [
            EventRule(rule.name, {**self.fields, **rule.fields}, rule.when, rule.extra)
            for rule in self.event
        ]

    def time_settings(self) -> TimeSettings:
        """What it decides about times."""
        zone = ZoneInfo(self.times.zone) if self.times.zone else None
        times = self.times
        return TimeSettings(times.date_order, times.first_year, zone, times.serial)

    def table_settings(self, columns: frozenset[str]) -> TableSettings:
        """What it says about the form of a table; `columns` are those that it uses, folded."""
        return TableSettings(
            encoding=self.encoding,
            header=self.header,
            sheet=self.sheet,
            rows=self.rows,
            merged=self.merged,
            decimal=self.decimal,
            columns=columns,
        )

    def tier_of(self, name: str) -> Tier | None:
        """The tier of a native field or foreign column, or None."""
        tier = self.tiers.get(name)
        return None if tier is None else Tier[tier.upper()]


_FACTOR: Final = re.compile(r"(?=.*[1-9])\d{1,12}(?:\.\d{1,12})?\Z", re.ASCII)
_IDENTIFYING: Final = frozenset({"event_id", "product_id", "lot_id", "facility_id", "input_lots"})
_IN_PARTS: Final = frozenset(
    {"event_time", "input_quantities", "quantity", "quantity_unit", "serial_ids", "worker_id"}
)
"""Native fields that do not lie at their own name in the body; timesheets know their persons."""


def load_mapping(name: str) -> Mapping:
    """Load a mapping.

    Args:
        name: A shipped mapping's name, or the path of a TOML file.

    Raises:
        InputError: There is none, or it is wrong; the message names the setting.
    """
    if name in shipped_mappings():
        return parse_mapping(_shipped(name), name)
    try:
        text = Path(name).read_text(encoding="utf-8")
    except FileNotFoundError:
        offered = ", ".join(shipped_mappings())
        raise InputError(f"mapping {name}: no such file; shipped mappings: {offered}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"mapping {name}: cannot be read: {error}") from None
    return parse_mapping(text, name)


def shipped_mappings() -> list[str]:
    """Names of the mappings that come with the program."""
    folder = resources.files("provenance.ingest") / "mappings"
    return sorted(file.name[:-5] for file in folder.iterdir() if file.name.endswith(".toml"))


def shipped_text(name: str) -> str:
    """The text of a shipped mapping.

    Raises:
        InputError: There is none of this name.
    """
    if name not in shipped_mappings():
        offered = ", ".join(shipped_mappings())
        raise InputError(f"mapping {name}: is not shipped; there are {offered}")
    return _shipped(name)


def about_mapping(name: str) -> str:
    """The first sentence of a shipped mapping's comment."""
    lines = (line[2:] for line in shipped_text(name).splitlines() if line.startswith("# "))
    return " ".join(lines).partition(". ")[0].partition(": ")[0].rstrip(".")


def _shipped(name: str) -> str:
    file = resources.files("provenance.ingest") / "mappings" / f"{name}.toml"
    return file.read_text(encoding="utf-8")


def parse_mapping(text: str, place: str) -> Mapping:
    """Read and check a mapping's text.

    Args:
        text: TOML.
        place: For messages.

    Raises:
        InputError: Not TOML, an unknown setting, field, tier or zone.
    """
    try:
        mapping = msgspec.convert(tomllib.loads(text), Mapping)
        mapping.time_settings()
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"mapping {place}: is not TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise InputError(f"mapping {place}: {error}") from None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = tomllib.loads(text)["times"]["zone"]
        raise InputError(f"mapping {place}: times.zone: no time zone {zone!r}") from None
    _check(mapping, f"mapping {place}")
    return mapping


def _check(mapping: Mapping, place: str) -> None:
    if mapping.kind not in KINDS:
        raise InputError(f"{place}: kind {mapping.kind!r} is none of {', '.join(KINDS)}")
    if mapping.event and mapping.native is not EVENTS:
        raise InputError(f"{place}: [[event]] belongs to kind events, not to {mapping.kind}")
    for name in (each for pair in mapping.subjects.items() for each in (pair[0], *pair[1])):
        _check_subject(mapping, name, f"{place}: subjects: {name}")
    if not mapping.maps:
        unused = next(
            (name for name in ("values", "missing", "undated") if getattr(mapping, name)), ""
        )
        if unused:
            raise InputError(f"{place}: {unused} has no effect without [fields]")
        return
    for rule in mapping.rules():
        _check_rule(mapping.native, rule, f"{place}: event {rule.name}" if rule.name else place)
    for name in mapping.values:
        _check_field(mapping.native, name, f"{place}: values")
    for name in mapping.tiers:
        if name in _IDENTIFYING:
            raise InputError(f"{place}: tiers: {name} identifies entries and has its tier for good")


def _check_subject(mapping: Mapping, name: str, place: str) -> None:
    if name in _IDENTIFYING or name in _IN_PARTS:
        raise InputError(f"{place} is not a field that can be about a person by itself")
    if mapping.tier_of(name) is Tier.PUBLIC:
        raise InputError(f"{place} is public, and could not be forgotten; see [tiers]")


def _check_rule(kind: Kind, rule: EventRule, where: str) -> None:
    for name, given in rule.fields.items():
        _check_field(kind, name, where)
        if isinstance(given, Field):
            _check_given(kind, name, given, where)
    lacking = [name for name in kind.key if name not in rule.fields]
    if lacking:
        raise InputError(f"{where}: fields: {', '.join(lacking)} must be filled")


def _check_given(kind: Kind, name: str, given: Field, where: str) -> None:
    if [bool(given.value), bool(given.template), bool(given.column)].count(True) != 1:
        raise InputError(f"{where}: {name} needs a column, a value or a template")
    if (given.factor or given.split) and not given.column:
        raise InputError(f"{where}: {name}: factor and split belong to a column")
    if given.factor and (kind.columns[name].form != "number" or not _FACTOR.match(given.factor)):
        raise InputError(f"{where}: {name}: a factor is a number above zero, for a number")
    if given.split and kind.columns[name].convert not in {ident_list, number_list}:
        raise InputError(f"{where}: {name} is no list that could be split")


def _check_field(kind: Kind, name: str, where: str) -> None:
    if name not in kind.columns:
        close = nearest(name, kind.columns, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        known = " (a column of another kind of file)" if name in KNOWN_COLUMNS else ""
        raise InputError(f"{where}: {kind.name} have no field {name!r}{known}{hint}")
