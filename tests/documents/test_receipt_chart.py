"""The receipt shows the enterprise's own flow chart, as it was when the receipt was issued."""

from __future__ import annotations

import io

from pypdf import PdfReader

from tests.core.scene import FLOWS
from tests.documents import samples
from workflow.core.chart import SOURCE_WORDS, draw, sub_lines
from workflow.core.chart_svg import described, svg
from workflow.documents.official import render_receipt


def drawing(key: str) -> str:
    """The chart of a flow as issuing draws it."""
    flow = FLOWS[key]
    chart = draw(flow, "submitted", (), "zh_Hans", sub_lines(flow))
    words = described(chart, SOURCE_WORDS)
    return svg(chart, id="flow", title=flow.label.zh, desc=words, words=SOURCE_WORDS, standalone=True, paper=False)


def pages(pdf: bytes) -> list[str]:
    """The words of each page."""
    return ["".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages]


def test_the_longest_chart_stands_whole_on_the_last_page_with_the_seal() -> None:
    found = pages(render_receipt(samples.receipt(chart_svg=drawing("city-large"))))
    assert len(found) == 2
    for words in ("审核工作流程图", "您在这里", "待领导小组审定", "可退回：材料审核中", "已同意复工", "收件时间"):
        assert words in found[1], words


def test_a_receipt_without_a_chart_is_as_before() -> None:
    found = pages(render_receipt(samples.receipt()))
    assert len(found) == 1
    assert "审核工作流程图" not in found[0]


def test_the_same_chart_gives_the_same_bytes() -> None:
    facts = samples.receipt(chart_svg=drawing("city-small"))
    assert render_receipt(facts) == render_receipt(facts)
