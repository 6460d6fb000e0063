"""Issuing documents: the facts of each are fixed when it is issued, so that every print says the same."""

from __future__ import annotations

import datetime as dt
import hashlib
import tempfile
from pathlib import Path
from typing import Any

from workflow.core.actors import ROLE_LABELS, Actor, Role
from workflow.core.chart import SOURCE_WORDS, draw, sub_lines
from workflow.core.chart_svg import described, svg
from workflow.core.facts import VERDICT_LABELS, Verdict
from workflow.core.flow import StateKind
from workflow.core.identifiers import mask_name, mask_phone
from workflow.core.times import end_of_day, shanghai_day, shanghai_time, start_of_day
from workflow.data import applications, audit, catalogue, decisions, materials, outbox, print_jobs
from workflow.data.cases import Case
from workflow.data.files import StoredFile
from workflow.data.flows import FlowVersion, tailored_engine
from workflow.data.inspections import Inspection
from workflow.data.issued import DocumentKind, IssuedDocument
from workflow.data.passes import VehiclePass
from workflow.data.sequences import next_number
from workflow.documents import official, storage, tokens
from workflow.documents.pass_kinds import ALWAYS, NOTICE, SHEET
from workflow.documents.pass_looks import PassLook, look_from, look_known, look_of
from workflow.extensions import db, settings
from workflow.services import inspection_papers, keys

NOTICE_DAYS = 180
"""How long the token of a notice or sheet verifies."""

PAPER_KINDS = {DocumentKind.NOTICE: NOTICE, DocumentKind.INSPECTION_SHEET: SHEET}
"""Documents that carry a token, and its kind."""

CONDITIONS = (
    "按已报备的防疫方案组织生产，落实员工接送、隔离、防控三项措施。",
    "每日报告员工健康状况，无异常也报（零报告）。",
    "新增返岗人员上岗前补充登记。",
    "发现发热等异常立即报告所在镇街，防控措施不落实的，停工整改。",
)


def check_url(token: str) -> str:
    """What a QR code holds: the upper-case check address, so that the code stays in alphanumeric mode."""
    return f"{settings().public_url.upper()}/C/{token}"


def document_token(
    kind: str, number: str, subject: str, area_code: str, first: dt.date, last: dt.date, schedule: str = ALWAYS
) -> str:
    """Sign a token that is valid from the start of ``first`` to the end of ``last`` in Shanghai, in its hours."""
    claims = tokens.PassClaims(
        number=number,
        kind=kind,
        subject=subject,
        not_before=start_of_day(first),
        expires=end_of_day(last),
        area=area_code,
        schedule=schedule,
    )
    return tokens.sign(claims, keys.signing_key())


def _issue(
    case: Case,
    kind: DocumentKind,
    number: str,
    facts: dict[str, Any],
    actor: Actor,
    now: dt.datetime,
    paper: str = "",
) -> IssuedDocument:
    """Keep the facts of a document; with ``paper`` it also gets a signed token that names it by its short code."""
    code, day = keys.new_short_code(), shanghai_day(now)
    last = day + dt.timedelta(days=NOTICE_DAYS)
    document = IssuedDocument(
        case_id=case.id,
        kind=kind.value,
        number=number,
        short_code=code,
        token=document_token(paper, code, "-", case.county.code, day, last) if paper else "",
        facts=facts,
        issued_at=now,
        issued_by=actor.person_id,
    )
    db.session.add(document)
    db.session.flush()
    after = {"document": document.id, "kind": kind.value}
    chain = f"town:{case.town_id}"
    audit.record(audit.DOCUMENT_ISSUED, chain=chain, actor=actor, at=now, case_id=case.id, after=after)
    if kind is not DocumentKind.CORRECTION_NOTICE:
        outbox.put("render", {"document_id": document.id}, now)
    return document


def issue_receipt(case: Case, actor: Actor, now: dt.datetime) -> IssuedDocument:
    """The receipt of an application: what was handed in, and the working days that each main step should take."""
    flow = case.flow
    application = applications.of_case(case.id)
    slots = catalogue.material_slots()
    steps = [flow.state(key) for key in flow.main if flow.state(key).kind is StateKind.OPEN]
    facts = {
        "reference": case.reference,
        "enterprise": case.enterprise_name,
        "uscc": case.enterprise.uscc,
        "submitted_at": shanghai_time(now).isoformat(),
        "town": f"{case.county.name}{case.town.name}",
        "flow_name": flow.label.zh,
        "notice_name": flow.notice.zh if flow.notice else official.NOTICE_TITLE,
        "materials": [
            [slots[m.slot].label.zh, 1 if m.slot == materials.FORM_SLOT else len(m.current_files)]
            for m in materials.of_application(application.id)
            if m.has_content
        ],
        "expected_times": [[s.label.zh, f"{s.days} 个工作日内"] for s in steps if s.days],
        "contact_name": mask_name(str(case.facts["contact_name"])),
        "contact_phone": mask_phone(str(case.facts["contact_mobile"])),
        "chart": {"flow_version": case.flow_version_id, "tailoring": case.tailoring, "state": case.state},
    }
    return _issue(case, DocumentKind.RECEIPT, f"{case.reference}-回执", facts, actor, now)


def issue_correction_notice(case: Case, words: str, actor: Actor, now: dt.datetime) -> IssuedDocument:
    """The one-time notice (一次性告知): every item to correct in this round, in the reviewer's words."""
    slots = catalogue.material_slots()
    flagged = [m for m in materials.of_application(applications.of_case(case.id).id) if m.is_flagged]
    facts = {
        "round": case.round,
        "words": words,
        "items": [
            {
                "slot": m.slot,
                "name": slots[m.slot].label.zh,
                "verdict": m.verdict,
                "verdict_label": VERDICT_LABELS[Verdict(m.verdict)],
                "words": m.verdict_words,
            }
            for m in flagged
        ],
    }
    number = f"{case.reference}-补正{case.cycle}-{case.round}-{case.moves}"
    return _issue(case, DocumentKind.CORRECTION_NOTICE, number, facts, actor, now)


def issue_inspection_sheet(case: Case, visit: Inspection, actor: Actor, now: dt.datetime) -> IssuedDocument:
    """The sheet of a concluded visit."""
    number = f"{case.reference}-勘定{visit.number}"
    facts = inspection_papers.facts_of(case, visit, now)
    return _issue(case, DocumentKind.INSPECTION_SHEET, number, facts, actor, now, SHEET)


def _bureau_name(case: Case) -> str:
    return next((b.label.zh for b in catalogue.bureaus() if b.code == case.bureau), "")


def _decision_lines(case: Case) -> list[list[str]]:
    flow = case.flow
    authority = {
        Role.REVIEWER.value: case.town.name,
        Role.LEADER.value: case.town.name,
        Role.BUREAU_REVIEWER.value: f"{case.county.name}{_bureau_name(case)}",
        Role.LEADING_GROUP.value: f"{case.county.name}疫情防控工作领导小组",
    }
    lines = []
    for opinion in decisions.of_case(case.id):
        step = flow.step(opinion.state, opinion.action)
        if opinion.is_decision and opinion.cycle == case.cycle and step is not None:
            who = authority.get(opinion.role, ROLE_LABELS[Role(opinion.role)])
            lines.append([who, step.label.zh, shanghai_day(opinion.at).isoformat()])
    return lines


def issue_notice(case: Case, actor: Actor, now: dt.datetime) -> IssuedDocument:
    """The notice of approval (同意复工通知书), under the title that the flow gives it."""
    db.session.flush()
    day = shanghai_day(now)
    serial = next_number(f"notice:{case.county.code}:{day.year}")
    number = f"甬{case.county.short_name}复工〔{day.year}〕{serial}号"
    flow = case.flow
    facts = {
        "title": flow.notice.zh if flow.notice else official.NOTICE_TITLE,
        "inspection": flow.inspection.value,
        "number": number,
        "enterprise": case.enterprise_name,
        "uscc": case.enterprise.uscc,
        "address": str(case.facts["address"]),
        "head_count": case.resuming_count,
        "resume_on": case.resume_on.isoformat(),
        "decisions": _decision_lines(case),
        "conditions": list(CONDITIONS),
        "issuing_area": _issuing_authority(case),
        "issued_on": day.isoformat(),
    }
    return _issue(case, DocumentKind.NOTICE, number, facts, actor, now, NOTICE)


def _issuing_authority(case: Case) -> str:
    """Who decided last; the town when nobody did, because a time ran out."""
    role = next((o.role for o in reversed(decisions.of_case(case.id)) if o.is_decision), "")
    if role == Role.LEADING_GROUP:
        return f"宁波市{case.county.name}疫情防控工作领导小组"
    if role == Role.BUREAU_REVIEWER:
        return f"宁波市{case.county.name}{_bureau_name(case)}"
    return f"宁波市{case.county.name}{case.town.name}"


def render_pdf(document: IssuedDocument) -> bytes:
    """The PDF of an issued document, made from its fixed facts; the same bytes every time."""
    return _RENDERERS[DocumentKind(document.kind)](document)


def _receipt_chart(kept: dict[str, Any] | None) -> str:
    """The flow as it was when the receipt was issued; older receipts kept nothing to draw and have no chart."""
    if not kept:
        return ""
    version = db.session.get_one(FlowVersion, kept["flow_version"])
    flow = tailored_engine(version.text, kept["tailoring"]).flow
    chart = draw(flow, kept["state"], (), "zh_Hans", sub_lines(flow))
    return svg(
        chart,
        id="flow",
        title=flow.label.zh,
        desc=described(chart, SOURCE_WORDS),
        words=SOURCE_WORDS,
        standalone=True,
        paper=False,
    )


def _receipt_pdf(document: IssuedDocument) -> bytes:
    f = document.facts
    return official.render_receipt(
        official.ReceiptFacts(
            reference=f["reference"],
            enterprise=f["enterprise"],
            uscc=f["uscc"],
            submitted_at=dt.datetime.fromisoformat(f["submitted_at"]),
            town=f["town"],
            flow_name=f["flow_name"],
            materials=tuple(official.MaterialCount(name=n, file_count=c) for n, c in f["materials"]),
            expected_times=tuple(official.ExpectedTime(step=s, expected=e) for s, e in f["expected_times"]),
            contact_name=f["contact_name"],
            contact_phone_masked=f["contact_phone"],
            chart_svg=_receipt_chart(f.get("chart")),
            notice_name=f.get("notice_name", official.NOTICE_TITLE),
            demo=settings().demo_mode,
        )
    )


def _sheet_pdf(document: IssuedDocument) -> bytes:
    return inspection_papers.render(document.facts, check_url(document.token), document.short_code)


def _notice_pdf(document: IssuedDocument) -> bytes:
    f = document.facts
    return official.render_notice(
        official.NoticeFacts(
            title=f.get("title", official.NOTICE_TITLE),
            inspection=f.get("inspection", "before"),
            number=f["number"],
            enterprise=f["enterprise"],
            uscc=f["uscc"],
            address=f["address"],
            head_count=f["head_count"],
            resume_on=dt.date.fromisoformat(f["resume_on"]),
            decisions=tuple(
                official.DecisionLine(authority=a, opinion=o, decided_on=dt.date.fromisoformat(d))
                for a, o, d in f["decisions"]
            ),
            conditions=tuple(f["conditions"]),
            issuing_area=f["issuing_area"],
            issued_on=dt.date.fromisoformat(f["issued_on"]),
            qr_text=check_url(document.token),
            short_code=document.short_code,
            demo=settings().demo_mode,
        )
    )


_RENDERERS = {
    DocumentKind.RECEIPT: _receipt_pdf,
    DocumentKind.INSPECTION_SHEET: _sheet_pdf,
    DocumentKind.NOTICE: _notice_pdf,
}


def pass_token(granted: VehiclePass) -> str:
    """The signed token of a pass that has its number, for its days and hours.

    With the first one, what its paper says beyond its own columns is fixed.
    """
    case = granted.case
    with db.session.no_autoflush:  # it has its number but not yet its status: no database would take that
        if granted.printed is None:
            look = look_of(case.town.code)
            print_jobs.keep_look(look.digest, look.content)
            granted.printed, granted.look = _said_now(granted), look.digest
        first, last = granted.valid_from_on, granted.valid_until_on
        number, county = granted.number or "", case.county.code
        return document_token(granted.purpose, number, granted.plate, county, first, last, granted.schedule)


def _said_now(granted: VehiclePass) -> dict[str, str]:
    case = granted.case
    return {
        "enterprise": case.enterprise_name,
        "area": f"{case.county.name}{case.town.name}",
        "address": str(case.facts.get("address", "")),
        "purpose": granted.purpose_label.zh,
        "hours": granted.hours.label.zh if granted.hours.number else "",
    }


def _look(granted: VehiclePass) -> PassLook:
    """How the paper looked when it was granted; a pass of before there were looks has the area's present one."""
    if granted.look is None:
        return look_of(granted.case.town.code)
    content = None if look_known(granted.look) else print_jobs.look_kept(granted.look)
    return look_known(granted.look) or look_from(content or {})


def pass_facts(granted: VehiclePass) -> official.PassFacts:
    """What is printed on a pass that was granted: the same every time, whatever its company is called meanwhile."""
    said = granted.printed or _said_now(granted)
    return official.PassFacts(
        number=granted.number or "",
        kind=granted.purpose,
        plate=granted.plate,
        vehicle_type=granted.vehicle_type,
        enterprise=said["enterprise"],
        purpose=said["purpose"],
        route=granted.route,
        driver_names_masked=tuple(mask_name(str(n)) for n in granted.drivers),
        valid_from_on=granted.valid_from_on,
        valid_until_on=granted.valid_until_on,
        issuing_area=said["area"],
        qr_text=check_url(granted.token or ""),
        short_code=granted.short_code or "",
        hours=said["hours"],
        address=said["address"],
        look=_look(granted),
        demo=settings().demo_mode,
    )


def render_pass_pdf(granted: VehiclePass) -> bytes:
    """The windscreen pass as PDF; only for a pass that was granted."""
    return official.render_pass(pass_facts(granted))


def keep_bytes(content: bytes, media_type: str, kind: str, now: dt.datetime) -> StoredFile:
    """Put bytes into the file store and add their row."""
    sha256 = hashlib.sha256(content).hexdigest()
    folder = settings().var_dir / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        file.write(content)
        path = Path(file.name)
    try:
        key = storage.put_file(storage.open_store(settings().files_url), path, sha256)
    finally:
        path.unlink(missing_ok=True)
    stored = StoredFile(sha256=sha256, size=len(content), media_type=media_type, kind=kind, key=key, created_at=now)
    db.session.add(stored)
    db.session.flush()
    return stored
