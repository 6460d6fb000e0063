"""The way through a queue that an address keeps: the view the reader came from, and where the case stands in it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import request, url_for

VIEW, PLACE = "from", "at"
"""The parameters: ``from`` holds the queue's own parameters as one text, ``at`` the mark of the row opened there."""
LONGEST_VIEW, LONGEST_PLACE = 600, 120


def way() -> dict[str, Any]:
    """What every link and form of a case page carries on, so that the next case of the same view can be found."""
    bounds = ((VIEW, LONGEST_VIEW), (PLACE, LONGEST_PLACE))
    kept = {name: request.args.get(name, "")[:longest] for name, longest in bounds}
    return {name: text for name, text in kept.items() if text}


def view_of_way() -> dict[str, str]:
    """The queue's parameters that the address keeps."""
    try:
        return dict(parse_qsl(way().get(VIEW, ""), max_num_fields=60))
    except ValueError:  # more parameters than any view has
        return {}


def way_back() -> str:
    """The queue as the reader left it."""
    view = view_of_way()
    return f"{url_for('desk.queue')}?{urlencode(view)}" if view else url_for("desk.queue")
