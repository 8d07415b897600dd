"""Published lists: every shape, dated versions, and what a newer version leaves out."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest

from provenance.errors import InputError
from provenance.ingest.watchlists import Edition, Line, ended, read, write

if TYPE_CHECKING:
    from pathlib import Path

FIRST, SECOND = Edition("L", "1", "2022-06-21"), Edition("L", "2", "2023-06-21")


def file(path: Path, text: str) -> Path:
    """A list to read."""
    made = path / "list.csv"
    made.write_text(text, encoding="utf-8")
    return made


def rows(path: Path) -> list[dict[str, str]]:
    """What was written."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("kind,value,goods,note\nRegion,CN-XJ,,x\n", Line("region", "CN-XJ", "", "x")),
        ("\ufeffName,Aliases\nBad Co,Bad;Worse\n", Line("entity", "Bad Co", "", "aka: Bad;Worse")),
        (
            "good,country,child_labor,forced_labor\nCotton,Uzbekistan,Yes,No\n",
            Line("goods_country", "Cotton|UZ", "", "child labor"),
        ),
        ("good,country\nTin,Turkey (Türkiye)\n", Line("goods_country", "Tin|TR")),
        ("good,country\nGold,Congo, Democratic\n".replace(", D", " D"), None),
    ],
)
def test_each_shape_is_known_by_its_header(tmp_path: Path, text: str, line: Line | None) -> None:
    """A byte order mark, capitals and country names are no obstacle; unknown countries are told."""
    made = file(tmp_path, text)
    if line is None:
        with pytest.raises(InputError, match="no country that is known"):
            read(made)
    else:
        assert read(made) == ([line], [])


def test_unusable_rows_are_told_and_the_others_read(tmp_path: Path) -> None:
    """A kind that is none is named with its line."""
    lines, left_out = read(file(tmp_path, "kind,value\nplace,X\nentity,Y\nentity,Y\n"))
    assert lines == [Line("entity", "Y")]
    assert len(left_out) == 1
    assert left_out[0].startswith("line 2: ")


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "kind,value\n"])
def test_what_is_no_list_is_refused(tmp_path: Path, text: str) -> None:
    """No header, another header, no line: one sentence with the place."""
    with pytest.raises(InputError, match=r"list\.csv: "):
        read(file(tmp_path, text))


def test_newer_version_goes_on_and_ends(tmp_path: Path) -> None:
    """A line that stays keeps its first day, a new one begins, one left out ends the day before."""
    made = tmp_path / "watchlist.csv"
    stays, goes, comes = (Line("entity", name) for name in ("Stays", "Goes", "Comes"))
    assert write(made, [stays, goes], FIRST, [], "2022-06-20") == 0
    held = rows(made)
    assert write(made, [stays, comes], SECOND, held, "2023-06-20") == 1
    days = {row["value"]: (row["valid_from"], row["valid_until"]) for row in rows(made)}
    assert days == {
        "Stays": ("2022-06-21", ""),
        "Comes": ("2023-06-21", ""),
        "Goes": ("2022-06-21", "2023-06-20"),
    }
    assert ended(rows(made), [stays, comes], SECOND, "2024-01-01") == []
    assert ended(held, [], Edition("Other", "1", "2024-01-01"), "2023-12-31") == []
