"""The application factory: settings, extensions, blueprints, and the checks that stop a wrong start."""

from __future__ import annotations

import importlib

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from config import ROOT, Settings, load_settings
from workflow.extensions import babel, csrf, db, limiter, login_manager, migrate
from workflow.i18n import select_locale
from workflow.jobs import queue
from workflow.web import access, addresses, boundary, context, errors, headers, logging

BLUEPRINTS = (
    "health",
    "public",
    "accounts",
    "admin",
    "applications",
    "materials",
    "messages",
    "notices",
    "robots",
    "desk",
    "views",
    "bulk",
    "exports",
    "cases",
    "review",
    "notes",
    "threads",
    "phrases",
    "progress",
    "next_case",
    "inspections",
    "field",
    "field_left",
    "field_page",
    "gate_page",
    "learning",
    "appointments",
    "rectifications",
    "passes",
    "pass_desk",
    "pass_bulk",
    "vehicle_lists",
    "gate_log",
    "gate",
    "gates",
    "opinions",
    "tailoring",
    "papers",
    "prints",
    "files",
    "checks",
    "audit",
    "board",
    "assignment",
    "organisation",
    "organisation_people",
    "organisation_import",
    "publishing",
    "drafts",
    "migration",
    "well_known",
)


def _models() -> None:
    """Import every data module, so that the metadata is whole."""
    for name in (
        "applications",
        "areas",
        "audit",
        "bulk",
        "cases",
        "casework",
        "counters",
        "decisions",
        "drafts",
        "enterprises",
        "exports",
        "field",
        "files",
        "flows",
        "gates",
        "idempotency",
        "inspections",
        "issued",
        "item_counts",
        "materials",
        "messages",
        "names",
        "notices",
        "opinions",
        "organisation",
        "outbox",
        "passes",
        "people",
        "print_jobs",
        "robots",
        "samples",
        "sequences",
        "tailorings",
        "vehicle_lists",
        "views",
    ):
        importlib.import_module(f"workflow.data.{name}")


def create_app(settings: Settings | None = None) -> Flask:
    """Make the application; raises for unsafe settings or a route that does not declare who may enter it."""
    settings = settings or load_settings()
    logging.configure(settings.log_level)
    app = boundary.BoundedFlask("workflow", template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static"))
    app.config.from_mapping(settings.for_flask())
    if settings.proxy_count:
        count = settings.proxy_count
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    settings.var_dir.mkdir(parents=True, exist_ok=True)
    _models()
    db.init_app(app)
    migrate.init_app(app, db, directory=str(ROOT / "workflow" / "migrations"), render_as_batch=True)
    babel.init_app(app, locale_selector=select_locale)
    logging.register(app)
    csrf.init_app(app)
    login_manager.init_app(app)
    login_manager.session_protection = None  # type: ignore[assignment] # phones change addresses; the epoch ends sessions instead
    limiter.init_app(app)
    headers.register(app)
    context.register(app)
    errors.register(app)
    addresses.register(app)
    for name in BLUEPRINTS:
        app.register_blueprint(importlib.import_module(f"workflow.web.{name}").bp)
    app.extensions["wake_worker"] = queue.make(app).wake
    access.check_declarations(app)
    return app
