"""Texts are cut by bytes, never inside a character or a composed sign, and nothing of them is lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.core.pieces import mark, split

MARK = re.compile(r"^（\d+/\d+）")


@given(st.text(max_size=1500), st.integers(min_value=32, max_value=300))
def test_pieces_fit_and_joined_are_the_text(text: str, most: int) -> None:
    pieces = split(text, most)
    assert all(len(p.encode()) <= most for p in pieces)
    if len(pieces) == 1:
        assert pieces == [text]
    else:
        marked = [(mark(n, len(pieces)), p) for n, p in enumerate(pieces, 1)]
        assert all(p.startswith(m) for m, p in marked)
        assert "".join(p[len(m) :] for m, p in marked) == text


def test_a_text_at_the_limit_stays_whole_and_one_byte_more_is_cut() -> None:
    assert split("复" * 682 + "ab", 2048) == ["复" * 682 + "ab"]
    pieces = split("复" * 683, 2048)
    assert [MARK.match(p) is not None for p in pieces] == [True, True]
    assert "".join(MARK.sub("", p) for p in pieces) == "复" * 683


def test_composed_signs_stay_together() -> None:
    family, thumb, accent = "👨‍👩‍👧", "👍🏽", "e\u0301"
    for sign in (family, thumb, accent):
        pieces = split(sign * 40, 64)
        assert all(MARK.sub("", p).replace(sign, "") == "" for p in pieces)


def test_the_end_of_a_line_is_preferred() -> None:
    pieces = split("第一行\n" + "字" * 20, 60)
    assert MARK.sub("", pieces[0]) == "第一行\n" or len(pieces[0].encode()) > 40


def test_more_than_nine_pieces_have_longer_marks() -> None:
    pieces = split("字" * 400, 64)
    assert len(pieces) > 9
    assert pieces[0].startswith(mark(1, len(pieces)))
    assert all(len(p.encode()) <= 64 for p in pieces)


def test_no_room_is_refused() -> None:
    with pytest.raises(ValueError, match="room"):
        split("一二三四五六七八九十", 12)
