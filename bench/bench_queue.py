"""The officer's queue page against a bare Flask page that renders 50 rows of a table."""

from __future__ import annotations

from flask import Flask, render_template_string

from bench import scene
from bench.harness import Measurement, bench, compare

_BARE = """<!doctype html><title>rows</title><table>{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>
{% endfor %}</tr>{% endfor %}</table>"""


@bench("desk.queue_page", "ms", "bare Flask page of 50 rows with 7 cells, no database")
def queue_page() -> Measurement:
    """The whole request: session, actor, navigation, query, counts and 50 rows."""
    app = scene.installation()
    client = app.test_client()
    data = {"login": "bench", "password": scene.PASSWORD, "idempotency_key": "bench-sign-in"}
    answer = client.post("/login", data=data)
    if answer.status_code != 303:
        raise RuntimeError("the bench's officer can't sign in")
    bare = Flask("bare")
    rows = [[f"cell {n}-{m}" for m in range(7)] for n in range(50)]
    bare.add_url_rule("/", view_func=lambda: render_template_string(_BARE, rows=rows))
    plain = bare.test_client()

    def ours() -> None:
        if client.get("/desk").status_code != 200:
            raise RuntimeError("the queue page failed")

    mine, base = compare(ours, lambda: plain.get("/"), calls=10, rounds=7, warmup=2)
    return Measurement(mine.milliseconds, base.milliseconds)
