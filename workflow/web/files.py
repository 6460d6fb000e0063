"""Files and photos for whoever may see their case: downloads, and previews, which are renderings of our own."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from flask import Blueprint, Response, render_template, request

from workflow.core.actors import Permission
from workflow.core.errors import DomainError, NotFound
from workflow.data.files import StoredFile
from workflow.data.materials import MaterialFile
from workflow.documents import previews, storage
from workflow.documents.previews import OfficeText
from workflow.documents.storage import FileStore
from workflow.documents.uploads import MAX_PDF_PAGES, FileKind
from workflow.extensions import settings
from workflow.services import inspections as inspection_service
from workflow.services import materials as material_service
from workflow.web.access import actor, requires

bp = Blueprint("files", __name__)

WIDTHS = (320, 800, 1100, 1600)
"""The widths in pixels that previews are drawn at: few, so that nobody can ask for endless renderings."""
PICTURES = frozenset({FileKind.JPEG, FileKind.PNG})
OFFICE = frozenset({FileKind.DOCX, FileKind.XLSX})
_SANDBOX = "sandbox; default-src 'none'"
_TEXT_ONLY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True)
class Preview:
    """How a file is shown: ``kind`` is pdf, image, office or none; ``pages`` of a PDF, ``text`` of an Office file."""

    kind: str
    pages: int = 0
    text: OfficeText | None = None


def _store() -> FileStore:
    return storage.open_store(settings().files_url)


@lru_cache(maxsize=512)
def _page_count(key: str) -> int:
    """Pages of a stored PDF; kept, since a key is the content's hash."""
    with storage.local_copy(_store(), key) as path:
        return previews.pdf_page_count(path)


@lru_cache(maxsize=16)
def _office_text(key: str, kind: FileKind) -> OfficeText:
    with storage.local_copy(_store(), key) as path:
        return previews.office_text(path, kind)


def preview_of(found: MaterialFile) -> Preview:
    """How to show a file beside its verdict; what can't be shown can still be downloaded."""
    kind = FileKind(found.file.kind)
    try:
        if kind is FileKind.PDF:
            return Preview("pdf", pages=_page_count(found.file.key))
        if kind in OFFICE:
            return Preview("office", text=_office_text(found.file.key, kind))
    except DomainError:
        return Preview("none")
    return Preview("image" if kind in PICTURES else "none")


def disposition(name: str) -> str:
    """``attachment`` with the company's own file name (RFC 6266, RFC 5987) and a plain one for old programs."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = "".join(c for c in plain if c.isalnum() or c in "._- ").strip() or "file"
    safe = quote(name, safe="!#$&+-.^_`|~")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{safe}"


def _width() -> int:
    """The width asked for with ``w``, one of :data:`WIDTHS`."""
    asked = request.args.get("w", "")
    wanted = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1100
    return next((w for w in WIDTHS if w >= wanted), WIDTHS[-1])


def _closed(response: Response) -> Response:
    """Content from outside: never run, never guessed at, kept by the reader's own browser only."""
    response.headers["Content-Security-Policy"] = _SANDBOX
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, max-age=300"
    return response


def _picture(stored: StoredFile, width: int) -> Response:
    if FileKind(stored.kind) not in PICTURES:
        raise NotFound()
    with storage.local_copy(_store(), stored.key) as path:
        return _closed(Response(previews.image_jpeg(path, width), mimetype="image/jpeg"))


@bp.get("/files/<int:file_id>")
@requires(Permission.SEE_CASE, Permission.FILE_APPLICATION)
def download(file_id: int) -> Response:
    """The file as it was handed in, to be saved."""
    found = material_service.get_file(actor(), file_id)
    chunks = storage.read_stream(_store(), found.file.key)
    response = _closed(Response(chunks, mimetype=found.file.media_type))
    response.headers["Content-Disposition"] = disposition(found.name)
    response.headers["Content-Length"] = str(found.file.size)
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.get("/files/<int:file_id>/pages/<int:number>.png")
@requires(Permission.SEE_CASE, Permission.FILE_APPLICATION)
def page(file_id: int, number: int) -> Response:
    """One page of a PDF as a picture."""
    stored = material_service.get_file(actor(), file_id).file
    if FileKind(stored.kind) is not FileKind.PDF or not 1 <= number <= MAX_PDF_PAGES:
        raise NotFound()
    if number > _page_count(stored.key):
        raise NotFound()
    with storage.local_copy(_store(), stored.key) as path:
        return _closed(Response(previews.pdf_page_png(path, number, _width()), mimetype="image/png"))


@bp.get("/files/<int:file_id>/image.jpg")
@requires(Permission.SEE_CASE, Permission.FILE_APPLICATION)
def image(file_id: int) -> Response:
    """A picture, drawn anew at a sensible width."""
    return _picture(material_service.get_file(actor(), file_id).file, _width())


@bp.get("/files/<int:file_id>/text")
@requires(Permission.SEE_CASE, Permission.FILE_APPLICATION)
def text(file_id: int) -> Response:
    """The text and tables of a Word or Excel file on a page without any script."""
    found = material_service.get_file(actor(), file_id)
    kind = FileKind(found.file.kind)
    if kind not in OFFICE:
        raise NotFound()
    body = render_template("files/text.html", found=found, text=_office_text(found.file.key, kind))
    response = Response(body, mimetype="text/html")
    response.headers["Content-Security-Policy"] = _TEXT_ONLY
    response.headers["Cache-Control"] = "private, max-age=300"
    return response


@bp.get("/photos/<int:photo_id>.jpg")
@requires(Permission.SEE_CASE, Permission.FILE_APPLICATION)
def photo(photo_id: int) -> Response:
    """A photo of an inspection."""
    return _picture(inspection_service.get_photo(actor(), photo_id).file, _width())
