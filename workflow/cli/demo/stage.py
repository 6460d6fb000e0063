"""The stage of the demo: companies and officials acting through the services, each case on its own clock."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from workflow.cli.demo.cast import CENTRE, PASSWORD, Company, Official, company
from workflow.cli.demo.papers import Papers
from workflow.core.actors import SYSTEM, Actor, Role
from workflow.core.questions import CONDITIONS
from workflow.core.times import shanghai_day, shanghai_time, start_of_day
from workflow.data import applications, catalogue, inspections, materials, people
from workflow.data.cases import Case
from workflow.data.people import Account
from workflow.extensions import db
from workflow.services import accounts, cases, checklists
from workflow.services import applications as application_service
from workflow.services import inspections as inspection_service
from workflow.services import materials as material_service
from workflow.services import passes as pass_service


@dataclass(slots=True)
class Clock:
    """An instant that moves on within office hours, and never past ``limit``."""

    at: dt.datetime
    limit: dt.datetime

    def later(self, hours: float) -> dt.datetime:
        """Move on; out of office hours (8 to 20 in Shanghai) waits for the next morning."""
        self.at += dt.timedelta(hours=hours)
        local = shanghai_time(self.at)
        if not 8 <= local.hour < 20:
            day = local.date() + dt.timedelta(days=local.hour >= 20)
            self.at = start_of_day(day) + dt.timedelta(hours=8, minutes=17)
        self.at = min(self.at, self.limit)
        return self.at


@dataclass(slots=True)
class Stage:
    """Everything a story needs: who acts, with which papers, and when it all began."""

    papers: Papers
    began: dt.datetime
    limit: dt.datetime
    officials: dict[tuple[Role, str], list[Account]]

    def hire(self, official: Official) -> None:
        """Make an official's account and appointment."""
        account = accounts.create_staff(
            SYSTEM,
            login=official.login,
            name=official.name,
            password=PASSWORD,
            mobile="",
            now=self.began,
            is_demo=True,
        )
        accounts.appoint(
            SYSTEM,
            person_id=account.person_id,
            role=official.role.value,
            area_code=official.area,
            bureau=official.bureau,
            now=self.began,
        )
        key = (official.role, f"{official.area}/{official.bureau or ''}")
        self.officials.setdefault(key, []).append(account)

    def actor(self, role: Role, place: str, at: dt.datetime, number: int = 0, bureau: str = "") -> Actor:
        """The official with this role in this place, and in this bureau if the role has one."""
        return people.actor_of(self.officials[(role, f"{place}/{bureau}")][number], shanghai_day(at))

    def register(self, company: Company, at: dt.datetime) -> Account:
        """A company registers by itself."""
        registration = accounts.Registration(company.uscc, company.name, company.clerk, company.mobile, PASSWORD)
        return accounts.register_company(registration, at, is_demo=True)


class Kind(StrEnum):
    """What a company of the demo files for."""

    USUAL = "usual"
    HOST = "host"
    HAZARDOUS = "hazardous"
    PRIORITY = "priority"


def _tenants(number: int) -> str:
    """The tenants of a building as its property company lists them."""
    invented = [company(900 + number * 10 + n) for n in range(6)]
    return "\n".join(f"{c.name}，{c.uscc}，{6 + n * 7}" for n, c in enumerate(invented))


@dataclass(slots=True)
class Story:
    """One company's case on the stage; methods are the acts, each through a service."""

    stage: Stage
    company: Company
    clock: Clock
    town: str
    size: str
    clerk: Account
    kind: Kind = Kind.USUAL
    case: Case | None = None

    @property
    def county(self) -> str:
        """The county's code."""
        return self.town[:6]

    def filer(self) -> Actor:
        """The company's clerk."""
        return people.actor_of(self.clerk, shanghai_day(self.clock.at))

    def official(self, role: Role, number: int = 0) -> Actor:
        """The official in charge of this case in a role."""
        if role is Role.BUREAU_REVIEWER:
            return self.stage.actor(role, self.county, self.clock.at, number, self.opened.bureau or "")
        place = self.county if role is Role.LEADING_GROUP else self.town
        return self.stage.actor(role, place, self.clock.at, number)

    @property
    def opened(self) -> Case:
        """The case, once submitted."""
        if self.case is None:
            raise LookupError("the story has no case yet")
        return self.case

    def answers(self) -> dict[str, str]:
        """The company's answers."""
        n = self.company.number
        total = {"micro": 6 + n % 15, "below": 28 + n * 3 % 160, "above": 320 + n * 37 % 1500}[self.size]
        divisions = {"industry": "34", "commerce": "52", "transport": "59", "construction": "47", "culture": "90"}
        division = divisions[self.company.sector]
        known = {code for code, _ in catalogue.industries()}
        return {
            "purpose": "host" if self.kind is Kind.HOST else "resume",
            "trade": "none",
            "name": self.company.name,
            "legal_person": self.company.head,
            "sector": self.company.sector,
            "industry": division if division in known else sorted(known)[0],
            "size": self.size,
            "hazardous": "yes" if self.kind is Kind.HAZARDOUS else "no",
            "town": self.town,
            "zone": self._zone(),
            "building": f"{CENTRE}-Z1-B01" if self.kind is Kind.HOST else "",
            "tenants": _tenants(n) if self.kind is Kind.HOST else "",
            "address": self.company.address,
            "head_name": self.company.head,
            "head_phone": "0574-87650000",
            "contact_name": self.company.clerk,
            "contact_mobile": self.company.mobile,
            "hotline": self.company.mobile,
            "head_count": str(total),
            "resuming_count": str(max(1, total * (4 + n % 5) // 10)),
            "key_area_count": str(n % 4 if n % 3 == 0 else 0),
            "priority_class": "epidemic_supplies" if self.kind is Kind.PRIORITY else "steady",
            "resume_on": (shanghai_day(self.clock.at) + dt.timedelta(days=5 + n % 4)).isoformat(),
            "reason": "已落实防疫措施，订单交期临近，申请分批复工。",
            **{f"has_{key}": "have" for key, _ in CONDITIONS},
        }

    def _zone(self) -> str:
        """The zone that the company says it lies in: some of those in the centre know theirs."""
        number = self.company.number
        knows = self.town == CENTRE and number % 3 == 1 and self.kind is not Kind.HOST
        return f"{CENTRE}-Z{number % 7 + 1}" if knows else ""

    def draft(self, share: float = 1.0) -> int:
        """Fill a share of the form; returns the application's id."""
        (enterprise_id,) = self.filer().enterprise_ids
        application = application_service.start(self.filer(), enterprise_id, self.clock.at)
        answers = self.answers()
        kept = dict(list(answers.items())[: round(len(answers) * share)])
        application_service.save_answers(self.filer(), application.id, kept, revision=None, now=self.clock.at)
        return application.id

    def upload_all(self, application_id: int) -> None:
        """Put a file into each required slot."""
        application = application_service.get_own(self.filer(), application_id)
        reading = application_service.read(application, self.clock.at)
        for material in application_service.ensure_materials(application, reading, self.clock.at):
            if material.required and material.slot != materials.FORM_SLOT:
                received = self.stage.papers.copy(material.slot)
                material_service.add_file(self.filer(), application_id, material.slot, received, self.clock.at)

    def submit(self) -> None:
        """Fill, upload and submit."""
        application_id = self.draft()
        self.clock.later(0.4)
        self.upload_all(application_id)
        self.clock.later(0.2)
        db.session.flush()
        application = application_service.get_own(self.filer(), application_id)
        self.case = application_service.submit(
            self.filer(), application_id, revision=application.revision, committed=True, now=self.clock.at
        )

    def step(self, role: Role, action: str, words: str = "", hours: float = 3) -> None:
        """One plain step by the official in charge, or by the company."""
        at = self.clock.later(hours)
        who = self.filer() if role is Role.FILER else self.official(role)
        cases.perform(who, self.opened.id, action, version=self.opened.version, now=at, note=words)

    def judge(self, **flags: str) -> None:
        """Judge every material that is due; ``slot=words`` are wrong."""
        application = applications.of_case(self.opened.id)
        for material in materials.of_application(application.id):
            if not material.is_due or material.verdict == "ok":
                continue
            words = flags.get(material.slot, "")
            material_service.judge(
                self.official(Role.REVIEWER),
                self.opened.id,
                material.id,
                verdict="wrong" if words else "ok",
                words=words,
                late_reason="",
                seen_rev=material.content_rev,
                now=self.clock.later(0.05),
            )

    def correct(self, slot: str) -> None:
        """The company replaces one flagged material and hands the case in again."""
        application = applications.of_case(self.opened.id)
        material = next(m for m in materials.of_application(application.id) if m.slot == slot)
        at = self.clock.later(5)
        for file in material.current_files:
            material_service.remove_file(self.filer(), file.id, at)
        material_service.add_file(self.filer(), application.id, slot, self.stage.papers.copy("better"), at)
        db.session.flush()
        self.step(Role.FILER, "resubmit", "已按告知补正。", 0.3)

    def arrange(self, days: float = 1) -> None:
        """Arrange a visit of the town's two inspectors."""
        at = self.clock.later(2)
        first, second = self.official(Role.INSPECTOR), self.official(Role.INSPECTOR, 1)
        step = self.opened.flow.step(self.opened.state, "schedule_inspection")
        who = self.official(step.role) if step else first
        visit_at = start_of_day(shanghai_day(at + dt.timedelta(days=days))) + dt.timedelta(hours=9, minutes=30)
        appointment = inspection_service.Appointment(max(visit_at, at), first.person_id, second.person_id, "企业门岗")
        inspection_service.schedule(
            who, self.opened.id, "schedule_inspection", appointment, version=self.opened.version, now=at
        )

    def inspect(self, action: str, words: str, fails: int = 0) -> None:
        """Go there, fill the sheet, take two photos and conclude."""
        visit = inspection_service.planned(self.opened)
        if visit is None:
            raise LookupError("no visit is arranged")
        self.clock.at = min(max(self.clock.at, visit.visit_at), self.clock.limit)
        at = self.clock.later(0.3)
        inspector = self.official(Role.INSPECTOR)
        failing = {i.code for i in visit.items if not i.is_veto}
        chosen = sorted(failing)[:fails]
        checklist = checklists.of_visit(visit)
        entries = {}
        for item in visit.items:
            if item.code in chosen:
                entries[item.code] = inspection_service.ItemEntry("fail", "", "现场未见记录，要求补齐。")
            else:
                limit = checklist.item(item.code).limit
                value = (limit.minimum if limit.minimum is not None else limit.maximum) if limit else None
                measured = "" if value is None else f"{value:g}"
                entries[item.code] = inspection_service.ItemEntry("conform", measured)
        inspection_service.save_sheet(inspector, visit.id, entries, revision=visit.revision, now=at)
        for key, caption in (("photo1", "门岗测温点"), ("photo2", "食堂错峰就餐")):
            received = self.stage.papers.copy(key)
            inspection_service.add_photo(inspector, visit.id, received, code="", caption=caption, now=at)
        db.session.flush()
        inspection_service.conclude(
            inspector,
            visit.id,
            action,
            version=self.opened.version,
            words=words,
            rectify_by_on=shanghai_day(at) + dt.timedelta(days=3),
            now=self.clock.later(0.8),
        )

    def rectify(self) -> None:
        """The company answers each failed item."""
        visit: inspections.Inspection | None = inspection_service.last_concluded(self.opened)
        if visit is None:
            raise LookupError("no visit was concluded")
        remedies = {i.code: "已补齐记录并张贴上墙，专人负责。" for i in visit.items if i.result == "fail"}
        inspection_service.report_rectified(
            self.filer(),
            self.opened.id,
            "report_rectified",
            remedies,
            version=self.opened.version,
            now=self.clock.later(9),
        )

    def ask_pass(self, plate: str, purpose: str = "goods") -> int:
        """Ask for a vehicle pass; returns its id."""
        at = self.clock.later(1)
        first = shanghai_day(at)
        asked = pass_service.request_pass(
            self.filer(),
            self.opened.id,
            pass_service.PassRequest(
                plate=plate,
                vehicle_type="中型货车" if purpose == "goods" else "大型客车",
                purpose=purpose,
                route="企业 → 宁波舟山港北仑港区" if purpose == "goods" else "企业 → 员工集中居住点",
                drivers=[self.company.head],
                valid_from_on=first,
                valid_until_on=first + dt.timedelta(days=13),
            ),
            at,
        )
        return asked.id

    def grant(self, pass_id: int) -> None:
        """The reviewer grants a pass."""
        pass_service.grant(self.official(Role.REVIEWER), pass_id, self.clock.later(0.5))
