"""What the filing pages show: answers in words, and each material slot as the kit's file slot wants it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import get_template_attribute, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from workflow.core.answers import Reading, show_answer
from workflow.core.catalogue import MaterialSlot
from workflow.core.facts import VERDICT_LABELS, Verdict
from workflow.core.flow import Flow, State, StateKind
from workflow.core.questions import QUESTIONS, Question, QuestionKind, Topic, topics_for
from workflow.core.tenants import Tenant
from workflow.core.times import shanghai_day
from workflow.data import catalogue
from workflow.data.applications import Application
from workflow.data.materials import FORM_SLOT, Material, MaterialFile
from workflow.extensions import settings
from workflow.i18n import mark, reader_locale, say
from workflow.services import routes
from workflow.services.routes import Place

_EXTENSIONS = {"jpeg": ".jpg,.jpeg", "heic": ".heic,.heif"}
_PICTURES = frozenset({"jpeg", "png", "heic"})
Options = Mapping[str, Sequence[tuple[str, str]]]


def is_correcting(application: Application) -> bool:
    """Whether the company's turn on this application's case is to correct what was flagged."""
    case = application.case
    if case is None:
        return False
    return any(s.form == "correct" for s in case.flow.steps_from(case.state))


def may_edit_form(application: Application, rows: Sequence[Material]) -> bool:
    """Whether answers may be changed now: in a draft, or when the form itself was flagged."""
    if application.status == "draft":
        return True
    return is_correcting(application) and any(m.slot == FORM_SLOT and m.is_flagged for m in rows)


@dataclass(frozen=True, slots=True)
class Section:
    """The answers of one topic; ``rows`` are rows of the kit's summary list, ``errors`` counts what is wrong."""

    topic: Topic
    rows: list[dict[str, Any]]
    errors: int


def answer_words(question: Question, reading: Reading, raw: Mapping[str, str], options: Options) -> str:
    """An answer in words; what can't be read is shown as typed."""
    if question.key not in reading.clean:
        return raw.get(question.key, "")
    value = reading.clean[question.key]
    if question.kind is QuestionKind.LOOKUP:
        return dict(options.get(question.key, ())).get(str(value), str(value))
    shown = show_answer(question.key, value)
    return _(shown) if question.options else shown


def tenant_table(tenants: Sequence[Tenant]) -> Markup:
    """The tenants of a building as a table, with how many there are and how many people they want back."""
    # a macro escapes
    return Markup(get_template_attribute("macros/tenants.html", "tenant_table")(tenants))  # noqa: S704  # nosec B704


def sections(application: Application, reading: Reading, options: Options, *, editable: bool) -> list[Section]:
    """All answers by topic, each with the way to change it when ``editable``."""
    made = []
    for topic in topics_for(application.answers):
        rows: list[dict[str, Any]] = []
        for q in topic.questions:
            wrong = reading.errors.get(q.key)
            words = answer_words(q, reading, application.answers, options)
            tenants = reading.clean.get(q.key)
            if isinstance(tenants, tuple):
                words = tenant_table(tenants)
            shown = f"{words}{mark('（')}{say(wrong)}{mark('）')}" if wrong and words else words
            anchor = f"{q.key}-0" if q.kind is QuestionKind.CHOICE else q.key
            link = url_for("applications.topic", application_id=application.id, topic=topic.key, _anchor=anchor)
            optional = not words and not q.is_needed(application.answers)
            value = _("无") if optional else shown
            rows.append({"key": _(q.label), "value": value, "url": link if editable else "", "bad": wrong})
        made.append(Section(topic, rows, sum(1 for r in rows if r["bad"])))
    return made


def expected_times(flow: Flow) -> list[State]:
    """The main open states, in order: each names who is at work and the working days it should take."""
    return [s for s in (flow.state(key) for key in flow.main) if s.kind is StateKind.OPEN]


def blank_forms(slot: MaterialSlot) -> list[tuple[str, str]]:
    """The blank forms of a slot as (label, address) pairs."""
    words = {"M02b": _("返岗人员逐人登记表"), "M04-micro": _("方案模板（20 人以下微型企业）")}
    return [(words.get(code, _("下载模板")), url_for("materials.template", code=code)) for code in slot.templates]


def _version_of(file: MaterialFile, before: Sequence[MaterialFile]) -> int:
    """How many files of this name the slot has had, this one included; 0 when it is the only one."""
    earlier = sum(1 for f in before if f.name == file.name)
    return earlier + 1 if earlier or file.removed_at is not None else 0


def _file(file: MaterialFile, before: Sequence[MaterialFile], application_id: int, *, editable: bool) -> dict[str, Any]:
    removable = editable and file.removed_at is None
    remove = url_for("materials.remove", application_id=application_id, file_id=file.id) if removable else ""
    return {
        "name": file.name,
        "url": url_for("files.download", file_id=file.id),
        "size": file.file.size,
        "at": file.added_at,
        "version": _version_of(file, before),
        "by": "",
        "current": file.removed_at is None,
        "remove_url": remove,
    }


def slot_view(
    application: Application,
    key: str,
    row: Material | None,
    *,
    required: bool,
    correcting: bool,
    error: str = "",
) -> dict[str, Any]:
    """One slot for the macro ``file_slot``; ``editable`` tells whether the company may change it now."""
    slot = catalogue.material_slots()[key]
    files = row.files if row else []
    flagged = correcting and row is not None and row.is_flagged
    editable = not slot.form and (application.status == "draft" or flagged)
    room = len(row.current_files) < slot.max_files if row else True
    return {
        "key": key,
        "form": slot.form,
        "name": slot.label.text(reader_locale()),
        "required": required,
        "hint": slot.hint.text(reader_locale()),
        "templates": blank_forms(slot) if editable else [],
        "accept": ",".join(_EXTENSIONS.get(k, f".{k}") for k in slot.kinds),
        "multiple": slot.max_files > 1,
        "camera": bool(_PICTURES & set(slot.kinds)),
        "max_bytes": settings().max_upload_mb * 1024 * 1024,
        "flag": row.verdict_words if flagged and row else "",
        "flag_label": _(VERDICT_LABELS[Verdict(row.verdict)]) if flagged and row else "",
        "has_content": row is not None and row.has_content,
        "changed": flagged and row is not None and row.changed_since_verdict,
        "files": [_file(f, files[:n], application.id, editable=editable) for n, f in enumerate(files)],
        "editable": editable,
        "upload_url": url_for("materials.upload", application_id=application.id, slot=key) if editable and room else "",
        "error": error,
    }


def place_of(application: Application, at: dt.datetime) -> Place:
    """The rules where the application's enterprise lies, as typed, on the day of ``at``."""
    return routes.place_of(application.answers.get("town", ""), shanghai_day(at))


def earliest_day(raw: Mapping[str, str], today: dt.date) -> dt.date:
    """The first day that may be asked for, by the rules where the enterprise lies."""
    return routes.rules_at(raw.get("town", ""), today).earliest_day(today)


def first_days(raw: Mapping[str, str], today: dt.date) -> Mapping[str, str]:
    """Hints that depend on place and day: the first day that may be asked for."""
    earliest = earliest_day(raw, today)
    return {"resume_on": _("最早可申请 %(day)s。", day=earliest.isoformat())}


def topic_of(key: str, raw: Mapping[str, str]) -> Topic | None:
    """The topic called ``key``, when those who answered ``raw`` are asked it."""
    return next((t for t in topics_for(raw) if t.key == key), None)


def topic_after(key: str, raw: Mapping[str, str]) -> Topic | None:
    """The topic that follows ``key`` for those who answered ``raw``, if any."""
    asked = topics_for(raw)
    position = [t.key for t in asked].index(key) + 1
    return asked[position] if position < len(asked) else None


def known_fields(fields: Mapping[str, Any]) -> dict[str, str]:
    """The texts among ``fields`` that answer a question of ours."""
    return {k: v for k, v in fields.items() if k in QUESTIONS and isinstance(v, str)}
