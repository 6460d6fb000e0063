"""Passes by the hundred against naive WeasyPrint and against reportlab with a form, and the making of a QR code.

Beside the rows, ``python -m bench.bench_passes`` prints the size of a pass and the peak memory of a process of its own
that prints 500 windscreen passes as one PDF. Measured on 2 cores shared with other work, the better of two runs, in
November 2026: 1.15 ms a pass against 199 ms naive (173 times; 143 the least ever seen); 1.07 ms against 1.67 ms
reportlab in the same run (0.64); alone 3.2 ms against 6.4 ms (0.51); QR 0.72 ms against 8.8 ms; 1.69 KB a pass; peak
87 MB. Reportlab draws its form anew in each file, since that is how it is used; ours is rendered once a process,
which the warm-up rounds leave out of the count.
"""

from __future__ import annotations

import datetime as dt
import html
import io
from collections.abc import Iterator
from pathlib import Path

import segno
from PIL import Image
from reportlab.lib.colors import HexColor  # type: ignore[import-untyped, unused-ignore]
from reportlab.lib.utils import simpleSplit  # type: ignore[import-untyped, unused-ignore]
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped, unused-ignore]
from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped, unused-ignore]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped, unused-ignore]
from weasyprint import HTML

from bench.harness import Measurement, bench, compare, measure
from workflow.documents.fonts import FACES, FONT_FOLDER
from workflow.documents.pass_facts import PassFacts
from workflow.documents.pass_kinds import kind as kind_called
from workflow.documents.pass_looks import look_of
from workflow.documents.pass_setting import pass_title, spaced_plate
from workflow.documents.pdf import chinese_day
from workflow.documents.qr import packed_matrix
from workflow.documents.sheets import layouts, render_passes, render_single
from workflow.documents.tokens import PassClaims, SigningKey, sign, verify

BATCH, NAIVE = 500, 8
_MM = 72 / 25.4
_DAY = dt.date(2020, 2, 15)
_TOKEN = "2KCFCFECLEZDGBBWKMQA" * 10


def _facts(number: int) -> PassFacts:
    plate = f"浙B{number % 100_000:05d}"
    return PassFacts(
        number=f"330203{number:06d}",
        kind="goods",
        plate=plate,
        vehicle_type="重型厢式货车",
        enterprise=f"宁波澄砚精密机械第{number}有限公司",
        purpose="原材料运输",
        route="海曙区望春街道 — 北仑区新碶街道（经绕城高速）",
        driver_names_masked=("张*", "欧阳*"),
        valid_from_on=_DAY,
        valid_until_on=_DAY + dt.timedelta(days=13),
        issuing_area="海曙区望春街道",
        qr_text=f"HTTPS://FUGONG.NINGBO.GOV.CN/C/{_TOKEN[:178]}{number:08d}",
        short_code="7F3AK2QP9",
        look=look_of("330203012"),
        demo=True,
    )


def _batch(start: int, count: int = BATCH) -> list[PassFacts]:
    return [_facts(start + number) for number in range(count)]


def _rows(facts: PassFacts) -> list[tuple[str, str]]:
    return [
        ("企业名称", facts.enterprise),
        ("车辆类型", facts.vehicle_type),
        ("用途", facts.purpose),
        ("通行路线", facts.route),
        ("驾驶人", "、".join(facts.driver_names_masked)),
    ]


def _ours(passes: list[PassFacts]) -> bytes:
    return b"".join(render_passes(passes, layouts()["windscreen"]))


# ---- WeasyPrint the obvious way ----

_STYLE = """@page{size:A4 landscape;margin:0}
body{font-family:"Noto Sans CJK SC",sans-serif;margin:0}
.band{display:flex;align-items:center;gap:6mm;height:30mm;color:#fff;background:#14532d;padding:0 10mm}
.kind{background:#fff;color:#000;font-size:17mm;font-weight:700;border-radius:2mm;padding:0 4mm}
.title{font-size:12.5mm;font-weight:700;flex:1}
.plate{margin:4mm 10mm 0;border:1.4mm solid #14532d;border-radius:4mm;font-size:46mm;font-weight:700;display:flex;
justify-content:center}
.validity{text-align:center;font-size:12mm;font-weight:700}
.lower{display:grid;grid-template-columns:1fr 76mm;margin:0 10mm}
.row{display:grid;grid-template-columns:6em 1fr;font-size:6.4mm;border-bottom:.2mm solid #bbb}
.row b{font-weight:700}.code img{width:66mm}
.foot{display:flex;justify-content:space-between;font-size:3.8mm;margin:0 10mm}
.seal{position:absolute;left:165mm;top:160mm;width:34mm;height:34mm;border:1mm solid #c01818;border-radius:50%;
color:#c01818;display:flex;flex-direction:column;align-items:center;justify-content:center;transform:rotate(-8deg)}
.mark{position:fixed;top:62mm;left:0;right:0;text-align:center;font-size:62mm;opacity:.1;transform:rotate(-28deg)}"""


def _naive(facts: PassFacts) -> bytes:
    """One pass as a document of its own."""
    code = segno.make(facts.qr_text, error="q").svg_data_uri(scale=4)
    rows = "".join(f"<div class=row><span>{k}</span><b>{html.escape(v)}</b></div>" for k, v in _rows(facts))
    return bytes(
        HTML(
            string=f"""<meta charset=utf-8><style>{_STYLE}</style><div class=mark>演示</div>
<div class=band><span class=kind>货运</span><span class=title>复工车辆通行证</span><b>{facts.issuing_area}</b></div>
<div class=plate>{spaced_plate(facts.plate)}</div>
<div class=validity>有效期 {chinese_day(facts.valid_from_on)} 至 {chinese_day(facts.valid_until_on)} 24 时</div>
<div class=lower><div>{rows}</div><div class=code><img src="{code}"><p>{facts.short_code}</p></div></div>
<div class=foot><span>本证为本地防控通行凭证，仅在签发单位辖区使用。</span><span>编号 {facts.number}</span></div>
<div class=seal><b>演示</b><span>非正式文件</span></div>"""
        ).write_pdf()
    )


# ---- reportlab with everything constant in a form, our fonts, and our QR matrix ----


def _register() -> None:
    for name, face in (("Regular", 0), ("Bold", 1)):
        pdfmetrics.registerFont(TTFont(name, str(FONT_FOLDER / FACES[face][2])))


class _Reportlab:
    """One file in the making."""

    def __init__(self) -> None:
        self.output = io.BytesIO()
        self.canvas = Canvas(self.output, pagesize=(297 * _MM, 210 * _MM), pageCompression=1)
        self._form()

    def _text(self, x: float, y: float, size: float, text: str, font: str = "Bold") -> None:
        self.canvas.setFont(font, size * _MM)
        self.canvas.drawString(x * _MM, (210 - y) * _MM, text)

    def _form(self) -> None:
        canvas = self.canvas
        canvas.beginForm("goods")
        canvas.setFillColor(HexColor("#f5e9e9"))
        self._text(80, 130, 62, "演示")
        canvas.setFillColor(HexColor(kind_called("goods").colour))
        canvas.rect(0, 180 * _MM, 297 * _MM, 30 * _MM, stroke=0, fill=1)
        canvas.setStrokeColor(HexColor(kind_called("goods").colour))
        canvas.setLineWidth(1.4 * _MM)
        canvas.roundRect(10.7 * _MM, 114.7 * _MM, 275.6 * _MM, 60.6 * _MM, 4 * _MM)
        canvas.setFillColor(HexColor("#ffffff"))
        canvas.roundRect(10 * _MM, 184 * _MM, 42 * _MM, 22 * _MM, 2 * _MM, stroke=0, fill=1)
        self._text(58, 19.5, 12.5, pass_title("goods"))
        self._text(277, 17, 5, "签发", "Regular")
        canvas.setFillColor(HexColor("#000000"))
        self._text(14, 21, 17, "货运")
        self._text(24, 109, 8, "有效期", "Regular")
        canvas.setStrokeColor(HexColor("#c01818"))
        canvas.circle(182 * _MM, 33 * _MM, 16.5 * _MM)
        self._text(10, 201, 4.6, "本证为本地防控通行凭证")
        self._text(10, 205, 3.8, "涂改、转借、过期无效；真伪以扫码核验为准。", "Regular")
        canvas.endForm()

    def page(self, facts: PassFacts) -> None:
        """Draw one pass: text measured and wrapped by reportlab, the code as an inline picture."""
        canvas = self.canvas
        canvas.doForm("goods")
        plate = spaced_plate(facts.plate)
        size = min(56.0, 266 / pdfmetrics.stringWidth(plate, "Bold", 1))
        self._text(148.5 - pdfmetrics.stringWidth(plate, "Bold", size) / 2, 85, size, plate)
        valid = f"{chinese_day(facts.valid_from_on)} 至 {chinese_day(facts.valid_until_on)} 24 时"
        self._text(53, 109, 12, valid)
        self._text(275 - pdfmetrics.stringWidth(facts.issuing_area, "Bold", 10), 18, 10, facts.issuing_area)
        y = 122.0
        for label, value in _rows(facts):
            self._text(10, y, 6.4, label, "Regular")
            for line in simpleSplit(value, "Bold", 6.4, 162.0):
                self._text(48.4, y, 6.4, line)
                y += 8.32
            canvas.line(10 * _MM, (212 - y) * _MM, 211 * _MM, (212 - y) * _MM)
            y += 2.3
        bits, side = packed_matrix(facts.qr_text)
        code = Image.frombytes("1", (side, side), bits)
        canvas.drawInlineImage(code, 221 * _MM, 28.5 * _MM, 66 * _MM, 66 * _MM)
        self._text(234, 187, 7, facts.short_code)
        self._text(260, 205, 3.8, f"编号 {facts.number}", "Regular")
        canvas.showPage()

    def end(self) -> bytes:
        """Return the file."""
        self.canvas.save()
        return self.output.getvalue()


def _reportlab(passes: list[PassFacts]) -> bytes:
    book = _Reportlab()
    for facts in passes:
        book.page(facts)
    return book.end()


# ---- rows ----


def _starts(step: int) -> Iterator[int]:
    """First numbers of batches that share no pass, so that nothing is printed twice."""
    return iter(range(0, 1_000_000 - step, step))


@bench("passes.batch500.vs_naive", "passes/s", f"naive WeasyPrint, a document each, measured on {NAIVE} and not on 500")
def batch_against_naive() -> Measurement:
    """500 passes as one PDF; the naive way takes minutes for as many, so it is timed on a few."""
    starts = _starts(BATCH)
    mine = measure(lambda: _ours(_batch(next(starts))), rounds=3, warmup=1)
    naive_starts = _starts(NAIVE)
    base = measure(lambda: [_naive(facts) for facts in _batch(next(naive_starts), NAIVE)], rounds=2, warmup=1)
    return Measurement(BATCH / mine.median, NAIVE / base.median)


@bench("passes.batch500.vs_reportlab", "ms", "reportlab with a form, our fonts and our QR matrix, the same 500")
def batch_against_reportlab() -> Measurement:
    """500 passes as one PDF, both ways in turn."""
    _register()
    ours, theirs = _starts(BATCH), _starts(BATCH)
    mine, base = compare(
        lambda: _ours(_batch(next(ours))), lambda: _reportlab(_batch(next(theirs))), rounds=3, warmup=1
    )
    return Measurement(mine.milliseconds, base.milliseconds)


@bench("passes.single.vs_reportlab", "ms", "the same pass by reportlab with a form, our fonts and our QR matrix")
def single_against_reportlab() -> Measurement:
    """One warm pass as a PDF of its own."""
    _register()
    ours, theirs = _starts(1), _starts(1)
    layout = layouts()["windscreen"]
    mine, base = compare(
        lambda: render_single(_facts(next(ours)), layout),
        lambda: _reportlab([_facts(next(theirs))]),
        calls=10,
        rounds=7,
        warmup=1,
    )
    return Measurement(mine.milliseconds, base.milliseconds)


@bench("passes.batch5000.vs_500", "ms", "a tenth of the time of a tenth as many passes: flat when both are the same")
def many_against_few() -> Measurement:
    """The time of a pass in a file of 5,000 and in one of 500, as a print job writes them: piece by piece."""
    starts = _starts(BATCH * 10)
    layout = layouts()["windscreen"]

    def printed(count: int) -> None:
        first = next(starts)
        for _ in render_passes((_facts(first + n) for n in range(count)), layout):
            pass

    mine = measure(lambda: printed(BATCH * 10), rounds=1, warmup=0)
    base = measure(lambda: printed(BATCH), rounds=3, warmup=1)
    return Measurement(mine.milliseconds / (BATCH * 10), base.milliseconds / BATCH)


@bench("passes.verify", "ms", "the signature alone, by cryptography's Ed25519")
def verifying() -> Measurement:
    """A good token with hours checked whole: spelling, CBOR, signature, claims."""
    key = SigningKey.generate()
    begin = dt.datetime(2020, 2, 15, tzinfo=dt.UTC)
    until = begin + dt.timedelta(days=14)
    token = sign(PassClaims("330203000042", "goods", "浙B12345", begin, until, "330203", "weekdays"), key)
    keys, message = {key.kid: key.public}, b"x" * 100
    signature = key.sign(message)
    mine, base = compare(lambda: verify(token, keys), lambda: key.public.verify(signature, message), calls=50, rounds=7)
    return Measurement(mine.milliseconds, base.milliseconds)


@bench("passes.qr", "ms", "segno with its defaults, level Q")
def qr() -> Measurement:
    """The matrix of one pass's code, packed as it goes into the PDF."""
    ours, theirs = _starts(1), _starts(1)
    mine, base = compare(
        lambda: packed_matrix(_facts(next(ours)).qr_text),
        lambda: segno.make(_facts(next(theirs)).qr_text, error="q").matrix,
        calls=20,
        rounds=5,
    )
    return Measurement(mine.milliseconds, base.milliseconds)


def main() -> None:
    """Print 500 passes once, as a stream that nobody keeps, and say what it took."""
    size = sum(map(len, render_passes((_facts(number) for number in range(BATCH)), layouts()["windscreen"])))
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
    print(f"{BATCH} passes: {size / BATCH / 1024:.2f} KB each, peak memory of the process {peak:.0f} MB")


if __name__ == "__main__":
    main()
