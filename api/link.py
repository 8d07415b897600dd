"""Addresses that name something: an item (Digital Link) or an event's proof.

Next: api/app.py
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.exceptions import HTTPException
from starlette.responses import Response

from api import pages, qr
from api.product import find
from api.story import tell
from api.view_json import view
from api.web import HTML, JSON, choose, html_response, json_response
from provenance.errors import InputError
from provenance.identifiers import parse_path

if TYPE_CHECKING:
    from starlette.requests import Request

    from api.product import Product
    from api.reading import Reading
    from api.viewer import Viewer

__all__ = ["proof_path", "resolve"]

_SVG, _PNG = "image/svg+xml", "image/png"
_OFFERED = (HTML, JSON, _SVG, _PNG)
_PROOF = re.compile(r"/proof/([^/]+)/([^/]+)")
_QR_FORMS = {"": _SVG, "svg": _SVG, "png": _PNG}


def resolve(request: Request, reading: Reading, viewer: Viewer, base: str) -> Response:
    """Answer a Digital Link.

    Args:
        request: Its path names the item; it is read from the undecoded path, because a
            lot may contain an encoded slash.
        reading: The borrowed view.
        viewer: Who asks.
        base: The address that printed codes begin with.

    Raises:
        InputError: The path names no item, or a check digit is wrong.
        NotFound: Not even the product is on record.
    """
    kind = _form(request)
    product = find(parse_path(_raw_path(request)), reading, viewer)
    response = _answer(kind, product, f"{base}{product.path}")
    response.headers["link"] = f'<{product.path}>; rel="canonical"'
    return response


def proof_path(request: Request) -> tuple[str, str]:
    """Return the party and event id that `/proof/PARTY/EVENT` names.

    Raises:
        InputError: The path has another form.
    """
    match = _PROOF.fullmatch(_raw_path(request))
    try:
        if match is not None:
            party, event_id = (unquote(part, errors="strict") for part in match.groups())
            return party, event_id
    except UnicodeDecodeError:
        pass
    raise InputError("a proof is at /proof/PARTY/EVENT, both percent-encoded UTF-8")


def _raw_path(request: Request) -> str:
    raw: bytes = request.scope["raw_path"]
    return raw.decode("ascii", "replace").partition("?")[0]


def _form(request: Request) -> str:
    asked = request.query_params.get("qr")
    if asked is not None:
        if asked not in _QR_FORMS:
            raise InputError("qr: svg or png")
        return _QR_FORMS[asked]
    found = choose(request.headers.get("accept"), _OFFERED)
    if found is None:
        raise HTTPException(406, f"offered here: {', '.join(_OFFERED)}")
    return found


def _answer(kind: str, product: Product, uri: str) -> Response:
    if kind == _SVG:
        return Response(qr.svg(uri), media_type=_SVG)
    if kind == _PNG:
        return Response(qr.png(uri), media_type=_PNG)
    story = tell(product)
    if kind == HTML:
        return html_response(pages.product_page(story, uri))
    return json_response(view(story, uri))
