"""The consumer page as text: no script, small, well-formed, under its policy, and honest."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from urllib.parse import quote

import api_world
import pytest
from api_asker import Asker
from api_world import GTIN, LOT

from api import pages, words
from api.app import build_app
from api.readers import Readers
from api.settings import ApiSettings
from api.store_reading import open_reading

PATH = f"/01/{GTIN}/10/{quote(LOT, safe='')}"
_VOID = {"meta", "link", "br", "img", "input", "hr", "path", "wbr"}


class Outline(HTMLParser):
    """Checks that elements close in order, and collects what the tests ask about."""

    def __init__(self, page: str) -> None:
        """Read a page."""
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[int] = []
        self.feed(page)
        self.close()
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id" and value]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element without content."""
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Close the element that was opened last."""
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another element"


@pytest.fixture(scope="module")
def page(ask: Asker) -> str:
    """The page of the T-shirts."""
    return ask.get(PATH, "text/html").text


@pytest.mark.parametrize("path", [PATH, f"/01/{GTIN}", f"{PATH}/21/NONE", "/", "/nowhere"])
def test_pages_are_well_formed(ask: Asker, path: str) -> None:
    """Elements nest, ids are unique, headings descend by one, references lead somewhere."""
    answer = ask.get(path, "text/html")
    assert answer.text.startswith("<!doctype html>")
    outline = Outline(answer.text)
    assert len(set(outline.ids)) == len(outline.ids)
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    for before, after in zip(outline.headings, outline.headings[1:], strict=False):
        assert after <= before + 1
    attributes = [attrs for _, attrs in outline.tags]
    for attrs in attributes:
        assert attrs.get("aria-labelledby", outline.ids[0]) in outline.ids
        assert (attrs.get("href") or "/").startswith(("/", "#"))
    assert ("html", {"lang": "en"}) in outline.tags
    names = [tag for tag, _ in outline.tags]
    assert names.count("main") == names.count("title") == 1


def test_nothing_runs_and_nothing_is_fetched(page: str) -> None:
    """No script, no handler, no inline style, no form, no frame, no address but links."""
    outline = Outline(page)
    assert not {"script", "form", "iframe", "object", "embed", "link", "img"} & {
        tag for tag, _ in outline.tags
    }
    for _, attrs in outline.tags:
        assert not [name for name in attrs if name.startswith("on") or name in ("style", "src")]


def test_the_policy_names_the_style_and_nothing_else(ask: Asker) -> None:
    """The content security policy allows the page's one style sheet, by its hash."""
    answer = ask.get(PATH, "text/html")
    (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    rules = dict(
        rule.strip().split(" ", 1) for rule in answer.headers["content-security-policy"].split(";")
    )
    assert rules == {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest}'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert pages.policy() == answer.headers["content-security-policy"]


def test_the_page_is_small(ask: Asker, page: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A page is under 60 KB, also one with a history of hundreds of steps and flags."""
    assert len(page.encode()) < 20_000
    with api_world.build(tmp_path_factory.mktemp("api") / "huge", copies=60) as huge:
        readers = Readers(lambda: open_reading(huge))
        app = build_app(readers, ApiSettings(base=api_world.BASE))
        large = Asker(app).get(PATH, "text/html").text
        readers.close()
    Outline(large)
    assert "further steps are on record" in large
    assert "and 56 more of this kind" in large
    assert len(large.encode()) < 60_000
    assert len(gzip.compress(large.encode())) < 12_000


def test_the_page_tells_the_story(page: str) -> None:
    """What it is, where it came from, who and when and how sure, flags with both sides, proof."""
    text = re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", page.split("</style>")[1]))
    for said in (
        *("Organic T-shirt", LOT, GTIN, "Fjordlys &amp; Søn", "Raw cotton"),
        "Documented back to Kutch gin, India on 21 October 2023. 1 input has no record.",
        *("12 January 2024", "10 March 2024, 05:02 UTC", "Dhaka unit 4, Bangladesh"),
        *("questioned by a flag below", "exact time or place not recorded", "GOTS-2231"),
        *(words.flag_words("listed_source").title, words.flag_words("listed_source").means),
        words.flag_words("impossible_travel").does_not_mean.replace("'", "&#39;"),
        *("Site F-CUT in 2024-03", "Received, 10 March 2024, 05:02 UTC, NLRTM"),
        *(api_world.ORIGIN, "provenance verify --bundle FILE", "It is a question, not a finding"),
    ):
        assert said in text, said
    assert "audit" not in text.lower()
    assert re.search(r"Latest step: index 11 ", text), "the receipt is the latest step"
    assert f'href="/proof/{api_world.MAKER}/M%2F2%20%C3%BC"' in page


def test_recorded_text_is_never_markup(page: str) -> None:
    """A name that looks like HTML is shown as text."""
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_have_contrast(scheme: int) -> None:
    """Every text colour on every background has at least 4.5:1 (WCAG 2.2, 1.4.3)."""
    style = resources.files(pages).joinpath("style.css").read_text()
    blocks = re.findall(r":root\{([^}]*)\}", style)
    assert len(blocks) == 2
    colours = dict(re.findall(r"--(\w+):(#[0-9a-f]{3,6})", blocks[scheme]))
    full = {
        name: value if len(value) == 7 else "#" + "".join(2 * digit for digit in value[1:])
        for name, value in colours.items()
    }
    for text in ("ink", "quiet", "accent", "warn"):
        for ground in ("paper", "card", "tint"):
            assert _contrast(full[text], full[ground]) >= 4.5, (text, ground)


def test_templates_are_package_data() -> None:
    """Templates and style travel with the package."""
    folder = Path(str(resources.files(pages)))
    assert {file.name for file in (folder / "templates").iterdir()} == {
        *("base.html", "product.html", "error.html", "start.html")
    }
