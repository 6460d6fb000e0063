"""The stories of the demo companies: the states of the city's flows and some kinds, through the services."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from workflow.cli.demo.cast import CENTRE, CENTRE_STAFF, OTHER_TOWNS, Official, company, person_name
from workflow.cli.demo.papers import Papers
from workflow.cli.demo.stage import Clock, Kind, Stage, Story
from workflow.core.actors import Role
from workflow.data import catalogue
from workflow.extensions import db
from workflow.services import passes as pass_service

FIRST_LOGIN = CENTRE_STAFF[0].login
COMPANIES = 66


def _draft(story: Story) -> None:
    story.draft(0.45)


def _ready_draft(story: Story) -> None:
    story.upload_all(story.draft())


def _submitted(story: Story) -> None:
    story.submit()


def _reviewing(story: Story) -> None:
    story.submit()
    story.step(Role.REVIEWER, "accept")


def _correcting(story: Story) -> None:
    _reviewing(story)
    story.judge(
        commitment="承诺书未见法定代表人签字，请补签后重新上传。", supplies="口罩只够 2 天，请写明采购渠道和到货日期。"
    )
    story.step(Role.REVIEWER, "return_for_correction", "请在三个工作日内一次补齐。")


def _second_round(story: Story) -> None:
    _reviewing(story)
    story.judge(commitment="承诺书未见法定代表人签字，请补签后重新上传。")
    story.step(Role.REVIEWER, "return_for_correction", "仅此一项需要补正。")
    story.correct("commitment")


def _reviewed(story: Story) -> None:
    _reviewing(story)
    story.judge()
    story.step(Role.REVIEWER, "pass_materials", "材料齐全，符合要求。")


def _arranged(story: Story) -> None:
    _reviewed(story)
    story.arrange()


def _rectifying(story: Story) -> None:
    _arranged(story)
    story.inspect("order_rectification", "个别制度未上墙，限期整改。", fails=2)


def _awaiting_recheck(story: Story) -> None:
    _rectifying(story)
    story.rectify()


def _inspected(story: Story) -> None:
    _arranged(story)
    story.inspect("pass_inspection", "现场与方案一致，各项措施到位。")


def _rechecked(story: Story) -> None:
    _awaiting_recheck(story)
    story.arrange(0.5)
    story.inspect("pass_inspection", "整改到位。")


def _failed_inspection(story: Story) -> None:
    _arranged(story)
    story.inspect("fail_inspection", "防疫物资和隔离场所均未落实。", fails=4)


def _decide(story: Story, until: str = "approved") -> None:
    """Take the favourable decisions that the flow asks for, up to the state ``until``."""
    flow = story.opened.flow
    while story.opened.state != until:
        step = next(s for s in flow.steps_from(story.opened.state) if s.decision and s.tone == "success")
        story.step(step.role, step.action, _OPINIONS[step.role], 4.5)


_OPINIONS = {
    Role.LEADER: "经实地勘定符合条件，同意。",
    Role.BUREAU_REVIEWER: "符合行业复工要求，同意。",
    Role.LEADING_GROUP: "同意复工，报市备案。",
}


def _in_parallel(story: Story) -> None:
    """The green channel: papers and visit at once, both done, with the leading group."""
    story.submit()
    story.judge()
    story.arrange(0.2)
    story.inspect("pass_inspection", "现场与方案一致，各项措施到位。")
    story.step(Role.REVIEWER, "forward", "材料和核查均已完成。", 1)


def _with_bureau(story: Story) -> None:
    _inspected(story)
    _decide(story, "awaiting_bureau")


def _with_group(story: Story) -> None:
    _inspected(story)
    _decide(story, "awaiting_group")


def _approved(story: Story) -> None:
    _inspected(story)
    _decide(story)


def _approved_with_passes(story: Story) -> None:
    _approved(story)
    n = story.company.number
    first, second = story.ask_pass(f"浙B{n:02d}A{n % 10}8"), story.ask_pass(f"浙BD{n:02d}3{n % 10}6", "commute")
    story.ask_pass(f"浙B{n:02d}7C{n % 10}")
    db.session.flush()
    story.grant(first)
    story.grant(second)
    if n % 2:
        pass_service.revoke(story.official(Role.LEADER), second, "车辆已转让。", story.clock.later(2))


def _role_of(story: Story, action: str) -> Role:
    """Whose step this is in the story's flow."""
    step = story.opened.flow.step(story.opened.state, action)
    if step is None:
        raise LookupError(f"{story.opened.state} has no step {action}")
    return step.role


def _refused(story: Story) -> None:
    _failed_inspection(story)
    story.step(_role_of(story, "refuse"), "refuse", "实地核查不通过，整改后请重新申请。", 3)


def _reopened(story: Story) -> None:
    _refused(story)
    story.step(_role_of(story, "reopen"), "reopen", "企业补充了物资和隔离场所，重新审理。", 6)


def _withdrawn(story: Story) -> None:
    story.submit()
    story.step(Role.FILER, "withdraw", "资料填写有误，撤回后重报。", 2)


Telling = Callable[[Story], None]
SMALL: tuple[Telling, ...] = (
    _approved_with_passes,
    _submitted,
    _submitted,
    _reviewing,
    _correcting,
    _second_round,
    _reviewed,
    _arranged,
    _rectifying,
    _awaiting_recheck,
    _inspected,
    _rechecked,
    _failed_inspection,
    _approved,
    _refused,
    _reopened,
    _withdrawn,
    _draft,
    _ready_draft,
    _approved_with_passes,
    _submitted,
    _reviewing,
    _reviewed,
    _approved,
    _submitted,
    _correcting,
    _inspected,
    _approved,
    _reviewing,
    _submitted,
    _approved,
    _arranged,
    _submitted,
    _approved,
    _draft,
)
LARGE: tuple[Telling, ...] = (
    _with_bureau,
    _with_group,
    _approved_with_passes,
    _submitted,
    _reviewing,
    _correcting,
    _second_round,
    _reviewed,
    _arranged,
    _rectifying,
    _awaiting_recheck,
    _inspected,
    _failed_inspection,
    _approved,
    _refused,
    _reopened,
    _withdrawn,
    _draft,
    _with_bureau,
    _with_group,
    _submitted,
    _approved,
    _with_bureau,
    _approved,
    _ready_draft,
)


SPECIAL: tuple[tuple[Telling, Kind], ...] = (
    (_approved, Kind.HOST),
    (_reviewing, Kind.HOST),
    (_inspected, Kind.HAZARDOUS),
    (_reviewing, Kind.HAZARDOUS),
    (_in_parallel, Kind.PRIORITY),
    (_submitted, Kind.PRIORITY),
)
"""Companies of kinds of their own, all in the centre: a building, chemicals, the green channel."""


def _staff_of(town: str, number: int) -> list[Official]:
    """The invented officials of a further town."""
    names = [person_name(200 + number * 10 + i) for i in range(4)]
    return [
        Official(f"reviewer-{town}", names[0], Role.REVIEWER, town),
        Official(f"inspector-{town}", names[1], Role.INSPECTOR, town),
        Official(f"inspector2-{town}", names[2], Role.INSPECTOR, town),
        Official(f"leader-{town}", names[3], Role.LEADER, town),
    ]


def _hire_everybody(stage: Stage) -> None:
    for official in CENTRE_STAFF:
        stage.hire(official)
    for number, county in enumerate(sorted({CENTRE[:6], *(t[:6] for t in OTHER_TOWNS)})):
        _hire_county(stage, county, number)
    for number, town in enumerate(OTHER_TOWNS):
        for official in _staff_of(town, number):
            stage.hire(official)


def _hire_county(stage: Stage, county: str, number: int) -> None:
    """A county's leading group and its bureaus, where the centre's staff does not hold them already."""
    held = {(o.role, o.bureau) for o in CENTRE_STAFF if o.area == county}
    wanted: list[tuple[Role, str | None, str]] = [(Role.LEADING_GROUP, None, f"group-{county}")]
    wanted += [(Role.BUREAU_REVIEWER, b.code, f"bureau-{b.code}-{county}") for b in catalogue.bureaus()]
    for place, (role, bureau, login) in enumerate(wanted):
        if (role, bureau) not in held:
            stage.hire(Official(login, person_name(300 + number * 20 + place), role, county, bureau))


def _size(number: int, *, large: bool) -> str:
    return "above" if large else "micro" if number % 4 == 3 else "below"


def play_all(now: dt.datetime) -> int:
    """Tell every story; the last acts lie shortly before ``now``. Returns how many companies there are."""
    began = now - dt.timedelta(days=21)
    stage = Stage(Papers(), began, now, {})
    try:
        _hire_everybody(stage)
        tellings = [(t, False, Kind.USUAL) for t in SMALL] + [(t, True, Kind.USUAL) for t in LARGE]
        tellings += [(t, False, kind) for t, kind in SPECIAL]
        for number, (telling, large, kind) in enumerate(tellings, 1):
            # Large cases need the bureaus of the centre's county; a third of the small ones lie in other towns.
            town = (
                OTHER_TOWNS[number % len(OTHER_TOWNS)]
                if not large and kind is Kind.USUAL and number % 3 == 0
                else CENTRE
            )
            invented = company(number)
            start = now - dt.timedelta(days=(number * 5) % 9 + 3 * (telling in _LONG), hours=number % 7)
            clock = Clock(start, now)
            clock.later(0)
            clerk = stage.register(invented, clock.at)
            telling(Story(stage, invented, clock, town, _size(number, large=large), clerk, kind))
            db.session.flush()
        return len(tellings)
    finally:
        stage.papers.sweep()


_LONG = frozenset({_approved, _approved_with_passes, _rechecked, _reopened, _refused, _with_bureau, _with_group})
