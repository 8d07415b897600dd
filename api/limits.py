"""What one GraphQL document may cost before anything is executed.

Counted on the parsed document, with every fragment counted once and its sums
reused, so that a short document of fragments that spread each other twice
cannot make the counting itself take for ever. The check stands before
validation, because validation compares fields pairwise.

Next: api/schema.py
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    parse,
)

if TYPE_CHECKING:
    from graphql import SelectionSetNode

__all__ = ["LIMITS", "MAX_PAGE", "Limits", "check_document", "parsed"]

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
        roots: Fields at the root, over all operations: each may read a whole product.
        fragments: Fragments defined.
    """

    tokens: int = 1_000
    depth: int = 12
    fields: int = 400
    aliases: int = 30
    roots: int = 10
    fragments: int = 30


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

    @property
    def fragments(self) -> int:
        """How many fragments the document defines."""
        return len(self._fragments)

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


@lru_cache(maxsize=128)
def parsed(text: str) -> DocumentNode:
    """Parse a document within its budget; the same text is parsed once.

    Raises:
        GraphQLError: It is not GraphQL, or is over budget.
    """
    try:
        document = parse(text, max_tokens=LIMITS.tokens)
        check_document(document)
    except RecursionError:
        raise _over("depth", f"the query is nested deeper than {LIMITS.depth} levels") from None
    return document


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
    for name, found in (("fragments", counter.fragments), *total._asdict().items()):
        allowed = getattr(limits, name)
        if found > allowed:
            raise _over(name, f"the query's {name} come to {found}; at most {allowed} are allowed")


def _over(limit: str, message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "LIMIT_EXCEEDED", "limit": limit})
