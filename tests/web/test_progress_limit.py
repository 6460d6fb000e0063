"""The look-up of a case's progress is for people: whoever tries many numbers is slowed down."""

from __future__ import annotations

from pathlib import Path

from flask_migrate import upgrade

from config import load_settings
from workflow.app import create_app
from workflow.extensions import limiter

LIMIT = 10


def test_the_eleventh_try_of_a_minute_is_refused(tmp_path: Path) -> None:
    """Ten wrong answers a minute from one address, then 429; the page itself stays open."""
    app = create_app(
        load_settings(
            {
                "FUGONG_ENV": "development",
                "FUGONG_VAR_DIR": str(tmp_path),
                "FUGONG_QUEUE_URL": "memory://",
                "FUGONG_LOG_LEVEL": "CRITICAL",
            }
        )
    )
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        upgrade()
    client = app.test_client()
    try:
        answers = []
        for number in range(LIMIT + 1):
            data = {
                "reference": f"复工-海曙-20200215-{number:04d}",
                "mobile": "13800138000",
                "idempotency_key": f"progress-try-{number:04d}",
            }
            answers.append(client.post("/progress", data=data).status_code)
        assert 429 not in answers[:LIMIT]
        assert answers[LIMIT] == 429
        assert client.get("/progress").status_code == 200
    finally:
        limiter.enabled = False
