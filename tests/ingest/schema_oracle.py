"""GS1's JSON Schema as an oracle: a naive reading of the draft-07 words that it uses."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from pathlib import Path

_TYPES = {"object": dict, "array": list, "string": str, "boolean": bool}
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"\\^`{|}]+\Z")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)\Z")


class Schema:
    """Says what is wrong with a document."""

    def __init__(self, path: Path) -> None:
        """Read the schema."""
        self.root = json.loads(path.read_text())

    def faults(self, value: Any) -> list[str]:
        """All faults of a document, with their place."""
        return list(self._faults(self.root, value, ""))

    def _faults(self, schema: dict[str, Any], value: Any, at: str) -> Any:
        for word, wanted in schema.items():
            judge = getattr(self, f"_{word.lstrip('$')}", None)
            if judge is not None:
                yield from judge(wanted, value, at, schema)

    def _valid(self, schema: dict[str, Any], value: Any) -> bool:
        return not list(self._faults(schema, value, ""))

    def _ref(self, wanted: str, value: Any, at: str, _schema: Any) -> Any:
        name = unquote(wanted.removeprefix("#/definitions/"))
        yield from self._faults(self.root["definitions"][name], value, at)

    def _type(self, wanted: str, value: Any, at: str, _schema: Any) -> Any:
        if wanted == "number":
            fits = isinstance(value, int | float) and not isinstance(value, bool)
        else:
            fits = isinstance(value, _TYPES[wanted])
        if not fits:
            yield f"{at}: no {wanted}"

    def _required(self, wanted: list[str], value: Any, at: str, _schema: Any) -> Any:
        if isinstance(value, dict):
            yield from (f"{at}/{name}: missing" for name in wanted if name not in value)

    def _properties(self, wanted: dict[str, Any], value: Any, at: str, _schema: Any) -> Any:
        if isinstance(value, dict):
            for name in wanted.keys() & value.keys():
                yield from self._faults(wanted[name], value[name], f"{at}/{name}")

    def _additionalProperties(self, wanted: Any, value: Any, at: str, schema: Any) -> Any:  # noqa: N802
        assert wanted is False
        if isinstance(value, dict):
            yield from (f"{at}/{n}: unknown" for n in value.keys() - schema["properties"].keys())

    def _propertyNames(self, wanted: Any, value: Any, at: str, _schema: Any) -> Any:  # noqa: N802
        if isinstance(value, dict):
            yield from (f"{at}/{name}: name" for name in value if not self._valid(wanted, name))

    def _items(self, wanted: Any, value: Any, at: str, _schema: Any) -> Any:
        if isinstance(value, list):
            for place, item in enumerate(value):
                yield from self._faults(wanted, item, f"{at}/{place}")

    def _minItems(self, wanted: int, value: Any, at: str, _schema: Any) -> Any:  # noqa: N802
        if isinstance(value, list) and len(value) < wanted:
            yield f"{at}: too few"

    def _uniqueItems(self, wanted: bool, value: Any, at: str, _schema: Any) -> Any:  # noqa: N802
        if wanted and isinstance(value, list):
            texts = [json.dumps(item, sort_keys=True) for item in value]
            if len(set(texts)) < len(texts):
                yield f"{at}: not unique"

    def _enum(self, wanted: list[Any], value: Any, at: str, _schema: Any) -> Any:
        if value not in wanted:
            yield f"{at}: {value!r} is no word"

    def _pattern(self, wanted: str, value: Any, at: str, _schema: Any) -> Any:
        if isinstance(value, str) and not re.search(wanted, value):
            yield f"{at}: pattern"

    def _format(self, wanted: str, value: Any, at: str, _schema: Any) -> Any:
        shape = _URI if wanted == "uri" else _TIME
        if isinstance(value, str) and not shape.match(value):
            yield f"{at}: no {wanted}"

    def _allOf(self, wanted: list[Any], value: Any, at: str, _schema: Any) -> Any:  # noqa: N802
        for part in wanted:
            yield from self._faults(part, value, at)

    def _anyOf(self, wanted: list[Any], value: Any, at: str, _schema: Any) -> Any:  # noqa: N802
        if not any(self._valid(part, value) for part in wanted):
            yield f"{at}: fits none"

    def _oneOf(self, wanted: list[Any], value: Any, at: str, _schema: Any) -> Any:  # noqa: N802
        if sum(self._valid(part, value) for part in wanted) != 1:
            yield f"{at}: fits not one"

    def _not(self, wanted: Any, value: Any, at: str, _schema: Any) -> Any:
        if self._valid(wanted, value):
            yield f"{at}: fits what it must not"

    def _if(self, wanted: Any, value: Any, at: str, schema: Any) -> Any:
        if self._valid(wanted, value):
            yield from self._faults(schema["then"], value, at)


@cache
def schema_in(test_data: Path) -> Schema:
    """GS1's schema, from the folder of test data."""
    return Schema(test_data / "epcis" / "EPCIS-JSON-Schema.json")


def examples_in(test_data: Path) -> list[Path]:
    """GS1's examples."""
    return sorted((test_data / "epcis" / "gs1_examples").rglob("*.jsonld"))


def events_of(document: dict[str, Any]) -> list[Any]:
    """The events of a document or query document."""
    body = document["epcisBody"]
    if "queryResults" in body:
        body = body["queryResults"]["resultsBody"]
    return list(body["eventList"])
