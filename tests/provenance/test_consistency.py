"""Rules of tying a log to what somebody kept of it: it grew, or the kept checkpoint is evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bundle_tools import LOG, POLICY, edited, stranger_signed
from log_factories import ORIGIN, Rig, event, seeded
from small_log import ORIGIN as SMALL

from provenance.disclosure.privacy import unb64
from provenance.errors import InputError, ProvenanceError, UsageError, VerificationError
from provenance.govern.consistency import consistency, continues, kept_checkpoint, older_part
from provenance.hashing import EMPTY_ROOT
from provenance.notes.checkpoint import Checkpoint, parse, sign
from provenance.notes.keys import generate
from provenance.notes.trust import Trust, parse_trust
from provenance.proving import proof
from provenance.verify import Verdict, check_bundle, parse_policy, verify_consistency

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from provenance.store.reading import LogReader


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """A log of 41 entries, signed at 1, 8, 15 ..."""
    directory: Path = tmp_path_factory.mktemp("consistency")
    return Rig(directory).filled(40)


@pytest.fixture(scope="module")
def log(rig: Rig) -> Iterator[LogReader]:
    """It, to be read."""
    reader = rig.reader()
    yield reader
    reader.close()


def trusted(rig: Rig) -> bytes:
    """The policy that trusts its key."""
    return f"log {rig.key.vkey}\nquorum none\n".encode()


def test_every_two_states_of_a_log_are_tied(log: LogReader) -> None:
    """For every 0 < old <= new the verifier takes the proof; the content says the same."""
    for new in range(1, log.size + 1):
        for old in range(1, new + 1):
            found = consistency(log, old, new)
            verify_consistency(old, new, found.path, found.old.root, found.new.root)
    content = consistency(log, 7, 41).to_content()
    assert (content["v"], content["origin"]) == ("provenance/consistency/1", ORIGIN)
    assert (content["old"]["size"], content["new"]["size"]) == (7, 41)
    assert unb64(content["new"]["root"]) == log.root_at(41)
    path = [unb64(node) for node in content["path"]]
    verify_consistency(7, 41, path, unb64(content["old"]["root"]), log.root_at(41))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (0, 41, "from size 0"),
        (0, 0, "from size 0"),
        (9, 8, "from size 9 to size 8"),
        (-1, 5, "from size -1"),
        (5, 42, "the log has 41 entries, not 42"),
        (42, 42, "the log has 41 entries, not 42"),
    ],
)
def test_sizes_that_cannot_be_tied_are_usage_errors(
    log: LogReader, old: int, new: int, reason: str
) -> None:
    """Size 0, sizes the wrong way round, a size that the log has not reached."""
    with pytest.raises(UsageError, match=reason):
        consistency(log, old, new)


def test_every_checkpoint_that_the_log_signed_is_known(rig: Rig, log: LogReader) -> None:
    """Whatever its size, and whether trust comes from the policy or from the log itself."""
    for size in (1, 8, 36, 41):
        note = log.checkpoint(size).encode()
        for trust in (parse_trust(trusted(rig)), Trust()):
            assert kept_checkpoint(log, note, trust) == parse(note)[0]


def signed(rig: Rig, size: int = 8, root: bytes = bytes(32)) -> bytes:
    """A checkpoint that the log's own key signed, of whatever is said."""
    return sign(Checkpoint(ORIGIN, size, root), [rig.key]).encode()


def test_a_kept_checkpoint_is_refused_for_its_own_reason(rig: Rig, log: LogReader) -> None:
    """Another log's, nobody's, a stranger's, broken, empty, too long, of another history."""
    good, trust = log.checkpoint(8), parse_trust(trusted(rig))
    stranger = generate(ORIGIN, seeded(9))
    other = generate("log.example/other", seeded(9))
    root = log.root_at(8)
    cases: list[tuple[bytes, type[ProvenanceError], str]] = [
        (b"", InputError, "a signed note is"),
        (good.replace("\n8\n", "\n08\n").encode(), InputError, "plain decimal number"),
        (
            sign(Checkpoint(other.name, 8, root), [other]).encode(),
            UsageError,
            "of the log log.example/other, not of log.example/tests",
        ),
        (
            sign(Checkpoint(ORIGIN, 8, root), [stranger]).encode(),
            VerificationError,
            "no key of log.example/tests has signed it",
        ),
        (good.replace("\n8\n", "\n9\n").encode(), VerificationError, "is wrong"),
        (signed(rig, 0, EMPTY_ROOT), UsageError, "of size 0, from which nothing can be proven"),
        (signed(rig, 42), VerificationError, "signed 42 entries and has 41 here"),
        (signed(rig), VerificationError, "THIS CHECKPOINT IS OF ANOTHER HISTORY"),
        (signed(rig, 9, root), VerificationError, "OF ANOTHER HISTORY"),
    ]
    for text, kind, reason in cases:
        with pytest.raises(kind, match=reason) as caught:
            kept_checkpoint(log, text, trust)
        assert "\n" not in str(caught.value)


def test_a_bundle_that_leads_on_from_a_kept_checkpoint_verifies(rig: Rig, log: LogReader) -> None:
    """The part is the verifier's `consistency`; it fails where the old root is another."""
    for size in (1, 8, 41):
        bundle = log.prove(20)
        bundle["consistency"] = older_part(log, log.checkpoint(size), bundle)
        assert verdicts_of(bundle, trusted(rig))["consistent"].status == "ok"
    bundle["consistency"]["checkpoint"] = signed(rig).decode()
    verdict = verdicts_of(bundle, trusted(rig))["consistent"]
    assert (verdict.status, verdict.text) == ("failed", "the path is too short")
    with pytest.raises(UsageError, match="of size 41, the proof's of 8"):
        older_part(log, log.checkpoint(41), log.prove(3, size=8))


def verdicts_of(bundle: dict[str, object], policy: bytes) -> dict[str, Verdict]:
    """What the verifier says, by name."""
    found = check_bundle(proof.bundle_text(bundle), parse_policy(policy))
    return {verdict.name: verdict for verdict in found}


def told(bundle: dict[str, object], kept: str) -> tuple[str, str]:
    """What `continues` says of a bundle of the small log."""
    text = proof.bundle_text(bundle)
    verdict = continues(text, check_bundle(text, POLICY), kept.encode(), parse_trust(LOG.policy()))
    return verdict.status, verdict.text


def test_the_reader_of_a_bundle_is_told_whether_it_continues_what_he_kept() -> None:
    """The older checkpoint of the prover's choice is worth nothing; the kept one counts."""
    whole, bare = LOG.bundle(), LOG.bundle(consistency=None)
    assert told(whole, LOG.checkpoint(6)) == ("ok", "the kept checkpoint at size 6")
    assert told(whole, LOG.checkpoint(6, cosigners=3))[0] == "ok"
    assert told(bare, LOG.checkpoint(11)) == ("ok", "the kept checkpoint is its own")
    for status, text in (
        told(bare, LOG.checkpoint(6)),
        told(whole, LOG.checkpoint(5)),
        told(edited(consistency__path=[]), LOG.checkpoint(6)),
        told(whole, sign(Checkpoint(SMALL, 6, bytes(32)), [LOG.key])),
    ):
        assert status == "failed"
        assert "ask for a proof with `--older`" in text
    status, text = told(whole, sign(Checkpoint(SMALL, 11, bytes(32)), [LOG.key]))
    assert status == "failed"
    assert "ANOTHER HISTORY" in text
    assert told(whole, stranger_signed()) == (
        "failed",
        "the kept checkpoint is signed by no trusted key",
    )
    with pytest.raises(InputError):
        told(whole, "")


def test_a_proof_may_be_asked_for_at_any_signed_size(rig: Rig, log: LogReader) -> None:
    """Under the checkpoint of a size, but not of an entry after it, nor of a size never signed."""
    bundle = log.prove(7, size=8)
    assert bundle["checkpoint"] == log.checkpoint(8)
    assert verdicts_of(bundle, trusted(rig))["included"].status == "ok"
    with pytest.raises(UsageError, match="entry 8 came after the checkpoint of size 8"):
        log.prove(8, size=8)
    with pytest.raises(ProvenanceError, match="no checkpoint was signed at size 9"):
        log.prove(7, size=9)


def test_proofs_of_many_entries_are_under_one_checkpoint(rig: Rig) -> None:
    """Also when the log grows meanwhile."""
    grown = rig.copied(rig.directory.with_name("grown"))
    reader = grown.reader()

    def indices() -> Iterator[int]:
        yield 3
        writer = grown.open()
        writer.append([event(100)])
        writer.close()
        yield 5

    bundles = reader.prove_all(indices())
    assert len({bundle["checkpoint"] for bundle in bundles}) == 1
    assert [bundle["index"] for bundle in bundles] == [3, 5]
    assert reader.prove_all([]) == []
    reader.close()
