"""Rules of proof bundles: what is claimed holds, what is not claimed is absent."""

from __future__ import annotations

import pytest
from bundle_tools import (
    LOG,
    judge,
)
from small_log import ORIGIN

from provenance.errors import UsageError
from provenance.hashing import body_digest
from provenance.proving import proof

CLAIMS = ["signed", "witnessed", "included", "body", "field", "batch-signed", "consistent"]


def test_a_whole_bundle_is_good_in_every_claim() -> None:
    """Signed, witnessed, included, body, fields, batch and consistency: seven times ok."""
    verdicts = judge(LOG.bundle(anchors=[{"kind": "ots"}]))
    assert {name: verdict.status for name, verdict in verdicts.items()} == {
        **dict.fromkeys(CLAIMS, "ok"),
        "anchored": "absent",
    }
    assert verdicts["field"].text == "'/carrier', '/shipment_id'"
    assert verdicts["anchored"].text == "1 anchors present, unchecked"


def test_every_entry_of_the_log_can_be_proven() -> None:
    """A bundle of any entry under any later checkpoint verifies."""
    tree = LOG.tree(LOG.leaves)
    for size in range(1, len(LOG.leaves) + 1):
        note = LOG.checkpoint(size, cosigners=3)
        for index in range(size):
            bundle = proof.build_bundle(
                origin=ORIGIN,
                index=index,
                leaf=LOG.leaves[index],
                path=tree.inclusion_path(index, size),
                checkpoint=note,
                body=LOG.sealed[index].body,
                disclosed=LOG.openings(index),
            )
            assert {one.status for one in judge(bundle, parties=[]).values()} == {"ok", "absent"}


def test_what_is_not_claimed_is_absent_not_failed() -> None:
    """An erased body, nothing disclosed, no batch, no witnesses asked: absent, and good."""
    bundle = LOG.bundle(body=None, disclosed=0, batch=None, consistency=None)
    verdicts = judge(bundle, LOG.policy("none"), [])
    assert {name for name, verdict in verdicts.items() if verdict.status == "ok"} == {
        "signed",
        "included",
    }
    assert not [verdict for verdict in verdicts.values() if verdict.status == "failed"]


def test_an_erased_body_has_nothing_to_disclose() -> None:
    """The builder refuses openings without a body."""
    with pytest.raises(UsageError, match="entry 5 is erased"):
        LOG.bundle(body=None)


def test_a_proof_alone_in_its_tree_has_an_empty_path() -> None:
    """With one entry the path is empty."""
    bundle = proof.build_bundle(
        origin=ORIGIN,
        index=0,
        leaf=LOG.leaves[0],
        path=[],
        checkpoint=LOG.checkpoint(1, cosigners=2),
        body=LOG.sealed[0].body,
    )
    assert judge(bundle, parties=[])["included"].status == "ok"
    assert body_digest(LOG.sealed[0].body) == LOG.leaves[0][24:56]
