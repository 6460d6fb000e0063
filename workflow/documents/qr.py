"""Makes QR codes, the four-module quiet zone included: inline SVG for pages, PNG for printed documents."""

from __future__ import annotations

import html
import io
from typing import Any, Literal, cast

import zxingcpp
from PIL import Image

Level = Literal["L", "M", "Q", "H"]

#: ISO/IEC 18004 asks for four light modules on every side.
QUIET_ZONE = 4


def _matrix(text: str, level: Level) -> tuple[bytes, int]:
    """Return the modules row by row (0 is dark) and the number of modules a side; ValueError when it does not fit."""
    if not text:
        raise ValueError("a QR code needs a text")
    # zxing picks the mode: digits, upper-case letters and $%*+-./: go into alphanumeric mode, 5.5 bits a character.
    barcode = zxingcpp.create_barcode(text, zxingcpp.QRCode, ec_level=level)
    image = barcode.to_image(scale=1, add_quiet_zones=False)
    return memoryview(cast(Any, image)).tobytes(), image.shape[0]


def qr_version(text: str, level: Level = "Q") -> int:
    """Return the version (1 to 40) of the code that ``qr_svg`` draws for the same arguments."""
    return (_matrix(text, level)[1] - 17) // 4


def qr_svg(text: str, *, level: Level = "Q", label: str = "") -> str:
    """Return ``text`` as a QR code: an ``<svg>`` whose size is set by the page, dark modules as one black path.

    The viewBox counts modules, so the printed size divides evenly. ``text`` itself does not appear in the markup;
    ``label`` says what the code is for to those who can't see it.
    """
    modules, side = _matrix(text, level)
    parts: list[str] = []
    for row in range(side):
        line = modules[row * side : (row + 1) * side]
        start = line.find(0)
        while start != -1:
            end = line.find(255, start)
            if end == -1:
                end = side
            parts.append(f"M{start + QUIET_ZONE} {row + QUIET_ZONE}h{end - start}v1h-{end - start}z")
            start = line.find(0, end)
    size = side + 2 * QUIET_ZONE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" width="100%" height="100%" '
        f'shape-rendering="crispEdges" role="img" aria-label="{html.escape(label)}">'
        f'<path fill="#fff" d="M0 0h{size}v{size}h-{size}z"/>'
        f'<path fill="#000" d="{"".join(parts)}"/></svg>'
    )


def packed_matrix(text: str, level: Level = "Q") -> tuple[bytes, int]:
    """Return ``text`` as a QR code of one bit a module (0 is dark), its quiet zone included, and the modules a side.

    Rows begin at a whole byte, as pictures of one bit a pixel do in PDF.
    """
    modules, side = _matrix(text, level)
    code = Image.new("1", (side + 2 * QUIET_ZONE,) * 2, 1)
    code.paste(Image.frombytes("L", (side, side), modules).convert("1", dither=Image.Dither.NONE), (QUIET_ZONE,) * 2)
    return code.tobytes(), code.width


def qr_png(text: str, *, level: Level = "Q", scale: int = 4) -> bytes:
    """Return ``text`` as a QR code in black and white PNG, ``scale`` pixels a module.

    For PDF: WeasyPrint draws a picture in a tenth of the time that the path of a large code takes.
    """
    bits, side = packed_matrix(text, level)
    code = Image.frombytes("1", (side, side), bits)
    output = io.BytesIO()
    code.resize((code.width * scale, code.height * scale), Image.Resampling.NEAREST).save(output, "PNG")
    return output.getvalue()
