"""Changes of the signing keys with their history, and signing anew what a retired key signed."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from workflow.core.actors import Actor
from workflow.core.errors import N_, StepClosed
from workflow.core.tables import Label
from workflow.core.times import shanghai_day
from workflow.data import audit, outbox
from workflow.data.cases import Case
from workflow.data.issued import DocumentKind, IssuedDocument
from workflow.data.passes import VehiclePass
from workflow.documents import tokens
from workflow.extensions import db
from workflow.services import issuing, keys
from workflow.services.telling import tell_company

CHAIN = "keys"
BATCH = 200
"""How many passes or papers are signed anew in one transaction."""
_TOLD = Label(
    "签名密钥已更换，通行证和文书请重新下载打印", "The signing key was replaced: please print passes and papers anew"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands and was signed by one key: ids of passes and of papers, in the order of issue."""

    passes: tuple[int, ...]
    papers: tuple[int, ...]


def _record(event: audit.Event, kid: bytes, actor: Actor, now: dt.datetime) -> None:
    audit.record(event, chain=CHAIN, actor=actor, at=now, after={"kid": kid.hex()})


def rotate(actor: Actor, now: dt.datetime) -> bytes:
    """Make a key, which signs from the next use on, and record it; returns its id."""
    keys.make_key()
    kid = keys.signing_key().kid
    _record(audit.KEY_MADE, kid, actor, now)
    return kid


def retire(kid: bytes, actor: Actor, now: dt.datetime) -> None:
    """Take a key out of use and record that, and the key that is made when it was the one that signed.

    Nothing it signed is accepted any more, even if the recording fails: the files are changed first.
    :class:`NotFound` when no key in use has this id.
    """
    before = keys.public_keys().keys()
    keys.retire(kid)
    for made in keys.public_keys().keys() - before:
        _record(audit.KEY_MADE, made, actor, now)
    _record(audit.KEY_RETIRED, kid, actor, now)
    db.session.flush()


def standing(kid: bytes, now: dt.datetime) -> Standing:
    """What has to be signed anew when this key is gone: passes that are not over, suspended ones too, and papers."""
    live = (
        select(VehiclePass.id, VehiclePass.token)
        .where(VehiclePass.status.in_(("granted", "suspended")), VehiclePass.valid_until_on >= shanghai_day(now))
        .order_by(VehiclePass.id)
    )
    papers = (
        select(IssuedDocument.id, IssuedDocument.token)
        .where(IssuedDocument.token != "", IssuedDocument.revoked_at.is_(None))
        .order_by(IssuedDocument.id)
    )
    return Standing(
        tuple(i for i, token in _streamed(live) if tokens.key_named_by(token or "") == kid),
        tuple(i for i, token in _streamed(papers) if tokens.key_named_by(token) == kid),
    )


def _streamed(query: Any) -> Iterator[Any]:
    """The rows of a query, a thousand at a time."""
    return iter(db.session.execute(query.execution_options(yield_per=1000)))


def check_retired(kid: bytes) -> None:
    """Raise :class:`StepClosed` unless this key was retired: what a key in use signed needs no other signature."""
    if kid.hex() not in keys.retired_kids():
        raise StepClosed(N_("这把密钥没有停用，不需要重新签发。"))


def reissue_passes(kid: bytes, ids: Sequence[int], actor: Actor, now: dt.datetime) -> int:
    """Sign these passes with the present key, and tell their companies to print them; returns how many.

    Those that a retired key no longer names are left as they are, so that it can be repeated after a failure.
    """
    query = select(VehiclePass).where(VehiclePass.id.in_(ids)).order_by(VehiclePass.id)
    rows = [
        found
        for found in db.session.scalars(query.options(selectinload(VehiclePass.case)).with_for_update(of=VehiclePass))
        if tokens.key_named_by(found.token or "") == kid
    ]
    for found in rows:
        found.token = issuing.pass_token(found)
    _told("passes", kid, [r.case for r in rows], actor, now)
    return len(rows)


def reissue_papers(kid: bytes, ids: Sequence[int], actor: Actor, now: dt.datetime) -> int:
    """Sign these papers anew, have them rendered again, and tell their companies; returns how many."""
    query = select(IssuedDocument).where(IssuedDocument.id.in_(ids)).order_by(IssuedDocument.id)
    rows = [
        found
        for found in db.session.scalars(query.with_for_update(of=IssuedDocument))
        if tokens.key_named_by(found.token) == kid
    ]
    cases = {c.id: c for c in db.session.scalars(select(Case).where(Case.id.in_({r.case_id for r in rows})))}
    for found in rows:
        _sign_again(found, cases[found.case_id])
        outbox.put("render", {"document_id": found.id}, now)
    _told("papers", kid, [cases[r.case_id] for r in rows], actor, now)
    return len(rows)


def _sign_again(found: IssuedDocument, case: Case) -> None:
    """The token of a paper for the days it was issued for; the kept PDF carries the old one and is let go."""
    day = shanghai_day(found.issued_at)
    last = day + dt.timedelta(days=issuing.NOTICE_DAYS)
    paper = issuing.PAPER_KINDS[DocumentKind(found.kind)]
    found.token = issuing.document_token(paper, found.short_code, "-", case.county.code, day, last)
    found.file = None


def _told(what: str, kid: bytes, cases: Sequence[Case], actor: Actor, now: dt.datetime) -> None:
    """A history row for each town, and a message for each case."""
    for town, count in sorted(Counter(c.town_id for c in cases).items()):
        after = {"kid": kid.hex(), what: count}
        audit.record(audit.PASSES_REISSUED, chain=f"town:{town}", actor=actor, at=now, after=after)
    for case in {c.id: c for c in cases}.values():
        tell_company(case, "passes_reissued", _TOLD, now)
