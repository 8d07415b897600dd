"""What a mapping may say: its settings, as they stand in the file.

Next: provenance/ingest/mapping_checks.py
"""

from __future__ import annotations

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from provenance.entries import Tier
from provenance.ingest.columns import KINDS, Kind
from provenance.ingest.decisions import TimeSettings
from provenance.ingest.limits import DEFAULT_LIMITS, Limits
from provenance.ingest.table import TableSettings

__all__ = ["EventRule", "Field", "Mapping"]

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
        part: "number" or "unit", where a cell holds both, such as `18,833 KGS`.
        units: With the number: the units that may stand there, if no field takes them.
    """

    value: str = ""
    template: str = ""
    column: str = ""
    factor: str = ""
    split: str = ""
    part: Literal["", "number", "unit"] = ""
    units: list[Name] = []


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
