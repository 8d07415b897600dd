"""Fetching from an address that is not trusted: over HTTP, or from a directory.

Every answer is bounded in size and in time, no redirect is followed, and
nothing is sent along that could tell who asks. What is fetched is only bytes;
what they mean is checked by whoever asked for them.

Next: provenance/wire/remote.py
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

from provenance.clock import monotonic
from provenance.errors import RemoteError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["GONE", "MISSING", "OK", "Answer", "Source", "source_at"]

OK: Final = 200
MISSING: Final = 404
GONE: Final = 410
_HANDED_OVER: Final = frozenset({OK, 401, 403, MISSING, GONE})
_WORTH_REPEATING: Final = frozenset({429, 500, 502, 503, 504})

_CONNECT_SECONDS: Final = 5.0
_SILENCE_SECONDS: Final = 15.0
_ANSWER_SECONDS: Final = 120.0
"""For one whole answer: one that trickles in for ever is no answer."""
_PAUSES: Final = (0.2, 1.0, 3.0)
"""Seconds before each repetition; one attempt more than there are pauses."""
_LONGEST_PAUSE: Final = 10.0


class Answer(NamedTuple):
    """What an address gave: `status` as in HTTP, and the bytes where that is 200."""

    status: int
    data: bytes


class Source(Protocol):
    """Where a log's files are fetched from; by several threads at once, if they like."""

    @property
    def address(self) -> str:
        """The place, for messages and for going there again."""
        ...

    def get(self, path: str, limit: int) -> Answer:
        """Fetch `path`, relative to the address, of at most `limit` bytes.

        Returns:
            An answer of status 200, 401, 403, 404 or 410.

        Raises:
            RemoteError: No answer, another status, or more than `limit` bytes.
        """
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


def source_at(url: str, *, sleep: Callable[[float], object] = time.sleep) -> Source:
    """Make the source for an address; nothing is fetched yet.

    Args:
        url: `http://`, `https://` or `file://`, without query and without a password.
        sleep: Waits between attempts.

    Raises:
        UsageError: It is no such address.
    """
    try:
        parts = urlsplit(url)
        plain = not (parts.query or parts.fragment or parts.username or parts.password)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        raise UsageError(f"{url!a}: not an address such as https://example.org/log") from None
    if parts.scheme == "file" and plain and host in {"", "localhost"}:
        return _Directory(Path(unquote(parts.path)))
    if parts.scheme not in {"http", "https"} or not host or not plain:
        raise UsageError(
            f"{url!a}: expected http://, https:// or file://, without query, user or password"
        )
    return _Http(url.rstrip("/"), sleep)


class _Directory:
    """A directory that somebody exported or mounted; read as a static host would serve it."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self.address = str(place)

    def get(self, path: str, limit: int) -> Answer:
        place = self._place / path
        try:
            with place.open("rb") as file:
                data = file.read(limit + 1)
        except (FileNotFoundError, NotADirectoryError):
            if not self._place.is_dir():
                raise RemoteError(f"{self._place}: no such directory") from None
            return Answer(MISSING, b"")
        except OSError as error:
            raise RemoteError(f"{place}: cannot be read: {error.strerror}") from None
        if len(data) > limit:
            raise RemoteError(f"{place}: more than the {limit} bytes that belong there")
        return Answer(OK, data)

    def close(self) -> None:
        """Nothing is held."""


class _Transient(Exception):  # noqa: N818 - no error yet, a reason to ask again
    """An attempt failed in a way that may pass; `pause` is what the server asks for, if it does."""

    def __init__(self, reason: str, pause: float = 0.0) -> None:
        super().__init__(reason)
        self.pause = pause


class _Http:
    """An HTTP server, asked over kept-alive connections."""

    def __init__(self, address: str, sleep: Callable[[float], object]) -> None:
        import httpx  # noqa: PLC0415 - most commands speak to nobody

        self.address = address
        self._sleep = sleep
        self._errors = httpx.TransportError
        self._client = httpx.Client(
            timeout=httpx.Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS),
            follow_redirects=False,
            # Compression would let a small answer become a large one.
            headers={"Accept-Encoding": "identity", "User-Agent": "provenance"},
        )

    def get(self, path: str, limit: int) -> Answer:
        url = f"{self.address}/{path}"
        for pause in (*_PAUSES, None):
            try:
                return self._attempt(url, limit)
            except _Transient as error:
                if pause is None:
                    raise RemoteError(
                        f"{url}: {error}, {len(_PAUSES) + 1} times; try again later"
                    ) from None
                self._sleep(min(max(pause, error.pause), _LONGEST_PAUSE))
        raise AssertionError("the last attempt returns or raises")

    def _attempt(self, url: str, limit: int) -> Answer:
        deadline = monotonic() + _ANSWER_SECONDS
        try:
            with self._client.stream("GET", url) as response:
                status = _checked_status(url, response)
                return Answer(status, _body(url, response, limit, deadline))
        except self._errors as error:
            raise _Transient(f"no answer ({type(error).__name__})") from None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _checked_status(url: str, response: Any) -> int:
    status: int = response.status_code
    if status in _WORTH_REPEATING:
        wish = response.headers.get("retry-after", "")
        raise _Transient(f"the server answers {status}", float(wish) if wish.isdecimal() else 0.0)
    if response.has_redirect_location:
        target = ascii(response.headers["location"])[1:-1][:200]
        raise RemoteError(f"{url}: leads on to {target}; give that address if you mean it")
    if status not in _HANDED_OVER:
        raise RemoteError(f"{url}: the server answers {status}; is this the address of a log?")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise RemoteError(f"{url}: the answer is compressed, though that was not asked for")
    return status


def _body(url: str, response: Any, limit: int, deadline: float) -> bytes:
    if response.status_code != OK:
        return b""
    parts = []
    size = 0
    for part in response.iter_raw():
        size += len(part)
        if size > limit:
            raise RemoteError(f"{url}: more than the {limit} bytes that belong there")
        if monotonic() > deadline:
            raise RemoteError(f"{url}: not complete after {_ANSWER_SECONDS:.0f} s")
        parts.append(part)
    return b"".join(parts)
