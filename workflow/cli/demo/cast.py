"""The invented people and companies of the demo. Names are made up; codes use 330201, an area assigned to nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stdnum.cn import uscc as stdnum_uscc

from workflow.core.actors import Role

PASSWORD = "fugong-demo-2020"  # noqa: S105 - shown on the login page of demo installations


@dataclass(frozen=True, slots=True)
class Official:
    """An official of the demo: ``login`` also says role and place."""

    login: str
    name: str
    role: Role
    area: str
    bureau: str | None = None


CENTRE = "330203002"
"""Jiangxia sub-district of Haishu, where the demo's one login per role is at home."""

CENTRE_STAFF = (
    Official("reviewer", "沈知微", Role.REVIEWER, CENTRE),
    Official("inspector", "陆行舟", Role.INSPECTOR, CENTRE),
    Official("inspector2", "顾青禾", Role.INSPECTOR, CENTRE),
    Official("leader", "方静安", Role.LEADER, CENTRE),
    Official("bureau", "钱以宁", Role.BUREAU_REVIEWER, "330203", "jingxin"),
    Official("bureau-shangwu", "汤若水", Role.BUREAU_REVIEWER, "330203", "shangwu"),
    Official("group", "韩启明", Role.LEADING_GROUP, "330203"),
    Official("health", "苏映雪", Role.DEPARTMENT, "330203", "weijian"),
    Official("emergency", "雷安澜", Role.DEPARTMENT, "330203", "yingji"),
    Official("health-330212", "柏青岚", Role.DEPARTMENT, "330212", "weijian"),
    Official("emergency-330212", "窦守平", Role.DEPARTMENT, "330212", "yingji"),
    Official("guard", "石守拙", Role.GUARD, CENTRE),
    Official("commander", "程远山", Role.COMMANDER, "3302"),
    Official("commander2", "岳临川", Role.COMMANDER, "3302"),
    Official("auditor", "白鉴清", Role.AUDITOR, "3302"),
    Official("admin", "管小系", Role.ADMIN, "3302"),
)

OTHER_TOWNS = ("330212013", "330203009", "330206004", "330211004")
"""Further towns with companies: 首南 (Yinzhou), 石碶 (Haishu), 大碶 (Beilun), 骆驼 (Zhenhai)."""

_SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻"
    "柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳"
)
_GIVEN = (
    "一诺",
    "子衿",
    "云舒",
    "清扬",
    "望舒",
    "知夏",
    "怀瑾",
    "若谷",
    "书怀",
    "明远",
    "思齐",
    "致远",
    "景行",
    "嘉树",
    "慕白",
    "听澜",
    "予安",
    "长风",
    "星野",
    "静姝",
    "乐山",
    "砚秋",
    "南乔",
    "北辰",
    "芷若",
    "浩然",
    "弘毅",
    "修远",
)
_BRANDS = (
    "澄砚",
    "衡漪",
    "朗墟",
    "栎川",
    "沐岑",
    "弈澜",
    "珩拓",
    "霁禾",
    "穗原",
    "砥岳",
    "枫渚",
    "瀚砾",
    "屿耕",
    "晟榉",
    "芮泊",
    "泓桁",
    "绛陌",
    "赭峰",
    "笙牧",
    "邕程",
    "漱岩",
    "皓砺",
    "翊舟",
    "鄰浦",
    "钧砚",
    "桦汀",
    "岚枢",
    "珏衡",
    "隽樾",
    "潞航",
)
_TRADES = (
    ("精密机械有限公司", "industry"),
    ("服饰股份有限公司", "industry"),
    ("电器制造有限公司", "industry"),
    ("新材料科技有限公司", "industry"),
    ("国际贸易有限公司", "commerce"),
    ("餐饮管理有限公司", "commerce"),
    ("汽车零部件有限公司", "industry"),
    ("百货商场有限公司", "commerce"),
    ("模具厂", "industry"),
    ("供应链管理有限公司", "transport"),
    ("建筑工程有限公司", "construction"),
    ("文化旅游发展有限公司", "culture"),
)
_ROADS = (
    "望湖路",
    "新河东路",
    "百丈工业区三路",
    "雅源南路",
    "学士巷",
    "后塘路",
    "金谷大道",
    "联丰中弄",
    "环城西二路",
    "启运支路",
)


@dataclass(frozen=True, slots=True)
class Company:
    """An invented company with its clerk."""

    number: int
    name: str
    sector: str
    clerk: str
    head: str
    address: str

    @property
    def uscc(self) -> str:
        """A code with a right checksum in an area that exists nowhere."""
        body = f"91330201MADE{self.number:05d}".replace("O", "0")
        return body + stdnum_uscc.calc_check_digit(body)

    @property
    def mobile(self) -> str:
        """An invented mobile number; the clerk's login."""
        return f"1380000{self.number:04d}"


def person_name(number: int) -> str:
    """The invented name with this number."""
    return _SURNAMES[number * 7 % len(_SURNAMES)] + _GIVEN[number * 5 % len(_GIVEN)]


def invented_names() -> Iterator[str]:
    """Invented names, each once: every surname with every given name, mixed."""
    for round_ in range(len(_GIVEN)):
        for place, surname in enumerate(_SURNAMES):
            yield surname + _GIVEN[(round_ + place * 3) % len(_GIVEN)]


def company(number: int) -> Company:
    """The invented company with this number, always the same."""
    trade, sector = _TRADES[number % len(_TRADES)]
    place = ("宁波", "宁波市海曙", "浙江", "宁波江东")[number % 4] if number % 9 else "宁波高新区"
    name = f"{place}{_BRANDS[number % len(_BRANDS)]}{trade}"
    if number == 7:
        # A very long name, so that every page and paper is seen with one.
        name = "宁波市海曙区澄砚智能装备制造与供应链综合服务（集团）股份有限公司江厦第一分公司"
    address = f"{_ROADS[number % len(_ROADS)]} {number * 13 % 400 + 1} 号"
    return Company(number, name, sector, person_name(number), person_name(number + 100), address)
