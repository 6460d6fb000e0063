"""Materials: the company puts files into slots and takes them out; reviewers judge each slot."""

from __future__ import annotations

import datetime as dt

from workflow.core.actors import ROLE_PERMISSIONS, Actor, Permission
from workflow.core.catalogue import MaterialSlot
from workflow.core.errors import N_, Invalid, NotFound, NotPermitted, Stale, StepClosed
from workflow.core.facts import FLAGS, Verdict
from workflow.data import applications, audit, cases, catalogue, materials
from workflow.data.applications import Application
from workflow.data.cases import Case
from workflow.data.files import StoredFile
from workflow.data.materials import Material, MaterialFile, MaterialOpinion
from workflow.documents import storage
from workflow.documents.uploads import ReceivedFile, WrongFileType
from workflow.extensions import db, settings
from workflow.services import applications as application_service
from workflow.services.cases import clean_words
from workflow.services.interests import refuse_close


def keep_received(received: ReceivedFile, now: dt.datetime) -> StoredFile:
    """Move a received file into the store and add its row; the temporary file is gone afterwards."""
    try:
        key = storage.put_file(storage.open_store(settings().files_url), received.path, received.sha256)
    finally:
        received.path.unlink(missing_ok=True)
    stored = StoredFile(
        sha256=received.sha256,
        size=received.size,
        media_type=received.media_type,
        kind=received.kind.value,
        key=key,
        created_at=now,
    )
    db.session.add(stored)
    db.session.flush()
    return stored


def _editable(application: Application, material: Material | None) -> None:
    """Raise unless the company may change this slot now: in a draft, or when flagged in a case under correction."""
    if application.status == "draft":
        return
    case = application.case
    if case is None or application.status != "submitted":
        raise StepClosed(N_("申请已提交，不能再修改；如需更正，请等待补正通知或撤回重报。"))
    correcting = any(s.form == "correct" for s in case.flow.steps_from(case.state))
    if not correcting or material is None or not material.is_flagged:
        raise StepClosed(N_("只能补正被指出问题的材料。"))


def _slot_of(slot: str) -> MaterialSlot:
    entry = catalogue.material_slots().get(slot)
    if entry is None or entry.form:
        raise NotFound()
    return entry


def add_file(actor: Actor, application_id: int, slot: str, received: ReceivedFile, now: dt.datetime) -> MaterialFile:
    """Put one received file into a slot; raises :class:`Invalid` when the slot takes no such file or is full."""
    application = application_service.own_locked(actor, application_id)
    entry = _slot_of(slot)
    if received.kind.value not in entry.kinds and not (received.kind.value == "jpeg" and "heic" in entry.kinds):
        kinds = "、".join(k.upper() for k in entry.kinds)
        raise WrongFileType(N_("此处只收 %(kinds)s 文件，请换一个文件。"), kinds=kinds)
    if application.status == "draft":
        application_service.ensure_materials(application, application_service.read(application, now), now)
    material = next((m for m in materials.of_application(application.id) if m.slot == slot), None)
    _editable(application, material)
    if material is None:
        raise StepClosed(N_("请先填完企业情况和人数，再上传材料。"))
    if len(material.current_files) >= entry.max_files:
        raise Invalid(N_("此项最多 %(n)s 个文件，请先移除不需要的。"), n=entry.max_files)
    stored = keep_received(received, now)
    case = application.case
    added = MaterialFile(
        material=material,
        file=stored,
        name=received.name,
        added_at=now,
        added_by=actor.person_id,
        added_round=case.round if case else 1,
    )
    db.session.add(added)
    material.content_rev += 1
    db.session.flush()
    _record(audit.FILE_ADDED, application, actor, now, {"slot": slot, "file": added.id, "sha256": stored.sha256})
    return added


def _record(
    event: audit.Event, application: Application, actor: Actor, now: dt.datetime, after: dict[str, object]
) -> None:
    case = application.case
    chain = f"town:{case.town_id}" if case else f"enterprise:{application.enterprise_id}"
    audit.record(event, chain=chain, actor=actor, at=now, case_id=case.id if case else None, after=after)


def remove_file(actor: Actor, file_id: int, now: dt.datetime) -> Material:
    """Take a file out of its slot; the version stays in the record."""
    found = db.session.scalar(materials.visible_files(actor).where(MaterialFile.id == file_id))
    if found is None:
        raise NotFound()
    application = application_service.own_locked(actor, found.material.application_id)
    db.session.refresh(found)
    material = found.material
    db.session.refresh(material)
    _editable(application, material)
    if found.removed_at is None:
        found.removed_at, found.removed_by = now, actor.person_id
        found.removed_round = application.case.round if application.case else 1
        material.content_rev += 1
        _record(audit.FILE_REMOVED, application, actor, now, {"slot": material.slot, "file": found.id})
    return material


def get_file(actor: Actor, file_id: int) -> MaterialFile:
    """A file of a material the actor sees, current or superseded."""
    found = db.session.scalar(materials.visible_files(actor).where(MaterialFile.id == file_id))
    if found is None:
        raise NotFound()
    return found


def _open_for_review(actor: Actor, case: Case) -> None:
    """Raise unless the actor reviews materials here, is not of the company, and the case is in review."""
    roles = actor.roles_for(enterprise_id=None, area_ids=case.area_ids, bureau=case.bureau)
    if not any(Permission.REVIEW_MATERIALS in ROLE_PERMISSIONS[r] for r in roles):  # a right held elsewhere is none
        raise NotPermitted()
    if case.enterprise_id in actor.enterprise_ids:
        raise NotPermitted(N_("您是该企业人员，应当回避"))
    engine = case.engine
    guards = {g for s in engine.flow.steps_from(case.state) for g in s.guards}
    if case.holder not in roles or "materials_accepted" not in guards:
        raise StepClosed(N_("案件不在材料审核中，请先受理，或查看最新进展。"))


def may_judge(actor: Actor, case: Case) -> bool:
    """Whether :func:`judge` is open to the actor on this case now, by the same rules."""
    try:
        _open_for_review(actor, case)
    except (NotPermitted, StepClosed):
        return False
    return True


def judge(
    actor: Actor,
    case_id: int,
    material_id: int,
    *,
    verdict: str,
    words: str,
    late_reason: str,
    seen_rev: int,
    now: dt.datetime,
    seen_verdict: str | None = None,
) -> Material:
    """Give a verdict on one material of a case in review.

    A flag needs words. In a later round, flagging an item that had conformed and was not changed since needs a
    recorded reason (一次性告知). ``seen_rev`` is the content the reviewer looked at, ``seen_verdict`` the
    :func:`verdict_mark` of the verdict that stood then; others give :class:`~workflow.core.errors.Stale`.
    """
    case = db.session.scalar(cases.visible_to(actor).where(Case.id == case_id))
    if case is None:
        raise NotFound()
    case = cases.lock(case_id)
    _open_for_review(actor, case)
    refuse_close(actor, case, now)
    application = applications.of_case(case_id)
    material = next((m for m in materials.of_application(application.id) if m.id == material_id), None)
    if material is None:
        raise NotFound()
    if seen_rev != material.content_rev:
        raise Stale(N_("企业刚更换了这项材料，请查看新内容后再审。"))
    if seen_verdict is not None and seen_verdict != verdict_mark(material):
        raise Stale(N_("另一名审核员刚审过这项材料，请看过其结果再决定是否改判。"))
    choice, text = _read_verdict(verdict, words)
    late = _late_reason(material, choice, late_reason, case.round)
    _keep_verdict(material, choice, text, late, case.round, actor, now)
    event = audit.LATE_DEFECT if late else audit.MATERIAL_JUDGED
    _record(event, application, actor, now, {"slot": material.slot, "verdict": choice.value, "round": case.round})
    return material


def verdict_mark(material: Material) -> str:
    """What tells one verdict on a material from the next: when it was given; empty before the first."""
    return material.verdict_at.isoformat() if material.verdict_at else ""


def _keep_verdict(
    material: Material, choice: Verdict, words: str, late: str, present_round: int, actor: Actor, now: dt.datetime
) -> None:
    if choice in FLAGS or not is_settled(material, present_round):
        # Confirming a settled item leaves it settled: else its next flag would need no reason.
        material.verdict_round = present_round
    material.verdict, material.verdict_words, material.verdict_rev = choice.value, words, material.content_rev
    material.verdict_by, material.verdict_at = actor.person_id, now
    db.session.add(
        MaterialOpinion(
            material_id=material.id,
            round=present_round,
            verdict=choice.value,
            words=words,
            late_reason=late,
            person_id=actor.person_id,
            at=now,
        )
    )


def _read_verdict(verdict: str, words: str) -> tuple[Verdict, str]:
    try:
        choice = Verdict(verdict)
    except ValueError as error:
        raise Invalid(N_("请选择审核结果。"), field="verdict") from error
    if choice is Verdict.PENDING:
        raise Invalid(N_("请选择审核结果。"), field="verdict")
    text = clean_words(words)
    if choice in FLAGS and not text:
        raise Invalid(N_("请写明哪里不对、怎样改，企业会原样看到。"), field="words")
    return choice, text


def is_settled(material: Material, present_round: int) -> bool:
    """Whether the item conformed in an earlier round and was not changed since."""
    return (
        material.verdict == Verdict.OK
        and material.verdict_round is not None
        and material.verdict_round < present_round
        and not material.changed_since_verdict
    )


def _late_reason(material: Material, choice: Verdict, reason: str, present_round: int) -> str:
    if choice not in FLAGS or not is_settled(material, present_round):
        return ""
    text = clean_words(reason)
    if not text:
        raise Invalid(
            N_("此项上一轮已审定为符合且未改动。按一次性告知的要求，现在提出新问题须写明理由并留痕。"),
            field="late_reason",
        )
    return text
