"""The words of CBV 2.0: short in JSON, full URIs elsewhere, URNs in older documents. Pure.

Next: provenance/epcis/eventhash.py
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

__all__ = ["CONTEXT", "PREFIXES", "WORDS", "bare_word", "prefixes", "word_uri"]

CONTEXT: Final = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
"""The JSON-LD context that every EPCIS 2.0 document names."""

PREFIXES: Final = {
    "epcis": "https://ref.gs1.org/epcis/",
    "cbv": "https://ref.gs1.org/cbv/",
    "cbvmda": "urn:epcglobal:cbv:mda:",
    "gs1": "https://gs1.org/voc/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dcterms": "http://purl.org/dc/terms/",
}
"""What the standard context says of prefixes."""

WORDS: Final = {
    "BizStep": "accepting arriving assembling collecting commissioning consigning "
    "creating_class_instance cycle_counting decommissioning departing destroying disassembling "
    "dispensing encoding entering_exiting holding inspecting installing killing loading other "
    "packing picking receiving removing repackaging repairing replacing reserving retail_selling "
    "sampling sensor_reporting shipping staging_outbound stock_taking stocking storing "
    "transporting unloading unpacking void_shipping",
    "Disp": "active available completeness_inferred completeness_verified conformant "
    "container_closed container_open damaged destroyed dispensed disposed encoded expired "
    "in_progress in_transit inactive mismatch_class mismatch_instance mismatch_quantity "
    "needs_replacement no_pedigree_match non_conformant non_sellable_other partially_dispensed "
    "recalled reserved retail_sold returned sellable_accessible sellable_not_accessible stolen "
    "unavailable unknown",
    "BTT": "bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt",
    "SDT": "location owning_party possessing_party",
    "ER": "did_not_occur incorrect_data",
    "Comp": "altitude axial_distance azimuth easting elevation_angle height latitude longitude "
    "northing polar_angle spherical_radius x y z",
    "Alert": "ALARM_CONDITION ERROR_CONDITION",
    "Measure": "AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Altitude "
    "AmountOfSubstance AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum "
    "AngularVelocity Area Capacitance Conductance Conductivity Count Density Dimensionless "
    "DoseEquivalent DoseEquivalentRate DynamicViscosity ElectricCharge ElectricCurrent "
    "ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force Frequency Illuminance "
    "Inductance Irradiance KinematicViscosity Length LinearMomentum Luminance LuminousFlux "
    "LuminousIntensity MagneticFlux MagneticFluxDensity MagneticVectorPotential Mass "
    "MassConcentration MassFlowRate MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy "
    "MolarMass MolarVolume Power Pressure RadiantFlux RadiantIntensity Radioactivity "
    "RelativeHumidity Resistance Resistivity SolidAngle SpecificVolume Speed SurfaceDensity "
    "SurfaceTension Temperature Time Torque Voltage Volume VolumeFlowRate VolumeFraction "
    "VolumetricFlux Wavenumber",
}
"""The words of each vocabulary, separated by spaces."""

_GS1_VOC: Final = frozenset({"Alert", "Measure"})
_URN_KINDS: Final = {"bizstep": "BizStep", "disp": "Disp", "btt": "BTT", "sdt": "SDT", "er": "ER"}
_URN: Final = re.compile(r"urn:epcglobal:cbv:(bizstep|disp|btt|sdt|er):(\w+)\Z", re.ASCII)


@lru_cache(maxsize=4_096)
def word_uri(kind: str, value: str) -> str:
    """Write a word of a vocabulary as its full URI; any other URI is returned as it is.

    Args:
        kind: A name in `WORDS`.
        value: The word in any of its spellings.
    """
    urn = _URN.match(value)
    if urn:
        return f"{PREFIXES['cbv']}{_URN_KINDS[urn[1]]}-{urn[2]}"
    for prefix in ("cbv", "gs1"):
        if value.startswith(f"{prefix}:"):
            return PREFIXES[prefix] + value[len(prefix) + 1 :]
    if ":" in value:
        return value
    return f"{PREFIXES['gs1']}{value}" if kind in _GS1_VOC else f"{PREFIXES['cbv']}{kind}-{value}"


@lru_cache(maxsize=4_096)
def bare_word(kind: str, value: str) -> str | None:
    """Return the short word for any spelling of a word of this vocabulary, else None."""
    uri = word_uri(kind, value)
    begin = PREFIXES["gs1"] if kind in _GS1_VOC else f"{PREFIXES['cbv']}{kind}-"
    word = uri.removeprefix(begin)
    return word if word != uri and word in WORDS[kind].split() else None


def prefixes(context: list[Any]) -> dict[str, str]:
    """Collect the namespaces that a JSON-LD context names, over those of the standard one.

    Args:
        context: URLs and term definitions, in order; later ones go first.
    """
    found = dict(PREFIXES)
    for part in context:
        for name, meaning in part.items() if isinstance(part, dict) else ():
            uri = meaning.get("@id") if isinstance(meaning, dict) else meaning
            if isinstance(uri, str):
                found[name] = uri
    return found
