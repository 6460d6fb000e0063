"""The form beside a draft's text: what officers change most, read out of the text and written back into it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workflow.core import toml_blocks
from workflow.core.errors import N_, Invalid
from workflow.core.guards import GUARDS
from workflow.core.tables import read_toml
from workflow.services import condition_rows
from workflow.services.condition_rows import ConditionRow, Fields
from workflow.services.text_edit import TextEdit, source

MOST_TABLES = 60
"""So many tables of a kind at most are shown as a form: a request may have 2,000 fields (see config.py)."""
TABLES: Mapping[str, tuple[str, ...]] = {
    "flow": ("state", "step", "material"),
    "rules": ("regime", "rule", "listed", "pass"),
    "checklist": (),
}
_LABELS = {"state": "label", "step": "label", "listed": "label", "rule": "why", "regime": "why", "pass": "why"}
_TEXTS: Mapping[str, Mapping[str, str]] = {
    "state": {"days": "number", "holder": "text", "escalate": "text"},
    "step": {"role": "text", "note": "text"},
    "material": {"slot": "text"},
    "rule": {"flow": "text"},
    "regime": {"regime": "text"},
    "listed": {},
    "pass": {"decision": "text", "days": "number", "ahead": "number"},
}
_QUOTA = ("base", "per_heads", "most")
_DEFAULTS = {"note": "optional", "role": "leader", "regime": "approval", "decision": "officer"}
_WITH_CONDITION = frozenset({"rule", "regime", "listed", "pass"})


@dataclass(slots=True)
class Entry:
    """One table as the form shows it: its ``prefix`` in field names, what it is called, and its condition's rows."""

    prefix: str
    name: str
    rows: list[ConditionRow] = field(default_factory=list)


@dataclass(slots=True)
class DraftForm:
    """A text as a form: ``entries`` by kind of table, ``fields`` what the form would send unchanged."""

    kind: str
    entries: dict[str, list[Entry]]
    fields: dict[str, list[str]]

    def value(self, name: str) -> str:
        """The first value of a field; empty when there is none."""
        return next(iter(self.fields.get(name, ())), "")

    def holds(self, name: str, value: str) -> bool:
        """Whether a field of several values has this one."""
        return value in self.fields.get(name, ())

    def shape(self) -> dict[str, int]:
        """How many tables of each kind there are."""
        return {k: len(v) for k, v in self.entries.items()}


def read(kind: str, text: str) -> DraftForm | None:
    """The form of a text; None when it is no TOML, not written in ``[[…]]`` tables, or far too long for a form."""
    document, problems = read_toml(text)
    if problems:
        return None
    form = DraftForm(kind, {}, {})
    for name in TABLES[kind]:
        tables = document.get(name, [])
        if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables) or len(tables) > MOST_TABLES:
            return None
        if len(tables) != len(toml_blocks.blocks(text, name)):
            return None
        form.entries[name] = [_entry(form, name, number, table) for number, table in enumerate(tables)]
    for key in {"flow": ("label", "summary"), "rules": ("title",)}.get(kind, ("label",)):
        _label_fields(form, key, document.get(key))
    if kind == "rules":
        calendar = document.get("calendar", {})
        for key in ("earliest_resume_on", "notice_days"):
            value = calendar.get(key, "") if isinstance(calendar, dict) else ""
            form.fields[f"calendar-{key}"] = [_plain(value)]
    return form


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _label_fields(form: DraftForm, prefix: str, value: object) -> None:
    for language in ("zh", "en"):
        form.fields[f"{prefix}-{language}"] = [str(value.get(language, "")) if isinstance(value, dict) else ""]


def _entry(form: DraftForm, name: str, number: int, table: Mapping[str, Any]) -> Entry:
    prefix = f"{name}-{number}"
    keys = {"state": "key", "step": "action", "material": "slot"}
    entry = Entry(prefix, str(table.get(keys[name], "")) if name in keys else str(number + 1))
    if name in _LABELS:
        _label_fields(form, prefix, table.get(_LABELS[name]))
    for key in _TEXTS[name]:
        form.fields[f"{prefix}-{key}"] = [_plain(table.get(key, _DEFAULTS.get(key, "")))]
    if name == "step":
        guards = table.get("guards", [])
        form.fields[f"{prefix}-guards"] = [g for g in guards if g in GUARDS] if isinstance(guards, list) else []
    if name == "material":
        form.fields[f"{prefix}-required"] = ["yes" if table.get("required", True) is True else "no"]
    if name == "pass":
        quota = table.get("quota")
        for key in _QUOTA:
            form.fields[f"{prefix}-quota_{key}"] = [_plain(quota.get(key, "")) if isinstance(quota, dict) else ""]
    if name in _WITH_CONDITION:
        entry.rows = condition_rows.rows_of(table.get("when"))
        form.fields.update(condition_rows.as_fields(prefix, entry.rows))
    return entry


def write(kind: str, saved: str, typed: str, sent: Fields) -> str:
    """``typed`` with what was changed in the form, which was drawn from ``saved``.

    So changes made in the form and in the text come together. :class:`Invalid` when the form was changed while tables
    came or went in the text, so that it is no longer clear which is which.
    """
    baseline = read(kind, saved)
    if baseline is None or not sent:
        return typed
    asked = {k for k in baseline.fields if k in sent or _was_asked(k, sent)}
    # Boxes are sent in the order of the page, not of the text: another order is no change.
    changed = {k for k in asked if sorted(sent.get(k, [])) != sorted(baseline.fields[k])}
    if not changed:
        return typed
    present = read(kind, typed)
    if present is None or present.shape() != baseline.shape():
        raise Invalid(N_("您在文本里增删了条目，又改了表单。请先还原其中一边：先保存文本，再改表单。"), field="text")
    edit = TextEdit(typed)
    _write_top(edit, changed, sent)
    for name, entries in baseline.entries.items():
        for number, entry in enumerate(entries):
            own = {k for k in changed if k.startswith(f"{entry.prefix}-")}
            if own:
                _write_entry(edit, name, number, own, sent)
    return edit.finish()


def _was_asked(name: str, sent: Fields) -> bool:
    """Whether an absent field was on the form: boxes send nothing when none is ticked, so a mark goes with them."""
    return f"{name}-asked" in sent


def _write_top(edit: TextEdit, changed: set[str], sent: Fields) -> None:
    for key in ("label", "summary", "title"):
        words = {lang: _one(sent, f"{key}-{lang}") for lang in ("zh", "en") if f"{key}-{lang}" in changed}
        if words:
            edit.put_label("", 0, key, words)
    dates = {k.removeprefix("calendar-"): _one(sent, k) for k in changed if k.startswith("calendar-")}
    if not dates:
        return
    if not any(_one(sent, f"calendar-{k}") for k in ("earliest_resume_on", "notice_days")):
        edit.drop_section("calendar")
        return
    for key, typed in dates.items():
        edit.put_in("calendar", key, _date(typed) if key == "earliest_resume_on" else _number(typed))


def _write_entry(edit: TextEdit, name: str, number: int, own: set[str], sent: Fields) -> None:
    prefix = f"{name}-{number}"
    words = {lang: _one(sent, f"{prefix}-{lang}") for lang in ("zh", "en") if f"{prefix}-{lang}" in own}
    if words:
        edit.put_label(name, number, _LABELS[name], words)
    for key, kind in _TEXTS[name].items():
        if f"{prefix}-{key}" in own:
            typed = _one(sent, f"{prefix}-{key}")
            edit.put(name, number, key, (_number(typed) if kind == "number" else typed) if typed else None)
    if f"{prefix}-guards" in own:
        edit.put_listed(name, number, "guards", sent.get(f"{prefix}-guards", []))
    if f"{prefix}-required" in own:
        edit.put(name, number, "required", _one(sent, f"{prefix}-required") == "yes")
    if any(k.startswith(f"{prefix}-quota_") for k in own):
        typed_quota = {k: _number(_one(sent, f"{prefix}-quota_{k}")) for k in _QUOTA}
        edit.put(name, number, "quota", {k: v for k, v in typed_quota.items() if v != ""})
    if any(k.startswith(f"{prefix}-c") for k in own):
        edit.put(name, number, "when", condition_rows.table_of(condition_rows.from_fields(prefix, sent)))


def _one(sent: Fields, name: str) -> str:
    return next(iter(sent.get(name, ())), "").strip()


def _number(typed: str) -> int | str:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else typed


def _date(typed: str) -> dt.date | str:
    try:
        return dt.date.fromisoformat(typed)
    except ValueError:
        return typed


_NEW: Mapping[str, Mapping[str, object]] = {
    "rule": {"flow": "", "when": {}, "why": {"zh": "请写明理由", "en": "Say why"}},
    "regime": {"regime": "approval", "when": {}, "why": {"zh": "请写明理由", "en": "Say why"}},
    "listed": {"label": {"zh": "请写明名称", "en": "Say what"}, "when": {}},
    "material": {"slot": "", "required": True},
    "pass": {
        "decision": "officer",
        "quota": {"base": 10},
        "days": 14,
        "ahead": 14,
        "when": {},
        "why": {"zh": "请写明理由", "en": "Say why"},
    },
}


def act(kind: str, text: str, action: str, choice: str = "") -> str:
    """``text`` after one of the form's buttons: ``up``, ``down``, ``drop``, ``add``, ``cond`` or ``uncond``.

    ``action`` reads ``up:rule:2``, ``add:rule``, ``cond:rule:2`` (``choice`` is the fact) or ``uncond:rule:2:0``.
    """
    verb, name, number, row = _parts(action)
    if name not in TABLES[kind]:
        raise Invalid(N_("请选择列表中的一项。"))
    if verb in ("up", "down"):
        return toml_blocks.moved(text, name, number, number + (-1 if verb == "up" else 1))
    if verb == "drop":
        return toml_blocks.dropped(text, name, number)
    if verb == "add" and name in _NEW:
        values = {**_NEW[name]}
        if name in ("rule", "material") and choice:
            values["flow" if name == "rule" else "slot"] = choice
        return toml_blocks.added(text, name, "\n".join(f"{k} = {source(v)}" for k, v in values.items()))
    return _change_condition(kind, text, verb, name, number, row, choice)


def _parts(action: str) -> tuple[str, str, int, int]:
    parts = [*action.split(":"), "", "", ""]
    numbers = [int(p) if p.isascii() and p.isdigit() and len(p) < 5 else -1 for p in parts[2:4]]
    return parts[0], parts[1], numbers[0], numbers[1]


def _change_condition(kind: str, text: str, verb: str, name: str, number: int, row: int, choice: str) -> str:
    form = read(kind, text)
    entries: Sequence[Entry] = form.entries.get(name, []) if form else []
    if not 0 <= number < len(entries):
        return text
    rows = list(entries[number].rows)
    if verb == "cond" and choice:
        is_number = choice in condition_rows.NUMBERS
        rows.append(ConditionRow(choice, "le" if is_number else "in", ("0",) if is_number else ()))
    elif verb == "uncond" and 0 <= row < len(rows):
        del rows[row]
    else:
        return text
    edit = TextEdit(text)
    edit.put(name, number, "when", condition_rows.table_of(rows))
    return edit.finish()
