"""The words of the blank forms: our own wording, with the official titles and field labels of annexes 1, 2 and 4."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FormRow:
    """A row of a Word form: its label, what stands in the field, and how many empty lines follow."""

    label: str
    prompt: str = ""
    blank_lines: int = 0


@dataclass(frozen=True, slots=True)
class Form:
    """A Word form."""

    title: str
    file_name: str
    rows: tuple[FormRow, ...]
    notes: tuple[str, ...]
    intro: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an Excel list; ``options`` makes it a drop-down (together at most 255 characters, Excel's limit)."""

    label: str
    comment: str
    width: float
    required: bool = True
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """An Excel list."""

    title: str
    sheet_name: str
    file_name: str
    columns: tuple[Column, ...]
    notes: tuple[str, ...]
    blank_rows: int = 30


@dataclass(frozen=True, slots=True)
class PlanPoint:
    """A point of the prevention plan and what a reviewer looks for in it."""

    heading: str
    guidance: str


@dataclass(frozen=True, slots=True)
class PlanPart:
    """A part of the prevention plan; ``micro`` parts are written by micro enterprises (20 heads or fewer) too."""

    heading: str
    micro: bool
    points: tuple[PlanPoint, ...]


_SIGN = "　　　　　　　　　　　签字：\n　　　　　　　　　　　日期：　　　　年　　月　　日"
_SEAL = "　　　　　　　　　　　（公章）\n　　　　　　　　　　　日期：　　　　年　　月　　日"
_YES_NO = ("是", "否")

APPLICATION = Form(
    title="企业（单位）复工申请（承诺）表",
    file_name="M01 复工申请（承诺）表",
    rows=(
        FormRow("受理乡镇（街道）"),
        FormRow("统一社会信用代码"),
        FormRow("生产经营地址"),
        FormRow("联系人及手机"),
        FormRow("申请复工日期", "　　　　年　　月　　日"),
        FormRow(
            "企业类别（勾选一项）",
            "优先保障：□疫情防控必需　□城市运行和企业生产必需　□群众生活必需　□其他重要国计民生\n"
            "提前开工：□重点建设项目　□亟需履行国际大型订单\n□稳步复工",
        ),
        FormRow("员工总数（人）"),
        FormRow("复工员工数（人）"),
        FormRow(
            "承诺",
            "本单位承诺：所填内容和所附材料真实；按照已提交的防疫方案落实人员接送、隔离和日常防控；每日如实上报员工健康"
            "状况；出现疫情或不再符合复工条件时，立即停工并报告所在乡镇（街道）。",
            1,
        ),
        FormRow("法定代表人（授权委托人）", _SIGN, 1),
        FormRow("企业（单位）盖章", _SEAL, 2),
        FormRow("乡镇（街道）意见", _SEAL, 3),
        FormRow("区县（市）、园区防控工作领导小组意见", _SEAL, 3),
    ),
    notes=(
        "一式三份，打印后由法定代表人或授权委托人签字并加盖公章，拍照或扫描上传，字迹和印章须清晰。",
        "规下（限下）企业只需乡镇（街道）盖章；规上（限上）企业另需区县（市）或园区防控工作领导小组盖章。",
        "复工员工数不得超过员工总数，并应与《返工人员调查总表》中的人数一致。",
    ),
)

ONE_PERSON = Form(
    title="企业返工人员登记表（一人一表）",
    file_name="M02b 返工人员登记表（一人一表）",
    rows=(
        FormRow("员工姓名"),
        FormRow("手机号码"),
        FormRow("岗位（车间、班组）"),
        FormRow("复工后居住地", "□厂区内宿舍　□厂区外宿舍　□其他（小区/村/室）：＿＿＿＿＿＿＿＿"),
        FormRow("上下班交通方式", "□公司（单位）班车　□自驾　□公共交通　□步行等其他"),
        FormRow("返甬情况", "□一直在甬　□近期返甬：＿＿月＿＿日自＿＿＿＿乘＿＿＿＿（车次/航班/自驾）抵达"),
        FormRow("14天内是否到过重点地区", "□否　□是：地点＿＿＿＿＿＿　离开日期＿＿＿＿"),
        FormRow("14天内是否接触过发热或确诊、疑似人员", "□否　□是：情况＿＿＿＿＿＿＿＿"),
        FormRow("本人及同住人是否有发热、干咳", "□否　□是：情况＿＿＿＿＿＿＿＿"),
        FormRow("隔离观察", "□不需要　□需要：地点＿＿＿＿＿＿　自＿＿月＿＿日至＿＿月＿＿日"),
        FormRow("企业核查意见", "□可以上岗　□期满后上岗　□就诊\n核查人：＿＿＿＿＿＿　日期：＿＿＿＿"),
        FormRow("员工确认", "以上情况属实，如有隐瞒愿承担相应责任。\n" + _SIGN, 1),
    ),
    notes=("每名返工人员填写一份，由企业留存备查；实地勘定时按比例抽查，与总表和花名册核对。",),
)

ISOLATION = Form(
    title="隔离观察场所说明",
    file_name="隔离观察场所说明",
    rows=(
        FormRow("场所名称和地址"),
        FormRow("场所性质", "□本单位宿舍　□租用房屋　□定点酒店　□其他：＿＿＿＿"),
        FormRow("房间数和可同时隔离人数"),
        FormRow("单人单间、独立卫生间", "□全部具备　□部分具备：＿＿＿＿　□不具备，替代措施：＿＿＿＿"),
        FormRow("与生产、生活区的分隔", "说明距离、出入口和标识", 2),
        FormRow("负责人和24小时电话"),
        FormRow("每日两次测温和登记", "测温时间、登记人", 1),
        FormRow("送餐、清洁消毒、垃圾处理", "时间、责任人、消毒药品", 2),
        FormRow("异常情况处置", "发现发热、干咳等症状时的报告电话、就诊医院、转运方式", 2),
        FormRow("平面图或照片", "（粘贴或另附：入口、房间、卫生间、分隔标识）", 8),
        FormRow("企业（单位）盖章", _SEAL, 2),
    ),
    notes=("有外地返岗人员的企业须提交；没有隔离条件的，写明与定点场所的约定并附协议或联系记录。",),
)

RETURNING_STAFF = Listing(
    title="企业（单位）返工人员调查总表",
    sheet_name="返工人员",
    file_name="M02 返工人员调查总表",
    columns=(
        Column("员工姓名", "填写身份证件上的姓名。", 12),
        Column("手机号码", "11 位手机号码，按文本填写，不加空格和横线。", 15),
        Column(
            "近14天是否来自疫情严重地区或有居住/旅行/接触史",
            "疫情严重地区以当地最新公布的名单为准；选“是”的须在备注中写明地点和日期。",
            18,
            options=_YES_NO,
        ),
        Column(
            "复工后居住地",
            "选“其他”的，在备注中写明小区、村和室号。",
            16,
            options=("厂区内宿舍", "厂区外宿舍", "其他(小区/村/室)"),
        ),
        Column(
            "上下班交通方式",
            "选最常用的一种。",
            18,
            options=("公司（单位）班车", "自驾", "公共交通", "步行等其他"),
        ),
        Column("近期是否出宁波市", "最近 14 天内离开过宁波市的选“是”。", 12, options=_YES_NO),
        Column("是否有发热或确诊过（疑似）病例", "本人或同住人有上述情况的选“是”。", 16, options=_YES_NO),
        Column(
            "分类",
            "由企业根据前几列判断：前述有“是”的，一般为“需要隔离”或“就诊人员”。",
            12,
            options=("需要隔离", "就诊人员", "正常", "其它"),
        ),
        Column("备注", "写明到过的地点和日期、隔离起止日期等。", 28, required=False),
    ),
    notes=(
        "每行一人，从第 4 行开始填写，不要改动表头、不要合并单元格；带 * 的列必填，有下拉框的列只能选择。",
        "外包、劳务派遣、临时工和驻场人员一并填写。人数应与申请表中的复工员工数一致。",
        "本表不需要填写身份证号码。",
    ),
)

VEHICLES = Listing(
    title="车辆清单（申请车辆通行证）",
    sheet_name="车辆",
    file_name="车辆清单",
    columns=(
        Column("车牌号码", "例如：浙B12345；新能源车例如：浙BD12345。汽车列车只填牵引车。", 14),
        Column("号牌种类", "按行驶证填写。", 14, options=("小型汽车", "大型汽车", "小型新能源", "大型新能源", "其他")),
        Column("车辆类型", "按行驶证填写，例如：重型厢式货车、大型普通客车。", 18),
        Column("核定载客（人）或载质量（吨）", "按行驶证填写，注明单位。", 14),
        Column("用途", "一辆车有多种用途的，选主要的一种。", 12, options=("货运", "通勤", "包车", "公务", "防疫物资")),
        Column("起点", "写到区县（市）和乡镇（街道）。", 18),
        Column("途经", "主要道路或途经区县（市）。", 18, required=False),
        Column("终点", "写到区县（市）和乡镇（街道）。", 18),
        Column("驾驶员姓名", "有两名驾驶员的用顿号分开。", 14),
        Column("驾驶员手机", "11 位手机号码，与姓名顺序一致。", 15),
        Column("使用开始日期", "例如：2020-02-17。", 14),
        Column("使用结束日期", "例如：2020-03-01；通行证最长 14 天，可到期前续办。", 14),
        Column("备注", "其他需要说明的情况。", 20, required=False),
    ),
    notes=(
        "每行一辆车，从第 4 行开始填写；同意复工后方可申请通行证，一车一证。",
        "通行证只印驾驶员姓氏，手机号码仅供核查联系使用。",
    ),
)

SUPPLIES = Listing(
    title="疫情防控物资清单",
    sheet_name="物资",
    file_name="疫情防控物资清单",
    columns=(
        Column(
            "物资名称",
            "列表中没有的选“其他”，并在备注中写明。",
            16,
            options=(
                "医用外科口罩",
                "一次性医用口罩",
                "N95口罩",
                "消毒液",
                "酒精",
                "测温仪",
                "体温计",
                "手套",
                "洗手液",
                "其他",
            ),
        ),
        Column("规格型号", "例如：84 消毒液 500 毫升/瓶。", 20),
        Column("单位", "例如：只、瓶、把。", 8),
        Column("现有数量", "填写数字，以实际库存为准。", 12),
        Column("每日用量", "按复工员工数估算，填写数字。", 12),
        Column("可用天数", "现有数量除以每日用量，取整数；建议不少于 7 天。", 12),
        Column("补充渠道", "供应商、上级单位或政府调配。", 20, required=False),
        Column("存放地点", "具体到库房或房间。", 18),
        Column("责任人", "负责领用登记的人员姓名。", 12),
        Column("备注", "其他需要说明的情况。", 20, required=False),
    ),
    notes=("每行一种物资，从第 4 行开始填写；实地勘定时核对库存和领用登记。",),
)

PLAN_HINT = "请按本企业的车间、岗位和人员实际填写，写清地点、时间、责任人；照抄示范文本的方案会在实地勘定时被退回。"
PLAN_HINT_MICRO = "员工总数不超过 20 人的微型企业只需填写以下四部分。请写清地点、时间、责任人。"
PLAN_PARTS = (
    PlanPart(
        "一、主体责任",
        True,
        (
            PlanPoint("（一）疫情防控领导小组", "企业负责人任组长；逐人列出姓名、职务、手机和分工。"),
            PlanPoint("（二）防控工作专班", "专职人员名单、值班安排、信息上报人。"),
            PlanPoint("（三）宣传和健康教育", "何时、以何种方式传达防疫要求；手册发放和培训记录。"),
        ),
    ),
    PlanPart(
        "二、员工调查",
        True,
        (PlanPoint("返工人员调查", "说明调查的方法和截止时间，附《返工人员调查总表》；“一人一表”由企业留存备查。"),),
    ),
    PlanPart(
        "三、员工接送",
        False,
        (
            PlanPoint("（一）外地员工返甬", "人数、出发地、交通方式、到达日期；包车的写明车次和座位安排。"),
            PlanPoint("（二）日常上下班通勤", "班车线路、班次、载客率、上车测温和消毒；自驾和步行人数。"),
        ),
    ),
    PlanPart(
        "四、隔离防控",
        True,
        (
            PlanPoint("（一）隔离场所和流程", "隔离点地址、房间数、负责人；发现异常后的报告、隔离、就诊步骤。"),
            PlanPoint("（二）防控物资", "口罩、消毒液、测温仪的库存、日用量和可用天数，补充渠道。"),
        ),
    ),
    PlanPart(
        "五、日常防控",
        True,
        (
            PlanPoint(
                "（一）场所消毒和环境卫生", "逐处列出车间、会议室、食堂、厕所、电梯的消毒时间、药品浓度和责任人。"
            ),
            PlanPoint("（二）每日测温", "测温点、测温人、登记表；37.3℃ 及以上如何处置。"),
            PlanPoint("（三）排班", "错峰上下班、减少同时在岗人数的办法。"),
            PlanPoint("（四）就餐", "分时错峰、同向就座或分餐，座位间距。"),
            PlanPoint("（五）会议", "能不开则不开；线上会议、人数和通风要求。"),
            PlanPoint("（六）访客和外来车辆", "登记、测温、活动范围；送货人员和司机的管理。"),
        ),
    ),
    PlanPart(
        "六、复产计划",
        False,
        (PlanPoint("复产安排", "分批上岗的日期和人数、初期复工率、主要产品和订单情况。"),),
    ),
)
