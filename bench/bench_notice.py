"""The notice PDF against WeasyPrint used the obvious way: grid and flex, a system font collection, an SVG QR code."""

from __future__ import annotations

import datetime as dt
import html
from dataclasses import replace

import segno
from weasyprint import HTML

from bench.harness import Measurement, bench, compare
from workflow.documents.official import DecisionLine, NoticeFacts, render_notice

_STYLE = """@page{size:A4;margin:18mm;@bottom-right{content:"第 " counter(page) " 页"}}
body{font-family:"Noto Sans CJK SC",sans-serif;font-size:11pt}
h1{text-align:center;letter-spacing:.2em}
.r{display:grid;grid-template-columns:36mm 1fr;border:1px solid #555}
.g{display:grid;grid-template-columns:1fr 1fr 36mm}
.f{display:flex;justify-content:space-between}
.s{width:34mm;height:34mm;border:1mm solid #c01818;border-radius:50%;color:#c01818;display:flex;
flex-direction:column;align-items:center;justify-content:center;transform:rotate(-8deg)}
.w{position:fixed;top:78mm;left:0;right:0;text-align:center;font-size:62mm;opacity:.1;transform:rotate(-28deg)}"""


def _facts(number: int) -> NoticeFacts:
    day = dt.date(2020, 2, 16)
    return NoticeFacts(
        number=f"甬海曙复工〔2020〕{number}号",
        enterprise=f"宁波澄砚精密机械有限公司{number}",
        uscc="91330201MADE000017",
        address="海曙区望湖路 18 号",
        head_count=86,
        resume_on=day,
        decisions=(DecisionLine(authority="江厦街道", opinion="同意复工", decided_on=day),),
        conditions=("按报备的方案组织生产。", "每日报告员工健康状况。", "新增人员补充登记。", "异常立即报告。"),
        issuing_area="宁波市海曙区江厦街道",
        issued_on=day,
        qr_text="HTTPS://FUGONG.EXAMPLE/C/" + "ABCDEFGH" * 24,
        short_code="23456789A",
        demo=True,
    )


def _naive(f: NoticeFacts) -> bytes:
    def row(key: str, value: object) -> str:
        return f"<div class=r><b>{key}</b><span>{html.escape(str(value))}</span></div>"

    code = segno.make(f.qr_text, error="q").svg_data_uri(scale=4)
    decisions = "".join(f"<div>{d.authority}</div><div>{d.opinion}</div><div>{d.decided_on}</div>" for d in f.decisions)
    conditions = "".join(f"<li>{c}</li>" for c in f.conditions)
    return bytes(
        HTML(
            string=f"""<meta charset=utf-8><style>{_STYLE}</style><div class=w>演示</div><h1>同意复工通知书</h1>
<p>编号：{f.number}</p><p>{html.escape(f.enterprise)}：</p><p>你单位提交的复工申请，经材料审核和实地勘定，符合复工条件。</p>
{row("企业名称", f.enterprise)}{row("统一社会信用代码", f.uscc)}{row("复工地址", f.address)}{row("人数", f.head_count)}
{row("复工日期", f.resume_on)}<h2>审定意见</h2><div class=g><b>审定单位</b><b>意见</b><b>日期</b>{decisions}</div>
<h2>复工后应当做到</h2><ol>{conditions}</ol><div class=f><div><img src="{code}"><p>{f.short_code}</p></div>
<div>{f.issuing_area}<br>{f.issued_on}</div><div class=s><b>演示</b><span>非正式文件</span></div></div>"""
        ).write_pdf()
    )


@bench("documents.notice", "ms", "the same notice by naive WeasyPrint (grid, flex, system font collection)")
def notice() -> Measurement:
    """One warm notice in a process that has printed before."""
    numbers = iter(range(1, 10_000))
    facts = _facts(0)

    def ours() -> None:
        render_notice(replace(facts, number=f"甬海曙复工〔2020〕{next(numbers)}号"))

    def naive() -> None:
        _naive(replace(facts, number=f"甬海曙复工〔2020〕{next(numbers)}号"))

    mine, base = compare(ours, naive, calls=3, rounds=5, warmup=1)
    return Measurement(mine.milliseconds, base.milliseconds)
