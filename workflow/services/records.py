"""The record of a case, read once for a page: visits, history, materials, opinions, requests and names in them."""

from __future__ import annotations

from dataclasses import dataclass

from workflow.data import audit, casework, decisions, inspections, materials, samples
from workflow.data import opinions as department_opinions
from workflow.data.audit import AuditEntry
from workflow.data.cases import Case
from workflow.data.casework import Talk
from workflow.data.decisions import Opinion
from workflow.data.inspections import Inspection
from workflow.data.materials import Material
from workflow.data.opinions import OpinionRequest
from workflow.data.samples import SampleDraw


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """What has gathered on a case, oldest first; ``requests`` are those for departments' opinions, ``draws`` the lots
    for post-checks, ``names`` by person id for everybody who acted on it; ``talk`` are notes and the thread, of which
    the caller shows each reader only what is theirs to read."""

    visits: list[Inspection]
    entries: list[AuditEntry]
    materials: list[Material]
    opinions: list[Opinion]
    requests: list[OpinionRequest]
    draws: list[SampleDraw]
    names: dict[int, str]
    talk: Talk


_TALKED = frozenset({audit.NOTE_ADDED, audit.THREAD_WRITTEN})


def record_of(case: Case) -> CaseRecord:
    """Read the record of ``case``: one statement for each kind of thing, names included."""
    visits, opinions = inspections.whole_of_case(case.id), decisions.of_case(case.id)
    entries, names = audit.named_of_case(case.id)
    names |= {p.id: p.name for v in visits for p in (v.lead, v.second)}
    happened = {e.event for e in entries}  # history tells, so that most pages need not ask
    requests = department_opinions.of_case(case.id) if audit.OPINION_ASKED in happened else []
    draws = samples.of_case(case.id) if audit.LOT_DRAWN in happened else []
    talk = casework.talk_of(case.id) if happened & _TALKED else Talk()
    return CaseRecord(visits, entries, materials.whole_of_case(case.id), opinions, requests, draws, names, talk)
