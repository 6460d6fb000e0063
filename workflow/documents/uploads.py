"""Takes an uploaded file in: streamed under a byte cap, judged by content and by parsing, images encoded anew."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, NoReturn

import magic

from workflow.core.errors import N_, Invalid
from workflow.documents import sandbox

MAX_PDF_PAGES = 300
MAX_PIXELS = 40_000_000
MAX_NAME_CHARACTERS = 120
_CHUNK = 1 << 16


class FileKind(StrEnum):
    """The kinds of file the house takes; HEIC is kept as JPEG."""

    PDF = "pdf"
    JPEG = "jpeg"
    PNG = "png"
    HEIC = "heic"
    DOCX = "docx"
    XLSX = "xlsx"
    DOC = "doc"
    XLS = "xls"
    CSV = "csv"
    """Text, without a mark of its own: only a place that takes it asks whether it is."""


@dataclass(frozen=True, slots=True)
class _KindFacts:
    label: str
    media_type: str
    extensions: tuple[str, ...]


_OPENXML = "application/vnd.openxmlformats-officedocument."
_FACTS: dict[FileKind, _KindFacts] = {
    FileKind.PDF: _KindFacts("PDF", "application/pdf", (".pdf",)),
    FileKind.JPEG: _KindFacts("JPEG", "image/jpeg", (".jpg", ".jpeg", ".jpe", ".jfif")),
    FileKind.PNG: _KindFacts("PNG", "image/png", (".png",)),
    FileKind.HEIC: _KindFacts("HEIC", "image/heic", (".heic", ".heif")),
    FileKind.DOCX: _KindFacts("DOCX", _OPENXML + "wordprocessingml.document", (".docx",)),
    FileKind.XLSX: _KindFacts("XLSX", _OPENXML + "spreadsheetml.sheet", (".xlsx",)),
    FileKind.DOC: _KindFacts("DOC", "application/msword", (".doc",)),
    FileKind.XLS: _KindFacts("XLS", "application/vnd.ms-excel", (".xls",)),
    FileKind.CSV: _KindFacts("CSV", "text/csv", (".csv",)),
}
_PICTURES = frozenset({FileKind.JPEG, FileKind.PNG, FileKind.HEIC})
_BY_MEDIA_TYPE = {facts.media_type: kind for kind, facts in _FACTS.items() if kind is not FileKind.CSV} | {
    "image/heif": FileKind.HEIC,
    "image/heic-sequence": FileKind.HEIC,
    "image/heif-sequence": FileKind.HEIC,
}
_ZIP_HEAD, _OLE_HEAD = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: Short names for what a refused file looks like; the same in every language.
_LOOKS_LIKE = {
    "application/x-ole-storage": "OLE",
    "application/CDFV2": "OLE",
    "text/html": "HTML",
    "text/xml": "XML",
    "text/plain": "TXT",
    "text/csv": "CSV",
    "image/svg+xml": "SVG",
    "application/zip": "ZIP",
    "application/x-rar": "RAR",
    "application/vnd.rar": "RAR",
    "application/x-7z-compressed": "7Z",
    "application/x-dosexec": "EXE",
    "application/vnd.microsoft.portable-executable": "EXE",
    "application/x-executable": "EXE",
}


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file that passed: ``path`` is a temporary file in the folder given, ``sha256`` (hex) and ``size``
    describe it.

    For images these are the bytes encoded anew; ``kind`` and ``name`` say what they are now (HEIC arrives as JPEG).
    """

    path: Path
    sha256: str
    size: int
    media_type: str
    kind: FileKind
    name: str


class FileRefused(Invalid):
    """An uploaded file that cannot be taken; the message says what to do."""


class EmptyFile(FileRefused):
    """Nothing in it."""


class FileTooLarge(FileRefused):
    """More bytes than allowed."""


class WrongHash(FileRefused):
    """Other bytes than those that the sender hashed: something was lost on the way."""


class WrongFileType(FileRefused):
    """A kind of file that this slot does not take."""


class ContentMismatch(FileRefused):
    """The name says one kind, the content another."""


class DamagedFile(FileRefused):
    """The parser of its kind cannot read it."""


class PasswordProtected(FileRefused):
    """It opens only with a password."""


class TooManyPages(FileRefused):
    """A PDF longer than a reviewer can be asked to read."""


class FileBomb(FileRefused):
    """Small on disk, enormous when opened (or its parser ran into a limit)."""


class MacrosInside(FileRefused):
    """An Office file that carries a program."""


class UnsafeArchive(FileRefused):
    """An Office file with entries that point outside of itself."""


def receive(
    stream: IO[bytes], original_name: str, *, kinds: Collection[FileKind], max_bytes: int, folder: Path
) -> ReceivedFile:
    """Write ``stream`` to a temporary file in ``folder``, judge it, and return what is to be kept.

    The caller owns the returned path. On refusal (a subclass of :class:`FileRefused`) nothing is left behind.
    The data are on disk (fsync) when this returns.
    """
    name = safe_name(original_name)
    path = _write(_capped(stream, max_bytes), folder)
    try:
        kind = _judge(path, name, kinds)
        if kind in _PICTURES:
            path, kind = _reencode(path, kind, folder)
        name = _with_extension(name, kind)
        digest, size = _measure(path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return ReceivedFile(path, digest, size, _FACTS[kind].media_type, kind, name)


def take_bytes(
    stream: IO[bytes], sha256: str, *, kinds: Collection[FileKind], max_bytes: int, folder: Path
) -> ReceivedFile:
    """Write ``stream`` to a temporary file as it is, for evidence that is kept and never served.

    The hash is compared first: :class:`WrongHash` when the bytes are not those that the sender hashed. Then the kind
    is judged by content. The caller owns the returned path; on refusal, or when the stream breaks, nothing is left.
    """
    path = _write(_capped(stream, max_bytes), folder)
    try:
        digest, size = _measure(path)
        if digest != sha256:
            raise WrongHash(N_("收到的内容与手机记录的校验值不一致，请重新上传。"), field="sha256")
        kind = _judge(path, "", kinds)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return ReceivedFile(path, digest, size, _FACTS[kind].media_type, kind, "")


def safe_name(original: str) -> str:
    """Return a file name fit to be stored, shown and downloaded: Chinese and emoji stay, tricks go.

    Path parts, control and bidi characters are dropped, characters that Windows forbids become ``_``, and the
    length is cut to 120 characters with the extension kept.
    """
    text = unicodedata.normalize("NFC", original).replace("\\", "/").rsplit("/", 1)[-1]
    text = "".join(char for char in text if _keeps(char))
    text = re.sub(r'[<>:"|?*]', "_", text).strip(" .\u3000")
    stem, extension = _split_extension(text)
    stem = stem[: MAX_NAME_CHARACTERS - len(extension)].rstrip(" .\u200d") or "未命名"
    if re.fullmatch(r"(?i)con|prn|aux|nul|com\d|lpt\d", stem):
        stem = f"_{stem}"
    return stem + extension


def _keeps(char: str) -> bool:
    if char in "\u200d\ufe0f":  # what holds an emoji together
        return True
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _split_extension(name: str) -> tuple[str, str]:
    match = re.fullmatch(r"(.*?)(\.[A-Za-z0-9]{1,10})", name, re.DOTALL)
    return (match[1], match[2]) if match else (name, "")


def _with_extension(name: str, kind: FileKind) -> str:
    stem, extension = _split_extension(name)
    if extension.lower() in _FACTS[kind].extensions:
        return name
    if extension.lower() not in {known for facts in _FACTS.values() for known in facts.extensions}:
        stem = name
    wanted = ".jpg" if kind is FileKind.JPEG else _FACTS[kind].extensions[0]
    return stem[: MAX_NAME_CHARACTERS - len(wanted)] + wanted


def _capped(stream: IO[bytes], max_bytes: int) -> Iterator[bytes]:
    """Yield the stream's chunks; refuse an empty stream and the first byte too many."""
    size = 0
    while chunk := stream.read(_CHUNK):
        size += len(chunk)
        if size > max_bytes:
            raise FileTooLarge(
                N_("文件超过 %(limit)s MB 的上限。请压缩图片、降低扫描分辨率或拆成几个文件后再上传。"),
                limit=f"{max_bytes / (1 << 20):g}",
            )
        yield chunk
    if size == 0:
        raise EmptyFile(N_("这个文件是空的（0 字节）。请在电脑或手机上打开确认有内容后，重新选择上传。"))


def _write(chunks: Iterator[bytes], folder: Path) -> Path:
    """Write ``chunks`` to a new file in ``folder``, flushed to the disk; leave nothing behind on failure."""
    handle, name = tempfile.mkstemp(prefix="upload-", dir=folder)
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _measure(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return digest, path.stat().st_size


def _judge(path: Path, name: str, kinds: Collection[FileKind]) -> FileKind:
    """Return the kind of the file if libmagic, its name and its parser agree on one that is allowed."""
    media_type = magic.from_file(str(path), mime=True)
    extension = _split_extension(name)[1].lower()
    kind = _kind_of(path, media_type, extension)
    if kind is None and FileKind.CSV in kinds and extension == ".csv" and _is_text(path):
        return FileKind.CSV
    if kind is None or kind not in kinds:
        raise WrongFileType(
            N_("这里不能上传 %(found)s 文件。请改传：%(allowed)s。"),
            found=_FACTS[kind].label if kind else _LOOKS_LIKE.get(media_type, media_type),
            allowed=" / ".join(_FACTS[allowed].label for allowed in FileKind if allowed in kinds),
        )
    if extension and extension not in _FACTS[kind].extensions:
        _refuse_mismatch(extension, _FACTS[kind].label)
    if kind is FileKind.PDF:
        _parse("pdf_count", path, maximum=MAX_PDF_PAGES)
    elif kind in (FileKind.DOCX, FileKind.XLSX):
        _parse("check_office", path, kind=kind.value)
    return kind


def _kind_of(path: Path, media_type: str, extension: str) -> FileKind | None:
    with path.open("rb") as file:
        head = file.read(8)
    if head == _OLE_HEAD:
        return _ole_kind(path.read_bytes())
    kind = _BY_MEDIA_TYPE.get(media_type)
    if head[:4] == _ZIP_HEAD and kind not in (FileKind.DOCX, FileKind.XLSX):
        # libmagic names an Office file only when its parts come in the usual order; check_office looks inside.
        return {".docx": FileKind.DOCX, ".xlsx": FileKind.XLSX}.get(extension)
    if kind in (FileKind.DOC, FileKind.XLS):
        return None  # HTML or RTF saved under an Office name
    return kind


def _is_text(path: Path) -> bool:
    """Whether a file holds nothing that no text holds: UTF-16 begins with its mark, all other text has no zero byte."""
    content = path.read_bytes()
    marked = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    return (marked or b"\0" not in content) and content.lstrip()[:1] != b"<"


def _ole_kind(data: bytes) -> FileKind | None:
    """Tell the compound files of old Office apart by the names in their directory."""

    def holds(stream_name: str) -> bool:
        return stream_name.encode("utf-16-le") + b"\0\0" in data

    if holds("EncryptedPackage"):
        _refuse_password()
    if holds("_VBA_PROJECT"):
        _refuse_macros()
    if holds("WordDocument"):
        return FileKind.DOC
    return FileKind.XLS if holds("Workbook") or holds("Book") else None


def _reencode(path: Path, kind: FileKind, folder: Path) -> tuple[Path, FileKind]:
    """Replace the picture by its own pixels encoded anew, so that nothing else in the file survives."""
    target = FileKind.PNG if kind is FileKind.PNG else FileKind.JPEG
    picture = _parse("reencode", path, form=target.name, max_pixels=MAX_PIXELS)
    clean = _write(iter((picture,)), folder)
    path.unlink()
    return clean, target


def _parse(task: str, path: Path, **arguments: str | int) -> bytes:
    """Run a parser in the sandbox and turn its refusal into words."""
    try:
        return sandbox.run(task, path, output_mb=96, arguments=arguments)
    except sandbox.ParserRefused as refused:
        _refuse(refused.code, arguments)
    except sandbox.ParserFailed:
        _refuse("bomb", arguments)


def _refuse(code: str, arguments: dict[str, str | int]) -> NoReturn:
    if code == "password":
        _refuse_password()
    if code == "macros":
        _refuse_macros()
    if code == "kind":
        _refuse_mismatch(f".{arguments['kind']}", "ZIP")
    if code == "pages":
        raise TooManyPages(N_("PDF 超过 %(limit)s 页。请只保留需要的页，或拆成几个文件后再上传。"), limit=MAX_PDF_PAGES)
    if code == "pixels":
        raise FileBomb(N_("图片尺寸过大（超过 %(limit)s 万像素）。请缩小图片后再上传。"), limit=MAX_PIXELS // 10_000)
    if code == "unsafe":
        raise UnsafeArchive(N_("文件内部含有不安全的路径。请用 Word 或 Excel 打开，另存为新文件后再上传。"))
    if code == "bomb":
        raise FileBomb(N_("文件展开后过大或结构异常，系统无法安全打开。请用原来的软件打开，另存为新文件后再上传。"))
    raise DamagedFile(N_("文件已损坏，无法打开。请在本机确认能正常打开，另存或重新扫描后再上传。"))


def _refuse_password() -> NoReturn:
    raise PasswordProtected(N_("文件设有打开密码，审核人员无法查看。请取消密码后再上传。"))


def _refuse_macros() -> NoReturn:
    raise MacrosInside(N_("文件含有宏程序，不能接收。请另存为不含宏的文件（.docx 或 .xlsx）后再上传。"))


def _refuse_mismatch(extension: str, found: str) -> NoReturn:
    raise ContentMismatch(
        N_(
            "文件名的后缀是 %(extension)s，内容却是 %(found)s。请不要直接改后缀，用原来的软件另存为正确的格式后再上传。"
        ),
        extension=extension,
        found=found,
    )
