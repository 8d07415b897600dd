"""AQL text as words: names, numbers, texts, signs and bind parameters."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from aql_values import AqlError

KEYWORDS = frozenset(
    (
        *("AGGREGATE", "ALL", "ALL_SHORTEST_PATHS", "AND", "ANY", "ASC", "COLLECT", "DESC"),
        *("DISTINCT", "FALSE", "FILTER", "FOR", "GRAPH", "IN", "INBOUND", "INSERT", "INTO"),
        *("K_PATHS", "K_SHORTEST_PATHS", "LET", "LIKE", "LIMIT", "NONE", "NOT", "NULL", "OR"),
        *("OUTBOUND", "REMOVE", "REPLACE", "RETURN", "SHORTEST_PATH", "SORT", "TRUE", "UPDATE"),
        *("UPSERT", "WINDOW", "WITH"),
    )
)
_WORD = re.compile(
    r"""
    (?P<space>\s+|//[^\n]*|/\*.*?\*/)
  | (?P<number>(?:0|[1-9]\d*)(?:\.(?!\.)\d+)?(?:[eE][-+]?\d+)?|0[bB][01]+|0[xX][0-9a-fA-F]+)
  | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
  | (?P<quoted>`[^`]*`)
  | (?P<source>@@[A-Za-z0-9_]+)
  | (?P<bind>@[A-Za-z0-9_]+)
  | (?P<name>[$]?_*[A-Za-z][A-Za-z0-9_]*|\$[A-Z]+)
  | (?P<sign>\.\.|==|!=|<=|>=|=~|!~|&&|\|\||::|\*\*|[-+*/%<>=!?:,.()\[\]{}])
    """,
    re.VERBOSE | re.DOTALL,
)


class Word(NamedTuple):
    """One word: its kind, and its value."""

    kind: str
    value: Any


def words_of(query: str) -> list[Word]:
    """Take a query apart.

    Raises:
        AqlError: 1501, it is no AQL.
    """
    found, at = [], 0
    while at < len(query):
        match = _WORD.match(query, at)
        if match is None:
            raise AqlError(
                1501, f"AQL: syntax error, unexpected {query[at]!r} near {query[at:][:40]!r}"
            )
        kind, value = str(match.lastgroup), match.group()
        at = match.end()
        if kind == "space":
            continue
        found.append(_word(kind, value))
    return [*found, Word("end", "")]


def _word(kind: str, value: str) -> Word:
    if kind == "number":
        whole = not set(value.lower()) & set(".e") or value[:2].lower() in {"0x", "0b"}
        return Word("number", int(value, 0) if whole else float(value))
    if kind == "text":
        inner = value[1:-1]
        if value[0] == "'":
            inner = inner.replace("\\'", "'").replace('"', '\\"')
        return Word("text", json.loads(f'"{inner}"', strict=False))
    if kind == "quoted":
        return Word("name", value[1:-1])
    if kind in {"bind", "source"}:
        return Word(kind, value.lstrip("@"))
    if kind == "name" and value.upper() in KEYWORDS:
        return Word("keyword", value.upper())
    return Word(kind, value)
