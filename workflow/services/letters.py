"""The words that leave the house: mail to a person and texts to a group robot, without personal data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from workflow.channels.mail import Letter
from workflow.core.clocks import NO_LIMIT
from workflow.core.notices import KINDS, ROBOT_EVENTS, kind_of
from workflow.core.tables import Label
from workflow.core.times import shanghai_time
from workflow.data import notices
from workflow.data.cases import Case
from workflow.data.notices import Notice, NoticeChoice
from workflow.extensions import db, settings
from workflow.services.notices import may_know

MOST_IN_A_LETTER = 50
_MANY = Label("您有 {n} 条新通知", "You have {n} new notices")
_MORE = Label("另有 {n} 条，请到站内查看：", "And {n} more: ")
_TEST = Label("测试邮件", "Test mail")
_TEST_WORDS = Label(
    "这是一封测试邮件。收到它，说明通知邮件可以送达您的邮箱。",
    "This is a test. Since it has arrived, notices can reach you by mail.",
)
_DUE = Label("办理截止：{due}", "due {due}")
_FOOT = Label(
    "本邮件由系统自动发出，请勿回复。可在“通知设置”中修改：", "Sent automatically; please don't reply. Your choices: "
)


def about(details: Mapping[str, Any], locale: str) -> str:
    """The label of what a notice is about, in one language; empty when it carries none."""
    found = details.get("about")
    return str(found.get("en" if locale == "en" else "zh", "")) if isinstance(found, dict) else ""


def title(event: str, details: Mapping[str, Any], locale: str) -> str:
    """What happened, in one language."""
    what, more = kind_of(event).label.text(locale), about(details, locale)
    return f"{what}{': ' if locale == 'en' else '：'}{more}" if more else what


def letter_for(payload: Mapping[str, Any], now: dt.datetime) -> Letter | None:
    """The mail of an outbox item as it is right now; None when nothing of it is to be said any more.

    Left out is what was read meanwhile, and any case that the person can't see any more.
    """
    choice = notices.choice_of(payload["person_id"])
    if choice is None or not choice.email:
        return None
    if payload.get("is_test"):
        return _letter(choice, _TEST.text(choice.language), [_TEST_WORDS.text(choice.language)])
    query = select(Notice).where(Notice.id.in_(payload["notices"]), Notice.read_at.is_(None)).order_by(Notice.id)
    said = [n for n in db.session.scalars(query) if _still_wanted(n, choice, now)]
    if not said:
        return None
    cases = _cases(said)
    shown, more = said[:MOST_IN_A_LETTER], len(said) - MOST_IN_A_LETTER
    lines = [_lines(notice, cases.get(notice.case_id or 0), choice.language) for notice in shown]
    if more > 0:
        lines.append(f"{_MORE.text(choice.language).format(n=more)}{settings().public_url}/notices")
    many = _MANY.text(choice.language).format(n=len(said))
    subject = title(said[0].event, said[0].details, choice.language) if len(said) == 1 else many
    return _letter(choice, subject, lines)


def mark_sent(notice_ids: Sequence[int]) -> None:
    """Keep that the mail about these notices went out."""
    for notice in db.session.scalars(select(Notice).where(Notice.id.in_(notice_ids))):
        notice.mail = "sent"


def _still_wanted(notice: Notice, choice: NoticeChoice, now: dt.datetime) -> bool:
    return choice.mails(kind_of(notice.event).group) and may_know(choice.person_id, notice.case_id, now)


def _cases(said: Sequence[Notice]) -> dict[int, Case]:
    ids = {n.case_id for n in said if n.case_id is not None}
    return {c.id: c for c in db.session.scalars(select(Case).where(Case.id.in_(ids)))} if ids else {}


def _lines(notice: Notice, case: Case | None, locale: str) -> str:
    path = f"/cases/{case.id}" if case is not None else str(notice.details.get("url", "/notices"))
    head = f"{shanghai_time(notice.created_at):%Y-%m-%d %H:%M}  {title(notice.event, notice.details, locale)}"
    named = [f"{case.reference}  {case.enterprise_name}"] if case is not None else []
    return "\n".join([head, *named, f"{settings().public_url}{path}"])


def _letter(choice: NoticeChoice, subject: str, parts: Sequence[str]) -> Letter:
    name = settings().site_name
    foot = f"-- \n{name}\n{_FOOT.text(choice.language)}{settings().public_url}/notices/choices"
    return Letter(choice.email, f"【{name}】{subject}", "\n\n".join([*parts, foot]) + "\n")


def robot_text(payload: Mapping[str, Any]) -> str:
    """What a robot says in its group: Chinese, the case's reference and company, its deadline and the way to it."""
    if payload.get("is_test"):
        listed = "、".join(KINDS[e].label.zh for e in ROBOT_EVENTS if e in payload.get("events", ()))
        return f"【{settings().site_name}】测试消息：本群机器人已接通。" + (f"将转发：{listed}。" if listed else "")
    head = f"【{settings().site_name}】{title(payload['event'], payload['details'], 'zh')}"
    case = db.session.get(Case, payload["case_id"]) if payload["case_id"] is not None else None
    if case is None:
        return head
    lines = [head, f"{case.reference}  {case.enterprise_name}"]
    if case.is_open and case.due_at < NO_LIMIT:
        last = shanghai_time(case.due_at - dt.timedelta(microseconds=1))
        lines.append(_DUE.zh.format(due=f"{last:%Y-%m-%d}"))
    return "\n".join([*lines, f"{settings().public_url}/cases/{case.id}"])
