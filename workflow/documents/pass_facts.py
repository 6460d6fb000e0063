"""What a vehicle pass says: the facts that every way of printing it starts from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from workflow.documents.pass_kinds import PassKind


@dataclass(frozen=True, slots=True, kw_only=True)
class PassFacts:
    """车辆通行证. Valid from the start of ``valid_from_on`` to the end of ``valid_until_on`` (24 时)."""

    number: str
    kind: PassKind
    plate: str
    vehicle_type: str
    enterprise: str
    purpose: str
    route: str
    driver_names_masked: tuple[str, ...]
    valid_from_on: date
    valid_until_on: date
    issuing_area: str
    qr_text: str
    short_code: str
    demo: bool = False
