"""The tenants of a building (入驻企业名单): one line each, typed or pasted from a sheet, read and checked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from workflow.core.errors import N_, Invalid, Reason
from workflow.core.identifiers import parse_uscc
from workflow.core.texts import clean_text

MOST_TENANTS = 500
LONGEST_NAME = 120
_MOST_NAMED = 8
_SEPARATOR = re.compile(r"[\t,、;]+")


class Tenant(NamedTuple):
    """One tenant: its name, its unified social credit code, and how many people it wants back at work."""

    name: str
    uscc: str
    resuming: int


def _read_line(line: str) -> Tenant:
    parts = [p for part in _SEPARATOR.split(line) if (p := " ".join(part.split()))]
    if len(parts) != 3:
        raise Invalid(N_("应为名称、统一社会信用代码、复工人数三项"))
    name, code, count = parts
    if len(name) > LONGEST_NAME:
        raise Invalid(N_("名称最多 %(n)s 个字"), n=LONGEST_NAME)
    uscc = parse_uscc(code)
    digits = count.removesuffix("人").strip()
    if not re.fullmatch(r"\d{1,6}", digits, re.ASCII):
        raise Invalid(N_("复工人数应为整数"))
    return Tenant(name, uscc, int(digits))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that say something, with their numbers; full-width digits, letters and commas made half-width."""
    for number, line in enumerate(clean_text(text.replace("\t", ",")).split("\n"), 1):
        if line.strip(" ,"):
            yield number, unicodedata.normalize("NFKC", line)


def read_tenants(text: str) -> tuple[Tenant, ...]:
    """Read the list; raises :class:`Invalid` naming the lines that are wrong and why, the first few of them."""
    found: dict[str, Tenant] = {}
    wrong: list[Reason] = []
    lines = list(_lines(text))
    if len(lines) > MOST_TENANTS:
        raise Invalid(N_("最多 %(n)s 家，现为 %(m)s 家。"), n=MOST_TENANTS, m=len(lines))
    for number, line in lines:
        try:
            tenant = _read_line(line)
            if tenant.uscc in found:
                raise Invalid(N_("与“%(name)s”的统一社会信用代码重复"), name=found[tenant.uscc].name)
            found[tenant.uscc] = tenant
        except Invalid as error:
            why = Reason(error.message, error.params)
            wrong.append(Reason(N_("第 %(line)s 行：%(why)s"), {"line": number, "why": why}))
    if wrong:
        raise Invalid(N_("名单有 %(n)s 行要改。%(lines)s"), n=len(wrong), lines=tuple(wrong[:_MOST_NAMED]))
    return tuple(found.values())


def tenant_lines(tenants: tuple[Tenant, ...]) -> str:
    """The list as text, one tenant a line, as :func:`read_tenants` reads it."""
    return "\n".join("，".join(map(str, t)) for t in tenants)
