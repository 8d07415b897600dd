"""Queries of AQL: clause after clause, each making variables of those before it."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, Any, Protocol

from aql_expressions import Env, Expressions
from aql_functions import FUNCTIONS, hashable, unique
from aql_graphs import Options, Path, Walker
from aql_values import AqlError, order_key, truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Doc = dict[str, Any]
Clause = "Callable[[Iterable[Env]], Iterable[Env]]"
_PATHS = ("SHORTEST_PATH", "ALL_SHORTEST_PATHS", "K_SHORTEST_PATHS", "K_PATHS")


class Database(Protocol):
    """Where a query reads."""

    def documents(self, collection: str) -> list[Doc]:
        """Return all documents; 1203 where there is no such collection."""

    def document(self, id_: str) -> Doc | None:
        """Return a document by its id."""

    def edges_at(self, collection: str, end: str, id_: str) -> list[Doc]:
        """Return the edges at a vertex, oldest first."""

    def graph_edges(self, graph: str) -> list[str]:
        """Return the edge collections of a named graph; 1924 where there is none."""


def run(query: str, binds: dict[str, Any], database: Database) -> list[Any]:
    """Run a query.

    Raises:
        AqlError: The query is refused.
    """
    reader = _read(query)
    undeclared = binds.keys() - reader.binds
    if undeclared:
        name = min(undeclared)
        raise AqlError(1552, f"bind parameter '{name}' was not declared in the query")
    return list(reader.whole({"@": binds, "#": database}))


@functools.lru_cache(maxsize=512)
def _read(query: str) -> Queries:
    reader = Queries(query)
    if reader.word.kind != "end":
        raise reader.wrong()
    return reader


class Queries(Expressions):
    """One query, read into functions."""

    def __init__(self, query: str) -> None:
        """Read it."""
        super().__init__(query)
        self.binds = {
            word.value if word.kind == "bind" else f"@{word.value}"
            for word in self.words
            if word.kind in {"bind", "source"}
        }
        self.whole: Callable[[Env], Iterator[Any]] = self._query()

    def nested(self) -> Callable[[Env], Any]:
        """Read a query within an expression: its answers as a list."""
        query = self._query()
        return lambda env: list(query(env))

    def source(self, name: Callable[[Env], str]) -> Callable[[Env], Any]:
        """Return what reads all documents of a collection."""
        return lambda env: env["#"].documents(name(env))

    def _query(self) -> Callable[[Env], Iterator[Any]]:
        clauses: list[Any] = []
        if self.take("WITH"):
            self._collections()
        while not self.take("RETURN"):
            if self.take("REMOVE"):
                return self._remove(clauses)
            clauses.append(self._clause())
        distinct = bool(self.take("DISTINCT"))
        made = self.expression()

        def query(env: Env) -> Iterator[Any]:
            rows: Iterable[Env] = [env]
            for clause in clauses:
                rows = clause(rows)
            answers = (made(row) for row in rows)
            yield from unique(answers) if distinct else answers

        return query

    def _remove(self, clauses: list[Any]) -> Callable[[Env], Iterator[Any]]:
        what = self._range()
        self.expect("IN")
        ((name, _),) = self._collections()

        def query(env: Env) -> Iterator[Any]:
            rows: Iterable[Env] = [env]
            for clause in clauses:
                rows = clause(rows)
            gone = [what(row) for row in rows]
            for one in gone:
                env["#"].remove(name(env), one["_key"] if isinstance(one, dict) else one)
            return iter(())

        return query

    def _clause(self) -> Any:
        if self.take("FOR"):
            return self._for()
        if self.take("FILTER"):
            kept = self.expression()
            return lambda rows: (row for row in rows if truth(kept(row)))
        if self.take("LET"):
            name = self.name()
            self.expect("=")
            value = self.expression()
            return lambda rows: (row | {name: value(row)} for row in rows)
        if self.take("SORT"):
            return self._sort()
        if self.take("LIMIT"):
            return self._limit()
        if self.take("COLLECT"):
            return self._collect()
        raise self.wrong()

    def _sort(self) -> Any:
        keys = []
        while True:
            keys.append((self.expression(), self.take("ASC", "DESC") == "DESC"))
            if not self.take(","):
                break

        def clause(rows: Iterable[Env]) -> list[Env]:
            ordered = list(rows)
            for key, down in reversed(keys):
                ordered.sort(key=lambda row: order_key(key(row)), reverse=down)
            return ordered

        return clause

    def _limit(self) -> Any:
        first = self.expression()
        most = self.expression() if self.take(",") else None

        def clause(rows: Iterable[Env]) -> Iterator[Env]:
            iterator = iter(rows)
            head = next(iterator, None)
            if head is None:
                return iter(())
            skip, stop = (0, first(head)) if most is None else (first(head), most(head))
            if not all(isinstance(bound, int) and bound >= 0 for bound in (skip, stop)):
                raise AqlError(1504, "number out of range")
            return itertools.islice(itertools.chain([head], iterator), skip, skip + stop)

        return clause

    def _collect(self) -> Any:
        keys = [] if self._collects_only() else self._assignments()
        counts = self._aggregates() if self.take("AGGREGATE") else []
        into = inner = counted = None
        if self.take("INTO"):
            into = self.name()
            inner = self.expression() if self.take("=") else None
        if self.take("WITH"):
            if not self.takes("COUNT"):
                raise self.wrong()
            self.expect("INTO")
            counted = self.name()
        self._options()
        return functools.partial(_collected, keys, counts, (into, inner), counted)

    def _collects_only(self) -> bool:
        word = self.word
        return word.kind == "keyword" and word.value in {"AGGREGATE", "WITH", "INTO"}

    def _assignments(self) -> list[tuple[str, Any]]:
        found = []
        while True:
            name = self.name()
            self.expect("=")
            found.append((name, self.expression()))
            if not self.take(","):
                return found

    def _aggregates(self) -> list[tuple[str, Any, Any]]:
        found = []
        while True:
            name = self.name()
            self.expect("=")
            function = FUNCTIONS[self.name().upper()]
            self.expect("(")
            found.append((name, function, self.expression()))
            self.expect(")")
            if not self.take(","):
                return found

    def _for(self) -> Any:
        names = [self.name()]
        while self.take(","):
            names.append(self.name())
        self.expect("IN")
        begin = self.place
        depth = None if self._way() else self.expression()
        if self._way():
            way = str(self.take("OUTBOUND", "INBOUND", "ANY"))
            kind = self.take(*_PATHS)
            if kind:
                return self._paths(names, way, kind, depth)
            return self._traversal(names, way, depth)
        self.place = begin
        word = self.word
        values = self.expression()
        self._options()
        found_by = self._found_by(names[0]) if word.kind == "source" else None

        def clause(rows: Iterable[Env]) -> Iterator[Env]:
            for row in rows:
                found = found_by(row, word.value) if found_by else None
                found = values(row) if found is None else found
                if not isinstance(found, list):
                    raise AqlError(1563, "collection or array expected as operand to FOR loop")
                for one in found:
                    yield row | {names[0]: one}

        return clause

    def _found_by(self, name: str) -> Callable[[Env, str], list[Doc] | None] | None:
        """Read ahead whether the next filter asks for what an index holds."""
        ahead = [word.value for word in self.words[self.place : self.place + 5]]
        if len(ahead) < 5 or ahead[:3] != ["FILTER", name, "."] or ahead[4] not in {"==", "IN"}:
            return None
        begin, attribute, many = self.place, ahead[3], ahead[4] == "IN"
        self.place += 5
        wanted = self._range()
        self.place = begin

        def lookup(row: Env, source: str) -> list[Doc] | None:
            asked = wanted(row)
            values = asked if many else [asked]
            held = getattr(row["#"], "lookup", None)
            return held(row["@"][f"@{source}"], attribute, values) if held else None

        return lookup

    def _way(self) -> bool:
        return self.word.kind == "keyword" and self.word.value in {"OUTBOUND", "INBOUND", "ANY"}

    def _options(self) -> Callable[[Env], Doc]:
        return self.expression() if self.takes("OPTIONS") else lambda _: {}

    def _where(self, way: str) -> Callable[[Env], Walker]:
        """Read which edges to walk: those of a named graph, or some collections."""
        if self.take("GRAPH"):
            word = self.word
            named = self._primary() if word.kind in {"text", "bind"} else None
            spelled = None if named else self.name()
            return lambda env: Walker(
                env["#"],
                [(each, way) for each in env["#"].graph_edges(named(env) if named else spelled)],
            )
        ways = self._collections(way)
        return lambda env: Walker(env["#"], [(name(env), each) for name, each in ways])

    def _collections(self, way: str = "") -> list[tuple[Callable[[Env], str], str]]:
        found = []
        while True:
            own = self.take("OUTBOUND", "INBOUND", "ANY") or way
            word = self.word
            if word.kind not in {"name", "source", "bind"}:
                raise self.wrong()
            self.place += 1
            found.append((_name_of(word.kind, word.value), own))
            if not self.take(","):
                return found

    def _traversal(self, names: list[str], way: str, depth: Any) -> Any:
        start = self._reached(self._primary())
        where = self._where(way)
        pruned_as = prune = None
        if self.takes("PRUNE"):
            if self.words[self.place + 1].value == "=":
                pruned_as = self.name()
                self.expect("=")
            prune = self.expression()
        options = self._options()

        def clause(rows: Iterable[Env]) -> Iterator[Env]:
            for row in rows:
                least, most = _bounds(depth(row) if depth else 1)
                stopped = _stopper(row, names, prune)
                given = _options_of(options(row))
                for path in where(row).traverse(_id(start(row)), least, most, given, stopped):
                    found = row | _variables(row, names, path)
                    yield found | {pruned_as: stopped(path)} if pruned_as else found

        return clause

    def _paths(self, names: list[str], way: str, kind: str, depth: Any) -> Any:
        start = self._reached(self._primary())
        if not self.takes("TO"):
            raise self.wrong()
        end = self._reached(self._primary())
        where, options = self._where(way), self._options()

        def clause(rows: Iterable[Env]) -> Iterator[Env]:
            for row in rows:
                walker, given = where(row), options(row)
                ends = _id(start(row)), _id(end(row))
                if kind == "K_PATHS":
                    least, most = _bounds(depth(row) if depth else 1)
                    paths = walker.all_between(*ends, least, most)
                elif kind == "ALL_SHORTEST_PATHS":
                    paths = walker.all_shortest(*ends)
                else:
                    paths = walker.by_weight(*ends, _weight(given))
                if kind == "SHORTEST_PATH":
                    for path in itertools.islice(paths, 1):
                        edges = (None, *path.edges)
                        for vertex, edge in zip(path.vertices, edges, strict=True):
                            step = (row["#"].document(vertex), edge)
                            yield row | dict(zip(names, step, strict=False))
                else:
                    yield from (row | {names[0]: _opened(row, path)} for path in paths)

        return clause


def _name_of(kind: str, value: str) -> Callable[[Env], str]:
    if kind == "name":
        return lambda _: value
    bind = value if kind == "bind" else f"@{value}"
    return lambda env: str(env["@"][bind])


def _id(value: Any) -> str:
    found = value.get("_id") if isinstance(value, dict) else value
    if not isinstance(found, str) or "/" not in found:
        raise AqlError(10, "invalid start vertex for a traversal")
    return found


def _bounds(depth: Any) -> tuple[int, int]:
    return (depth[0], depth[-1]) if isinstance(depth, list) else (int(depth), int(depth))


def _options_of(given: Doc) -> Options:
    order = given.get("order") or ("bfs" if given.get("bfs") else "dfs")
    vertices = given.get("uniqueVertices", "none")
    if vertices == "global" and order == "dfs":
        raise AqlError(1501, "uniqueVertices: 'global' is only supported with order: 'bfs'")
    return Options(order, vertices, given.get("uniqueEdges", "path"))


def _opened(row: Env, path: Path) -> Doc:
    database = row["#"]
    vertices = [database.document(each) for each in path.vertices]
    return {"vertices": vertices, "edges": list(path.edges)}


def _variables(row: Env, names: list[str], path: Path) -> Env:
    last = (row["#"].document(path.vertices[-1]), path.edges[-1] if path.edges else None)
    made = dict(zip(names, last, strict=False))
    return made | ({names[2]: _opened(row, path)} if len(names) > 2 else {})


def _stopper(row: Env, names: list[str], prune: Any) -> Callable[[Path], bool]:
    if prune is None:
        return lambda _: False
    return lambda path: truth(prune(row | _variables(row, names, path)))


def _weight(options: Doc) -> Callable[[Doc], float]:
    attribute, default = options.get("weightAttribute"), options.get("defaultWeight", 1)
    if attribute is None:
        return lambda _: 1
    return lambda edge: (
        edge[attribute] if isinstance(edge.get(attribute), (int, float)) else default
    )


def _collected(
    keys: list[tuple[str, Any]],
    counts: list[tuple[str, Any, Any]],
    into: tuple[str | None, Any],
    counted: str | None,
    rows: Iterable[Env],
) -> Iterator[Env]:
    held = list(rows)
    base = {name: held[0][name] for name in ("@", "#")} if held else {}
    groups: dict[Any, tuple[list[Any], list[Env]]] = {} if keys else {(): ([], [])}
    for row in held:
        values = [key(row) for _, key in keys]
        groups.setdefault(hashable(values) if keys else (), (values, []))[1].append(row)
    for values, members in sorted(groups.values(), key=lambda group: order_key(group[0])):
        made = base | {name: value for (name, _), value in zip(keys, values, strict=True)}
        for name, function, each in counts:
            made[name] = function([each(row) for row in members])
        if into[0]:
            made[into[0]] = [into[1](row) if into[1] else _plain(row) for row in members]
        if counted:
            made[counted] = len(members)
        yield made


def _plain(row: Env) -> Doc:
    return {name: value for name, value in row.items() if name not in {"@", "#"}}
