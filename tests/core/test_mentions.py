"""Names called in a text, and reasons that give none."""

from __future__ import annotations

import pytest

from workflow.core.mentions import find_mentions
from workflow.core.texts import says_nothing

NAMES = {"王五", "王五六", "Li Lei", "欧阳试验"}


@pytest.mark.parametrize(
    ("text", "names", "unknown"),
    [
        ("请@王五看一下", ["王五"], []),
        ("请@王五六看一下", ["王五六"], []),
        ("@王五@欧阳试验 请核", ["王五", "欧阳试验"], []),
        ("@王五，@王五", ["王五"], []),
        ("＠王五 全角", ["王五"], []),
        ("ask @Li Lei please", ["Li Lei"], []),
        ("@赵六请看这里好吗谢谢", [], ["赵六请看这里好吗"]),
        ("邮箱 wu@example.org", [], []),
        ("@ 王五", [], []),
        ("单价 5@，没有人", [], []),
        ("", [], []),
    ],
)
def test_names_are_found(text: str, names: list[str], unknown: list[str]) -> None:
    found = find_mentions(text, NAMES)
    assert list(found.names) == names
    assert list(found.unknown) == unknown


@pytest.mark.parametrize("text", ["同意", "。。。", "12345", " 已阅。", "OK", "不符合！", "——"])
def test_words_that_only_repeat_the_step_are_no_reason(text: str) -> None:
    assert says_nothing(text)


@pytest.mark.parametrize("text", ["营业执照过期", "缺防疫方案第 3 页", "同意退回，材料不全", "no licence attached"])
def test_a_reason_is_a_reason(text: str) -> None:
    assert not says_nothing(text)
