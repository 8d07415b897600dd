"""Ages, audits and indicators of coercion: which rule, which day, and what is no violation."""

from __future__ import annotations

import pytest
from asking import ask, flagged, reasons
from frame_factories import World

AGE, AUDIT, COERCION = "child_labour", "audit_lapsed", "coercion_indicators"
VALID = {"last_audit_date": "2023-01-10", "audit_expiry_date": "2024-12-31"}
CLAIM = {"certified_claim": "true", "audit_scheme": "GoodWork"}


def works(**limit: object) -> World:
    """A site in a country where one works from fifteen on."""
    world = World()
    world.site("A")
    world.limit(**({"min_age": 15.0} | limit))  # type: ignore[arg-type]
    return world


@pytest.mark.parametrize(("age", "count"), [(15.0, 0), (16.0, 0), (14.0, 1), (9.0, 1)])
def test_minimum_age_is_legal(age: float, count: int) -> None:
    """Exactly the minimum age is allowed, a year less is not."""
    world = works()
    world.month(min_worker_age=age)
    assert len(flagged(AGE, world)) == count


def test_younger_is_more_serious() -> None:
    """Each missing year weighs more."""
    world = works()
    ages = {world.month(month=f"2024-{n:02d}", min_worker_age=15.0 - n): n for n in (1, 2, 5)}
    found = flagged(AGE, world)
    assert sorted(found, key=lambda subject: found[subject].rank) == sorted(ages, key=ages.get)  # type: ignore[arg-type]


def test_ages_that_are_none_and_countries_without_a_limit_are_told() -> None:
    """Zero, two hundred and minus one are slips; no limit means no judgement."""
    world = works()
    slips = [
        world.month(month=f"2024-{n + 1:02d}", min_worker_age=a) for n, a in enumerate((0, 200))
    ]
    none = world.month(month="2024-05", min_worker_age=-1.0)
    world.site("B", country="FR")
    abroad = world.month("B", min_worker_age=12.0)
    assert flagged(AGE, world) == {}
    assert reasons(AGE, world) == {
        "an age no worker has": tuple(slips),
        "no age of the youngest worker": (none,),
        "no minimum age for the country and month": (abroad,),
    }


@pytest.mark.parametrize(
    ("expiry", "count"),
    [("2024-03-01", 0), ("2024-02-29", 1), ("2024-03-15", 0), ("2023-03-01", 1)],
)
def test_audit_counts_on_the_first_day(expiry: str, count: int) -> None:
    """The day of expiry is valid; what expires within the month is in order for it."""
    world = works()
    world.month(**CLAIM, last_audit_date="2022-03-01", audit_expiry_date=expiry)
    assert len(flagged(AUDIT, world)) == count


@pytest.mark.parametrize("claim", ["false", "no", "0", "False", None])
def test_without_a_claim_nothing_lapses(claim: str | None) -> None:
    """A site that claims nothing breaks no promise, whatever its dates."""
    world = works()
    subject = world.month(**VALID | {"audit_expiry_date": "2023-05-01"}, certified_claim=claim)
    assert reasons(AUDIT, world) == {"no claim to be certified": (subject,)}


def test_months_without_dates_go_by_the_month_before() -> None:
    """Where dates are often left out, the last stated audit holds until it expires."""
    world = works()
    world.month(month="2024-01", **CLAIM, **VALID)
    left_out = [world.month(month=m, **CLAIM) for m in ("2024-06", "2024-12")]
    lapsed = world.month(month="2025-01", **CLAIM)
    assert set(flagged(AUDIT, world)) == {lapsed}
    assert ask(AUDIT, world).judged == {AUDIT: 2 + len(left_out)}


def test_renewal_that_later_months_record_counts() -> None:
    """A month without dates goes by an audit that took place before it, whoever wrote it down."""
    world = works()
    world.month(
        month="2024-06", **CLAIM, last_audit_date="2023-07-01", audit_expiry_date="2024-07-01"
    )
    world.month(month="2024-08", **CLAIM)
    world.month(
        month="2024-09", **CLAIM, last_audit_date="2024-06-20", audit_expiry_date="2025-07-01"
    )
    assert flagged(AUDIT, world) == {}


def test_expiry_that_another_month_states_is_that_of_the_audit() -> None:
    """The same audit expires on the same day, also where a month leaves the expiry out."""
    world = works()
    audit = {"last_audit_date": "2021-06-01"}
    world.month(month="2024-05", **CLAIM, **audit, audit_expiry_date="2025-06-01")
    world.month(month="2025-01", **CLAIM, **audit)
    late = world.month(month="2025-07", **CLAIM, **audit)
    assert set(flagged(AUDIT, world)) == {late}


def test_one_claim_without_dates_among_many_with_them_is_flagged() -> None:
    """A claim without an audit on record, where everybody else records theirs."""
    world = works()
    for n in range(60):
        world.site(f"S{n}")
        world.month(f"S{n}", **CLAIM, **VALID)
    bare = world.month("A", **CLAIM)
    assert set(flagged(AUDIT, world)) == {bare}


def test_claims_where_nobody_records_audits_are_not_judged() -> None:
    """No dates at all in the record: nothing is concluded from their absence."""
    world = works()
    told = [world.month(month=f"2024-0{n}", **CLAIM) for n in (1, 2, 3)]
    assert flagged(AUDIT, world) == {}
    assert reasons(AUDIT, world)["a claim, but audits are hardly recorded at all"] == tuple(told)


def test_audit_without_expiry_stands_as_long_as_its_schemes_usually_do() -> None:
    """Others of the scheme are valid for a year, so this one is."""
    world = works()
    for n in range(4):
        world.site(f"S{n}")
        world.month(f"S{n}", **CLAIM, last_audit_date="2024-01-01", audit_expiry_date="2024-12-31")
    old = world.month("A", **CLAIM, last_audit_date="2023-01-01")
    fresh = world.month("A", "2024-02", **CLAIM, last_audit_date="2023-12-01")
    found = flagged(AUDIT, world)
    assert old in found
    assert fresh not in found
    assert "by the time such audits usually stand" in found[old].account.sentence


def test_audit_dates_that_contradict_each_other_are_told() -> None:
    """An audit that expired before it took place is a slip."""
    world = works()
    dates = {"last_audit_date": "2024-01-01", "audit_expiry_date": "2022-01-01"}
    subject = world.month(**CLAIM, **dates)
    assert reasons(AUDIT, world) == {"an audit that expired before it took place": (subject,)}


@pytest.mark.parametrize(
    ("month", "count"),
    [
        ({"passports_held_share": 1.0}, 0),
        ({"recruitment_fee_usd": 9000.0}, 0),
        ({"wage_deduction_share": 0.9}, 0),
        ({"passports_held_share": 0.3, "recruitment_fee_usd": 5000.0}, 1),
        ({"passports_held_share": 0.5, "wage_deduction_share": 0.4}, 1),
        ({"wage_deduction_share": 0.9, "avg_weekly_hours": 80.0}, 0),
        ({"passports_held_share": 0.05, "recruitment_fee_usd": 200.0}, 0),
    ],
)
def test_two_indicators_flag_and_one_never_does(month: dict[str, float], count: int) -> None:
    """Together, and one of them papers or debt; alone, however grave, it is left to people."""
    world = works()
    world.month(**month)  # type: ignore[arg-type]
    assert len(flagged(COERCION, world)) == count


def test_shares_beyond_one_are_no_shares() -> None:
    """Sixty in a column of shares is a slip of units, and counts as unknown."""
    world = works()
    subject = world.month(passports_held_share=60.0)
    assert reasons(COERCION, world) == {
        "neither papers nor fees nor deductions are reported": (subject,)
    }
