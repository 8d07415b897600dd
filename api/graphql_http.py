"""GraphQL over HTTP: what is accepted as a query, before anything is read for it.

POST takes one JSON object and nothing else, which also keeps forms of foreign
sites out (they cannot send that type without asking first). GET takes queries
in the address. Lists of queries are refused.

Next: api/link.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from starlette.exceptions import HTTPException

from api.execute import Query
from provenance.errors import InputError

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["MAX_BODY", "from_address", "from_body"]

MAX_BODY = 1024 * 1024
"""The largest request body, in bytes."""


async def from_body(request: Request) -> Query:
    """Read a query from a JSON body.

    Raises:
        HTTPException: Another type (415), or too long (413).
        InputError: Not a GraphQL request.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, "send application/json")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise HTTPException(413, f"a request has {MAX_BODY} bytes at most")
    given = _loads(bytes(body))
    if not isinstance(given, dict):
        raise InputError("send one JSON object with query, variables and operationName")
    return _checked(given.get("query"), given.get("variables"), given.get("operationName"))


def from_address(request: Request) -> Query:
    """Read a query from the address's parameters.

    Raises:
        InputError: Not a GraphQL request.
    """
    given = request.query_params
    variables = given.get("variables")
    parsed = None if variables is None else _loads(variables)
    return _checked(given.get("query"), parsed, given.get("operationName"))


def _loads(text: bytes | str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InputError(f"not JSON: {error}") from None


def _checked(text: object, variables: object, operation: object) -> Query:
    if not isinstance(text, str) or not text:
        raise InputError("query: send the text of a GraphQL document")
    if variables is not None and not isinstance(variables, dict):
        raise InputError("variables: send a JSON object")
    if operation is not None and not isinstance(operation, str):
        raise InputError("operationName: send a text")
    return Query(text, variables, operation)
