"""A small chain in a real workspace, with a recognisable secret in every field that has a tier.

Cotton (farm) -> yarn (spinner) -> T-shirts with a GTIN (maker) -> a warehouse. One
input of the yarn is undocumented. Flags of every visibility hang on it.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from provenance.entries import Draft, EntryType, Identity, Tier
from workspace.workspace import Workspace, create_workspace

if TYPE_CHECKING:
    from pathlib import Path


GTIN = "09506000134352"
TOKEN = "operator-token-of-the-tests"
BASE = "https://id.example.org"
ORIGIN = "log.example.org/chain"
MAKER, SPINNER, FARM = "fjordlys", "anand-spinning", "kutch-farms"
SHIRT, YARN, COTTON = "TSHIRT-M", "YARN/30", "COTTON"
LOT = "L-2024/117"

# Recognisable in any answer: no public viewer may ever see one of these.
PARTNER_TEXTS = {
    "shipment_id": "SECRETPARTNERshipment",
    "bill_of_lading": "SECRETPARTNERbill",
    "carrier": "SECRETPARTNERcarrier",
    "container_id": "SECRETPARTNERcontainer",
    "transport_mode": "multimodal",
    "weight_unit": "SECRETPARTNERunit",
}
PARTNER_NUMBERS = {
    "latitude": "61.7771001",
    "longitude": "8.7771002",
    "gross_weight": "7771003.5",
    "temperature_c": "-7771004.25",
}
SERIAL = "SECRETPARTNERserial"
PRIVATE_TEXTS = {"source_system": "SECRETPRIVATEsystem"}
PRIVATE_NUMBERS = {"declared_value_usd": "8882001.5"}
PRIVATE_EXT = [["SECRETPRIVATEcolumn", "SECRETPRIVATEext"]]
OTHER_SECRETS = (
    *("SECRETPRIVATEexplanation", "SECRETPRIVATEcounterfactual", "8882005.5", "8882006.5"),
    *(
        "SECRETPRIVATElabour",
        "8882007",
        "8882077",
        "8882008.5",
        "7771009.5",
        "7771010.25",
        "7771011.25",
    ),
    *("SECRETPARTNERfromsite", "SECRETPARTNERtosite", "SECRETPRIVATEsite"),
)
SECRETS = (
    *(text for text in PARTNER_TEXTS.values() if text.startswith("SECRET")),
    *PARTNER_NUMBERS.values(),
    SERIAL,
    *PRIVATE_TEXTS.values(),
    *PRIVATE_NUMBERS.values(),
    *("SECRETPRIVATEcolumn", "SECRETPRIVATEext"),
    *OTHER_SECRETS,
)


def number(text: str) -> dict[str, str]:
    """A decimal as the log holds it."""
    return {"_d": text}


def event(party: str, event_id: str, event_type: str, time: str, **more: Any) -> Draft:
    """An event's draft."""
    content = {
        "party": party,
        "event_id": event_id,
        "event_type": event_type,
        "type": "TransformationEvent" if event_type == "transform" else "ObjectEvent",
        "biz_step": "commissioning",
        "event_time": time,
        "time_text": time,
        **more,
    }
    return Draft(
        EntryType.EVENT,
        "event/1",
        content,
        (Identity(("event", party, event_id)),),
    )


def record(version: str, kind: EntryType, key: tuple[str, ...], **content: Any) -> Draft:
    """A draft of master or labour data."""
    return Draft(kind, version, content, (Identity(key),), "version")


def flag(kind: str, subject: str, *, party: str | None = None, **more: Any) -> Draft:
    """A flag's draft: what it says is public, the values it rests on are private."""
    content = {
        "party": MAKER,
        "type": kind,
        "subject_kind": "event",
        "subject_id": subject,
        "severity": "high",
        "evidence_class": "rule",
        "detector": kind,
        "detector_version": "1",
        "evidence": [[1, "A" * 43]],
        "tree_size": 5,
        "root": "B" * 43,
        "score": number("8882005.5"),
        "explanation": "SECRETPRIVATEexplanation",
        "counterfactual": "SECRETPRIVATEcounterfactual",
        "observed": {"what": "speed", "value": number("8882006.5"), "unit": "km/h"},
        **more,
    }
    if party is not None:
        content["subject_party"] = party
    public = [name for name in content if name not in _FLAG_VALUES]
    tiers = {f"/{name}": Tier.PUBLIC for name in public} | {
        f"/{name}": Tier.PRIVATE for name in _FLAG_VALUES
    }
    key = ("flag", kind, kind, content["subject_kind"], subject)
    return Draft(EntryType.FLAG, "flag/1", content, (Identity(key),), "version", tiers)


_FLAG_VALUES = ("score", "explanation", "counterfactual", "observed")


def _master() -> list[Draft]:
    sites = (("F-FARM", FARM, "IN"), ("F-SPIN", SPINNER, "IN"), ("F-CUT", MAKER, "BD"))
    names = {"F-FARM": "Kutch gin", "F-SPIN": "Anand spinning", "F-CUT": "Dhaka unit 4"}
    return [
        *(
            record(
                *("facility/1", EntryType.MASTER_DATA, ("facility", site)),
                party=party,
                facility_id=site,
                name=names[site],
                facility_type="factory",
                tier=1,
                country=country,
                latitude=number("7771010.25"),
                longitude=number("7771011.25"),
                declared_capacity_per_month=8882007,
                source_system="SECRETPRIVATEsite",
            )
            for site, party, country in sites
        ),
        record(
            *("product/1", EntryType.MASTER_DATA, ("product", SHIRT)),
            party=MAKER,
            product_id=SHIRT,
            name='Organic T-shirt <script>alert("1")</script>',
            brand="Fjordlys & Søn",
            hs_code="6109.10",
            gtin=GTIN,
            unit="unit",
            reference_value_usd=number("8882008.5"),
            input_units_per_output_unit=number("7771009.5"),
        ),
        record(
            *("product/1", EntryType.MASTER_DATA, ("product", COTTON)),
            party=FARM,
            product_id=COTTON,
            name="Raw cotton",
        ),
        record(
            *("labour/1", EntryType.LABOUR, ("labour", "F-CUT", "2024-03")),
            party=MAKER,
            facility_id="F-CUT",
            month="2024-03",
            headcount=8882077,
            audit_scheme="SECRETPRIVATElabour",
        ),
    ]


def _events() -> list[Draft]:
    secret = {
        **PARTNER_TEXTS,
        **{name: number(value) for name, value in PARTNER_NUMBERS.items()},
        **PRIVATE_TEXTS,
        **{name: number(value) for name, value in PRIVATE_NUMBERS.items()},
        "from_facility_id": "SECRETPARTNERfromsite",
        "to_facility_id": "SECRETPARTNERtosite",
        "ext": PRIVATE_EXT,
    }
    shirts = {"party": MAKER, "product_id": SHIRT, "lot_id": LOT}
    yarn = {"party": SPINNER, "product_id": YARN, "lot_id": "Y-9"}
    cotton = {"party": FARM, "product_id": COTTON, "lot_id": "C-1"}
    return [
        event(
            *(FARM, "A-1", "produce", "2023-10-21T06:00:00Z"),
            facility_id="F-FARM",
            items=[{**cotton, "quantity": 5000, "quantity_unit": "kg"}],
        ),
        event(
            *(SPINNER, "S-1", "transform", "2024-01-12T00:00:00Z"),
            time_precision="day",
            facility_id="F-SPIN",
            items=[{**yarn, "quantity": number("4100.5"), "quantity_unit": "kg"}],
            inputs=[{**cotton, "quantity": 4000}, {"lot_id": "C-LOST"}],
        ),
        event(
            *(MAKER, "M-1", "transform", "2024-03-02T08:15:00Z"),
            facility_id="F-CUT",
            certificate_id="GOTS-2231",
            items=[{**shirts, "quantity": 12000, "quantity_unit": "unit", "serial_ids": [SERIAL]}],
            inputs=[{**yarn, "quantity": 3000}],
        ),
        event(
            *(MAKER, "M/2 ü", "ship", "2024-03-09T17:40:00Z"),
            facility_id="F-CUT",
            declared_origin_country="BD",
            items=[{**shirts, "quantity": 12000}],
            quality=["unit-mixup-suspected"],
            **secret,
        ),
        event(
            *("warehouse", "W-1", "receive", "2024-03-10T05:02:00Z"),
            locode="NLRTM",
            items=[{**shirts, "quantity": 12000}],
        ),
    ]


def _flags() -> list[Draft]:
    return [
        flag("dwell_anomaly", "A-1", party=FARM, severity="info", evidence_class="statistical"),
        flag("impossible_travel", "W-1", party="warehouse"),
        flag("listed_source", "A-1", party=FARM, severity="critical"),
        flag("excess_hours", "F-CUT|2024-03", subject_kind="facility_month", severity="medium"),
        flag("audit_lapsed", "F-CUT|2023-07", subject_kind="facility_month", severity="low"),
    ]


def _more(copies: int) -> list[Draft]:
    """Further yarns, sites, storage steps and flags, all in the history of the one lot."""
    drafts = []
    for number in range(1, copies):
        yarn = {"party": SPINNER, "product_id": YARN, "lot_id": f"Y-9-{number}"}
        shirts = {"party": MAKER, "product_id": SHIRT, "lot_id": LOT}
        site = f"F-{number}"
        drafts += [
            record(
                *("facility/1", EntryType.MASTER_DATA, ("facility", site)),
                party=SPINNER,
                facility_id=site,
                name=f"Site {number}",
            ),
            event(
                *(SPINNER, f"S-1-{number}", "produce", "2024-01-13T00:00:00Z"),
                facility_id=site,
                items=[yarn],
            ),
            event(
                *(MAKER, f"M-1-{number}", "transform", f"2024-03-02T08:15:{number:02}Z"),
                facility_id=site,
                items=[shirts],
                inputs=[yarn],
            ),
            flag("dwell_anomaly", f"S-1-{number}", party=SPINNER),
        ]
    return drafts


def build(directory: Path, copies: int = 1) -> Workspace:
    """Make the workspace, with its graph caught up; `copies` makes its history so much larger."""
    entropy = random.Random(7).randbytes
    clock = iter(range(1_774_000_000_000_000, 1_774_001_000_000_000, 1_000_000)).__next__
    create_workspace(
        directory, origin=ORIGIN, party=MAKER, domain=BASE, clock=clock, entropy=entropy
    )
    workspace = Workspace(directory, clock=clock, entropy=entropy)
    outcomes = workspace.log.append([*_master(), *_events(), *_flags(), *_more(copies)])
    assert {outcome.kind for outcome in outcomes} == {"appended"}
    workspace.sync_graph()
    return workspace
