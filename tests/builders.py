"""Builds companies, staff and cases through the services, as tests need them."""

from __future__ import annotations

import datetime as dt
import io
import random
from dataclasses import dataclass, field, replace
from pathlib import Path

from flask import Flask
from PIL import Image
from sqlalchemy import func, select
from stdnum.cn import uscc as stdnum_uscc

from tests import walking
from workflow.core.actors import SYSTEM, Actor, Role
from workflow.core.flow import StateKind
from workflow.core.questions import CONDITIONS
from workflow.core.times import shanghai_day
from workflow.data import applications, areas, catalogue, inspections, materials, opinions, people
from workflow.data.applications import Application
from workflow.data.cases import Case
from workflow.data.flows import RuleVersion, digest_of
from workflow.data.people import Account
from workflow.documents.uploads import FileKind, ReceivedFile, receive
from workflow.extensions import db, settings
from workflow.services import accounts, cases
from workflow.services import applications as application_service
from workflow.services import inspections as inspection_service
from workflow.services import materials as material_service
from workflow.services import opinions as opinion_service
from workflow.services import passes as pass_service

PASSWORD = "correct-horse-7"
TOWN = "330203002"
NOW = dt.datetime(2020, 2, 15, 1, 30, tzinfo=dt.UTC)


def uscc(number: int) -> str:
    """A valid code for the invented enterprise ``number``: authority 91, area 330201, which is nobody's."""
    body = f"91330201MA{number:07d}"
    return body + stdnum_uscc.calc_check_digit(body)


def mobile(number: int) -> str:
    """An invented mobile number."""
    return f"138{number:08d}"


def png(seed: int = 0, size: tuple[int, int] = (64, 48)) -> bytes:
    """A small picture; another one for another seed."""
    noise = random.Random(seed)
    picture = Image.new("RGB", size, (noise.randrange(256), noise.randrange(256), noise.randrange(256)))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


_RECEIVED: dict[int, tuple[ReceivedFile, bytes]] = {}


def measured(code: str, checklist: str = "general") -> str:
    """A value that keeps the limit of a checklist item; empty for an item without one."""
    limit = catalogue.checklist(checklist).item(code).limit
    if limit is None:
        return ""
    bound = limit.minimum if limit.minimum is not None else limit.maximum
    return f"{bound:g}"


def tenants(*numbers: int) -> str:
    """A list of invented tenants as the form takes it."""
    return "\n".join(f"宁波海曙试验商行{n}，{uscc(n)}，{n % 30 + 1}" for n in numbers)


PURPOSE_ANSWERS: dict[str, dict[str, str]] = {
    "host": {"building": "330203002-Z1-B01", "tenants": tenants(801, 802, 803)},
    "site": {
        "sector": "construction",
        "project_name": "海曙区试验地块安置房工程",
        "project_owner": "宁波海曙试验建设开发有限公司",
        "permit_number": "330203201912010101",
        "site_manager": "钱试验",
        "site_count": "40",
        "site_lodging": "yes",
    },
    "reopen": {"closure_reason": "一名员工确诊", "closed_on": "2020-02-01", "release": "14 人已解除隔离，已终末消毒"},
    "extra_staff": {"added_count": "5", "arrive_on": "2020-02-20"},
}
"""What those who file for something else than resuming by themselves answer besides."""


@dataclass(slots=True)
class World:
    """One database's people and cases; ``now`` moves on by :meth:`later`."""

    app: Flask
    now: dt.datetime = NOW
    count: int = 0
    staff: dict[tuple[str, str], Account] = field(default_factory=dict)

    def later(self, **span: float) -> dt.datetime:
        """Move the clock on and return the new instant."""
        self.now += dt.timedelta(**span)
        return self.now

    def number(self) -> int:
        """A running number."""
        self.count += 1
        return self.count

    def actor(self, account: Account) -> Actor:
        """The actor that the account is now."""
        return people.actor_of(account, shanghai_day(self.now))

    def company(self, name: str = "") -> Account:
        """Register a company with one clerk."""
        n = self.number()
        account = accounts.register_company(
            accounts.Registration(uscc(n), name or f"宁波海曙试验机械第{n}有限公司", f"经办{n}", mobile(n), PASSWORD),
            self.now,
        )
        db.session.commit()
        return account

    def officer(self, role: Role, area: str = TOWN, bureau: str | None = None) -> Account:
        """The officer with this role in this area; one more each time it is asked for with another area."""
        key = (role.value, f"{area}/{bureau}")
        if key not in self.staff:
            self.staff[key] = self.new_officer(role, area, bureau)
        return self.staff[key]

    def new_officer(self, role: Role, area: str = TOWN, bureau: str | None = None) -> Account:
        """Another officer with this role in this area."""
        n = self.number()
        account = accounts.create_staff(
            SYSTEM,
            login=f"{role.value.replace('_', '-')}-{n}",
            name=f"干部{n}",
            password=PASSWORD,
            mobile="",
            now=self.now,
        )
        accounts.appoint(
            SYSTEM, person_id=account.person_id, role=role.value, area_code=area, bureau=bureau, now=self.now
        )
        db.session.commit()
        return account

    def inspectors(self, area: str = TOWN) -> tuple[Account, Account]:
        """Two inspectors of the town."""
        first = self.officer(Role.INSPECTOR, area)
        key = (Role.INSPECTOR.value + "2", area)
        if key not in self.staff:
            self.staff[key] = self.new_officer(Role.INSPECTOR, area)
        return first, self.staff[key]

    def answers(
        self, *, size: str = "below", town: str = TOWN, purpose: str = "resume", **changes: str
    ) -> dict[str, str]:
        """A complete set of raw answers for what is filed for."""
        resume_on = shanghai_day(self.now) + dt.timedelta(days=4)
        return {
            "purpose": purpose,
            "trade": "none",
            "name": "宁波海曙试验机械有限公司",
            "legal_person": "周试验",
            "sector": "industry",
            "industry": catalogue.industries()[10][0],
            "size": size,
            "hazardous": "no",
            "town": town,
            "address": "试验路 1 号",
            "head_name": "周试验",
            "head_phone": "0574-87654321",
            "contact_name": "吴联络",
            "contact_mobile": "13800138000",
            "hotline": "13800138001",
            "head_count": "86",
            "resuming_count": "60",
            "key_area_count": "0",
            "priority_class": "steady",
            "resume_on": resume_on.isoformat(),
            "reason": "订单交付",
            **{f"has_{key}": "have" for key, _ in CONDITIONS},
            **PURPOSE_ANSWERS.get(purpose, {}),
            **changes,
        }

    def file(self, content: bytes | None = None, name: str = "扫描件.png") -> ReceivedFile:
        """A file as the intake hands it over."""
        folder: Path = settings().var_dir / "incoming"
        folder.mkdir(parents=True, exist_ok=True)
        data = content if content is not None else png(self.number())
        return receive(io.BytesIO(data), name, kinds=tuple(FileKind), max_bytes=20 * 1024 * 1024, folder=folder)

    def known_file(self, seed: int) -> ReceivedFile:
        """A picture as it was received before in this test run: cheap, no other process has to look at it again."""
        if seed not in _RECEIVED:
            received = self.file(png(seed))
            _RECEIVED[seed] = received, received.path.read_bytes()
            return received
        received, content = _RECEIVED[seed]
        path = settings().var_dir / "incoming" / f"known-{self.number()}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return replace(received, path=path)

    def draft(self, clerk: Account, **answers: str) -> Application:
        """A complete draft of the clerk's company, with one file in every required slot."""
        return self.hand_in(clerk, self.typed(clerk, self.answers(**answers)))

    def typed(self, clerk: Account, raw: dict[str, str]) -> Application:
        """A draft of the clerk's company with these answers and no files."""
        actor = self.actor(clerk)
        (enterprise_id,) = actor.enterprise_ids
        application = application_service.start(actor, enterprise_id, self.now)
        application_service.save_answers(actor, application.id, raw, revision=None, now=self.now)
        db.session.commit()
        return application

    def hand_in(self, clerk: Account, application: Application) -> Application:
        """Put one file into every slot that the draft's answers require."""
        actor = self.actor(clerk)
        application_service.ensure_materials(application, application_service.read(application, self.now), self.now)
        for material in materials.of_application(application.id):
            if material.required and material.slot != materials.FORM_SLOT:
                known = self.known_file(material.position)
                kinds = catalogue.material_slots()[material.slot].kinds
                assert "png" in kinds, material.slot
                material_service.add_file(actor, application.id, material.slot, known, self.now)
        db.session.commit()
        db.session.expire_all()
        return application

    def submitted(self, clerk: Account | None = None, **answers: str) -> Case:
        """A submitted case."""
        clerk = clerk or self.company()
        application = self.draft(clerk, **answers)
        case = application_service.submit(
            self.actor(clerk), application.id, revision=application.revision, committed=True, now=self.now
        )
        db.session.commit()
        return case

    def step(self, account: Account, case: Case, action: str, note: str = "意见") -> Case:
        """Take a plain step a little later."""
        cases.perform(self.actor(account), case.id, action, version=case.version, now=self.later(minutes=30), note=note)
        db.session.commit()
        db.session.refresh(case)
        return case

    def judge_all(self, case: Case, **flags: str) -> None:
        """Mark every due material as conforming, except ``slot=words`` ones, which are marked wrong."""
        reviewer = self.actor(self.officer(Role.REVIEWER, case.town.code))
        application = applications.of_case(case.id)
        for material in materials.of_application(application.id):
            if not material.is_due or (material.verdict == "ok" and material.slot not in flags):
                continue
            words = flags.get(material.slot, "")
            material_service.judge(
                reviewer,
                case.id,
                material.id,
                verdict="wrong" if words else "ok",
                words=words,
                late_reason="",
                seen_rev=material.content_rev,
                now=self.later(minutes=1),
            )
        db.session.commit()

    def reviewed(self, clerk: Account | None = None, **answers: str) -> Case:
        """A case whose materials passed."""
        case = self.submitted(clerk, **answers)
        reviewer = self.officer(Role.REVIEWER, case.town.code)
        self.step(reviewer, case, "accept")
        self.judge_all(case)
        return self.step(reviewer, case, "pass_materials")

    def scheduled(self, clerk: Account | None = None, **answers: str) -> Case:
        """A case with an arranged visit."""
        case = self.reviewed(clerk, **answers)
        return self.schedule(case)

    def schedule(self, case: Case, action: str = "schedule_inspection") -> Case:
        """Arrange a visit tomorrow, by whoever does that in the case's flow."""
        first, second = self.inspectors(case.town.code)
        appointment = inspection_service.Appointment(self.now + dt.timedelta(days=1), first.person_id, second.person_id)
        step = case.flow.step(case.state, action)
        who = self.actor(self.in_charge(step.role, case) if step else first)
        inspection_service.schedule(who, case.id, action, appointment, version=case.version, now=self.now)
        db.session.commit()
        db.session.refresh(case)
        return case

    def fill_sheet(self, case: Case, *fail: str) -> inspections.Inspection:
        """Mark every item of the planned visit: conforming, or failed with words for the codes given."""
        first, _second = self.inspectors(case.town.code)
        visit = inspection_service.planned(case)
        assert visit is not None
        entries = {
            item.code: inspection_service.ItemEntry("fail", "", "现场未落实")
            if item.code in fail
            else inspection_service.ItemEntry("conform", measured(item.code, visit.checklist))
            for item in visit.items
        }
        inspection_service.save_sheet(self.actor(first), visit.id, entries, revision=visit.revision, now=self.now)
        db.session.commit()
        return visit

    def conclude(self, case: Case, action: str = "pass_inspection", *fail: str, words: str = "核查情况属实") -> Case:
        """Fill the sheet and conclude the visit."""
        first, _second = self.inspectors(case.town.code)
        visit = self.fill_sheet(case, *fail)
        inspection_service.conclude(
            self.actor(first),
            visit.id,
            action,
            version=case.version,
            words=words,
            rectify_by_on=shanghai_day(self.now) + dt.timedelta(days=3),
            now=self.later(hours=20),
        )
        db.session.commit()
        db.session.refresh(case)
        return case

    def approved(self, clerk: Account | None = None, **answers: str) -> Case:
        """An approved case, by whatever way its flow has."""
        case = self.submitted(clerk, **answers)
        return walking.walk(self, case, {s.key for s in case.flow.states.values() if s.kind is StateKind.APPROVED})

    def decide(self, case: Case) -> Case:
        """Take every favourable decision that the flow asks for, each by the officer in charge."""
        flow = case.flow
        while flow.state(case.state).kind is not StateKind.APPROVED:
            step = next(s for s in flow.steps_from(case.state) if s.decision and s.tone == "success")
            self.step(self.in_charge(step.role, case), case, step.action, "同意")
        return case

    def in_charge(self, role: Role, case: Case) -> Account:
        """The officer who holds a role for this case: of its town, its county or its bureau."""
        if role is Role.BUREAU_REVIEWER:
            return self.officer(role, case.county.code, case.bureau)
        if role is Role.INSPECTOR:
            return self.inspectors(case.town.code)[0]
        return self.officer(role, case.county.code if role is Role.LEADING_GROUP else case.town.code)

    def clerk_of(self, case: Case) -> Account:
        """The account of the case's company."""
        person = min(cases.case_facts(case, self.now).company_people)
        return db.session.scalars(select(Account).where(Account.person_id == person)).one()

    def publish_rules(self, key: str, area: str = "") -> RuleVersion:
        """Put a rulebook that comes with the product in force from today, everywhere or in one area."""
        place = areas.by_code(area) if area else None
        version = RuleVersion(
            revision=1 + (db.session.scalar(select(func.max(RuleVersion.revision))) or 0),
            text=catalogue.rules_text(key),
            digest=digest_of(catalogue.rules_text(key)),
            area_id=place.id if place else None,
            effective_on=shanghai_day(self.now),
            published_at=self.now,
        )
        db.session.add(version)
        db.session.commit()
        return version

    def answer_opinions(self, case: Case, stance: str = "agree") -> None:
        """Let every department that was asked give its opinion."""
        for request in opinions.of_case(case.id):
            if request.status == "open":
                officer = self.officer(Role.DEPARTMENT, case.county.code, request.department)
                opinion_service.answer(self.actor(officer), request.id, stance, "已会商。", self.later(minutes=20))
        db.session.commit()

    def pass_request(self, plate: str = "浙B12345", **changes: object) -> pass_service.PassRequest:
        """A good request for a pass."""
        today = shanghai_day(self.now)
        values: dict[str, object] = {
            "plate": plate,
            "vehicle_type": "中型货车",
            "purpose": "goods",
            "route": "海曙区 → 北仑港",
            "drivers": ["郑师傅"],
            "valid_from_on": today,
            "valid_until_on": today + dt.timedelta(days=6),
            **changes,
        }
        return pass_service.PassRequest(**values)  # type: ignore[arg-type]
