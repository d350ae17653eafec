"""Where a value with a shape of its own may stand: one RE2 alternation over all bytes of a batch.

The alternation only finds *zones*, cheaply and generously; `classify` decides what, if anything, stands
in one. Everything is lower-case and folded (`normalise`). RE2's word boundary is ASCII, so a Korean
particle may follow any value directly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import re2

from garim.masking.addresses import PROVINCES, ROAD
from garim.masking.identifiers import KOREAN_SERVICES, PROFILE, SERVICES, TRACKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEPARATED = r"[ \t().\-/·_~,]{0,3}"
_IN_URL = r"[^\s\x00<>\"'()가-힣]"
_URL = rf"(?:https?://|www\.){_IN_URL}*?(?:{PROFILE}|[?&;]{TRACKING}=){_IN_URL}+"
_SOCIAL_HOST = (
    r"(?:instagram\.com|twitter\.com|x\.com|facebook\.com|t\.me|threads\.net|tiktok\.com|github\.com"
    r"|open\.kakao\.com|pf\.kakao\.com|linkedin\.com|youtube\.com|blog\.naver\.com|band\.us)"
    r"/[^\s\x00<>\"'()가-힣]+"
)
_AT = r"[a-z0-9._%+=~^|\\{}\[\]`\-]+@[a-z0-9][a-z0-9.\-:_/]*"
_AT_SPACED = r"[a-z0-9][a-z0-9._%+\-]* ?@ ?[a-z0-9][a-z0-9.\-]*\.[a-z]{2}"
_COLONS = (
    r"[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){3,8}(?:\.\d{1,3}){0,3}"
    r"|(?:[0-9a-f]{2}-){5}[0-9a-f]{2}|[0-9a-f]{0,4}::(?:\d|[0-9a-f]{4}|/\d)"
)
_LETTERS_DIGITS = (
    r"\b[a-z]{1,2}[ \-]?\d{7,8}|\b[a-z]\d{3}[a-z]\d{4}|\b[a-z]{2}\d{2}(?:[ \-]?[a-z0-9]{4}){2,8}"
)
_NUMBER = r"[+(]{0,2}\d(?:" + _SEPARATED + r"\d){6}(?:" + _SEPARATED + r"\d){0,60}"
_SHORT_NUMBER = r"[x*●○]{6} ?- ?[1-8]\d{6}|\d{1,3}(?:\.\d{1,3}){3}|\d{6} ?- ?[1-8*●○]"
_PLATE = r"\d{2,3} ?[가-힣] ?\d{4}"
_ADDRESS = (
    rf"{PROVINCES},? {{1,2}}[가-힣]{{1,6}}(?:[시군구읍면동로길]|\d)[^\n\x00]{{0,12}}"
    rf"|(?:[가-힣]{{1,5}}[시군구] )?(?:{ROAD}|[가-힣]{{1,5}}\d{{0,2}}[동리가]) ?,? ?(?:지하 ?|산 ?)?\d{{1,5}}"
)
_POSTCODE = r"\d{5}|\d{3}-\d{3}"
_HALF_PHONE = (
    r"01[016789][ .\-]?(?:\d{3,4}[ .\-]?[*x●○]{4}|[*x●○]{3,4}[ .\-]?\d{4})"
    r"|(?:뒷|끝) ?(?:자리|번호)[^\d\n\x00]{0,6}\d{4}"
)
_COORDINATES = r"\d{1,3}\.\d{4,12} ?[,/ ] ?-?\d{1,3}\.\d{4,12}"
_DATE = r"\d{2,4} ?[.\-/년] ?\d{1,2} ?[.\-/월] ?\d{1,2}|\d{2,4} ?년 ?생"
_LINK = r"[^\n\x00a-z0-9@]{0,18}"
_SERVICE = (
    rf"{SERVICES}{_LINK}(?:(?:아이디|계정|id|[:=]){_LINK}@?|@)[a-z0-9]"
    rf"|{KOREAN_SERVICES} [a-z][a-z0-9_.]{{5,29}}"
)

_KINDS = (
    _URL,
    _AT,
    _AT_SPACED,
    _SOCIAL_HOST,
    _SERVICE,
    _HALF_PHONE,
    _COORDINATES,
    _COLONS,
    _LETTERS_DIGITS,
    _NUMBER,
    _SHORT_NUMBER,
    _PLATE,
    _DATE,
    _ADDRESS,
    _POSTCODE,
)
_ZONES = re2.compile("|".join(_KINDS))


def zones(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the byte stretches of `data` that deserve a look, in order and without overlap.

    Args:
        data: `normalise.Batch.data`.
    """
    for match in _ZONES.finditer(data):
        yield match.span()
