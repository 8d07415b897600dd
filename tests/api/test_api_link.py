"""Digital Link paths and their neighbours: forms, statuses, headers, conditional requests."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING
from urllib.parse import quote

import api_world
import pytest
import zxingcpp
from api_asker import Asker
from PIL import Image

from api import pages
from api.app import build_app
from api.settings import ApiSettings
from provenance import verify
from provenance.errors import StorageError
from provenance.notes import checkpoint

if TYPE_CHECKING:
    from workspace.workspace import Workspace

LOT = f"/01/{api_world.GTIN}/10/{quote(api_world.LOT, safe='')}"
OWN = f"/x/{api_world.FARM}/{api_world.COTTON}/10/C-1"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/html", "text/html; charset=utf-8"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
        ("application/json", "application/json"),
        ("image/svg+xml", "image/svg+xml"),
        ("image/png", "image/png"),
    ],
)
def test_one_address_has_four_forms(ask: Asker, accept: str, kind: str) -> None:
    """The same address answers as a page, as JSON and as its own code."""
    answer = ask.get(LOT, accept)
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)


def test_no_acceptable_form_is_406(ask: Asker) -> None:
    """What is not offered is refused, with what is."""
    answer = ask.get(LOT, "text/csv")
    assert answer.status_code == 406
    assert "application/json" in answer.json()["detail"]


@pytest.mark.parametrize("path", [LOT, OWN])
@pytest.mark.parametrize(("query", "accept"), [("?qr=png", "*/*"), ("", "image/png")])
def test_the_code_leads_back(ask: Asker, path: str, query: str, accept: str) -> None:
    """The QR code of an address, read, is that address on the workspace's domain."""
    picture = Image.open(io.BytesIO(ask.get(path + query, accept).content)).convert("L")
    (found,) = zxingcpp.read_barcodes(picture)
    assert found.text == f"{api_world.BASE}{path}"


def test_qr_forms(ask: Asker) -> None:
    """`?qr` is SVG, also for those who prefer pages; an unknown form is refused."""
    assert ask.get(f"{LOT}?qr", "text/html").headers["content-type"] == "image/svg+xml"
    assert ask.get(f"{LOT}?qr=svg").headers["content-type"] == "image/svg+xml"
    assert ask.get(f"{LOT}?qr=gif").status_code == 400


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("/01/09506000134353", 400, "check digit is 3, it should be 2"),
        ("/01/0950600013435", 400, "14 digits"),
        ("/01/09506000134352/99/x", 400, "/22/, /10/ and /21/"),
        ("/01/09506000134352/21/s/10/l", 400, "in this order"),
        ("/01/", 400, "14 digits"),
        ("/01/%FF", 400, "UTF-8"),
        ("/x/only-party", 400, "names no item"),
        ("/01/00012345678905", 404, "GTIN 00012345678905"),
        ("/x/nobody/nothing", 404, "'nothing' of 'nobody'"),
        ("/x/nobody/nothing/10/l/21/s", 404, "on record"),
        ("/proof/nobody/E-1", 404, "'E-1' of 'nobody'"),
        ("/proof/nobody", 400, "/proof/PARTY/EVENT"),
        ("/proof/%FF/E", 400, "UTF-8"),
        ("/nowhere", 404, "nothing at this address"),
    ],
)
def test_failures_say_why_in_both_forms(ask: Asker, path: str, status: int, word: str) -> None:
    """A wrong address is 400 and an unknown one 404, never 200, with a reason in either form."""
    problem = ask.get(path)
    assert problem.status_code == status == problem.json()["status"]
    assert problem.headers["content-type"] == "application/problem+json"
    assert word in problem.json()["detail"]
    page = ask.get(path, "text/html")
    assert page.status_code == status
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"] == pages.policy()
    assert "etag" not in page.headers


@pytest.mark.parametrize(
    ("tail", "missing", "shown"),
    [
        (f"/10/{quote(api_world.LOT, safe='')}/21/UNKNOWN", "serial number", api_world.LOT),
        ("/10/UNKNOWN", "lot", None),
        ("/10/UNKNOWN/21/UNKNOWN", "serial number", None),
        ("/21/UNKNOWN", "serial number", None),
        ("/22/V1", "variant", None),
        ("", None, None),
    ],
)
def test_walking_up_says_so(ask: Asker, tail: str, missing: str | None, shown: str | None) -> None:
    """An unknown qualifier is answered with the coarser item, named as such in both forms."""
    answer = ask.get(f"/01/{api_world.GTIN}{tail}")
    assert answer.status_code == 200
    assert (answer.json()["missing"], answer.json()["item"]["lot"]) == (missing, shown)
    canonical = f"/01/{api_world.GTIN}" + (f"/10/{quote(shown, safe='')}" if shown else "")
    assert answer.headers["link"] == f'<{canonical}>; rel="canonical"'
    said = (
        f"This {missing} has no public record here."
        in ask.get(f"/01/{api_world.GTIN}{tail}", "text/html").text
    )
    assert said == (missing is not None)


def test_a_product_lists_no_lots_to_the_public(ask: Asker) -> None:
    """The coarsest key gives master data, and no lot, event or flag that was not asked for."""
    product = ask.get(f"/01/{api_world.GTIN}").json()
    assert product["journey"] == product["origins"] == product["flags"] == []
    assert api_world.LOT not in str(product)
    assert ask.get(f"/01/{api_world.GTIN}", operator=True).json()["journey"]


def test_a_serial_is_found_without_its_lot(ask: Asker) -> None:
    """A serial alone finds its item, for those who may see serials."""
    path = f"/01/{api_world.GTIN}/21/{api_world.SERIAL}"
    found = ask.get(path, operator=True).json()
    assert found["missing"] is None
    assert found["item"]["lot"] == api_world.LOT
    assert ask.get(path).json()["missing"] == "serial number"


def test_the_json_view_tells_the_page_s_story(ask: Asker) -> None:
    """Journey in time order with certainty, origins, coverage with gaps, flags of the lineage."""
    story = ask.get(LOT).json()
    assert [step["record"]["event_id"] for step in story["journey"]] == [
        *("A-1", "S-1", "M-1", "M/2 ü", "W-1")
    ]
    assert [step["certainty"] for step in story["journey"]] == [
        *("questioned", "approximate", "recorded", "recorded", "questioned")
    ]
    assert [step["own"] for step in story["journey"]] == [False, False, True, True, True]
    assert story["coverage"] == {
        "documented": 3,
        "missing": 1,
        "stepsBack": 2,
        "erased": 0,
        "truncated": False,
        "sentence": "Documented back to Kutch gin, India on 21 October 2023. "
        "1 input has no record.",
    }
    assert [origin["material"] for origin in story["origins"]] == ["Raw cotton"]
    assert [group["type"] for group in story["flags"]] == [
        *("listed_source", "impossible_travel", "excess_hours", "dwell_anomaly")
    ]
    assert story["certificates"] == ["GOTS-2231"]
    assert story["digitalLink"] == f"{api_world.BASE}{LOT}"


def test_an_unchanged_answer_is_304(ask: Asker) -> None:
    """An ETag sent back is answered 304, which leaves the kept page's own policy standing.

    Another form or address has another tag.
    """
    first = ask.get(LOT, "text/html")
    tag = first.headers["etag"]
    again = ask.get(LOT, "text/html", headers={"if-none-match": f'"x", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert "style-src" in first.headers["content-security-policy"]
    assert "content-security-policy" not in again.headers
    assert first.headers["cache-control"] == "no-cache"
    tags = {tag, *(ask.get(path).headers["etag"] for path in (LOT, OWN, f"{LOT}?a=b"))}
    assert len(tags) == 4
    assert "Accept" in first.headers["vary"]
    assert "Authorization" in first.headers["vary"]


def test_what_an_operator_gets_is_kept_nowhere(ask: Asker) -> None:
    """Answers to a token are not stored, have no ETag, and are not for other sites' scripts."""
    for path in (LOT, "/checkpoint", "/graphql?query={log{size}}"):
        answer = ask.get(path, operator=True, headers={"if-none-match": "*"})
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers


def test_a_wrong_token_is_401(ask: Asker) -> None:
    """A token that is not valid is refused everywhere; it is not taken for an anonymous caller."""
    for path in (LOT, "/checkpoint", "/", "/healthz", "/proof/a/b", "/graphql?query={log{size}}"):
        answer = ask.get(path, headers={"authorization": "Bearer wrong"})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["cache-control"] == "no-store"


def test_scripts_of_any_site_may_read_the_public_parts(ask: Asker) -> None:
    """CORS without credentials: any origin, but no Authorization header."""
    for path in (LOT, "/graphql", "/checkpoint", "/proof/a/b"):
        preflight = ask("OPTIONS", path, headers={"origin": "https://shop.example"})
        assert preflight.status_code == 204
        assert preflight.headers["access-control-allow-origin"] == "*"
        assert "authorization" not in preflight.headers["access-control-allow-headers"].lower()
        assert "access-control-allow-credentials" not in preflight.headers
    assert ask.get(LOT).headers["access-control-allow-origin"] == "*"


def test_other_methods_are_405(ask: Asker) -> None:
    """Nothing is written here: other methods are refused with what is allowed."""
    for method in ("PUT", "DELETE", "PATCH"):
        answer = ask(method, LOT)
        assert answer.status_code == 405
        assert "GET" in answer.headers["allow"]


def test_every_answer_is_locked_down(ask: Asker) -> None:
    """No answer may run a script, be framed, be sniffed or leak its address."""
    for path in (LOT, f"{LOT}?qr", "/", "/nowhere", "/healthz", "/checkpoint", "/graphql"):
        for accept in ("text/html", "application/json"):
            headers = ask.get(path, accept).headers
            rules = headers["content-security-policy"]
            assert "default-src 'none'" in rules
            assert "frame-ancestors 'none'" in rules
            assert "unsafe" not in rules
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"


def test_checkpoint_and_proof_verify(ask: Asker, workspace: Workspace) -> None:
    """What is served verifies offline with the policy file alone, for an event id with a slash."""
    note = ask.get("/checkpoint").text
    assert checkpoint.parse(note)[0].origin == api_world.ORIGIN
    bundle = ask.get(f"/proof/{api_world.MAKER}/{quote('M/2 ü', safe='')}")
    assert bundle.status_code == 200
    assert bundle.json()["disclosed"] == []
    policy = verify.parse_policy(workspace.layout.policy.read_bytes())
    verdicts = {each.name: each for each in verify.check_bundle(bundle.content, policy)}
    for name in ("signed", "included", "body"):
        assert verdicts[name].status == "ok", verdicts[name]


def test_health_and_start(ask: Asker) -> None:
    """`/healthz` says how far the graph is; `/` says what this is."""
    health = ask.get("/healthz").json()
    assert health["status"] == "ok"
    assert health["position"] == health["size"] > 10
    assert api_world.ORIGIN in ask.get("/", "text/html").text


def test_a_store_that_refuses_is_503_and_masked() -> None:
    """A failing disk is 503 in general words; a defect is 500; neither shows what was wrong."""
    for error, status in ((StorageError("/srv/disk is gone"), 503), (KeyError("/srv/disk"), 500)):

        class Refusing:
            """A pool whose every view fails."""

            async def run(self, _: object, error: Exception = error) -> object:
                raise error

        app = build_app(Refusing(), ApiSettings(base="https://x"))  # type: ignore[arg-type]
        answer = Asker(app).get(LOT)
        assert answer.status_code == status
        assert "/srv/disk" not in answer.text
