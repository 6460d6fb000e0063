"""The tenants of a building: typed or pasted in any of the usual ways, and each bad line named."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import tenants, uscc
from workflow.core.errors import Invalid, Reason
from workflow.core.tenants import MOST_TENANTS, Tenant, read_tenants, tenant_lines


def words(error: Invalid) -> list[tuple[int, str]]:
    """The lines that an error names, each with its reason."""
    lines = error.params["lines"]
    assert isinstance(lines, tuple)
    assert all(isinstance(r, Reason) for r in lines)
    return [(r.params["line"], str(r.params["why"])) for r in lines]


@pytest.mark.parametrize("sign", [",", "，", "、", "\t", " , ", ";", "；"])
def test_every_usual_separator_is_taken(sign: str) -> None:
    line = sign.join(["宁波甲 公司", uscc(1).lower(), "１２人"])
    assert read_tenants(f"\n{line}\r\n\n") == (Tenant("宁波甲 公司", uscc(1), 12),)


def test_a_paste_from_a_sheet_with_empty_cells_is_taken() -> None:
    assert read_tenants(f"甲\t{uscc(1)}\t3\t\t\n\t\t\n乙\t{uscc(2)}\t0") == (
        Tenant("甲", uscc(1), 3),
        Tenant("乙", uscc(2), 0),
    )


def test_every_bad_line_is_named_with_its_reason() -> None:
    lines = [f"甲，{uscc(1)}，3", f"乙，{uscc(2)}", "", "丙，123，4", f"丁，{uscc(4)}，若干", f"戊，{uscc(1)}，5"]
    text = "\n".join([*lines, f"{'长' * 121}，{uscc(6)}，1"])
    with pytest.raises(Invalid) as refused:
        read_tenants(text)
    assert refused.value.params["n"] == 5
    assert [line for line, _ in words(refused.value)] == [2, 4, 5, 6, 7]
    reasons = dict(words(refused.value))
    assert "三项" in reasons[2]
    assert "18 位" in reasons[4]
    assert "整数" in reasons[5]
    assert "“甲”" in reasons[6]
    assert "120" in reasons[7]


def test_at_most_five_hundred() -> None:
    assert len(read_tenants(tenants(*range(1, MOST_TENANTS + 1)))) == MOST_TENANTS
    with pytest.raises(Invalid, match="501"):
        read_tenants(tenants(*range(1, MOST_TENANTS + 2)))


def test_what_was_read_is_read_again_from_its_lines() -> None:
    read = read_tenants(tenants(3, 1, 2))
    assert read_tenants(tenant_lines(read)) == read


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(Invalid):
        assert all(t.name and len(t.uscc) == 18 for t in read_tenants(text))
