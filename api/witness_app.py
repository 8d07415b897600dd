"""A witness over HTTP: one call that cosigns, and a page that says who answers.

The protocol is c2sp.org/tlog-witness; this file limits what a caller may cost:
so many bytes, so much time, so many at once. Anybody may call: what decides is the
log's signature on what they bring.

Next: api/server.py
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

import anyio.to_thread
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from provenance.errors import ProvenanceError
from provenance.wire.witness import ADD_CHECKPOINT, MAX_REQUEST, Reply

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from provenance.wire.witness_state import Witness

__all__ = ["create_witness_app"]

_BODY_SECONDS: Final = 10.0
_MOST_AT_ONCE: Final = 8
_LOG: Final = logging.getLogger(__name__)


def create_witness_app(witness: Witness, body_seconds: float = _BODY_SECONDS) -> ASGIApp:
    """Make the app that answers for a witness.

    Args:
        witness: Used by several threads at once.
        body_seconds: How long a caller may take to send a request.
    """
    site = _Site(witness, body_seconds)
    return Starlette(
        routes=[
            Route(f"/{ADD_CHECKPOINT}", site.add_checkpoint, methods=["POST"]),
            Route("/", site.about, methods=["GET"]),
        ]
    )


class _Site:
    def __init__(self, witness: Witness, body_seconds: float) -> None:
        self._witness = witness
        self._body_seconds = body_seconds
        self._limiter: anyio.CapacityLimiter | None = None

    async def add_checkpoint(self, request: Request) -> Response:
        """Answer a request to cosign."""
        try:
            async with asyncio.timeout(self._body_seconds):
                body = await _body(request)
        except TimeoutError:
            return _response(Reply(408, f"not sent within {self._body_seconds:g} s\n"))
        if body is None:
            return _response(Reply(413, f"a request has {MAX_REQUEST} bytes at most\n"))
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(_MOST_AT_ONCE)
        # A worker thread: the answer waits for a lock and for the disk.
        reply = await anyio.to_thread.run_sync(self._answer, body, limiter=self._limiter)
        return _response(reply)

    def _answer(self, body: bytes) -> Reply:
        try:
            return self._witness.add_checkpoint(body)
        except ProvenanceError as error:
            # What is wrong with this machine is its operator's business, not the caller's.
            _LOG.error("%s", error)
            return Reply(503, "the witness cannot cosign now; nothing was cosigned\n")

    async def about(self, _: Request) -> Response:
        """Say who this is, and which logs it follows."""
        try:
            logs = await anyio.to_thread.run_sync(self._witness.followed)
        except ProvenanceError as error:
            _LOG.error("%s", error)
            return _response(Reply(503, "the witness cannot answer now\n"))
        lines = [self._witness.key.vkey, *(f"follows {origin}" for origin in sorted(logs))]
        return _response(Reply(200, "".join(f"{line}\n" for line in lines)))


async def _body(request: Request) -> bytes | None:
    """Read the body; None where it is too long."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_REQUEST:
            return None
    return bytes(body)


def _response(reply: Reply) -> Response:
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    response = PlainTextResponse(reply.text, reply.status, headers)
    response.headers["content-type"] = reply.media_type
    return response
