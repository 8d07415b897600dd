"""What a file as a whole decides about its times: day or month first, which century.

The first pass over a file shows every time to an `Evidence`; the second reads
them with a `TimeReader`. A value such as 30/06/2023 proves the day first for
its shape, and for its source system where the file names one; 05/06/2023 is
then read the same way. Where no value proves it, or values prove both, the
ambiguous rows are refused with the way to decide it. Nothing is guessed row
by row, so the order of the rows never matters.

Next: provenance/ingest/sources.py
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from provenance.ingest.alike import Names
from provenance.ingest.times import exists, instant_text, split, split_serial
from provenance.ingest.values import Unacceptable

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from provenance.ingest.times import Clock, Parts

__all__ = ["DateOrder", "Evidence", "Moment", "TimeReader", "TimeSettings"]

DateOrder = Literal["day-first", "month-first"]

_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 2200
_CENTURY: Final = 100
_WIDEST: Final = 50
_AHEAD: Final = 50
_DAY: Final = timedelta(days=1)
_KEPT: Final = 65536
_PLAIN: Final = len("2024-03-23T22:17:32Z")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class TimeSettings(NamedTuple):
    """What a mapping decides; None leaves it to the file.

    Attributes:
        date_order: Which comes first where a shape leaves it open.
        first_year: Two-digit years fall into the hundred years from here.
        zone: Where times without an offset were taken; None is UTC.
        serial: Numbers of up to five digits are a spreadsheet's days, counted from this year.
    """

    date_order: DateOrder | None = None
    first_year: int | None = None
    zone: ZoneInfo | None = None
    serial: Literal["1900", "1904"] | None = None


class Moment(NamedTuple):
    """A time as it is logged.

    Attributes:
        time: UTC, "2024-03-23T22:17:32Z", with a fraction only when it is not zero.
        day_only: There was no time of day.
        offset: "+02:00" where the value or the zone says so; "" for UTC.
        note: A warning for the receipt, or "".
        decided: Its date can be read in two ways, and other values decided.
    """

    time: str
    day_only: bool
    offset: str
    note: str = ""
    decided: bool = False


@dataclass(slots=True)
class _Proof:
    """How often a shape's values were possible with one order only, and where first."""

    day_first: int = 0
    month_first: int = 0
    day_line: int = 0
    month_line: int = 0


class Evidence:
    """Collects, in the first pass, what the values of a file say about their shapes."""

    def __init__(self) -> None:
        """Begin without evidence."""
        self.orders: dict[tuple[str, str], _Proof] = {}
        self.years: dict[tuple[str, str, bool], set[int]] = {}
        self.names = Names()

    def observe(self, value: str, source: str, line: int, *, ahead: bool, hint: str = "") -> None:
        """Look at one value.

        Args:
            value: The cell, stripped.
            source: The row's source system, "" for none.
            line: Where it stands, for the message about contradictions.
            ahead: The column may hold dates to come (an expiry).
            hint: How a quarantine file says that this row was read before.
        """
        if value[4:5] == "-":
            return
        try:
            parts = split(value)
        except Unacceptable:
            return
        if parts.short:
            self.years.setdefault((parts.shape, source, ahead), set()).add(parts.year)
        if parts.open:
            self._observe_order(parts, source, line, hint)

    def _observe_order(self, parts: Parts, source: str, line: int, hint: str) -> None:
        year = parts.year + 2000 if parts.short else parts.year
        day_first = exists(year, parts.second, parts.first)
        month_first = exists(year, parts.first, parts.second)
        if day_first and month_first:
            day_first, month_first = hint == "day-first", hint == "month-first"
        if day_first is month_first:
            return
        proof = self.orders.setdefault((parts.shape, source), _Proof())
        if day_first:
            proof.day_first += 1
            proof.day_line = proof.day_line or line
        else:
            proof.month_first += 1
            proof.month_line = proof.month_line or line


class TimeReader:
    """Reads the times of one file with what its evidence and its mapping decide.

    Attributes:
        names: The ids that differ from others only in case or Unicode form.
    """

    def __init__(self, evidence: Evidence, settings: TimeSettings, now_us: int) -> None:
        """Decide what can be decided.

        Args:
            evidence: From a complete first pass.
            settings: The mapping's word, which goes before the evidence.
            now_us: Microseconds since the epoch; an event later than a day from then is refused.
        """
        self._evidence = evidence
        self.names = evidence.names
        self._settings = settings
        now = _EPOCH + timedelta(microseconds=now_us)
        self._latest = now + _DAY
        self._latest_text = instant_text(self._latest.replace(microsecond=0))
        self._moments: dict[tuple[str, str], Moment] = {}

    def moment(self, value: str, source: str = "") -> Moment:
        """Read the time of an event.

        Raises:
            Unacceptable: It is no time, cannot be, is before 1900 or more than a day ahead,
                or can be read in two ways and nothing decides.
        """
        if len(value) == _PLAIN and value[7] + value[10] + value[13] + value[19] == "-T:Z":
            return self._plain(value)
        found = self._moments.get((value, source))
        if found is None:
            found = self._read(value, source)
            if len(self._moments) >= _KEPT:
                self._moments.clear()
            self._moments[value, source] = found
        return found

    def calendar_date(self, value: str, source: str = "") -> str:
        """Read a date, which may lie ahead, as YYYY-MM-DD; midnight is taken for no time.

        Raises:
            Unacceptable: As for `moment`, or there is a time of day.
        """
        parts = self._split(value)
        if parts.clock is not None and parts.clock[:4] != (0, 0, 0, 0):
            raise Unacceptable("is a time; only a date is expected here", value)
        day, _order = self._day(parts, value, source, ahead=True)
        return day.isoformat()

    def order(self, value: str, source: str = "") -> DateOrder | Literal[""]:
        """Say how an open date is read; "" where nothing was open.

        Raises:
            Unacceptable: It cannot be read.
        """
        parts = self._split(value)
        return self._day(parts, value, source, ahead=True)[1]

    def _split(self, value: str) -> Parts:
        serial = self._settings.serial
        return (split_serial(value, serial) if serial else None) or split(value)

    def _plain(self, value: str) -> Moment:
        """The common case, 2024-03-23T22:17:32Z: checked, and taken as it is."""
        try:
            datetime.fromisoformat(value)
        except ValueError:
            raise Unacceptable("is a time that does not exist", value) from None
        if value < str(_FIRST_YEAR):
            raise Unacceptable(f"is before {_FIRST_YEAR}", value)
        if value > self._latest_text:
            raise Unacceptable("lies in the future", value)
        return Moment(value, False, "")

    def _read(self, value: str, source: str) -> Moment:
        parts = self._split(value)
        day, order = self._day(parts, value, source, ahead=False)
        if parts.clock is None:
            time = datetime(day.year, day.month, day.day, tzinfo=UTC)
            note = ""
        else:
            time, note = self._at(day, parts.clock, value)
        if time > self._latest:
            raise Unacceptable("lies in the future", value)
        delta = time.strftime("%z") if time.utcoffset() else ""
        offset = f"{delta[:3]}:{delta[3:5]}" if delta else ""
        decided = bool(order) and not self._settings.date_order and _is_open(day)
        return Moment(instant_text(time), parts.clock is None, offset, note, decided)

    def _at(self, day: date, clock: Clock, value: str) -> tuple[datetime, str]:
        zone = clock.offset or self._settings.zone or UTC
        time = datetime(day.year, day.month, day.day, *clock[:4], tzinfo=zone)
        if zone is not self._settings.zone:
            return time, ""
        if time.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != time.replace(tzinfo=None):
            raise Unacceptable(f"does not exist in {zone}: the clock was put forward", value)
        if time.replace(fold=1).utcoffset() != time.utcoffset():
            return time, f"times that {zone} had twice were read as the first of the two"
        return time, ""

    def _day(
        self, parts: Parts, value: str, source: str, *, ahead: bool
    ) -> tuple[date, DateOrder | Literal[""]]:
        year = self._year(parts, value, source, ahead=ahead) if parts.short else parts.year
        month, day = parts.first, parts.second
        found: DateOrder | Literal[""] = ""
        if parts.open:
            found = self._order(parts, year, value, source)
            if found == "day-first":
                month, day = day, month
        if not exists(year, month, day):
            raise Unacceptable("is a date that does not exist", value)
        if not _FIRST_YEAR <= year <= _LAST_YEAR:
            raise Unacceptable(f"is not between {_FIRST_YEAR} and {_LAST_YEAR}", value)
        return date(year, month, day), found

    def _order(self, parts: Parts, year: int, value: str, source: str) -> DateOrder:
        if self._settings.date_order:
            return self._settings.date_order
        day_first = exists(year, parts.second, parts.first)
        if not (day_first and exists(year, parts.first, parts.second)):
            return "day-first" if day_first else "month-first"
        proof = self._evidence.orders.get((parts.shape, source), _Proof())
        if proof.day_first and proof.month_first:
            raise Unacceptable(
                f"may have the day or the month first, and the file proves both (lines "
                f"{proof.day_line} and {proof.month_line}); set date_order in a mapping",
                value,
            )
        if proof.day_first or proof.month_first:
            return "day-first" if proof.day_first else "month-first"
        if parts.first == parts.second:
            return "day-first"
        raise Unacceptable(
            "may have the day or the month first, and no value of this form in the file "
            "decides it; set date_order in a mapping",
            value,
        )

    def _year(self, parts: Parts, value: str, source: str, *, ahead: bool) -> int:
        first = self._settings.first_year
        if first is not None:
            return first + (parts.year - first) % _CENTURY
        first = self._latest.year + (_AHEAD if ahead else 0) - _CENTURY + 1
        seen = self._evidence.years.get((parts.shape, source, ahead), set()) | {parts.year}
        years = [first + (year - first) % _CENTURY for year in seen]
        if max(years) - min(years) >= _WIDEST:
            raise Unacceptable(
                f"has two digits for the year, and the file would span {min(years)} to "
                f"{max(years)}; set first_year in a mapping",
                value,
            )
        return first + (parts.year - first) % _CENTURY


def _is_open(day: date) -> bool:
    """Say whether a date is another one with day and month exchanged."""
    return day.day != day.month and exists(day.year, day.day, day.month)
