"""Recognisers of phone numbers, and the one spelling that stands for all of a number's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import phonenumbers

from garim.masking.infotype import InfoType

if TYPE_CHECKING:
    Judged = tuple[InfoType, str] | None

_GAP = r"[ .\-·/~_]{0,3}"
KOREAN = re.compile(
    r"(?<![\d])(?<!\d-)(?P<v>"
    rf"(?:\+?82{_GAP}\(?0?\)?{_GAP}|\(?0)1[016789]\)?{_GAP}\d{{3,4}}{_GAP}\d{{4}}"
    r"|(?:\+?82[ .\-]{0,2}\(?0?\)?[ .\-]?|\(?0)(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70|50\d?|80|60|30)"
    r"[). \-/]{1,3}\d{3,4}[ .\-/]{1,3}\d{4}"
    r"|(?:\+?82|0)(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70|80)\d{7,8}"
    r"|1[568]\d{2}[ \-]\d{4})(?!\d|-\d|\.\d)"
)
INTERNATIONAL = re.compile(r"(?<!\d)(?P<v>\+ ?\d{1,3}(?:[ ().\-/]{0,3}\d){5,13})(?!\d)")
NORTH_AMERICAN = re.compile(
    r"(?<![\d\-.])(?P<v>(?:\+?1[ .\-]{0,2})?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .\-])"
    r"\d{3}[ .\-]\d{4}(?: ?x\d{1,6})?)(?![\d\-])"
)
NAMED = re.compile(r"(?<![\d\-])(?P<v>\(?\d(?:[ ().\-/]{0,2}\d){6,14}(?: ?x ?\d{1,6})?)(?![\d\-])")
_WORD = re.compile(
    r"(?:전화|연락처|핸드폰|휴대폰|휴대전화|폰번|번호|팩스|내선"
    r"|phone|\btel|\bcell|mobile|\bcall|\bfax|contact|text me|reach me)"
    r"[^\d\n]{0,20}\Z"
)
_FEWEST_DIGITS = 8
_TAIL = 8
_NOT_DIALLED = re.compile(r"\D")
_KOREAN_START = re.compile(r"0[1-9]\d{7,9}|1[568]\d{6}")


def canonical(spelled: str) -> str:
    """Return the one spelling of a phone number: E.164 where that is known, otherwise its digits.

    Args:
        spelled: The number as somebody wrote it; folded or not.
    """
    digits = _NOT_DIALLED.sub("", spelled)
    for prefix in ("00182", "00282", "0082", "82"):
        rest = digits.removeprefix(prefix).lstrip("0")
        if digits.startswith(prefix) and _KOREAN_START.fullmatch("0" + rest):
            return "+82" + rest
    if _KOREAN_START.fullmatch(digits):
        return "+82" + digits.removeprefix("0")
    if len(digits) == 11 and digits[0] == "1":
        return "+" + digits
    if len(digits) == 10 and digits[0] in "23456789" and not spelled.strip().startswith("+"):
        return "+1" + digits
    return ("+" if spelled.strip().startswith("+") else "") + digits


def digit_spellings(number: str) -> tuple[str, ...]:
    """Return the digits by which a canonical number is known: whole, national, and a mobile's last eight.

    Args:
        number: What `canonical` returned.
    """
    digits = number.removeprefix("+")
    if len(digits) < _FEWEST_DIGITS:
        return ()
    if not number.startswith("+82"):
        return (digits,)
    national = "0" + digits[2:]
    return (digits, national, national[-_TAIL:]) if number.startswith("+8210") else (digits, national)


def _possible(spelled: str, region: str | None) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(spelled, region))
    except phonenumbers.NumberParseException:
        return False


def korean(match: re.Match[str], before: str, _after: str) -> Judged:
    """Judge a number of Korean shape: mobile, land line, internet or service number."""
    value = match["v"]
    plain_landline = value.isdigit() and not value.startswith(("01", "8210"))
    if plain_landline and not (_WORD.search(before) or phonenumbers.is_valid_number(_parsed(value))):
        return None
    return InfoType.PHONE, canonical(value)


def _parsed(value: str) -> phonenumbers.PhoneNumber:
    try:
        return phonenumbers.parse(value, "KR")
    except phonenumbers.NumberParseException:
        return phonenumbers.PhoneNumber()


def international(match: re.Match[str], _before: str, _after: str) -> Judged:
    """Judge a number that begins with a plus sign."""
    return (InfoType.PHONE, canonical(match["v"])) if _possible(match["v"], None) else None


def north_american(match: re.Match[str], _before: str, _after: str) -> Judged:
    """Judge a number written 3-3-4."""
    return (InfoType.PHONE, canonical(match["v"].split("x")[0])) if _possible(match["v"], "US") else None


def named(match: re.Match[str], before: str, _after: str) -> Judged:
    """Judge any run of digits behind a word such as "phone"."""
    return (InfoType.PHONE, canonical(match["v"].split("x")[0])) if _WORD.search(before) else None
