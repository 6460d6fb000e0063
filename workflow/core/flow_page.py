"""The page that explains one flow (docs/flows/<key>.md), and the index of all: Markdown from data, Chinese first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from workflow.core.chart import SOURCE_WORDS, draw, sub_lines
from workflow.core.chart_svg import described, svg
from workflow.core.conditions import Condition
from workflow.core.flow import Flow, NoteRule, State, StateKind, Step
from workflow.core.flow_words import ROLE_WORDS, NameOf, condition_words, effect_words, guard_words
from workflow.core.tables import Label

MADE_BY = "<!-- 由 `flask --app wsgi flows draw` 生成，请勿手改。 Made by that command; edit the flow file instead. -->"

_W: Mapping[str, Label] = {
    "states": Label("状态", "States"),
    "steps": Label("步骤", "Steps"),
    "materials": Label("材料", "Materials"),
    "opinions": Label("征求部门意见", "Opinions of departments"),
    "samples": Label("事后抽查", "Post-checks by sample"),
    "state": Label("状态", "State"),
    "holder": Label("由谁办理", "Holder"),
    "days": Label("工作日", "Working days"),
    "more": Label("说明", "Remarks"),
    "step": Label("步骤", "Step"),
    "way": Label("从 → 到", "From → to"),
    "who": Label("谁办", "By"),
    "needs": Label("要满足", "What must hold"),
    "follows": Label("随后", "What follows"),
    "material": Label("材料", "Material"),
    "required": Label("是否必交", "Required"),
    "when": Label("哪些企业", "For whom"),
    "department": Label("部门", "Department"),
    "share": Label("比例", "Share"),
    "group": Label("对象", "Group"),
    "all": Label("全部", "All"),
    "yes": Label("必交", "Yes"),
    "no": Label("选交", "Optional"),
    "note": Label("写明意见", "words are given"),
    "also": Label("；", "; "),
    "or": Label("、", ", "),
    "draft": Label("起点", "Start"),
    "approved": Label("同意", "Approved"),
    "ended": Label("结束", "End"),
    "open": Label("", ""),
    "resumes": Label("企业退回后时限接着算", "the clock goes on after the company's turn"),
    "permits": Label("此时可以开工", "the company may work"),
    "lapse": Label("超过时限由系统办理“%s”", "when time is up the system takes “%s”"),
    "escalate": Label("超期满 %s 个工作日报告%s", "%s working days overdue, told: %s"),
    "sampled": Label("抽中的由系统办理“%s”。", "Those drawn: the system takes “%s”."),
}


def chart_file(flow: Flow) -> str:
    """The chart of ``flow`` as an SVG file of its own, in Chinese, without a case in it."""
    chart = draw(flow, "", (), "zh_Hans", sub_lines(flow))
    words = described(chart, SOURCE_WORDS)
    return svg(chart, id=flow.key, title=flow.label.zh, desc=words, words=SOURCE_WORDS, standalone=True) + "\n"


def _cell(text: str) -> str:
    """``text`` with the signs that Markdown would take as its own escaped."""
    return re.sub(r"([\\`*_\[\]|<>~])", r"\\\1", text) or "—"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    return lines + [f"| {' | '.join(_cell(c) for c in row)} |" for row in rows]


class _Writer:
    """Writes the sections of a flow in one language."""

    def __init__(self, flow: Flow, locale: str, slots: Mapping[str, Label], name_of: NameOf) -> None:
        self.flow, self.locale, self.slots, self.name_of = flow, locale, slots, name_of

    def say(self, label: Label) -> str:
        """A label in this writer's language."""
        return label.text(self.locale)

    def word(self, key: str) -> str:
        """One of the page's own words."""
        return self.say(_W[key])

    def heads(self, *keys: str) -> list[str]:
        """The head of a table."""
        return [self.word(k) for k in keys]

    def for_whom(self, condition: Condition) -> str:
        """A condition in words."""
        words = condition_words(condition, self.name_of)
        return self.say(words) if words else self.word("all")

    def _action(self, state: str, action: str) -> str:
        step = self.flow.step(state, action)
        return self.say(step.label) if step else action

    def _remarks(self, state: State) -> str:
        said = [self.word(state.kind.value)]
        if state.resumes:
            said.append(self.word("resumes"))
        if state.permits and state.kind is not StateKind.APPROVED:
            said.append(self.word("permits"))
        if state.escalate is not None:
            said.append(self.word("escalate") % (state.escalate_after, self.say(ROLE_WORDS[state.escalate])))
        if state.lapse:
            said.append(self.word("lapse") % self._action(state.key, state.lapse))
        return self.word("also").join(s for s in said if s)

    def states(self) -> list[str]:
        """The table of states."""
        rows = [
            (
                self.say(s.label),
                self.say(ROLE_WORDS[s.holder]) if s.holder is not None else "",
                str(s.days) if s.days else "",
                self._remarks(s),
            )
            for s in self.flow.states.values()
        ]
        return _table(self.heads("state", "holder", "days", "more"), rows)

    def _step(self, step: Step) -> tuple[str, ...]:
        sources = self.word("or").join(self.say(self.flow.state(s).label) for s in step.sources)
        needs = [self.say(guard_words(g)) for g in (*step.guards, *step.checks)]
        if step.note is NoteRule.REQUIRED:
            needs.append(self.word("note"))
        follows = [self.say(effect_words(e)) for e in step.effects]
        return (
            self.say(step.label),
            f"{sources} → {self.say(self.flow.state(step.dest).label)}",
            self.say(ROLE_WORDS[step.role]),
            self.word("also").join(needs),
            self.word("also").join(follows),
        )

    def steps(self) -> list[str]:
        """The table of steps."""
        return _table(self.heads("step", "way", "who", "needs", "follows"), map(self._step, self.flow.steps))

    def materials(self) -> list[str]:
        """The table of materials."""
        rows = [
            (
                self.say(self.slots.get(m.slot, Label(m.slot, m.slot))),
                self.word("yes" if m.required else "no"),
                self.for_whom(m.when),
            )
            for m in self.flow.materials
        ]
        return _table(self.heads("material", "required", "when"), rows)

    def opinions(self) -> list[str]:
        """The table of departments that are asked."""
        rows = []
        for rule in self.flow.opinions:
            named = self.name_of("department", rule.department)
            rows.append((self.say(named) if named else rule.department, str(rule.days), self.for_whom(rule.when)))
        return _table(self.heads("department", "days", "when"), rows)

    def samples(self) -> list[str]:
        """The table of shares that are drawn, and what happens to those drawn."""
        rows = [(self.say(r.label), f"{r.percent} %", self.for_whom(r.when)) for r in self.flow.samples]
        step = next((s for s in self.flow.steps if s.action == self.flow.sampled), None)
        words = self.word("sampled") % (self.say(step.label) if step else self.flow.sampled)
        return [*_table(self.heads("group", "share", "when"), rows), "", words]

    def sections(self, mark: str) -> list[str]:
        """Every section that the flow has something for, under headings that begin with ``mark``."""
        found = {"states": self.states(), "steps": self.steps()}
        if self.flow.materials:
            found["materials"] = self.materials()
        if self.flow.opinions:
            found["opinions"] = self.opinions()
        if self.flow.samples:
            found["samples"] = self.samples()
        return [line for key, lines in found.items() for line in ("", f"{mark} {self.word(key)}", "", *lines)]


def page(flow: Flow, slots: Mapping[str, Label], name_of: NameOf) -> str:
    """The page of ``flow``; ``slots`` are the labels of material slots, ``name_of`` knows areas and the like."""
    zh, en = _Writer(flow, "zh_Hans", slots, name_of), _Writer(flow, "en", slots, name_of)
    lines = [
        MADE_BY,
        "",
        f"# {_cell(flow.label.zh)}",
        "",
        f"{_cell(flow.summary.zh)}。代号 `{flow.key}`，第 {flow.revision} 版。 [English](#english)",
        "",
        f"![{_cell(flow.label.zh)}]({flow.key}.svg)",
        *zh.sections("##"),
        "",
        "## English",
        "",
        f"**{_cell(flow.label.en)}.** {_cell(flow.summary.en)}."
        f" Key `{flow.key}`, revision {flow.revision}. The chart above shows it.",
        *en.sections("###"),
    ]
    return "\n".join(lines) + "\n"


def _main_days(flow: Flow) -> str:
    return str(sum(flow.state(k).days or 0 for k in flow.main))


def index(flows: Sequence[Flow]) -> str:
    """The index of the pages."""
    zh = [(f"[{_cell(f.label.zh)}]({f.key}.md)", f"`{f.key}`", _cell(f.summary.zh), _main_days(f)) for f in flows]
    en = [
        (f"[{_cell(f.label.en)}]({f.key}.md#english)", f"`{f.key}`", _cell(f.summary.en), _main_days(f)) for f in flows
    ]
    lines = [
        MADE_BY,
        "",
        "# 审核流程",
        "",
        "每个流程一页：流程图、状态、步骤和材料。怎样写流程见[指南](../guide/flows.md)。 [English](#review-flows)",
        "",
        "| 流程 | 代号 | 说明 | 主线工作日合计 |",
        "|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in zh),
        "",
        "## Review flows",
        "",
        "A page for each flow: its chart, states, steps and materials. How to write one: [guide](../guide/flows.md).",
        "",
        "| Flow | Key | Summary | Working days on the main line |",
        "|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in en),
    ]
    return "\n".join(lines) + "\n"
