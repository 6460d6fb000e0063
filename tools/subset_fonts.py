"""Makes the small fonts of static/fonts from the full Noto Sans SC.

Recipe, only needed when the font itself is renewed (the results are committed); the source is an npm package:

    npm pack @expo-google-fonts/noto-sans-sc && tar xf expo-google-fonts-noto-sans-sc-*.tgz
    python tools/subset_fonts.py package

The full Regular is copied unchanged, since names and addresses contain characters outside GB 2312 (䶮 𫍲 㛃);
Regular and Bold are cut down to GB 2312, ASCII and punctuation, because a PDF with a small font is laid out
and embedded much faster.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from fontTools.subset import Options, Subsetter, load_font, save_font

FONTS = Path(__file__).resolve().parent.parent / "static" / "fonts"
SOURCES = {"Regular": "400Regular/NotoSansSC_400Regular.ttf", "Bold": "700Bold/NotoSansSC_700Bold.ttf"}

#: Latin-1, general punctuation, arrows, maths, enclosed numbers, boxes, CJK punctuation, unit signs,
#: full-width forms.
BLOCKS = (
    (0x20, 0x7E),
    (0xA0, 0xFF),
    (0x2010, 0x203B),
    (0x2070, 0x2099),
    (0x20AC, 0x20AC),
    (0x2103, 0x2103),
    (0x2116, 0x2116),
    (0x2160, 0x217B),
    (0x2190, 0x2199),
    (0x2200, 0x22A5),
    (0x2460, 0x249B),
    (0x2500, 0x257F),
    (0x25A0, 0x25CF),
    (0x2605, 0x2606),
    (0x2610, 0x2612),
    (0x2713, 0x2718),
    (0x3000, 0x303F),
    (0x3220, 0x3229),
    (0x3380, 0x33DF),
    (0xFF01, 0xFF5E),
    (0xFFE0, 0xFFE5),
)

#: Outside GB 2312, yet everyday in Ningbo place names (新碶街道) and in common given names: worth a bold form.
LOCAL_CHARACTERS = (
    "碶澥甽礙塰鄞嶴岙堍浃翀昇堃喆旸玥珺珣琇琰瑀璟瑄祎翾赟頔骉垚淼犇焱鑫彧昉晞晟晗暄杺"
    "枞桉槿榉沄沺泷洺浠浛淏湉滢潞濛炘烜燚燊珩琋璘皓睿祺禤稑"
)


def gb2312() -> set[int]:
    """Every character of GB 2312-80 (rows 1 to 87)."""
    found: set[int] = set()
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                found.add(ord(bytes((row, cell)).decode("gb2312")))
            except UnicodeDecodeError:
                continue
    return found


def subset(source: Path, target: Path, characters: set[int]) -> None:
    """Write ``source`` reduced to ``characters`` as ``target``; the same input gives the same bytes."""
    options = Options(
        layout_features=["kern", "locl", "ccmp", "mark", "mkmk"],
        hinting=False,
        notdef_outline=True,
        name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14, 16, 17],
        recalc_timestamp=False,
        drop_tables=["DSIG", "vhea", "vmtx", "VORG"],
    )
    font = load_font(str(source), options)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    save_font(font, str(target), options)


def main() -> None:
    """Make the fonts from the unpacked npm package named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", type=Path, help="folder of the unpacked npm package")
    package: Path = parser.parse_args().package
    characters = (
        gb2312() | set(map(ord, LOCAL_CHARACTERS)) | {code for first, last in BLOCKS for code in range(first, last + 1)}
    )
    FONTS.mkdir(parents=True, exist_ok=True)
    for weight, name in SOURCES.items():
        subset(package / name, FONTS / f"NotoSansSC-{weight}-GB2312.ttf", characters)
    shutil.copyfile(package / SOURCES["Regular"], FONTS / "NotoSansSC-Regular.ttf")
    shutil.copyfile(package / "LICENSE_FONT", FONTS / "OFL.txt")


if __name__ == "__main__":
    main()
