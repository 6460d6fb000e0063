"""The WSGI entry point: ``gunicorn wsgi:app`` and ``flask --app wsgi``."""

from workflow import cli
from workflow.app import create_app

app = create_app()
cli.register(app)
