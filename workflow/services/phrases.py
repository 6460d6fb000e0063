"""Standard phrases (常用意见): personal ones and those shared in an area, by topic, the most used first.

A topic is a word and what narrows it, joined by dots: ``verdict.wrong.licence`` (a verdict on a material),
``step.approve`` (the opinion of a step), ``pass.refuse`` (why a pass is refused), ``note``, ``thread``. What fits a
wider topic is offered in a narrower one.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence

from workflow.core.actors import ROLE_PERMISSIONS, Actor, Appointment, Permission
from workflow.core.errors import N_, Invalid, NotFound, NotPermitted
from workflow.core.facts import FLAGS
from workflow.core.texts import clean_text
from workflow.data import casework, catalogue
from workflow.data.cases import Case
from workflow.data.casework import Phrase
from workflow.extensions import db

LONGEST = 500
OFFERED = 60
MOST_OWN = 200
"""So many phrases one person, or one area, may keep."""
NOTE, THREAD, STEP, PASS = "note", "thread", "step", "pass"
PASS_ACTS = ("refuse", "suspend", "resume", "revoke")
"""What is done to passes with words."""
_ACTION = re.compile(r"[a-z][a-z0-9_]{0,39}")


def wider(topic: str) -> list[str]:
    """The topic and all that are wider: ``verdict.wrong.licence``, ``verdict.wrong``, ``verdict``."""
    parts = topic.split(".")
    return [".".join(parts[:n]) for n in range(len(parts), 0, -1)]


def check_topic(topic: str) -> str:
    """The topic, when there is such a one; :class:`Invalid` otherwise."""
    kind, *rest = topic.split(".")
    fits = {
        NOTE: not rest,
        THREAD: not rest,
        PASS: len(rest) <= 1 and all(a in PASS_ACTS for a in rest),
        STEP: len(rest) <= 1 and all(_ACTION.fullmatch(a) for a in rest),
        "verdict": len(rest) <= 2
        and all(v in {f.value for f in FLAGS} for v in rest[:1])
        and all(s in catalogue.material_slots() for s in rest[1:]),
    }
    if not fits.get(kind):
        raise Invalid(N_("请选择用在哪里。"), field="topic")
    return topic


def suggestions(actor: Actor, topic: str, case: Case | None) -> list[Phrase]:
    """The phrases to offer for a topic, the most used first."""
    return casework.phrases(actor, wider(topic), case, OFFERED)


def by_topic(actor: Actor, topics: Iterable[str], case: Case | None) -> dict[str, list[Phrase]]:
    """The phrases to offer for each of several topics, read in one statement."""
    chains = {topic: wider(topic) for topic in topics}
    every = sorted({t for chain in chains.values() for t in chain})
    found = casework.phrases(actor, every, case, OFFERED * 3) if every else []
    return {topic: [p for p in found if p.topic in chain] for topic, chain in chains.items()}


def count_use(actor: Actor, topic: str, words: str, case: Case | None) -> None:
    """Count a use of every offered phrase that stands in the words that were sent."""
    text = clean_text(words)
    if text:
        casework.count_uses([p.id for p in suggestions(actor, topic, case) if p.words in text])


def sharing(actor: Actor) -> list[Appointment]:
    """The appointments for whose area the actor may keep shared phrases: leaders and commanders."""
    own = (a for a in actor.appointments if Permission.ASSIGN_CASES in ROLE_PERMISSIONS[a.role])
    return list({a.area_id: a for a in own}.values())


def may_change(actor: Actor, phrase: Phrase) -> bool:
    """Whether the actor may change or delete a phrase: their own, or one shared in their area."""
    if phrase.owner_id is not None:
        return phrase.owner_id == actor.person_id
    return phrase.area_id in {a.area_id for a in sharing(actor)}


def kept(actor: Actor) -> list[Phrase]:
    """Every phrase the actor may use, for the page that manages them: by topic, the most used first."""
    query = casework.phrases_visible_to(actor)
    found = db.session.scalars(query.order_by(Phrase.topic, Phrase.uses.desc(), Phrase.id.desc()).limit(MOST_OWN * 4))
    return list(found)


def _words(words: str) -> str:
    text = clean_text(words)
    if not text:
        raise Invalid(N_("请写下常用意见。"), field="words")
    if len(text) > LONGEST:
        raise Invalid(N_("最多 %(n)s 个字，现为 %(m)s 个字。"), field="words", n=LONGEST, m=len(text))
    return text


def add(actor: Actor, topic: str, words: str, area_id: int | None, now: dt.datetime) -> Phrase:
    """Keep a phrase: one's own, or with ``area_id`` one shared there. The same words are kept once."""
    if area_id is not None and area_id not in {a.area_id for a in sharing(actor)}:
        raise NotPermitted()
    text, topic = _words(words), check_topic(topic)
    owner = actor.person_id if area_id is None else None
    beside = _beside(owner, area_id)
    same = next((p for p in beside if p.topic == topic and p.words == text), None)
    if same is not None:
        return same
    if len(beside) >= MOST_OWN:
        raise Invalid(N_("最多保存 %(n)s 条，请先删去不用的。"), n=MOST_OWN)
    phrase = Phrase(
        owner_id=owner, area_id=area_id, topic=topic, words=text, uses=0, created_by=actor.person_id, created_at=now
    )
    db.session.add(phrase)
    db.session.flush()
    return phrase


def _beside(owner_id: int | None, area_id: int | None) -> Sequence[Phrase]:
    """The phrases that one person or area keeps already."""
    return casework.phrases_of(owner_id, area_id)


def _own(actor: Actor, phrase_id: int) -> Phrase:
    phrase = db.session.scalar(casework.phrases_visible_to(actor).where(Phrase.id == phrase_id).with_for_update())
    if phrase is None:
        raise NotFound()
    if not may_change(actor, phrase):
        raise NotPermitted(N_("共享的常用意见由镇街领导或指挥部维护。"))
    return phrase


def change(actor: Actor, phrase_id: int, words: str) -> Phrase:
    """Give a phrase other words."""
    phrase = _own(actor, phrase_id)
    phrase.words = _words(words)
    return phrase


def delete(actor: Actor, phrase_id: int) -> None:
    """Throw a phrase away."""
    db.session.delete(_own(actor, phrase_id))
