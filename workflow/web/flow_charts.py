"""A flow's chart as a page shows it: drawn in the reader's language, with who holds each state and for how long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from flask_babel import gettext as _
from markupsafe import Markup

from workflow.core.actors import ROLE_LABELS
from workflow.core.chart import SOURCE_WORDS, draw, sub_lines
from workflow.core.chart_svg import described, svg
from workflow.core.flow import Flow
from workflow.i18n import reader_locale


@dataclass(frozen=True, slots=True)
class FlowChart:
    """A chart ready for the macro; ``who`` is the holder's role in words by state."""

    title: str
    svg: Markup
    who: Mapping[str, str]


def flow_chart_of(
    flow: Flow, *, id: str, title: str, here: str = "", visited: Iterable[str] = (), flag: str = ""
) -> FlowChart:
    """Draw ``flow`` for the reader; ``here`` is the state of the case, if there is one, ``id`` unique on the page.

    ``flag`` replaces 「您在这里」 over that state where the reader is not the company.
    """
    locale = reader_locale()
    words = SOURCE_WORDS.said(_, latin=locale == "en")
    words = replace(words, here=flag) if flag else words
    chart = draw(flow, here, visited, locale, sub_lines(flow, words, _), words)
    drawn = svg(chart, id=id, title=title, desc=described(chart, words), words=words)
    who = {s.key: _(ROLE_LABELS[s.holder]) for s in flow.states.values() if s.holder is not None}
    # drawn by us, texts escaped
    return FlowChart(title, Markup(drawn), who)  # noqa: S704  # nosec B704
