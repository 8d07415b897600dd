"""Rules of sealing in bulk: the same bodies and openings as one by one, only sooner."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from log_factories import event, seeded

from provenance import canonical
from provenance.disclosure.privacy import NONCE_SIZE, b64, b64_each, seal, unb64
from provenance.disclosure.sealing import opened, seal_all
from provenance.disclosure.tiers import DEFAULT_POLICY, TierPolicy
from provenance.entries import Draft, EntryType, Tier
from provenance.errors import EncodingError
from provenance.hashing import field_commitment

NAMES = st.sampled_from(
    ["a", "b", "A", "Z", "0", "", "_", "_a", "_z", "x/y", "m~n", '"', "%b", "\\"]
)
STEPS = st.sampled_from(["a", "b", "A", "0", "1", "x~1y", "m~0n", "%b", "*", "*"])
PATTERNS = st.just("*") | st.lists(STEPS, min_size=1, max_size=3).map(
    lambda steps: "".join(f"/{step}" for step in steps)
)
RULES = st.dictionaries(PATTERNS, st.sampled_from(list(Tier)), max_size=5)
PLAIN = st.none() | st.integers(0, 9) | st.sampled_from(["", "text", "é", "%b"])
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
VERSIONS = st.sampled_from(["event/1", "other/1", 'a"%b/1'])
DRAFTS = st.lists(
    st.builds(
        lambda version, content, own: Draft(EntryType.EVENT, version, content, tiers=own),
        VERSIONS,
        st.dictionaries(NAMES, VALUES, max_size=5),
        RULES,
    ),
    max_size=4,
)


def same(size: int) -> bytes:
    """Entropy without any, so that two ways of sealing can be compared."""
    return bytes(size)


@given(DRAFTS, RULES)
@example([Draft(EntryType.EVENT, "event/1", {})], {})
@example([Draft(EntryType.EVENT, "event/1", {"~": 1, "Z": 2, "a": 3})], {"/a": Tier.PARTNER})
def test_in_bulk_is_as_one_by_one(drafts: list[Draft], rules: dict[str, Tier]) -> None:
    """Every body is the naive one to the byte, and its openings are the same."""
    policy = TierPolicy({"event/1": rules, 'a"%b/1': {"*": Tier.PUBLIC}})

    wholes = [canonical.encode(draft.content) for draft in drafts]
    bodies, shapes, sealed = seal_all(drafts, wholes, policy, same)

    for draft, body, own in zip(drafts, bodies, opened(shapes, sealed), strict=True):
        naive = seal(draft, policy, same)
        assert body == naive.body
        assert own == sorted(naive.openings)


def test_no_salt_and_no_nonce_is_used_twice() -> None:
    """Each field has a salt of its own, each body a nonce, and each commitment its own opening."""
    drafts = [event(number) for number in range(50)]
    wholes = [canonical.encode(draft.content) for draft in drafts]

    bodies, shapes, sealed = seal_all(drafts, wholes, DEFAULT_POLICY, seeded(4))

    openings = list(opened(shapes, sealed))
    read = [canonical.decode(body) for body in bodies]
    assert len({body["_n"] for body in read}) == len(bodies)
    assert {len(unb64(body["_n"])) for body in read} == {NONCE_SIZE}
    assert len({salt for own in openings for _, _, salt, _ in own}) == sum(map(len, openings))
    for body, own in zip(read, openings, strict=True):
        made = {path: b64(field_commitment(salt, preimage)) for path, _, salt, preimage in own}
        assert made == body["_c"]
        assert len(made) == 2


@pytest.mark.parametrize("name", ["_v", "_n", "_c", "_t"])
def test_the_format_s_own_names_are_refused(name: str) -> None:
    """A content cannot pose as a part of the format."""
    draft = Draft(EntryType.EVENT, "event/1", {name: "x", "party": "acme"})
    with pytest.raises(EncodingError, match="the format's own"):
        seal_all([draft], [canonical.encode(draft.content)], DEFAULT_POLICY, same)


def test_a_body_over_the_limit_is_refused() -> None:
    """The limit holds for the whole body, with what the format puts before the content."""
    room = canonical.MAX_BODY - len(canonical.encode({"text": ""}))
    draft = Draft(EntryType.EVENT, "event/1", {"text": "x" * room})
    with pytest.raises(EncodingError, match="a body of"):
        seal_all([draft], [canonical.encode(draft.content)], DEFAULT_POLICY, same)


@given(st.lists(st.binary(min_size=7, max_size=7)), st.lists(st.binary(min_size=32, max_size=32)))
def test_texts_in_bulk_are_as_one_by_one(sevens: list[bytes], hashes: list[bytes]) -> None:
    """Base64url of many parts at once is that of each."""
    for size, parts in ((7, sevens), (32, hashes)):
        assert b64_each(parts, size) == [b64(part).encode() for part in parts]
