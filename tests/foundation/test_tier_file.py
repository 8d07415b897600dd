"""Tier files: what a person writes is what holds, and what cannot be meant is refused."""

from __future__ import annotations

import tomllib
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance import canonical
from provenance.disclosure.privacy import open_entry
from provenance.disclosure.tiers import DEFAULT_POLICY
from provenance.entries import Tier
from provenance.errors import InputError
from workspace.tier_file import FIELDS, parse_tiers, read_tiers, tiers_text
from workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., "tuple[int, str, str]"]

WRONG = {
    '["evnt/1"]\ncarrier = "private"': (1, "no version 'evnt/1'; did you mean event/1?"),
    '["event/1"]\n\ncarier = "private"': (3, "event/1: has no field 'carier'; did you mean carr"),
    '# x\n["event/1"]\ncarrier = "privat"': (3, "'privat' is not a tier, which is public, partner"),
    '["event/1"]\ncarrier = 1': (2, "carrier: 1 is not a tier"),
    '["event/1"]\ncarrier = ["private"]': (2, "is not a tier"),
    '["event/1"]\n"carrier/x" = "private"': (2, "has no field 'carrier/x'"),
    '["event/1"]\n"items/*/serial_id" = "private"': (2, "did you mean items/*/serial_ids/*?"),
    '["event/1"]\n"items/x/lot_id" = "public"': (2, "has no field"),
    '["event/1"]\n"" = "private"': (2, "has no field ''"),
    '["event/1"]\n"/*" = "private"': (2, "has no field '/*'"),
    '["event/1"]\ncarrier = "public"\n"/carrier" = "private"': (1, "names a field twice"),
    '["event/1"]\n"*" = "private"': (1, "party would be hidden"),
    '["event/1"]\n"items/*" = "partner"': (1, "items/*/party would be hidden"),
    '["batch/1"]\nroot = "private"': (1, "root would be hidden"),
    '["policy/1"]\n"*" = "private"': (1, "governs the log"),
    '"event/1" = "private"': (None, "must be a table"),
    '["event/1"\ncarrier = "private"': (None, "is not TOML: "),
    '["event/1"]\ncarrier = "public"\ncarrier = "public"': (None, "is not TOML: "),
}


@pytest.mark.parametrize("text", WRONG)
def test_what_cannot_be_meant_is_refused_with_its_line(text: str) -> None:
    """Versions, fields and tiers that do not exist are named with the line they stand in."""
    line, reason = WRONG[text]

    with pytest.raises(InputError) as refused:
        parse_tiers(text, "tiers.toml", DEFAULT_POLICY)

    place = "tiers.toml" if line is None else f"tiers.toml:{line}:"
    assert str(refused.value).startswith(place)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_is_shown_can_be_read_back() -> None:
    """The text of a policy is a tier file for the same policy."""
    text = tiers_text(DEFAULT_POLICY)

    assert parse_tiers(text, "shown", DEFAULT_POLICY) == DEFAULT_POLICY
    assert tomllib.loads(text).keys() == FIELDS.keys()


def test_a_partial_file_changes_what_it_names() -> None:
    """All that a file does not name stays as it was; a named step goes before `*`."""
    text = '["event/1"]\n/quantity = "private"\n'.replace("/quantity", '"items/*/quantity"')

    policy = parse_tiers(text, "mine", DEFAULT_POLICY)

    changed = dict(policy.rules["event/1"])
    assert changed.pop("/items/*/quantity") is Tier.PRIVATE
    assert changed == DEFAULT_POLICY.rules["event/1"]
    assert {v: r for v, r in policy.rules.items() if v != "event/1"} == {
        v: r for v, r in DEFAULT_POLICY.rules.items() if v != "event/1"
    }
    assert policy.plan("event/1", {}).tier_of("/items/3/quantity") is Tier.PRIVATE


def test_the_defaults_name_fields_that_exist() -> None:
    """Every rule of the default policy fits a field that the tier file knows."""
    known = {field for fields in FIELDS.values() for field in fields}
    named = {
        pattern.removeprefix("/")
        for version in FIELDS
        for pattern in DEFAULT_POLICY.rules[version]
        if pattern != "*"
    }
    containers = {name for name in named if any(field.startswith(f"{name}/") for field in known)}

    assert named - containers - known == set()


def test_every_field_of_a_real_log_can_be_named(small: Path) -> None:
    """No entry that the program has written holds a field that a tier file may not name."""
    strange = set()
    with Workspace(small) as workspace:
        for entry in workspace.reader.entries(1):
            version = canonical.loads(entry.body)["_v"]
            content = open_entry(entry, Tier.PRIVATE)
            if version in FIELDS:
                steps = {field.split("/")[0] for field in FIELDS[version]}
                strange |= {f"{version} {name}" for name in content.keys() - steps}

    assert strange == set()


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever the text: a policy that can be shown again, or one line that says why not."""
    with suppress(InputError):
        policy = parse_tiers(text, "tiers.toml", DEFAULT_POLICY)
        assert parse_tiers(tiers_text(policy), "shown", policy) == policy


@given(
    st.sampled_from(sorted(FIELDS)).flatmap(
        lambda version: st.tuples(
            st.just(version),
            st.dictionaries(
                st.sampled_from(sorted(FIELDS[version])), st.sampled_from(["public", "private"])
            ),
        )
    )
)
def test_any_rules_for_fields_hold_or_are_refused(case: tuple[str, dict[str, str]]) -> None:
    """Rules for existing fields are taken as they are, unless they hide what entries need."""
    version, rules = case
    text = f'["{version}"]\n' + "".join(f'"{name}" = "{tier}"\n' for name, tier in rules.items())

    with suppress(InputError) if "private" in rules.values() else nullcontext():
        policy = parse_tiers(text, "tiers.toml", DEFAULT_POLICY)
        assert policy.rules[version] == DEFAULT_POLICY.rules[version] | {
            f"/{name}": Tier[tier.upper()] for name, tier in rules.items()
        }


def test_a_workspace_is_made_with_its_own_tiers(provenance: Command, tmp_path: Path) -> None:
    """`init --tiers` takes a partial file over the defaults; a wrong one makes no workspace."""
    file, data = tmp_path / "tiers.toml", tmp_path / "made"
    file.write_text('["event/1"]\ncarrier = "publc"\n')

    code, _, err = provenance("init", "--data", data, "--tiers", file)
    assert code == 1
    assert f"{file}:2: event/1: carrier: 'publc' is not a tier" in err
    assert not data.exists()
    file.write_text('["event/1"]\ncarrier = "public"\n')

    assert provenance("init", "--data", data, "--tiers", file)[0] == 0
    with Workspace(data) as workspace:
        rules = workspace.reader.policy.rules
    assert rules["event/1"]["/carrier"] is Tier.PUBLIC
    assert rules["facility/1"] == DEFAULT_POLICY.rules["facility/1"]


@pytest.mark.parametrize("data", [b"\xff\xfe", b'["event/1"]\n' + b"#" * (1 << 20)])
def test_a_file_that_is_no_text(data: bytes, tmp_path: Path) -> None:
    """Bytes that are not UTF-8, and files that are too large, are refused in one line."""
    file = tmp_path / "tiers.toml"
    file.write_bytes(data)

    with pytest.raises(InputError, match=r"tiers\.toml: "):
        read_tiers(file, DEFAULT_POLICY)
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_tiers(tmp_path / "none", DEFAULT_POLICY)


def test_a_change_holds_for_entries_from_now_on(
    provenance: Command, small: Path, tmp_path: Path
) -> None:
    """`tiers set` is one entry: older openings keep their tier, newer ones have the new one."""
    file, events = tmp_path / "tiers.toml", tmp_path / "events.csv"
    file.write_text('["event/1"]\nshipment_id = "public"\n"items/*/quantity" = "private"\n')

    code, out, _ = provenance("--data", small, "tiers", "set", file)

    assert code == 0
    assert out.splitlines()[:2] == [
        "event/1 items/*/quantity: private",
        "event/1 shipment_id: public",
    ]
    assert "what is logged keeps its tiers" in out
    shown = provenance("--data", small, "tiers", "show")[1]
    assert 'shipment_id = "public"' in shown
    events.write_text(
        "event_id,event_time,event_type,facility_id,product_id,lot_id,quantity,shipment_id\n"
        "N-1,2025-11-01T08:00:00Z,ship,F-FARM,COTTON,C-2,500,S-NEW\n"
    )
    assert provenance("--data", small, "ingest", events)[0] == 0
    with Workspace(small) as workspace:
        reader = workspace.reader
        new = reader.entry(reader.find(("event", workspace.settings.party, "N-1")) or 0)
        old = [one.path for entry in reader.entries(1, 15) for one in entry.openings]
        again = reader.policy
    assert {(one.path, one.tier) for one in new.openings} == {("/items/0/quantity", Tier.PRIVATE)}
    assert open_entry(new, Tier.PUBLIC)["shipment_id"] == "S-NEW"
    assert "/shipment_id" in old
    assert provenance("--data", small, "verify")[0] == 0
    assert parse_tiers(shown, "shown", again) == again


def test_nothing_to_change_is_no_entry(provenance: Command, small: Path, tmp_path: Path) -> None:
    """The tiers in force, set once more, or a wrong file: one line, and the log is as it was."""
    file = tmp_path / "tiers.toml"
    file.write_text(provenance("--data", small, "tiers", "show")[1])
    with Workspace(small) as workspace:
        before = workspace.reader.size

    same = provenance("--data", small, "tiers", "set", file)
    file.write_text('["event/1"]\ncarier = "public"\n')
    wrong = provenance("--data", small, "tiers", "set", file)

    assert (same[0], wrong[0]) == (2, 1)
    assert "these are the tiers in force" in same[2]
    assert f"{file}:2: event/1: has no field 'carier'" in wrong[2]
    with Workspace(small) as workspace:
        assert workspace.reader.size == before
