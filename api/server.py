"""Serving a workspace: where to listen, the operator's token, an orderly end.

The server listens on the machine itself unless it is told in so many words to
be public. The operator's token is handed to the caller once, for the terminal;
it goes to no log and no file.

Next: api/export.py
"""

from __future__ import annotations

import errno
import ipaddress
import signal
import socket
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import uvicorn

from api.app import create_app
from api.settings import ApiSettings
from api.viewer import mint_token
from provenance.entries import Tier
from provenance.errors import UsageError
from workspace.patrol import told as said

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from starlette.types import ASGIApp

    from workspace.workspace import Workspace

__all__ = ["Announcement", "Listening", "bind", "make_server", "serve", "serve_app"]

_GRACE_SECONDS = 10
_MOST_CONNECTIONS = 512
_LAST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Listening:
    """Where to listen.

    Attributes:
        host: An address or host name.
        port: 0 to 65535; 0 takes any that is free.
        public: Whether another address than the machine's own is meant.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    public: bool = False


@dataclass(frozen=True, slots=True)
class Announcement:
    """What is said once, when the server accepts connections.

    Attributes:
        address: The server's own address, for example "http://127.0.0.1:8765".
        token: The operator's bearer token, to be shown to the person at the terminal only.
        partner_token: The partners' bearer token, likewise; None where none was asked for.
    """

    address: str
    token: str
    partner_token: str | None = None


class _Server(uvicorn.Server):
    """A server for which SIGINT and SIGTERM are a good end, not one to die of afterwards.

    Attributes:
        on_start: Called once, when connections are accepted: whoever is told the address then
            may use it at once.
    """

    on_start: Callable[[], object] = staticmethod(lambda: None)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept, then say so."""
        await super().startup(sockets)
        if self.started:
            self.on_start()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end; a second SIGINT does not wait for requests under way."""
        del frame
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def serve(
    workspace: Workspace,
    listening: Listening,
    announce: Callable[[Announcement], None],
    *,
    introspection: bool = False,
    partners: bool = False,
    capture: bool = False,
    detecting: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM; requests under way are given ten seconds to end.

    Args:
        workspace: Stays the caller's.
        listening: Where.
        announce: Is told address and tokens once, when connections are accepted.
        introspection: Whether callers may ask for the GraphQL schema.
        partners: Make a token for partners, who see fields up to the partner tier.
        capture: Let the operator send EPCIS documents into the log.
        detecting: Tell in `/healthz` what the patrol is doing, which is the caller's to start.

    Raises:
        UsageError: The address is public without being meant to be, or cannot be had.
    """
    server, taken, told = make_server(
        workspace,
        listening,
        introspection=introspection,
        partners=partners,
        capture=capture,
        detecting=detecting,
    )
    server.on_start = lambda: announce(told)
    with taken:
        server.run(sockets=[taken])


def make_server(
    workspace: Workspace,
    listening: Listening,
    *,
    introspection: bool = False,
    partners: bool = False,
    capture: bool = False,
    detecting: bool = False,
) -> tuple[_Server, socket.socket, Announcement]:
    """Take the port and prepare the server; arguments and errors as for `serve`.

    Returns:
        The server, to be run with the socket; the socket, which the caller closes; and what
        to announce.
    """
    token = mint_token(workspace.entropy)
    partner_token = mint_token(workspace.entropy) if partners else None
    settings = ApiSettings(
        base=workspace.settings.domain.rstrip("/"),
        token=token,
        partner_token=partner_token,
        introspection=introspection,
        capture=capture,
        party=workspace.settings.party,
        bodies=Tier[workspace.settings.serve.bodies.upper()],
    )
    if detecting:
        settings = replace(
            settings,
            detection=lambda tier: said(workspace.layout, whole=tier is Tier.PRIVATE),
        )
    server, taken, address = bind(create_app(workspace, settings), listening)
    return server, taken, Announcement(address, token, partner_token)


def serve_app(app: ASGIApp, listening: Listening, announce: Callable[[str], None]) -> None:
    """Serve an app until SIGINT or SIGTERM; `announce` is told the address. Errors as for `serve`.

    Args:
        app: What answers.
        listening: Where.
        announce: Is told the server's own address once, when connections are accepted.
    """
    server, taken, address = bind(app, listening)
    server.on_start = lambda: announce(address)
    with taken:
        server.run(sockets=[taken])


def bind(app: ASGIApp, listening: Listening) -> tuple[_Server, socket.socket, str]:
    """Take the port and prepare a server for `app`; errors as for `serve`.

    Returns:
        The server, to be run with the socket; the socket, which the caller closes; and the
        server's own address.
    """
    taken = _take(listening)
    config = uvicorn.Config(
        app,
        access_log=False,  # addresses name items and serials: nobody's business but the caller's
        log_config=None,
        server_header=False,
        ws="none",
        lifespan="on",
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    host, port = taken.getsockname()[:2]
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    return _Server(config), taken, address


def _take(listening: Listening) -> socket.socket:
    """Bind the port, so that it is known to be ours before anything is announced."""
    host, port = listening.host, listening.port
    place = f"{host}:{port}"
    if not 0 <= port <= _LAST_PORT:
        raise UsageError(f"{place}: a port is 0 to {_LAST_PORT}")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise UsageError(f"{place}: not an address and port of this machine") from None
    family, kind, protocol, _, address = found[0]
    if not listening.public and not ipaddress.ip_address(address[0]).is_loopback:
        raise UsageError(f"{place}: others could reach it; add --public if that is meant")
    taken = socket.socket(family, kind, protocol)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
    except OSError as error:
        taken.close()
        raise UsageError(f"{place}: {_why(error)}") from None
    return taken


def _why(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "the port is in use; end the other server or choose another with --port"
    if error.errno == errno.EACCES:
        return "the port is reserved for the system; choose one above 1023 with --port"
    if error.errno == errno.EADDRNOTAVAIL:
        return "not an address of this machine"
    return f"cannot be listened on: {error.strerror}"
