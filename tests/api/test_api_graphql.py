"""GraphQL: answers, failures with stable codes, limits, paging, and a bounded number of reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import api_world
import pytest
from api_asker import Asker
from api_world import GTIN, LOT, MAKER

from api import export
from api.app import build_app
from api.readers import Readers
from api.settings import ApiSettings
from api.store_reading import StoreReading

if TYPE_CHECKING:
    from workspace.workspace import Workspace

_NAMED = f'product(gtin: "{GTIN}", lot: "{LOT}")'
_ITEM = f'{{gtin: "{GTIN}", lot: "{LOT}"}}'
_EVERY_NESTED_THING = f"""{{
  product(gtin: "{GTIN}", lot: "{LOT}") {{
    name coverage {{ sentence }} origins {{ place }} certificates
    flags(first: 250) {{ nodes {{ title }} }}
    journey(first: 250) {{ nodes {{
      what certainty facility {{ name }} fromFacility {{ name }} toFacility {{ name }}
      items {{ quantity }} }} }}
  }}
  trace(item: {_ITEM}) {{
    nodes {{ depth making {{ certainty facility {{ name }} }} }}
    links {{ consumed }} gaps {{ reason }}
  }}
  log {{ size graphPosition }}
}}"""


def _code(answer: dict[str, Any]) -> str:
    (code,) = {error["extensions"]["code"] for error in answer["errors"]}
    return code


def test_the_exported_schema_is_the_committed_one() -> None:
    """`schema.graphql` at the root is what the code serves; `python -m api.export` writes it."""
    committed = Path(__file__).parents[2] / "schema.graphql"
    assert committed.read_text(encoding="utf-8") == export.schema_text()


def test_export_writes_and_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The export goes to the file that is named, else to standard output."""
    export.main([str(tmp_path / "s.graphql")])
    export.main([])
    assert (tmp_path / "s.graphql").read_text() == capsys.readouterr().out == export.schema_text()


@pytest.mark.parametrize(
    "arguments",
    [
        f'product(gtin: "{GTIN}", lot: "{LOT}")',
        f'product(gtin: "{GTIN[1:]}", lot: "{LOT}")',
        f'product(party: "{MAKER}", productId: "TSHIRT-M", lot: "{LOT}")',
        f'productByQr(text: "https://id.example.org/01/{GTIN}/10/L-2024%2F117?utm=1")',
        f'productByQr(text: "HTTPS://ID.EXAMPLE.ORG/01/{GTIN}/10/L-2024%2F117")',
        f'productByQr(text: "/x/{MAKER}/TSHIRT-M/10/L-2024%2F117")',
        f'productByQr(text: "(01){GTIN}(10){LOT}")',
    ],
)
def test_a_product_is_found_by_every_name(ask: Asker, arguments: str) -> None:
    """GTIN in any length, party and product id, and every text that a code may hold."""
    answer = ask.graphql(f"{{found: {arguments} {{missing item {{lot path}} digitalLink}}}}")
    assert answer == {
        "data": {
            "found": {
                "missing": None,
                "item": {"lot": LOT, "path": f"/01/{GTIN}/10/L-2024%2F117"},
                "digitalLink": f"https://id.example.org/01/{GTIN}/10/L-2024%2F117",
            }
        }
    }


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ('{product(gtin: "09506000134353") {name}}', "BAD_INPUT"),
        ('{product(gtin: "00012345678905") {name}}', "NOT_FOUND"),
        ("{product {name}}", "BAD_INPUT"),
        ('{product(party: "nobody", productId: "x") {name}}', "NOT_FOUND"),
        ('{productByQr(text: "hello") {name}}', "BAD_INPUT"),
        (f'{{productByQr(text: "{"1" * 8000}") {{name}}}}', "BAD_INPUT"),
        ("{flags {nodes {type}}}", "FORBIDDEN"),
        ('{proof(party: "nobody", eventId: "E") {index}}', "NOT_FOUND"),
        (f"{{trace(item: {_ITEM}, depth: 21) {{truncated}}}}", "BAD_INPUT"),
        (
            f"{{{_NAMED} {{journey(first: 251) {{nodes {{id}}}}}}}}",
            "BAD_INPUT",
        ),
        (
            f'{{{_NAMED} {{journey(after: "x") {{nodes {{id}}}}}}}}',
            "BAD_INPUT",
        ),
        ("{nonsense}", "BAD_QUERY"),
        ("{", "BAD_QUERY"),
        ("mutation {log {size}}", "BAD_QUERY"),
        ("query A {log {size}} query B {log {size}}", "BAD_QUERY"),
        ("{" + "log {size} " * 11 + "}", "LIMIT_EXCEEDED"),
        ("{__schema {types {name}}}", "BAD_QUERY"),
    ],
)
def test_failures_have_stable_codes(ask: Asker, query: str, code: str) -> None:
    """Expected failures are errors with a code and one line; what was asked is null or absent."""
    answer = ask.graphql(query)
    assert _code(answer) == code
    assert "\n" not in answer["errors"][0]["message"]
    assert not any((answer.get("data") or {}).values())


def test_one_failure_leaves_the_others(ask: Asker) -> None:
    """A failing root field is null; its neighbours are answered."""
    answer = ask.graphql("{flags {nodes {type}} log {size}}")
    assert answer["data"]["flags"] is None
    assert answer["data"]["log"]["size"] > 10


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"json": {"query": "{log{size}}"}}, 200),
        ({"json": {"query": "query Q($d: Int!) {log{size}}", "variables": {"d": "x"}}}, 400),
        ({"json": {"query": "{nope}"}}, 400),
        ({"json": [{"query": "{log{size}}"}]}, 400),
        ({"json": {"query": ""}}, 400),
        ({"json": {"query": 7}}, 400),
        ({"json": {"query": "{log{size}}", "variables": []}}, 400),
        ({"json": {"query": "{log{size}}", "operationName": 1}}, 400),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400),
        ({"content": b'{"query": "\xff"}', "headers": {"content-type": "application/json"}}, 400),
        ({"content": b"query={log{size}}", "headers": {"content-type": "text/plain"}}, 415),
        ({"data": {"query": "{log{size}}"}}, 415),
        ({"json": {"query": "{log{size}}", "pad": "x" * 1024 * 1024}}, 413),
    ],
)
def test_a_post_is_one_json_object(ask: Asker, more: dict[str, Any], status: int) -> None:
    """Only one JSON object of at most a mebibyte is taken; forms and lists are refused."""
    answer = ask("POST", "/graphql", **more)
    assert answer.status_code == status
    assert answer.headers["cache-control"] == "no-store"


def test_a_get_takes_queries(ask: Asker) -> None:
    """Queries may stand in the address, with variables, and are answered with an ETag."""
    query = "query Q($first: Int!) {log {size}}"
    answer = ask.get("/graphql", params={"query": "{log {size}}"})
    assert answer.json()["data"]["log"]["size"] > 10
    tag = answer.headers["etag"]
    again = ask.get("/graphql", params={"query": "{log {size}}"}, headers={"if-none-match": tag})
    assert again.status_code == 304
    variables = {"query": query, "variables": '{"first": "x"}', "operationName": "Q"}
    assert ask.get("/graphql", params=variables).status_code == 400
    assert ask.get("/graphql", params={"query": query, "variables": "{"}).status_code == 400
    refused = ask.get("/graphql", params={"query": "mutation {a}"})
    assert (refused.status_code, refused.headers.get("etag")) == (400, None)
    assert ask.get("/graphql").status_code == 400


def test_pages_of_a_journey_are_the_journey(ask: Asker) -> None:
    """Following endCursor brings each event once, in the order of the whole."""
    query = f"""query($after: String, $first: Int!) {{ product(gtin: "{GTIN}", lot: "{LOT}") {{
        journey(first: $first, after: $after) {{
            nodes {{ eventId }} edges {{ cursor }} pageInfo {{ hasNextPage endCursor }} }} }} }}"""
    seen, after = [], None
    for _ in range(9):
        page = ask.graphql(query, first=2, after=after)["data"]["product"]["journey"]
        seen += [node["eventId"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        assert page["edges"][-1]["cursor"] == after
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == ["A-1", "S-1", "M-1", "M/2 ü", "W-1"]


def test_a_journey_without_what_came_before(ask: Asker) -> None:
    """`upstream: false` leaves the item's own events."""
    query = f"{{{_NAMED} {{journey(upstream: false) {{nodes {{eventId}}}}}}}}"
    nodes = ask.graphql(query)["data"]["product"]["journey"]["nodes"]
    assert [node["eventId"] for node in nodes] == ["M-1", "M/2 ü", "W-1"]


def test_flags_are_listed_newest_first_and_filtered(ask: Asker) -> None:
    """For operators: pages by index, newest first, restricted by every word of the filter."""
    query = """query($f: FlagsFilter, $first: Int!, $after: String) {
        flags(filter: $f, first: $first, after: $after) {
            nodes { type index explanation }
            pageInfo { hasNextPage endCursor hasPreviousPage } } }"""

    def listed(first: int = 50, after: str | None = None, **wanted: str) -> dict[str, Any]:
        answer = ask.graphql(query, operator=True, f=wanted, first=first, after=after)
        return answer["data"]["flags"]

    def types(**wanted: str) -> list[str]:
        return [node["type"] for node in listed(**wanted)["nodes"]]

    everything = [
        *("audit_lapsed", "excess_hours", "listed_source", "impossible_travel", "dwell_anomaly")
    ]
    assert types() == everything
    assert types(severity="CRITICAL") == ["listed_source"]
    assert types(subjectKind="FACILITY_MONTH") == ["audit_lapsed", "excess_hours"]
    assert types(type="impossible_travel", evidenceClass="RULE", subjectId="W-1") == everything[3:4]
    assert types(evidenceClass="LEARNED") == []
    first = listed(first=3)
    assert first["pageInfo"]["hasNextPage"]
    rest = listed(first=3, after=first["pageInfo"]["endCursor"])
    assert [node["type"] for node in first["nodes"] + rest["nodes"]] == everything
    assert (rest["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasPreviousPage"]) == (False, True)
    assert {node["explanation"] for node in first["nodes"]} == {"SECRETPRIVATEexplanation"}


def test_a_trace_goes_both_ways(ask: Asker) -> None:
    """Upstream finds the materials with gaps, downstream what they became."""
    query = """query($item: ItemInput!, $way: Direction!) { trace(item: $item, direction: $way) {
        direction root { productId } truncated
        nodes { depth item { productId } making { eventId } }
        links { source { productId } target { productId } consumed }
        gaps { reason missing item { productId } } } }"""
    up = ask.graphql(query, item={"gtin": GTIN, "lot": LOT}, way="UPSTREAM")["data"]["trace"]
    assert [(node["item"]["productId"], node["depth"]) for node in up["nodes"]] == [
        *(("TSHIRT-M", 0), ("YARN/30", 1), ("COTTON", 2))
    ]
    assert {"reason": "UNKNOWN_LOT", "missing": "C-LOST"}.items() <= up["gaps"][0].items()
    cotton = {"party": api_world.FARM, "productId": api_world.COTTON, "lot": "C-1"}
    down = ask.graphql(query, item=cotton, way="DOWNSTREAM")["data"]["trace"]
    assert [node["item"]["productId"] for node in down["nodes"]] == [
        "COTTON",
        "YARN/30",
        "TSHIRT-M",
    ]
    assert [link["consumed"] for link in down["links"]] == ["4000", "3000"]


class Counting:
    """A store or log that counts the calls of its methods."""

    def __init__(self, inner: Any, counts: list[str]) -> None:
        """Wrap."""
        self._inner = inner
        self._counts = counts

    def __getattr__(self, name: str) -> Any:
        """Count what is called."""
        found = getattr(self._inner, name)
        if callable(found) and name not in {"snapshot", "close"}:
            self._counts.append(name)
        return found


def _asked(workspace: Workspace, query: str, *, operator: bool = False) -> list[str]:
    counts: list[str] = []
    readers = Readers(
        lambda: StoreReading(
            Counting(workspace.new_reader(), counts),
            Counting(workspace.new_graph(), counts),
        )
    )
    asker = Asker(build_app(readers, ApiSettings(base="https://x", token=api_world.TOKEN)))
    answer = asker.graphql(query, operator=operator)
    assert "errors" not in answer
    readers.close()
    return counts


def test_a_request_reads_a_bounded_number_of_times(
    workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Twenty-five times as many events, sites and flags are read with as many store calls."""
    small = _asked(workspace, _EVERY_NESTED_THING)
    with api_world.build(tmp_path_factory.mktemp("api") / "large", copies=25) as large:
        assert _asked(large, _EVERY_NESTED_THING) == small
    assert len(small) <= 25


def test_what_is_not_asked_for_is_not_read(workspace: Workspace) -> None:
    """A product's name costs three lookups: GTIN, item and master data."""
    assert _asked(workspace, f'{{product(gtin: "{GTIN}") {{name}}}}') == ["find", "fetch", "fetch"]
    assert _asked(workspace, "{log {origin}}") == ["cosigned", "position"]


def test_introspection_only_when_it_is_asked_for(readers: Readers) -> None:
    """Without the setting neither the schema nor hints at its names are told."""
    query = "{__schema {queryType {name}}}"
    for introspection in (False, True):
        settings = ApiSettings(base="https://x", introspection=introspection)
        asker = Asker(build_app(readers, settings))
        assert ("errors" in asker.graphql(query)) != introspection
        message = asker.graphql("{producte {name}}")["errors"][0]["message"]
        assert ("Did you mean" in message) == introspection
