"""Declared interests: the companies that a person keeps away from, which closes assignment and every step to them."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.exc import IntegrityError

from workflow.core.actors import SYSTEM, Actor, Permission
from workflow.core.errors import N_, Invalid, NotFound, NotPermitted
from workflow.core.identifiers import parse_uscc
from workflow.core.times import shanghai_day
from workflow.data import audit, enterprises, organisation, people
from workflow.data.cases import Case
from workflow.data.organisation import Interest, Relation
from workflow.data.people import Person
from workflow.extensions import db
from workflow.services import organisation as organisation_service
from workflow.services.releasing import release_close

RELATION_LABELS = {
    Relation.OWN: N_("本人的企业"),
    Relation.RELATIVE: N_("亲属的企业"),
    Relation.OTHER: N_("其他利害关系"),
}


def may_declare(actor: Actor, person_id: int, today: dt.date) -> bool:
    """Whether the actor declares interests of a person: the own, or of somebody in an area that the actor leads."""
    if actor is SYSTEM or actor.person_id == person_id:
        return True
    if not actor.may(Permission.ASSIGN_CASES):
        return False
    return any(organisation_service.manages(actor, a.area) for a in people.current_appointments(person_id, today))


def declare(actor: Actor, person_id: int, uscc: str, relation: str, now: dt.datetime) -> Interest:
    """Keep a person away from a company from now on; cases of it that the person has are assigned anew at once."""
    today = shanghai_day(now)
    if not may_declare(actor, person_id, today):
        raise NotPermitted(N_("只能申报本人的利害关系；他人的由其负责人申报。"))
    if db.session.get(Person, person_id) is None:
        raise NotFound()
    if relation not in set(Relation):
        raise Invalid(N_("请选择是什么关系。"), field="relation")
    enterprise = enterprises.by_uscc(parse_uscc(uscc))
    if enterprise is None:
        raise Invalid(N_("没有这家企业的登记，请核对统一社会信用代码；企业注册后再申报。"), field="uscc")
    if any(i.enterprise_id == enterprise.id for i in organisation.interests_of(person_id, today)):
        raise Invalid(N_("已申报过这家企业。"), field="uscc")
    declared_by = actor.person_id if actor is not SYSTEM else person_id
    interest = Interest(
        person_id=person_id,
        enterprise_id=enterprise.id,
        relation=relation,
        declared_by=declared_by,
        starts_on=today,
    )
    db.session.add(interest)
    try:
        db.session.flush()
    except IntegrityError as error:
        raise Invalid(N_("已申报过这家企业。"), field="uscc") from error
    release_close(person_id, enterprise.id, actor, now)
    _record(audit.INTEREST_DECLARED, interest, actor, now)
    return interest


def withdraw(actor: Actor, interest_id: int, now: dt.datetime) -> Interest:
    """End a declared interest: only who leads the person may, so that nobody clears the own way to a case."""
    interest, today = db.session.get(Interest, interest_id), shanghai_day(now)
    if interest is None or not may_declare(actor, interest.person_id, today):
        raise NotFound(N_("没有找到这项申报。"))
    if actor is not SYSTEM and actor.person_id == interest.person_id:
        raise NotPermitted(N_("本人的申报由负责人撤销。"))
    if interest.ends_on is None:
        interest.ends_on = max(today, interest.starts_on)
        _record(audit.INTEREST_WITHDRAWN, interest, actor, now)
    return interest


def _record(event: audit.Event, interest: Interest, actor: Actor, now: dt.datetime) -> None:
    posts = people.current_appointments(interest.person_id, shanghai_day(now))
    chain = organisation_service.chain_of(posts[0].area) if posts else "accounts"
    after = {"person": interest.person_id, "enterprise": interest.enterprise_id, "relation": interest.relation}
    audit.record(event, chain=chain, actor=actor, at=now, after=after)


def refuse_close(actor: Actor, case: Case, now: dt.datetime) -> None:
    """Raise when the actor belongs to the company of the case or declared an interest in it."""
    if actor.person_id in organisation.close_to(case.enterprise_id, shanghai_day(now)):
        raise NotPermitted(N_("您与该企业有利害关系，应当回避。"))
