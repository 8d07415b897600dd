"""What one GraphQL document may cost before anything is executed.

Counted on the parsed document, with every fragment counted once and its sums
reused, so that a short document of fragments that spread each other twice
cannot make the counting itself take for ever. The check stands before
validation, because validation compares fields pairwise.

Next: api/graphql_http.py
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
)

if TYPE_CHECKING:
    from graphql import SelectionSetNode

__all__ = ["LIMITS", "MAX_PAGE", "Limits", "check_document"]

MAX_PAGE = 250
"""The largest page of any list, in nodes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The budget of one document.

    Attributes:
        tokens: Lexical tokens; the parser stops there.
        depth: Levels of nested fields.
        fields: Fields after fragments have been spread, over all operations.
        aliases: Fields with an alias, after spreading.
        roots: Fields at the root of one operation: each may read a whole product.
    """

    tokens: int = 2_000
    depth: int = 12
    fields: int = 400
    aliases: int = 30
    roots: int = 10


LIMITS = Limits()


class _Sum(NamedTuple):
    depth: int = 0
    fields: int = 0
    aliases: int = 0
    roots: int = 0

    def beside(self, other: _Sum) -> _Sum:
        return _Sum(
            max(self.depth, other.depth),
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.roots + other.roots,
        )


class _Counter:
    """Sums selection sets; `_seen` holds a finished sum per fragment."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            part.name.value: part
            for part in document.definitions
            if isinstance(part, FragmentDefinitionNode)
        }
        self._seen: dict[str, _Sum] = {}

    def selection(self, selections: SelectionSetNode | None) -> _Sum:
        total = _Sum()
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                total = total.beside(self._field(node))
            elif isinstance(node, FragmentSpreadNode):
                total = total.beside(self._spread(node.name.value))
            else:
                total = total.beside(self.selection(getattr(node, "selection_set", None)))
        return total

    def _field(self, node: FieldNode) -> _Sum:
        inner = self.selection(node.selection_set)
        return _Sum(1 + inner.depth, 1 + inner.fields, bool(node.alias) + inner.aliases, 1)

    def _spread(self, name: str) -> _Sum:
        if name not in self._seen:
            self._seen[name] = _Sum()  # a cycle ends here; validation refuses it with its own words
            if (fragment := self._fragments.get(name)) is not None:
                self._seen[name] = self.selection(fragment.selection_set)
        return self._seen[name]


def check_document(document: DocumentNode, limits: Limits = LIMITS) -> None:
    """Refuse a document that is over budget.

    Args:
        document: The parsed document.
        limits: The budget.

    Raises:
        GraphQLError: With `extensions.code` = "LIMIT_EXCEEDED" and the limit's name.
    """
    counter = _Counter(document)
    total = _Sum()
    for part in document.definitions:
        if isinstance(part, OperationDefinitionNode):
            total = total.beside(counter.selection(part.selection_set))
    for name in _Sum._fields:
        found, allowed = getattr(total, name), getattr(limits, name)
        if found > allowed:
            raise GraphQLError(
                f"the query's {name} come to {found}; at most {allowed} are allowed",
                extensions={"code": "LIMIT_EXCEEDED", "limit": name},
            )
