"""Published lists, read into the native watchlist format: one reader for each shape there is.

A list has a name, a version and days between which it holds. It is written as
watchlist.csv and goes into the log like any other file, so that a newer version
of it supersedes the older line by line; what the newer leaves out is ended.

Next: provenance/ingest/run.py
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Final, NamedTuple

from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

__all__ = ["COLUMNS", "SHAPES", "Edition", "Line", "ended", "read", "write"]

COLUMNS: Final = (
    "list_name",
    "kind",
    "value",
    "goods",
    "note",
    "list_version",
    "valid_from",
    "valid_until",
)
_KINDS: Final = ("region", "entity", "goods_country")
_YES: Final = frozenset(("yes", "y", "true", "1", "x"))


class Edition(NamedTuple):
    """One version of a list, and the days on which it holds; empty is open."""

    name: str
    version: str
    valid_from: str
    valid_until: str = ""


class Line(NamedTuple):
    """One line of a list; see watchlist.csv for what `kind` and `value` mean."""

    kind: str
    value: str
    goods: str = ""
    note: str = ""


def read(path: Path, shape: str | None = None) -> tuple[list[Line], list[str]]:
    """Read a published list.

    Args:
        path: A CSV file in UTF-8.
        shape: One of `SHAPES`; None goes by the header.

    Returns:
        Its lines, and one sentence for each row that could not be used.

    Raises:
        InputError: The file has none of the known headers, or no usable row.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        header = tuple(name.strip().lower() for name in reader.fieldnames or ())
        rows = [dict(zip(header, row.values(), strict=False)) for row in reader]
    found = shape or next((name for name, (need, _) in SHAPES.items() if need <= set(header)), None)
    if found is None or not SHAPES[found][0] <= set(header):
        needed = "; ".join(
            f"{name}: {', '.join(sorted(need))}" for name, (need, _) in SHAPES.items()
        )
        raise InputError(f"{path}: is no list of a known shape; columns needed are {needed}")
    lines, left_out = [], []
    for number, row in enumerate(rows, 2):
        made = SHAPES[found][1]({name: (value or "").strip() for name, value in row.items()})
        if isinstance(made, Line):
            lines.append(made)
        else:
            left_out.append(f"line {number}: {made}")
    if not lines:
        raise InputError(
            f"{path}: holds no usable line; {left_out[0] if left_out else 'it is empty'}"
        )
    return list(dict.fromkeys(lines)), left_out


def _native(row: Mapping[str, str]) -> Line | str:
    kind, value = row["kind"].lower(), row["value"]
    if kind not in _KINDS or not value:
        return f"kind {row['kind']!r} with value {value!r}; kinds are {', '.join(_KINDS)}"
    return Line(kind, value, row.get("goods", ""), row.get("note", ""))


def _named(row: Mapping[str, str]) -> Line | str:
    aliases = row.get("aliases", "")
    note = f"aka: {aliases}" if aliases else row.get("note", "")
    return Line("entity", row["name"], "", note) if row["name"] else "no name"


def _goods(row: Mapping[str, str]) -> Line | str:
    """Read one line of the list of goods by the United States Department of Labor."""
    code = _country(row["country"])
    if code is None or not row["good"]:
        return f"{row['country']!r} is no country that is known"
    reasons = [
        name.replace("_", " ")
        for name in ("child_labor", "forced_labor", "forced_child_labor")
        if row.get(name, "").lower() in _YES
    ]
    return Line("goods_country", f"{row['good']}|{code}", "", ", ".join(reasons))


def _country(name: str) -> str | None:
    import pycountry  # noqa: PLC0415 - only where a list names countries in full

    short = name.split("(", maxsplit=1)[0].strip()
    plain = _ALSO.get(short.casefold(), short)
    try:
        return str(pycountry.countries.lookup(plain).alpha_2)
    except LookupError:
        return None


_ALSO: Final = {
    "burma": "MM",
    "bolivia": "BO",
    "brunei": "BN",
    "congo, democratic republic of the": "CD",
    "congo, republic of the": "CG",
    "democratic republic of the congo": "CD",
    "cote d'ivoire": "CI",
    "iran": "IR",
    "korea, north": "KP",
    "laos": "LA",
    "north korea": "KP",
    "russia": "RU",
    "south korea": "KR",
    "syria": "SY",
    "tanzania": "TZ",
    "turkey": "TR",
    "venezuela": "VE",
    "vietnam": "VN",
}
SHAPES: Final[dict[str, tuple[frozenset[str], Callable[[Mapping[str, str]], Line | str]]]] = {
    "native": (frozenset(("kind", "value")), _native),
    "dol-goods": (frozenset(("good", "country")), _goods),
    "names": (frozenset(("name",)), _named),
}
"""Each shape's columns, and what makes a line of a row, or says why not."""


def ended(
    held: Iterable[Mapping[str, str]], lines: Iterable[Line], edition: Edition, last_day: str
) -> list[dict[str, str]]:
    """Return the held lines of the list that a new edition leaves out, ended on `last_day`."""
    kept = {(line.kind, line.value, line.goods) for line in lines}
    return [
        {name: row.get(name, "") for name in COLUMNS} | {"valid_until": last_day}
        for row in held
        if row["list_name"] == edition.name
        and (row["kind"], row["value"], row.get("goods", "")) not in kept
        and not row.get("valid_until")
    ]


def write(
    path: Path, lines: Iterable[Line], edition: Edition, held: Iterable[Mapping[str, str]], day: str
) -> int:
    """Write an edition as watchlist.csv, and end what it leaves out.

    Args:
        path: Where to write.
        lines: What the edition lists.
        edition: Its name, version and days.
        held: The lines in the log; one that goes on keeps its first day.
        day: Last day of what is left out.

    Returns:
        How many lines were ended.
    """
    known, listed = list(held), list(lines)
    since = {
        (row["kind"], row["value"], row.get("goods", "")): row["valid_from"]
        for row in known
        if row["list_name"] == edition.name and row.get("valid_from") and not row.get("valid_until")
    }
    over = ended(known, listed, edition, day)
    stamp = {
        "list_name": edition.name,
        "list_version": edition.version,
        "valid_until": edition.valid_until,
    }
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for line in listed:
            first = min(edition.valid_from, since.get(line[:3], edition.valid_from))
            writer.writerow(line._asdict() | stamp | {"valid_from": first})
        writer.writerows(over)
    return len(over)
