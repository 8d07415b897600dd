"""Every field of the schema and every address, as every viewer: no secret reaches the public."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import api_world
import pytest
from api_world import GTIN, LOT, SECRETS
from graphql import (
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_object_type,
)

from api.schema import make_schema
from provenance.entries import Tier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api_asker import Asker

    from workspace.workspace import Workspace

_ITEM = f'item: {{gtin: "{GTIN}", lot: "{LOT}"}}'
_ARGUMENTS = {
    "product": [f'gtin: "{GTIN}", lot: "{LOT}"', f'gtin: "{GTIN}"'],
    "productByQr": [
        f'text: "/01/{GTIN}/10/L-2024%2F117"',
        f'text: "/x/{api_world.FARM}/{api_world.COTTON}/10/C-1"',
    ],
    "trace": [_ITEM, f"{_ITEM}, direction: DOWNSTREAM", f'item: {{gtin: "{GTIN}"}}'],
    "flags": ["first: 250"],
    "custody": [_ITEM],
    "recall": [_ITEM, f'item: {{gtin: "{GTIN}"}}'],
    "exposure": [_ITEM],
    "log": [""],
    "proof": [
        f'party: "{api_world.MAKER}", eventId: "M/2 ü"',
        f'party: "{api_world.MAKER}", eventId: "M-1"',
    ],
}
_NOT_OFFERED = {"8882077", "SECRETPRIVATElabour"}
"""Secrets of labour records, which no field of this schema tells even to operators."""


def _selection(kind: GraphQLObjectType, seen: set[tuple[str, str]], depth: int = 0) -> str:
    """Every field of a type, and of the types below it."""
    parts = []
    for name, field in kind.fields.items():
        seen.add((kind.name, name))
        below = get_named_type(field.type)
        if is_leaf_type(below):
            parts.append(name)
        elif is_object_type(below):
            parts.append(f"{name} {_selection(below, seen, depth + 1)}")
    return "{" + " ".join(parts) + "}"


def _queries() -> tuple[list[str], set[tuple[str, str]]]:
    seen: set[tuple[str, str]] = set()
    query = make_schema()._schema.query_type
    assert set(query.fields) == set(_ARGUMENTS), "name arguments for every root field"
    texts = []
    for name, field in query.fields.items():
        selection = _selection(get_named_type(field.type), seen)
        for arguments in _ARGUMENTS[name]:
            call = f"({arguments})" if arguments else ""
            texts.append(f"{{{name}{call} {selection}}}")
    return texts, seen


def _texts(value: Any) -> Iterator[str]:
    """Every text within an answer, and what is behind those that are base64."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    else:
        text = str(value)
        yield text
        if re.fullmatch(r"[A-Za-z0-9_-]{16,}", text) and len(text) % 4 != 1:
            padded = text + "=" * (-len(text) % 4)
            yield base64.urlsafe_b64decode(padded).decode("latin-1")


def _found(texts: str | Iterator[str]) -> set[str]:
    whole = texts if isinstance(texts, str) else "\n".join(texts)
    return {secret for secret in SECRETS if secret in whole}


def test_every_field_is_asked() -> None:
    """The generated queries cover every field of every type that answers are made of."""
    _, seen = _queries()
    for name, kind in make_schema()._schema.type_map.items():
        if is_object_type(kind) and not name.startswith("__") and name != "Query":
            assert {(name, field) for field in kind.fields} <= seen


def test_no_field_tells_the_public_a_secret(listed: Asker) -> None:
    """Each query for everything holds no secret for the public; operators get all of them."""
    for_operators: set[str] = set()
    for query in _queries()[0]:
        public = listed.graphql(query)
        assert not _found(_texts(public)), query
        if "errors" in public:
            assert [error["extensions"]["code"] for error in public["errors"]] == ["FORBIDDEN"]
        private = listed.graphql(query, operator=True)
        assert "errors" not in private, private["errors"]
        for_operators |= _found(_texts(private))
    assert for_operators == set(SECRETS) - _NOT_OFFERED


@pytest.mark.parametrize("accept", ["text/html", "application/json", "image/svg+xml"])
def test_no_address_tells_the_public_a_secret(ask: Asker, accept: str) -> None:
    """Pages, JSON views, codes, proofs and errors hold no secret for the public."""
    lot = quote(LOT, safe="")
    paths = [
        *(f"/01/{GTIN}", f"/01/{GTIN}/10/{lot}", f"/01/{GTIN}/10/{lot}/21/NONE"),
        *("/", "/healthz", "/checkpoint", "/nowhere", "/graphql"),
        f"/x/{api_world.SPINNER}/{quote(api_world.YARN, safe='')}/10/Y-9",
        *(f"/proof/{api_world.MAKER}/{quote(each, safe='')}" for each in ("M-1", "M/2 ü")),
    ]
    for path in paths:
        answer = ask.get(path, accept)
        assert not _found(answer.text), path
        if answer.headers["content-type"].endswith("json"):
            assert not _found(_texts(answer.json())), path
    shown = ask.get(f"/01/{GTIN}/10/{lot}", "application/json", operator=True).text
    assert {"SECRETPARTNERcarrier", "SECRETPRIVATEext", "8882001.5"} <= _found(shown)


def test_a_public_viewer_cannot_learn_whether_a_serial_exists(ask: Asker) -> None:
    """Serials are for partners: a true one and a false one are answered alike."""
    lot = quote(LOT, safe="")
    for accept in ("text/html", "application/json", "image/svg+xml"):
        true, false = (
            ask.get(f"/01/{GTIN}/10/{lot}/21/{serial}", accept)
            for serial in (api_world.SERIAL, "NONE")
        )
        assert (true.status_code, true.text) == (false.status_code, false.text)
    query = "{{product({arguments}) {{item {{serial level}} missing name}}}}"
    named = f'gtin: "{GTIN}", lot: "{LOT}", serial: '
    true, false = (
        ask.graphql(query.format(arguments=f'{named}"{serial}"'))
        for serial in (api_world.SERIAL, "NONE")
    )
    assert true == false


def test_each_field_of_an_event_follows_the_policy(ask: Asker, workspace: Workspace) -> None:
    """Of an event that fills every field, the public sees those of its tier, and operators all."""
    kind = make_schema()._schema.type_map["Event"]
    plan = workspace.reader.policy.plan("event/1", {})
    tiers = {
        name: plan.tier_of("/" + re.sub(r"[A-Z]", lambda m: "_" + m[0].lower(), name))
        for name in kind.fields
    }
    tiers |= {"fromFacility": Tier.PARTNER, "toFacility": Tier.PARTNER, "items": Tier.PUBLIC}
    query = (
        f'{{product(gtin: "{GTIN}", lot: "{LOT}") {{journey {{nodes {_selection(kind, set())}}}}}}}'
    )
    for operator in (False, True):
        nodes = ask.graphql(query, operator=operator)["data"]["product"]["journey"]["nodes"]
        (full,) = [node for node in nodes if node["eventId"] == "M/2 ü"]
        for name, tier in tiers.items():
            if name in _ABSENT:
                continue
            hidden = tier > Tier.PUBLIC and not operator
            assert (full[name] is None) == hidden, name


_ABSENT = {"action", "disposition", "locode", "certificateId", "batchExpiryDate"}
"""Public fields that this event does not have."""
