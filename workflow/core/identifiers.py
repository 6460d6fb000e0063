"""Identifiers of the field: normalised and checked, each with a reason in words when it is wrong.

Sources: GB 32100-2015 (unified social credit code), GB 11643-1999 (ID number), GA 36-2018 (plates).
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from enum import StrEnum

import phonenumbers
from stdnum.cn import uscc as _uscc
from stdnum.exceptions import InvalidChecksum, ValidationError

from workflow.core.errors import N_, Invalid

_SEPARATORS = re.compile(r"[\s·•・\-—_.]+")


def squeeze(text: str) -> str:
    """``text`` with full-width forms made half-width, letters upper case, and blanks, dots and dashes removed."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper()


def parse_uscc(text: str) -> str:
    """The normalised 18-character unified social credit code; raises :class:`Invalid` saying what is wrong."""
    code = squeeze(text)
    if not code:
        raise Invalid(N_("请填写统一社会信用代码。"), field="uscc")
    if len(code) != 18:
        raise Invalid(N_("统一社会信用代码应为 18 位，现为 %(n)s 位，请核对营业执照。"), field="uscc", n=len(code))
    if set(code) & set("IOSVZ"):
        raise Invalid(N_("统一社会信用代码不含字母 I、O、S、V、Z，请核对是否为数字 1、0、5、2。"), field="uscc")
    try:
        return str(_uscc.validate(code))
    except InvalidChecksum as error:
        raise Invalid(N_("统一社会信用代码校验不符，请逐位核对营业执照。"), field="uscc") from error
    except ValidationError as error:
        raise Invalid(N_("统一社会信用代码格式不对，请核对营业执照。"), field="uscc") from error


def parse_phone(text: str, field: str = "phone", *, mobile_only: bool = False) -> str:
    """A Chinese phone number: mobile as 11 digits, landline as ``0574-87654321``; raises :class:`Invalid`."""
    raw = unicodedata.normalize("NFKC", text).strip()
    if not raw:
        raise Invalid(N_("请填写电话号码。"), field=field)
    try:
        number = phonenumbers.parse(raw, "CN")
    except phonenumbers.NumberParseException as error:
        raise Invalid(N_("电话号码格式不对，请填写 11 位手机号或带区号的固定电话。"), field=field) from error
    if number.country_code != 86 or not phonenumbers.is_valid_number(number):
        raise Invalid(N_("电话号码不存在，请核对是否多填或少填了数字。"), field=field)
    kind = phonenumbers.number_type(number)
    national = phonenumbers.national_significant_number(number)
    if kind == phonenumbers.PhoneNumberType.MOBILE:
        return national
    if mobile_only:
        raise Invalid(N_("请填写 11 位手机号。"), field=field)
    length = phonenumbers.length_of_geographical_area_code(number)
    if not length:
        raise Invalid(N_("请填写 11 位手机号或带区号的固定电话。"), field=field)
    return f"0{national[:length]}-{national[length:]}"


def mask_phone(number: str) -> str:
    """``138****8000``: the first three and last four digits."""
    return number if len(number) < 8 else f"{number[:3]}****{number[-4:]}"


def mask_name(name: str) -> str:
    """``张*`` or ``欧阳**``-like: the first character, then as many stars as characters left (at most two)."""
    return name[:1] + "*" * min(max(len(name) - 1, 0), 2)


_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK = "10X98765432"


def parse_id_number(text: str, today: dt.date) -> str:
    """An 18-character resident ID number with a real birth date not after ``today``; raises :class:`Invalid`.

    The county code is not looked up: withdrawn and new codes belong to living people.
    """
    number = squeeze(text)
    if not re.fullmatch(r"\d{17}[\dX]", number, re.ASCII):
        raise Invalid(N_("身份证号码应为 18 位数字（末位可为 X）。"), field="id_number")
    try:
        born = dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError as error:
        raise Invalid(N_("身份证号码中的出生日期不存在，请核对。"), field="id_number") from error
    if not dt.date(1900, 1, 1) <= born <= today:
        raise Invalid(N_("身份证号码中的出生日期不存在，请核对。"), field="id_number")
    total = sum(w * int(d) for w, d in zip(_ID_WEIGHTS, number, strict=False))
    if _ID_CHECK[total % 11] != number[17]:
        raise Invalid(N_("身份证号码校验位不符，请逐位核对。"), field="id_number")
    return number


class PlateKind(StrEnum):
    """Shapes of GA 36-2018 that are recognised by themselves."""

    ORDINARY = "ordinary"
    NEV_SMALL = "nev_small"
    NEV_LARGE = "nev_large"
    TRAILER = "trailer"
    COACH_TRAINING = "coach_training"
    POLICE = "police"
    HK_MO = "hk_mo"


_PROVINCES = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"
_LETTERS = "A-HJ-NP-Z"
_HEAD = f"[{_PROVINCES}][{_LETTERS}]"
_NEV = "DABCEFGHJK"
_PLATES: tuple[tuple[PlateKind, re.Pattern[str]], ...] = (
    (PlateKind.HK_MO, re.compile(rf"粤Z[{_LETTERS}0-9]{{4}}[港澳]")),
    (PlateKind.TRAILER, re.compile(rf"{_HEAD}[{_LETTERS}0-9]{{4}}挂")),
    (PlateKind.COACH_TRAINING, re.compile(rf"{_HEAD}[{_LETTERS}0-9]{{4}}学")),
    (PlateKind.POLICE, re.compile(rf"{_HEAD}[{_LETTERS}0-9]{{4}}警")),
    (PlateKind.NEV_SMALL, re.compile(rf"{_HEAD}[{_NEV}][{_LETTERS}0-9][0-9]{{4}}")),
    (PlateKind.NEV_LARGE, re.compile(rf"{_HEAD}[0-9]{{5}}[{_NEV}]")),
    (PlateKind.ORDINARY, re.compile(rf"{_HEAD}[{_LETTERS}0-9]{{5}}")),
)


def parse_plate(text: str) -> tuple[str, PlateKind]:
    """The normalised plate and its kind; raises :class:`Invalid` with a hint (look-alike letters, length)."""
    plate = squeeze(text)
    if not plate:
        raise Invalid(N_("请填写车牌号。"), field="plate")
    for kind, shape in _PLATES:
        if shape.fullmatch(plate):
            return plate, kind
    if plate[0] not in _PROVINCES:
        raise Invalid(N_("车牌号应以省份简称开头，如“浙B12345”。"), field="plate")
    if set(plate[1:]) & {"I", "O"}:
        raise Invalid(N_("号牌不使用字母 I 和 O，请核对是否为数字 1 和 0。"), field="plate")
    raise Invalid(N_("车牌号应为 7 位，新能源为 8 位，如“浙B12345”“浙BD12345”，请核对。"), field="plate")


def show_plate(plate: str) -> str:
    """A plate as painted: a dot after the city letter; one of another make (temporary, embassy) as it was written."""
    return f"{plate[:2]}·{plate[2:]}" if re.match(_HEAD, plate) else plate
