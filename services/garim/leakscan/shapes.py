"""Kinds that the third party's detectors do not know.

Addresses of machines, links, plates, places on earth, foreign and half-hidden numbers: each is looked for by
a shape of its own. Only what carries a check of its own, or what nobody writes for anything else, is certain.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from garim.leakscan import found
from garim.leakscan.found import Spot

_HIDDEN = "*●○■□◯✱＊x"
_PLATE = "가나다라마거너더러머버서어저고노도로모보소오조구누두루무부수우주바사아자배하허호외국합육해공"
_COUNTED = r"(?!\s?(?:원|달러|엔|위안|유로|억|만|천|개|명|년|월|일|시간|분|초|건|톤|kg|km|m\b|%|점|회|번))"
_PROFILE = (
    r"(?<![\w.-])(?:www\.|m\.|mobile\.|ko-kr\.)?(?:instagram|facebook|twitter|tiktok|threads|youtube|github|linkedin|pinterest|reddit|soundcloud|twitch|t|x"
    r"|open\.kakao|pf\.kakao|blog\.naver|band|line|telegram|steamcommunity)\.(?:com|net|me|us|tv)"
)
_NO_HANDLE = (
    r"(?!(?:p|reel|reels|explore|watch|share|intent|status|hashtag|groups|pages|events|search|embed)\b)"
)
_SERVICE = (
    r"(?:카카오톡|카톡|카카오|인스타그램|인스타|텔레그램|텔레|라인|디스코드|디코|위챗|스카이프"
    r"|kakao|insta|telegram|line|wechat|skype|discord)"
)
_SPOKEN_DIGITS = "공영일이삼사오육륙칠팔구"


def _latitude_and_longitude(match: re.Match[str]) -> bool:
    return abs(float(match[1])) <= 90 and abs(float(match[2])) <= 180


_LARGEST_OF_A_VERSION = 31


def _v4(match: re.Match[str]) -> bool:
    """Tell whether it can be somebody's address: four small numbers are a version, 127 is every machine's."""
    try:
        address = ipaddress.IPv4Address(match[0])
    except ValueError:
        return False
    return not (address.is_loopback or address.is_multicast) and max(address.packed) > _LARGEST_OF_A_VERSION


def _v6(match: re.Match[str]) -> bool:
    try:
        address = ipaddress.IPv6Address(match[0])
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified) and match[0].count(":") > 2


def _any(_: re.Match[str]) -> bool:
    return True


def _some_hidden(match: re.Match[str]) -> bool:
    shown = sum(map(str.isdecimal, match[0]))
    return 5 <= shown < 10


def _area_of_ssn(match: re.Match[str]) -> bool:
    area, group, serial = match.groups()
    return area not in {"000", "666"} and area < "900" and group != "00" and serial != "0000"


def _mod_97(match: re.Match[str]) -> bool:
    plain = match[0].replace(" ", "")
    moved = plain[4:] + plain[:4]
    return int("".join(str(int(one, 36)) for one in moved)) % 97 == 1


@dataclass(frozen=True, slots=True)
class _Shape:
    """One shape.

    Args:
        kind: What it is, in UPPER_SNAKE.
        pattern: How it is written.
        confirmed: Tells whether a match can be one.
        certain: Whether it has this one reading only.
    """

    kind: str
    pattern: re.Pattern[str]
    confirmed: Callable[[re.Match[str]], bool] = _any
    certain: bool = False


_OF_DIGITS = (
    _Shape(found.IP, re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w)(?!\.\d)"), _v4),
    _Shape(
        found.GPS,
        re.compile(r"(?<![\w.])(-?\d{1,2}\.\d{4,})\s?[,/ ]\s?(-?\d{1,3}\.\d{4,})(?!\d)"),
        _latitude_and_longitude,
    ),
    _Shape(
        found.IBAN,
        re.compile(r"(?<!\w)[a-z]{2}\d{2}(?: ?[a-z0-9]{4}){2,7}(?: ?[a-z0-9]{1,3})?(?!\w)"),
        _mod_97,
        certain=True,
    ),
    _Shape(found.SSN, re.compile(r"(?<![\d-])(\d{3})-(\d{2})-(\d{4})(?![\d-])"), _area_of_ssn),
    _Shape(found.VEHICLE, re.compile(rf"(?<![\d가-힣])\d{{2,3}}\s?[{_PLATE}]\s?\d{{4}}(?!\d){_COUNTED}")),
    _Shape(
        found.PHONE,
        re.compile(rf"(?<!\w)01[016789][-. ]?[\d{_HIDDEN}]{{3,4}}[-. ]?[\d{_HIDDEN}]{{4}}(?![\d{_HIDDEN}])"),
        _some_hidden,
    ),
    _Shape(found.PHONE, re.compile(r"(?<![\w+])\+\d{1,3}[-. ]?\(?\d{1,4}\)?(?:[-. ]?\d{2,4}){2,4}(?!\d)")),
    _Shape(found.PHONE, re.compile(r"(?<![\w(])\(?[2-9]\d{2}\)?[-. ]{1,2}[2-9]\d{2}[-. ]\d{4}(?![\w-])")),
    _Shape(found.PHONE, re.compile(r"(?<!\d)\d(?:[ \-._]\d(?!\d)){6,}")),
)
_OF_COLONS = (
    _Shape(found.IP, re.compile(r"(?<![\w:.])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){3,7}(?![\w:])"), _v6),
    _Shape(found.MAC, re.compile(r"(?<![\w:-])[0-9a-f]{2}(?::[0-9a-f]{2}){5}(?![\w:-])"), certain=True),
    _Shape(found.MAC, re.compile(r"(?<![\w:-])[0-9a-f]{2}(?:-[0-9a-f]{2}){5}(?![\w:-])")),
)
_OF_LINKS = (
    _Shape(found.URL_HANDLE, re.compile(rf"{_PROFILE}/{_NO_HANDLE}@?[a-z0-9][\w.]{{2,}}")),
    _Shape(found.URL_HANDLE, re.compile(r"[?&](?:igsh|igshid|fbclid|gclid|si)=[\w-]{6,}")),
)
_OF_WORDS = (
    _Shape(found.HANDLE, re.compile(rf"{_SERVICE}\s?(?:아이디|id)[는은이가:= ]{{1,3}}@?[a-z0-9][\w.]{{3,}}")),
)
_OF_TILDES = (_Shape(found.USER_HOST, re.compile(r"(?<![\w@])~[\w.-]+@[\w-]+(?:\.[\w-]+)*")),)
_SPOKEN = (
    _Shape(
        found.PHONE,
        re.compile(rf"(?<![가-힣])[공영]일[{_SPOKEN_DIGITS}][ -]?(?:[{_SPOKEN_DIGITS}][ -]?){{7,8}}"),
    ),
)
_WORTH_A_LOOK = (
    (re.compile(r"\d(?:\D{0,12}\d){3}"), _OF_DIGITS),
    (re.compile(r"[0-9a-f:][:-][0-9a-f]{0,4}[:-]"), _OF_COLONS),
    (re.compile(r"\.(?:com|net|me|us|tv)/|=[\w-]{6}"), _OF_LINKS),
    (re.compile(r"아이디|id"), _OF_WORDS),
    (re.compile(r"~"), _OF_TILDES),
    (re.compile(r"[공영]일"), _SPOKEN),
)
_ANY_SIGN = re.compile(r"[\d:/=~일]|아이디|id")
"""What a text must hold for each of the shapes behind it to be possible."""


def find(text: str) -> Iterator[Spot]:
    """Yield what has one of the shapes.

    Args:
        text: One folded text.
    """
    if not _ANY_SIGN.search(text):
        return
    for sign, possible in _WORTH_A_LOOK:
        if sign.search(text):
            for shape in possible:
                for match in shape.pattern.finditer(text):
                    if shape.confirmed(match):
                        yield Spot(match.start(), match.end(), shape.certain, shape.kind)
