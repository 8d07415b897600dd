"""Frames: what detectors read has the promised columns and types, and the latest versions."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from graph_factories import ListLog, event, item, record

from graph import columns
from graph.connect import open_store
from graph.frames import Frames, load_frames
from graph.sync import catch_up
from provenance.entries import Draft, EntryType

if TYPE_CHECKING:
    from pathlib import Path

EVENTS = (
    "index leaf_hash event_id party event_type event_time time_precision facility_id locode "
    "latitude longitude item_party product_id lot_id serial_ids quantity quantity_unit "
    "gross_weight weight_unit declared_value_usd shipment_id bill_of_lading from_facility_id "
    "to_facility_id transport_mode carrier declared_origin_country source_system container_id "
    "temperature_c certificate_id"
)
COLUMNS = {
    "events": EVENTS,
    "inputs": "index event_id item_party product_id lot_id quantity",
    "facilities": "index leaf_hash facility_id name facility_type tier country region locode "
    "latitude longitude product_ids declared_capacity_per_month opened_year source_system",
    "products": "index leaf_hash product_id hs_code unit unit_weight_kg reference_value_usd chain "
    "stage input_product_id input_units_per_output_unit serialised gtin name brand image_url "
    "min_temperature_c max_temperature_c",
    "labour": "index leaf_hash facility_id month headcount avg_weekly_hours total_hours "
    "gross_wages currency output_units output_product_id min_worker_age share_age_docs_missing "
    "share_birthdate_jan1 share_age_exactly_18 migrant_share recruitment_fee_usd "
    "passports_held_share wage_deduction_share grievances last_audit_date audit_expiry_date "
    "audit_scheme certified_claim",
    "timesheets": "index leaf_hash facility_id month worker_id week hours gross_pay",
    "legal_limits": "index leaf_hash country currency usd_per_unit effective_from "
    "min_hourly_wage max_weekly_hours min_age",
    "locations": "index leaf_hash locode name country_region latitude longitude",
    "watchlist": "index leaf_hash list_name kind value goods note",
    "flags": "index leaf_hash detector type subject_kind subject_id subject_party score threshold",
    "reviews": "index flag_index state",
}


def frames_of(log: ListLog) -> Frames:
    """The frames of a log."""
    store = open_store("memory:")
    catch_up(log, store)
    return load_frames(store)


@pytest.mark.parametrize("name", COLUMNS)
def test_the_columns_exist_even_without_rows(name: str) -> None:
    """Every frame has its columns and their types, filled or empty."""
    empty: pd.DataFrame = getattr(frames_of(ListLog()), name)
    assert set(COLUMNS[name].split()) <= set(empty.columns)
    assert len(empty) == 0
    assert empty["index"].dtype == "int64"


def test_an_event_has_a_row_for_each_item() -> None:
    """Fields of the event repeat, those of the item do not, and numbers are floats."""
    log = ListLog(
        [
            event(
                *(1, "ship", item("P", "1", 5, serial_ids=["x"]), item("Q", party="bolt")),
                carrier="C",
                latitude={"_d": "-1.25"},
                gross_weight=7,
                inputs=[item("R", "2", 3), {"lot_id": "9"}],
            ),
            event(2, "unpack", container_id="K", time_precision="day"),
        ]
    )
    frames = frames_of(log)
    rows: list[dict[str, Any]] = frames.events.to_dict("records")
    assert [r["index"] for r in rows] == [0, 0, 1]
    assert [r["leaf_hash"] for r in rows] == [log.held[n].leaf_hash for n in (0, 0, 1)]
    assert [r["item_party"] for r in rows[:2]] == ["acme", "bolt"]
    assert [r["party"] for r in rows] == ["acme"] * 3
    assert [r["serial_ids"] for r in rows] == [["x"], None, None]
    assert (rows[0]["quantity"], rows[0]["latitude"], rows[1]["gross_weight"]) == (5.0, -1.25, 7.0)
    assert pd.isna(rows[1]["quantity"])
    assert pd.isna(rows[2]["product_id"])
    assert (rows[2]["container_id"], rows[2]["time_precision"]) == ("K", "day")
    assert str(frames.events["event_time"].dtype) == "datetime64[us, UTC]"
    assert rows[0]["event_time"] == pd.Timestamp("2024-01-01T01:00:00Z")
    assert frames.inputs["lot_id"].tolist() == ["2", "9"]
    assert frames.inputs["quantity"].tolist()[0] == 3.0
    assert frames.inputs["item_party"].isna().tolist() == [False, True]
    assert frames.position == 2


def test_frames_made_in_parts_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many rows are held as objects at a time, the frame is the same one."""
    log = ListLog(
        [
            event(hour, "transform", item("P", "1", 5), item("Q"), inputs=[item("R", "2", 3)])
            for hour in range(7)
        ]
    )
    whole = frames_of(log)
    for part in (1, 3, 14):
        monkeypatch.setattr(columns, "_PART", part)
        again = frames_of(log)
        pd.testing.assert_frame_equal(again.events, whole.events)
        pd.testing.assert_frame_equal(again.inputs, whole.inputs)


def test_only_the_latest_version_of_a_record_is_there() -> None:
    """Changed master data and corrected months replace the older ones, in log order."""
    correction = record("labour", facility_id="F1", month="2024-01", total_hours={"_d": "9.5"})
    log = ListLog(
        [
            record("labour", facility_id="F1", month="2024-01", total_hours=1),
            record("labour", facility_id="F1", month="2024-02", total_hours=2),
            Draft(EntryType.CORRECTION, "labour/1", correction.content),
            record("facility", facility_id="F1", name="old", product_ids=["P"], tier=0),
            record("facility", facility_id="F1", name="new", product_ids=["P", "Q"], tier=1),
            record("product", product_id="P", serialised=True, stage=2),
            record("product", product_id="P", party="bolt", stage=3),
        ]
    )
    frames = frames_of(log)
    assert frames.labour[["index", "total_hours"]].to_numpy().tolist() == [[1, 2.0], [2, 9.5]]
    facility = frames.facilities.iloc[0]
    assert (facility["name"], facility["product_ids"], facility["tier"]) == ("new", ["P", "Q"], 1.0)
    assert len(frames.facilities) == 1
    assert frames.products[["party", "stage"]].to_numpy().tolist() == [["acme", 2.0], ["bolt", 3.0]]
    assert frames.products["serialised"].tolist() == [True, None]


def test_each_workers_week_has_its_latest_row() -> None:
    """Timesheets come by worker and week, whichever entry they came in."""

    def sheet(*workers: tuple[str, dict[int, int]]) -> Draft:
        listed = [
            {
                "worker_id": w,
                "weeks": [{"week": n, "hours": h, "gross_pay": 1} for n, h in weeks.items()],
            }
            for w, weeks in workers
        ]
        return record("timesheet", facility_id="F1", month="2024-01", workers=listed)

    log = ListLog([sheet(("a", {1: 40, 2: 41}), ("b", {1: 30})), sheet(("a", {2: 48, 3: 20}))])
    table = frames_of(log).timesheets
    rows = table[["index", "worker_id", "week", "hours"]].to_numpy().tolist()
    assert rows == [
        [0, "a", 1.0, 40.0],
        [0, "b", 1.0, 30.0],
        [1, "a", 2.0, 48.0],
        [1, "a", 3.0, 20.0],
    ]
    log.forget(0, "/workers/1")
    assert set(frames_of(log).timesheets["worker_id"]) == {"a"}


def test_an_absurd_number_is_missing_not_fatal() -> None:
    """What another program wrote in a number's place does not stop detection."""
    log = ListLog([event(1, "inspect", item("P"), latitude="north", temperature_c=[1])])
    row = frames_of(log).events.iloc[0]
    assert pd.isna(row["latitude"])
    assert pd.isna(row["temperature_c"])


def test_what_is_not_as_it_should_be_is_read_the_slow_way() -> None:
    """A number or list in a text's place becomes its text; a time may have any zone."""
    log = ListLog(
        [
            event(1, "inspect", item("P"), weight_unit=7, source_system=["NL"]),
            event(2, "inspect", item("P"), event_time="2024-01-01T03:30:00.25+02:00"),
        ]
    )
    table = frames_of(log).events
    assert table["weight_unit"].tolist()[0] == "7"
    assert table["source_system"].tolist()[0] == "['NL']"
    assert table["weight_unit"].isna().tolist() == [False, True]
    assert [time.isoformat() for time in table["event_time"]] == [
        "2024-01-01T01:00:00+00:00",
        "2024-01-01T01:30:00.250000+00:00",
    ]


def test_frames_are_true_for_one_position(tmp_path: Path) -> None:
    """Frames hold what the position says, although the graph moves on while they are read."""
    log = ListLog([event(n, "produce", item("P", str(n))) for n in range(30)])
    store = open_store(f"sqlite:{tmp_path / 'graph.db'}")
    catch_up(log, store)
    log.append(record("facility", facility_id="F1"))

    class Moving:
        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def position(self) -> int:
            before = store.position()
            catch_up(log, store)
            return before

    frames = load_frames(Moving())  # type: ignore[arg-type]
    assert (frames.position, len(frames.events), len(frames.facilities)) == (30, 30, 0)
    assert len(load_frames(store).facilities) == 1
    store.close()


def test_pandas_is_loaded_for_frames_only() -> None:
    """Opening a graph, catching up and tracing load none of the heavy packages."""
    code = (
        "import sys; sys.path[:0] = ['.', 'tests/graph']\n"
        "from graph_factories import ListLog, event, item\n"
        "from graph import frames, journey\nfrom graph.connect import open_store\n"
        "from graph.sync import catch_up\nfrom provenance.entries import Tier\n"
        "store = open_store('memory:')\n"
        "catch_up(ListLog([event(1, 'produce', item('P', '1'))]), store)\n"
        "answer = store.upstream('item:acme/P', 0), store.journey('item:acme/P', 0)\n"
        "answer[0].cycles()\n"
        "print(sorted({'pandas', 'networkx', 'numpy', 'biip'} & sys.modules.keys()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
