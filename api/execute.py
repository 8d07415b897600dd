"""Running one GraphQL document: budget, execution, and what is told of failures.

Everything runs synchronously in the worker thread that has borrowed the view,
so a request sees one state of the graph. Expected failures carry a stable
`extensions.code`; unexpected ones are logged and masked.

Next: api/web.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from graphql import GraphQLError, OperationDefinitionNode
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from api.errors import answer_for
from api.limits import parsed

if TYPE_CHECKING:
    from collections.abc import Mapping

    import strawberry
    from graphql import DocumentNode

    from api.schema import Context

__all__ = ["Outcome", "Query", "execute"]


class Query(NamedTuple):
    """What a caller sends."""

    text: str
    variables: Mapping[str, Any] | None = None
    operation: str | None = None


class Outcome(NamedTuple):
    """What the caller gets.

    Attributes:
        status: 200, or 400 when nothing was executed.
        body: The GraphQL response.
    """

    status: int
    body: dict[str, Any]


def execute(schema: strawberry.Schema, query: Query, context: Context) -> Outcome:
    """Execute a query; never raises for anything that the caller sent."""
    try:
        _check_choice(parsed(query.text), query.operation)
        result = schema.execute_sync(
            query.text,
            variable_values=None if query.variables is None else dict(query.variables),
            operation_name=query.operation,
            context_value=context,
            allowed_operation_types={OperationType.QUERY},
        )
    except GraphQLError as error:
        return _refused(error)
    except (MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError):
        return _refused(_ONE_QUERY)
    errors = [_shown(error) for error in result.errors or ()]
    body: dict[str, Any] = {"data": result.data}
    if errors:
        body["errors"] = errors
    executed = result.data is not None or any("path" in error for error in errors)
    return Outcome(200 if executed else 400, body if executed else {"errors": errors})


_ONE_QUERY = GraphQLError("name one query of the document; only queries are answered")


def _check_choice(document: DocumentNode, operation: str | None) -> None:
    """Refuse to guess which of several operations is meant."""
    found = [part for part in document.definitions if isinstance(part, OperationDefinitionNode)]
    if operation is None and len(found) != 1:
        raise _ONE_QUERY


def _refused(error: GraphQLError) -> Outcome:
    return Outcome(400, {"errors": [_shown(error)]})


def _shown(error: GraphQLError) -> dict[str, Any]:
    """Return what the caller is told of an error.

    One without a path comes from parsing, limits or validation and speaks about the
    caller's own document. One with a path comes from a resolver.
    """
    if error.path is None and not _is_defect(error):
        code = (error.extensions or {}).get("code", "BAD_QUERY")
        return {**error.formatted, "extensions": {**(error.extensions or {}), "code": code}}
    answer = answer_for(error.original_error or error)
    return {**error.formatted, "message": answer.message, "extensions": {"code": answer.code}}


def _is_defect(error: GraphQLError) -> bool:
    original = error.original_error
    return original is not None and not isinstance(original, GraphQLError)
