"""Rules of sealing and opening: what is hidden is hidden, and comes back whole."""

from __future__ import annotations

import copy
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_factories import event, seeded

from provenance import canonical
from provenance.disclosure.privacy import Sealed, b64, open_entry, seal, unb64
from provenance.disclosure.tiers import DEFAULT_POLICY, TierPolicy
from provenance.entries import Draft, Entry, EntryType, Opening, Tier
from provenance.errors import EncodingError, WorkspaceDamaged
from provenance.hashing import field_commitment

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = st.sampled_from(["a", "b", "c", "0", "x/y", "m~n", "*"])
STEPS = st.sampled_from(["a", "b", "c", "0", "1", "x~1y", "m~0n", "*", "*"])
PATTERNS = st.just("*") | st.lists(STEPS, min_size=1, max_size=4).map(
    lambda steps: "".join(f"/{step}" for step in steps)
)
TIERS = st.sampled_from(list(Tier))
RULES = st.dictionaries(PATTERNS, TIERS, max_size=6)
PLAIN = st.none() | st.booleans() | st.integers(0, 9) | st.just("text") | st.just("")
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=10,
)
CONTENTS = st.dictionaries(NAMES, VALUES, max_size=4)


def sealed(content: Any, rules: dict[str, Tier], own: dict[str, Tier] | None = None) -> Sealed:
    """Seal a content under the rules of a policy and of its own."""
    draft = Draft(EntryType.EVENT, "event/1", content, tiers=own or {})
    return seal(draft, TierPolicy({"event/1": rules}), seeded(3))


def opened(body: Sealed, tier: Tier, without: frozenset[str] = frozenset()) -> Any:
    """What a viewer sees of a sealed content, with the openings at some paths erased."""
    openings = tuple(Opening(*fields) for fields in body.openings if fields[0] not in without)
    return open_entry(Entry(0, 1, 0, b"", b"", body.body, openings), tier)


def marked(value: Any, numbers: Iterator[int]) -> Any:
    """The same shape, with a text of its own at every end."""
    if isinstance(value, dict):
        return {name: marked(item, numbers) for name, item in value.items()}
    if isinstance(value, list):
        return [marked(item, numbers) for item in value]
    return f"secret {next(numbers)}."


def ends(value: Any, steps: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every end of a marked content, and the steps that lead there."""
    if isinstance(value, str):
        yield steps, value
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for step, item in () if isinstance(value, str) else children:
        yield from ends(item, (*steps, str(step)))


def naive_tier(steps: tuple[str, ...], rules: dict[str, Tier], own: dict[str, Tier]) -> Tier:
    """The policy as its docstring puts it: the nearest path with a rule, its best pattern."""
    for length in range(len(steps), -1, -1):
        for given_rules in (own, rules):
            fitting = [
                ([step != "*" for step in pattern], tier)
                for pattern, tier in _parsed(given_rules)
                if len(pattern) == length
                and all(rule in ("*", step) for rule, step in zip(pattern, steps, strict=False))
            ]
            if fitting:
                return max(fitting)[1]
    return Tier.PRIVATE


def _parsed(rules: dict[str, Tier]) -> list[tuple[list[str], Tier]]:
    return [
        (
            []
            if pattern == "*"
            else [step.replace("~1", "/").replace("~0", "~") for step in pattern.split("/")[1:]],
            tier,
        )
        for pattern, tier in rules.items()
    ]


@given(CONTENTS, RULES, RULES)
def test_opened_with_everything_it_is_what_was_sealed(
    content: Any, rules: dict[str, Tier], own: dict[str, Tier]
) -> None:
    """The private tier gets the content back, whole and equal, under every policy."""
    before = copy.deepcopy(content)

    assert opened(sealed(content, rules, own), Tier.PRIVATE) == before
    assert content == before


@settings(max_examples=150)
@given(CONTENTS, RULES, RULES)
def test_no_tier_sees_what_is_above_it(
    shape: Any, rules: dict[str, Tier], own: dict[str, Tier]
) -> None:
    """Planted secrets: the body holds public ones only, and no viewer sees above its tier."""
    content = marked(shape, count())
    body = sealed(content, rules, own)
    views = {tier: canonical.encode(opened(body, tier)).decode() for tier in Tier}

    for steps, secret in ends(content):
        tier = naive_tier(steps, rules, own)
        if tier is not Tier.PUBLIC:
            assert secret not in body.body.decode()
        for viewer in Tier:
            if viewer < tier:
                assert secret not in views[viewer]


@given(CONTENTS, RULES)
def test_a_public_value_is_hidden_only_by_a_secret_beside_it(
    shape: Any, rules: dict[str, Tier]
) -> None:
    """Without lists, every value is clear exactly where its tier is public."""
    content = {name: _without_lists(item) for name, item in marked(shape, count()).items()}
    text = sealed(content, rules).body.decode()

    for steps, secret in ends(content):
        assert (secret in text) is (naive_tier(steps, rules, {}) is Tier.PUBLIC)


def _without_lists(value: Any) -> Any:
    if isinstance(value, list):
        return {f"n{place}": _without_lists(item) for place, item in enumerate(value)}
    if isinstance(value, dict):
        return {name: _without_lists(item) for name, item in value.items()}
    return value


@given(CONTENTS, RULES, RULES)
def test_no_path_is_both_clear_and_committed(
    content: Any, rules: dict[str, Tier], own: dict[str, Tier]
) -> None:
    """Nothing stands in clear at or below a committed path, and no commitment below another."""
    body = canonical.decode(sealed(content, rules, own).body)
    paths = list(body.get("_c", {}))

    for path in paths:
        assert not _reaches(body, path)
        assert not [other for other in paths if other.startswith(f"{path}/")]


def _reaches(body: Any, path: str) -> bool:
    here = body
    for step in path.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        try:
            here = here[int(name)] if isinstance(here, list) else here[name]
        except (IndexError, KeyError):
            return False
    return True


@given(CONTENTS, RULES, RULES)
def test_each_commitment_has_its_own_salt_and_opening(
    content: Any, rules: dict[str, Tier], own: dict[str, Tier]
) -> None:
    """One opening per commitment, which opens it, at the tier that the rules give its path."""
    body = sealed(content, rules, own)
    commitments = canonical.decode(body.body).get("_c", {})
    plan = TierPolicy({"event/1": rules}).plan("event/1", own)

    assert [path for path, *_ in body.openings] == sorted(commitments, key=lambda p: (len(p), p))
    assert len({salt for _, _, salt, _ in body.openings}) == len(body.openings)
    for path, tier, salt, preimage in body.openings:
        assert len(salt) == 32
        assert canonical.decode(preimage)[0] == path
        assert b64(field_commitment(salt, preimage)) == commitments[path]
        assert tier == plan.tier_of(path)


@given(CONTENTS, RULES, st.data())
def test_what_is_erased_is_simply_absent(content: Any, rules: dict[str, Tier], data: Any) -> None:
    """Without some openings the rest still opens: fields are gone, lists close their gaps."""
    body = sealed(content, rules)
    paths = [path for path, *_ in body.openings]
    erased = frozenset(data.draw(st.sets(st.sampled_from(paths))) if paths else ())
    kept = {canonical.dump(canonical.loads(o[3])[1]) for o in body.openings if o[0] not in erased}

    view = opened(body, Tier.PRIVATE, erased)

    assert (view == content) or erased
    for path, *_ in body.openings:
        steps = path.split("/")[1:]
        if not _in_a_list(content, steps):
            assert _reaches(view, path) is (path not in erased)
    assert all(value in canonical.dump(view) or not view for value in kept)


def _in_a_list(content: Any, steps: list[str]) -> bool:
    here = content
    for step in steps:
        if isinstance(here, list):
            return True
        here = here[step.replace("~1", "/").replace("~0", "~")]
    return False


def test_two_bodies_of_one_content_differ() -> None:
    """A nonce hides a body as a whole, and salts hide equal values: nothing can be compared."""
    entropy = seeded(5)
    draft = event(1, carrier="Maersk", source_system="Maersk")
    one, other = (seal(draft, DEFAULT_POLICY, entropy) for _ in range(2))
    salts = [salt for each in (one, other) for _, _, salt, _ in each.openings]
    commitments = [
        value for each in (one, other) for value in canonical.decode(each.body)["_c"].values()
    ]

    assert one.body != other.body
    assert len(set(salts)) == len(salts) == 8
    assert len(set(commitments)) == 8


LEAKS: dict[str, tuple[Any, dict[str, Tier], dict[str, Tier]]] = {
    "a tuple is a list": (
        {"ext": (("name", "SECRET"),)},
        {"*": Tier.PUBLIC, "/ext/*": Tier.PRIVATE},
        {},
    ),
    "a named step keeps the rules for any step": (
        {"items": [{"serial": "SECRET", "unit": "kg"}]},
        {"*": Tier.PUBLIC, "/items/*/serial": Tier.PRIVATE},
        {"/items/0/unit": Tier.PARTNER},
    ),
    "a sibling committed whole takes its strictest rule": (
        {"a": ["x", {"inner": "SECRET"}]},
        {"*": Tier.PUBLIC, "/a/0": Tier.PARTNER, "/a/1/inner": Tier.PRIVATE},
        {},
    ),
    "a draft's own default counts": (
        {"a": "SECRET"},
        {"*": Tier.PUBLIC},
        {"*": Tier.PRIVATE},
    ),
    "a name with a slash has a rule": (
        {"x/y": "SECRET"},
        {"*": Tier.PUBLIC, "/x~1y": Tier.PRIVATE},
        {},
    ),
    "a version without rules is private": ({"a": "SECRET"}, {}, {}),
    "lists of lists": (
        {"a": [["SECRET"], ["x"]]},
        {"*": Tier.PUBLIC, "/a/*/0": Tier.PRIVATE},
        {},
    ),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_ways_in_which_a_value_could_leak(leak: str) -> None:
    """Each of these once could have shown a private value to partners or the public."""
    content, rules, own = LEAKS[leak]
    body = sealed(content, rules, own)

    assert "SECRET" not in body.body.decode()
    assert "SECRET" not in str(opened(body, Tier.PARTNER))
    assert "SECRET" in str(opened(body, Tier.PRIVATE))


def test_the_default_policy_hides_what_it_names() -> None:
    """Values, systems and unknown columns are private, shipments and serials for partners."""
    draft = event(
        7,
        source_system="erp-west",
        ext=[["Größe", "mittel"]],
        items=[{"party": "acme", "lot_id": "L-2", "serial_ids": ["SN-1", "SN-2"]}],
    )
    entry = seal(draft, DEFAULT_POLICY, seeded(6))

    public, partner = opened(entry, Tier.PUBLIC), opened(entry, Tier.PARTNER)

    assert public["items"] == [{"party": "acme", "lot_id": "L-2"}]
    assert public.keys() == {"party", "event_id", "event_type", "event_time", "items"}
    assert partner["items"][0]["serial_ids"] == ["SN-1", "SN-2"]
    assert partner.keys() - public.keys() == {"shipment_id"}
    assert not [word for word in ("SN-", "erp", "mittel", "7.50") if word in entry.body.decode()]


@pytest.mark.parametrize("name", ["_v", "_n", "_c", "_t"])
def test_the_formats_own_names_are_reserved(name: str) -> None:
    """Content cannot bring its own version, nonce or commitments."""
    with pytest.raises(EncodingError, match="format's own"):
        sealed({name: "x"}, {"*": Tier.PUBLIC})


@pytest.mark.parametrize("bad", [{"a": 1.5}, {"a": [float("nan")]}, {"ä": 1}, {"a": {"b": b""}}])
@pytest.mark.parametrize("tier", list(Tier))
def test_content_outside_the_domain_is_not_sealed(bad: Any, tier: Tier) -> None:
    """A float is refused wherever it would have gone, into the body or into a commitment."""
    with pytest.raises(EncodingError):
        sealed(bad, {"*": tier})


def test_a_body_has_an_upper_limit() -> None:
    """Over 16 MiB is refused, before it is logged."""
    with pytest.raises(EncodingError, match="at most 16777216"):
        sealed({"a": "x" * canonical.MAX_BODY}, {"*": Tier.PUBLIC})


@pytest.mark.parametrize("pattern", ["a", "", "a/b", "ä"])
def test_a_pattern_that_lost_its_slash_is_refused(pattern: str) -> None:
    """Taken as a rule for the whole version it could disclose everything; it is an error."""
    with pytest.raises(EncodingError, match="without /"):
        sealed({"a": 1}, {pattern: Tier.PUBLIC})
    with pytest.raises(EncodingError, match="without /"):
        TierPolicy.from_content({"event/1": {pattern: "public"}})


@given(st.dictionaries(st.sampled_from(["event/1", "flag/1"]), RULES))
def test_a_policy_reads_back_from_entry_0(rules: dict[str, dict[str, Tier]]) -> None:
    """The policy in the log is the policy that was given."""
    content = canonical.decode(canonical.encode(TierPolicy(rules).to_content()))

    assert TierPolicy.from_content(content) == TierPolicy(rules)


@pytest.mark.parametrize("content", [{"event/1": {"*": "secret"}}, {"event/1": 1}, [], {"a": []}])
def test_other_content_is_no_policy(content: Any) -> None:
    """An unknown tier or another form is refused."""
    with pytest.raises(EncodingError):
        TierPolicy.from_content(content)


@pytest.mark.parametrize(
    ("body", "preimage"),
    [
        (b"[]", b'["/a",1]'),
        (b"{", b'["/a",1]'),
        (b"{}", b"{"),
        (b"{}", b'["/a"]'),
        (b"{}", b"[1,1]"),
        (b"{}", b'["/a/b",1]'),
        (b'{"a":[]}', b'["/a/7/b",1]'),
        (b'{"a":"x"}', b'["/a/0",1]'),
    ],
)
def test_body_and_opening_that_do_not_fit_are_an_error(body: bytes, preimage: bytes) -> None:
    """A damaged entry is named in one line; it never becomes a wrong content or a traceback."""
    opening = Opening("/a", Tier.PUBLIC, bytes(32), preimage)

    with pytest.raises(WorkspaceDamaged, match="entry 9"):
        open_entry(Entry(9, 1, 0, b"", b"", body, (opening,)), Tier.PRIVATE)


def test_an_erased_body_opens_to_nothing() -> None:
    """Without its body an entry has no content, whatever openings remain."""
    opening = Opening("/a", Tier.PUBLIC, bytes(32), b'["/a",1]')

    assert open_entry(Entry(1, 1, 0, b"", b"", None, (opening,)), Tier.PRIVATE) == {}


@given(st.binary(max_size=70))
def test_binary_reads_back_from_text(data: bytes) -> None:
    """Base64url without padding: letters, digits, - and _ only."""
    text = b64(data)

    assert unb64(text) == data
    assert text.replace("-", "").replace("_", "").isalnum() or not data


@pytest.mark.parametrize("text", ["A", "AA==", "AB", "A+", "A/", "AA\n", " AA", "ÄÄ", "AAAA="])
def test_other_texts_are_not_binary(text: str) -> None:
    """Padding, stray bits, the other alphabet and spaces are refused."""
    with pytest.raises(EncodingError):
        unb64(text)
