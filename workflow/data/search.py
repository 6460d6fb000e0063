"""Finding cases by part of a name or reference, the beginning of a credit code, or part of a plate.

A name is found by its two-character pieces, of which the rarest in the reader's towns is asked first. Where few cases
have it they are listed by it; where many have it the queue is walked in its order and each row is looked at, since
the next page of them is then near.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, exists, false, func, or_, select, union

from workflow.core.actors import Actor, AreaKind
from workflow.core.grams import folded, wanted_grams
from workflow.core.identifiers import squeeze
from workflow.core.texts import clean_text
from workflow.data.areas import Area
from workflow.data.cases import Case
from workflow.data.enterprises import Enterprise
from workflow.data.filters import LONGEST_SEARCH, Filters
from workflow.data.names import NameGram
from workflow.data.passes import VehiclePass
from workflow.extensions import db

FEW = 3000
"""As many candidates are read and sorted sooner than a page of them is found by walking."""
FEW_BEGUN = 20_000
"""The same for a single character, whose pieces can't be asked about town by town."""
MOST_PIECES = 8
_USCC_LENGTH, _SHORTEST_USCC, _MOST_LISTED = 18, 6, 200
_SHORTEST_PLATE, _LONGEST_PLATE = 3, 8
_WHOLE_REFERENCE = re.compile(r"复工-[^-\s]{1,10}-[0-9]{8}-B?[0-9]{4,8}")
_REFERENCE_PART = re.compile(r"(?=.*[0-9-])[0-9B\u3400-\u9fff-]+")
_PLATE_PART = re.compile(r"[\u4e00-\u9fff]?[A-Z0-9]{2,7}[\u4e00-\u9fff]?")
_LOOK_ALIKES = str.maketrans("IO", "10")

Ids = Select[int]


@dataclass(frozen=True, slots=True)
class Search:
    """A text turned into conditions: ``check`` is true of a case that answers to it; ``ids`` are those of all that may
    in the reader's towns (None where they can't be had by an index), which are ``few`` or not."""

    check: ColumnElement[bool]
    ids: Ids | None = None
    few: bool = False


NOTHING = Search(false(), select(Case.id).where(false()), few=True)


def _towns_of(actor: Actor, filters: Filters) -> list[int]:
    """The towns that the reader's cases can lie in; narrower when the reader asked for a town."""
    if filters.area_kind is AreaKind.TOWN and filters.area_id is not None:
        return [filters.area_id]
    held = {a.area_id for a in actor.appointments if a.area_kind is AreaKind.TOWN}
    wide = {a.area_id for a in actor.appointments if a.area_kind in (AreaKind.COUNTY, AreaKind.CITY)}
    small = {a.area_id for a in actor.appointments if a.area_kind in (AreaKind.ZONE, AreaKind.BUILDING)}
    if wide:
        inside = or_(Area.county_id.in_(wide), Area.city_id.in_(wide))
        held |= set(db.session.scalars(select(Area.id).where(inside, Area.kind == AreaKind.TOWN.value)))
    if small:
        held |= {t for t in db.session.scalars(select(Area.town_id).where(Area.id.in_(small))) if t is not None}
    return sorted(held)


def find(actor: Actor, filters: Filters) -> Search | None:
    """What the filters' text asks for; None when it asks for nothing."""
    wanted, letters = clean_text(filters.text), folded(filters.text)
    if not letters:
        return None
    if len(letters) > LONGEST_SEARCH:
        return NOTHING
    if _WHOLE_REFERENCE.fullmatch(wanted):
        whole = Case.reference == wanted
        return Search(whole, select(Case.id).where(whole), few=True)
    ways = [_named(letters, _towns_of(actor, filters))]
    ways += [way for way in (_referred(wanted), _coded(wanted), _driving(wanted)) if way is not None]
    if len(ways) == 1:
        return ways[0]
    listed = [way.ids for way in ways if way.ids is not None]
    if len(listed) < len(ways):
        return Search(or_(*(way.check for way in ways)))
    together = union(*listed).subquery()
    return Search(or_(*(way.check for way in ways)), select(together.c[0]), few=all(way.few for way in ways))


def holds(letters: str) -> ColumnElement[bool]:
    """That a case's name holds the folded ``letters``, whatever its blanks and capitals.

    The databases fold only ASCII the same way; other letters with capitals, which are rare, are folded one by one.
    """
    name: ColumnElement[str] = func.replace(Case.enterprise_name, " ", "")
    if letters.upper() != letters:
        name = func.lower(name)
    for letter in sorted({c for c in letters if not c.isascii() and len(c.upper()) == 1 and c.upper() != c}):
        name = func.replace(name, letter.upper(), letter)
    return name.contains(letters, autoescape=True)


def _named(letters: str, towns: Sequence[int]) -> Search:
    # One town, as most readers have, is asked for by its number: a list has to be written out at every asking.
    there = NameGram.town_id == towns[0] if len(towns) == 1 else NameGram.town_id.in_(towns)
    check = holds(letters)
    if len(letters) == 1:
        begun = _begun_by(letters)
        ids = select(NameGram.case_id).where(*begun, there)
        return Search(check, ids, few=_count(begun, FEW_BEGUN) <= FEW_BEGUN)
    pieces = sorted(wanted_grams(letters))[:MOST_PIECES]
    if len(towns) == 1:
        asked = {"town": towns[0], **{f"piece{n}": piece for n, piece in enumerate(pieces)}}
        found = db.session.execute(_probe(len(pieces)), asked).one()
    else:
        columns = [_counting((NameGram.gram == piece, there), FEW) for piece in pieces]
        found = db.session.execute(select(*columns)).one()
    numbers = dict(zip(pieces, found, strict=True))
    rarest = min(pieces, key=lambda piece: (numbers[piece], piece))
    return Search(check, select(NameGram.case_id).where(NameGram.gram == rarest, there), few=numbers[rarest] <= FEW)


@lru_cache(maxsize=MOST_PIECES)
def _probe(pieces: int) -> Select[*tuple[Any, ...]]:
    """The statement that counts so many pieces in one town; made once, since making it costs more than running it."""
    town = NameGram.town_id == bindparam("town")
    counts = [_counting((NameGram.gram == bindparam(f"piece{n}"), town), FEW) for n in range(pieces)]
    return select(*counts)


def _begun_by(letter: str) -> tuple[ColumnElement[bool], ...]:
    """The pieces that begin with ``letter``: a range in the order of the characters' numbers."""
    following = ord(letter) + 1
    following = 0xE000 if 0xD800 <= following < 0xE000 else following
    begun: ColumnElement[bool] = NameGram.gram >= letter
    return (begun, NameGram.gram < chr(following)) if following <= 0x10FFFF else (begun,)


def _counting(conditions: Sequence[ColumnElement[bool]], most: int) -> Any:
    inner = select(NameGram.case_id).where(*conditions).limit(most + 1).subquery()
    return select(func.count()).select_from(inner).scalar_subquery()


def _count(conditions: Sequence[ColumnElement[bool]], most: int) -> int:
    return int(db.session.scalar(select(_counting(conditions, most))) or 0)


def _referred(wanted: str) -> Search | None:
    """Part of a reference: no name is taken for one, so it has a digit or a dash."""
    part = "".join(unicodedata.normalize("NFKC", wanted).split()).upper()
    if not _REFERENCE_PART.fullmatch(part):
        return None
    return Search(Case.reference.contains(part, autoescape=True))


def _coded(wanted: str) -> Search | None:
    """The beginning of a credit code; the enterprises of a common one are asked about case by case."""
    code = squeeze(wanted)
    if not (code.isascii() and code.isalnum() and _SHORTEST_USCC <= len(code) <= _USCC_LENGTH):
        return None
    fits = Enterprise.uscc.between(code, code.ljust(_USCC_LENGTH, "Z"))
    listed = db.session.scalars(select(Enterprise.id).where(fits).limit(_MOST_LISTED + 1)).all()
    if len(listed) <= _MOST_LISTED:
        these = Case.enterprise_id.in_(listed)
        return Search(these, select(Case.id).where(these), few=True)
    return Search(exists().where(Enterprise.id == Case.enterprise_id, fits))


def _driving(wanted: str) -> Search | None:
    """A plate or at least three characters of one; the letters I and O, which no plate has, are taken for digits."""
    code = squeeze(wanted).translate(_LOOK_ALIKES)
    if not (_SHORTEST_PLATE <= len(code) <= _LONGEST_PLATE and _PLATE_PART.fullmatch(code)):
        return None
    ids = select(VehiclePass.case_id).where(VehiclePass.plate.contains(code, autoescape=True))
    return Search(Case.id.in_(ids), ids, few=True)
