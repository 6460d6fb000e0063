"""Issued papers as PDF: receipts, sheets, notices and passes, for whoever may see their case."""

from __future__ import annotations

import io

from flask import Blueprint, request, send_file
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.core.errors import N_, NotFound, StepClosed
from workflow.data import issued
from workflow.data.issued import DocumentKind, IssuedDocument
from workflow.documents import storage
from workflow.extensions import db, settings
from workflow.services import issuing, printing
from workflow.services import passes as pass_service
from workflow.web.access import actor, requires
from workflow.web.clock import now

bp = Blueprint("papers", __name__)


def _pdf(content: bytes, name: str) -> Response:
    """The answer with a PDF: shown in the browser, or saved when ``?download=1`` asks for it."""
    response: Response = send_file(
        io.BytesIO(content),
        mimetype="application/pdf",
        as_attachment=request.args.get("download") == "1",
        download_name=f"{name}.pdf",
        max_age=0,
    )
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _content(document: IssuedDocument) -> bytes:
    """The stored bytes, or the same made anew from the facts while the worker has not stored them yet."""
    if document.file is not None:
        return storage.read_bytes(storage.open_store(settings().files_url), document.file.key)
    return issuing.render_pdf(document)


@bp.get("/documents/<int:document_id>.pdf")
@requires(Permission.SEE_CASE)
def document(document_id: int) -> Response:
    """An issued paper of a case that the reader sees."""
    found = db.session.scalar(issued.visible_to(actor()).where(IssuedDocument.id == document_id))
    if found is None or found.kind == DocumentKind.CORRECTION_NOTICE:
        raise NotFound()  # the one-time notice is read on the case page, it has no paper
    return _pdf(_content(found), found.number)


@bp.get("/cases/<int:case_id>/passes.<suffix>")
@requires(Permission.SEE_CASE)
def passes_of_case(case_id: int, suffix: str) -> Response:
    """Every standing pass of a case in one file, sent as it is made."""
    layout = request.args.get("layout", "windscreen")
    pieces = printing.print_all(actor(), case_id, layout, suffix, now())
    answer = Response(pieces, mimetype="application/pdf" if suffix == "pdf" else "application/zip")
    answer.headers.set("Content-Disposition", "attachment", filename=f"passes-{case_id}-{layout}.{suffix}")
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


@bp.get("/passes/<int:pass_id>.pdf")
@requires(Permission.SEE_CASE)
def vehicle_pass(pass_id: int) -> Response:
    """The windscreen pass of a vehicle, as long as it stands."""
    found = pass_service.get(actor(), pass_id)
    if found.status != "granted":
        raise StepClosed(N_("通行证尚未发放、已暂停、已换发或已撤销，不能打印。"))
    return _pdf(issuing.render_pass_pdf(found), f"通行证-{found.plate}-{found.number}")
