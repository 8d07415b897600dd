"""The tier policy: which path of which version may be seen by whom.

A policy is a list of path patterns per version; `*` stands for any one step,
and the pattern "*" alone is the version's default. At each path the most
specific pattern decides (a named step before `*`, earlier steps first), and a
path without a pattern of its own is as its parent. A version without rules is
private throughout: forgetting a rule must not disclose anything.

Next: provenance/disclosure/privacy.py
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from provenance.entries import Tier
from provenance.errors import EncodingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["DEFAULT_POLICY", "Plan", "TierPolicy"]

_PUBLIC, _PARTNER, _PRIVATE = Tier.PUBLIC, Tier.PARTNER, Tier.PRIVATE
_ANY: Final = "*"
_PLANS_KEPT: Final = 1024

_Rules = list[tuple[tuple[str, ...], Tier]]
"""Remaining steps and tier, the ones that give way first."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The rules at one path and below it, `*` worked into the named steps.

    Attributes:
        tier: Tier of this path.
        strictest: The strictest tier at this path and below: that of a value committed whole.
        steps: The rules one step further down, by name.
        rest: The rules for the steps without a name of their own; None where all below is as here.
        flat: No path below has another tier.
        seen: Where this is a list of objects that are public but for some names, these names.
    """

    tier: Tier
    strictest: Tier
    steps: Mapping[str, Plan]
    rest: Plan | None
    flat: bool
    seen: frozenset[str] | None

    def below(self, step: str) -> Plan:
        """Return the rules for one step further down."""
        return self.steps.get(step) or self.rest or self

    def shows_all(self, items: Iterable[Any]) -> bool:
        """Say whether it can be seen at a glance that nothing in a list is hidden."""
        seen = self.seen
        if seen is None:
            return False
        for item in items:
            if type(item) is not dict or not item or not seen.isdisjoint(item):
                return False
        return True

    def tier_of(self, path: str) -> Tier:
        """Return the tier of a value committed whole at `path`, an RFC 6901 path."""
        here = self
        for step in path.split("/")[1:]:
            here = here.below(_unescape(step))
        return here.strictest


_FLAT: Final = {tier: Plan(tier, tier, {}, None, flat=True, seen=None) for tier in Tier}


@dataclass(frozen=True)
class TierPolicy:
    """Tier per version and path pattern.

    Attributes:
        rules: For each version, pattern -> tier; the pattern "*" is the version's default.
    """

    rules: Mapping[str, Mapping[str, Tier]]
    _plans: dict[object, Plan] = field(default_factory=dict, repr=False, compare=False)

    def plan(self, version: str, own: Mapping[str, Tier]) -> Plan:
        """Return the rules of a version with a draft's `own` rules before them.

        Raises:
            EncodingError: A pattern is neither "*" nor begins with "/".
        """
        key = (version, *own.items()) if own else version
        plan = self._plans.get(key)
        if plan is None:
            rules = self.rules.get(version, {})
            plan = _compile([*_ranked(rules), *_ranked(own)], _PRIVATE)
            if len(self._plans) < _PLANS_KEPT:
                self._plans[key] = plan
        return plan

    def to_content(self) -> dict[str, dict[str, str]]:
        """Write the policy as it stands in entry 0: version -> pattern -> tier name."""
        return {
            version: {pattern: tier.name.lower() for pattern, tier in rules.items()}
            for version, rules in self.rules.items()
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Mapping[str, str]]) -> TierPolicy:
        """Read what `to_content` wrote.

        Raises:
            EncodingError: A tier's name or a pattern is not one, or the form is another.
        """
        try:
            rules = {
                version: {pattern: Tier[name.upper()] for pattern, name in own.items()}
                for version, own in content.items()
            }
        except (AttributeError, KeyError) as error:
            raise EncodingError(f"tier policy: {error} is not a disclosure tier") from None
        for own in rules.values():
            _ranked(own)
        return cls(rules)


def _ranked(rules: Mapping[str, Tier]) -> _Rules:
    """Parse patterns; of two that fit one path, the one that decides comes later."""
    parsed = [(_parse(pattern), tier) for pattern, tier in rules.items()]
    return sorted(parsed, key=lambda rule: [step != _ANY for step in rule[0]])


def _parse(pattern: str) -> tuple[str, ...]:
    if pattern == _ANY:
        return ()
    # Taken as a rule for the whole version, a forgotten slash could disclose it all.
    if not pattern.startswith("/"):
        raise EncodingError(f"tier policy: the pattern {pattern!a} is not * and begins without /")
    return tuple(_unescape(step) for step in pattern.split("/")[1:])


def _unescape(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")


def _compile(rules: Sequence[tuple[tuple[str, ...], Tier]], inherited: Tier) -> Plan:
    tier = inherited
    deeper: _Rules = []
    for steps, own in rules:
        if steps:
            deeper.append((steps, own))
        else:
            tier = own
    if not deeper:
        return _FLAT[tier]
    names = {steps[0] for steps, _ in deeper} - {_ANY}
    named = {name: _compile(_below(deeper, name), tier) for name in names}
    rest = _compile(_below(deeper, _ANY), tier)
    strictest = max(tier, rest.strictest, *(plan.strictest for plan in named.values()))
    listed = not named and rest.rest is _FLAT[_PUBLIC]
    seen = frozenset(rest.steps) if listed else None
    return Plan(tier, strictest, named, rest, flat=False, seen=seen)


def _below(rules: _Rules, name: str) -> _Rules:
    """The rules one step down: a named step is also under the rules for any step."""
    return [(steps[1:], tier) for steps, tier in rules if steps[0] in {name, _ANY}]


def _tiers(default: Tier, /, **groups: str) -> dict[str, Tier]:
    rules = {"*": default}
    for tier, names in groups.items():
        rules.update({f"/{name}": Tier[tier.upper()] for name in names.split()})
    return rules


DEFAULT_POLICY: Final = TierPolicy(
    {
        "event/1": _tiers(
            _PUBLIC,
            partner="latitude longitude container_id shipment_id bill_of_lading from_facility_id "
            "to_facility_id transport_mode carrier gross_weight weight_unit temperature_c "
            "purchase_order items/*/serial_ids/*",
            private="declared_value_usd source_system quality ext/*",
        ),
        "epcis/1": _tiers(
            _PRIVATE,
            public="party event_id event_type type action event_time time_text time_zone_offset "
            "biz_step disposition facility_id items inputs certificate_id corrects epcis/unnamed "
            "epcis/bizStep epcis/disposition epcis/persistentDisposition epcis/certificationInfo "
            "epcis/quantityList epcis/childQuantityList epcis/inputQuantityList "
            "epcis/outputQuantityList epcis/bizLocation epcis/errorDeclaration/declarationTime "
            "epcis/errorDeclaration/reason",
            partner="latitude longitude container_id container_ids shipment_id bill_of_lading "
            "from_facility_id to_facility_id temperature_c purchase_order items/*/serial_ids/* "
            "inputs/*/serial_ids/* epcis/epcList epcis/childEPCs epcis/parentID "
            "epcis/inputEPCList epcis/outputEPCList epcis/transformationID epcis/readPoint "
            "epcis/bizTransactionList epcis/sourceList epcis/destinationList "
            "epcis/sensorElementList epcis/ilmd",
        ),
        "facility/1": _tiers(
            _PUBLIC,
            partner="latitude longitude",
            private="declared_capacity_per_month source_system ext/*",
        ),
        "product/1": _tiers(
            _PUBLIC, partner="input_units_per_output_unit", private="reference_value_usd ext/*"
        ),
        "location/1": _tiers(_PUBLIC, private="ext/*"),
        "labour/1": _tiers(
            _PRIVATE,
            public="party facility_id month corrects",
            partner="last_audit_date audit_expiry_date audit_scheme certified_claim",
        ),
        "timesheet/1": _tiers(_PRIVATE, public="party facility_id month corrects workers")
        | {"/workers/*": _PRIVATE},
        "legal_limit/1": _tiers(_PUBLIC, private="ext/*"),
        "watchlist/1": _tiers(_PUBLIC, private="ext/*"),
        "batch/1": _tiers(_PUBLIC, private="source"),
        "flag/1": _tiers(
            _PRIVATE,
            public="party type subject_kind subject_id subject_party severity evidence_class "
            "detector detector_version evidence tree_size root",
        ),
        "review/1": _tiers(_PRIVATE, public="party flag detector type subject_id state"),
        "policy/1": _tiers(_PUBLIC),
    }
)
"""What a new workspace begins with."""
