"""What an error becomes on the wire: status, code and words, decided in one place.

Expected errors of the tree keep their message, because it was written for the
one who asked. Errors about the workspace's own state name files and remedies
that are the operator's business: they are logged and answered in general words.
Anything outside the tree is a defect: logged with its traceback, answered masked.

Next: api/limits.py
"""

from __future__ import annotations

import logging
from typing import NamedTuple

from provenance.errors import (
    AccessDenied,
    EncodingError,
    Erased,
    InputError,
    NotFound,
    ProvenanceError,
    UsageError,
    VerificationError,
)

__all__ = ["Answer", "answer_for"]

_log = logging.getLogger("provenance.api")


class Answer(NamedTuple):
    """How one failure is answered.

    Attributes:
        status: The HTTP status.
        code: The stable word for programs (`extensions.code` in GraphQL).
        message: One line for people.
    """

    status: int
    code: str
    message: str


_KEPT: tuple[tuple[type[ProvenanceError], int, str], ...] = (
    (Erased, 410, "ERASED"),
    (NotFound, 404, "NOT_FOUND"),
    (AccessDenied, 403, "FORBIDDEN"),
    (InputError, 400, "BAD_INPUT"),
    (EncodingError, 400, "BAD_INPUT"),
    (UsageError, 400, "BAD_INPUT"),
)
_DAMAGED = Answer(500, "LOG_DAMAGED", "the log does not add up; the operator has been told")
_UNAVAILABLE = Answer(503, "UNAVAILABLE", "the records cannot be read at the moment; try again")
_INTERNAL = Answer(500, "INTERNAL", "something went wrong here; it has been logged")


def answer_for(error: BaseException) -> Answer:
    """Decide status, code and message for an error, and log what must not be shown.

    Args:
        error: Whatever a handler raised.

    Returns:
        What the viewer is told.
    """
    for kind, status, code in _KEPT:
        if isinstance(error, kind):
            return Answer(status, code, str(error))
    if isinstance(error, VerificationError):
        _log.error("verification failed while answering: %s", error)
        return _DAMAGED
    if isinstance(error, ProvenanceError):
        _log.warning("cannot answer: %s", error)
        return _UNAVAILABLE
    _log.error("unexpected error while answering", exc_info=error)
    return _INTERNAL
