"""What can go wrong outside: one exception with a class and a number, and never a word of the message."""

from __future__ import annotations


class ChannelFailure(Exception):
    """A message was not taken; ``why`` is one of the words below, ``number`` the status or error number, if any.

    ``refused_address`` (we don't send there), ``unreachable``, ``timeout``, ``http`` (number: status), ``answer``
    (200 with something unreadable), ``errcode`` (number: what the robot said), ``smtp`` (number: reply code),
    ``sealed`` (an address that the present secret key can't open).
    """

    def __init__(self, why: str, number: int | None = None) -> None:
        self.why, self.number = why, number
        super().__init__(f"{why} {number}" if number is not None else why)
