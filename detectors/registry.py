"""The detectors of this project and those that other packages bring.

Ours are listed here, one line each. Others register an object or a function
without arguments that returns one under the entry-point group
`provenance.detectors`; what cannot be loaded is reported and left out.

Next: detectors/run.py
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final, cast

from detectors.custody_gap import CustodyGap
from detectors.excess_hours import ExcessHours
from detectors.impossible_travel import ImpossibleTravel
from detectors.labour.audit_lapsed import AuditLapsed
from detectors.labour.child_labour import ChildLabour
from detectors.labour.child_labour_signs import ChildLabourSigns
from detectors.labour.coercion_indicators import CoercionIndicators
from detectors.labour.coercion_signs import CoercionSigns
from detectors.labour.fabricated_payroll import FabricatedPayroll
from detectors.labour.falsified_timesheet import FalsifiedTimesheet
from detectors.labour.output_beyond_capacity import OutputBeyondCapacity
from detectors.learned.confirmed_before import ConfirmedBefore
from detectors.listed_source import ListedSource
from detectors.mass_balance import MassBalance
from detectors.repeated_excess import RepeatedExcess
from detectors.routes.cloned_serial import ClonedSerial
from detectors.routes.cold_chain_breach import ColdChainBreach
from detectors.routes.dwell_anomaly import DwellAnomaly
from detectors.routes.lane_novelty import LaneNovelty
from detectors.routes.origin_laundering import OriginLaundering
from detectors.routes.phantom_shipment import PhantomShipment
from detectors.routes.route_detour import RouteDetour
from detectors.routes.storage_limits import StorageLimits
from detectors.routes.temporal_order import TemporalOrder
from detectors.routes.travel_time import TravelTime
from detectors.routes.value_misdeclared import ValueMisdeclared
from detectors.routes.weight_misdeclared import WeightMisdeclared
from detectors.unusual_overall import unusual_legs, unusual_months
from detectors.wage_below_minimum import WageBelowMinimum

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import EntryPoint

    from detectors.base import Detector

__all__ = ["BUILT_IN", "GROUP", "load"]

GROUP: Final = "provenance.detectors"
BUILT_IN: Final[tuple[Detector, ...]] = (
    AuditLapsed(),
    ChildLabour(),
    ChildLabourSigns(),
    CoercionIndicators(),
    CoercionSigns(),
    ConfirmedBefore(),
    ClonedSerial(),
    ColdChainBreach(),
    CustodyGap(),
    DwellAnomaly(),
    ExcessHours(),
    FabricatedPayroll(),
    FalsifiedTimesheet(),
    ImpossibleTravel(),
    LaneNovelty(),
    ListedSource(),
    MassBalance(),
    RepeatedExcess(),
    OutputBeyondCapacity(),
    OriginLaundering(),
    PhantomShipment(),
    RouteDetour(),
    StorageLimits(),
    TemporalOrder(),
    TravelTime(),
    ValueMisdeclared(),
    WageBelowMinimum(),
    WeightMisdeclared(),
    unusual_legs(),
    unusual_months(),
)
_PARTS: Final = (
    "name",
    "type",
    "version",
    "evidence_class",
    "subject_kind",
    "min_samples",
    "reads",
    "parameters",
    "libraries",
    "features",
    "score",
    "decide",
    "explain",
)


def load(
    found: Iterable[EntryPoint] | None = None,
) -> tuple[tuple[Detector, ...], tuple[str, ...]]:
    """Return every detector there is, ours first, and what could not be loaded.

    Args:
        found: Entry points to load; None looks for the installed ones.

    Returns:
        The detectors, and one line per entry point that gave none.
    """
    detectors, problems = list(BUILT_IN), []
    points = entry_points(group=GROUP) if found is None else found
    for point in sorted(points, key=lambda point: (point.name, point.value)):
        try:
            detector = _detector(point.load())
            if any(detector.name == known.name for known in detectors):
                raise ValueError(f"there is a detector {detector.name!r} already")  # noqa: TRY301
        except Exception as error:  # noqa: BLE001 - other people's code may raise anything
            problems.append(f"detector {point.name} ({point.value}): {error}")
        else:
            detectors.append(detector)
    return tuple(detectors), tuple(problems)


def _detector(loaded: Any) -> Detector:
    """Check that an object can be asked; a class or function is called for one.

    Raises:
        TypeError: Something a detector needs is missing.
    """
    made = loaded if hasattr(loaded, "features") and not isinstance(loaded, type) else loaded()
    missing = [part for part in _PARTS if not hasattr(made, part)]
    if missing:
        raise TypeError(f"it lacks {', '.join(missing)}")
    return cast("Detector", made)
