"""Identifiers: paths and keys are inverse to each other, and wrong check digits never pass."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest
from biip.checksums import gs1_standard_check_digit
from hypothesis import given
from hypothesis import strategies as st

from provenance.errors import InputError
from provenance.identifiers import (
    ItemKey,
    ItemReference,
    check_gln,
    check_gtin,
    check_sscc,
    item_path,
    parse_item,
    parse_path,
)

if TYPE_CHECKING:
    from pathlib import Path

GS1_TEXT = st.text(
    "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz",
    min_size=1,
    max_size=20,
).filter(lambda text: text not in (".", ".."))
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(
    lambda text: text not in (".", "..")
)
GTIN = st.text("0123456789", min_size=13, max_size=13).map(
    lambda body: body + str(gs1_standard_check_digit(body))
)


@given(st.builds(ItemKey, ANY_TEXT, ANY_TEXT, st.none() | ANY_TEXT, st.none() | ANY_TEXT))
def test_own_paths_round_trip(key: ItemKey) -> None:
    """parse_path(item_path(key)) gives back every part of any key, on any domain."""
    wanted = ItemReference(None, *key)
    path = item_path(key)
    assert path.isascii()
    assert parse_path(path) == wanted
    assert parse_item(f"https://shop.example/{path[1:]}?linkType=all&10=other#top") == wanted


@given(GTIN, st.none() | GS1_TEXT, st.none() | GS1_TEXT)
def test_gs1_paths_round_trip(gtin: str, lot: str | None, serial: str | None) -> None:
    """With a GTIN the path is a Digital Link, and stems and query parameters do not matter."""
    path = item_path(ItemKey("acme", "shirt", lot, serial), gtin)
    wanted = ItemReference(gtin=gtin, lot_id=lot, serial_id=serial)
    assert path.startswith(f"/01/{gtin}")
    assert parse_path(path) == wanted
    assert parse_item(f"https://id.example/stem{path}?17=251231") == wanted


@given(GTIN, GS1_TEXT.filter(lambda text: "(" not in text), GS1_TEXT.map(lambda s: s.strip("(")))
def test_element_strings_say_the_same_as_paths(gtin: str, lot: str, serial: str) -> None:
    """Printed and scanned element strings name the item that the path names."""
    wanted = parse_path(item_path(ItemKey("p", "q", lot), gtin))
    assert parse_item(f"(01){gtin}(10){lot}") == wanted
    assert parse_item(f"01{gtin}10{lot}") == wanted
    scanned = f"]d201{gtin}10{lot}\x1d21{serial}" if serial else f"\x1d01{gtin}10{lot}"
    assert parse_item(scanned) == wanted._replace(serial_id=serial or None)


@given(GTIN, st.integers(0, 13), st.integers(1, 9))
def test_a_changed_digit_never_passes(gtin: str, place: int, shift: int) -> None:
    """Any single wrong digit of a GTIN is an error, in paths and element strings alike."""
    wrong = gtin[:place] + str((int(gtin[place]) + shift) % 10) + gtin[place + 1 :]
    for text in (f"/01/{wrong}/10/A", f"(01){wrong}(10)A", f"01{wrong}10A", wrong):
        with pytest.raises(InputError, match="check digit"):
            parse_item(text)


@given(st.text(max_size=60))
def test_any_text_is_an_item_or_one_clear_error(text: str) -> None:
    """No text makes the parser fail in another way than with one line."""
    for candidate in (text, "/" + text, "/x/" + text, "https://" + text, "(01)" + text):
        try:
            reference = parse_item(candidate)
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017 - both ends are allowed
        else:
            assert reference.gtin or (reference.party and reference.product_id)


@pytest.mark.parametrize(
    ("check", "right", "wrong", "short"),
    [
        (check_gtin, "09506000134352", "09506000134353", "0950600013435"),
        (check_sscc, "006141411234567890", "006141411234567891", "6141411234567890"),
        (check_gln, "9506000134352", "9506000134351", "950600013435"),
    ],
)
def test_check_digits(check: object, right: str, wrong: str, short: str) -> None:
    """GTIN, SSCC and GLN are taken with a right check digit and the right length only."""
    assert callable(check)
    assert check(right) == right
    with pytest.raises(InputError, match="check digit"):
        check(wrong)
    with pytest.raises(InputError, match="digit"):
        check(short)


def test_shorter_gtins_become_fourteen_digits() -> None:
    """A GTIN-8, -12 or -13 is the GTIN-14 with zeros in front; a rounded one is explained."""
    assert check_gtin("9506000134352") == "09506000134352"
    assert parse_item("9506000134352") == ItemReference(gtin="09506000134352")
    with pytest.raises(InputError, match="spreadsheet"):
        check_gtin("4.01235E+12")


def test_a_lot_outside_gs1_rules_keeps_an_own_path() -> None:
    """A GTIN does not force a lot into a form that GS1 forbids; the item is still printable."""
    key = ItemKey("acme", "shirt", "Lot éñ/7")
    assert item_path(key, "09506000134352") == "/x/acme/shirt/10/Lot%20%C3%A9%C3%B1%2F7"
    with pytest.raises(InputError, match="82 characters"):
        parse_path("/01/09506000134352/10/Lot%20%C3%A9")


@pytest.mark.parametrize("part", ["", ".", ".."])
def test_parts_that_urls_swallow_are_refused(part: str) -> None:
    """An id that a browser would normalise away cannot be part of a path."""
    with pytest.raises(InputError, match="proper id"):
        item_path(ItemKey("acme", part))


@pytest.mark.parametrize(
    "path",
    [
        "/x/a",
        "/x/a/b/10",
        "/x/a/b/10/",
        "/x/a/b/21/1/10/2",
        "/x/a/b/10/1/10/2",
        "/x/a/b/22/v",
        "/x//b",
        "/x/a/%ff",
        "/01/09506000134352/",
        "/01/9506000134352",
        "/flags",
        "",
        "x/a/b",
    ],
)
def test_paths_that_name_no_item(path: str) -> None:
    """A path of another form is an error, never half an item."""
    with pytest.raises(InputError):
        parse_path(path)


def test_gs1_vectors(test_data: Path) -> None:
    """GS1's own Digital Link vectors for GTINs: what they refuse is refused, the rest is read.

    Not compared: vectors about query attributes (ignored here) and about AI 235 and
    zero-suppressed GTINs (not supported here).
    """
    file = test_data / "vectors/gs1_digital_link/digital_link_vectors.csv"
    with file.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["kind"] == "parse_uri"]
    tried = 0
    for row in rows:
        uri = row["input"]
        if row["flags"] or "/01/" not in uri or "?" in uri or "/235/" in uri or "%25lo" in uri:
            continue
        tried += 1
        if row["should_succeed"] == "True":
            found = parse_item(uri)
            assert row["expected"].startswith(f"^01{found.gtin}")
            rest = f"22{found.variant or ''}10{found.lot_id or ''}21{found.serial_id or ''}"
            assert set(row["expected"][17:]) <= set(rest) | {"^"}
        else:
            with pytest.raises(InputError):
                parse_item(uri)
    assert tried > 20
