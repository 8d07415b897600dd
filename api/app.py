"""The ASGI app: routes, and the one way in which every request is answered.

A request is admitted (who asks?), given a view of the workspace in a worker
thread, answered, and dressed in the headers that all answers have. Failures of
any kind are turned into answers here and nowhere else.

Next: api/server.py
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from api import epcis_events, graphql_http, link, pages, tiles
from api.captures import LARGEST, Captures, behaviour_of
from api.epcis_rest import page_size, refuse_misfits, speaking
from api.errors import Answer, answer_for
from api.execute import execute
from api.readers import Readers
from api.schema import Context, make_schema
from api.store_reading import open_reading
from api.viewer import ANONYMOUS, Gate
from api.web import dress, entity_tag, failure, html_response, json_response, matches
from provenance.entries import Tier
from provenance.errors import AccessDenied

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from api.execute import Query
    from api.reading import Reading
    from api.settings import ApiSettings
    from api.viewer import Viewer
    from workspace.workspace import Workspace

    Answering = Callable[[Request, Reading, Viewer], Response]
    Serving = Callable[[Request, Reading], Response]
    Endpoint = Callable[[Request], Awaitable[Response]]

__all__ = ["build_app", "create_app"]

_PREFLIGHT = {
    "allow": "GET, HEAD, POST, OPTIONS",
    "access-control-allow-methods": "GET, HEAD, POST, OPTIONS",
    "access-control-allow-headers": "Accept, Content-Type",
    "access-control-max-age": "86400",
}
"""Scripts of any site may read what is public; a token may not travel with their requests."""
_CAPTURE_LIMITS = {
    "gs1-epcis-capture-file-size-limit": str(LARGEST),
    "gs1-capture-error-behaviour": "rollback",
}
_INVALID = "ValidationException"
_CODES = {
    401: "UNAUTHENTICATED",
    404: "NOT_FOUND",
    405: "BAD_METHOD",
    406: "NOT_OFFERED",
    413: "TOO_LARGE",
    414: "TOO_LONG",
    415: "NOT_TAKEN",
}


def create_app(workspace: Workspace, settings: ApiSettings) -> ASGIApp:
    """Make the app that serves a workspace.

    Args:
        workspace: Stays the caller's; the app opens readers of its own and closes them
            when the server stops.
        settings: How to answer.
    """
    readers = Readers(lambda: open_reading(workspace), settings.readers)
    return build_app(readers, settings, Captures(workspace) if settings.capture else None)


def build_app(readers: Readers, settings: ApiSettings, captures: Captures | None = None) -> ASGIApp:
    """Make the app on a pool of views; it closes the pool when the server stops.

    Args:
        readers: The pool.
        settings: How to answer.
        captures: Takes EPCIS documents; without it there is no such address.
    """
    site = _Site(readers, settings)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        """Close the pool when the server ends."""
        yield
        readers.close()

    def route(path: str, endpoint: Endpoint, *more: str) -> Route:
        return Route(path, endpoint, methods=["GET", "HEAD", "OPTIONS", *more])

    routes = [
        route("/graphql", site.graphql, "POST"),
        route("/01/{rest:path}", site.endpoint(site.resolve)),
        route("/x/{rest:path}", site.endpoint(site.resolve)),
        route("/checkpoint", site.endpoint(_checkpoint)),
        route("/tile/{rest:path}", site.open_to_all(tiles.tile)),
        route("/body/{rest:path}", site.bodies),
        route("/proof/{rest:path}", site.endpoint(_proof)),
        route("/events", speaking(site.endpoint(site.events), "QueryParameterException")),
        route("/events/{event_id:path}", speaking(site.endpoint(site.event), _INVALID)),
        route("/healthz", site.endpoint(site.health)),
        route("/", speaking(site.endpoint(_start), _INVALID)),
    ]
    if captures is not None:
        taken = _Capturing(site, captures)
        routes += [
            route("/capture", _capturing(taken.capture), "POST"),
            route("/capture/{capture_id}", _capturing(site.endpoint(taken.job))),
        ]
    return Starlette(
        routes=routes, lifespan=lifespan, exception_handlers={HTTPException: site.refuse}
    )


class _Site:
    """The handlers, and what they share."""

    def __init__(self, readers: Readers, settings: ApiSettings) -> None:
        self._readers = readers
        self._base = settings.base
        self._party = settings.party
        self._least_for_bodies = settings.bodies
        self._detection = settings.detection
        self._gate = Gate(settings.token, settings.partner_token)
        self._schema = make_schema(introspection=settings.introspection)

    def health(self, _: Request, view: Reading, viewer: Viewer) -> Response:
        """Say how far the graph is, and how far detection, where something keeps it up."""
        health = {"status": "ok", "position": view.position(), "size": view.head().size}
        detection = self._detection(viewer.tier)
        return json_response(health | ({"detection": detection} if detection else {}))

    def endpoint(self, answering: Answering) -> Endpoint:
        """Make an endpoint of a function that answers from a view."""

        async def endpoint(request: Request) -> Response:
            return await self._answer(request, answering)

        return endpoint

    def open_to_all(self, serving: Serving) -> Endpoint:
        """Make an endpoint of a function that answers everybody alike, with headers of its own."""

        async def endpoint(request: Request) -> Response:
            if request.method == "OPTIONS":
                return dress(Response(status_code=204, headers=_PREFLIGHT), ANONYMOUS)
            try:
                return await self._readers.run(lambda view: serving(request, view))
            except Exception as error:  # noqa: BLE001 - the outermost place, as below
                return dress(failure(request, _told(error)), ANONYMOUS)

        return endpoint

    @property
    def bodies(self) -> Endpoint:
        """The endpoint of bodies: open, or for those whose token says so."""
        least = self._least_for_bodies
        if least is Tier.PUBLIC:
            return self.open_to_all(tiles.body)

        def answering(request: Request, view: Reading, viewer: Viewer) -> Response:
            if viewer.tier < least:
                raise HTTPException(401, "bodies are shown here to whoever has a token")
            return tiles.body(request, view)

        return self.endpoint(answering)

    async def graphql(self, request: Request) -> Response:
        """Answer a query, from the body of a POST or the address of a GET."""
        if request.method != "POST":
            return await self._answer(
                request,
                lambda asked, view, viewer: self._execute(
                    graphql_http.from_address(asked), view, viewer
                ),
            )
        try:
            query = await graphql_http.from_body(request)
        except Exception as error:  # noqa: BLE001 - the outermost place: nothing escapes unmasked
            return dress(failure(request, _told(error)), None)
        return await self._answer(
            request, lambda _, view, viewer: self._execute(query, view, viewer)
        )

    async def _answer(self, request: Request, answering: Answering) -> Response:
        if request.method == "OPTIONS":
            return dress(Response(status_code=204, headers=_PREFLIGHT), ANONYMOUS)
        try:
            viewer = self._gate.admit(request.headers.get("authorization"))
        except AccessDenied as error:
            response = failure(request, Answer(401, "UNAUTHENTICATED", str(error)))
            response.headers["www-authenticate"] = "Bearer"
            return dress(response, None)
        try:
            return await self._readers.run(lambda view: _answer(request, view, viewer, answering))
        except Exception as error:  # noqa: BLE001 - as above
            return dress(failure(request, _told(error)), viewer)

    def _execute(self, query: Query, view: Reading, viewer: Viewer) -> Response:
        outcome = execute(self._schema, query, Context(view, viewer, self._base))
        return json_response(outcome.body, outcome.status)

    def resolve(self, request: Request, view: Reading, viewer: Viewer) -> Response:
        """Answer a Digital Link."""
        return link.resolve(request, view, viewer, self._base)

    def events(self, request: Request, view: Reading, viewer: Viewer) -> Response:
        """Answer an EPCIS query for events."""
        return epcis_events.events(request, view, viewer, self._base)

    def event(self, request: Request, view: Reading, viewer: Viewer) -> Response:
        """Answer with one event, by its EPCIS id."""
        return epcis_events.event(request, view, viewer, self._base, self._party)

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Answer what the router refuses: an unknown path or method."""
        response = failure(request, _told(error))
        response.headers.update(getattr(error, "headers", None) or {})
        return dress(response, ANONYMOUS)


class _Capturing:
    """The handlers of captures, which exist where the server was started with them."""

    def __init__(self, site: _Site, captures: Captures) -> None:
        self._site = site
        self._captures = captures

    async def capture(self, request: Request) -> Response:
        """Take a document, or list what was taken."""
        if request.method != "POST":
            return await self._site.endpoint(self._list)(request)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST:
                return await self._site.refuse(
                    request, HTTPException(413, f"a document has {LARGEST} bytes at most")
                )
        return await self._site.endpoint(
            lambda asked, _, viewer: self._take(asked, bytes(body), viewer)
        )(request)

    def _take(self, request: Request, document: bytes, viewer: Viewer) -> Response:
        _refuse_others(viewer)
        refuse_misfits(request)
        behaviour = behaviour_of(request.headers.get("gs1-capture-error-behaviour"))
        job = self._captures.take(document, behaviour)
        response = json_response(job, 202)
        response.headers["location"] = f"/capture/{job['captureID']}"
        return response

    def job(self, request: Request, _: Reading, viewer: Viewer) -> Response:
        """Tell of a job."""
        _refuse_others(viewer)
        return json_response(self._captures.jobs.get(request.path_params["capture_id"]))

    def _list(self, request: Request, _: Reading, viewer: Viewer) -> Response:
        _refuse_others(viewer)
        refuse_misfits(request)
        size = page_size(request.query_params.getlist("perPage"))
        jobs, following = self._captures.jobs.page(
            size, request.query_params.get("nextPageToken", "")
        )
        response = json_response(jobs)
        if following:
            query = f"perPage={size}&nextPageToken={following}"
            response.headers["link"] = f'</capture?{query}>; rel="next"'
        return response


def _capturing(endpoint: Endpoint) -> Endpoint:
    return speaking(endpoint, _INVALID, _CAPTURE_LIMITS)


def _refuse_others(viewer: Viewer) -> None:
    if not viewer.may_list:
        raise AccessDenied("documents are taken from the operator; show the operator's token")


def _answer(request: Request, view: Reading, viewer: Viewer, answering: Answering) -> Response:
    """Answer from a view, or say that the caller's copy is still right."""
    if request.method == "POST" or viewer is not ANONYMOUS:
        return dress(answering(request, view, viewer), viewer)
    tag = entity_tag(request, view)
    if matches(request, tag):
        return dress(Response(status_code=304), viewer, tag)
    response = answering(request, view, viewer)
    return dress(response, viewer, tag if response.status_code == 200 else None)  # noqa: PLR2004


def _told(error: Exception) -> Answer:
    """Decide what is told of a failure; the protocol's own are Starlette's."""
    if not isinstance(error, HTTPException):
        return answer_for(error)
    detail = "there is nothing at this address" if error.detail == "Not Found" else error.detail
    return Answer(error.status_code, _CODES.get(error.status_code, "BAD_INPUT"), detail)


def _checkpoint(_: Request, view: Reading, __: Viewer) -> Response:
    return PlainTextResponse(view.head().checkpoint)


def _proof(request: Request, view: Reading, viewer: Viewer) -> Response:
    party, event_id = link.proof_path(request)
    return json_response(view.prove(party, event_id, viewer.tier))


def _start(_: Request, view: Reading, __: Viewer) -> Response:
    return html_response(pages.start_page(view.head().origin))
