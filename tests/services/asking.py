"""A flow that asks departments, published for tests, and the people who answer."""

from __future__ import annotations

from sqlalchemy import select

from tests.builders import World
from workflow.core.actors import Role
from workflow.data import catalogue
from workflow.data.cases import Case
from workflow.data.flows import FlowVersion, digest_of
from workflow.data.opinions import OpinionRequest
from workflow.data.people import Account
from workflow.extensions import db

COUNTY, OTHER_COUNTY = "330203", "330206"
OPINIONS = """
[[opinion]]
department = "weijian"
days = 2

[[opinion]]
department = "yingji"
days = 3
"""


def asking_flow() -> str:
    """The small enterprises' flow, changed to ask two departments when the materials pass and to wait for both."""
    text = catalogue.flow_text("city-small")
    revision = next(line for line in text.splitlines() if line.startswith("revision"))
    before, after = text.split('action = "pass_materials"', 1)
    after = after.replace('effects = ["tell_company"]', 'effects = ["ask_opinions", "tell_company"]', 1)
    start, rest = after.split('action = "approve"', 1)
    rest = rest.replace('guards = ["', 'guards = ["all_opinions_in", "no_opinion_against", "', 1)
    whole = before + 'action = "pass_materials"' + start + 'action = "approve"' + rest
    return whole.replace(revision, "revision = 900", 1) + OPINIONS


def publish_asking(world: World) -> None:
    """Put the asking flow in force for everywhere."""
    text = asking_flow()
    newest = db.session.scalars(select(FlowVersion.effective_on).where(FlowVersion.key == "city-small")).first()
    assert newest is not None
    db.session.add(
        FlowVersion(
            key="city-small",
            revision=900,
            text=text,
            digest=digest_of(text),
            effective_on=newest,
            published_at=world.now,
        )
    )
    db.session.commit()


def department(world: World, code: str = "weijian", county: str = COUNTY) -> Account:
    """Somebody of a county's department."""
    return world.officer(Role.DEPARTMENT, county, code)


def request_to(case: Case, code: str) -> OpinionRequest:
    """The newest request to a department on a case."""
    query = select(OpinionRequest).where(OpinionRequest.case_id == case.id, OpinionRequest.department == code)
    found = db.session.scalars(query.order_by(OpinionRequest.id.desc())).first()
    assert found is not None
    return found
