"""The kinds of pass: the code stored, the word printed, the colour shown, and the number signed in the token."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from workflow.core.errors import N_


class PassKind(StrEnum):
    """What a pass allows its holder to travel for; the last two are papers that carry a token of the same make."""

    GOODS = "goods"
    COMMUTE = "commute"
    CHARTER = "charter"
    DUTY = "duty"
    SUPPLIES = "supplies"
    PERSON = "person"
    NOTICE = "notice"
    SHEET = "sheet"


@dataclass(frozen=True, slots=True)
class KindLook:
    """How a kind is told apart: by ``word`` first, then by ``colour`` (dark enough for white text, also in grey)."""

    word: str
    colour: str
    token_number: int


#: Token numbers are part of signed passes: never reuse or renumber one.
LOOKS: dict[PassKind, KindLook] = {
    PassKind.GOODS: KindLook(N_("货运"), "#14532d", 1),
    PassKind.COMMUTE: KindLook(N_("通勤"), "#1e3a8a", 2),
    PassKind.CHARTER: KindLook(N_("包车"), "#5b21b6", 3),
    PassKind.DUTY: KindLook(N_("公务"), "#7f1d1d", 4),
    PassKind.SUPPLIES: KindLook(N_("防疫物资"), "#7c2d12", 5),
    PassKind.PERSON: KindLook(N_("人员"), "#334155", 6),
    PassKind.NOTICE: KindLook(N_("复工通知"), "#14532d", 20),
    PassKind.SHEET: KindLook(N_("勘定表"), "#334155", 21),
}

KIND_BY_TOKEN_NUMBER: dict[int, PassKind] = {look.token_number: kind for kind, look in LOOKS.items()}
