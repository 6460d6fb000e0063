"""The program that opens foreign files: started by ``sandbox.run``, limits itself first, then parses one file.

It imports nothing of ours, reads one JSON argument, writes the result to standard output, and ends with 0. It
ends with 3 when it refuses the file, having written one word: ``damaged``, ``password``, ``bomb``, ``pages``,
``macros``, ``unsafe``, ``kind`` or ``pixels``. Any other end is a crash or a limit.
"""

from __future__ import annotations

import io
import json
import resource
import sys
import zipfile
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

ZIP_ENTRIES = 2_000
ZIP_TOTAL_BYTES = 200 << 20
ZIP_RATIO = 200
ZIP_RATIO_FROM_BYTES = 4 << 20
CELL_CHARACTERS = 500


class Refused(Exception):
    """The file is refused; the argument is the word for the caller."""


def refuse(word: str) -> NoReturn:
    """Stop with ``word`` as the answer."""
    raise Refused(word)


def set_limits(order: dict[str, Any]) -> None:
    """Limit CPU seconds, address space and output of this process, and let it dump no core."""
    resource.setrlimit(resource.RLIMIT_CPU, (order["cpu_seconds"], order["cpu_seconds"] + 1))
    resource.setrlimit(resource.RLIMIT_AS, (order["memory_bytes"], order["memory_bytes"]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (order["output_bytes"], order["output_bytes"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


# --- PDF ---------------------------------------------------------------------------------------------------------


def open_pdf(path: str) -> Any:
    """Open a PDF; one that asks for a password or cannot be read is refused."""
    import pypdfium2
    import pypdfium2.raw

    try:
        return pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError:
        refuse("password" if pypdfium2.raw.FPDF_GetLastError() == pypdfium2.raw.FPDF_ERR_PASSWORD else "damaged")


def pdf_count(path: str, maximum: int = 300) -> bytes:
    """Return the number of pages in digits; 0 or more than ``maximum`` pages are refused."""
    document = open_pdf(path)
    count = len(document)
    if count == 0:
        refuse("damaged")
    if count > maximum:
        refuse("pages")
    try:
        document[0].get_size()
    except Exception as error:  # pdfium's wrapper raises several kinds for a page that is not there
        raise Refused("damaged") from error
    return str(count).encode()


def pdf_page(path: str, page: int, width: int, max_height: int = 6_000) -> bytes:
    """Return one page (from 0) as PNG, ``width`` pixels wide."""
    document = open_pdf(path)
    if not 0 <= page < len(document):
        refuse("pages")
    sheet = document[page]
    page_width, page_height = sheet.get_size()
    if page_width <= 0 or page_height <= 0:
        refuse("damaged")
    scale = min(width / page_width, max_height / page_height)
    picture = sheet.render(scale=scale, may_draw_forms=True).to_pil().convert("RGB")
    output = io.BytesIO()
    picture.save(output, "PNG", compress_level=6)
    return output.getvalue()


# --- Images ------------------------------------------------------------------------------------------------------


def open_image(path: str, max_pixels: int) -> Any:
    """Open a JPEG, PNG or HEIC; its size is checked before a single pixel is decoded."""
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # our own limit below, as an answer and not as a warning
    formats = ["JPEG", "PNG"]
    with open(path, "rb") as file:
        if file.read(12)[4:8] == b"ftyp":
            from pillow_heif import register_heif_opener

            register_heif_opener(thumbnails=False)
            formats = ["HEIF"]
    try:
        picture = Image.open(path, formats=formats)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise Refused("damaged") from error
    if picture.width * picture.height > max_pixels:
        refuse("pixels")
    return picture


def plain_picture(path: str, max_pixels: int) -> Any:
    """Return the decoded, upright picture in sRGB without any metadata."""
    from PIL import Image, ImageOps

    picture = open_image(path, max_pixels)
    try:
        picture.load()
        upright = ImageOps.exif_transpose(picture)
        upright = to_srgb(upright, picture.info.get("icc_profile"))
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError) as error:
        raise Refused("damaged") from error
    # A new image: nothing of the file but its pixels goes on (no comments, no text chunks, no trailing bytes).
    clean = Image.new(upright.mode, upright.size)
    clean.paste(upright)
    return clean


def to_srgb(picture: Any, profile: bytes | None) -> Any:
    """Return ``picture`` as L, RGB or RGBA in sRGB; a broken colour profile is ignored."""
    from PIL import ImageCms

    if picture.mode.startswith(("I", "F")):
        picture = picture.point(lambda value: value / 256).convert("L") if picture.mode != "F" else picture.convert("L")
    alpha = picture.mode in ("LA", "PA", "RGBA", "RGBa") or "transparency" in picture.info
    wanted = "RGBA" if alpha else "L" if picture.mode in ("1", "L") else "RGB"
    if profile and picture.mode in ("RGB", "CMYK"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            picture = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass
    return picture if picture.mode == wanted else picture.convert(wanted)


def reencode(path: str, form: str, max_pixels: int) -> bytes:
    """Return the picture encoded anew as ``form`` (JPEG or PNG)."""
    picture = plain_picture(path, max_pixels)
    output = io.BytesIO()
    if form == "PNG":
        picture.save(output, "PNG", compress_level=6)
    else:
        on_white(picture).save(output, "JPEG", quality=88, optimize=True)
    return output.getvalue()


def image_jpeg(path: str, width: int, max_pixels: int) -> bytes:
    """Return the picture as JPEG no wider than ``width`` and no higher than four times that."""
    picture = on_white(plain_picture(path, max_pixels))
    picture.thumbnail((width, width * 4))
    output = io.BytesIO()
    picture.save(output, "JPEG", quality=82, optimize=True)
    return output.getvalue()


def on_white(picture: Any) -> Any:
    """Return an opaque picture: what was transparent becomes white."""
    from PIL import Image

    if picture.mode != "RGBA":
        return picture
    white = Image.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture.getchannel("A"))
    return white


# --- Word and Excel ----------------------------------------------------------------------------------------------


def check_office(path: str, kind: str) -> bytes:
    """Return nothing for a sound .docx or .xlsx; refuse bombs, unsafe names, macros and damaged archives."""
    try:
        with zipfile.ZipFile(path) as archive:
            check_entries(archive.infolist())
            unpacked = 0
            for entry in archive.infolist():
                with archive.open(entry) as stream:
                    while chunk := stream.read(1 << 16):
                        unpacked += len(chunk)
                        if unpacked > ZIP_TOTAL_BYTES:
                            refuse("bomb")
            if "[Content_Types].xml" not in archive.namelist():
                refuse("kind")
            check_content_types(archive.read("[Content_Types].xml"), kind)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, KeyError, OSError, EOFError, ValueError) as error:
        raise Refused("damaged") from error
    except (NotImplementedError, RuntimeError) as error:  # encrypted entry or an exotic compression
        raise Refused("password" if "password" in str(error) else "damaged") from error
    except Exception as error:
        if isinstance(error, Refused):
            raise
        raise Refused("damaged") from error  # zlib.error and its kin
    return b""


def check_entries(entries: list[zipfile.ZipInfo]) -> None:
    """Judge an archive by its list of contents, before anything is unpacked."""
    if len(entries) > ZIP_ENTRIES or sum(entry.file_size for entry in entries) > ZIP_TOTAL_BYTES:
        refuse("bomb")
    for entry in entries:
        name = entry.filename.replace("\\", "/")
        if name.startswith("/") or ".." in name.split("/") or ":" in name or "\x00" in entry.orig_filename:
            refuse("unsafe")
        if name.lower().endswith(("vbaproject.bin", "vbadata.xml")):
            refuse("macros")
        if entry.file_size > ZIP_RATIO_FROM_BYTES and entry.file_size > ZIP_RATIO * max(entry.compress_size, 1):
            refuse("bomb")


def check_content_types(xml: bytes, kind: str) -> None:
    """Compare what the package says it is with ``kind`` (docx or xlsx)."""
    if b"macroEnabled" in xml:
        refuse("macros")
    main = {"docx": b"wordprocessingml.document.main+xml", "xlsx": b"spreadsheetml.sheet.main+xml"}[kind]
    if main not in xml:
        refuse("kind")


def docx_text(path: str, max_rows: int, max_cells: int) -> bytes:
    """Return paragraphs and table rows of a .docx in reading order, as JSON."""
    import docx
    from docx.table import Table

    blocks: list[dict[str, Any]] = []
    left = max_rows
    truncated = False
    for item in docx.Document(path).iter_inner_content():
        if left <= 0:
            truncated = True
            break
        if isinstance(item, Table):
            rows: list[list[str]] = []
            for row in item.rows:
                if left <= 0:
                    truncated = True
                    break
                cells = [cell.text for cell in row.cells[: max_cells + 1]]
                truncated |= len(cells) > max_cells or any(len(cell) > CELL_CHARACTERS for cell in cells)
                rows.append([cell[:CELL_CHARACTERS] for cell in cells[:max_cells]])
                left -= 1
            blocks.append({"kind": "table", "title": "", "rows": rows})
        elif item.text.strip():
            truncated |= len(item.text) > 4 * CELL_CHARACTERS
            blocks.append({"kind": "paragraph", "title": item.text[: 4 * CELL_CHARACTERS], "rows": []})
            left -= 1
    return json.dumps({"blocks": blocks, "truncated": truncated}).encode()


def xlsx_text(path: str, max_sheets: int, max_rows: int, max_cells: int) -> bytes:
    """Return the first rows of the first sheets of a workbook, as JSON."""
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(path)
    names = book.sheet_names
    truncated = len(names) > max_sheets
    blocks: list[dict[str, Any]] = []
    for name in names[:max_sheets]:
        sheet = book.get_sheet_by_name(name)
        rows: list[list[str]] = []
        for number, row in enumerate(first_rows(sheet, max_rows + 1)):
            if number >= max_rows:
                truncated = True
                break
            cells = [shown(cell) for cell in row[:max_cells]]
            truncated |= len(row) > max_cells or any(len(cell) > CELL_CHARACTERS for cell in cells)
            rows.append([cell[:CELL_CHARACTERS] for cell in cells])
        while rows and not any(rows[-1]):
            rows.pop()
        blocks.append({"kind": "sheet", "title": name[:CELL_CHARACTERS], "rows": rows})
    return json.dumps({"blocks": blocks, "truncated": truncated}).encode()


def table_rows(path: str, max_rows: int, max_cells: int) -> bytes:
    """Return the rows that hold something of the first sheet that does, each with its line from 1, as JSON."""
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(path)
    rows: list[tuple[int, list[str]]] = []
    for name in book.sheet_names:
        sheet = book.get_sheet_by_name(name)
        for number, row in enumerate(sheet.iter_rows(), start=1):
            cells = [shown(cell)[:CELL_CHARACTERS] for cell in row[:max_cells]]
            if any(cell.strip() for cell in cells):
                rows.append((number, cells))
                if len(rows) > max_rows:
                    break
        if rows:
            break
    return json.dumps({"rows": rows[:max_rows], "truncated": len(rows) > max_rows}).encode()


def first_rows(sheet: Any, count: int) -> Iterable[list[Any]]:
    """The first rows of a sheet; a sheet without cells has none."""
    if sheet.height == 0:
        return []
    rows: list[list[Any]] = sheet.to_python(skip_empty_area=False, nrows=count)
    return rows


def shown(cell: Any) -> str:
    """A cell as text: 3.0 is shown as 3."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell)


TASKS: dict[str, Callable[..., bytes]] = {
    "pdf_count": pdf_count,
    "pdf_page": pdf_page,
    "reencode": reencode,
    "image_jpeg": image_jpeg,
    "check_office": check_office,
    "docx_text": docx_text,
    "xlsx_text": xlsx_text,
    "table_rows": table_rows,
}


def main() -> int:
    """Do what the JSON argument says; the exit code is described at the top of this file."""
    order: dict[str, Any] = json.loads(sys.argv[1])
    set_limits(order)
    task, code = TASKS[order["task"]], 0
    try:
        answer = task(order["path"], **order["arguments"])
    except Refused as refused:
        answer, code = str(refused).encode(), 3
    except MemoryError:
        answer, code = b"bomb", 3
    except Exception as error:  # parsers raise whatever they like at a broken file
        sys.stderr.write(repr(error))
        answer, code = b"damaged", 3
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()
    return code


if __name__ == "__main__":
    sys.exit(main())
