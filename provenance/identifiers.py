"""What items are called outside: GS1 keys, Digital Link paths and our own.

The log stores keys, never URIs, because domains change and printed codes do
not. An item with a GTIN has a GS1 Digital Link path, any other item a path of
ours that has the same form from the lot on:

    /01/{gtin14}[/22/{variant}][/10/{lot}][/21/{serial}]
    /x/{party}/{product}[/10/{lot}][/21/{serial}]

Paths are UTF-8, percent-encoded and case-sensitive. biip parses; the check
digits are verified here, because biip lets wrong ones pass in Digital Links.

Next: provenance/ingest/values.py
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from biip import ParseError
from biip.checksums import gs1_standard_check_digit
from biip.gln import Gln
from biip.gs1_messages import GS1Message
from biip.gtin import Gtin
from biip.sscc import Sscc

from provenance.errors import InputError

__all__ = [
    "ItemKey",
    "ItemReference",
    "check_gln",
    "check_gtin",
    "check_sscc",
    "item_path",
    "parse_item",
    "parse_path",
]


class ItemKey(NamedTuple):
    """An item as the log names it.

    Attributes:
        party: The maker.
        product_id: The maker's word for the product.
        lot_id: None for the product as a class.
        serial_id: None unless one instance is meant.
    """

    party: str
    product_id: str
    lot_id: str | None = None
    serial_id: str | None = None


class ItemReference(NamedTuple):
    """What a path, URI or barcode says about an item.

    Attributes:
        gtin: 14 digits with a right check digit, or None when `party` and `product_id` are given.
        party: The maker, in paths of our own.
        product_id: The product, in paths of our own.
        lot_id: Lot, GS1 application identifier 10.
        serial_id: Serial, application identifier 21.
        variant: Consumer product variant, application identifier 22.
    """

    gtin: str | None = None
    party: str | None = None
    product_id: str | None = None
    lot_id: str | None = None
    serial_id: str | None = None
    variant: str | None = None


# GS1 General Specifications, figure 7.11-1: character set 82, at most 20 characters.
_GS1_TEXT: Final = re.compile(r"[!-\"%-?A-Z_a-z]{1,20}\Z", re.ASCII)
_PAIRS: Final = {"22": "variant", "10": "lot_id", "21": "serial_id"}
_ORDER: Final = list(_PAIRS)
_GTIN_LENGTHS: Final = (8, 12, 13, 14)
_MAX_REFERENCE: Final = 4096
_NOT_IN_A_PATH: Final = frozenset({"", ".", ".."})


def check_gtin(text: str) -> str:
    """Return a GTIN-8, -12, -13 or -14 as 14 digits.

    Raises:
        InputError: Not digits, another length, or a wrong check digit.
    """
    _check_digits(text, _GTIN_LENGTHS, "GTIN")
    try:
        return Gtin.parse(text).as_gtin_14()
    except ParseError as error:
        raise InputError(f"GTIN {text}: {error}") from None


def check_sscc(text: str) -> str:
    """Return an SSCC of 18 digits as it is.

    Raises:
        InputError: Not 18 digits, or a wrong check digit.
    """
    _check_digits(text, (18,), "SSCC")
    return Sscc.parse(text).value


def check_gln(text: str) -> str:
    """Return a GLN of 13 digits as it is.

    Raises:
        InputError: Not 13 digits, or a wrong check digit.
    """
    _check_digits(text, (13,), "GLN")
    return Gln.parse(text).value


def item_path(key: ItemKey, gtin: str | None = None) -> str:
    """Build the path under which an item is found on every domain.

    Args:
        key: The item.
        gtin: Its product's GTIN, where it has one. A lot or serial that GS1's rules do
            not admit (over 20 characters, or outside character set 82) is printed under
            our own path all the same.

    Raises:
        InputError: The GTIN is wrong, or a part of the key is empty, "." or "..".
    """
    for part in key:
        if part in _NOT_IN_A_PATH:
            raise InputError(f"{part!r} cannot be part of an item's path; give it a proper id")
    tail = "".join(
        f"/{ai}/{quote(part, safe='')}"
        for ai, part in (("10", key.lot_id), ("21", key.serial_id))
        if part is not None
    )
    if gtin is not None and all(_GS1_TEXT.match(part) for part in key[2:] if part is not None):
        return f"/01/{check_gtin(gtin)}{tail}"
    return f"/x/{quote(key.party, safe='')}/{quote(key.product_id, safe='')}{tail}"


def parse_item(text: str) -> ItemReference:
    """Read anything that names an item.

    Args:
        text: A path, a URI with or without query parameters, an element string
            "(01)...(10)...", a scanned one with or without FNC1 and symbology prefix, or
            the digits under a barcode.

    Raises:
        InputError: It names no item, or a check digit is wrong.
    """
    text = text.strip()
    if text.startswith("/") or "://" in text[:12]:
        return parse_path(text)
    if text.isdigit() and len(text) in _GTIN_LENGTHS:
        return ItemReference(gtin=check_gtin(text))
    return _parse_message(text)


def parse_path(text: str) -> ItemReference:
    """Read a path or a full URI, the inverse of `item_path`.

    Query parameters and fragment are ignored; a GS1 path may follow a stem, as in
    `https://example.com/products/01/...`.

    Raises:
        InputError: It names no item, or the GTIN's check digit is wrong.
    """
    if len(text) > _MAX_REFERENCE:
        raise InputError(
            f"a reference of {len(text)} characters; at most {_MAX_REFERENCE} are read"
        )
    if not (text.startswith("/") or "://" in text[:12]):
        raise InputError(f"{text[:80]!r} is neither a path nor a URI")
    try:
        path = urlsplit(text if "://" in text[:12] else f"//localhost{text}").path
        parts = [unquote(part, errors="strict") for part in path.split("/")[1:]]
    except ValueError:
        raise InputError(f"{text[:80]!r} is not a URI in UTF-8 percent-encoding") from None
    if parts[:1] == ["x"] and len(parts) > 2:  # noqa: PLR2004 - x, party, product
        pairs = _pairs(parts[3:], text)
        if "variant" not in pairs and parts[1] and parts[2]:
            return ItemReference(party=parts[1], product_id=parts[2], **pairs)
    for start in range(len(parts) - 2, -1, -2):
        if parts[start] == "01":
            return _gs1(parts[start + 1], _pairs(parts[start + 2 :], text))
    raise InputError(f"{text[:80]!r} names no item; expected /01/GTIN/... or /x/PARTY/PRODUCT/...")


def _pairs(parts: list[str], text: str) -> dict[str, str]:
    """Read /22/../10/../21/.., each at most once and in this order."""
    names = parts[::2]
    values = parts[1::2]
    known = [name for name in names if name in _PAIRS]
    rising = all(_ORDER.index(a) < _ORDER.index(b) for a, b in pairwise(known))
    if known != names or len(names) != len(values) or not rising or not all(values):
        raise InputError(
            f"{text[:80]!r}: after the product come /22/, /10/ and /21/, in this order"
        )
    return {_PAIRS[name]: value for name, value in zip(names, values, strict=True)}


def _parse_message(text: str) -> ItemReference:
    try:
        if text.startswith("("):
            message = GS1Message.parse_hri(text)
        else:
            message = GS1Message.parse(re.sub(r"\A\](?:C1|e0|d2|Q3|J1)", "", text).lstrip("\x1d"))
    except ParseError as error:
        raise InputError(f"{text[:80]!r} is not a GS1 element string: {error}") from None
    found = {element.ai.ai: element.value for element in message.element_strings}
    if "01" not in found:
        raise InputError(f"{text[:80]!r} holds no GTIN (01), so it names no item")
    return _gs1(found["01"], {name: found[ai] for ai, name in _PAIRS.items() if ai in found})


def _gs1(gtin: str, pairs: dict[str, str]) -> ItemReference:
    _check_digits(gtin, (14,), "GTIN")
    for name, value in pairs.items():
        if not _GS1_TEXT.match(value):
            raise InputError(f"{name} {value[:40]!r}: GS1 allows 1 to 20 of its 82 characters")
    return ItemReference(gtin=check_gtin(gtin), **pairs)


def _check_digits(text: str, lengths: tuple[int, ...], name: str) -> None:
    if not (text.isascii() and text.isdigit() and len(text) in lengths):
        wanted = ", ".join(str(length) for length in lengths)
        hint = " (a spreadsheet rounded it; export the column as text)" if "E+" in text else ""
        raise InputError(f"{name} {text[:40]!r} has not {wanted} digits{hint}")
    right = gs1_standard_check_digit(text[:-1])
    if int(text[-1]) != right:
        raise InputError(f"{name} {text}: the check digit is {text[-1]}, it should be {right}")
