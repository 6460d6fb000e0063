"""Departments as data: the industry bureaus (行业主管部门) by sector, and others that are asked for opinions."""

from __future__ import annotations

from dataclasses import dataclass

from workflow.core.questions import SECTORS
from workflow.core.tables import FileInvalid, Label, TableReader, read_toml


@dataclass(frozen=True, slots=True)
class Department:
    """A county's department; as a bureau it reviews the large enterprises of its ``sectors``."""

    code: str
    label: Label
    sectors: tuple[str, ...] = ()


class DepartmentsInvalid(FileInvalid):
    """A departments file that can't be used; ``problems`` lists all that is wrong with it."""


def read_departments(text: str) -> tuple[Department, ...]:
    """Read the file; raises :class:`DepartmentsInvalid` also for a sector without exactly one department."""
    document, problems = read_toml(text)
    if problems:
        raise DepartmentsInvalid(problems)
    reader = TableReader()
    reader.unknown_keys("departments", document, ("department",))
    sectors = [sector for sector, _ in SECTORS]
    found: list[Department] = []
    for table in reader.tables(document, "department"):
        code = reader.slug("department", table, "code")
        where = f"department {code!r}"
        reader.unknown_keys(where, table, ("code", "label", "sectors"))
        found.append(Department(code, reader.label(where, table), reader.texts(where, table, "sectors", sectors)))
    reader.twice("department", (d.code for d in found))
    served = [s for d in found for s in d.sectors]
    for sector in sectors:
        if served.count(sector) != 1:
            reader.problems.append(f"sector {sector!r}: needs exactly one department, has {served.count(sector)}")
    if reader.problems:
        raise DepartmentsInvalid(reader.problems)
    return tuple(found)
