"""The log for mirrors and monitors: tiles, entry bundles and bodies (c2sp.org/tlog-tiles).

What is here is the same for everybody, so no token is looked at. A tile or an
entry bundle never changes, not even a partial one, and may be kept for ever; a
body may be erased, so whoever keeps one asks again.

Next: api/app.py
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from api.errors import Answer
from api.viewer import ANONYMOUS
from api.web import JSON, dress, failure, matches
from provenance.errors import NotFound
from provenance.wire.bundles import format_entries
from provenance.wire.paths import ENTRIES, parse_body, parse_tile, width_at

if TYPE_CHECKING:
    from starlette.requests import Request

    from api.reading import Reading

__all__ = ["body", "tile"]

_BYTES: Final = "application/octet-stream"
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"


def tile(request: Request, view: Reading) -> Response:
    """Answer with a tile or an entry bundle, up to the size of the latest checkpoint."""
    wanted = parse_tile(f"tile/{request.path_params['rest']}")
    if wanted.width > width_at(wanted.level, wanted.number, size := view.head().size):
        raise NotFound(f"the log has {size} entries, and not yet {wanted.path}")
    if wanted.level == ENTRIES:
        data = format_entries(view.leaves(wanted.first, wanted.first + wanted.width))
    else:
        data = view.tile(*wanted)
    return _answer(request, data, _BYTES, _FOR_EVER)


def body(request: Request, view: Reading) -> Response:
    """Answer with the exact bytes of a body, without anything that opens its commitments."""
    index = parse_body(f"body/{request.path_params['rest']}")
    if index >= (size := view.head().size):
        raise NotFound(f"the log has {size} entries; the first is entry 0")
    data = view.body(index)
    if data is None:
        gone = Answer(410, "ERASED", f"the body of entry {index} was erased")
        return dress(failure(request, gone), ANONYMOUS)
    return _answer(request, data, JSON, _ASK_AGAIN)


def _answer(request: Request, data: bytes, media_type: str, caching: str) -> Response:
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    fresh = Response(status_code=304) if matches(request, tag) else None
    response = dress(fresh or Response(data, media_type=media_type), ANONYMOUS, tag)
    response.headers["cache-control"] = caching
    del response.headers["vary"]  # one address has one form, whoever asks
    return response
