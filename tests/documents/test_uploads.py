"""Tests of taking files in: what passes, what is refused and in which words, and that nothing is left behind."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.documents import files, samples
from workflow.core.errors import Invalid
from workflow.documents import uploads
from workflow.documents.uploads import FileKind, ReceivedFile, receive, safe_name

ALL = tuple(FileKind)
LIMIT = 10 << 20
OPENXML = "application/vnd.openxmlformats-officedocument."


def take(data: bytes, name: str, folder: Path, kinds: tuple[FileKind, ...] = ALL, limit: int = LIMIT) -> ReceivedFile:
    return receive(io.BytesIO(data), name, kinds=kinds, max_bytes=limit, folder=folder)


def refusal(data: bytes, name: str, folder: Path, kinds: tuple[FileKind, ...] = ALL, limit: int = LIMIT) -> Invalid:
    with pytest.raises(uploads.FileRefused) as caught:
        take(data, name, folder, kinds, limit)
    assert list(folder.iterdir()) == []
    assert caught.value.status == 422
    assert "%(" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("name", "data", "kind", "media_type"),
    [
        ("方案.pdf", files.pdf(), FileKind.PDF, "application/pdf"),
        (
            "方案.docx",
            files.word(),
            FileKind.DOCX,
            OPENXML + "wordprocessingml.document",
        ),
        (
            "名单.xlsx",
            files.excel(),
            FileKind.XLSX,
            OPENXML + "spreadsheetml.sheet",
        ),
        ("旧方案.doc", files.compound("WordDocument"), FileKind.DOC, "application/msword"),
        ("旧名单.XLS", files.compound("Workbook"), FileKind.XLS, "application/vnd.ms-excel"),
    ],
)
def test_documents_are_kept_as_they_are(
    name: str, data: bytes, kind: FileKind, media_type: str, tmp_path: Path
) -> None:
    found = take(data, name, tmp_path)
    assert found.path.parent == tmp_path
    assert found.path.read_bytes() == data
    assert (found.sha256, found.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert (found.kind, found.media_type, found.name) == (kind, media_type, name)
    assert list(tmp_path.iterdir()) == [found.path]


@pytest.mark.parametrize(
    ("name", "data", "kind", "kept_as", "form"),
    [
        ("照片.jpg", samples.photo(), FileKind.JPEG, "照片.jpg", "JPEG"),
        ("照片.JPEG", samples.photo(), FileKind.JPEG, "照片.JPEG", "JPEG"),
        ("截图.png", samples.photo(form="PNG"), FileKind.PNG, "截图.png", "PNG"),
        ("IMG_0042.HEIC", files.heic(), FileKind.JPEG, "IMG_0042.jpg", "JPEG"),
        ("image", samples.photo(), FileKind.JPEG, "image.jpg", "JPEG"),
    ],
)
def test_pictures_are_encoded_anew(
    name: str, data: bytes, kind: FileKind, kept_as: str, form: str, tmp_path: Path
) -> None:
    found = take(data, name, tmp_path)
    assert (found.kind, found.name) == (kind, kept_as)
    kept = found.path.read_bytes()
    assert (found.sha256, found.size) == (hashlib.sha256(kept).hexdigest(), len(kept))
    with Image.open(found.path) as picture:
        assert (picture.format, picture.size) == (form, (640, 480))
        near = picture.convert("RGB").getpixel((170, 170))
    assert isinstance(near, tuple)
    assert min(near) > 240
    assert list(tmp_path.iterdir()) == [found.path]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_png_of_every_mode_is_read(mode: str, tmp_path: Path) -> None:
    output = io.BytesIO()
    Image.new(mode, (20, 10)).save(output, "PNG")
    assert take(output.getvalue(), "a.png", tmp_path).kind is FileKind.PNG


def test_cmyk_jpeg_becomes_rgb(tmp_path: Path) -> None:
    output = io.BytesIO()
    Image.new("CMYK", (20, 10)).save(output, "JPEG")
    with Image.open(take(output.getvalue(), "a.jpg", tmp_path).path) as picture:
        assert picture.mode == "RGB"


def test_a_photo_is_turned_upright_and_loses_place_and_device(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x010F] = "SecretPhone"
    exif.get_ifd(0x8825)[1] = "N"
    data = samples.photo(exif=exif, comment=b"hidden words")
    found = take(data, "a.jpg", tmp_path)
    with Image.open(found.path) as picture:
        assert picture.size == (480, 640)
        assert dict(picture.getexif()) == {}
    assert b"SecretPhone" not in found.path.read_bytes()
    assert b"hidden words" not in found.path.read_bytes()


@pytest.mark.parametrize("place", ["behind", "in a comment"])
def test_a_jpeg_that_is_also_html_becomes_inert(place: str, tmp_path: Path) -> None:
    html = b"<html><script>alert(document.cookie)</script></html>"
    data = samples.photo() + html if place == "behind" else samples.photo(comment=html)
    assert b"<script>" in data
    assert b"<script>" not in take(data, "照片.jpg", tmp_path).path.read_bytes()


def test_empty_file(tmp_path: Path) -> None:
    assert isinstance(refusal(b"", "空.pdf", tmp_path), uploads.EmptyFile)


def test_too_large_is_refused_as_soon_as_the_limit_is_passed(tmp_path: Path) -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += size
            return b"x" * size

    stream = Endless()
    with pytest.raises(uploads.FileTooLarge) as caught:
        receive(stream, "a.pdf", kinds=ALL, max_bytes=2 << 20, folder=tmp_path)  # type: ignore[arg-type]
    assert "2 MB" in str(caught.value)
    assert stream.given < 3 << 20
    assert list(tmp_path.iterdir()) == []


def test_exactly_the_limit_is_allowed(tmp_path: Path) -> None:
    data = files.pdf()
    assert take(data, "a.pdf", tmp_path, limit=len(data)).size == len(data)


@pytest.mark.parametrize(
    ("name", "data", "found"),
    [
        ("a.pdf", b"<!DOCTYPE html><html><body>hello</body></html>", "HTML"),
        ("a.pdf", b"just words", "TXT"),
        ("a.exe", b"MZ" + b"\0" * 58 + b"\x80\0\0\0" + b"\0" * 64 + b"PE\0\0L\x01" + b"\0" * 200, "EXE"),
        ("a.svg", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', "SVG"),
        ("a.zip", samples.zipped({"a.txt": b"a"}), "ZIP"),
        ("a.gif", samples.photo(form="GIF"), "image/gif"),
        ("a.msg", files.compound("__properties_version1.0"), "OLE"),
    ],
)
def test_wrong_type_says_what_it_is_and_what_is_allowed(name: str, data: bytes, found: str, tmp_path: Path) -> None:
    error = refusal(data, name, tmp_path, (FileKind.PDF, FileKind.PNG))
    assert isinstance(error, uploads.WrongFileType)
    assert error.params["allowed"] == "PDF / PNG"
    assert found in str(error.params["found"])


def test_a_kind_the_slot_does_not_take(tmp_path: Path) -> None:
    error = refusal(files.word(), "方案.docx", tmp_path, (FileKind.PDF,))
    assert isinstance(error, uploads.WrongFileType)
    assert "DOCX" in str(error)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.pdf", samples.photo()),
        ("a.jpg", files.pdf()),
        ("a.png", samples.photo()),
        ("a.docx", files.excel()),
        ("a.xlsx", files.word()),
        ("a.docx", files.compound("WordDocument")),
        ("a.docx", samples.zipped({"a.txt": b"a"})),
        ("a.html", samples.photo()),
        ("a.pdf.exe", files.pdf()),
    ],
)
def test_renamed_files_are_told_so(name: str, data: bytes, tmp_path: Path) -> None:
    assert isinstance(refusal(data, name, tmp_path), uploads.ContentMismatch)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jpg", samples.photo()[:2_000]),
        ("a.png", samples.photo(form="PNG")[:500]),
        ("a.pdf", b"%PDF-1.7\n" + b"nothing of the kind " * 50),
        ("a.pdf", files.pdf()[:300]),
        ("a.docx", files.word()[:-400]),
        ("a.docx", files.word().replace(b"PK\x01\x02", b"PK\x09\x09")),
        ("a.heic", files.heic()[:400]),
    ],
)
def test_damaged_files(name: str, data: bytes, tmp_path: Path) -> None:
    assert isinstance(refusal(data, name, tmp_path), uploads.DamagedFile)


@pytest.mark.parametrize(
    ("name", "data"), [("a.pdf", files.locked_pdf()), ("a.docx", files.compound("EncryptionInfo", "EncryptedPackage"))]
)
def test_files_with_a_password(name: str, data: bytes, tmp_path: Path) -> None:
    assert isinstance(refusal(data, name, tmp_path), uploads.PasswordProtected)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.png", files.png_bomb()),
        ("a.docx", files.repacked(files.word(), {"word/media/a.bin": b"\0" * (30 << 20)})),
        ("a.xlsx", files.repacked(files.excel(), {f"xl/media/{n}": b"" for n in range(2_100)})),
    ],
)
def test_bombs(name: str, data: bytes, tmp_path: Path) -> None:
    assert isinstance(refusal(data, name, tmp_path), uploads.FileBomb)


def test_too_many_pages(tmp_path: Path) -> None:
    assert take(files.pdf(300), "a.pdf", tmp_path).kind is FileKind.PDF
    (tmp_path / "more").mkdir()
    error = refusal(files.pdf(301), "a.pdf", tmp_path / "more")
    assert isinstance(error, uploads.TooManyPages)
    assert "300" in str(error)


@pytest.mark.parametrize("entry", ["../../etc/cron.d/a", "/etc/a", "..\\a", "C:/a"])
def test_entries_that_point_outside(entry: str, tmp_path: Path) -> None:
    data = files.repacked(files.word(), {entry: b"a"})
    assert isinstance(refusal(data, "a.docx", tmp_path), uploads.UnsafeArchive)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.docx", files.repacked(files.word(), {"word/vbaProject.bin": b"a"})),
        ("a.xlsx", files.repacked(files.excel(), {"xl/vbaProject.bin": b"a"})),
        ("a.doc", files.compound("WordDocument", "_VBA_PROJECT")),
    ],
)
def test_macros(name: str, data: bytes, tmp_path: Path) -> None:
    assert isinstance(refusal(data, name, tmp_path), uploads.MacrosInside)


def test_a_failing_stream_leaves_nothing_behind(tmp_path: Path) -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        receive(Broken(), "a.pdf", kinds=ALL, max_bytes=LIMIT, folder=tmp_path)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("original", "safe"),
    [
        ("防疫方案 最终版😷.pdf", "防疫方案 最终版😷.pdf"),
        ("👨\u200d👩\u200d👧.jpg", "👨\u200d👩\u200d👧.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\a\\方案.docx", "方案.docx"),
        ("/a/b/.htaccess", "htaccess"),
        ("方案\u202egpj.exe", "方案gpj.exe"),
        ("a\x00b\r\nSet-Cookie: x.pdf", "abSet-Cookie_ x.pdf"),
        ('a<b>"c|d?.pdf', "a_b__c_d_.pdf"),
        ("", "未命名"),
        ("...", "未命名"),
        (".pdf", "pdf"),
        ("con.pdf", "_con.pdf"),
        ("名" * 300 + ".xlsx", "名" * 115 + ".xlsx"),
        ("a\U000e0041\U000e0042.pdf", "a.pdf"),
        ("e\u0301.pdf", "é.pdf"),
    ],
)
def test_safe_name(original: str, safe: str) -> None:
    assert safe_name(original) == safe


@given(st.text(max_size=300))
def test_safe_name_is_always_short_plain_and_stable(original: str) -> None:
    name = safe_name(original)
    assert 0 < len(name) <= uploads.MAX_NAME_CHARACTERS
    assert not set(name) & set('/\\<>:"|?*\x00\r\n\u202e\u2066')
    assert safe_name(name) == name
