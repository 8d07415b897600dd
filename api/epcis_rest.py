"""What the EPCIS 2.0 REST binding says around an answer: versions, formats, kinds of problem.

EPCIS 2.0, section 12. The server speaks one version and hands identifiers on
as they were captured; who insists on another form is told so instead of being
given something else.

Next: api/captures.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson
from starlette.exceptions import HTTPException

from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    Endpoint = Callable[[Request], Awaitable[Response]]

__all__ = ["page_size", "refuse_misfits", "speaking"]

VERSION: Final = "2.0.0"
_LARGEST_PAGE: Final = 500
_PAGE: Final = 30
_LONGEST_ADDRESS: Final = 8_000
_HEADERS: Final = {
    "gs1-epcis-version": VERSION,
    "gs1-epcis-min": VERSION,
    "gs1-epcis-max": VERSION,
    "gs1-cbv-version": VERSION,
    "gs1-cbv-min": VERSION,
    "gs1-cbv-max": VERSION,
    "gs1-epc-format": "Never_Translates",
}
_FORMATS: Final = frozenset({"Never_Translates", "No_Preference"})
_JSON: Final = ("application/json", "application/ld+json")
_PROBLEM: Final = "application/problem+json"
_KINDS: Final = {
    401: "SecurityException",
    403: "SecurityException",
    404: "NoSuchResourceException",
    406: "NotAcceptableException",
    413: "CaptureLimitExceededException",
    414: "URITooLongException",
    415: "UnsupportedMediaTypeException",
    500: "ImplementationException",
    503: "ImplementationException",
}


def speaking(
    endpoint: Endpoint, bad_input: str, discovery: Mapping[str, str] | None = None
) -> Endpoint:
    """Let an endpoint answer as the binding says.

    Args:
        endpoint: What answers.
        bad_input: The standard's exception for what it cannot read (400).
        discovery: Headers that tell of its limits.
    """

    async def spoken(request: Request) -> Response:
        """Answer one request."""
        response = await endpoint(request)
        if response.status_code >= 400 and response.media_type == _PROBLEM:  # noqa: PLR2004
            kind = bad_input if response.status_code == 400 else _KINDS.get(response.status_code)  # noqa: PLR2004
            _name_problem(response, kind)
        for name, value in {**_HEADERS, **(discovery or {})}.items():
            response.headers.setdefault(name, value)
        return response

    return spoken


def _name_problem(response: Response, kind: str | None) -> None:
    if kind is None:
        return
    problem = orjson.loads(bytes(response.body))
    response.body = orjson.dumps({**problem, "type": f"epcisException:{kind}"})
    response.headers["content-length"] = str(len(response.body))


def refuse_misfits(request: Request) -> None:
    """Refuse what asks for another version or form than there is.

    Raises:
        HTTPException: 406, 414 or 415.
    """
    headers = request.headers
    if len(str(request.url)) > _LONGEST_ADDRESS:
        raise HTTPException(414, f"the address is longer than {_LONGEST_ADDRESS} characters")
    for name in ("epcis", "cbv"):
        least, most, exact = (
            headers.get(f"gs1-{name}-{which}", "2") for which in ("min", "max", "version")
        )
        if _number(least) > _number(VERSION) or not _reaches(most) or not _is_ours(exact):
            said = f"{name.upper()} {VERSION} is spoken here, and no other version"
            raise HTTPException(406, said)
    wanted = headers.get("gs1-epc-format", "No_Preference")
    if wanted not in _FORMATS:
        raise HTTPException(406, "identifiers are handed on as they were captured")
    if request.method == "POST":
        kind = headers.get("content-type", _JSON[0]).partition(";")[0].strip().lower()
        if kind not in _JSON:
            raise HTTPException(415, "EPCIS documents are taken as JSON or JSON-LD")


def _number(text: str) -> tuple[int, ...]:
    parts = text.strip().split(".")
    if not all(part.isascii() and part.isdigit() and len(part) < 5 for part in parts):  # noqa: PLR2004
        raise HTTPException(406, "a version is written like 2.0.0")
    return tuple(int(part) for part in parts)


def _reaches(most: str) -> bool:
    """2 means any 2.x, so a bound is compared as far as it goes."""
    bound = _number(most)
    return bound >= _number(VERSION)[: len(bound)]


def _is_ours(exact: str) -> bool:
    asked = _number(exact)
    return asked == _number(VERSION)[: len(asked)]


def page_size(texts: list[str]) -> int:
    """Read `perPage`.

    Raises:
        InputError: It is not a number from 1 to 500.
    """
    (text,) = texts if len(texts) == 1 else ("" if texts else str(_PAGE),)
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0  # noqa: PLR2004
    if not 1 <= number <= _LARGEST_PAGE:
        raise InputError(f"perPage: is not a number from 1 to {_LARGEST_PAGE}")
    return number
