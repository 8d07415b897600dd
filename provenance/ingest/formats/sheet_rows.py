"""The rows of one sheet as texts, with what the library does not tell put back in.

Next: provenance/ingest/formats/xlsx.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from provenance.ingest.formats.texts import typed_text
from provenance.ingest.table import MAX_ROW, Row, TableSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.ingest.formats.sheet_scan import SheetFacts

__all__ = ["SheetRows"]

_ALPHABET: Final = 26


class SheetRows:
    """A sheet in memory."""

    def __init__(self, sheet: Any, facts: SheetFacts, wanted: TableSettings | None = None) -> None:
        """Read a sheet of the library with what its XML says."""
        wanted = wanted or TableSettings()
        self._sheet = sheet
        self._decimal = wanted.decimal
        self._errors = _by_row(facts.errors)
        self._unsolved = _by_row(dict.fromkeys(facts.unsolved, ""))
        self._fill = wanted.merged == "fill"
        areas = sheet.merged_cell_ranges or []
        self._tall = [area for area in areas if area[1][0] > area[0][0]]
        self._top: int
        self._left: int
        self._top, self._left = sheet.start or (0, 0)

    def told(self) -> dict[str, str]:
        """What stands out, for `inspect`."""
        found = {}
        if self._tall:
            found["merged"] = f"{len(self._tall)} areas over several rows"
        if self._errors:
            found["errors"] = f"in {len(self._errors)} rows"
        if self._unsolved:
            found["formulas without a stored result"] = f"in {len(self._unsolved)} rows"
        return found

    def cells(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (row from 1, texts) of every row, from the sheet's first column on."""
        margin = [""] * self._left
        for at, values in enumerate(self._sheet.iter_rows(), start=self._top):
            texts = margin + [typed_text(value, self._decimal) for value in values]
            for column, shown in self._errors.get(at, {}).items():
                if column < len(texts):
                    texts[column] = shown
            yield at + 1, texts

    def below(self, line: int, width: int) -> Iterator[Row]:
        """Yield the rows below the header, each as wide as it."""
        merged = self._merged(line, width)
        for number, texts in self.cells():
            if number <= line:
                continue
            cells = (texts + [""] * width)[:width]
            for column, text in merged.get(number - 1, {}).items():
                if self._fill and column < width:
                    cells[column] = text
            if any(cells):
                problem = self._problem(number - 1, merged, width)
                if sum(map(len, cells)) > MAX_ROW:
                    problem, cells = f"has more than {MAX_ROW} characters", []
                yield Row(number, cells, problem)

    def _problem(self, at: int, merged: dict[int, dict[int, str]], width: int) -> str:
        unsolved = [column for column in self._unsolved.get(at, ()) if column < width]
        if unsolved:
            return (
                f"column {_letters(unsolved[0])} is a formula without a stored result; "
                "open the file in a spreadsheet program and save it"
            )
        if not self._fill:
            for column in merged.get(at, ()):
                if column < width:
                    return (
                        f"column {_letters(column)} is merged with rows above; "
                        'unmerge it, or say merged = "fill" in a mapping'
                    )
        return ""

    def _merged(self, line: int, width: int) -> dict[int, dict[int, str]]:
        """Row -> column -> the text of the area that covers the cell."""
        wanted: dict[int, list[Any]] = {}
        for area in self._tall:
            if area[1][0] >= line:
                wanted.setdefault(area[0][0], []).append(area)
        found: dict[int, dict[int, str]] = {}
        last = self._top + int(self._sheet.height)
        for number, texts in self.cells() if wanted else ():
            for (top, left), (bottom, right) in wanted.get(number - 1, ()):
                text = texts[left] if left < len(texts) else ""
                for row in range(max(top + 1, line), min(bottom, last) + 1):
                    columns = found.setdefault(row, {})
                    # Areas cannot overlap; where a file says so, the first one counts, once.
                    if left not in columns:
                        for column in range(left, min(right + 1, width)):
                            columns.setdefault(column, text)
        return found


def _by_row(found: dict[tuple[int, int], str]) -> dict[int, dict[int, str]]:
    rows: dict[int, dict[int, str]] = {}
    for (row, column), text in found.items():
        rows.setdefault(row, {})[column] = text
    return rows


def _letters(column: int) -> str:
    """A column's letters from its place; 0 is A, 26 is AA."""
    letters, number = "", column + 1
    while number:
        number, rest = divmod(number - 1, _ALPHABET)
        letters = chr(65 + rest) + letters
    return letters
