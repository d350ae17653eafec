"""Recognisers of phone numbers, and the one spelling that stands for all of a number's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import phonenumbers

from garim.masking.infotype import InfoType

if TYPE_CHECKING:
    Judged = tuple[InfoType, str] | None

_GAP = r"[ .\-·/~_]{0,3}"
_SPOKEN = r"(?:(?<![a-z])[0o]1[o016789]|공일[공일육칠팔구]|0 1 [016789])"
"""How a mobile number begins where people write letters for its digits, or space them."""
_SPOKEN_DIGITS = str.maketrans("o공일육칠팔구", "0016789")
KOREAN = re.compile(
    r"(?<![\d])(?<!\d-)(?P<v>"
    rf"(?:(?:\+?82{_GAP}\(?0?\)?{_GAP}|\(?0)1[016789]|{_SPOKEN})\)?{_GAP}\d{{3,4}}{_GAP}\d{{4}}"
    r"|(?:\+?82[ .\-]{0,2}\(?0?\)?[ .\-]?|\(?0)(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70|50\d?|80|60|30)"
    r"[). \-/]{1,3}\d{3,4}[ .\-/]{1,3}\d{4}"
    r"|(?:\+?82|0)(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70|80)\d{7,8}"
    r"|1[568]\d{2}[ \-]\d{4})(?!\d|-\d|\.\d)"
)
INTERNATIONAL = re.compile(
    r"(?<!\d)(?P<v>\+ ?\d{1,3}(?:[ ().\-/]{0,3}\d){5,13}(?: ?x\d{1,6})?"
    r"|0(?:0|11)[ \-]?[1-9]\d{0,2}[ .\-](?:[ ().\-/]{0,3}\d){6,12}(?: ?x\d{1,6})?)(?!\d)"
)
_ACCESS_CODE = re.compile(r"\A0(?:0|11)")
NORTH_AMERICAN = re.compile(
    r"(?<![\d\-.])(?P<v>(?:\+?1[ .\-]{0,2}|(?P<abroad>\d{2}-))?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .\-])"
    r"\d{3}[ .\-]\d{4}(?: ?x\d{1,6})?)(?![\d\-])"
)
NAMED = re.compile(r"(?<![\d\-])(?P<v>\(?\d(?:[ ().\-/]{0,2}\d){6,14}(?: ?x ?\d{1,6})?)(?![\d\-])")
HALF = re.compile(
    r"(?<![\d\-])(?P<v>01[016789][ .\-]?(?:\d{3,4}[ .\-]?[*x●○]{4}|[*x●○]{3,4}[ .\-]?\d{4})|\d{4})"
    r"(?!\d|[ \-]\d)"
)
NATIONAL = re.compile(
    r"(?<![\d\-.])(?P<v>\(?\d{1,5}\)?(?:[ .\-]\d{2,4}){1,4}(?: ?x ?\d{1,6})?"
    r"|\(?0\d{1,4}\)?[ \-]\d{5,8}|\d{2} \d{6})"
    r"(?!\d|-\d|[.:,]\d)"
)
_NATIONAL_DIGITS = range(7, 13)
_TAIL_WORD = re.compile(r"(?:뒷|끝) ?(?:자리|번호)[^\d\n]{0,6}\Z")
_FEWEST_PLANNED = 9
_COUNTRIES = (
    *(
        "GB",
        "DE",
        "FR",
        "IT",
        "ES",
        "CH",
        "AT",
        "BE",
        "NL",
        "SE",
        "FI",
        "NO",
        "DK",
        "PL",
        "CZ",
        "HU",
        "PT",
        "GR",
    ),
    *("RU", "UA", "TR", "IL", "ZA", "AU", "NZ", "JP", "TW", "TH", "VN", "PH", "ID", "IN", "BR"),
)
"""Where a number with a trunk zero may be at home, if nothing says that it is a phone."""
_REACHED = re.compile(
    r"\b(?:call(?:ing)?|messages?|text(?:ing)?|answer(?:ing|s)?|reach(?:ed)?"
    r"|ring|dial|sms|whats ?app|contact|registered)"
    r"\b[^\d\n]{0,20}\Z"
)
_LABEL_BEHIND = re.compile(
    r"[ \-]{0,2}\(?(?:office|fax|mobile|home|desk|cell|work|direct|전화|휴대폰|핸드폰|팩스)(?![a-z])"
)
_WORD = re.compile(
    r"(?:전화|연락처|(?<!아이)폰|(?<!주문)(?<!송장)(?<!사건)(?<!접수)(?<!문서)(?<!제품)(?<!예약)(?<!승인)번호|팩스|내선"
    r"|phone|\btel|\bcell|mobile|\bcall|\bfax|\bdesk:|contact|text me|reach me|\bmy [a-z ]{0,20}number is)"
    r"(?:[^\d\n]{0,20}|[^\d\n]{0,4}:[^\d\n]{0,3}\n)[^\d\n]?\Z"
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
    digits = _NOT_DIALLED.sub("", spelled.translate(_SPOKEN_DIGITS))
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
    if plain_landline and not (_WORD.search(before) or phonenumbers.is_valid_number(_parsed(value, "KR"))):
        return None
    return InfoType.PHONE, canonical(value)


def _parsed(value: str, country: str) -> phonenumbers.PhoneNumber:
    try:
        return phonenumbers.parse(value, country)
    except phonenumbers.NumberParseException:
        return phonenumbers.PhoneNumber()


def international(match: re.Match[str], _before: str, _after: str) -> Judged:
    """Judge a number that begins with a plus sign, or the code to dial abroad."""
    number = _ACCESS_CODE.sub("+", match["v"].split("x")[0])
    return (InfoType.PHONE, canonical(number)) if _possible(number, None) else None


def north_american(match: re.Match[str], _before: str, _after: str) -> Judged:
    """Judge a number written 3-3-4."""
    number = ("+" if match["abroad"] else "") + match["v"].split("x")[0]
    return (InfoType.PHONE, canonical(number)) if _possible(number, "US") else None


def half(match: re.Match[str], before: str, _after: str) -> Judged:
    """Judge a Korean mobile number with a masked part, or its last four digits where they are called so."""
    value = re.sub(r"[ .\-]", "", match["v"])
    return (InfoType.PHONE, value) if len(value) > _TAIL or _TAIL_WORD.search(before) else None


def national(match: re.Match[str], before: str, after: str) -> Judged:
    """Judge a grouped number of any country: by what is said of it, or by a country's own plan."""
    value = match["v"].split("x")[0]
    size = len(_NOT_DIALLED.sub("", value))
    if size not in _NATIONAL_DIGITS:
        return None
    named = _WORD.search(before) or _REACHED.search(before) or _LABEL_BEHIND.match(after)
    trunk = value.lstrip("(").startswith("0") and size >= _FEWEST_PLANNED
    if not named and not (trunk and _in_some_plan(value)):
        return None
    return InfoType.PHONE, canonical(value)


def _in_some_plan(value: str) -> bool:
    return any(phonenumbers.is_valid_number(_parsed(value, country)) for country in _COUNTRIES)


def named(match: re.Match[str], before: str, _after: str) -> Judged:
    """Judge any run of digits behind a word such as "phone"."""
    return (InfoType.PHONE, canonical(match["v"].split("x")[0])) if _WORD.search(before) else None
