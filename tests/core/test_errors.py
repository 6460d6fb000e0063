"""Domain errors: each has its HTTP status and words with their places filled in."""

from __future__ import annotations

import pytest

from workflow.core.errors import DomainError, Invalid, NotFound, NotPermitted, Reason, Replayed, Stale, StepClosed


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound(), 404),
        (NotPermitted(), 403),
        (Stale(), 409),
        (StepClosed("现在不能办理"), 409),
        (Replayed(), 422),
        (Invalid("请填写", field="note"), 422),
    ],
)
def test_status_and_words(error: DomainError, status: int) -> None:
    assert error.status == status
    assert str(error) == error.message


def test_places_are_filled_and_a_percent_sign_alone_is_kept() -> None:
    assert str(Invalid("还差 %(n)s 项", n=3)) == str(Reason("还差 %(n)s 项", {"n": 3})) == "还差 3 项"
    assert str(Invalid("100%")) == str(Reason("100%")) == "100%"
