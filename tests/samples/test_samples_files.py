"""The committed sample files are what the generator makes, readable and labelled."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from functools import cache
from typing import TYPE_CHECKING

import pytest

from samples import data_dir
from samples.generate import SAMPLE_SCALE, SAMPLE_SEED, Table, generate, main, write_files
from samples.goods import gs1_check_digit
from samples.latecomers import SPOILT

if TYPE_CHECKING:
    from pathlib import Path

ROUTE_TYPES = {
    "cloned_serial",
    "cold_chain_breach",
    "custody_gap",
    "dwell_anomaly",
    "impossible_travel",
    "lane_novelty",
    "listed_source",
    "mass_balance",
    "origin_laundering",
    "phantom_shipment",
    "route_detour",
    "temporal_order",
    "value_misdeclared",
    "weight_misdeclared",
}
LABOUR_TYPES = {
    "audit_lapsed",
    "child_labour",
    "coercion_indicators",
    "excess_hours",
    "fabricated_payroll",
    "falsified_timesheet",
    "output_beyond_capacity",
    "wage_below_minimum",
}
COLUMNS = {
    "events.csv": "event_id, event_time, event_type, facility_id, locode, latitude, longitude, "
    "product_id, lot_id, serial_ids, quantity, quantity_unit, gross_weight, weight_unit, "
    "declared_value_usd, shipment_id, bill_of_lading, from_facility_id, to_facility_id, "
    "transport_mode, carrier, declared_origin_country, input_lots, source_system",
    "facilities.csv": "facility_id, name, facility_type, tier, country, region, locode, latitude, "
    "longitude, product_ids, declared_capacity_per_month, opened_year, source_system",
    "products.csv": "product_id, hs_code, unit, unit_weight_kg, reference_value_usd, chain, stage, "
    "input_product_id, input_units_per_output_unit, serialised",
    "labour.csv": "facility_id, month, headcount, avg_weekly_hours, total_hours, gross_wages, "
    "currency, output_units, output_product_id, min_worker_age, share_age_docs_missing, "
    "share_birthdate_jan1, share_age_exactly_18, migrant_share, recruitment_fee_usd, "
    "passports_held_share, wage_deduction_share, grievances, last_audit_date, audit_expiry_date, "
    "audit_scheme, certified_claim",
    "timesheets.csv": "facility_id, month, worker_id, week, hours, gross_pay",
    "legal_limits.csv": "country, currency, usd_per_unit, effective_from, min_hourly_wage, "
    "max_weekly_hours, min_age",
    "locations.csv": "locode, name, country_region, latitude, longitude",
    "watchlist.csv": "list_name, kind, value, goods, note",
}
TIME_SHAPES = {
    "agri-app": r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?",
    "mill-erp": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
    "stitchline": r"\d\d/\d\d/\d{4} \d\d:\d\d",
    "coop-ledger": r"\d\d/\d\d/\d{4} \d\d:\d\d",
    "pos-us": r"\d\d/\d\d/\d{4} \d\d:\d\d",
    "portlink": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d",
    "sap-west": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+\d\d:\d\d",
    "us-edi": r"[A-Z][a-z]{2} \d\d \d{4} \d\d:\d\d [AP]M",
    "coldtrace": r"\d{10}",
}


@cache
def table(name: str) -> list[dict[str, str]]:
    """The rows of a committed file."""
    with (data_dir() / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def small(seed: int, *, clean: bool = False) -> dict[str, Table]:
    """A small generated set of files; made once."""
    return generate(seed, 0.2, clean=clean)


def test_the_committed_files_are_what_the_generator_writes(tmp_path: Path) -> None:
    """Byte for byte, and none is missing or left over."""
    write_files(generate(SAMPLE_SEED, SAMPLE_SCALE), tmp_path)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_bytes() for path in data_dir().glob("*.csv")}
    assert sorted(made) == sorted(kept)
    assert [name for name in made if made[name] != kept[name]] == []


def test_another_process_writes_the_same_bytes(tmp_path: Path) -> None:
    """Neither the order of sets nor the time zone nor the language of a process shows."""
    root = data_dir().parents[1]
    outputs = []
    for seed, zone in (("1", "UTC"), ("2", "Asia/Kolkata")):
        target = tmp_path / seed
        words = [sys.executable, "-m", "samples.generate", "--scale", "0.2", "--seed", "3"]
        environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": str(root)}
        subprocess.run(
            [*words, "-o", str(target)], check=True, cwd=root, env=environment, capture_output=True
        )
        outputs.append({path.name: path.read_bytes() for path in target.iterdir()})
    assert outputs[0] == outputs[1]
    assert outputs[0]["events.csv"].decode() == small(3)["events.csv"].text()


def test_seeds_are_different_worlds() -> None:
    """Another seed gives other events, other people and other deeds."""
    for name in ("events.csv", "labour.csv", "timesheets.csv", "labels.csv"):
        assert small(3)[name].text() != small(4)[name].text()


def test_the_committed_world_has_its_promised_size() -> None:
    """About 5,000 events and 50 sites, two years of books, a few per cent planted."""
    events, labels = table("events.csv"), table("labels.csv")
    assert 4500 <= len(events) <= 5500
    assert 45 <= len(table("facilities.csv")) <= 60
    assert {len(months) for months in labour_months().values()} == {24}
    assert len(labels) < 0.05 * (len(events) + len(table("labour.csv")))
    assert sum(path.stat().st_size for path in data_dir().iterdir()) < 2_000_000


def labour_months() -> dict[str, set[str]]:
    """The months in the books of every site."""
    months: defaultdict[str, set[str]] = defaultdict(set)
    for row in table("labour.csv"):
        months[row["facility_id"]].add(row["month"])
    return months


def test_every_label_names_something_in_the_files() -> None:
    """Route labels name an event of the main file, labour labels a site's month."""
    events = {row["event_id"] for row in table("events.csv")}
    months = {f"{row['facility_id']}|{row['month']}" for row in table("labour.csv")}
    for row in table("labels.csv"):
        assert row["type"] in ROUTE_TYPES | LABOUR_TYPES
        assert row["subject_id"] in (events if row["type"] in ROUTE_TYPES else months)
        assert row["note"]


@pytest.mark.parametrize("seed", [SAMPLE_SEED, 4])
def test_every_type_is_planted_at_least_three_times(seed: int) -> None:
    """At scale 1 no type is rarer, whatever the seed; a label is not given twice."""
    rows = table("labels.csv") if seed == SAMPLE_SEED else generate(seed, 1.0)["labels.csv"].rows
    counts = Counter(row["type"] for row in rows)
    assert set(counts) == ROUTE_TYPES | LABOUR_TYPES
    assert min(counts.values()) >= 3
    assert len({(row["subject_id"], row["type"]) for row in rows}) == len(rows)


def test_the_clean_world_has_nothing_planted() -> None:
    """No labels, no goods from listed places, no broken cooling."""
    files = small(3, clean=True)
    assert files["labels.csv"].rows == []
    rows = files["events.csv"].rows
    assert not {"AKS-GIN", "MRY-GIN", "MAN-PIST"} & {row["facility_id"] for row in rows}
    readings = [float(row["temperature_c"]) for row in rows if "temperature_c" in row]
    assert readings
    assert 12 <= min(readings) <= max(readings) < 20


@pytest.mark.parametrize("name", sorted(COLUMNS))
def test_headers_are_the_public_contract(name: str) -> None:
    """Every column of the native format is there; the labels' header is none of them."""
    wanted = set(COLUMNS[name].split(", "))
    assert wanted <= set(table(name)[0])
    assert not wanted <= set(table("labels.csv")[0])


def test_rows_with_one_id_are_exact_repeats() -> None:
    """The export sends a few rows twice, and never one id with two contents."""
    first: dict[str, dict[str, str]] = {}
    repeats = 0
    for row in table("events.csv"):
        repeats += row["event_id"] in first
        assert first.setdefault(row["event_id"], row) == row
    assert 3 <= repeats <= 20


def test_a_lot_number_belongs_to_one_product() -> None:
    """Otherwise an input lot would be ambiguous."""
    product: dict[str, str] = {}
    for row in table("events.csv"):
        assert product.setdefault(row["lot_id"], row["product_id"]) == row["product_id"]


def test_times_are_decidable_by_source_system() -> None:
    """Each system keeps its shapes, and where day and month look alike some value tells."""
    beyond: defaultdict[tuple[str, int], int] = defaultdict(int)
    for row in table("events.csv"):
        system, text = row["source_system"], row["event_time"]
        assert re.fullmatch(TIME_SHAPES[system], text), row
        if "/" in text:
            for place, part in enumerate(text.split(" ")[0].split("/")[:2]):
                beyond[system, place] += int(part) > 12
    assert beyond["stitchline", 0] > 20
    assert beyond["coop-ledger", 0] > 20
    assert beyond["pos-us", 1] > 20
    assert beyond["stitchline", 1] == beyond["coop-ledger", 1] == beyond["pos-us", 0] == 0


def test_gs1_numbers_check() -> None:
    """Every GTIN of a product or an event, and every container number, ends in its check digit."""
    numbers = {row["gtin"] for row in table("products.csv") + table("events.csv")} - {""}
    assert {len(number) for number in numbers} == {13, 14}
    numbers |= {row["container_id"] for row in table("events.csv")} - {""}
    assert all(gs1_check_digit(number[:-1]) == number[-1] for number in numbers)
    assert gs1_check_digit("629104150021") == "3"  # the example of the GS1 specification


def test_the_late_file_holds_spoilt_rows_for_the_quarantine() -> None:
    """Five rows no reader should accept and some good ones; none of them was in the export."""
    late = table("late_scans.csv")
    main_ids = {row["event_id"] for row in table("events.csv")}
    assert not main_ids & {row["event_id"] for row in late}
    kinds = {row["event_type"] for row in table("events.csv")}
    bad = [
        row
        for row in late
        if row["event_time"].startswith("2024-02-30")
        or row["quantity"].startswith("-")
        or row["event_type"] not in kinds
        or abs(float(row["latitude"] or 0)) > 90
        or (row["gtin"] and gs1_check_digit(row["gtin"][:-1]) != row["gtin"][-1])
    ]
    assert len(bad) == SPOILT
    assert len(late) - len(bad) == 4


def test_the_summary_counts_the_labels_there_are() -> None:
    """The table in the data directory's README has the counts of labels.csv."""
    text = (data_dir() / "README.md").read_text(encoding="utf-8")
    listed = {kind: int(count) for kind, count in re.findall(r"\| `(\w+)` \| (\d+) \|", text)}
    assert listed == Counter(row["type"] for row in table("labels.csv"))


@pytest.mark.parametrize("words", [["--scale", "0"], ["--scale", "nan"]])
def test_an_impossible_scale_is_refused(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says what is wrong, nothing is written, the exit code is 2."""
    assert main([*words, "-o", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file in the way of the directory is reported by name, without a traceback."""
    (tmp_path / "file").write_text("in the way")
    assert main(["--scale", "0.05", "-o", str(tmp_path / "file")]) == 2
    assert "file: cannot write there" in capsys.readouterr().err
