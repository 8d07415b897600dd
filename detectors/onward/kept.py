"""What is kept of a run: enough to tell which of its flags stand, and nothing they say.

The flags are in the log. Kept are, by detector and family, the digest of the
inputs and who was flagged, or would have been at a more generous level.

Next: detectors/onward/keeping.py
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

import msgspec

from detectors.allowances import Rare  # noqa: TC001 - read by msgspec
from detectors.base import Abstention  # noqa: TC001 - read by msgspec
from detectors.record import code_digest, libraries

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from detectors.allowances import Allowance
    from detectors.base import Detector

__all__ = [
    "FORMAT",
    "Basis",
    "Candidate",
    "KeptAnswer",
    "KeptApart",
    "KeptFamily",
    "KeptRun",
    "Yardstick",
    "key_of",
    "passing",
    "without",
]

FORMAT: Final = 7
_OURS: Final = (
    "detectors.allowances",
    "detectors.onward.answers",
    "detectors.onward.apart",
    "detectors.onward.cases",
    "detectors.onward.entries",
    "detectors.onward.going",
    "detectors.onward.growing",
    "detectors.onward.watched",
    "detectors.partition",
    "detectors.past",
    "detectors.run",
)


class Basis(msgspec.Struct, frozen=True, array_like=True):
    """What a flag rests on that stands or falls by itself.

    Attributes:
        case: Digest of the case that was judged; empty where it has none.
        tables: Of which its explanation may have read anything.
        lots: Digest of what moved each lot that the explanation asked for, by the lot's number.
    """

    case: str
    tables: frozenset[str]
    lots: dict[int, str]


class Candidate(msgspec.Struct, frozen=True, array_like=True):
    """A subject that its detector flagged, or would in other company.

    Attributes:
        party: Whose subject; None where ids are global.
        subject: Its id.
        rank: Where its flag stands in the order of all.
        p: What the family's allowance is held against; None where there is none.
        flagged: Whether the flag was raised: what others found allowed it.
        basis: What the flag rests on, where its detector knows no families.
        entry: Of a rule that judges goods apart: the log entry that the case is about.
    """

    party: str | None
    subject: str
    rank: float
    p: float | None
    flagged: bool
    basis: Basis | None = None
    entry: int = -1


class KeptFamily(msgspec.Struct, frozen=True):
    """One family of a detector; of those that know no families, all that they judged.

    Attributes:
        inputs: Digest of what the answer rests on; empty where nobody says.
        rare: What it brings to the families of its period; None where it has no null.
        subjects: How many were judged.
        candidates: At most one per subject.
    """

    inputs: str
    rare: Rare | None
    subjects: int
    candidates: tuple[Candidate, ...]


class Yardstick(msgspec.Struct, frozen=True):
    """What was measured with.

    Attributes:
        digest: Of what it says.
        made: What it says, where it is made of the past.
        before: Then, when what it was made of ended, microseconds.
        tables: And what it may have read.
        code: And names the code that made it.
    """

    digest: str
    made: bytes = b""
    before: int = 0
    tables: frozenset[str] = frozenset()
    code: str = ""


class KeptApart(msgspec.Struct, frozen=True):
    """What a rule that judges goods apart said, entry by entry; see `entries`.

    Attributes:
        judged: Log indices of the subjects it judged.
        left_out: Of those it did not, by reason.
        yardsticks: What it measured with, by name.
    """

    judged: bytes
    left_out: dict[str, bytes]
    yardsticks: dict[str, Yardstick]


class KeptAnswer(msgspec.Struct, frozen=True):
    """What one detector answered.

    Attributes:
        key: Names the detector, its code, libraries and parameters.
        tables: What the answer rests on, explanations included.
        told: What the explanations of its flags rest on, besides the case.
        abstentions: What it did not judge; of the subjects, those that bear a flag.
        families: By label; "" where there are none.
        apart: Of a rule that judges goods apart; None where it cannot be asked in part next time.
        fits: Digest of each fit that is kept beside, by its name.
    """

    key: str
    tables: frozenset[str]
    told: frozenset[str]
    abstentions: tuple[Abstention, ...]
    families: dict[str, KeptFamily]
    apart: KeptApart | None = None
    fits: dict[str, str] = {}


class KeptRun(msgspec.Struct, frozen=True):
    """A whole run.

    Attributes:
        position: How many log entries it read.
        root: The log's root hash at that size.
        level: False-discovery level.
        seed: Of whatever draws random numbers.
        answers: By detector; those that failed are not here.
    """

    position: int
    root: bytes
    level: float
    seed: int
    answers: dict[str, KeptAnswer]
    format: int = FORMAT


def key_of(detector: Detector) -> str:
    """Name all that decides a detector's answers besides its inputs."""
    whole = [
        detector.name,
        detector.type,
        detector.version,
        detector.evidence_class.value,
        sorted((name, repr(value)) for name, value in detector.parameters.items()),
        sorted(libraries(detector.libraries).items()),
        [code_digest(module) for module in (type(detector).__module__, *_OURS)],
    ]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()


def without(answer: KeptAnswer, fell: Collection[tuple[str | None, str]]) -> KeptAnswer:
    """Return an answer as it is known once some of its flags were superseded in the log.

    Args:
        answer: Of an earlier run.
        fell: Party and id of their subjects: if their flags may stand again, they are raised anew.
    """

    def known(one: Candidate) -> Candidate:
        fallen = (one.party, one.subject) in fell
        return msgspec.structs.replace(one, flagged=False) if fallen else one

    if not fell:
        return answer
    families = {
        label: msgspec.structs.replace(one, candidates=tuple(map(known, one.candidates)))
        for label, one in answer.families.items()
    }
    return msgspec.structs.replace(answer, families=families)


def passing(
    families: dict[str, KeptFamily], allowed: Mapping[str, Allowance]
) -> Iterator[tuple[str, Candidate]]:
    """Yield each subject's highest candidate that its family may flag, with the label."""
    best: dict[tuple[str | None, str], tuple[str, Candidate]] = {}
    for label, family in sorted(families.items()):
        for one in family.candidates:
            if one.p is None or one.p <= allowed[label].cut:
                subject = (one.party, one.subject)
                if subject not in best or one.rank > best[subject][1].rank:
                    best[subject] = (label, one)
    yield from best.values()
