"""The catalogues as data: material slots, the inspection checklist, areas and industries, read and checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from workflow.core.actors import AreaKind
from workflow.core.conditions import Condition, read_condition
from workflow.core.facts import EnterpriseFacts
from workflow.core.tables import FileInvalid, Label, TableReader, read_toml

FILE_KINDS = ("pdf", "jpeg", "png", "heic", "docx", "xlsx", "doc", "xls")
"""The kinds of file that a material slot may take."""


class CatalogueInvalid(FileInvalid):
    """A catalogue file that can't be used; ``problems`` lists all that is wrong with it."""


@dataclass(frozen=True, slots=True)
class MaterialSlot:
    """A kind of material: what it is, which files it takes, and which blanks (``templates``) help to make it.

    ``form`` is true for the one slot that the answers of the application fill by themselves.
    """

    key: str
    label: Label
    hint: Label
    kinds: tuple[str, ...]
    max_files: int
    templates: tuple[str, ...]
    form: bool


@dataclass(frozen=True, slots=True)
class Limit:
    """Bounds, both inclusive, of a value measured on site in ``unit``; ``label`` says them in words."""

    unit: str
    minimum: float | None
    maximum: float | None
    label: Label

    def within(self, value: float) -> bool:
        """Whether ``value`` keeps the bounds; a value that is no number (NaN) doesn't."""
        low = float("-inf") if self.minimum is None else self.minimum
        high = float("inf") if self.maximum is None else self.maximum
        return low <= value <= high


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One thing to look at on site.

    A failed ``veto`` item can't be passed over; ``short`` items make the town's simple check; ``when`` says for whom
    the item is; ``sources`` are codes of the documents that ask for it.
    """

    code: str
    category: Label
    text: Label
    veto: bool
    short: bool
    limit: Limit | None
    when: Condition
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checklist:
    """A checklist in one version; ``extends`` names the list whose items come before its own."""

    key: str
    version: int
    label: Label
    items: tuple[ChecklistItem, ...]
    extends: str = ""

    def after(self, base: Checklist) -> Checklist:
        """This list with the items of ``base`` before its own; an own item of the same code takes the other's place."""
        own = {i.code for i in self.items}
        return replace(self, items=(*(i for i in base.items if i.code not in own), *self.items))

    def items_for(self, facts: EnterpriseFacts, *, short: bool) -> tuple[ChecklistItem, ...]:
        """The items for this enterprise, in order; only the simple check's when ``short``."""
        return tuple(i for i in self.items if (i.short or not short) and i.when.holds(facts))

    def item(self, code: str) -> ChecklistItem:
        """The item called ``code``; KeyError when there is none."""
        for item in self.items:
            if item.code == code:
                return item
        raise KeyError(code)


@dataclass(frozen=True, slots=True)
class AreaEntry:
    """An area as the file lists it: parents come before children, the city has no parent."""

    code: str
    name: str
    short_name: str
    kind: AreaKind
    parent_code: str | None


@dataclass(frozen=True, slots=True)
class Industry:
    """A division (大类) of GB/T 4754-2017 with the code of its section (门类)."""

    code: str
    name: str
    section: str


def _document(text: str) -> Mapping[str, Any]:
    document, problems = read_toml(text)
    if problems:
        raise CatalogueInvalid(problems)
    return document


def _json_document(text: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CatalogueInvalid([f"not JSON: {error}"]) from error
    if not isinstance(document, dict):
        raise CatalogueInvalid(["the document must be an object"])
    return document


def _read_slot(reader: TableReader, table: Mapping[str, Any]) -> MaterialSlot:
    key = reader.slug("slot", table, "key")
    where = f"slot {key!r}"
    reader.unknown_keys(where, table, ("key", "label", "hint", "kinds", "max_files", "templates", "form"))
    kinds = reader.texts(where, table, "kinds", FILE_KINDS)
    if not kinds:
        reader.problems.append(f"{where}: takes no kind of file")
    return MaterialSlot(
        key=key,
        label=reader.label(where, table),
        hint=reader.label(where, table, "hint", longest=120),
        kinds=kinds,
        max_files=reader.count(where, table, "max_files", least=1, most=50),
        templates=reader.texts(where, table, "templates"),
        form=reader.flag(where, table, "form", default=False),
    )


def read_materials(text: str) -> Mapping[str, MaterialSlot]:
    """The material slots by key, in the order of the file; raises :class:`CatalogueInvalid` with every problem."""
    document, reader = _document(text), TableReader()
    reader.unknown_keys("materials", document, ("slot",))
    slots = [_read_slot(reader, t) for t in reader.tables(document, "slot")]
    reader.twice("slot", (s.key for s in slots))
    if sum(s.form for s in slots) != 1:
        reader.problems.append("exactly one slot must be the form itself (form = true)")
    if reader.problems:
        raise CatalogueInvalid(reader.problems)
    return {s.key: s for s in slots}


def _read_limit(reader: TableReader, where: str, table: object) -> Limit | None:
    if table is None:
        return None
    if not isinstance(table, dict):
        reader.problems.append(f"{where}: limit must be a table")
        return None
    where = f"{where}: limit"
    reader.unknown_keys(where, table, ("unit", "min", "max", "label"))
    low, high = reader.number(where, table, "min"), reader.number(where, table, "max")
    if (low is None and high is None) or (low is not None and high is not None and low > high):
        reader.problems.append(f"{where}: needs a min, a max, or both in order")
    return Limit(reader.text(where, table, "unit"), low, high, reader.label(where, table))


def _read_item(reader: TableReader, table: Mapping[str, Any], sources: Mapping[str, Any]) -> ChecklistItem:
    code = reader.slug("item", table, "code")
    where = f"item {code!r}"
    reader.unknown_keys(where, table, ("code", "category", "text", "veto", "short", "limit", "when", "sources"))
    condition, wrong = read_condition(table.get("when", {}))
    reader.problems += [f"{where}: {w}" for w in wrong]
    item = ChecklistItem(
        code=code,
        category=reader.label(where, table, "category"),
        text=reader.label(where, table, "text", longest=200),
        veto=reader.flag(where, table, "veto", default=False),
        short=reader.flag(where, table, "short", default=False),
        limit=_read_limit(reader, where, table.get("limit")),
        when=condition,
        sources=reader.texts(where, table, "sources", sources),
    )
    if item.veto and not item.short:
        reader.problems.append(f"{where}: a veto item belongs to the short check too")
    if not item.sources:
        reader.problems.append(f"{where}: names no source")
    return item


def read_checklist(text: str) -> Checklist:
    """One checklist; raises :class:`CatalogueInvalid` with every problem."""
    document, reader = _document(text), TableReader()
    reader.unknown_keys("checklist", document, ("key", "version", "label", "extends", "sources", "item"))
    sources = document.get("sources")
    if not isinstance(sources, dict) or not all(isinstance(s, str) and s for s in sources.values()):
        reader.problems.append("sources: must be a [sources] table of texts")
        sources = {}
    items = tuple(_read_item(reader, t, sources) for t in reader.tables(document, "item"))
    reader.twice("item", (i.code for i in items))
    if not any(i.short for i in items):
        reader.problems.append("no item belongs to the short check")
    checklist = Checklist(
        key=reader.slug("checklist", document, "key"),
        version=reader.count("checklist", document, "version", least=1, most=1_000_000),
        label=reader.label("checklist", document),
        items=items,
        extends=reader.text("checklist", document, "extends") if "extends" in document else "",
    )
    if reader.problems:
        raise CatalogueInvalid(reader.problems)
    return checklist


_ABOVE: Mapping[AreaKind, AreaKind | None] = {
    AreaKind.CITY: None,
    AreaKind.COUNTY: AreaKind.CITY,
    AreaKind.TOWN: AreaKind.COUNTY,
    AreaKind.ZONE: AreaKind.TOWN,
    AreaKind.BUILDING: AreaKind.ZONE,
}


def _read_area(reader: TableReader, table: Mapping[str, Any], known: Mapping[str, AreaEntry]) -> AreaEntry:
    code = reader.text("area", table, "code")
    where = f"area {code!r}"
    reader.unknown_keys(where, table, ("code", "name", "short_name", "kind", "parent_code"))
    kind = AreaKind(reader.one_of(where, table, "kind", AreaKind, AreaKind.CITY))
    parent = table.get("parent_code")
    if parent is not None and (not isinstance(parent, str) or parent not in known):
        reader.problems.append(f"{where}: its parent {parent!r} must be listed before it")
        parent = None
    elif (known[parent].kind if parent else None) is not _ABOVE[kind]:
        reader.problems.append(f"{where}: a {kind} can't lie in {parent!r}")
    elif parent and not code.startswith(parent):
        reader.problems.append(f"{where}: its code must begin with its parent's")
    entry = AreaEntry(code, reader.text(where, table, "name"), reader.text(where, table, "short_name"), kind, parent)
    if len(code) > 40 or len(entry.name) > 80 or len(entry.short_name) > 20:
        reader.problems.append(f"{where}: code, name or short name is too long")
    return entry


def read_areas(text: str) -> tuple[AreaEntry, ...]:
    """The area tree, parents first; raises :class:`CatalogueInvalid` with every problem."""
    document, reader = _json_document(text), TableReader()
    reader.unknown_keys("areas", document, ("sources", "areas"))
    known: dict[str, AreaEntry] = {}
    for table in reader.tables(document, "areas"):
        entry = _read_area(reader, table, known)
        if entry.code in known:
            reader.problems.append(f"area {entry.code!r}: named twice")
        known[entry.code] = entry
    if sum(e.kind is AreaKind.CITY for e in known.values()) != 1:
        reader.problems.append("exactly one area must be the city")
    if reader.problems:
        raise CatalogueInvalid(reader.problems)
    return tuple(known.values())


def read_industries(text: str) -> tuple[Industry, ...]:
    """The divisions in order of code; raises :class:`CatalogueInvalid` with every problem."""
    document, reader = _json_document(text), TableReader()
    reader.unknown_keys("industries", document, ("sources", "sections", "divisions"))
    sections = [reader.text("section", t, "code") for t in reader.tables(document, "sections")]
    divisions: list[Industry] = []
    for table in reader.tables(document, "divisions"):
        code = reader.text("division", table, "code")
        where = f"division {code!r}"
        reader.unknown_keys(where, table, ("code", "name", "section"))
        section = reader.one_of(where, table, "section", sections, "")
        divisions.append(Industry(code, reader.text(where, table, "name"), section))
    reader.twice("division", (d.code for d in divisions))
    if not divisions:
        reader.problems.append("no division")
    if reader.problems:
        raise CatalogueInvalid(reader.problems)
    return tuple(sorted(divisions, key=lambda d: d.code))
