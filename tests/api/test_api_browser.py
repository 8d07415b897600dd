"""The consumer page in a real browser: narrow screens, dark mode, no script, contrast."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import api_world
import pytest
from api_world import GTIN, LOT
from playwright.sync_api import sync_playwright

from api.server import Listening, make_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

CHROMIUM = Path("/usr/bin/chromium")
PATH = f"/01/{GTIN}/10/{quote(LOT, safe='')}"
_ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"),
]

# Every element with text of its own: its colour, and the ground that is painted behind it.
_PAINTED = """() => {
  const rgba = (text) => text.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (node) => {
    for (let here = node; here; here = here.parentElement) {
      const colour = rgba(getComputedStyle(here).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll("body *")]
    .filter((node) => !node.closest("svg") && node.checkVisibility())
    .filter((node) => [...node.childNodes].some((c) => c.nodeType === 3 && c.data.trim()))
    .map((node) => {
      const pair = [rgba(getComputedStyle(node).color), ground(node)].map(luminance);
      const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
      return [node.tagName + " " + node.textContent.trim().slice(0, 40), ratio];
    });
}"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with a long history."""
    with api_world.build(tmp_path_factory.mktemp("api") / "browser", copies=12) as workspace:
        server, taken, told = make_server(workspace, Listening(port=0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]})
        thread.start()
        with taken:
            yield told.address
            server.should_exit = True
            thread.join(20)


@pytest.fixture(scope="module")
def opened(address: str) -> Iterator[Callable[..., Page]]:
    """Open an address in a browser of some width and colour scheme."""
    if not CHROMIUM.exists():
        words = f"{CHROMIUM} is missing; `make setup-browser` installs it"
        if os.environ.get("CI"):
            pytest.fail(words)
        pytest.skip(words)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)

        def opener(path: str, width: int = 320, scheme: Any = "light", **more: Any) -> Page:
            context = browser.new_context(
                viewport={"width": width, "height": 700}, color_scheme=scheme, **more
            )
            page = context.new_page()
            page.messages = []  # type: ignore[attr-defined]
            page.on("console", lambda message: page.messages.append(message.text))  # type: ignore[attr-defined]
            page.requests = []  # type: ignore[attr-defined]
            page.on("request", lambda request: page.requests.append(request.url))  # type: ignore[attr-defined]
            page.goto(address + path)
            return page

        yield opener
        browser.close()


@pytest.mark.parametrize(
    ("path", "width"),
    [
        *((path, 320) for path in (PATH, f"/01/{GTIN}/10/NONE", "/", "/01/09506000134353")),
        *((PATH, width) for width in (400, 1280)),
    ],
)
def test_nothing_scrolls_sideways(opened: Callable[..., Page], path: str, width: int) -> None:
    """From 320 pixels on, no page is wider than the screen (WCAG 2.2, 1.4.10)."""
    page = opened(path, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()


def test_text_may_grow(opened: Callable[..., Page]) -> None:
    """With text at twice its size a narrow page still does not scroll sideways (1.4.4)."""
    page = opened(PATH, 640)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [f"{PATH}/21/NONE", "/", "/01/09506000134353"])
def test_painted_text_has_contrast(opened: Callable[..., Page], path: str, scheme: str) -> None:
    """Every visible text stands out from what is painted behind it, in both schemes (1.4.3)."""
    page = opened(path, 400, scheme)
    page.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
    painted = page.evaluate(_PAINTED)
    assert len(painted) >= 5
    assert [found for found in painted if found[1] < 4.5] == []
    page.context.close()


def test_dark_mode_is_dark(opened: Callable[..., Page]) -> None:
    """The page follows the reader's colour scheme; the QR code stays black on white in both."""
    grounds, codes = [], []
    for scheme in ("light", "dark"):
        page = opened(PATH, 400, scheme)
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        codes.append(
            page.evaluate(
                "getComputedStyle(document.querySelector('.code figure')).backgroundColor"
            )
        )
        page.context.close()
    light, dark = (int(ground.split("(")[1].split(",")[0]) for ground in grounds)
    assert light > 200
    assert dark < 60
    assert codes == ["rgb(255, 255, 255)"] * 2


def test_the_page_is_one_request_and_needs_no_script(opened: Callable[..., Page]) -> None:
    """One request brings all; the style applies under the policy; without script all is there."""
    page = opened(PATH, java_script_enabled=False)
    assert page.locator("ol.journey > li").count() > 5
    assert page.locator("figure svg").is_visible()
    assert [url for url in page.requests if not url.endswith("/favicon.ico")] == [page.url]  # type: ignore[attr-defined]
    assert not [text for text in page.messages if "Security Policy" in text]  # type: ignore[attr-defined]
    page.context.close()


def test_the_first_tab_skips_to_the_content(opened: Callable[..., Page]) -> None:
    """The keyboard reaches the content at once, and every link after it is seen when focused."""
    page = opened(PATH)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.context.close()
