"""The budget of a GraphQL document, counted in time that grows with its length only."""

from __future__ import annotations

import sys
import time
from dataclasses import fields

import pytest
from graphql import FieldNode, FragmentSpreadNode, GraphQLError, parse
from hypothesis import given
from hypothesis import strategies as st

from api.limits import LIMITS, Limits, check_document, parsed

_LOOSE = {field.name: 10**6 for field in fields(Limits)}


def _naive(document: object) -> tuple[int, int, int]:
    """Depth, fields and aliases by writing every fragment out, the slow and plain way."""
    parts = {
        part.name.value: part for part in document.definitions if part.kind == "fragment_definition"
    }

    def walk(selections: object, depth: int) -> list[tuple[int, bool]]:
        found = []
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                found += [(depth, bool(node.alias)), *walk(node.selection_set, depth + 1)]
            elif isinstance(node, FragmentSpreadNode):
                found += walk(parts[node.name.value].selection_set, depth)
            else:
                found += walk(node.selection_set, depth)
        return found

    counted = [
        field
        for part in document.definitions
        if part.kind == "operation_definition"
        for field in walk(part.selection_set, 1)
    ]
    return max((at for at, _ in counted), default=0), len(counted), sum(a for _, a in counted)


_NAMES = st.sampled_from(["a", "b", "x: a", "y: c"])


def _selection(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    nested = st.tuples(_NAMES, inner).map(lambda pair: f"{pair[0]} {pair[1]}")
    inline = inner.map(lambda text: f"... on T {text}")
    return st.lists(nested | inline | _NAMES, min_size=1, max_size=4).map(
        lambda p: f"{{{' '.join(p)}}}"
    )


_TREES = st.recursive(_NAMES.map(lambda name: f"{{{name}}}"), _selection, max_leaves=15)


@given(_TREES, _TREES, _TREES)
def test_counts_equal_the_naive_count(first: str, second: str, third: str) -> None:
    """Depth, fields and aliases are those of the document with all fragments written out."""
    text = (
        f"query {{a {first} ...F ...F}} fragment F on T {{b ...G c {second} ...G}} "
        f"fragment G on T {third}"
    )
    document = parse(text)
    depth, count, aliases = _naive(document)
    for name, found in (("depth", depth), ("fields", count), ("aliases", aliases)):
        check_document(document, Limits(**(_LOOSE | {name: found})))
        if found:
            with pytest.raises(GraphQLError, match=f"{name} come to {found};"):
                check_document(document, Limits(**(_LOOSE | {name: found - 1})))


def test_fragments_that_double_are_counted_at_once() -> None:
    """Fragments that spread the next one twice, thirty deep, are refused in a moment."""
    bomb = "{...F0}" + "".join(
        f"fragment F{n} on Query{{...F{n + 1} ...F{n + 1}}}" for n in range(29)
    )
    bomb += "fragment F29 on Query{log{size}}"
    started = time.monotonic()
    with pytest.raises(GraphQLError) as refused:
        parsed(bomb)
    assert time.monotonic() - started < 30  # written out it would take hours
    assert refused.value.extensions == {"code": "LIMIT_EXCEEDED", "limit": "fields"}


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("{" + "log{size}" * 11 + "}", "roots"),
        (
            "{"
            + " ".join(f"a{n}:b" for n in range(9))
            + "x{"
            + " ".join(f"a{n}:b" for n in range(22))
            + "}}",
            "aliases",
        ),
        ("{a" * 13 + "}" * 13, "depth"),
        ("{a{" + "b " * 400 + "}}", "fields"),
        ("{a}" + "".join(f"fragment F{n} on Query{{a}}" for n in range(31)), "fragments"),
        ("query A{...F} fragment F on Query{...G} fragment G on Query{...F}", None),
    ],
)
def test_each_limit_holds(text: str, limit: str | None) -> None:
    """Over a limit a document is refused with the limit's name; a cycle is left to validation."""
    if limit is None:
        parsed(text)
        return
    with pytest.raises(GraphQLError) as refused:
        parsed(text)
    assert refused.value.extensions == {"code": "LIMIT_EXCEEDED", "limit": limit}


def test_tokens_stop_the_parser() -> None:
    """A document of too many tokens is refused while it is read."""
    with pytest.raises(GraphQLError, match="tokens"):
        parsed("{" + "a " * LIMITS.tokens + "}")


def test_the_stack_does_not_overflow() -> None:
    """Nesting is refused as such however little room the stack has left."""
    limit = sys.getrecursionlimit()
    frame, used = sys._getframe(), 0
    while frame is not None:
        frame, used = frame.f_back, used + 1
    sys.setrecursionlimit(used + 120)
    try:
        with pytest.raises(GraphQLError, match="nested"):
            parsed("{a" * 150 + "}" * 150)
    finally:
        sys.setrecursionlimit(limit)
    with pytest.raises(GraphQLError, match="nested"):
        parsed("{a" * 450 + "}" * 450)
