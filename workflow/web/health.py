"""Health for the machines that watch: alive, and ready with its database, store and queue."""

from __future__ import annotations

from flask import Blueprint, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from workflow.data import outbox
from workflow.documents import storage
from workflow.extensions import db, settings
from workflow.web.access import public
from workflow.web.clock import now

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@public
def alive() -> Response:
    """Answer as soon as the process serves; asks nothing of anybody."""
    return jsonify(status="ok")


@bp.get("/readyz")
@public
def ready() -> tuple[Response, int]:
    """Answer 200 when database and file store can be used; the outbox's backlog is told beside it."""
    try:
        db.session.execute(text("SELECT 1"))
        backlog = outbox.waiting(now())
        storage.open_store(settings().files_url)
    except (SQLAlchemyError, OSError, ValueError) as error:
        return jsonify(status="unavailable", why=type(error).__name__), 503
    return jsonify(status="ok", outbox=backlog), 200
