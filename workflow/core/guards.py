"""Named guards that flow files call: each looks at the actor and the facts and gives a reason against, or None."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from workflow.core.actors import Actor
from workflow.core.errors import N_, Reason
from workflow.core.facts import FLAGS, CaseFacts, Outcome, Verdict

Guard = Callable[[Actor, CaseFacts], Reason | None]


def materials_marked(actor: Actor, facts: CaseFacts) -> Reason | None:
    """Every material has a verdict in this round."""
    left = sum(m.verdict is Verdict.PENDING for m in facts.materials)
    return Reason(N_("还有 %(n)s 项材料未审"), {"n": left}) if left else None


def material_flagged(actor: Actor, facts: CaseFacts) -> Reason | None:
    """At least one material was found wrong, missing or expired, so that there is something to correct."""
    if any(m.verdict in FLAGS for m in facts.materials):
        return None
    return Reason(N_("没有需要补正的材料"))


def materials_accepted(actor: Actor, facts: CaseFacts) -> Reason | None:
    """Every material conforms."""
    if not facts.materials:
        return Reason(N_("案件没有任何材料"))
    left = sum(m.verdict is not Verdict.OK for m in facts.materials)
    return Reason(N_("还有 %(n)s 项材料未审定为符合"), {"n": left}) if left else None


def corrections_made(actor: Actor, facts: CaseFacts) -> Reason | None:
    """Each flagged material was replaced or supplemented by the company."""
    left = sum(m.verdict in FLAGS and not m.changed_since_verdict for m in facts.materials)
    return Reason(N_("还有 %(n)s 项材料未补正"), {"n": left}) if left else None


def required_present(actor: Actor, facts: CaseFacts) -> Reason | None:
    """Each required material has at least one file."""
    left = sum(m.required and not m.has_content for m in facts.materials)
    return Reason(N_("还缺 %(n)s 项必交材料"), {"n": left}) if left else None


def two_inspectors(actor: Actor, facts: CaseFacts) -> Reason | None:
    """Two different people are appointed to inspect."""
    if len(set(facts.appointed_inspectors)) >= 2:
        return None
    return Reason(N_("需要两名不同的核查员"))


def inspectors_not_of_company(actor: Actor, facts: CaseFacts) -> Reason | None:
    """No appointed inspector belongs to the company inspected."""
    if facts.company_people.isdisjoint(facts.appointed_inspectors):
        return None
    return Reason(N_("核查员不得为本企业人员"))


def inspector_not_reviewer(actor: Actor, facts: CaseFacts) -> Reason | None:
    """No appointed inspector judged a material of this case: who read the papers does not look at the place."""
    if facts.material_reviewers.isdisjoint(facts.appointed_inspectors):
        return None
    return Reason(N_("核查员审核过本案材料，应另派他人"))


def appointed_inspector(actor: Actor, facts: CaseFacts) -> Reason | None:
    """The actor is one of the two appointed inspectors."""
    if actor.person_id in facts.appointed_inspectors:
        return None
    return Reason(N_("由指定的两名核查员办理"))


def checklist_complete(actor: Actor, facts: CaseFacts) -> Reason | None:
    """Every item of the checklist was marked."""
    left = facts.checklist_total - facts.checklist_marked
    return Reason(N_("核查清单还有 %(n)s 项未填"), {"n": left}) if left > 0 else None


def no_failed_items(actor: Actor, facts: CaseFacts) -> Reason | None:
    """No item failed."""
    if facts.failed_items:
        return Reason(N_("有 %(n)s 项不符合，不能判为通过"), {"n": facts.failed_items})
    return None


def some_failed_items(actor: Actor, facts: CaseFacts) -> Reason | None:
    """At least one item failed."""
    return None if facts.failed_items else Reason(N_("没有不符合项"))


def rectify_date_set(actor: Actor, facts: CaseFacts) -> Reason | None:
    """A date to rectify by is given and not past."""
    if facts.rectify_by_on is None:
        return Reason(N_("请填写整改期限"))
    if facts.today is not None and facts.rectify_by_on < facts.today:
        return Reason(N_("整改期限不能早于今天"))
    return None


def rectification_answered(actor: Actor, facts: CaseFacts) -> Reason | None:
    """The company said what it did about each failed item."""
    return None if facts.rectification_answered else Reason(N_("请逐项说明整改情况"))


def sheet_signed(actor: Actor, facts: CaseFacts) -> Reason | None:
    """Both inspectors confirmed the sheet as it is now, and the company signed it or refused to."""
    if facts.signatures_missing:
        return Reason(N_("还缺 %(n)s 方签字（企业签字或拒签、两名核查员确认）"), {"n": facts.signatures_missing})
    if facts.signatures_stale:
        return Reason(N_("签字后核查内容又有改动，请 %(n)s 方重新签字"), {"n": facts.signatures_stale})
    return None


def inspection_passed(actor: Actor, facts: CaseFacts) -> Reason | None:
    """The last inspection passed."""
    return None if facts.outcome is Outcome.PASS else Reason(N_("实地核查未通过"))


def not_the_inspector(actor: Actor, facts: CaseFacts) -> Reason | None:
    """Four eyes by person: whoever inspected this case does not decide on it."""
    if actor.person_id in facts.past_inspectors or actor.person_id in facts.appointed_inspectors:
        return Reason(N_("您参加过本案的实地核查，不能再作审定"))
    return None


def not_of_company(actor: Actor, facts: CaseFacts) -> Reason | None:
    """Whoever belongs to the company, or declared an interest in it, does not act on its case for the authorities."""
    if actor.person_id in facts.company_people:
        return Reason(N_("您是该企业人员或与其有利害关系，应当回避"))
    return None


def all_opinions_in(actor: Actor, facts: CaseFacts) -> Reason | None:
    """Every department that was asked for its opinion has given it (or the request was taken back)."""
    if facts.opinions_open:
        return Reason(N_("还有 %(n)s 个部门未答复意见"), {"n": facts.opinions_open})
    return None


def no_opinion_against(actor: Actor, facts: CaseFacts) -> Reason | None:
    """No department spoke against it."""
    if facts.opinions_against:
        return Reason(N_("有 %(n)s 个部门不同意"), {"n": facts.opinions_against})
    return None


GUARDS: Mapping[str, Guard] = {
    g.__name__: g
    for g in (
        materials_marked,
        material_flagged,
        materials_accepted,
        corrections_made,
        required_present,
        two_inspectors,
        inspectors_not_of_company,
        inspector_not_reviewer,
        appointed_inspector,
        checklist_complete,
        no_failed_items,
        some_failed_items,
        rectify_date_set,
        rectification_answered,
        sheet_signed,
        inspection_passed,
        not_the_inspector,
        not_of_company,
        all_opinions_in,
        no_opinion_against,
    )
}
"""Every guard that a flow file may name."""

FACT_GROUPS: Mapping[str, frozenset[str]] = {
    "materials": frozenset({"materials"}),
    "people": frozenset({"company_people"}),
    "reviewers": frozenset({"material_reviewers"}),
    "opinions": frozenset({"opinions_open", "opinions_against"}),
    "signatures": frozenset({"signatures_missing", "signatures_stale"}),
    "visits": frozenset(
        {
            "appointed_inspectors",
            "past_inspectors",
            "checklist_total",
            "checklist_marked",
            "failed_items",
            "failed_veto_items",
            "rectify_by_on",
            "rectification_answered",
            "outcome",
        }
    ),
}
"""The fields of :class:`~workflow.core.facts.CaseFacts` that are read together, by what they are about."""

NEEDS: Mapping[str, frozenset[str]] = {
    "materials_marked": frozenset({"materials"}),
    "material_flagged": frozenset({"materials"}),
    "materials_accepted": frozenset({"materials"}),
    "corrections_made": frozenset({"materials"}),
    "required_present": frozenset({"materials"}),
    "two_inspectors": frozenset({"visits"}),
    "inspectors_not_of_company": frozenset({"visits", "people"}),
    "inspector_not_reviewer": frozenset({"visits", "reviewers"}),
    "appointed_inspector": frozenset({"visits"}),
    "checklist_complete": frozenset({"visits"}),
    "no_failed_items": frozenset({"visits"}),
    "some_failed_items": frozenset({"visits"}),
    "rectify_date_set": frozenset({"visits"}),
    "rectification_answered": frozenset({"visits"}),
    "sheet_signed": frozenset({"signatures"}),
    "inspection_passed": frozenset({"visits"}),
    "not_the_inspector": frozenset({"visits"}),
    "not_of_company": frozenset({"people"}),
    "all_opinions_in": frozenset({"opinions"}),
    "no_opinion_against": frozenset({"opinions"}),
}
"""Which groups of facts each guard looks at, so that a step reads no more (a test compares with the code)."""
