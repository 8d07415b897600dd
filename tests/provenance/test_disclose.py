"""Disclosing chosen fields: exactly these, to a stranger who believes nothing else."""

from __future__ import annotations

import base64
import copy
from contextlib import suppress
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_factories import Rig, event, facility

from provenance.disclosure.privacy import b64, open_entry
from provenance.entries import Draft, EntryType, Opening, Tier
from provenance.errors import UsageError
from provenance.govern.acts import append_acts, count_acts
from provenance.govern.disclose import choose, choose_tier, disclose, grants, record
from provenance.log import Log
from provenance.proving.proof import bundle_text
from provenance.verify import check_bundle, parse_policy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from provenance.store.reading import LogReader

MORE = {
    "carrier": "Blue Line",
    "declared_value_usd": {"_d": "91234.5"},
    "bill_of_lading": "BOL-777-222",
    "items": [{"party": "acme", "product_id": "P-1", "serial_ids": ["SER-A1", "SER-B2", "SER-C3"]}],
}
PATHS = [
    "/bill_of_lading",
    "/carrier",
    "/declared_value_usd",
    *(f"/items/0/serial_ids/{n}" for n in range(3)),
    "/shipment_id",
]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """A log with two entries whose fields are of every tier."""
    rig = Rig(tmp_path_factory.mktemp("log"))
    log = rig.create()
    log.append([event(1, **MORE), event(2, **MORE | {"carrier": "Red Line"})])
    log.close()
    return rig


@pytest.fixture(scope="module")
def reader(rig: Rig) -> Iterator[LogReader]:
    """That log, to read."""
    reader = rig.reader()
    yield reader
    reader.close()


def judged(rig: Rig, bundle: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """What the verifier says of a bundle, by name."""
    policy = parse_policy(f"log {rig.key.vkey}\nquorum none\n".encode())
    return {one.name: (one.status, one.text) for one in check_bundle(bundle_text(bundle), policy)}


def decoded(data: bytes) -> bytes:
    """A bundle with every text that is base64 decoded too, so that nothing in it stays unseen."""
    found = [data]
    for word in data.replace(b'"', b" ").split():
        with suppress(ValueError):
            found.append(base64.urlsafe_b64decode(word + b"=" * (-len(word) % 4)))
    return b"\n".join(found)


def secrets_of(opening: Opening) -> list[bytes]:
    """What gives a field away: its salt, its preimage, and the texts of its value."""
    return [opening.salt, opening.preimage, b64(opening.salt).encode()]


@given(wanted=st.sets(st.sampled_from(PATHS), min_size=1))
def test_exactly_the_chosen_fields_are_opened(
    rig: Rig, reader: LogReader, wanted: set[str]
) -> None:
    """The verifier names the chosen fields; salt and value of no other are in the bytes."""
    entry = reader.entry(1)

    bundle = disclose(reader, choose(entry, [path.removeprefix("/") for path in wanted]))

    data = decoded(bundle_text(bundle))
    for opening in entry.openings:
        for secret in secrets_of(opening):
            assert (secret in data) is (opening.path in wanted), opening.path
    verdicts = judged(rig, bundle)
    assert verdicts["field"][0] == verdicts["body"][0] == verdicts["included"][0] == "ok"
    assert {text.strip("'") for text in verdicts["field"][1].split(", ")} == wanted


def test_values_of_other_fields_are_nowhere(reader: LogReader) -> None:
    """Not even as a text elsewhere: the values that were not chosen do not occur in the file."""
    data = decoded(bundle_text(disclose(reader, choose(reader.entry(1), ["carrier"]))))

    assert b"Blue Line" in data
    for hidden in (b"91234", b"BOL-777", b"SER-A1", b"S-1", b"Red Line"):
        assert hidden not in data.replace(b"SHA", b""), hidden


def test_two_disclosures_open_together_what_each_opens(rig: Rig, reader: LogReader) -> None:
    """Whoever holds two bundles of an entry can open both fields, and not one more."""
    entry = reader.entry(1)
    for one, other in combinations(PATHS, 2):
        first, second = (disclose(reader, choose(entry, [path])) for path in (one, other))
        both = copy.deepcopy(first)
        both["disclosed"] += second["disclosed"]
        assert judged(rig, both)["field"][0] == "ok"
        for third in set(PATHS) - {one, other}:
            opened = copy.deepcopy(both["disclosed"])
            for salt in (opened[0]["salt"], opened[1]["salt"]):
                opening = next(each for each in entry.openings if each.path == third)
                guess = {"path": third, "salt": salt, "preimage": b64(opening.preimage)}
                assert judged(rig, {**first, "disclosed": [guess]})["field"][0] == "failed"


def test_an_opening_of_one_entry_opens_no_other(rig: Rig, reader: LogReader) -> None:
    """The same field of another entry, and the same value at another path, are refused."""
    first, second = (disclose(reader, choose(reader.entry(n), ["shipment_id"])) for n in (1, 2))
    moved = copy.deepcopy(first)
    moved["disclosed"][0]["path"] = "/carrier"

    assert judged(rig, {**first, "disclosed": second["disclosed"]})["field"][0] == "failed"
    assert judged(rig, moved)["field"][0] == "failed"


def test_a_changed_field_fails(rig: Rig, reader: LogReader) -> None:
    """Any other value in place of the disclosed one is not what was committed to."""
    bundle = disclose(reader, choose(reader.entry(1), ["carrier"]))
    bundle["disclosed"][0]["preimage"] = b64(b'["/carrier","Red Line"]')

    assert judged(rig, bundle)["field"] == (
        "failed",
        "the opening of '/carrier' is not what was committed to",
    )


def test_a_pattern_chooses_each_part(reader: LogReader) -> None:
    """`*` is any one step; a part has a commitment of its own."""
    entry = reader.entry(1)

    assert choose(entry, ["items/0/serial_ids/*"]).paths == tuple(PATHS[3:6])
    assert choose(entry, ["/items/*/serial_ids/1"]).paths == (PATHS[4],)
    assert choose(entry, ["*"]).paths == ("/carrier", "/shipment_id", PATHS[0], PATHS[2])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("carier", "entry 1: has no field '/carier'; did you mean /carrier?"),
        ("event_type", "/event_type is public; every proof"),
        ("items/0/product_id", "is public"),
        ("items/0/serial_ids", "is disclosed part by part; /items/0/serial_ids/* are all"),
        ("items/0/serial_ids/9", "has no field"),
        ("", "has no field '/'"),
        ("_c", "is public"),
        ("carrier/0", "has no field"),
        ("~2", "has no field"),
    ],
)
def test_a_name_that_cannot_be_disclosed(reader: LogReader, name: str, reason: str) -> None:
    """A name of no committed field is refused with the reason, also beside good ones."""
    with pytest.raises(UsageError) as refused:
        choose(reader.entry(1), ["carrier", name])

    assert reason in str(refused.value)


def test_a_tier_chooses_what_it_may_see(reader: LogReader) -> None:
    """Partner: the partner fields; private: all of them."""
    entry = reader.entry(1)

    assert set(choose_tier(entry, Tier.PARTNER).paths) == {*PATHS} - {"/declared_value_usd"}
    assert set(choose_tier(entry, Tier.PRIVATE).paths) == {*PATHS}
    assert choose_tier(entry, Tier.PUBLIC).paths == ()


def test_what_is_erased_cannot_be_disclosed(tmp_path: Path) -> None:
    """A field, or an entry, without its bytes: an error that says so, before and after choosing."""
    rig = Rig(tmp_path / "log")
    rig.directory.mkdir()
    log = rig.create()
    log.append([event(1), event(2)])
    chosen = choose(log.entry(1), ["shipment_id"])
    with rig.attacked() as database:
        database.execute("DELETE FROM opening WHERE idx = 1 AND path = '/shipment_id'")
        database.execute("DELETE FROM opening WHERE idx = 2")
        database.execute("UPDATE body SET body = NULL WHERE idx = 2")

    with pytest.raises(UsageError, match="entry 1: /shipment_id was erased; nobody can"):
        choose(log.entry(1), ["shipment_id"])
    with pytest.raises(UsageError, match="erased meanwhile; nothing is disclosed"):
        disclose(log, chosen)
    with pytest.raises(UsageError, match="entry 2 was erased"):
        choose(log.entry(2), ["shipment_id"])
    assert choose_tier(log.entry(1), Tier.PARTNER).paths == ()
    log.close()


def filled(directory: Path) -> Log:
    """A log of three events, open to write."""
    directory.mkdir()
    log = Rig(directory).create()
    log.append([event(1), event(2), facility("F-1")])
    return log


def test_a_grant_says_who_has_what(tmp_path: Path) -> None:
    """Entry, leaf hash and paths are public; the receiver is not. All of it is read back."""
    log = filled(tmp_path / "log")
    chosen = [choose(log.entry(n), ["shipment_id"]) for n in (1, 2)]

    indexes = record(log, chosen, party="acme", to="customs")
    more = record(log, [choose_tier(log.entry(1), Tier.PRIVATE)], party="acme", to="bank")

    found = list(grants(log))
    assert [one.index for one in found] == [*indexes, *more]
    assert [(one.party, one.to, one.entry) for one in found] == [
        ("acme", "customs", 1),
        ("acme", "customs", 2),
        ("acme", "bank", 1),
    ]
    assert found[0].leaf_hash == log.entry(1).leaf_hash
    assert found[2].paths == ("/shipment_id", "/declared_value_usd")
    assert [one.entry for one in grants(log, "bank")] == [1]
    entry = log.entry(indexes[0])
    assert entry.type == EntryType.GRANT
    assert open_entry(entry, Tier.PARTNER).keys() == {"party", "entry", "paths"}
    assert b"customs" not in (entry.body or b"")
    log.close()
    assert Rig(tmp_path / "log").audit().problems == []


def test_a_grant_whose_receiver_was_erased(tmp_path: Path) -> None:
    """What was given away is still known, and to whom no longer; an erased grant is passed over."""
    log = filled(tmp_path / "log")
    first, second = record(
        log, [choose(log.entry(n), ["shipment_id"]) for n in (1, 2)], party="acme", to="customs"
    )
    with Rig(tmp_path / "log").attacked() as database:
        database.execute("DELETE FROM opening WHERE idx IN (?, ?)", (first, second))
        database.execute("UPDATE body SET body = NULL WHERE idx = ?", (second,))

    assert [(one.index, one.to) for one in grants(log)] == [(first, None)]
    assert list(grants(log, "customs")) == []
    log.close()


def test_the_same_disclosure_twice_is_two_acts(tmp_path: Path) -> None:
    """Each hand-over is a fact of its own, with its time."""
    log = filled(tmp_path / "log")
    chosen = [choose(log.entry(1), ["shipment_id"])]

    assert record(log, chosen, party="acme", to="x") != record(log, chosen, party="acme", to="x")
    assert count_acts(log, "grant") == 2
    log.close()


def act(number: int) -> Draft:
    """A draft for an act."""
    return Draft(EntryType.ANCHOR, "anchor/1", {"n": number}, tiers={"*": Tier.PUBLIC})


@given(counts=st.lists(st.integers(1, 5), max_size=6))
@settings(max_examples=12)
def test_acts_are_counted_as_they_come(
    tmp_path_factory: pytest.TempPathFactory, counts: list[int]
) -> None:
    """However they are appended: the count is theirs, and each has the next number."""
    log = Rig(tmp_path_factory.mktemp("acts")).create()
    indexes: list[int] = []
    for count in counts:
        indexes += append_acts(log, "test", [act(len(indexes) + n) for n in range(count)])
        assert count_acts(log, "test") == len(indexes)

    keys = [log.find(("test", log.origin, str(n))) for n in range(1, len(indexes) + 1)]
    assert keys == indexes
    assert log.find(("test", log.origin, str(len(indexes) + 1))) is None
    log.close()


def test_two_processes_never_share_a_number(tmp_path: Path, monkeypatch: Any) -> None:
    """Who comes second to a number takes the next one; nothing is lost, also of equal acts."""
    log = filled(tmp_path / "log")
    other = Rig(tmp_path / "log").open()
    real = Log.append

    def overtaken(self: Log, drafts: Any) -> Any:
        if self is log and count_acts(other, "test") == 0:
            append_acts(other, "test", [act(1), act(7)])
        return real(self, drafts)

    monkeypatch.setattr(Log, "append", overtaken)
    ours = append_acts(log, "test", [act(1), act(2), act(3)])

    assert count_acts(log, "test") == 5
    assert len(set(ours)) == 3
    found = [open_entry(log.entry(at), Tier.PRIVATE)["n"] for at in ours]
    assert found == [1, 2, 3]
    log.close()
    other.close()
