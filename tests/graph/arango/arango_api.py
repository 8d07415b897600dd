"""The documented HTTP interface: whether a request is one that it describes."""

from __future__ import annotations

import functools
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

DATA = os.environ.get("PROVENANCE_TEST_DATA")
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}
_HEADERS = {"x-arango-trx-id"}


@functools.cache
def documented() -> list[tuple[re.Pattern[str], dict[str, Any]]] | None:
    """Return the documented paths with their operations; None where they are not at hand."""
    if DATA is None:
        return None
    api = json.loads((Path(DATA) / "arango" / "http_api_3.12.json").read_text())
    found = []
    for path, methods in api["paths"].items():
        pattern = re.sub(r"\\\{[^/]*?\\\}", "[^/]+", re.escape(path))
        found.append((re.compile(f"{pattern}\\Z"), methods))
    # Those without a variable before those with one: /transaction/begin is no transaction.
    return sorted(found, key=lambda each: each[0].pattern.count("[^/]+"))


def faults(
    method: str, path: str, query: dict[str, str], headers: Mapping[str, str], body: Any
) -> list[str]:
    """Say why a request is none of those documented; nothing if it is one."""
    api = documented()
    if api is None:
        return []
    for pattern, methods in api:
        if pattern.match(path) and method.lower() in methods:
            operations = _specific(methods[method.lower()])
            told = [_against(each, query, headers, body) for each in operations]
            return [] if [] in told else min(told, key=len)
    return [f"{method} {path} is not documented"]


def _schema(operation: dict[str, Any]) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    found: dict[str, Any] = next(iter(content.values()))["schema"] if content else {}
    return found


def _specific(operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out an operation that takes any object where others say which."""
    if not any("properties" in _schema(each) for each in operations):
        return operations
    return [each for each in operations if "properties" in _schema(each)]


def _against(
    operation: dict[str, Any], query: dict[str, str], headers: Mapping[str, str], body: Any
) -> list[str]:
    told = []
    known = {
        each["name"]: each for each in operation.get("parameters", ()) if each["in"] == "query"
    }
    sent = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "header"}
    for name, value in query.items():
        if name not in known:
            told.append(f"parameter {name} is not documented")
        elif not _spelled(known[name].get("schema", {}), value):
            told.append(f"parameter {name}={value} is not of its type")
    told += [
        f"parameter {name} is missing"
        for name, each in known.items()
        if each.get("required") and name not in query
    ]
    told += [f"header {name} is not documented" for name in _HEADERS & headers.keys() - sent]
    content = operation.get("requestBody", {}).get("content", {})
    if body is None:
        if operation.get("requestBody", {}).get("required"):
            told.append("the body is missing")
    elif not content:
        told.append("no body is documented")
    else:
        told += _wrong(next(iter(content.values())).get("schema", {}), body, "body")
    return told


def _spelled(schema: dict[str, Any], value: str) -> bool:
    if "enum" in schema:
        return value in schema["enum"]
    kind = schema.get("type")
    if kind == "boolean":
        return value in {"true", "false", "1", "0"}
    return kind not in {"integer", "number"} or value.lstrip("-").replace(".", "", 1).isdigit()


def _wrong(schema: dict[str, Any], value: Any, place: str) -> list[str]:
    """Say where a value is not as a schema has it; attributes that it does not know are wrong."""
    choices = schema.get("oneOf") or schema.get("anyOf")
    if choices:
        told = [_wrong(each, value, place) for each in choices]
        return [] if [] in told else min(told, key=len)
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    fits = {name for name, types in _TYPES.items() if isinstance(value, types)}
    if isinstance(value, bool):
        fits = {"boolean"}
    if kinds and not fits & set(kinds):
        return [f"{place} is {type(value).__name__}, not {' or '.join(kinds)}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{place} is none of {schema['enum']}"]
    if isinstance(value, list):
        items = schema.get("items", {})
        return [told for n, one in enumerate(value) for told in _wrong(items, one, f"{place}/{n}")]
    return _wrong_object(schema, value, place) if isinstance(value, dict) else []


def _wrong_object(schema: dict[str, Any], value: dict[str, Any], place: str) -> list[str]:
    told = [
        f"{place}/{name} is missing" for name in schema.get("required", ()) if name not in value
    ]
    known = schema.get("properties", {})
    for name, one in value.items():
        if name in known:
            told += _wrong(known[name], one, f"{place}/{name}")
        elif known and not schema.get("additionalProperties") and place == "body":
            # python-arango says its options twice, as servers before 3.0 had them too.
            if one == value.get("options", {}).get(name, ...):
                continue
            told.append(f"{place}/{name} is not documented")
    return told
