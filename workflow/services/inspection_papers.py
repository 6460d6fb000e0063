"""The 《实地勘定表》 as paper: its facts, fixed when a visit is concluded, and the print that is made of them.

The head of the town's history at that moment is among them: whoever holds the paper can tell later that the history
before it was not rewritten.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from workflow.core.facts import OUTCOME_LABELS, Outcome
from workflow.core.times import shanghai_time
from workflow.data import field, people
from workflow.data.audit import AuditHead
from workflow.data.cases import Case
from workflow.data.field import InspectionSignature
from workflow.data.inspections import Inspection, InspectionPhoto
from workflow.documents import official, storage
from workflow.extensions import db, settings
from workflow.services import checklists, item_deadlines

RESULTS = {"conform": "符合", "fail": "不符合", "na": "不适用"}
PARTIES = {"company": "企业", "lead": "核查员（主办）", "second": "核查员（协办）"}
SOURCES = {"camera": "相机拍摄", "gallery": "相册选取", "": "网页上传"}
PLACES = {"refused": "未提供位置（已拒绝）", "unavailable": "未提供位置（无信号）", "": "未提供位置"}


def facts_of(case: Case, visit: Inspection, now: dt.datetime) -> dict[str, Any]:
    """What is printed on the sheet of a visit; pictures are named by hash and key and read when it is printed."""
    photos = [p for p in visit.photos if not p.by_company]
    names = people.names_of({p.added_by for p in photos})
    head = db.session.get(AuditHead, f"town:{case.town_id}")
    return {
        "reference": case.reference,
        "enterprise": case.enterprise_name,
        "uscc": case.enterprise.uscc,
        "address": str(case.facts["address"]),
        "area": f"{case.county.name}{case.town.name}",
        "head_count": case.resuming_count,
        "inspectors": [visit.lead.name, visit.second.name],
        "inspected_at": shanghai_time(now).isoformat(),
        "visit_number": visit.number,
        "is_recheck": visit.is_recheck,
        "items": _items(visit),
        "photos": [_photo(p, names) for p in photos],
        "signatures": _signatures(visit),
        "head": [head.number, head.hash] if head is not None else None,
        "outcome": OUTCOME_LABELS[Outcome(visit.outcome or "fail")],
        "rectify_by_on": visit.rectify_by_on.isoformat() if visit.rectify_by_on else None,
        "remarks": visit.words,
    }


def _items(visit: Inspection) -> list[dict[str, Any]]:
    asked = {i.code: i for i in checklists.of_visit(visit).items}
    return [
        {
            "code": i.code,
            "category": asked[i.code].category.zh,
            "text": asked[i.code].text.zh,
            "result": RESULTS[i.result or "na"],
            "failed": i.result == "fail",
            "veto": i.is_veto,
            "limit": limit.label.zh if (limit := asked[i.code].limit) else "",
            "measured": i.measured,
            "note": i.note,
            "rectify_by_on": day.isoformat() if (day := item_deadlines.due_on(visit, i)) else None,
        }
        for i in visit.items
    ]


def _photo(photo: InspectionPhoto, names: dict[int, str]) -> dict[str, Any]:
    """A photo's facts; ``sha256`` is the hash of the bytes as they were taken."""
    place = PLACES.get(photo.place_status, PLACES[""])
    if photo.latitude is not None and photo.longitude is not None:
        place = f"北纬 {photo.latitude:.3f}，东经 {photo.longitude:.3f}"
    return {
        "code": photo.code,
        "caption": photo.caption,
        "sha256": photo.sha256 or photo.file.sha256,
        "key": photo.file.key,
        "taken_at": _local(photo.taken_at),
        "received_at": _local(photo.added_at),
        "clock_off": photo.clock_off,
        "by": names.get(photo.added_by, ""),
        "place": place,
        "source": SOURCES.get(photo.source, ""),
    }


def _local(at: dt.datetime | None) -> str | None:
    return shanghai_time(at).isoformat(timespec="seconds") if at is not None else None


def _signatures(visit: Inspection) -> list[dict[str, Any]]:
    """What each party said, those who said nothing on the phone with an empty status: they may sign with a pen."""
    given = {s.party: s for s in field.signatures([visit.id])}
    now_covered = field.covered(visit) if given else ""
    named = {"lead": visit.lead.name, "second": visit.second.name}
    return [_signature(party, given.get(party), named.get(party, ""), now_covered) for party in PARTIES]


def _signature(party: str, given: InspectionSignature | None, name: str, covered: str) -> dict[str, Any]:
    if given is None:
        return {"party": PARTIES[party], "name": name, "status": "", "changed_after": False}
    return {
        "party": PARTIES[party],
        "name": given.name or name,
        "post": given.post,
        "status": given.status,
        "reason": given.reason,
        "signed_at": _local(given.at),
        "key": given.file.key if given.file is not None else None,
        "changed_after": given.covers != covered,
    }


def _moment(text: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None


def _day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def render(facts: dict[str, Any], qr_text: str, short_code: str) -> bytes:
    """The PDF of a sheet from its fixed facts; sheets that were issued by older versions knew less, and print that."""
    store = storage.open_store(settings().files_url)
    return official.render_inspection_sheet(
        official.InspectionSheetFacts(
            reference=facts["reference"],
            enterprise=facts["enterprise"],
            uscc=facts["uscc"],
            address=facts["address"],
            area=facts["area"],
            head_count=facts["head_count"],
            inspectors=(facts["inspectors"][0], facts["inspectors"][1]),
            inspected_at=dt.datetime.fromisoformat(facts["inspected_at"]),
            visit_number=facts.get("visit_number", 0),
            is_recheck=facts.get("is_recheck", False),
            items=tuple(
                official.InspectionItem(**{**i, "rectify_by_on": _day(i.get("rectify_by_on"))}) for i in facts["items"]
            ),
            photos=tuple(_printed_photo(p, store) for p in facts["photos"]),
            signatures=tuple(_printed_signature(s, store) for s in facts.get("signatures", ())),
            head=(int(facts["head"][0]), str(facts["head"][1])) if facts.get("head") else None,
            outcome=facts["outcome"],
            rectify_by_on=_day(facts["rectify_by_on"]),
            qr_text=qr_text,
            short_code=short_code,
            remarks=facts["remarks"],
            demo=settings().demo_mode,
        )
    )


def _printed_photo(kept: Any, store: storage.FileStore) -> official.InspectionPhoto:
    if isinstance(kept, list):  # as sheets were kept before photos carried their evidence: id, caption, hash, key
        _id, caption, sha256, key = kept
        return official.InspectionPhoto(content=storage.read_bytes(store, key), caption=caption, sha256=sha256)
    return official.InspectionPhoto(
        content=storage.read_bytes(store, kept["key"]),
        caption=kept["caption"],
        sha256=kept["sha256"],
        code=kept["code"],
        taken_at=_moment(kept["taken_at"]),
        received_at=_moment(kept["received_at"]),
        clock_off=kept["clock_off"],
        by=kept["by"],
        place=kept["place"],
        source=kept["source"],
    )


def _printed_signature(kept: dict[str, Any], store: storage.FileStore) -> official.SheetSignature:
    return official.SheetSignature(
        party=kept["party"],
        name=kept["name"],
        post=kept.get("post", ""),
        status=kept["status"],
        reason=kept.get("reason", ""),
        signed_at=_moment(kept.get("signed_at")),
        drawing=storage.read_bytes(store, kept["key"]) if kept.get("key") else None,
        changed_after=kept["changed_after"],
    )
