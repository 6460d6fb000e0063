"""Each family of flows in real Chromium, from the task list to a notice that opens: one journey a family.

City-small and city-large are walked in test_main_line.py. Here the steps that all families share (acceptance, the
verdict on each material, the general checklist) are taken through the services; what a family has of its own is
clicked.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.family import Family
from tests.browsing import PHONE, WIDE, Person
from tests.builders import PASSWORD, World, tenants
from workflow.core import sampling
from workflow.core.actors import Role
from workflow.core.times import SHANGHAI, shanghai_day
from workflow.data.cases import Case
from workflow.data.samples import SamplingSeed
from workflow.extensions import db
from workflow.jobs import drain

pytestmark = [pytest.mark.browser, pytest.mark.journey]
wide = pytest.mark.parametrize("viewport", [WIDE], ids=["wide"], indirect=True)
phone = pytest.mark.parametrize("viewport", [PHONE], ids=["phone"], indirect=True)

DONGJIAO, LUOTUO = "330212013", "330211003"


def _day(**span: float) -> str:
    """A day from today, as a date field takes it."""
    return (dt.datetime.now(SHANGHAI).date() + dt.timedelta(**span)).isoformat()


@pytest.fixture
def family(world: World, arrive: Callable[[], Person]) -> Family:
    """A company and two inspectors who have been there for a month, and nothing filed."""
    world.now = dt.datetime.now(dt.UTC) - dt.timedelta(days=30)
    name = "宁波海曙试验机械有限公司"
    account = world.company(name)
    login = account.login
    world.inspectors()
    db.session.commit()
    return Family(world, arrive, arrive(), arrive(), account, login, name)


@wide
def test_yinzhou_is_decided_by_the_district_group(family: Family) -> None:
    flow = "鄞州工业企业复工审核（镇街初审）"
    family.begin(flow, "town", head_count="100")
    page = family.topic("所在地")
    page.locator("select[name=town]").select_option(DONGJIAO)
    family.save()
    family.submit(flow, "镇街查勘初审，区领导小组审定", "东郊街道")
    expect(family.clerk.page.locator("h1")).to_contain_text("复工-鄞州-")
    family.walk("awaiting_town_opinion")
    family.officer(Role.LEADER)
    family.decide("同意上报")
    family.officer(Role.LEADING_GROUP)
    family.decide("同意复工")
    family.read_notice("已同意复工")


@phone
def test_zhenhai_is_decided_by_the_town(family: Family) -> None:
    flow = "镇海规下（限下）企业复工审核"
    family.begin(flow, "town", "size")
    page = family.topic("企业基本情况")
    page.check("[name=size][value=below]")
    family.save()
    page = family.topic("所在地")
    page.locator("select[name=town]").select_option(LUOTUO)
    family.save()
    family.submit(flow, "镇海区规下（限下）和微型企业", "骆驼街道")
    expect(family.clerk.page.locator("h1")).to_contain_text("复工-镇海-")
    family.walk("awaiting_decision")
    family.officer(Role.LEADER)
    family.decide("同意复工")
    family.read_notice("已同意复工")


@wide
def test_a_property_files_for_its_tenants(family: Family) -> None:
    flow, paper = "楼宇、商场、园区统一复工审核", "楼宇（园区）同意复工通知书"
    family.begin(flow, "purpose", "building", "tenants", purpose="host")
    page = family.topic("企业基本情况")
    page.check("[name=purpose][value=host]")
    family.save()
    page = family.topic("所在地")
    page.locator("select[name=building]").select_option(label="天澜商厦")
    family.save()
    page = family.topic("入驻企业名单")
    page.fill("[name=tenants]", tenants(801, 802).replace("，", "\t") + "\n宁波海曙试验商行803")
    family.clerk.press("保存并继续")
    expect(page.locator("main")).to_contain_text("第 3 行")
    assert "422" in family.clerk.complaints.pop(), "a refused form is no complaint"
    page.fill("[name=tenants]", tenants(801, 802, 803).replace("，", "\t"))
    family.save()
    family.submit(flow, "共 3 家，合计复工 69 人", "天澜商厦", "宁波海曙试验商行803")
    family.walk("awaiting_decision")
    page = family.officer(Role.LEADER)
    expect(page.locator("table", has_text="宁波海曙试验商行802")).to_be_visible()
    family.decide("同意楼宇复工")
    family.read_notice("已同意复工", paper)


@phone
def test_a_building_site_is_decided_by_the_housing_bureau(family: Family) -> None:
    flow, paper = "建设工程复工审核", "建设工程同意复工通知书"
    family.begin(flow, "purpose", "project_name", "site_manager", "site_count", "site_lodging", purpose="site")
    page = family.topic("企业基本情况")
    page.check("[name=purpose][value=site]")
    family.save()
    page = family.topic("工程项目")
    page.fill("[name=project_name]", "海曙区试验地块安置房工程")
    page.fill("[name=site_manager]", "钱试验")
    page.fill("[name=site_count]", "40")
    page.check("[name=site_lodging][value=yes]")
    family.save()
    family.submit(flow, "海曙区试验地块安置房工程", "钱试验")
    family.walk("inspecting")
    family.visit("site", "分包、劳务队伍统一纳入总包管理")
    page = family.officer(Role.BUREAU_REVIEWER)
    expect(page.locator("main")).to_contain_text("海曙区试验地块安置房工程")
    family.decide("同意工程复工")
    family.read_notice("已同意复工", paper)


@wide
def test_chemicals_wait_for_the_emergency_bureau(family: Family) -> None:
    flow = "涉危化企业复工审核"
    family.begin(flow, "hazardous", hazardous="yes")
    page = family.topic("企业基本情况")
    page.check("[name=hazardous][value=yes]")
    family.save()
    family.submit(flow, "征求应急管理部门意见")
    family.walk("inspecting")
    company = family.clerk.go(f"/cases/{family.case}")
    expect(company.locator("main")).to_contain_text("应急管理局")
    family.visit("hazardous", "联锁")
    family.officer(Role.LEADER)
    family.decide("同意上报")
    page = family.officer(Role.LEADING_GROUP)
    expect(family.act("同意复工")).to_contain_text("还有 1 个部门未答复意见")
    family.answer("yingji", "有条件同意", "联锁投用后方可开车。")
    page = family.officer(Role.LEADING_GROUP)
    expect(page.locator("#departments")).to_contain_text("联锁投用后方可开车。")
    family.decide("同意复工")
    family.read_notice("已同意复工")
    expect(family.clerk.page.locator("main")).to_contain_text("联锁投用后方可开车。")


@phone
def test_essential_enterprises_are_read_and_visited_at_once(family: Family) -> None:
    flow = "优先保障和提前开工（绿色通道）"
    family.begin(flow, "priority_class")
    page = family.topic("复工人数和日期")
    page.check("[name=priority_class][value=daily_life]")
    family.save()
    family.submit(flow, "走绿色通道")
    family.officer(Role.REVIEWER)
    expect(family.act("送领导小组审定")).to_contain_text("项材料未审定为符合")
    family.arrange("schedule_inspection", "预约或更改实地核查")
    family.visit("general")
    family.officer(Role.REVIEWER)
    expect(family.act("送领导小组审定")).to_contain_text("材料")
    with family.behind_the_pages() as world:
        world.judge_all(db.session.get_one(Case, family.case))
    family.officer(Role.REVIEWER)
    family.desk.press("送领导小组审定")
    page = family.officer(Role.LEADING_GROUP)
    family.decide("同意复工")
    expect(page.locator("main")).to_contain_text("报市备案")
    family.read_notice("已同意复工")


def _keep_out_of_the_lot(case: Case, due: dt.datetime) -> None:
    """Let the town's seed of the day when ``case`` is due be one that does not draw it."""
    seed = next(s for s in map(str, itertools.count()) if sampling.value_of(s, case.reference) >= 50)
    made = SamplingSeed(town_id=case.town_id, day_on=shanghai_day(due), seed=seed, made_at=due)
    db.session.add(made)


@wide
def test_a_filing_stands_when_nobody_objects(family: Family) -> None:
    flow, paper = "企业复工备案", "企业复工备案告知书"
    with family.behind_the_pages() as world:
        world.publish_rules("filing")
    family.begin(flow)
    family.submit(flow, "承诺并备案后即可复工")
    page = family.clerk.page
    expect(page.locator(".fg-standing")).to_contain_text("已承诺，待备案")
    expect(page.locator(".fg-standing")).to_contain_text("到期仍未办理的，自动按“期满视为备案”处理")
    with family.behind_the_pages():
        case = db.session.get_one(Case, family.case)
        due = case.due_at
        _keep_out_of_the_lot(case, due)
    assert drain.run_clocks(lambda: due - dt.timedelta(seconds=1)) == 1, "the reviewer is told that time runs out"
    assert drain.run_clocks(lambda: due) == 1
    assert "备案和承诺已经收悉，予以备案" in family.read_notice("已备案", paper)
    expect(page.locator("main")).to_contain_text("期满无异议，视为已备案")


@phone
def test_a_filing_that_is_drawn_is_checked(family: Family) -> None:
    paper = "企业复工备案告知书"
    with family.behind_the_pages() as world:
        world.now -= dt.timedelta(days=10)
        world.publish_rules("filing")
        family.case = world.submitted(family.account, key_area_count="3").id
    now = dt.datetime.now(dt.UTC)
    assert drain.run_clocks(lambda: now) >= 1
    family.clerk.sign_in(family.login, PASSWORD)
    family.read_notice("抽中检查，待约定时间", paper)
    page = family.officer(Role.INSPECTOR)
    expect(page.locator("main")).to_contain_text("有近 14 天来自重点地区人员的企业，全部检查")
    family.arrange("schedule_inspection", "预约实地核查")
    family.visit("general")
    family.read_notice("已备案", paper)


@phone
def test_a_closed_enterprise_reopens_with_the_health_bureau(family: Family) -> None:
    flow, paper = "涉疫封闭企业启封复工审核", "启封复工通知书"
    family.begin(flow, "purpose", "closure_reason", "closed_on", "release", purpose="reopen")
    page = family.topic("企业基本情况")
    page.check("[name=purpose][value=reopen]")
    family.save()
    page = family.topic("封闭和解除情况")
    page.fill("[name=closure_reason]", "一名员工确诊")
    page.fill("[name=closed_on]", _day(days=-20))
    page.fill("[name=release]", "14 人已解除隔离，已由疾控部门终末消毒")
    family.save()
    family.submit(flow, "一名员工确诊", "14 人已解除隔离")
    family.walk("awaiting_town_opinion")
    family.officer(Role.LEADER)
    family.decide("同意上报")
    family.officer(Role.LEADING_GROUP)
    expect(family.act("同意启封复工")).to_contain_text("还有 1 个部门未答复意见")
    family.answer("weijian", "同意")
    page = family.officer(Role.LEADING_GROUP)
    expect(page.locator("main")).to_contain_text("14 人已解除隔离")
    family.decide("同意启封复工")
    assert "经材料审核和实地勘定" in family.read_notice("已同意启封复工", paper)


@wide
def test_an_approved_enterprise_adds_staff(family: Family) -> None:
    flow, paper = "已复工企业追加返岗人员登记", "复工追加登记通知书"
    with family.behind_the_pages() as world:
        world.now -= dt.timedelta(days=10)
        world.approved(family.account)
    family.begin(flow, "purpose", "added_count", "arrive_on", purpose="extra_staff")
    page = family.topic("企业基本情况")
    page.check("[name=purpose][value=extra_staff]")
    family.save()
    page = family.topic("追加返岗人员")
    page.fill("[name=added_count]", "5")
    page.fill("[name=arrive_on]", _day(days=3))
    family.save()
    family.submit(flow, "补报名单", "追加人数")
    family.walk("awaiting_decision")
    page = family.officer(Role.LEADER)
    expect(page.locator("#act")).to_contain_text("同意追加登记")
    family.decide("同意追加登记")
    assert "追加返岗人员申请，经核对名单和材料，予以登记" in family.read_notice("已同意追加", paper)
