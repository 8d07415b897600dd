"""The reproducibility record: a flag as log content, and what it takes to repeat it.

Numbers are written with twelve significant digits: enough to tell any two
conclusions apart, few enough to survive a different order of summation. A
flag's own values take the strictest tier of the fields its detector reads.

Next: detectors/registry.py
"""

from __future__ import annotations

import hashlib
import inspect
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

from provenance import canonical
from provenance.disclosure.privacy import b64
from provenance.disclosure.tiers import DEFAULT_POLICY
from provenance.entries import Draft, EntryType, Identity, Tier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from detectors.base import Account, Flag
    from provenance.disclosure.tiers import TierPolicy
    from provenance.entries import Content

__all__ = [
    "VERSION",
    "code_digest",
    "content",
    "draft",
    "identity",
    "libraries",
    "number",
    "row_key",
    "sources",
    "strictest",
]

VERSION: Final = "flag/1"
_CLEAR: Final = frozenset(
    (
        "party",
        "type",
        "subject_kind",
        "subject_id",
        "subject_party",
        "severity",
        "evidence_class",
        "detector",
        "detector_version",
        "evidence",
        "follows",
        "tree_size",
        "root",
    )
)
"""What the policy decides on; everything else is a value."""
_SHARED: Final = ("detectors.features", "detectors.judging")
"""What every answer passes through, whether a detector imports it or is handed it."""


def number(value: float) -> int | dict[str, str]:
    """Write a number as the log holds it: an integer, or decimal text."""
    if float(value).is_integer() and abs(value) < canonical.MAX_INT:
        return int(value)
    return canonical.number(f"{float(value):.12g}")


@cache
def code_digest(module: str) -> str:
    """Digest the source a detector's answer comes from: its module and all it takes from here.

    Args:
        module: Name of the module that defines the detector.
    """
    state = hashlib.sha256()
    for name in sorted(sources(module) | sources(*_SHARED)):
        source = inspect.getsource(import_module(name)).encode()
        state.update(name.encode() + b"\0" + len(source).to_bytes(8, "big") + source)
    return f"sha256:{state.hexdigest()}"


def sources(*modules: str) -> set[str]:
    """Return these modules and all of this room that they take from, straight or round corners."""
    family, waiting = set(modules), list(modules)
    while waiting:
        more = _used(waiting.pop()) - family
        family |= more
        waiting += more
    return family


@cache
def _used(module: str) -> frozenset[str]:
    """Return the modules of this room that a module takes functions, classes or all from."""
    homes = (
        value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None)
        for value in vars(import_module(module)).values()
    )
    named = (home for home in homes if isinstance(home, str))
    return frozenset(home for home in named if home.startswith("detectors."))


@cache
def libraries(names: tuple[str, ...]) -> Mapping[str, str]:
    """Return the installed version of each distribution."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def strictest(reads: Iterable[str], policy: TierPolicy = DEFAULT_POLICY) -> Tier:
    """Return the strictest tier among fields, each named "version path"."""
    named = (field.partition(" ") for field in reads)
    return max(
        (policy.plan(kind, {}).tier_of(path) for kind, _, path in named), default=Tier.PUBLIC
    )


def content(flag: Flag) -> Content:
    """Write a flag as the content of its log entry, version `flag/1`; absent is missing."""
    account = flag.account
    whole: dict[str, Any] = {
        "type": flag.type,
        "subject_kind": flag.subject_kind.value,
        "subject_id": flag.subject_id,
        "subject_party": flag.subject_party,
        "severity": flag.severity,
        "evidence_class": flag.evidence_class.value,
        "detector": flag.detector,
        "detector_version": flag.detector_version,
        "evidence": _evidence(flag),
        "tree_size": flag.tree_size,
        "root": b64(flag.root),
        "score": number(flag.score),
        "threshold": number(flag.threshold),
        "likely_benign": flag.likely_benign,
        "family": flag.family,
        "family_size": flag.family_size,
        "p": None if flag.p is None else number(flag.p),
        "q": None if flag.q is None else number(flag.q),
        **_words(account),
        "parameters": {name: _parameter(value) for name, value in flag.parameters.items()},
        "code_digest": flag.code_digest,
        "seed": flag.seed,
        "libraries": dict(flag.libraries),
        "reference_digest": flag.reference_digest,
        "list_version": flag.list_version,
    }
    return {name: value for name, value in whole.items() if value is not None}


def _words(account: Account) -> dict[str, Any]:
    observed, expected, peers = account.observed, account.expected, account.peer_group
    limits = {"low": expected.low, "high": expected.high}
    return {
        "observed": {
            "what": observed.what,
            "value": number(observed.value),
            "unit": observed.unit,
        },
        "expected": {
            **{name: number(value) for name, value in limits.items() if value is not None},
            "unit": expected.unit,
        },
        "peer_group": None if peers is None else {"name": peers.name, "size": peers.size},
        "explanation": account.sentence,
        "counterfactual": account.counterfactual,
        "benign": [{"cause": one.cause, "outcome": one.outcome} for one in account.benign],
        "caveat": account.caveat,
    }


def _parameter(value: float | str) -> Any:
    return value if isinstance(value, str) else number(value)


def identity(flag: Flag) -> Identity:
    """Name what a flag is about, and what it says of it.

    Tree size, root and family are left out: a conclusion that rests on the same entries with the
    same values is the same conclusion, and is not appended twice. A changed one is a newer version
    of the flag.
    """
    about = {
        "detector": flag.detector,
        "type": flag.type,
        "subject_kind": flag.subject_kind.value,
        "subject_id": flag.subject_id,
    }
    party = {} if flag.subject_party is None else {"subject_party": flag.subject_party}
    words = _words(flag.account)
    rests_on = {
        "evidence": _evidence(flag),
        "observed": words["observed"],
        "expected": words["expected"],
        "severity": flag.severity,
        "detector_version": flag.detector_version,
    }
    return Identity(row_key(about | party), rests_on)


def _evidence(flag: Flag) -> list[list[int | str]]:
    return [[one.index, b64(one.leaf_hash)] for one in flag.evidence]


def row_key(content: Content) -> tuple[str, ...]:
    """Name what a flag is about: what the log knows it by, and the graph its versions."""
    names = ("detector", "type", "subject_kind", "subject_id")
    return ("flag", *(content[name] for name in names), content.get("subject_party", ""))


def draft(
    flag: Flag,
    *,
    party: str,
    policy: TierPolicy = DEFAULT_POLICY,
    follows: tuple[int, str] | None = None,
) -> Draft:
    """Turn a flag into a draft for the log.

    Args:
        flag: What a run concluded.
        party: Who ran the detectors.
        policy: The workspace's tiers.
        follows: Log index and leaf hash of the flag that had been superseded, if any.
    """
    whole = {"party": party, **content(flag)}
    if follows is not None:
        whole["follows"] = list(follows)
    return Draft(
        type=EntryType.FLAG,
        version=VERSION,
        content=whole,
        identities=(identity(flag),),
        on_change="version",
        tiers=_tiers(whole, strictest(flag.reads, policy), policy),
    )


def _tiers(whole: Content, tier: Tier, policy: TierPolicy) -> dict[str, Tier]:
    """Give the values their tier, as far as the policy's rules do not do so already."""
    plan = policy.plan(VERSION, {})
    values = [f"/{name}" for name in whole if name not in _CLEAR]
    found = {path: tier for path in values if plan.tier_of(path) is not tier}
    return found | ({"/follows": plan.tier_of("/evidence")} if "follows" in whole else {})
