"""Recognisers of values made of digits: resident numbers, cards, accounts, phones, licences, births.

A shape that people use for nothing else is enough, with or without a valid check digit: people mistype.
A shape with other uses needs a context word, or a check digit together with an issuer's range.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from garim.masking import checksums, phones
from garim.masking.infotype import InfoType
from garim.masking.recogniser import Recogniser

if TYPE_CHECKING:
    from garim.masking.recogniser import Judge

    Judged = tuple[InfoType, str] | None

_NOT_DIGIT = re.compile(r"\D")
_RRN = re.compile(
    r"(?<!\d)(?P<v>\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?P<gap> ?[\-./] ?| {0,2})"
    r"(?P<kind>[1-8*])[\dx*●○]{6,8}|\d{6}-(?P<mistyped>[1-8])\d{6})(?![\d\-])"
)
_RRN_HALF = re.compile(
    r"(?<![\d\-])(?P<v>\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]) ?- ?[1-8]"
    r"|[x*●○]{6} ?- ?[1-8]\d{6}|(?:19|20)\d{2}-\d{2}-\d{2}-[1-8])(?![\d\-])"
)
_RRN_HALF_WORD = re.compile(r"주민|외국인|등록번호|rrn|자리|민번")
_RRN_WORD = re.compile(r"주민|외국인|등록번호|rrn")
_CARD = re.compile(
    r"(?<![\d\-])(?P<v>[2-69]\d{3}(?P<gap>[ .\-·])\d{4}(?P=gap)\d{4}(?P=gap)\d{1,4}(?:(?P=gap)\d{1,3})?"
    r"|3[47]\d{2}[ \-]\d{6}[ \-]\d{5}|3[068]\d{2}[ \-]\d{6}[ \-]\d{4}|[02-69]\d{11,18}"
    r"|(?:1800|2131)\d{11}|1\d{14})(?![\d\-])"
)
_CARD_RANGE = re.compile(r"1|4|5[0-9]|1800|2[1-7]|3[0-9]|6[0-9]|9[0-9]{3}")
_CARD_WORD = re.compile(r"카드|card|visa|master|amex|비자|credit|debit|\bcc\b")
_DRIVER = re.compile(
    r"(?<![\d\-])(?P<v>(?:\d{2}|서울|부산|대구|인천|광주|대전|울산|경기|강원|충북|충남|전북|전남|경북|경남|제주)"
    r"[ \-]\d{2}[ \-]\d{6}[ \-]\d{2})(?![\d\-])"
)
_DRIVER_JOINED = re.compile(
    r"(?<![\d\-.])(?P<v>(?!(?:19|20)\d{2}(?:0[1-9]|1[0-2]))(?:1[1-9]|2[0-8])\d{10})(?![\d\-.])"
)
_BUSINESS = re.compile(r"(?<![\d\-])(?P<v>\d{3}-\d{2}-\d{5}|\d{10})(?![\d\-])")
_SECONDS = re.compile("1[4-9]")
"""Ten digits that begin so count seconds since 1970, thirteen milliseconds."""
_BUSINESS_WORD = re.compile(r"사업자")
_SSN = re.compile(r"(?<![\d\-])(?P<v>(?!000|666)[0-8]\d{2}(?P<gap>[ .\-])\d{2}(?P=gap)\d{4})(?![\d\-])")
_ACCOUNT = re.compile(
    r"(?<![\d\-.])(?!(?:19|20)\d{2}[ .\-](?:0?[1-9]|1[0-2])[ .\-](?:[0-2]?\d|3[01])(?!\d))"
    r"(?!\d{1,3}(?:\.\d{3}){2,}(?![\d.]))"
    r"(?P<v>\d{2,6}(?:[ .\-]\d{1,8}){1,4}|\d{10,16})(?![\d\-]| ?원)"
)
"""No date with the hour behind it, and no sum of money."""
_ACCOUNT_BEFORE = re.compile(
    r"은행|뱅크|농협|신협|수협|축협|새마을|금고|우체국|계좌|입금|송금|예금|적금|통장|이체|토스|증권"
    r"|국민|신한|하나|우리|기업|카뱅|씨티|제일|account|acct|\bbank|\bibk|\bnh|\bkb|\bsc"
)
_ACCOUNT_AFTER = re.compile(
    r"\s?[(,]?\s?(?:예금주|\S{0,4}(?:은행|뱅크|농협|신협|금고)|로 (?:입금|송금|보내))"
)
_ACCOUNT_DIGITS = range(10, 17)
_COORDINATES = re.compile(
    r"(?<![\d.])(?P<v>(?P<latitude>-?\d{1,2}\.\d{4,12}) ?[,/ ] ?(?P<longitude>-?\d{1,3}\.\d{4,12}))(?![\d.])"
)
_RIGHT_ANGLE = 90
_BIRTH = re.compile(
    r"(?<![\d\-])(?P<v>(?:19|20)?\d{2} ?(?:[.\-/]|년) ?(?:0?[1-9]|1[0-2])"
    r" ?(?:[.\-/]|월) ?(?:3[01]|[12]\d|0?[1-9])(?: ?일)?\.?(?: ?생(?!산|명|활|각|겼|긴|기|일|신))?"
    r"|(?<!\d)(?:(?:19|20)\d{2}|\d{2}) ?년 ?생(?!산|명|활|각|겼|긴)"
    r"|(?<!\d)(?:19|20)?\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?!\d)"
)
_BIRTH_JOINED_BEFORE = re.compile(
    r"(?:생년월일|생일|태어난 ?날|주민(?:등록)?번호|앞 ?(?:자리|번호|[67]자리)"
    r"|dob|birth(?:day| ?date)?|born)[^\d\n]{0,8}\Z"
)
_BIRTH_CELL_BEFORE = re.compile(
    r"(?:[가-힣]{2,4} ?[/|\t]|\((?:m|f|male|female|남|여|남자|여자|남성|여성) ?[/,]) ?\Z"
)
_BIRTH_CELL_AFTER = re.compile(r" ?[/|\t)]")
_BIRTH_YEARS = ("19", "200", "201")
_BIRTH_BEFORE = re.compile(
    r"(?:생년월일|생일|출생일?|태어난 ?(?:날|때)?|born(?: on)?|dob|birth(?:day|date)?|date of birth)"
    r"[^\d\n]{0,8}\Z"
)
_BIRTH_AFTER = re.compile(r"(?:일|날)?(?:에|\.)? ?(?:태어|생(?!산|명|활|각|겼|기|긴|일)|출생)")


def _digits(match: re.Match[str]) -> str:
    return _NOT_DIGIT.sub("", match["v"])


def _resident(match: re.Match[str], before: str, _after: str) -> Judged:
    value = re.sub(r"[ \-./]", "", match["v"])
    joined = not match["mistyped"] and not match["gap"].strip()
    if joined and not _RRN_WORD.search(before):
        checked = value.isdigit() and checksums.resident_number(value)
        if not checked and (match["v"] != value or _SECONDS.match(value)):
            return None
    return (InfoType.FRN if (match["kind"] or match["mistyped"]) in "5678" else InfoType.RRN), value


def _resident_half(match: re.Match[str], before: str, _after: str) -> Judged:
    value = re.sub(r"[ \-]", "", match["v"])
    return (InfoType.RRN, value) if _RRN_HALF_WORD.search(before) else None


def _card(match: re.Match[str], before: str, _after: str) -> Judged:
    value = _digits(match)
    if match["v"] == value or match["gap"] == " ":
        confirmed = len(value) >= 13 and bool(_CARD_RANGE.match(value)) and checksums.luhn(value)
        if not confirmed and not _CARD_WORD.search(before):
            return None
    return InfoType.CARD, value


def _shape(kind: InfoType) -> Judge:
    def judge(match: re.Match[str], _before: str, _after: str) -> Judged:
        return kind, re.sub(r"[ \-]", "", match["v"])

    return judge


def _business(match: re.Match[str], before: str, _after: str) -> Judged:
    value = _digits(match)
    checked = checksums.business_number(value) and not _SECONDS.match(value)
    shaped = "-" in match["v"] or checked or _BUSINESS_WORD.search(before)
    return (InfoType.BUSINESS_REG, value) if shaped else None


def _driver_joined(match: re.Match[str], _before: str, _after: str) -> Judged:
    return InfoType.DRIVER_LICENSE, match["v"]


def _account(match: re.Match[str], before: str, after: str) -> Judged:
    value = _digits(match)
    line = before[before.rfind("\n") + 1 :]
    if len(value) not in _ACCOUNT_DIGITS:
        return None
    named = _ACCOUNT_BEFORE.search(line) or _ACCOUNT_AFTER.match(after)
    return (InfoType.BANK_ACCOUNT, value) if named else None


def _birth(match: re.Match[str], before: str, after: str) -> Judged:
    if match["v"].isdigit():
        named = bool(_BIRTH_JOINED_BEFORE.search(before) or _BIRTH_AFTER.match(after))
    else:
        cell = _BIRTH_CELL_BEFORE.search(before) and _BIRTH_CELL_AFTER.match(after)
        said = match["v"].endswith("생") or _BIRTH_BEFORE.search(before) or _BIRTH_AFTER.match(after)
        named = bool(said or (cell and match["v"].startswith(_BIRTH_YEARS)))
    if not named:
        return None
    return InfoType.DATE_OF_BIRTH, "-".join(part.zfill(2) for part in re.findall(r"\d+", match["v"]))


def _coordinates(match: re.Match[str], _before: str, _after: str) -> Judged:
    latitude, longitude = float(match["latitude"]), float(match["longitude"])
    if abs(latitude) > _RIGHT_ANGLE or abs(longitude) > 2 * _RIGHT_ANGLE:
        return None
    return InfoType.GPS, f"{latitude},{longitude}"


DIGITS = (
    Recogniser(_COORDINATES, _coordinates, 10),
    Recogniser(_RRN, _resident, 6),
    Recogniser(_RRN_HALF, _resident_half, 7, ("rrn",)),
    Recogniser(_DRIVER, _shape(InfoType.DRIVER_LICENSE), 10),
    Recogniser(_CARD, _card, 12),
    Recogniser(phones.KOREAN, phones.korean, 8),
    Recogniser(_BUSINESS, _business, 10),
    Recogniser(_SSN, _shape(InfoType.SSN), 9),
    Recogniser(_BIRTH, _birth, 2, ("dob", "birth", "born", "(m", "(f")),
    Recogniser(_ACCOUNT, _account, 10, ("acc", "bank", "ibk", "nh", "kb", "sc")),
    Recogniser(phones.INTERNATIONAL, phones.international, 6, ("+", "00", "011")),
    Recogniser(phones.NORTH_AMERICAN, phones.north_american, 10),
    Recogniser(phones.NATIONAL, phones.national, 7),
    Recogniser(phones.NAMED, phones.named, 7),
    Recogniser(_DRIVER_JOINED, _driver_joined, 12),
    Recogniser(phones.HALF, phones.half, 3, ("*", "x")),
)
"""For zones with digits, in the order of their claims."""
