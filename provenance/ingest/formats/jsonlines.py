"""JSON as a table: one object a line, a list of objects, or an object that holds the list.

Nested objects become columns called `parent.child`, lists of plain values one
cell with semicolons. A list of objects within a value is kept as JSON text,
unless the mapping says that its elements are the rows (`rows = "lines"`): then
each element is a row, with the fields around it repeated. Numbers keep their
text. The names come from all values, so every value is looked at once before
the first row is given.

Next: provenance/ingest/formats/parquet.py
"""

from __future__ import annotations

import io
import json
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final

from provenance.epcis.jsonpull import JsonText, Twice, parse
from provenance.epcis.writing import json_text
from provenance.errors import InputError
from provenance.ingest.heading import MAX_COLUMNS
from provenance.ingest.table import MAX_ROW, Row, said_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provenance.ingest.sources import Source
    from provenance.ingest.table import Position, TableSettings

__all__ = ["JsonTable", "open_json"]

_PROGRESS: Final = 1000
_DEEPEST: Final = 12
_LINES: Final = "an object a line"


@dataclass(frozen=True)
class JsonTable:
    """Objects as rows.

    Attributes:
        source: The bytes.
        header: The columns, in the order in which they first appear.
        layout: "an object a line", "a list", or the member that holds the list.
        exploded: The list within each object whose elements are the rows, "" for none.
        notes: As for any `Table`.
        lists: Lists of objects within the values, the most frequent first.
    """

    source: Source
    header: tuple[str, ...]
    layout: str
    exploded: str
    notes: tuple[str, ...]
    lists: tuple[str, ...] = ()

    @property
    def form(self) -> str:
        """What `Table` asks for."""
        return "jsonl"

    @property
    def header_line(self) -> int:
        """There is none: each row has its names."""
        return 0

    @property
    def details(self) -> dict[str, str]:
        """How the objects stand in the file."""
        rows = {"rows": f"the elements of {self.exploded!r}"} if self.exploded else {}
        return {"layout": self.layout, **rows}

    def rows(self, progress: Callable[[Position], None] | None = None) -> Iterator[Row]:
        """Yield the rows; an object that cannot be one comes with its `problem`."""
        places = {name: at for at, name in enumerate(self.header)}
        count = 0
        with _objects(self.source, self.layout) as (values, file):
            for line, value, raw in values:
                for fields, problem in _records(value, self.exploded):
                    count += 1
                    number = count if self.exploded else line
                    if problem or not fields.keys() <= places.keys():
                        told = problem or "has a name that was not there before: the file changed"
                        yield Row(number, [], told, raw[:MAX_ROW])
                        continue
                    cells = [""] * len(places)
                    for name, text in fields.items():
                        cells[places[name]] = text
                    if any(cells):
                        yield Row(number, cells)
                    if progress is not None and count % _PROGRESS == 1:
                        progress((file.tell(), self.source.size))


def open_json(source: Source, known: frozenset[str], wanted: TableSettings) -> JsonTable:
    """Look at all objects of a file and name its columns.

    Args:
        source: The bytes, UTF-8.
        known: Folded native column names.
        wanted: Which list within each object holds the rows, where a mapping says so.

    Raises:
        InputError: Not UTF-8, no objects, too many names.
    """
    layout = _layout(source, wanted.rows)
    exploded = "" if layout not in {_LINES, "a list"} and wanted.rows == layout else wanted.rows
    if layout not in {_LINES, "a list"} and wanted.rows.startswith(f"{layout}."):
        exploded = wanted.rows.removeprefix(f"{layout}.")
    names: dict[str, None] = {}
    lists: Counter[str] = Counter()
    seen = 0
    with _objects(source, layout) as (values, _):
        for _line, value, _raw in values:
            seen += 1
            for fields, problem in _records(value, exploded, lists):
                if not problem:
                    names.update(dict.fromkeys(fields))
            if len(names) > MAX_COLUMNS:
                raise InputError(f"{source.name}: more than {MAX_COLUMNS} names; is this a table?")
    if not seen:
        raise InputError(f"{source.name}: is empty; objects are expected")
    if not names:
        raise InputError(f"{source.name}: holds no JSON object with names that can be columns")
    _refuse_doubles(source.name, names, known)
    notes = [] if layout in {_LINES, "a list"} else [f"the rows are those of {layout!r} alone"]
    notes += [
        f"{name!r} is a list of objects in {count:,} of {seen:,} values and is kept as JSON text; "
        f"if its elements are the rows, say rows = {json.dumps(name)} in a mapping"
        for name, count in lists.most_common(3)
    ]
    inner = tuple(name for name, _ in lists.most_common())
    return JsonTable(source, tuple(names), layout, exploded, tuple(notes), inner)


def _refuse_doubles(name: str, names: dict[str, None], known: frozenset[str]) -> None:
    folded: dict[str, str] = {}
    for each in names:
        other = folded.setdefault(each.casefold(), each)
        if other != each and each.casefold() in known:
            raise InputError(
                f"{name}: {other!r} and {each!r} are both {each.casefold()}; rename one"
            )


def _layout(source: Source, rows: str) -> str:
    """How the objects stand in the file."""
    with _text(source) as (text, _):
        first = next((line.strip() for _, line in said_lines(text, source.name)), "")
    if first.startswith("["):
        return "a list"
    try:
        whole = isinstance(parse(first), dict)
    except InputError:
        whole = first.endswith("}")  # a line that is spoilt; the others are looked at all the same
    return _LINES if whole else _member(source, rows)


def _member(source: Source, rows: str) -> str:
    lists = _members(source, rows)
    if len(lists) != 1:
        said = f"its members {', '.join(lists)} are lists" if lists else "no member is a list"
        raise InputError(
            f"{source.name}: is one JSON object, and {said} of objects; "
            'write one object a line, or name the list: rows = "..." in a mapping'
        )
    return lists[0]


def _members(source: Source, rows: str) -> list[str]:
    """Members of the one object of a file that are lists of objects, or the one that is named."""
    found = []
    with _text(source) as (text, _):
        pulled = JsonText(text.read, source.name)
        for name in pulled.members():
            if pulled.next_char() != "[":
                pulled.value()
                continue
            kinds = set()
            for _item in pulled.items():
                kinds.add(pulled.next_char())
                pulled.value()
            if kinds == {"{"} and (not rows or name in {rows, rows.partition(".")[0]}):
                found.append(name)
    return found


@contextmanager
def _text(source: Source) -> Iterator[tuple[io.TextIOWrapper, IO[bytes]]]:
    with source.open() as (plain, file):
        text = io.TextIOWrapper(plain, encoding="utf-8-sig", newline="")
        try:
            yield text, file
        except UnicodeDecodeError:
            said = "is not UTF-8, which JSON has to be; convert the file"
            raise InputError(f"{source.name}: {said}") from None
        finally:
            text.detach()


_Found = tuple[int, Any, str]
"""The line or number of a value, the value (or an `InputError`), and its text."""


@contextmanager
def _objects(source: Source, layout: str) -> Iterator[tuple[Iterator[_Found], IO[bytes]]]:
    with _text(source) as (text, file):
        if layout == _LINES:
            yield _lines(text, source.name), file
        else:
            yield _items(JsonText(text.read, source.name), layout), file


def _lines(text: io.TextIOWrapper, name: str) -> Iterator[_Found]:
    for number, line in said_lines(text, name):
        if len(line) >= MAX_ROW:
            said = f"a row of more than {MAX_ROW} characters; is a newline missing?"
            raise InputError(f"{name}: line {number}: {said}")
        plain = line.strip().strip("\ufeff")
        if not plain:
            continue
        try:
            yield number, parse(plain), plain
        except InputError as error:
            yield number, error, plain


def _items(pulled: JsonText, layout: str) -> Iterator[_Found]:
    if layout == "a list":
        yield from _list(pulled)
    else:
        for name in pulled.members():
            if name == layout:
                yield from _list(pulled)
            else:
                pulled.value()
    pulled.end()


def _list(pulled: JsonText) -> Iterator[_Found]:
    for number in pulled.items():
        found = pulled.value()
        yield number + 1, found.value, found.text


def _records(
    value: Any, exploded: str, lists: Counter[str] | None = None
) -> Iterator[tuple[dict[str, str], str]]:
    """The rows of one value as column -> text, or what is wrong with it."""
    if isinstance(value, InputError):
        yield {}, str(value)
        return
    if not isinstance(value, dict):
        yield {}, "is no JSON object"
        return
    try:
        inner = _take(value, exploded) if exploded else None
        around = dict(_flat(value, "", exploded, lists))
        if inner is None:
            yield around, ""
            return
        for element in inner:
            within = dict(_flat({exploded: element}, "", "", lists))
            yield {**around, **within}, ""
    except _UnfitError as error:
        yield {}, str(error)


class _UnfitError(Exception):
    """A value that cannot be a row."""


def _take(value: dict[str, Any], path: str) -> list[Any] | None:
    found: Any = value
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, dict):
        return [found]
    return found if isinstance(found, list) and found else None


def _flat(
    value: dict[str, Any], before: str, skip: str, lists: Counter[str] | None
) -> Iterator[tuple[str, str]]:
    """The fields of an object and of those within it."""
    if isinstance(value, Twice):
        raise _UnfitError(f"names {value.earlier[0][0]!r} twice")
    if before.count(".") > _DEEPEST:
        raise _UnfitError(f"is nested more than {_DEEPEST} deep")
    for name, inner in value.items():
        path = f"{before}{_whole(name).strip() or '(no name)'}"
        if path == skip and isinstance(inner, list | dict):
            continue
        if isinstance(inner, dict) and inner:
            yield from _flat(inner, f"{path}.", skip, lists)
        else:
            if lists is not None and _of_objects(inner):
                lists[path] += 1
            yield path, _cell(inner)


def _whole(text: str) -> str:
    """A text of whole characters."""
    if not text.isascii() and any("\ud800" <= each <= "\udfff" for each in text):
        raise _UnfitError("holds half a surrogate pair, which is no character")
    return str(text)


def _of_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(e, dict) for e in value)


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return _whole(value)
    if value is None or value in ({}, []):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ";".join(_cell(each) for each in value)
    return _whole(json_text(value))
