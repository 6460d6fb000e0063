"""The outbox's handlers that tell people: inboxes, mail and group robots, one item each: none stops another."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from workflow.channels import mail
from workflow.channels import robots as channel
from workflow.channels.failure import ChannelFailure
from workflow.core import pieces
from workflow.data import outbox
from workflow.extensions import db, settings
from workflow.jobs.writing import Writing
from workflow.services import letters, notices, robots

Clock = Callable[[], dt.datetime]
Finish = Callable[[dt.datetime], None]


class Later(Exception):
    """The item can't be done before ``at``."""

    def __init__(self, at: dt.datetime) -> None:
        self.at = at
        super().__init__(at)


def deliver_notice(item_id: int, payload: Mapping[str, Any]) -> Finish:
    """Put notices into inboxes and plan what goes by other channels."""
    return lambda now: notices.deliver(item_id, payload, now)


def send_letter(item_id: int, payload: Mapping[str, Any], clock: Clock) -> Finish:
    """Send one mail, without a transaction open meanwhile; nothing when nothing is left to be said."""
    at = clock()
    letter = letters.letter_for(payload, at) if notices.mail_is_on() else None
    db.session.rollback()
    if letter is not None:
        mail.send(letter, mail.read_server(settings().mail_url), settings().mail_from, at)

    def finish(now: dt.datetime) -> None:
        if letter is not None:
            letters.mark_sent(payload["notices"])

    return finish


def send_robot(item_id: int, payload: Mapping[str, Any], clock: Clock) -> Finish:
    """Send one text, or the part of it that is next, to one robot; its turn is counted before, its failure after."""
    robot_id, part = payload["robot_id"], payload.get("part", 0)
    parts = pieces.split(letters.robot_text(payload), channel.MOST_TEXT_BYTES)
    try:
        with Writing():
            turn = robots.take_turn(robot_id, clock(), is_test=payload.get("is_test", False))
        if turn.later is not None:
            raise Later(turn.later)
        if turn.url and part < len(parts):
            channel.send(turn.kind, turn.url, turn.secret, parts[part], clock(), settings().robot_hosts)
    except ChannelFailure as failure:
        with Writing():
            robots.note_failure(robot_id, str(failure), clock())
        raise

    def finish(now: dt.datetime) -> None:
        if turn.url:
            robots.note_taken(robot_id, now)
        if turn.url and part + 1 < len(parts):
            outbox.put("robot", {**payload, "part": part + 1}, now)

    return finish
