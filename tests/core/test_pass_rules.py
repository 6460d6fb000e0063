"""Rules on passes as data, and the life of a pass as one table."""

from __future__ import annotations

import pytest

from workflow.core.facts import EnterpriseFacts
from workflow.core.pass_life import ACTS, Action, Who, is_open
from workflow.core.pass_rules import CAUTIOUS, Decision, Quota
from workflow.core.rulebook import Rulebook, RulebookInvalid, Rules, read_rulebook
from workflow.data import catalogue
from workflow.data.passes import STATUSES

TITLE = 'title = { zh = "规则", en = "Rules" }\n'
WHY = 'why = { zh = "理由", en = "Reason" }\n'
GOOD = f"[[pass]]\nquota = {{ base = 5, per_heads = 10, most = 8 }}\n{WHY}"


def book(text: str) -> Rulebook:
    """A rulebook of these entries."""
    return read_rulebook(TITLE + text)


@pytest.mark.parametrize(
    ("heads", "quota", "places"),
    [
        (0, Quota(5, 10, 8), 5),
        (1, Quota(5, 10, 8), 6),
        (10, Quota(5, 10, 8), 6),
        (11, Quota(5, 10, 8), 7),
        (5000, Quota(5, 10, 8), 8),
        (5000, Quota(5), 5),
        (10, Quota(0), 0),
    ],
)
def test_a_quota_grows_with_the_people_up_to_its_end(heads: int, quota: Quota, places: int) -> None:
    assert quota.allows(heads) == places


def test_what_is_not_said_is_cautious() -> None:
    (rule,) = book(GOOD).passes
    assert (rule.decision, rule.days, rule.kinds, rule.ahead) == (Decision.OFFICER, 14, None, 14)
    assert rule.plate_kinds == ("ordinary", "nev_small", "nev_large")
    assert CAUTIOUS.decision is Decision.OFFICER
    assert (CAUTIOUS.quota.allows(1000), CAUTIOUS.days) == (20, 14)


def test_the_narrowest_book_and_its_first_entry_win() -> None:
    town = book(f'[[pass]]\nkinds = ["goods"]\nwhen = {{ listed = "yes" }}\ndays = 3\nquota = {{ base = 1 }}\n{WHY}')
    city = book(f'[[pass]]\nkinds = ["goods"]\ndays = 7\nquota = {{ base = 2 }}\n{WHY}' + GOOD)
    rules = Rules((town, city))
    listed, free = EnterpriseFacts({"listed": "yes"}), EnterpriseFacts({"listed": "no"})
    assert [rules.pass_rule(listed, k).days for k in ("goods", "duty")] == [3, 14]
    assert [rules.pass_rule(free, k).days for k in ("goods", "duty")] == [7, 14]
    assert Rules((town,)).pass_rule(free, "goods") is CAUTIOUS
    assert Rules(()).pass_rule(listed, "goods") is CAUTIOUS


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (WHY, "pass 1: quota must say base, and may say per_heads and most"),
        (f"quota = 5\n{WHY}", "pass 1: quota must say base, and may say per_heads and most"),
        (f"quota = {{ base = -1 }}\n{WHY}", "pass 1: base must be a whole number from 0 to 5000"),
        (f"quota = {{ base = 9, most = 3 }}\n{WHY}", "pass 1: quota: most is less than base"),
        (f"quota = {{ base = 9, mots = 3 }}\n{WHY}", "pass 1: unknown key 'mots'"),
        (f"quota = {{ base = 9 }}\ndays = 91\n{WHY}", "pass 1: days must be a whole number from 1 to 90"),
        (f'quota = {{ base = 9 }}\ndays = "14"\n{WHY}', "pass 1: days must be a whole number from 1 to 90"),
        (f"quota = {{ base = 9 }}\nahead = 61\n{WHY}", "pass 1: ahead must be a whole number from 0 to 60"),
        (f"quota = {{ base = 9 }}\nkinds = []\n{WHY}", "pass 1: kinds must name at least one kind"),
        (
            f'quota = {{ base = 9 }}\nplate_kinds = ["ordinary"]\n{WHY}',
            "pass 1: plate_kinds is for automatic decisions",
        ),
        (
            f'quota = {{ base = 9 }}\ndecision = "automatic"\nplate_kinds = ["other"]\n{WHY}',
            "pass 1: unknown name 'other' in plate_kinds",
        ),
        (
            f'quota = {{ base = 9 }}\ndecision = "nobody"\n{WHY}',
            "pass 1: decision 'nobody' is not one of officer, automatic",
        ),
        (f'quota = {{ base = 9 }}\nwhen = {{ moon = "full" }}\n{WHY}', "pass 1: unknown fact 'moon'"),
        (f"quota = {{ base = 9 }}\nquoat = 1\n{WHY}", "pass 1: unknown key 'quoat'"),
        ("quota = { base = 9 }\n", "pass 1: why needs zh and en, each a plain text of at most 100 characters"),
    ],
)
def test_what_is_wrong_is_said(entry: str, problem: str) -> None:
    with pytest.raises(RulebookInvalid) as refused:
        book("[[pass]]\n" + entry)
    assert problem in refused.value.problems


@pytest.mark.parametrize(("key", "automatic"), [("approval", False), ("filing", True), ("none", True)])
def test_the_shipped_books_speak_of_every_kind(key: str, automatic: bool) -> None:
    rules = catalogue.shipped_rules(key)
    facts = EnterpriseFacts({"regime": "filing", "listed": "no"})
    found = {kind: rules.pass_rule(facts, kind) for kind in catalogue.passes().vehicle_kinds}
    assert CAUTIOUS not in found.values()
    at_once = {k for k, rule in found.items() if rule.decision is Decision.AUTOMATIC}
    assert at_once == ({"goods", "commute", "supplies"} if automatic else set())
    listed = facts.with_values(listed="yes")
    assert key == "none" or all(rules.pass_rule(listed, k).decision is Decision.OFFICER for k in found)


def test_the_table_of_acts_is_whole() -> None:
    assert set(ACTS) == set(Action)
    for act in ACTS.values():
        assert set(act.sources) <= set(STATUSES)
        assert act.dest in {*STATUSES, ""}
        assert act.dest or act.asks
        assert act.who
    reached = {a.dest for a in ACTS.values()}
    assert set(STATUSES) <= reached
    ends = {s for s in STATUSES if not any(s in a.sources for a in ACTS.values())}
    assert ends == {"refused", "withdrawn", "revoked", "replaced"}


def test_nobody_both_asks_and_decides() -> None:
    for action, act in ACTS.items():
        assert not {Who.COMPANY, Who.OFFICER} <= act.who, action
    assert not is_open(Action.GRANT, "requested", Who.COMPANY)
    assert is_open(Action.GRANT, "requested", Who.SYSTEM)
