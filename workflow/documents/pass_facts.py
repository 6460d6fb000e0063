"""What a vehicle pass says: the facts that every way of printing it starts from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from workflow.documents.pass_looks import PLAIN, PassLook


@dataclass(frozen=True, slots=True, kw_only=True)
class PassFacts:
    """车辆通行证. Valid from the start of ``valid_from_on`` to the end of ``valid_until_on`` (24 时).

    ``kind`` is a key of the catalogue of passes; ``hours`` says when in the week it is good, nothing when always;
    ``look`` is what its area prints.
    """

    number: str
    kind: str
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
    hours: str = ""
    address: str = ""
    look: PassLook = PLAIN
    demo: bool = False
