"""The tier policy: which path of which version may be seen by whom.

A policy is a list of path patterns per version; `*` stands for any one step,
and the pattern "*" alone is the version's default. The most specific pattern
decides. A version without rules is private throughout: forgetting a rule must
not disclose anything.

Next: provenance/privacy.py
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from provenance.entries import Tier
from provenance.errors import EncodingError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DEFAULT_POLICY", "Plan", "TierPolicy"]

_PUBLIC, _PARTNER, _PRIVATE = Tier.PUBLIC, Tier.PARTNER, Tier.PRIVATE


@dataclass(slots=True)
class Plan:
    """The rules of one version as a tree, one level per path step.

    Attributes:
        tier: Tier of this path and all below it that has no rule of its own; None inherits.
        steps: The rules further down, by step or "*".
    """

    tier: Tier | None = None
    steps: dict[str, Plan] = field(default_factory=dict)

    def below(self, step: str) -> Plan:
        """Return the rules for one step further down."""
        return self.steps.get(step) or self.steps.get("*") or _INHERIT

    def tier_of(self, path: str) -> Tier:
        """Return the tier that decides at `path`, an RFC 6901 path without `*`."""
        here, tier = self, self.tier or Tier.PUBLIC
        for step in path.split("/")[1:]:
            here = here.below(step)
            tier = tier if here.tier is None else here.tier
        return tier

    def add(self, pattern: str, tier: Tier) -> None:
        """Let `tier` decide at `pattern`, an RFC 6901 path in which `*` is any step."""
        here = self
        for step in pattern.split("/")[1:]:
            here = here.steps.setdefault(step, Plan())
        here.tier = tier


_INHERIT: Final = Plan()


@dataclass(frozen=True)
class TierPolicy:
    """Tier per version and path pattern.

    Attributes:
        rules: For each version, pattern -> tier; the pattern "*" is the version's default.
    """

    rules: Mapping[str, Mapping[str, Tier]]
    _plans: dict[tuple[object, ...], Plan] = field(default_factory=dict, repr=False, compare=False)

    def plan(self, version: str, own: Mapping[str, Tier]) -> Plan:
        """Return the rules of a version with a draft's `own` rules over them."""
        key = (version, *own.items())
        plan = self._plans.get(key)
        if plan is None:
            rules = self.rules.get(version, {})
            plan = Plan(rules.get("*", _PRIVATE))
            for pattern, tier in (*rules.items(), *own.items()):
                if pattern != "*":
                    plan.add(pattern, tier)
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
            EncodingError: A tier's name is unknown, or the form is another.
        """
        try:
            return cls(
                {
                    version: {pattern: Tier[name.upper()] for pattern, name in rules.items()}
                    for version, rules in content.items()
                }
            )
        except (AttributeError, KeyError) as error:
            raise EncodingError(f"tier policy: {error} is not a disclosure tier") from None


_PLANS_KEPT: Final = 1024


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
            "items/*/serial_ids/*",
            private="declared_value_usd source_system ext/*",
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
        "policy/1": _tiers(_PUBLIC),
    }
)
"""What a new workspace begins with."""
