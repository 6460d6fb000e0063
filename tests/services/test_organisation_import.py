"""The organisation from a table: what is applied, what is refused at which row, and that nothing is lost."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from tests.builders import TOWN, World
from workflow.core import organisation_table as table
from workflow.core.actors import SYSTEM, Role
from workflow.core.errors import Invalid
from workflow.data import areas, audit
from workflow.data.organisation import BuildingOfficer, Team, TeamArea, TeamMember
from workflow.data.people import Person
from workflow.extensions import db
from workflow.services import organisation_import as importing

HEAD = ",".join(table.COLUMNS)


def text(*rows: str) -> str:
    """A table with these rows."""
    return "\n".join([HEAD, *rows])


def problems(world: World, *rows: str) -> str:
    """Everything that is wrong with the rows, by line."""
    plan = importing.plan(SYSTEM, text(*rows), world.now)
    return "\n".join(f"{r.line}: {p}" for r in plan.rows for p in r.problems)


def numbers() -> tuple[int, ...]:
    """How many teams, members, covered areas and officers there are."""
    return tuple(
        int(db.session.scalar(select(func.count()).select_from(m)) or 0)
        for m in (Team, TeamMember, TeamArea, BuildingOfficer)
    )


def good(world: World) -> str:
    """A table of two teams, a squad, four people and an officer, the lower team first."""
    logins = [world.new_officer(Role.REVIEWER).login for _ in range(3)]
    return text(
        f"天一一队,天一专班,小分队,楼宇组,{TOWN}-Z1-B01、{TOWN}-Z1-B02,,{logins[0]},队长,2020/2/10",
        f"天一专班,江厦指挥部,专班,,天一片区,,{logins[1]},班子领导,2020年2月9日",
        "天一专班,,,,,王网格,,网格员,",
        f"江厦指挥部,,指挥部,,{TOWN},,{logins[2]},负责人,2020-02-09",
        f",,,,{TOWN}-Z1-B01,,{logins[0]},楼宇专员,2020-02-10",
    )


def test_a_table_is_applied_whole_and_again_changes_nothing(world: World) -> None:
    content = good(world)
    plan = importing.plan(SYSTEM, content, world.now)
    assert [str(p) for r in plan.rows for p in r.problems] == []
    assert (plan.new_teams, plan.new_duties) == (3, 5)
    assert numbers() == (0, 0, 0, 0)
    importing.apply(SYSTEM, content, world.now)
    db.session.commit()
    assert numbers() == (3, 4, 3, 1)
    teams = {t.name: t for t in db.session.scalars(select(Team))}
    assert teams["天一一队"].parent_id == teams["天一专班"].id
    assert teams["天一专班"].parent_id == teams["江厦指挥部"].id
    assert teams["天一一队"].group_name == "楼宇组"
    again = importing.apply(SYSTEM, content, world.now)
    db.session.commit()
    assert (again.new_teams, again.new_duties, numbers()) == (0, 0, (3, 4, 3, 1))
    assert not list(audit.verify())


def test_what_is_given_out_can_be_taken_in(world: World) -> None:
    importing.apply(SYSTEM, good(world), world.now)
    db.session.commit()
    area = areas.by_code(TOWN)
    assert area is not None
    given = table.write(importing.export(area, world.now))
    plan = importing.plan(SYSTEM, given, world.now)
    assert [str(p) for r in plan.rows for p in r.problems] == []
    assert (plan.new_teams, plan.new_duties) == (0, 0)


BAD = {
    "cycle": ((f"甲,乙,专班,,{TOWN},,,,", f"乙,甲,专班,,{TOWN},,,,"), ("成环",)),
    "itself": ((f"甲,甲,专班,,{TOWN},,,,",), ("成环",)),
    "unknown parent": ((f"甲,丙,专班,,{TOWN},,,,",), ("2: 没有叫“丙”的上级",)),
    "unknown login": ((f"甲,,专班,,{TOWN},,nobody,成员,",), ("2: 没有账号“nobody”",)),
    "unknown name": ((f"甲,,专班,,{TOWN},查无此人,,成员,",), ("没有叫“查无此人”的人员",)),
    "unknown area": (("甲,,专班,,不存在街道,,,,",), ("没有“不存在街道”这个区域",)),
    "no area": (("甲,,专班,,,,,,",), ("请填写区域",)),
    "unknown kind": ((f"甲,,军团,,{TOWN},,,,",), ("类别“军团”不认识", "请填写类别")),
    "unknown duty": ((f"甲,,专班,,{TOWN},张三,,司令,",), ("职责“司令”不认识",)),
    "duty without person": ((f"甲,,专班,,{TOWN},,,成员,",), ("还要填写姓名或账号",)),
    "person without duty": ((f"甲,,专班,,{TOWN},张三,,,",), ("还要填写职责",)),
    "bad dates": (
        (f"甲,,专班,,{TOWN},张三,,支援,2020-02-30", f"甲,,专班,,{TOWN},李四,,支援,明天"),
        ("2: 起始日期“2020-02-30”", "3: 起始日期“明天”"),
    ),
    "two leaders": (
        (f"甲,,专班,,{TOWN},,LOGIN1,负责人,", f"甲,,专班,,{TOWN},,LOGIN2,组长,"),
        ("3: “甲”已有负责人",),
    ),
    "twice": (
        (f"甲,,专班,,{TOWN},,LOGIN1,成员,", f"甲,,专班,,{TOWN},,LOGIN1,副职,"),
        ("3: 此人在这个组织已写在第 2 行",),
    ),
    "two officers": (
        (f",,,,{TOWN}-Z1-B01,,LOGIN1,楼宇专员,", f",,,,{TOWN}-Z1-B01,,LOGIN2,楼宇专员,"),
        ("3: 一楼一员",),
    ),
    "officer of a zone": ((f",,,,{TOWN}-Z1,,LOGIN1,楼宇专员,",), ("不是楼宇",)),
    "formula": (('"=HYPERLINK(""http://x"")",,专班,,' + TOWN + ",,,,",), ("像是公式",)),
    "other kind": ((f"甲,,专班,,{TOWN},,,,", f"甲,,小分队,,{TOWN},,,,"), ("3: “类别”与第 2 行不一致",)),
    "no name": ((f",,专班,,{TOWN},张三,,支援,",), ("请填写组织名称",)),
    "two towns": (("甲,,专班,,330203002、330203009,,,,",), ("同一镇街",)),
    "too many cells": ((f"甲,,专班,,{TOWN},,,,,多,出",), ("多出了内容",)),
    "long": ((f"{'长' * 81},,专班,,{TOWN},,,,",), ("超过 80 个字",)),
}


@pytest.mark.parametrize("case", list(BAD))
def test_bad_rows_are_told_with_line_and_remedy(world: World, case: str) -> None:
    rows, wanted = BAD[case]
    logins = {f"LOGIN{n}": world.new_officer(Role.REVIEWER).login for n in (1, 2)}
    filled = [r.replace("LOGIN1", logins["LOGIN1"]).replace("LOGIN2", logins["LOGIN2"]) for r in rows]
    found = problems(world, *filled)
    for words in wanted:
        assert words in found
    before = db.session.scalar(select(func.count()).select_from(Person))
    with pytest.raises(Invalid, match="没有导入"):
        importing.apply(SYSTEM, text(*filled), world.now)
    assert numbers() == (0, 0, 0, 0)
    assert db.session.scalar(select(func.count()).select_from(Person)) == before


def test_only_the_own_area_can_be_taken_in(world: World) -> None:
    chief = world.actor(world.officer(Role.LEADER, "330203009"))
    plan = importing.plan(chief, text(f"甲,,专班,,{TOWN},,,,"), world.now)
    assert "不在您管理的区域内" in str(plan.rows[0].problems[0])


def test_names_that_several_people_have_need_the_login(world: World) -> None:
    for _ in range(2):
        db.session.add(Person(name="重名", mobile=None, created_at=world.now))
    db.session.flush()
    assert "多人同名" in problems(world, f"甲,,专班,,{TOWN},重名,,成员,")
