"""QR codes: what is drawn is what a reader reads, at the level and margin that are promised."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from api import qr
from provenance.errors import InputError

_URL = "https://id.example.org/01/09506000134352/10/LOT%2F7/21/S-1"


def _picture(text: str, scale: int = 4) -> Image.Image:
    return Image.open(io.BytesIO(qr.png(text, scale=scale))).convert("L")


def _read(picture: Image.Image) -> str:
    (found,) = zxingcpp.read_barcodes(picture)
    return found.text


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=200))
@settings(max_examples=25, deadline=None)
def test_png_reads_back(text: str) -> None:
    """Any URI's characters that are drawn are read back unchanged."""
    assert _read(_picture(text)) == text


@pytest.mark.parametrize("angle", [0, 17, 45, 90, 133, 180, 270, 301])
def test_png_reads_back_rotated(angle: int) -> None:
    """A code is read at any angle."""
    turned = _picture(_URL).rotate(
        angle, expand=True, fillcolor=255, resample=Image.Resampling.BICUBIC
    )
    assert _read(turned) == _URL


@pytest.mark.parametrize("pixels", [2, 3])
def test_png_reads_back_small(pixels: int) -> None:
    """A code is read at two and three pixels a module."""
    assert _read(_picture(_URL, pixels)) == _URL


def test_level_is_m_and_zone_is_four() -> None:
    """The error level is M, and four white modules surround the symbol on every side."""
    (found,) = zxingcpp.read_barcodes(_picture(_URL))
    assert found.ec_level == "M"
    picture = _picture(_URL, 1)
    dark = [
        (x, y)
        for x in range(picture.width)
        for y in range(picture.height)
        if picture.getpixel((x, y)) == 0
    ]
    assert (min(dark), max(x for x, _ in dark)) == ((4, 4), picture.width - 5)
    assert max(y for _, y in dark) == picture.height - 5


def _drawn(svg: str) -> Image.Image:
    """Paint the SVG's path (moves and horizontal strokes) with an independent pen."""
    root = ET.fromstring(svg)
    side = int(root.attrib.get("viewBox", f"0 0 {root.attrib['width']} 0").split()[2])
    scale = int(re.search(r"scale\((\d+)\)", svg)[1])  # type: ignore[index]
    picture = Image.new("L", (side // scale, side // scale), 255)
    path = next(node.attrib["d"] for node in root.iter() if node.attrib.get("stroke") == "#000")
    x = y = 0
    for move, dx, dy in re.findall(r"([Mmh])(-?[\d.]+)(?: (-?[\d.]+))?", path):
        if move == "h":
            for step in range(int(dx)):
                picture.putpixel((x + step, y), 0)
            x += int(dx)
        else:
            x, y = (int(dx), int(float(dy))) if move == "M" else (x + int(dx), y + int(float(dy)))
    return picture.resize((side, side), Image.Resampling.NEAREST)


def test_svg_draws_the_same_code() -> None:
    """The SVG, repainted, says the same as the PNG; inline it has neither declaration nor size."""
    assert _read(_drawn(qr.svg(_URL, scale=4))) == _URL
    inline = qr.svg(_URL, inline=True)
    assert inline.startswith("<svg viewBox=")
    assert "<?xml" in qr.svg(_URL)
    assert "width=" not in inline.split(">")[0]


def test_terminal_draws_the_same_code() -> None:
    """The half blocks, read as pixels, are the code; every line sets and resets its colours."""
    lines = qr.terminal(_URL).splitlines()
    assert all(
        line.startswith("\x1b[38;5;231;48;5;16m") and line.endswith("\x1b[0m") for line in lines
    )
    rows = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in lines]
    picture = Image.new("L", (len(rows[0]), 2 * len(rows)), 0)
    for y, row in enumerate(rows):
        for x, block in enumerate(row):
            for half, lit in enumerate({"█": "11", "▀": "10", "▄": "01", " ": "00"}[block]):
                picture.putpixel((x, 2 * y + half), 255 * int(lit))
    assert (
        _read(picture.resize((picture.width * 4, picture.height * 4), Image.Resampling.NEAREST))
        == _URL
    )


@pytest.mark.parametrize(
    ("text", "scale"),
    [("", 4), ("https://x/é", 4), ("x\n", 4), ("x" * 3000, 4), (_URL, 0), (_URL, 41)],
)
def test_what_cannot_be_drawn_is_said(text: str, scale: int) -> None:
    """Empty, overlong and non-ASCII texts and scales out of range are input errors of one line."""
    for draw in (qr.png, qr.svg):
        with pytest.raises(InputError, match=r"^[^\n]+$"):
            draw(text, scale=scale)
