"""A row's cells to converted fields, in two passes over the file.

The first pass (`Scanner`) shows the times to the evidence and collects the
lots that the file makes; the second (`RowReader`) converts, with what the
first has decided.

Next: provenance/ingest/events.py
"""

from __future__ import annotations

from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from provenance.ingest.alike import SPACES
from provenance.ingest.amounts import with_unit
from provenance.ingest.codes import zeros_lost
from provenance.ingest.columns import EVENTS
from provenance.ingest.events import MAKING
from provenance.ingest.headers import IGNORED_PREFIX
from provenance.ingest.values import MISSING, Unacceptable, number_list, scaled, with_decimal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provenance.entries import Content
    from provenance.ingest.decisions import Evidence, TimeReader
    from provenance.ingest.layout import Recipe
    from provenance.ingest.table import Row
    from provenance.ingest.values import Converter

__all__ = ["HINT_COLUMN", "RowReader", "Scanner", "in_groups"]

HINT_COLUMN: Final = f"{IGNORED_PREFIX}date_order"
"""Column of a quarantine file that remembers how the row's open dates were read."""


class Scanner:
    """The first pass over the rows of one file, for one recipe."""

    def __init__(self, recipe: Recipe, header: Sequence[str], evidence: Evidence) -> None:
        """Show the times of the recipe's rows to `evidence`."""
        self._recipe = recipe
        self._evidence = evidence
        folded = [column.casefold() for column in header]
        self._hint = folded.index(HINT_COLUMN) if HINT_COLUMN in folded else None
        forms = [recipe.kind.columns[name].form for name in recipe.fields]
        self._times = [(at, form == "date") for at, form in enumerate(forms) if form in _TIMED]
        place = {name: at for at, name in enumerate(recipe.fields)}
        self._source = place.get("source_system")
        self._named = [(at, SPACES[name]) for name, at in place.items() if name in SPACES]
        self._making = None
        if recipe.kind is EVENTS and {"lot_id", "product_id"} <= set(place):
            self._making = itemgetter(place["event_type"], place["lot_id"], place["product_id"])

    def scan(self, rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
        """Look at some rows, column by column: most of them say few things.

        Yields:
            Each (lot_id, product_id) that one of them makes.
        """
        texts = [self._recipe.read(row.cells) for row in rows]
        columns = list(zip(*texts, strict=True))
        if not columns:
            return
        for at, ahead in self._times:
            self._observe(rows, columns, at, ahead=ahead)
        names = self._evidence.names
        for at, space in self._named:
            for name in dict.fromkeys(columns[at]):
                if (plain := name.strip()) not in MISSING:
                    names.add(space, plain)
        if self._making is not None:
            yield from self._made(rows, texts, self._making(columns)[0])

    def _observe(
        self, rows: Sequence[Row], columns: list[tuple[str, ...]], place: int, *, ahead: bool
    ) -> None:
        sources = columns[self._source] if self._source is not None else None
        for at, text in enumerate(columns[place]):
            # 2024-03-01 says nothing of what the others mean.
            if text[4:5] != "-" or not text[:1].isdigit():
                source = sources[at].strip() if sources is not None else ""
                hint = rows[at].cells[self._hint].strip() if self._hint is not None else ""
                observe = self._evidence.observe
                observe(text.strip(), source, rows[at].line, ahead=ahead, hint=hint)

    def _made(
        self, rows: Sequence[Row], texts: list[Sequence[str]], words: tuple[str, ...]
    ) -> Iterator[tuple[str, str]]:
        assert self._making is not None
        making = {word for word in set(words) if word.strip().casefold() in MAKING}
        for at, word in enumerate(words):
            if word in making and self._recipe.applies(rows[at].cells):
                lot, product = (text.strip() for text in self._making(texts[at])[1:])
                if lot not in MISSING and product not in MISSING:
                    yield lot, product


def in_groups(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Yield rows in groups, to be looked at column by column."""
    while some := list(islice(rows, _GROUP)):
        yield some


_GROUP: Final = 500
_TIMED: Final = ("time", "date")
_LOTS: Final = ("lot_id", "input_lots")
_ABSENT: Final = object()
_KNOWN_KEPT: Final = 1024


_Step = tuple[str, dict[str, Any], "Converter", bool, str]
"""Field, what its texts mean, converter, whether it is a number, and its column."""


def _converter(recipe: Recipe, name: str) -> Converter:
    """A field's converter with what the mapping says about its numbers."""
    column = recipe.kind.columns[name]
    convert = column.convert
    if column.form != "number" and convert is not number_list:
        return convert
    factor = dict(recipe.factors).get(name)
    if factor:
        convert = scaled(convert, factor)
    if recipe.decimal:
        convert = with_decimal(convert, recipe.decimal)
    units = dict(recipe.units).get(name)
    return convert if units is None else with_unit(convert, units)


def _alike(times: TimeReader, field: str) -> set[str]:
    return times.names.alike.get(SPACES.get(field, ""), set())


class RowReader:
    """The second pass: converts the rows of one file for one recipe.

    Attributes:
        notes: What is odd about the row that was read last, for the receipt.
    """

    def __init__(self, recipe: Recipe, times: TimeReader) -> None:
        """Read with what the first pass decided."""
        self.recipe = recipe
        self.times = times
        columns = [recipe.kind.columns[name] for name in recipe.fields]
        self._plan: list[_Step] = [
            (name, {}, _converter(recipe, name), column.form == "number", label)
            for name, column, label in zip(recipe.fields, columns, recipe.labels, strict=True)
        ]
        self._alike = {n: found for n in recipe.fields if (found := _alike(times, n))}
        self._gtin_at = recipe.fields.index("gtin") if "gtin" in recipe.fields else None
        self.notes: list[str] = []
        self.codes: list[str] = []
        self.label = dict(zip(recipe.fields, recipe.labels, strict=True))
        self._key = recipe.kind.key
        self._dates = [
            name
            for name, column in zip(recipe.fields, columns, strict=True)
            if column.form == "date"
        ]
        self._lots_at = [at for at, name in enumerate(recipe.fields) if name in _LOTS]
        self._time = next((n for n in recipe.fields if recipe.kind.columns[n].form == "time"), None)
        self._time_at = recipe.fields.index(self._time) if self._time else 0

    def undated(self, cells: list[str]) -> str:
        """Why a mapping's event is not made of this row: its time says so; "" if it is made."""
        if not self.recipe.name or self._time is None:
            return ""
        text = self.recipe.read(cells)[self._time_at].strip()
        if text not in self.recipe.undated and text not in MISSING:
            return ""
        column = self.recipe.labels[self._time_at]
        said = f'is "{text}"' if text else "is empty"
        return f"{self.recipe.name}: {column} {said}"

    def read(self, cells: list[str]) -> tuple[Content, list[list[str]]]:
        """Convert one row.

        Returns:
            The fields that are not missing, by native name (the event time still as text),
            and the foreign columns as [name, text].

        Raises:
            Unacceptable: A cell cannot be taken; `column` is its header.
        """
        extra = self.recipe.foreign(cells)
        self.notes = []
        self.codes = []
        found: Content = {}
        texts = self.recipe.read(cells)
        for text, step in zip(texts, self._plan, strict=True):
            value = step[1].get(text)
            if value is None:
                value = self._convert(text, step, extra)
            if value is not _ABSENT:
                found[step[0]] = value
        for name in self._key:
            if name not in found:
                raise Unacceptable("is missing", column=self.label[name])
        for name in self._dates:
            if name in found:
                found[name] = self._date(name, found)
        self._note(found)
        if self._gtin_at is not None and zeros_lost(text := texts[self._gtin_at].strip()):
            self.notes.append(f"{self.label['gtin']}: got its leading zeros back")
            self.codes.append("gtin-repaired")
            extra.append([self.label["gtin"], text])
        return found, extra

    def _note(self, found: Content) -> None:
        """Say what is odd about ids that are taken all the same."""
        for name, alike in self._alike.items():
            if found.get(name) in alike:
                self.codes = ["id-alike"]
                self.notes.append(
                    f"{self.label[name]}: differs from another only in case or Unicode form; "
                    "kept apart"
                )

    def _convert(self, text: str, step: _Step, extra: list[list[str]]) -> Any:
        """Convert a cell, and remember what its text means: most columns say few things."""
        _, known, convert, numeric, label = step
        plain = text.strip()
        if plain in MISSING:
            value: Any = _ABSENT
        elif numeric and (plain in self.recipe.missing or plain.startswith("See ")):
            extra.append([label, plain])
            return _ABSENT
        else:
            try:
                value = convert(plain)
            except Unacceptable as error:
                error.column = label
                raise
        if len(known) < _KNOWN_KEPT:
            known[text] = value
        return value

    def _date(self, name: str, found: Content) -> str:
        try:
            return self.times.calendar_date(found[name], found.get("source_system", ""))
        except Unacceptable as error:
            error.column = self.label[name]
            raise

    def lots(self, rows: Sequence[Row]) -> set[str]:
        """Return the lots that some rows name, as far as they can be told before converting."""
        texts = [self.recipe.read(row.cells) for row in rows if not row.problem]
        columns = [[text[at] for text in texts] for at in self._lots_at]
        parts = {part for column in columns for text in set(column) for part in text.split(";")}
        return {lot for part in parts if (lot := part.strip()).isprintable()} - MISSING

    def date_order(self, cells: list[str]) -> str:
        """How the row's open dates are read, for a quarantine file; "" where nothing is open."""
        return next(self._orders(cells), "")

    def _orders(self, cells: list[str]) -> Iterator[str]:
        texts = dict(zip(self.recipe.fields, self.recipe.read(cells), strict=True))
        source = texts.get("source_system", "").strip()
        for name in (*self._dates, *([self._time] if self._time else [])):
            try:
                order = self.times.order(texts[name].strip(), source)
            except Unacceptable:
                continue
            if order:
                yield order
