"""Rules of the trust policy as a log reads it: the verifier's judgement, and addresses besides."""

from __future__ import annotations

from contextlib import suppress
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_log import Witness, small_log

from provenance.errors import InputError
from provenance.notes.trust import Trust, parse_trust
from provenance.verify import Policy, parse_policy

LOG = small_log()
W = [Witness(f"witness.example/q{n}", 300 + n) for n in range(5)]
WITNESSES = "".join(f"witness w{n} {one.vkey} http://w{n}.example/\n" for n, one in enumerate(W))
LINES = [
    f"log {LOG.key.vkey}",
    f"log {LOG.key.vkey} https://log.example",
    *(f"witness w{n} {one.vkey}" for n, one in enumerate(W)),
    f"\twitness  w0\t{W[0].vkey} http://w0.example/ ",
    f"witness log {LOG.key.vkey}",
    f"log {W[0].vkey}",
    "group a 2 w0 w1 w2",
    "group a any w3",
    "group b all a w3 w4",
    "group b 0 w4",
    "group c 3 w4 w1",
    "group none any w0",
    "quorum none",
    "quorum a",
    "quorum b",
    "quorum w1",
    "# a remark",
    "",
    "witness w9",
    f"witness w\udcff {W[4].vkey}",
    "log x+y+z",
    "quorum \x7f",
    "nonsense",
]


def trust(text: str) -> Trust | None:
    """Read as the log does."""
    try:
        return parse_trust(text.encode(errors="surrogateescape"))
    except InputError:
        return None


def policy(text: str) -> Policy | None:
    """Read as the verifier does."""
    try:
        return parse_policy(text.encode(errors="surrogateescape"))
    except InputError:
        return None


@given(st.lists(st.sampled_from(LINES), max_size=9), st.sampled_from(["\n", ""]))
def test_log_and_verifier_read_the_same_policies(lines: list[str], end: str) -> None:
    """Two parsers without a common line accept the same files and find the same in them."""
    text = "\n".join(lines) + end
    ours, theirs = trust(text), policy(text)

    assert (ours is None) == (theirs is None)
    if ours is not None and theirs is not None:
        assert [one.key.public for one in ours.logs] == [key[3] for key in theirs.logs]
        assert {one.name: one.key.public for one in ours.witnesses} == {
            name: key[3] for name, key in theirs.witnesses.items()
        }
        assert {name: (g.threshold, list(g.members)) for name, g in ours.groups.items()} == (
            theirs.groups
        )
        assert [ours.quorum] == theirs.quorum


@given(st.binary(max_size=80))
def test_any_bytes_are_a_policy_or_our_error(data: bytes) -> None:
    """Whatever the bytes: a policy, or an `InputError`."""
    with suppress(InputError):
        assert parse_trust(data).quorum


def test_addresses_are_kept() -> None:
    """The third word of a witness line, and the second of a log line, is where to reach it."""
    read = trust(f"log {LOG.key.vkey} https://log.example/\n{WITNESSES}quorum none\n")

    assert read is not None
    assert [one.url for one in read.logs] == ["https://log.example/"]
    assert [one.url for one in read.witnesses] == [f"http://w{n}.example/" for n in range(5)]


@pytest.mark.parametrize("threshold", range(1, 6))
@pytest.mark.parametrize("cosigners", range(6))
def test_a_quorum_is_k_of_n(threshold: int, cosigners: int) -> None:
    """Any k of the n members reach the quorum, and no k - 1 of them do."""
    read = trust(f"{WITNESSES}group g {threshold} w0 w1 w2 w3 w4\nquorum g\n")

    assert read is not None
    for chosen in combinations(read.witnesses, cosigners):
        assert read.met_by({one.key for one in chosen}) == (cosigners >= threshold)


def test_a_quorum_of_groups() -> None:
    """Groups within groups count as one member each; strangers count for nothing."""
    read = trust(
        f"{WITNESSES}group x 2 w0 w1 w2\ngroup y any w3 w4\ngroup both all x y\nquorum both\n"
    )

    assert read is not None
    for mask in range(32):
        keys = {one.key for n, one in enumerate(read.witnesses) if mask >> n & 1}
        enough = (mask & 7).bit_count() >= 2 and mask >> 3 > 0
        assert read.met_by(keys) == enough
        assert read.met_by(keys | {LOG.key.verifier}) == enough


def test_no_quorum_is_always_met() -> None:
    """`quorum none` asks for nobody."""
    read = trust(f"{WITNESSES}quorum none\n")

    assert read is not None
    assert not read.asks
    assert read.met_by(set())
