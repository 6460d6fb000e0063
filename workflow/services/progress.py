"""Looking up how far a case is without signing in: by its reference number and its contact's mobile."""

from __future__ import annotations

import contextlib
import datetime as dt
import hmac
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from workflow.core.errors import N_, Invalid, NotFound
from workflow.core.identifiers import parse_phone
from workflow.core.tables import Label
from workflow.data import audit
from workflow.data.applications import Application
from workflow.data.cases import Case
from workflow.extensions import db

LONGEST = 40


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was taken, in both languages, and when; who took it and with which words is not told."""

    label: Label
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a case is: the row itself (for its state, holder and deadline), and the steps done, newest first."""

    case: Case
    done: Sequence[Done]


def clean_reference(text: str) -> str:
    """A typed reference number as stored: half-width, without blanks, with plain hyphens."""
    plain = unicodedata.normalize("NFKC", text).upper()
    return re.sub(r"\s+", "", re.sub(r"[‐-―−－]", "-", plain))


def look_up(reference: str, mobile: str) -> Progress:
    """The progress of the case with this reference and this contact.

    Raises :class:`Invalid` for input that can't be either, :class:`NotFound` alike for an unknown reference and for
    another contact's number: the answer tells nobody which references exist.
    """
    wanted = clean_reference(reference)
    if not wanted or len(wanted) > LONGEST:
        raise Invalid(N_("请填写受理编号，如“复工-海曙-20200215-0042”。"), field="reference")
    number = parse_phone(mobile, "mobile", mobile_only=True)
    query = (
        select(Case, Application.answers)
        .join(Application, Application.case_id == Case.id)
        .where(Case.reference == wanted)
        .options(*(joinedload(p) for p in (Case.flow_version, Case.town, Case.county)))
    )
    found = db.session.execute(query).one_or_none()
    known = _numbers(found[0], found[1]) if found else []
    if found is None or not any(hmac.compare_digest(number, k) for k in known):
        raise NotFound(N_("没有查到。请核对受理编号和申请表里联系人的手机号。"))
    return Progress(found[0], _done(found[0]))


def _numbers(case: Case, answers: dict[str, str]) -> list[str]:
    """The contact's mobile as submitted, and as corrected since."""
    numbers = [str(case.facts.get("contact_mobile", ""))]
    with contextlib.suppress(Invalid):  # a correction that is no number yet
        numbers.append(parse_phone(str(answers.get("contact_mobile", "")), mobile_only=True))
    return [n for n in numbers if n.isascii() and n]


def _done(case: Case) -> list[Done]:
    steps = {(s.action, source): s.done for s in case.flow.steps for source in s.sources}
    taken = [(steps.get((e.event, str(e.before.get("state", "")))), e.at) for e in audit.of_case(case.id)]
    return [Done(label, at) for label, at in reversed(taken) if label is not None]
