"""Proofs over HTTP: what a phone gets verifies offline, and no trick shows more than its tier."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import api_world
import pytest

from api.app import build_app
from api.readers import Readers
from api.server import Listening, bind
from api.settings import ApiSettings
from api.store_reading import open_reading
from api.viewer import PARTNER, Gate
from provenance.disclosure.privacy import open_entry, unb64
from provenance.entries import Tier
from provenance.errors import EncodingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workspace.workspace import Workspace

ROOT = Path(__file__).parents[2]
PARTNER_TOKEN = "partner-token-of-the-tests"
EVENT = f"/proof/{api_world.MAKER}/{quote('M/2 ü', safe='')}"
PARTNER_SECRETS = {
    secret
    for secret in (*api_world.PARTNER_TEXTS.values(), *api_world.PARTNER_NUMBERS.values())
    if secret != "multimodal"
} | {api_world.SERIAL}
PRIVATE_SECRETS = {
    *api_world.PRIVATE_TEXTS.values(),
    *api_world.PRIVATE_NUMBERS.values(),
    "SECRETPRIVATEcolumn",
    "SECRETPRIVATEext",
    "SECRETPRIVATEexplanation",
    "SECRETPRIVATElabour",
}


class Answer(NamedTuple):
    """What came back over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def opened(self) -> set[str]:
        """The fields that a bundle opens."""
        return {one["path"] for one in json.loads(self.body)["disclosed"]}


class Phone:
    """Asks a real server, byte for byte as told: no path is tidied up on the way."""

    def __init__(self, host: str, port: int) -> None:
        """Ask this server."""
        self._place = host, port

    def get(self, path: str, token: str | None = None, method: str = "GET", **more: str) -> Answer:
        """Ask once."""
        connection = http.client.HTTPConnection(*self._place, timeout=20)
        headers = dict(more) | ({} if token is None else {"Authorization": f"Bearer {token}"})
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        found = Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        connection.close()
        return found


@pytest.fixture(scope="module")
def phone(workspace: Workspace) -> Iterator[Phone]:
    """The chain, served on a free port to consumers, partners and the operator."""
    # A pool of its own: a server closes its pool when it ends.
    readers = Readers(lambda: open_reading(workspace))
    settings = ApiSettings(base=api_world.BASE, token=api_world.TOKEN, partner_token=PARTNER_TOKEN)
    server, taken, _ = bind(build_app(readers, settings), Listening(port=0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]})
    with taken:
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield Phone(*taken.getsockname()[:2])
        server.should_exit = True
        thread.join(20)


def shown(body: bytes) -> bytes:
    """An answer with all that is in base64 opened up, so that nothing in it stays unseen."""
    texts = [body]

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)
        elif isinstance(value, str):
            try:
                texts.append(unb64(value))
            except (EncodingError, UnicodeError):
                texts.append(value.encode())

    with suppress(ValueError):
        walk(json.loads(body))
    return b"\n".join(texts)


def leaks(body: bytes, secrets: set[str]) -> set[str]:
    """Which of these secrets an answer holds."""
    everything = shown(body)
    return {secret for secret in secrets if secret.encode() in everything}


def test_the_bundle_of_a_phone_verifies_alone(
    phone: Phone, workspace: Workspace, tmp_path: Path
) -> None:
    """The bytes that a phone gets, and the log's public key: the island says yes by itself."""
    bundle, policy = tmp_path / "bundle.json", tmp_path / "log.policy"
    bundle.write_bytes(phone.get(EVENT).body)
    policy.write_text(f"log {workspace.vkey}\nquorum none\n")

    ran = subprocess.run(
        [sys.executable, "-m", "provenance.verify", str(bundle), "--policy", str(policy)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    statuses = {line.split()[1]: line.split()[0] for line in ran.stdout.splitlines()}
    assert statuses["included"] == statuses["body"] == statuses["signed"] == "ok"
    assert statuses["field"] == "absent"


def test_each_viewer_is_shown_up_to_its_tier(phone: Phone, workspace: Workspace) -> None:
    """Consumers nothing but the body, partners their fields, the operator all; each verifies."""
    index = workspace.reader.find(("event", api_world.MAKER, "M/2 ü"))
    assert index is not None
    tiers = {one.path: one.tier for one in workspace.reader.entry(index).openings}
    assert set(tiers.values()) == {Tier.PARTNER, Tier.PRIVATE}

    public, partner, operator = (
        phone.get(EVENT, token) for token in (None, PARTNER_TOKEN, api_world.TOKEN)
    )

    assert public.opened == set()
    assert partner.opened == {path for path, tier in tiers.items() if tier is Tier.PARTNER}
    assert operator.opened == set(tiers)
    assert leaks(public.body, PARTNER_SECRETS | PRIVATE_SECRETS) == set()
    assert leaks(partner.body, PRIVATE_SECRETS) == set()
    assert leaks(partner.body, PARTNER_SECRETS)
    assert leaks(operator.body, PRIVATE_SECRETS)


@pytest.mark.parametrize(
    "trick",
    [
        "?tier=private",
        "?disclose=private",
        "?fields=/declared_value_usd",
        "?tier=2&disclose=declared_value_usd",
        "?access_token=" + api_world.TOKEN,
        "?authorization=Bearer%20" + api_world.TOKEN,
    ],
)
@pytest.mark.parametrize("token", [None, PARTNER_TOKEN])
def test_no_question_raises_the_tier(phone: Phone, trick: str, token: str | None) -> None:
    """What is asked for beside the path changes nothing; a token in an address is none."""
    assert phone.get(EVENT + trick, token).body == phone.get(EVENT, token).body


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Tier": "private"},
        {"X-Forwarded-User": "operator"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Original-URL": "/graphql"},
        {"Cookie": f"token={api_world.TOKEN}"},
        {"X-HTTP-Method-Override": "POST"},
        {"Accept": "application/json; tier=private"},
    ],
)
def test_no_other_header_raises_the_tier(phone: Phone, headers: dict[str, str]) -> None:
    """Only an Authorization header says who asks."""
    answer = phone.get(EVENT, **headers)

    assert answer.body == phone.get(EVENT).body


@pytest.mark.parametrize(
    "shown_token",
    ["", "x", PARTNER_TOKEN + "x", PARTNER_TOKEN[:-1], f"{PARTNER_TOKEN} {api_world.TOKEN}"],
)
def test_a_wrong_token_shows_nothing(phone: Phone, shown_token: str) -> None:
    """A token that is not quite one is refused, not taken for a lesser one."""
    answer = phone.get(EVENT, shown_token)

    assert answer.status == 401
    assert leaks(answer.body, PARTNER_SECRETS | PRIVATE_SECRETS) == set()


PATHS = [
    f"/proof/../proof/{api_world.MAKER}/M-1",
    f"/proof//{api_world.MAKER}/M-1",
    f"/proof/{api_world.MAKER}/M-1/",
    f"/proof/{api_world.MAKER}/%2e%2e/M-1",
    f"/proof/{api_world.MAKER}%2fM-1",
    f"/proof/{api_world.MAKER}/M-1%00",
    f"/proof/{api_world.MAKER}/M-1#tier=private",
    f"/proof/{api_world.MAKER.upper()}/M-1",
    "/proof/%2e%2e/%2e%2e",
    "/proof/..%2f..%2fkeys/log.key",
    "/proof/%23/16",
    "/proof/self/%2316",
    "/proof/*/*",
    "/proof/%25/%25",
    "/proof/acme' OR '1'='1/M-1".replace(" ", "%20"),
    f"/proof/{api_world.MAKER}/" + "A" * 5_000,
    f"/proof/{api_world.SPINNER}/M-1",
    f"/proof/{api_world.FARM}/{quote('M/2 ü', safe='')}",
    "/proof/flag/1",
    "/proof/register/1",
    "/proof/grant/1",
    "/keys/subjects.db",
    "/../workspace.toml",
    "/%2e%2e/log.db",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("token", [None, PARTNER_TOKEN])
def test_tricks_with_paths_find_nothing(phone: Phone, path: str, token: str | None) -> None:
    """A path that is not exactly an event's gives 4xx and no secret; keys of other kinds too."""
    answer = phone.get(path, token)

    assert 400 <= answer.status < 500
    assert leaks(answer.body, PARTNER_SECRETS | PRIVATE_SECRETS) == set()
    assert b"Traceback" not in answer.body


def test_every_event_by_every_party_shows_a_partner_no_private_field(
    phone: Phone, workspace: Workspace
) -> None:
    """All events of all parties, asked for one after the other: what is private never comes."""
    contents = [open_entry(entry, Tier.PRIVATE) for entry in workspace.reader.entries(1)]
    events = [(one["party"], one["event_id"]) for one in contents if "event_id" in one]
    assert len({party for party, _ in events}) >= 3

    for party, event_id in events:
        path = f"/proof/{quote(party, safe='')}/{quote(event_id, safe='')}"
        assert leaks(phone.get(path).body, PARTNER_SECRETS | PRIVATE_SECRETS) == set()
        assert leaks(phone.get(path, PARTNER_TOKEN).body, PRIVATE_SECRETS) == set()


def test_what_a_token_shows_is_kept_by_no_cache(phone: Phone) -> None:
    """Answers to a token may not be stored, and never confirm a public copy or the reverse."""
    public, partner = phone.get(EVENT), phone.get(EVENT, PARTNER_TOKEN)
    tag = public.headers.get("etag", '"none"')

    assert "no-store" in partner.headers["cache-control"]
    again = phone.get(EVENT, PARTNER_TOKEN, **{"If-None-Match": tag})
    assert (again.status, again.opened) == (200, partner.opened)


def test_partners_get_no_lists(phone: Phone) -> None:
    """A partner asks by id like a consumer: lists are the operator's."""
    ask = "/graphql?query=" + quote("{flags(first: 5) {nodes {type}}}")

    answer = phone.get(ask, PARTNER_TOKEN)

    assert "FORBIDDEN" in answer.body.decode()


def test_a_partner_sees_its_tier_in_graphql_too(phone: Phone) -> None:
    """The same gate stands before GraphQL: a serial can be named, and nothing private is told."""
    item = f'{{gtin: "{api_world.GTIN}", lot: "{api_world.LOT}"}}'
    ask = "/graphql?query=" + quote(
        f"{{product(item: {item}) {{name flags(first: 9) {{nodes {{type explanation}}}}}}}}"
    )

    assert leaks(phone.get(ask, PARTNER_TOKEN).body, PRIVATE_SECRETS) == set()


def test_the_gate_tells_its_viewers_apart() -> None:
    """Each token opens its own tier; without a partners' token nobody is a partner."""
    gate = Gate("one", "two")

    assert gate.admit("Bearer two") is PARTNER
    assert gate.admit("Bearer one").tier is Tier.PRIVATE
    assert gate.admit(None).tier is Tier.PUBLIC
    assert not PARTNER.may_list
