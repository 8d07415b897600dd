"""What a workbook says of its sheets: names, which are hidden, where each one's XML lies.

Next: provenance/ingest/formats/xlsx.py
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Final, NamedTuple
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from provenance.ingest.formats.package import Package

__all__ = ["Book", "Sheet", "read_book"]

_SMALL: Final = 4 << 20
_WORKBOOK: Final = "xl/workbook.xml"
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"
_TEXTS: Final = "xl/sharedStrings.xml"


class Sheet(NamedTuple):
    """One sheet: its name, whether it is hidden, and its member of the package."""

    name: str
    hidden: bool
    member: str


class Book(NamedTuple):
    """A workbook.

    Attributes:
        sheets: Those that are tables, in their order.
        texts: The member that holds the shared texts, or "".
        epoch: "1900" or "1904": from when its day numbers count.
    """

    sheets: list[Sheet]
    texts: str
    epoch: str


def read_book(package: Package) -> Book:
    """Read the parts that describe a workbook.

    Raises:
        InputError: It is no workbook, or damaged.
    """
    if _WORKBOOK not in package.members:
        if "xl/workbook.bin" in package.members or "content.xml" in package.members:
            raise package.damaged("it is an .xlsb or .ods file")
        raise package.damaged("it holds no xl/workbook.xml")
    tree = _tree(package, _WORKBOOK)
    targets = _targets(package)
    sheets = []
    for element in tree.iter():
        if _local(element.tag) != "sheet":
            continue
        given = {_local(name): value for name, value in element.attrib.items()}
        member = targets.get(given.get("id", ""), "")
        if member in package.members and "sheet" in posixpath.basename(posixpath.dirname(member)):
            hidden = given.get("state", "visible") != "visible"
            sheets.append(Sheet(given.get("name", ""), hidden, member))
    texts = next((m for m in package.members if m.lower() == _TEXTS.lower()), "")
    return Book([s for s in sheets if "chartsheets" not in s.member], texts, _epoch(tree))


def _epoch(tree: ET.Element) -> str:
    for element in tree.iter():
        if _local(element.tag) == "workbookPr" and element.get("date1904") in {"1", "true"}:
            return "1904"
    return "1900"


def _targets(package: Package) -> dict[str, str]:
    if _RELATIONS not in package.members:
        raise package.damaged(f"it holds no {_RELATIONS}")
    found = {}
    for element in _tree(package, _RELATIONS).iter():
        target = element.get("Target")
        if target:
            path = target.lstrip("/") if target.startswith("/") else posixpath.join("xl", target)
            found[element.get("Id", "")] = posixpath.normpath(path)
    return found


def _tree(package: Package, member: str) -> ET.Element:
    data = package.whole(member, _SMALL)
    # An own entity is the one thing in XML that grows while it is read; workbooks have none.
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise package.damaged(f"{member} declares entities")
    try:
        return ET.fromstring(data)  # noqa: S314 - small, and without entities
    except (ET.ParseError, ValueError, LookupError) as error:
        raise package.damaged(f"{member}: {error}") from None


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
