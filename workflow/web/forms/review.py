"""The form of one verdict."""

from __future__ import annotations

from typing import Any

from wtforms import HiddenField, RadioField, TextAreaField
from wtforms.validators import InputRequired

from workflow.core.facts import VERDICT_LABELS, Verdict
from workflow.data.materials import Material
from workflow.services.materials import verdict_mark
from workflow.web.forms.applications import choice
from workflow.web.forms.base import Form, _l


class VerdictForm(Form):
    """A verdict, its words, the reason for a late defect, and the content that was looked at."""

    verdict = RadioField(
        _l("审核结果"),
        [InputRequired()],
        choices=[choice(v.value, _l(VERDICT_LABELS[v])) for v in Verdict if v is not Verdict.PENDING],
        validate_choice=False,
    )
    words = TextAreaField(_l("意见"))
    late_reason = TextAreaField(_l("为何现在才提出"))
    seen_rev = HiddenField()
    seen_verdict = HiddenField()

    @classmethod
    def of(cls, material: Material) -> VerdictForm:
        """The form as drawn for a material: with its last verdict, if that still stands."""
        verdict = "" if material.verdict == Verdict.PENDING else material.verdict
        words = material.verdict_words if verdict else ""
        form = cls(formdata=None, verdict=verdict, words=words)
        form.look_at(material)
        return form

    def look_at(self, material: Material) -> None:
        """Carry what the page shows of the material now: its content and the verdict that stands."""
        self.seen_rev.data, self.seen_verdict.data = str(material.content_rev), verdict_mark(material)

    def values(self) -> dict[str, Any]:
        """What :func:`workflow.services.materials.judge` asks for; content never looked at counts as -1."""
        seen = self.seen_rev.data or ""
        return {
            "verdict": self.verdict.data or "",
            "words": self.words.data or "",
            "late_reason": self.late_reason.data or "",
            "seen_rev": int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else -1,
            "seen_verdict": self.seen_verdict.data,
        }
