"""What is wrong with a flow or rulebook, in the reader's words: the core says it in the words of the file format."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask_babel import gettext as _

from workflow.core.actors import ROLE_LABELS, Role
from workflow.core.conditions import Value
from workflow.core.errors import N_
from workflow.core.flow_words import FACT_WORDS, value_words
from workflow.core.tables import Label
from workflow.data import catalogue
from workflow.i18n import mark, reader_locale

_Q = r"(?:'([^']*)'|\"(.*)\")"
_WHERE = re.compile(
    rf"^(?:(state|step|material|opinion|area_class) {_Q}|(rule|sample|regime|listed|pass) (\d+)"
    r"|(state|step|material|opinion|area_class|flow|rulebook|calendar|main)): (.*)$",
    re.DOTALL,
)
_PLACES: Mapping[str, str] = {
    "state": N_("环节 %(name)s"),
    "step": N_("步骤 %(name)s"),
    "material": N_("材料 %(name)s"),
    "opinion": N_("征求意见 %(name)s"),
    "area_class": N_("区域类别 %(name)s"),
    "rule": N_("第 %(name)s 条规则"),
    "sample": N_("第 %(name)s 条抽查比例"),
    "regime": N_("第 %(name)s 条制度"),
    "listed": N_("负面清单第 %(name)s 项"),
    "pass": N_("通行证规则第 %(name)s 条"),
}
_PLAIN: Mapping[str, str] = {
    "state": N_("有一个环节"),
    "step": N_("有一个步骤"),
    "material": N_("有一项材料"),
    "opinion": N_("有一项征求意见"),
    "area_class": N_("有一个区域类别"),
    "flow": N_("流程开头"),
    "rulebook": N_("规则"),
    "calendar": N_("复工日期限制"),
    "main": N_("主线 main"),
}
_KEYS: Mapping[str, str] = {
    "key": N_("代号"),
    "action": N_("代号"),
    "label": N_("名称"),
    "title": N_("标题"),
    "summary": N_("说明"),
    "done": N_("办结用语"),
    "why": N_("理由"),
    "notice": N_("通知书名称"),
    "holder": N_("办理角色"),
    "role": N_("办理角色"),
    "escalate": N_("督办角色"),
    "days": N_("天数"),
    "revision": N_("版本号"),
    "kind": N_("性质"),
    "source": N_("来自哪些环节"),
    "dest": N_("到哪个环节"),
    "main": N_("主线"),
    "guards": N_("前提条件"),
    "checks": N_("办理时检查"),
    "effects": N_("办理后果"),
    "note": N_("意见要求"),
    "slot": N_("材料项"),
    "required": N_("是否必交"),
    "checklist": N_("核查清单"),
    "materials": N_("材料"),
    "regime": N_("制度"),
    "department": N_("部门"),
    "percent": N_("比例"),
    "notice_days": N_("提前天数"),
    "ahead": N_("提前天数"),
    "kinds": N_("用途"),
    "plate_kinds": N_("号牌种类"),
    "decision": N_("由谁核发"),
    "base": N_("名额基数"),
    "per_heads": N_("每多少人加一张"),
    "most": N_("名额封顶"),
}

_A = r"([a-z_]+)"
_SAYINGS: tuple[tuple[str, str, str], ...] = (
    (rf"unknown key {_Q}", "name", N_("没有 %(name)s 这个写法，请检查拼写")),
    (rf"{_A} must be a text", "key", N_("%(key)s要写成文字（放在引号里，不能为空）")),
    (rf"{_A} must be a short name .*", "key", N_("%(key)s要用英文字母开头，只含字母、数字、- 和 _，最长 40 个字符")),
    (
        rf"{_A} needs zh and en, each a plain text of at most (\d+) characters",
        "key n",
        N_("%(key)s要有中文 zh 和英文 en，每个最多 %(n)s 个字，不能有 < > { } & 和换行"),
    ),
    (rf"{_A} must be a list of texts", "key", N_('%(key)s要写成列表，如 ["甲", "乙"]')),
    (rf"unknown name {_Q} in {_A}", "name key", N_("%(key)s里没有 %(name)s 这一项")),
    (rf"{_A} (.+) is not one of (.*)", "key name list", N_("%(key)s%(name)s 不对，只能是：%(list)s")),
    (rf"{_A} must be true or false", "key", N_("%(key)s只能写 true（是）或 false（否）")),
    (
        rf"{_A} must be a whole number from (\d+) to (\d+)",
        "key low high",
        N_("%(key)s要写成 %(low)s 到 %(high)s 之间的整数"),
    ),
    (rf"{_A} must be a number", "key", N_("%(key)s要写成数字")),
    (r"(\w+) must be written as \[\[\w+\]\] tables", "name", N_("%(name)s 的每一项要以 [[%(name)s]] 单独一行开头")),
    (r"named twice", "", N_("写了两次，请去掉一个")),
    (r"this name is reserved", "", N_("这个代号系统要用，请换一个")),
    (r"only a step of the form sheet has an outcome", "", N_("只有现场核查（form = sheet）的步骤才写 outcome")),
    (r"a step of the form sheet needs an outcome.*", "", N_("现场核查的步骤要写 outcome：pass、rectify 或 fail")),
    (r"source is empty", "", N_("没有写从哪个环节来（source）")),
    (rf"unknown state {_Q}", "name", N_("没有 %(name)s 这个环节")),
    (rf"a second one from {_Q}", "name", N_("从环节 %(name)s 出发有两个同名步骤")),
    (r"names no state", "", N_("没有列出环节")),
    (
        r"exactly one state must be of kind draft, found (\d+)",
        "n",
        N_("要有且只有一个“填报中”的环节（kind = draft），现有 %(n)s 个"),
    ),
    (r"can't be reached", "", N_("没有步骤能走到这里")),
    (r"no way to an end", "", N_("从这里走不到办结，案件会一直打转")),
    (r"an open state needs a holder", "", N_("没有写由谁办理（holder）")),
    (r"its holder (\w+) has no step", "role", N_("由%(role)s办理，却没有一个步骤归其办理")),
    (r"escalate and lapse need days", "", N_("写了督办或期满自动办理，就要写时限 days")),
    (rf"lapse {_Q} is no step .*", "name", N_("期满自动办理的 %(name)s 不是从这里出发的系统步骤")),
    (r"nothing takes it: .*", "", N_("系统步骤没有人会办：请写成某环节的 lapse，或写成 sampled")),
    (r"what is drawn by lot can't be refused .*", "", N_("抽中后由系统办理的步骤不能有前提条件（guards、checks）")),
    (r"a step of the system has no form", "", N_("系统步骤不能有办理页面（form）")),
    (rf"draw_sample needs .* from {_Q}", "name", N_("要抽查，就要有从 %(name)s 出发的系统步骤，并写成 sampled")),
    (r"sampled, \[\[sample\]\] and .*", "", N_("sampled、[[sample]] 和 draw_sample 要一起写")),
    (r"\[\[opinion\]\] and .*", "", N_("[[opinion]] 和 ask_opinions 要一起写")),
    (r"inspection after approval needs \[\[sample\]\]", "", N_("先批后查的流程要写抽查比例 [[sample]]")),
    (
        r"can be reached without a step that demands inspection_passed",
        "",
        N_("不经现场核查就能走到这里：请给前面的步骤加上“最近一次实地核查通过”"),
    ),
    (r"(\d+) states; at most (\d+) are allowed", "n m", N_("有 %(n)s 个环节，最多 %(m)s 个")),
    (r"(\d+) rules; at most (\d+) are allowed", "n m", N_("有 %(n)s 条规则，最多 %(m)s 条")),
    (r"(\d+) characters; at most (\d+) are allowed", "n m", N_("文本有 %(n)s 个字符，最多 %(m)s 个")),
    (r"(\w+): compares with nothing", "fact", N_("条件“%(fact)s”没有写比较的值")),
    (r"(\w+): needs a value or a list of values", "fact", N_("条件“%(fact)s”还没有选值")),
    (r"(\w+): no answer is (.+)", "fact name", N_("条件“%(fact)s”没有 %(name)s 这个选项")),
    (r"unknown fact (.+)", "name", N_("条件里没有 %(name)s 这一项")),
    (
        r"(\w+): unknown comparison (.+)",
        "fact name",
        N_("条件“%(fact)s”不能用 %(name)s 比较，只能用 lt、le、gt、ge 或 in"),
    ),
    (r"(\w+): (?:lt|le|gt|ge) needs a number or a date", "fact", N_("条件“%(fact)s”比较大小时要写数字或日期")),
    (r"when must be a table", "", N_("条件 when 要写在 { } 里")),
    (r"slot is not in the material catalogue", "", N_("材料目录里没有这一项")),
    (rf"materials: {_Q} is not in the material catalogue", "name", N_("材料目录里没有 %(name)s")),
    (rf"checklist {_Q} does not exist", "name", N_("没有 %(name)s 这份核查清单")),
    (r"department does not exist", "", N_("没有这个部门")),
    (rf"role {_Q} is held by nobody in (.+)", "role area", N_("%(area)s还没有人担任%(role)s，请先在账号管理里任职")),
    (rf"towns: {_Q} is no town", "name", N_("%(name)s 不是镇街代码")),
    (r"(\w+) is decided later", "fact", N_("这里还不知道“%(fact)s”，不能用作条件")),
    (r"unknown flow (.+)", "name", N_("没有正在施行的流程 %(name)s，请先发布它")),
    (r"a list entry without when would list everybody", "", N_("没有写条件，会把所有企业都列入")),
    (r"must be a \[calendar\] table", "", N_("要以 [calendar] 单独一行开头")),
    (r"earliest_resume_on must be a date", "", N_("最早复工日期要写成 2020-02-10 这样，不加引号")),
    (r"says nothing", "", N_("没有任何内容")),
    (r"no rule takes (.*)", "example", N_("有企业没有规则管：%(example)s。请补一条，或放宽一条")),
    (
        r"quota must say base, and may say per_heads and most",
        "",
        N_("名额 quota 要写成 { base = 10, per_heads = 5, most = 200 }"),
    ),
    (r"quota: most is less than base", "", N_("名额封顶 most 不能小于基数 base")),
    (r"plate_kinds is for automatic decisions", "", N_("号牌种类 plate_kinds 只用于自动发放（automatic）")),
    (r"kinds must name at least one kind", "", N_("用途 kinds 至少写一种，不限用途就不要写")),
    (rf"kinds: {_Q} is no kind of vehicle pass", "name", N_("没有 %(name)s 这种车辆通行证用途")),
    (r"never wins", "", N_("永远轮不到：前面的规则已把这些企业都管了。请上移，或改条件")),
    (
        r"comes after ([\d, ]+) for some of the same, as (.*)",
        "list example",
        N_("与第 %(list)s 条都适用于同一类企业（如：%(example)s），以前面的为准"),
    ),
    (
        r"(\d+) kinds of enterprise; at most (\d+) can be tried",
        "n m",
        N_("条件组合出 %(n)s 种企业，太多了（最多 %(m)s 种），请减少条件"),
    ),
)
_TOML = re.compile(r"^not TOML: (.*?)(?: \((?:at (?:line (\d+), column (\d+)|end of document))\))?$", re.DOTALL)
_SYNTAX: tuple[tuple[str, str], ...] = (
    ("Expected '=' after a key", N_("名称后面少了等号 =")),
    ("Invalid value", N_("等号后面的值写得不对（文字要加引号）")),
    ("Invalid statement", N_("这一行不成句，应为“名称 = 值”或 [[…]]")),
    ("Unterminated string", N_("引号没有配对")),
    ("Expected newline", N_("一句写完后要换行")),
    ("Illegal character", N_("有不能用的字符（引号没有配对，或字符串里换了行）")),
    ("Cannot overwrite", N_("同一项写了两次")),
    ("Duplicate inline table key", N_("同一项写了两次")),
    ("Cannot declare", N_("这个标题与前面的重复或冲突")),
    ("Cannot mutate immutable", N_("这个标题与前面的重复或冲突")),
    ("Unclosed array", N_("方括号 [ ] 没有配对，或少了逗号")),
    ("Unclosed inline table", N_("花括号 { } 没有配对，或少了逗号")),
    ("Expected ']", N_("标题的方括号没有配对")),
    ("Unescaped", N_("引号里的反斜杠 \\ 要写成 \\\\")),
    ("Invalid initial character", N_("名称写得不对，应为英文字母")),
    ("Invalid date", N_("日期写得不对")),
)


@dataclass(frozen=True, slots=True)
class ProblemLine:
    """One problem or note as the page shows it; ``line`` is 0 when it belongs to no line."""

    line: int
    words: str


def _key(name: str) -> str:
    return f"{_(_KEYS[name])} {name} " if name in _KEYS else f"{name} "


def _fact(name: str) -> str:
    return FACT_WORDS[name].text(reader_locale()) if name in FACT_WORDS else name


def _role(code: str) -> str:
    return _(ROLE_LABELS[Role(code)]) if code in list(Role) else code


def name_of(fact: str, value: Value) -> Label | None:
    """Areas and industries by their names."""
    text = str(value)
    if fact in ("county", "town", "building"):
        name = next((a.name for a in catalogue.areas() if a.code == text), None)
        return Label(name, name) if name else Label("其他", "another") if text == "(other)" else None
    if fact == "industry":
        name = dict(catalogue.industries()).get(text)
        return Label(name, name) if name else None
    return None


def _example(text: str) -> str:
    """``county=330212, head_count=99`` in words."""
    if "=" not in text:
        return _("任何企业")
    parts = []
    for pair in text.split(", "):
        fact, _sep, value = pair.partition("=")
        words = value_words(fact, value, name_of).text(reader_locale())
        parts.append(f"{_fact(fact)}{mark('：')}{_('其他') if value == '(other)' else words}")
    return mark("，").join(parts)


_FILLERS: Mapping[str, Callable[[str], str]] = {
    "key": _key,
    "fact": _fact,
    "role": _role,
    "example": _example,
    "list": lambda listed: listed.strip(", "),
}


def _saying(what: str) -> str | None:
    for pattern, names, message in _SAYINGS:
        found = re.fullmatch(pattern, what, re.DOTALL)
        if found is not None:
            values = [v for v in found.groups() if v is not None]
            filled = {n: _FILLERS.get(n, str)(v) for n, v in zip(names.split(), values, strict=False)}
            return _(message) % {**dict.fromkeys(names.split(), ""), **filled}
    return None


def _syntax(found: re.Match[str]) -> str:
    hint = next((_(words) for begin, words in _SYNTAX if found[1].startswith(begin)), found[1])
    return _("不合 TOML 写法：%(what)s", what=hint)


def _place(found: re.Match[str]) -> str:
    named, number, plain = found[1], found[4], found[6]
    if named or number:
        name = next((g for g in (found[2], found[3], found[5]) if g is not None), "")
        return _(_PLACES[named or number]) % {"name": name}
    return _(_PLAIN[plain])


def in_words(problem: str) -> str | None:
    """A problem in the reader's language; None when there are no words for it yet."""
    syntax = _TOML.match(problem)
    if syntax is not None:
        return _syntax(syntax)
    found = _WHERE.match(problem)
    if found is None:
        return _saying(problem) or _twice(problem)
    what = _saying(found[7]) or _twice(found[7])
    return f"{_place(found)}{mark('：')}{what}" if what is not None else None


def _twice(what: str) -> str | None:
    """``state 'waiting': named twice`` behind another place, as in the main line or among towns."""
    found = re.fullmatch(rf"(?:\w+ ?)*:? ?\w+ {_Q}: named twice", what)
    return f"{found[1] or found[2]}{mark('：')}{_('写了两次，请去掉一个')}" if found else None


def told(words: str, line: int | None) -> ProblemLine:
    """A problem with its line; the core's own words where there are no others."""
    return ProblemLine(line or 0, in_words(words) or words)
