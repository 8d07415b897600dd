"""What every answer over HTTP has in common: headers, negotiation, failures.

Public answers may be read by scripts of any site (CORS without credentials) and
are kept by caches only with an ETag to ask again. What an operator gets is
never stored anywhere.

Next: api/link.py
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response

from api import pages
from api.viewer import ANONYMOUS, Viewer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from api.errors import Answer
    from api.reading import Reading

__all__ = ["HTML", "JSON", "choose", "dress", "entity_tag", "failure", "json_response", "matches"]

HTML, JSON, PROBLEM = "text/html", "application/json", "application/problem+json"
_NOT_MODIFIED = 304
_CLOSED = "default-src 'none'; frame-ancestors 'none'"
_TITLES = {400: "Bad request", 401: "Unauthorized", 403: "Forbidden", 404: "Not found"}


def json_response(content: Any, status: int = 200, media_type: str = JSON) -> Response:
    """Answer with JSON."""
    return Response(orjson.dumps(content), status, media_type=media_type)


def choose(accept: str | None, offered: Sequence[str]) -> str | None:
    """Choose a media type by an `Accept` header (RFC 9110, section 12.5.1).

    Args:
        accept: The header; None accepts everything.
        offered: What there is, the best first; it decides between equals.

    Returns:
        One of `offered`, None when none is acceptable.
    """
    ranges = [_range(part) for part in (accept or "*/*").split(",")]
    best, found = 0.0, None
    for kind in offered:
        quality = _quality(kind, ranges)
        if quality > best:
            best, found = quality, kind
    return found


def _range(text: str) -> tuple[str, float]:
    kind, *parameters = (part.strip().lower() for part in text.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return kind, min(max(float(value), 0.0), 1.0)
            except ValueError:
                return kind, 0.0
    return kind, 1.0


def _quality(kind: str, ranges: Sequence[tuple[str, float]]) -> float:
    """Return the quality of the most specific range that fits."""
    for wanted in (kind, f"{kind.partition('/')[0]}/*", "*/*"):
        fitting = [quality for name, quality in ranges if name == wanted]
        if fitting:
            return max(fitting)
    return 0.0


def entity_tag(request: Request, reading: Reading) -> str:
    """Return the ETag of what the public gets under this address, as things stand.

    Public answers are functions of the graph's position, the log's checkpoint, the program's
    release and the request; a changed record always moves position or checkpoint.
    """
    head = reading.head()
    parts = (
        _release(),
        str(reading.position()),
        head.checkpoint,
        str(head.standing),
        request.scope.get("raw_path", b"").decode("latin-1"),
        request.scope.get("query_string", b"").decode("latin-1"),
        request.headers.get("accept", ""),
    )
    digest = hashlib.sha256(orjson.dumps(parts)).hexdigest()
    return f'"{digest[:32]}"'


@cache
def _release() -> str:
    try:
        return version("provenance-tracker")
    except PackageNotFoundError:
        return ""


def matches(request: Request, tag: str) -> bool:
    """Say whether the caller has this version already (`If-None-Match`)."""
    known = [
        part.strip().removeprefix("W/")
        for part in request.headers.get("if-none-match", "").split(",")
    ]
    return tag in known


def dress(response: Response, viewer: Viewer | None, tag: str | None = None) -> Response:
    """Put on the headers that every answer has.

    Args:
        response: The answer.
        viewer: For whom; None when that is not known, because the token was refused.
        tag: Its ETag, when it may be kept; never for what a token opened.
    """
    headers = response.headers
    if response.status_code != _NOT_MODIFIED:
        # What a 304 carries replaces the headers of the copy kept (RFC 9111, section 3.2): a
        # page would lose the policy that lets its own style in.
        headers.setdefault("content-security-policy", _CLOSED)
    headers["x-content-type-options"] = "nosniff"
    headers["referrer-policy"] = "no-referrer"
    headers["vary"] = "Accept, Authorization"
    if viewer is ANONYMOUS:
        headers["access-control-allow-origin"] = "*"
        headers["access-control-expose-headers"] = "ETag, Link"
    if tag is not None:
        headers["etag"] = tag
        headers["cache-control"] = "no-cache"
    else:
        headers["cache-control"] = "no-store"
    return response


def html_response(page: str, status: int = 200) -> Response:
    """Answer with a page, under the pages' own content security policy."""
    headers = {"content-security-policy": pages.policy()}
    return Response(page, status, headers, media_type=HTML)


def failure(request: Request, answer: Answer) -> Response:
    """Answer with a failure, as a page to those who prefer pages, else as RFC 9457 says."""
    if choose(request.headers.get("accept"), (JSON, HTML)) == HTML:
        return html_response(pages.error_page(answer.status, answer.message), answer.status)
    problem = {
        "type": "about:blank",
        "title": _TITLES.get(answer.status, "Failed"),
        "status": answer.status,
        "detail": answer.message,
        "code": answer.code,
    }
    return json_response(problem, answer.status, PROBLEM)
