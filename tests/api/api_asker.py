"""Asking an app without a network."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
from api_world import TOKEN

if TYPE_CHECKING:
    from starlette.types import ASGIApp


class Asker:
    """Asks an app without a network, as the consumer or as the operator."""

    def __init__(self, app: ASGIApp) -> None:
        """Hold the app."""
        self.app = app

    def __call__(
        self, method: str, path: str, *, operator: bool = False, **more: Any
    ) -> httpx.Response:
        """Send one request."""
        headers = dict(more.pop("headers", {}))
        if operator:
            headers["authorization"] = f"Bearer {TOKEN}"

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, path, headers=headers, **more)

        return asyncio.run(send())

    def get(self, path: str, accept: str = "application/json", **more: Any) -> httpx.Response:
        """GET with an Accept header."""
        headers = {"accept": accept} | more.pop("headers", {})
        return self("GET", path, headers=headers, **more)

    def graphql(self, query: str, *, operator: bool = False, **variables: Any) -> dict[str, Any]:
        """POST a query and return the decoded answer."""
        body = {"query": query, "variables": variables}
        answer = self("POST", "/graphql", operator=operator, json=body)
        decoded: dict[str, Any] = answer.json()
        return decoded
