"""The HTML pages: templates, one style sheet, and the policy that allows nothing else.

The style sheet stands in the page, so that a page is one request; the content
security policy names it by its hash and allows no script, no frame and no
request to anywhere.

Next: api/schema.py
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from api import phrases, qr
from api.seen import seen_words

if TYPE_CHECKING:
    from api.story import Story

__all__ = ["error_page", "policy", "product_page", "start_page"]


class _Kit(NamedTuple):
    """What every page is made with; read once."""

    templates: Environment
    style: str
    policy: str


@cache
def _kit() -> _Kit:
    style = resources.files(__name__).joinpath("style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    templates = Environment(
        loader=PackageLoader(__name__, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["long_date"] = phrases.long_date
    templates.filters["seen"] = seen_words
    rules = (
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return _Kit(templates, style, "; ".join(rules))


def policy() -> str:
    """Return the content security policy under which the pages are served."""
    return _kit().policy


def product_page(story: Story, uri: str) -> str:
    """Write the page of one product.

    Args:
        story: What it tells.
        uri: The item's full URI, for the QR code.
    """
    code = Markup(qr.svg(uri, inline=True))  # noqa: S704 - drawn here, from a percent-encoded URI
    return _render("product.html", story=story, uri=uri, code=code)


def start_page(origin: str) -> str:
    """Write the start page: what this is and how to ask."""
    return _render("start.html", origin=origin)


def error_page(status: int, message: str) -> str:
    """Write the page of a failure, in the words of `api.errors`."""
    return _render("error.html", status=status, message=message)


def _render(name: str, **values: object) -> str:
    kit = _kit()
    return kit.templates.get_template(name).render(style=Markup(kit.style), **values)  # noqa: S704
