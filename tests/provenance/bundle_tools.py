"""One good proof bundle, the tools to spoil it, and the verdicts on what comes out."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

from small_log import ORIGIN, seeded, small_log

from provenance.disclosure.privacy import b64, unb64
from provenance.notes.checkpoint import Checkpoint, format_note, parse_note, sign
from provenance.notes.keys import generate
from provenance.proving import proof
from provenance.verify import Verdict, check_bundle, parse_policy

Bundle = dict[str, Any]
LOG = small_log()
POLICY = parse_policy(LOG.policy())
PARTIES = [LOG.party.vkey]
Attacks = dict[str, tuple[Callable[[], Bundle], str, str]]
"""By name: what makes the bundle, which claim it attacks, and the reason it must be refused for."""


def judge(
    bundle: Bundle | bytes, policy: bytes | None = None, parties: list[str] | None = None
) -> dict[str, Verdict]:
    """The verdicts by name."""
    data = bundle if isinstance(bundle, bytes) else proof.bundle_text(bundle)
    trusted = POLICY if policy is None else parse_policy(policy)
    found = check_bundle(data, trusted, PARTIES if parties is None else parties)
    return {verdict.name: verdict for verdict in found}


def statuses(bundle: Bundle | bytes) -> set[str]:
    """Which statuses the verdicts have, leaving out anchors, which are never checked."""
    return {verdict.status for name, verdict in judge(bundle).items() if name != "anchored"}


def flip(text: str) -> str:
    """Another text of the same length: the middle character changed within base64's alphabet."""
    at = len(text) // 2
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def edited(**changes: Any) -> Bundle:
    """The whole bundle with members replaced; a callable is given the old value."""
    bundle = copy.deepcopy(LOG.bundle())
    for name, change in changes.items():
        holder, _, last = name.rpartition("__")
        where = bundle[holder] if holder else bundle
        where[last] = change(where[last]) if callable(change) else change
    return bundle


def other_checkpoint(**fields: Any) -> str:
    """A checkpoint with other fields, well signed by the log and two witnesses."""
    whole = {"origin": ORIGIN, "size": 11, "root": LOG.tree(LOG.leaves).root_at(11)} | fields
    key = LOG.key if whole["origin"] == ORIGIN else generate(whole["origin"], seeded(77))
    note = sign(Checkpoint(**whole), [key])
    for witness in LOG.witnesses[:2]:
        note = witness.cosign(note)
    return note


def unsigned_lines(keep: Callable[[str], bool]) -> str:
    """The checkpoint without the signature lines whose key name `keep` refuses."""
    note = parse_note(LOG.bundle()["checkpoint"])
    return format_note(note._replace(signatures=tuple(s for s in note.signatures if keep(s.name))))


def stranger_signed() -> str:
    """A checkpoint with a valid signature, of the log's name, by a key nobody trusts."""
    root = LOG.tree(LOG.leaves).root_at(11)
    note = sign(Checkpoint(ORIGIN, 11, root), [generate(ORIGIN, seeded(66))])
    return LOG.witnesses[1].cosign(LOG.witnesses[0].cosign(note))


def bad_line(name: str) -> str:
    """The checkpoint with the signature of `name` changed by one bit."""
    note = parse_note(LOG.bundle()["checkpoint"])
    lines = tuple(
        line._replace(signature=line.signature[:-1] + bytes([line.signature[-1] ^ 1]))
        if line.name == name
        else line
        for line in note.signatures
    )
    return format_note(note._replace(signatures=lines))


def with_leaf(change: Callable[[bytes], bytes]) -> Callable[[str], str]:
    """Change a leaf's bytes inside the bundle."""
    return lambda text: b64(change(unb64(text)))


def assert_fails(bundle: Bundle, claim: str, reason: str) -> None:
    """Require that the verdict on `claim` failed, for a reason that matches the pattern."""
    verdict = judge(bundle)[claim]
    assert verdict.status == "failed"
    assert re.search(reason, verdict.text), verdict.text
