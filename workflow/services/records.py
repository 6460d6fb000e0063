"""The record of a case, read once for a page: visits, history, materials, opinions, requests and names in them."""

from __future__ import annotations

from dataclasses import dataclass

from workflow.data import audit, decisions, inspections, materials, people, samples
from workflow.data import opinions as department_opinions
from workflow.data.audit import AuditEntry
from workflow.data.cases import Case
from workflow.data.decisions import Opinion
from workflow.data.inspections import Inspection
from workflow.data.materials import Material
from workflow.data.opinions import OpinionRequest
from workflow.data.samples import SampleDraw


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """What has gathered on a case, oldest first; ``requests`` are those for departments' opinions, ``draws`` the lots
    for post-checks, ``names`` by person id for everybody who acted on it."""

    visits: list[Inspection]
    entries: list[AuditEntry]
    materials: list[Material]
    opinions: list[Opinion]
    requests: list[OpinionRequest]
    draws: list[SampleDraw]
    names: dict[int, str]


def record_of(case: Case) -> CaseRecord:
    """Read the record of ``case``: one statement for each kind of thing, and one for the names."""
    visits, entries, opinions = inspections.of_case(case.id), audit.of_case(case.id), decisions.of_case(case.id)
    acting = {e.person_id for e in entries} | {o.person_id for o in opinions}
    acting |= {p for v in visits for p in (v.lead_id, v.second_id)}
    happened = {e.event for e in entries}  # history tells, so that most pages need not ask
    requests = department_opinions.of_case(case.id) if audit.OPINION_ASKED in happened else []
    draws = samples.of_case(case.id) if audit.LOT_DRAWN in happened else []
    names = people.names_of(acting)
    return CaseRecord(visits, entries, materials.of_case(case.id), opinions, requests, draws, names)
