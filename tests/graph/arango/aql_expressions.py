"""Expressions of AQL, read into functions of the variables around them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from aql_functions import FUNCTIONS, same, within
from aql_values import AqlError, at, compare, member, number, plain, truth
from aql_words import Word, words_of

if TYPE_CHECKING:
    from collections.abc import Callable

Env = dict[str, Any]
Expression = "Callable[[Env], Any]"


def _like(left: Any, right: Any) -> bool:
    pattern = re.escape(right).replace("%", ".*").replace("_", ".")
    return re.fullmatch(pattern, left, re.DOTALL) is not None


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": same,
    "!=": lambda left, right: not same(left, right),
    "<": lambda left, right: compare(left, right) < 0,
    "<=": lambda left, right: compare(left, right) <= 0,
    ">": lambda left, right: compare(left, right) > 0,
    ">=": lambda left, right: compare(left, right) >= 0,
    "IN": within,
    "NOT IN": lambda left, right: not within(left, right),
    "LIKE": _like,
    "NOT LIKE": lambda left, right: not _like(left, right),
    "=~": lambda left, right: bool(re.search(right, left)),
    "!~": lambda left, right: not re.search(right, left),
}
_HOW_MANY: dict[str, Callable[[Any], bool]] = {
    "ALL": all,
    "ANY": any,
    "NONE": lambda values: not any(values),
}


def _divide(left: float, right: float) -> Any:
    return None if right == 0 else left / right


def _modulo(left: float, right: float) -> Any:
    return None if right == 0 else left - right * int(left / right)


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": _divide,
    "%": _modulo,
}


class Expressions:
    """Reads expressions from words; queries, which expressions may hold, are read by a subclass."""

    def __init__(self, query: str) -> None:
        """Begin at the first word."""
        self.query = query
        self.words = words_of(query)
        self.place = 0

    @property
    def word(self) -> Word:
        """The word that comes next."""
        return self.words[self.place]

    def take(self, *values: str) -> str | None:
        """Pass over the next word if it is one of these."""
        word = self.word
        if word.kind in {"keyword", "sign"} and word.value in values:
            self.place += 1
            return str(word.value)
        return None

    def takes(self, name: str) -> bool:
        """Pass over the next word if it is a name that is a keyword here only."""
        if self.word.kind == "name" and self.word.value.upper() == name:
            self.place += 1
            return True
        return False

    def expect(self, *values: str) -> str:
        """Pass over the next word, which must be one of these."""
        found = self.take(*values)
        if found is None:
            raise self.wrong()
        return found

    def wrong(self) -> AqlError:
        """Say that the next word cannot stand here."""
        return AqlError(1501, f"AQL: syntax error, unexpected {self.word.value!r}")

    def name(self) -> str:
        """Read a name."""
        if self.word.kind != "name":
            raise self.wrong()
        self.place += 1
        return str(self.words[self.place - 1].value)

    def expression(self) -> Callable[[Env], Any]:
        """Read an expression."""
        test = self._either()
        if not self.take("?"):
            return test
        if self.take(":"):
            other = self.expression()
            return lambda env: found if truth(found := test(env)) else other(env)
        yes = self.expression()
        self.expect(":")
        no = self.expression()
        return lambda env: yes(env) if truth(test(env)) else no(env)

    def _either(self) -> Callable[[Env], Any]:
        left = self._both()
        while self.take("OR", "||"):
            left = self._joined(left, self._both(), stop_at=True)
        return left

    def _both(self) -> Callable[[Env], Any]:
        left = self._equality()
        while self.take("AND", "&&"):
            left = self._joined(left, self._equality(), stop_at=False)
        return left

    @staticmethod
    def _joined(
        one: Callable[[Env], Any], other: Callable[[Env], Any], *, stop_at: bool
    ) -> Callable[[Env], Any]:
        return lambda env: found if truth(found := one(env)) is stop_at else other(env)

    def _equality(self) -> Callable[[Env], Any]:
        left = self._range()
        while True:
            how = self._how_many()
            sign = self.take("==", "!=", "<", "<=", ">", ">=", "IN", "LIKE", "=~", "!~", "NOT")
            if sign == "NOT":
                sign = f"NOT {self.expect('IN', 'LIKE')}"
            if sign is None:
                return left
            left = self._compared(left, sign, self._range(), how)

    def _how_many(self) -> str | None:
        following = self.words[self.place + 1] if self.word.kind == "keyword" else self.word
        compared = following.kind == "sign" and following.value in _COMPARE
        if compared or following.value in {"IN", "NOT", "LIKE"}:
            return self.take("ALL", "ANY", "NONE")
        return None

    @staticmethod
    def _compared(
        one: Callable[[Env], Any], sign: str, other: Callable[[Env], Any], how: str | None
    ) -> Callable[[Env], Any]:
        test = _COMPARE[sign]
        if how is None:
            return lambda env: test(one(env), other(env))
        count = _HOW_MANY[how]

        def run(env: Env) -> bool:
            right = other(env)
            return count(test(value, right) for value in one(env) or ())

        return run

    def _range(self) -> Callable[[Env], Any]:
        first = self._sum()
        if not self.take(".."):
            return first
        last = self._sum()

        def run(env: Env) -> list[int]:
            start, stop = int(number(first(env))), int(number(last(env)))
            step = 1 if stop >= start else -1
            return list(range(start, stop + step, step))

        return run

    def _sum(self) -> Callable[[Env], Any]:
        left = self._product()
        while sign := self.take("+", "-"):
            left = self._calculated(left, sign, self._product())
        return left

    def _product(self) -> Callable[[Env], Any]:
        left = self._unary()
        while sign := self.take("*", "/", "%"):
            left = self._calculated(left, sign, self._unary())
        return left

    @staticmethod
    def _calculated(
        one: Callable[[Env], Any], sign: str, other: Callable[[Env], Any]
    ) -> Callable[[Env], Any]:
        calculate = _ARITHMETIC[sign]
        return lambda env: plain(calculate(number(one(env)), number(other(env))))

    def _unary(self) -> Callable[[Env], Any]:
        sign = self.take("!", "NOT", "-", "+")
        if sign is None:
            return self._reached(self._primary())
        inner = self._unary()
        if sign in {"!", "NOT"}:
            return lambda env: not truth(inner(env))
        factor = -1 if sign == "-" else 1
        return lambda env: plain(factor * number(inner(env)))

    def _reached(self, value: Callable[[Env], Any]) -> Callable[[Env], Any]:
        """Read what is asked of a value: attributes, places, expansions."""
        while sign := self.take(".", "["):
            if sign == ".":
                value = self._attribute(value)
            elif self.word.kind == "sign" and self.word.value in {"*", "**"}:
                value = self._expanded(value)
            else:
                value = self._at(value, self.expression())
                self.expect("]")
        return value

    def _attribute(self, value: Callable[[Env], Any]) -> Callable[[Env], Any]:
        word = self.word
        self.place += 1
        if word.kind == "bind":
            return lambda env: member(value(env), _bound(env, word.value))
        if word.kind != "name":
            self.place -= 1
            raise self.wrong()
        spelled = str(word.value)
        return lambda env: member(value(env), spelled)

    @staticmethod
    def _at(value: Callable[[Env], Any], place: Callable[[Env], Any]) -> Callable[[Env], Any]:
        return lambda env: at(value(env), place(env))

    def _expanded(self, value: Callable[[Env], Any]) -> Callable[[Env], Any]:
        """Read `[* FILTER .. LIMIT .. RETURN ..]`, and what is then asked of each element."""
        depth = 0
        while sign := self.take("*", "**"):
            depth += len(sign)
        kept = self.expression() if self.take("FILTER") else None
        limit = None
        if self.take("LIMIT"):
            limit = [self.expression()]
            if self.take(","):
                limit.append(self.expression())
        made = self.expression() if self.take("RETURN") else None
        self.expect("]")
        onward = self._reached(lambda env: env["\0"])

        def run(env: Env) -> list[Any]:
            values = value(env)
            values = values if isinstance(values, list) else []
            for _ in range(depth - 1):
                values = [
                    one for each in values for one in (each if isinstance(each, list) else [each])
                ]
            inner = [env | {"CURRENT": one, "\0": one} for one in values]
            if kept is not None:
                inner = [each for each in inner if truth(kept(each))]
            if limit is not None:
                *skip, most = [int(each(env)) for each in limit]
                start = skip[0] if skip else 0
                inner = inner[start : start + most]
            if made is not None:
                inner = [each | {"\0": made(each)} for each in inner]
            return [onward(each) for each in inner]

        return run

    def _primary(self) -> Callable[[Env], Any]:  # noqa: PLR0911 - one for each kind of beginning
        word = self.word
        if word.kind in {"number", "text"}:
            self.place += 1
            return lambda _: word.value
        if word.kind in {"bind", "source"}:
            self.place += 1
            spelled = word.value if word.kind == "bind" else f"@{word.value}"
            read = self.source if word.kind == "source" else None
            if read is not None:
                return read(lambda env: _bound(env, spelled))
            return lambda env: _bound(env, spelled)
        if self.take("NULL"):
            return lambda _: None
        if sign := self.take("TRUE", "FALSE"):
            return lambda _: sign == "TRUE"
        if self.take("("):
            inner = self.nested() if self._begins_query() else self.expression()
            self.expect(")")
            return inner
        if self.take("["):
            return self._list()
        if self.take("{"):
            return self._object()
        return self._named()

    def _begins_query(self) -> bool:
        return self.word.kind == "keyword" and self.word.value in {
            "FOR",
            "LET",
            "RETURN",
            "WITH",
            "COLLECT",
        }

    def _named(self) -> Callable[[Env], Any]:
        spelled = self.name()
        while self.take("::"):
            spelled += f"::{self.name()}"
        if self.take("("):
            return self._called(spelled)
        found = self.source(lambda _: spelled)

        def run(env: Env) -> Any:
            return env[spelled] if spelled in env else found(env)

        return run

    def _called(self, spelled: str) -> Callable[[Env], Any]:
        given = []
        while not self.take(")"):
            given.append(self.nested() if self._begins_query() else self.expression())
            if not self.take(","):
                self.expect(")")
                break
        function = FUNCTIONS.get(spelled.upper())
        if function is None:
            raise AqlError(1540, f"usage of unknown function '{spelled}()'")
        return lambda env: function(*(each(env) for each in given))

    def _list(self) -> Callable[[Env], Any]:
        parts = []
        while not self.take("]"):
            parts.append(self.expression())
            if not self.take(","):
                self.expect("]")
                break
        return lambda env: [part(env) for part in parts]

    def _object(self) -> Callable[[Env], Any]:
        parts: list[tuple[Callable[[Env], Any], Callable[[Env], Any]]] = []
        while not self.take("}"):
            parts.append(self._pair())
            if not self.take(","):
                self.expect("}")
                break
        return lambda env: {str(name(env)): value(env) for name, value in parts}

    def _pair(self) -> tuple[Callable[[Env], Any], Callable[[Env], Any]]:
        word = self.word
        self.place += 1
        if word.value == "[" and word.kind == "sign":
            computed = self.expression()
            self.expect("]")
            self.expect(":")
            return computed, self.expression()
        if word.kind == "bind":
            self.expect(":")
            return (lambda env: _bound(env, word.value)), self.expression()
        spelled = str(word.value)
        if not self.take(":"):
            self.place -= 1
            return (lambda _: spelled), self._primary()
        return (lambda _: spelled), self.expression()

    def nested(self) -> Callable[[Env], Any]:
        """Read a query within an expression."""
        raise self.wrong()

    def source(self, name: Callable[[Env], str]) -> Callable[[Env], Any]:
        """Return what reads all documents of a collection."""
        raise self.wrong()


def _bound(env: Env, name: str) -> Any:
    binds = env["@"]
    if name not in binds:
        raise AqlError(1551, f"no value specified for declared bind parameter '{name}'")
    return binds[name]
