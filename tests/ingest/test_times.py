"""Times: the shape selects the format, the file decides what a shape leaves open."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.ingest.decisions import Evidence, Moment, TimeReader, TimeSettings
from provenance.ingest.values import Unacceptable

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOW_US = int(NOW.timestamp()) * 1_000_000


def reader(*seen: str, source: str = "", settings: TimeSettings | None = None) -> TimeReader:
    """A reader after a first pass over `seen`."""
    evidence = Evidence()
    for line, value in enumerate(seen, start=2):
        evidence.observe(value, source, line, ahead=False)
        evidence.observe(value, source, line, ahead=True)
    return TimeReader(evidence, settings or TimeSettings(), NOW_US)


@pytest.mark.parametrize(
    ("value", "time", "day_only"),
    [
        ("2024-03-23T22:17:32Z", "2024-03-23T22:17:32Z", False),
        ("2024-03-23 22:17:32", "2024-03-23T22:17:32Z", False),
        ("2024-03-23T22:17", "2024-03-23T22:17:00Z", False),
        ("2024-03-23T22:17:32.500Z", "2024-03-23T22:17:32.5Z", False),
        ("2024-03-23T22:17:32,123456789Z", "2024-03-23T22:17:32.123456Z", False),
        ("2024-03-23T22:17:32.000Z", "2024-03-23T22:17:32Z", False),
        ("2024-03-23T22:17:32+05:30", "2024-03-23T16:47:32Z", False),
        ("2024-03-23T22:17:32-0800", "2024-03-24T06:17:32Z", False),
        ("2024-03-23T22:17:32+02", "2024-03-23T20:17:32Z", False),
        ("2024-03-23", "2024-03-23T00:00:00Z", True),
        ("2024/03/23", "2024-03-23T00:00:00Z", True),
        ("2024.3.23 7:05", "2024-03-23T07:05:00Z", False),
        ("20240323", "2024-03-23T00:00:00Z", True),
        ("20240323T221732Z", "2024-03-23T22:17:32Z", False),
        ("20240323221732", "2024-03-23T22:17:32Z", False),
        ("30/06/2023 22:23", "2023-06-30T22:23:00Z", False),
        ("30.06.2023", "2023-06-30T00:00:00Z", True),
        ("06/30/2023", "2023-06-30T00:00:00Z", True),
        ("6/30/06", "2006-06-30T00:00:00Z", True),
        ("06/06/2023", "2023-06-06T00:00:00Z", True),
        ("Aug 01 2023 12:14 PM", "2023-08-01T12:14:00Z", False),
        ("Aug 01 2023 12:14 AM", "2023-08-01T00:14:00Z", False),
        ("August 1st, 2023 1:05:09 p.m.", "2023-08-01T13:05:09Z", False),
        ("1 Aug 2023", "2023-08-01T00:00:00Z", True),
        ("01AUG2023", "2023-08-01T00:00:00Z", True),
        ("2-Jun-06", "2006-06-02T00:00:00Z", True),
        ("2-Jun-98", "1998-06-02T00:00:00Z", True),
        ("Tue, 01 Aug 2023 12:14:00 GMT", "2023-08-01T12:14:00Z", False),
        ("2023-Aug-01", "2023-08-01T00:00:00Z", True),
        ("1711232252", "2024-03-23T22:17:32Z", False),
        ("999999999", "2001-09-09T01:46:39Z", False),
        ("1711232252500", "2024-03-23T22:17:32.5Z", False),
        ("1711232252.5", "2024-03-23T22:17:32.5Z", False),
        ("20240323 221732", "2024-03-23T22:17:32Z", False),
        ("23-MAR-24 10.17.32.000000 PM", "2024-03-23T22:17:32Z", False),
        ("2024-03-23 22:17:32 +0000 UTC", "2024-03-23T22:17:32Z", False),
        ("2024-03-23T22:17:32+01:00[Europe/Berlin]", "2024-03-23T21:17:32Z", False),
        ("2024年03月23日", "2024-03-23T00:00:00Z", True),
        ("2024年3月23日 22时17分32秒", "2024-03-23T22:17:32Z", False),
    ],
)
def test_shapes(value: str, time: str, day_only: bool) -> None:
    """Each value's shape selects its format; without an offset it is UTC."""
    moment = reader().moment(value)
    assert (moment.time, moment.day_only) == (time, day_only)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("2024-02-30", "does not exist"),
        ("2023-02-29T10:00:00Z", "does not exist"),
        ("30/02/2023", "does not exist"),
        ("13/13/2023", "does not exist"),
        ("0000-01-01", "does not exist"),
        ("1899-12-31", "1900"),
        ("1899-12-31T00:00:00Z", "before 1900"),
        ("2300-01-01", "between"),
        ("2026-11-22T12:00:01Z", "future"),
        ("2026-11-22 12:00:01", "future"),
        ("9999999999", "between"),
        ("2024-03-23T25:00:00Z", "does not exist"),
        ("2024-03-23 24:00", "does not exist"),
        ("2024-03-23 13:14 PM", "does not exist"),
        ("2024-03-23 00:14 PM", "does not exist"),
        ("2024-03-23 10:61", "does not exist"),
        ("2024-03-23 10:00:60", "does not exist"),
        ("2024-03-23T10:00:00+25:00", "offset"),
        ("2024-03-23Z", "offset"),
        ("1 Brumaire 2023", "known"),
        ("yesterday", "known form"),
        ("10:30", "known form"),
        ("2024-03-23T10:00:00 CST", "known form"),
        ("45231.5", "day number"),
        ("²²²²²²²²²", "known form"),
        ("2024-W12-3T22:17:32Z", "known form"),
        ("2024-03-23T221732.1Z", "known form"),
        ("9" * 200_000, "known form"),
    ],
)
def test_times_that_cannot_be(value: str, reason: str) -> None:
    """A date or time that cannot be is refused with its reason; nothing is moved to fit."""
    with pytest.raises(Unacceptable, match=reason):
        reader().moment(value)


def test_one_value_decides_for_its_shape() -> None:
    """30/06/2023 proves the day first for every value of that shape, in any order of rows."""
    assert reader("30/06/2023", "05/06/2023").moment("05/06/2023").time[:10] == "2023-06-05"
    assert reader("05/06/2023", "06/30/2023").moment("05/06/2023").time[:10] == "2023-05-06"


def test_evidence_stays_with_its_shape() -> None:
    """Another shape may come from another system: its evidence does not count."""
    times = reader("30/06/2023 22:23", "05/06/2023")
    with pytest.raises(Unacceptable, match="set date_order"):
        times.moment("05/06/2023")
    with pytest.raises(Unacceptable, match="set date_order"):
        times.moment("05.06.2023 10:00")
    assert times.moment("05/06/2023 10:00").time == "2023-06-05T10:00:00Z"


def test_evidence_stays_with_its_source_system() -> None:
    """Two systems exported into one file are decided apart."""
    evidence = Evidence()
    evidence.observe("30/06/2023", "erp", 2, ahead=False)
    evidence.observe("06/30/2023", "wms", 3, ahead=False)
    times = TimeReader(evidence, TimeSettings(), NOW_US)
    assert times.moment("05/06/2023", "erp").time[:10] == "2023-06-05"
    assert times.moment("05/06/2023", "wms").time[:10] == "2023-05-06"
    with pytest.raises(Unacceptable, match="no value of this form"):
        times.moment("05/06/2023", "tms")


def test_contradicting_proofs_refuse_the_ambiguous_only() -> None:
    """A file that proves both orders keeps its clear dates; the others say where the proofs are."""
    times = reader("30/06/2023", "06/29/2023", "05/06/2023")
    assert times.moment("30/06/2023").time[:10] == "2023-06-30"
    assert times.moment("06/29/2023").time[:10] == "2023-06-29"
    with pytest.raises(Unacceptable, match="lines 2 and 3"):
        times.moment("05/06/2023")


def test_impossible_dates_prove_nothing() -> None:
    """31/02 is no date in either order, so it does not decide for the others."""
    with pytest.raises(Unacceptable, match="no value of this form"):
        reader("31/02/2023", "13/13/2023").moment("05/06/2023")


def test_a_mapping_decides_before_the_file() -> None:
    """date_order of the mapping holds, also against the evidence."""
    times = reader("30/06/2023", settings=TimeSettings(date_order="month-first"))
    assert times.moment("05/06/2023").time[:10] == "2023-05-06"
    with pytest.raises(Unacceptable, match="does not exist"):
        times.moment("30/06/2023")


def test_a_quarantine_file_remembers_the_order() -> None:
    """An ambiguous date that was read once is read the same way from the quarantine file."""
    evidence = Evidence()
    evidence.observe("05/06/2023", "", 2, ahead=False, hint="month-first")
    assert TimeReader(evidence, TimeSettings(), NOW_US).order("05/06/2023") == "month-first"


def test_the_century_is_decided_by_all_values_of_a_shape() -> None:
    """Two digits mean the hundred years up to now, unless the file would span fifty of them."""
    times = reader("2-Jun-98", "2-Jun-06")
    assert times.moment("2-Jun-98").time[:4] == "1998"
    assert times.moment("2-Jun-06").time[:4] == "2006"
    assert reader().moment("2-Jun-27").time[:4] == "1927"
    with pytest.raises(Unacceptable, match="set first_year"):
        reader("2-Jun-60", "2-Jun-24").moment("2-Jun-24")
    decided = reader("2-Jun-60", "2-Jun-24", settings=TimeSettings(first_year=1950))
    assert decided.moment("2-Jun-24").time[:4] == "2024"


def test_expiry_dates_may_lie_ahead() -> None:
    """A date column is not bound by the clock: two digits reach fifty years ahead there."""
    times = reader("2-Jun-31")
    assert times.calendar_date("2-Jun-31") == "2031-06-02"
    assert times.calendar_date("2031-06-02 00:00:00") == "2031-06-02"
    with pytest.raises(Unacceptable, match="only a date"):
        times.calendar_date("2031-06-02 10:00")


def test_zones() -> None:
    """A mapping's zone holds for times without an offset, and for nothing else."""
    times = reader(settings=TimeSettings(zone=ZoneInfo("Europe/Berlin")))
    assert times.moment("2024-07-01 12:00") == Moment("2024-07-01T10:00:00Z", False, "+02:00", "")
    assert times.moment("2024-07-01T12:00:00+00:00").time == "2024-07-01T12:00:00Z"
    assert times.moment("2024-07-01").time == "2024-07-01T00:00:00Z"
    assert "twice" in times.moment("2024-10-27 02:30").note
    assert times.moment("2024-10-27 02:30").time == "2024-10-27T00:30:00Z"
    with pytest.raises(Unacceptable, match="put forward"):
        times.moment("2024-03-31 02:30")


FORMATS = (
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%b %d %Y %I:%M:%S %p",
    "%d-%b-%y %H:%M:%S",
    "%Y%m%d%H%M%S",
)


@given(
    st.datetimes(datetime(1980, 1, 1), datetime(2026, 11, 20)).map(  # noqa: DTZ001 - naive on purpose
        lambda time: time.replace(microsecond=0)
    )
)
def test_all_formats_of_one_instant_agree(time: datetime) -> None:
    """The same instant written in every supported format is read as the same instant."""
    texts = [time.strftime(form) for form in FORMATS]
    seconds = int(time.replace(tzinfo=UTC).timestamp())
    times = reader("31/12/2000 00:00:00", *texts)
    wanted = f"{time.isoformat()}Z"
    assert {times.moment(text).time for text in texts} == {wanted}
    if seconds >= 10**8:
        assert times.moment(str(seconds)).time == wanted


@given(st.lists(st.dates(date(1950, 1, 1), date(2026, 1, 1)), min_size=1), st.randoms())
def test_decisions_do_not_depend_on_the_order_of_rows(days: list[date], shuffled: object) -> None:
    """Shuffling the rows of a file changes no reading and no refusal."""
    values = [day.strftime("%d/%m/%y") for day in days]
    other = list(values)
    shuffled.shuffle(other)  # type: ignore[attr-defined]

    def readings(times: TimeReader) -> list[str]:
        found = []
        for value in values:
            try:
                found.append(times.moment(value).time)
            except Unacceptable as error:
                found.append(error.reason.split("(lines")[0])
        return found

    assert readings(reader(*values)) == readings(reader(*other))


@given(
    st.text(max_size=40) | st.from_regex(r"\A[0-9]{1,4}[-/. ][0-9A-Za-z]{1,4}[-/. ][0-9]{1,4}.*")
)
def test_any_text_is_a_time_or_refused(text: str) -> None:
    """No text makes the reader fail in another way than by refusing it."""
    value = text.strip()
    times = reader(value)
    for read in (times.moment, times.calendar_date):
        try:
            read(value)
        except Unacceptable as error:
            assert error.reason  # noqa: PT017 - both ends are allowed


def test_the_limit_is_a_day_after_the_clock() -> None:
    """Clocks differ: an event up to a day ahead is taken."""
    almost = NOW + timedelta(days=1)
    assert reader().moment(almost.strftime("%Y-%m-%dT%H:%M:%SZ")).time == "2026-11-21T12:00:00Z"
    assert reader().moment(almost.strftime("%Y-%m-%d %H:%M:%S")).time == "2026-11-21T12:00:00Z"
