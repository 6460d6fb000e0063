"""Notices: put into the outbox with the change that they are about, delivered after it to whoever may still know.

Who left or was moved is told nothing about a case that he can't see any more: this is looked up at delivery.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select, update

from workflow.channels.mail import is_address
from workflow.core.actors import COMPANY_ROLES, SYSTEM_PERSON, Actor, Role
from workflow.core.errors import N_, Invalid, NotFound, StepClosed
from workflow.core.notices import COMPANY_EVENT, STAFF_GROUPS, Digest, Group, kind_of
from workflow.core.quiet import digest_at
from workflow.core.texts import clean_text
from workflow.core.times import shanghai_day
from workflow.data import notices, organisation, outbox, people, robots
from workflow.data.cases import Case, visible_to
from workflow.data.notices import Notice, NoticeChoice
from workflow.data.people import Account
from workflow.extensions import db, settings


def tell_people(
    person_ids: Iterable[int], event: str, case: Case | None, details: Mapping[str, Any], now: dt.datetime
) -> None:
    """Tell people of ``event`` (a key of :data:`workflow.core.notices.KINDS`), in the present transaction.

    ``details`` may hold ``about`` (a label in both languages, no personal data) and ``url`` (a path of ours, for what
    is not about a case). The system itself and ids that are given twice are left out.
    """
    wanted = sorted({p for p in person_ids if p != SYSTEM_PERSON})
    if wanted:
        outbox.put("notice", _payload(event, case, details) | {"people": wanted}, now)


def tell_team(team_id: int, event: str, case: Case | None, details: Mapping[str, Any], now: dt.datetime) -> None:
    """Tell the members that a team has when this is delivered, and its robots."""
    outbox.put("notice", _payload(event, case, details) | {"team": team_id}, now)


def tell_robots(case: Case, event: str, details: Mapping[str, Any], now: dt.datetime) -> None:
    """Let the robots of the teams that cover the case's areas pass ``event`` on; nothing where there is none."""
    if any(event in r.events for r in robots.about(case)):
        outbox.put("notice", _payload(event, case, details) | {"covering": True}, now)


def tell_robots_of(team_ids: Iterable[int], event: str, details: Mapping[str, Any], now: dt.datetime) -> None:
    """Let the robots of some teams pass on what is about no case; nothing where none of them does."""
    wanted = [t for t in team_ids if any(event in r.events for r in robots.of_team(t))]
    if wanted:
        outbox.put("notice", _payload(event, None, details) | {"robots_of": wanted}, now)


def tell_of_clock(case: Case, event: str, now: dt.datetime) -> None:
    """Tell who handles the case that its time runs out or is over, and of an escalation whom it was put before."""
    told = {case.assignee_id} if case.assignee_id is not None and case.holder not in COMPANY_ROLES else set()
    if event == "escalated" and case.escalated_to:
        held = people.holders_of(Role(case.escalated_to), case.area_ids, shanghai_day(now))
        told |= {person.id for person in held}
    if case.holder not in COMPANY_ROLES or event == "escalated":
        tell_people(told, event, case, {}, now)
        tell_robots(case, event, {}, now)


def tell_of_return(case: Case, now: dt.datetime) -> None:
    """Tell who handled the case before that the company has sent it back."""
    before = (case.handled_by or {}).get(case.holder)
    if before is not None:
        tell_people([int(before)], "returned", case, {}, now)
        tell_robots(case, "returned", {}, now)


def _payload(event: str, case: Case | None, details: Mapping[str, Any]) -> dict[str, Any]:
    return {"event": event, "case_id": case.id if case is not None else None, "details": dict(details)}


def deliver(item_id: int, payload: Mapping[str, Any], now: dt.datetime) -> None:
    """Put the notices of one outbox item into inboxes, plan mail, and hand the robots' part on; once a person."""
    if payload.get("team") is not None:
        told = [m.person_id for m in organisation.members_of([payload["team"]], shanghai_day(now))]
        found = robots.of_team(payload["team"])
    elif payload.get("robots_of"):
        told, found = [], [r for team_id in payload["robots_of"] for r in robots.of_team(team_id)]
    elif payload.get("covering"):
        case = db.session.get(Case, payload["case_id"])
        told, found = [], robots.about(case) if case is not None else []
    else:
        told, found = list(payload["people"]), []
    _to_inboxes(item_id, told, payload, now)
    for robot in found:
        if payload["event"] in robot.events:
            kept = {key: payload[key] for key in ("event", "case_id", "details")}
            outbox.put("robot", {"robot_id": robot.id, **kept}, now)


def _to_inboxes(item_id: int, told: list[int], payload: Mapping[str, Any], now: dt.datetime) -> None:
    already = notices.told_already(item_id)
    wanted = sorted(p for p in set(told) - already if may_know(p, payload["case_id"], now))
    choices = notices.choices_of(wanted) if wanted else {}
    for person_id in wanted:
        notice = Notice(
            person_id=person_id,
            case_id=payload["case_id"],
            outbox_id=item_id,
            event=payload["event"],
            details=payload["details"],
            created_at=now,
        )
        db.session.add(notice)
        if person_id in choices:
            _plan_mail(notice, choices[person_id], now)


def may_know(person_id: int, case_id: int | None, now: dt.datetime) -> bool:
    """Whether the person still has an active account, and with it sees the case."""
    accounts = db.session.scalars(select(Account).where(Account.person_id == person_id, Account.is_active))
    actors = [people.actor_of(account, shanghai_day(now)) for account in accounts.all()]
    if case_id is None:
        return bool(actors)
    return any(db.session.scalar(visible_to(a).with_only_columns(Case.id).where(Case.id == case_id)) for a in actors)


def mail_is_on() -> bool:
    """Whether this installation sends mail."""
    return bool(settings().mail_url)


def _plan_mail(notice: Notice, choice: NoticeChoice, now: dt.datetime) -> None:
    if not mail_is_on() or not choice.mails(kind_of(notice.event).group):
        return
    notice.mail = "waiting"
    if choice.digest_at is None:
        choice.digest_at = digest_at(now, Digest(choice.digest), choice.quiet_from, choice.quiet_until)


def collect_one(now: dt.datetime) -> int | None:
    """Plan the mail of one person for whom it is due: one with all that waits; returns the person's id.

    The worker asks every minute. Who wants mail at once gets one a minute at most, so that two hundred cases that are
    assigned in one act are one mail.
    """
    choice = notices.lock_due_choice(now)
    if choice is None:
        return None
    query = select(Notice).where(Notice.person_id == choice.person_id, Notice.mail == "waiting").order_by(Notice.id)
    waiting = list(db.session.scalars(query))
    for notice in waiting:
        notice.mail = "planned"
    choice.digest_at = None
    if waiting:
        choice.digested_at = now
        outbox.put("letter", {"person_id": choice.person_id, "notices": [n.id for n in waiting]}, now)
    db.session.flush()
    return choice.person_id


def read(actor: Actor, notice_id: int, now: dt.datetime) -> Notice:
    """Mark one of the actor's notices read, and give it back; :class:`NotFound` for anybody else's."""
    notice = db.session.scalar(notices.inbox(actor.person_id).where(Notice.id == notice_id))
    if notice is None:
        raise NotFound()
    notice.read_at = notice.read_at or now
    return notice


def read_all(actor: Actor, up_to: int, now: dt.datetime) -> None:
    """Mark all of the actor's notices up to the id ``up_to`` read: what came while the page was open stays unread."""
    mine = (Notice.person_id == actor.person_id) & Notice.read_at.is_(None) & (Notice.id <= up_to)
    db.session.execute(update(Notice).where(mine).values(read_at=now).execution_options(synchronize_session=False))


def groups_of(actor: Actor) -> tuple[Group, ...]:
    """The groups of events that the actor may choose channels for."""
    return (*(STAFF_GROUPS if actor.is_staff else ()), *((Group.COMPANY,) if actor.is_company else ()))


def choose(
    actor: Actor,
    *,
    email: str,
    mailed: Iterable[str],
    digest: str,
    quiet_from: dt.time | None,
    quiet_until: dt.time | None,
    language: str,
    now: dt.datetime,
) -> NoticeChoice:
    """Keep the actor's choices; :class:`Invalid` at the field that is wrong. What waits is planned by the new ones."""
    address = clean_text(email)
    wanted = [g.value for g in groups_of(actor) if g.value in set(mailed)]
    if address and not is_address(address):
        raise Invalid(N_("请填写正确的邮箱地址，例如 name@example.com。"), field="email")
    if wanted and not address:
        raise Invalid(N_("选了邮件通知的，请填写邮箱地址。"), field="email")
    if digest not in {d.value for d in Digest}:
        raise Invalid(N_("请选择列表中的一项。"), field="digest")
    if (quiet_from is None) != (quiet_until is None):
        raise Invalid(N_("免打扰时段请同时填写开始和结束时间。"), field="quiet_until")
    choice = notices.choice_of(actor.person_id)
    if choice is None:
        choice = NoticeChoice(person_id=actor.person_id)
        db.session.add(choice)
    choice.email, choice.channels = address, {group: ["mail"] for group in wanted}
    choice.digest, choice.language = digest, "en" if language == "en" else "zh"
    choice.quiet_from, choice.quiet_until = quiet_from, quiet_until
    if choice.digest_at is not None:
        choice.digest_at = digest_at(now, Digest(digest), quiet_from, quiet_until)
    return choice


def put_test_letter(actor: Actor, now: dt.datetime) -> None:
    """Plan a mail that shows the actor that mail arrives; at once, whatever the quiet hours."""
    choice = notices.choice_of(actor.person_id)
    if not mail_is_on():
        raise StepClosed(N_("系统尚未配置发信服务，请联系系统管理员。"))
    if choice is None or not choice.email:
        raise Invalid(N_("请先填写并保存邮箱地址。"), field="email")
    outbox.put("letter", {"person_id": actor.person_id, "notices": [], "is_test": True}, now)


def tell_company_people(item_id: int, payload: Mapping[str, Any], now: dt.datetime) -> None:
    """Plan mail to those people of a company who asked for it; the company's inbox has the message already."""
    if not mail_is_on():
        return
    already = notices.told_already(item_id)
    for choice in notices.choices_in_company(payload["enterprise_id"]):
        person_id, case_id = choice.person_id, payload["case_id"]
        wanted = person_id not in already and choice.mails(Group.COMPANY)
        if wanted and may_know(person_id, case_id, now):
            notice = Notice(
                person_id=person_id,
                case_id=case_id,
                outbox_id=item_id,
                event=COMPANY_EVENT,
                details={"about": payload["details"].get("done")},
                created_at=now,
            )
            db.session.add(notice)
            _plan_mail(notice, choice, now)
