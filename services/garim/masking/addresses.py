"""Recognisers of Korean postal addresses, by road or by lot, down to the flat, and of postcodes.

An address is a road or a quarter with a number. Such a pair alone may be a line of chat (`구로 3명`), so
something else must say that it is one: a province or town before it, a word such as 주소, or a flat,
floor or building behind it. Every repetition is bounded, so long texts take linear time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from garim.masking.infotype import InfoType
from garim.masking.recogniser import Recogniser

if TYPE_CHECKING:
    Judged = tuple[InfoType, str] | None

PROVINCES = (
    "(?:서울(?:특별시|시)?|(?:부산|대구|인천|광주|대전|울산)(?:광역시|시)?|세종(?:특별자치시|시)?"
    "|경기도?|강원(?:특별자치도|도)?|전북(?:특별자치도)?|제주(?:특별자치도|도)?"
    "|충청[남북]도|전라[남북]도|경상[남북]도|충남|충북|전남|경북|경남)"
)
_TOWN = r"[가-힣]{1,5}[시군구]"
_PARISH = r"[가-힣]{1,5}\d{0,2}(?:읍|면|동\d가|동|리|가)"
ROAD = r"[가-힣一-鿿][가-힣0-9·一-鿿]{0,11}(?:로|길)(?: ?\d{1,4}(?:번|[가-하])?길)?"
_NUMBER = r"(?:지하 ?)?\d{1,5}(?:[\-~]\d{1,4})?(?:번지|번)?"
_LOT = r"(?:산 ?)?\d{1,4}(?:-\d{1,4})?(?:번지)?"
_COUNTED = (
    r"(?! ?(?:시간|명|원|년|월|일(?!원)|분|초|개|번째|점|위|도(?!로)|회|배|천|만|억|%|킬로|미터|km|m\b))"
)
_BUILDINGS = (
    "아파트|빌딩|빌라|타워|센터|오피스텔|상가|맨션|맨숀|주택|연립|하이츠|파크|캐슬|자이|푸르지오|래미안|힐스테이트|아이파크"
    "|편한세상|더샵|팰리스|스퀘어|프라자|플라자|마을|시티|청사|회관|공장|병동|본관|별관|신관|기숙사|고시원|원룸|하우스|텔|빌라트"
)
_ROOM = (
    r"(?:지하 ?\d{0,2}층?|b\d{1,2}(?:층|호)?|(?:제 ?)?[a-z가-하]?\d{1,4}(?:-\d{1,4})?"
    r"(?:동|호실?|층|단지|블록)"
    r"|\d{1,3}(?:차|관)(?![가-힣])|[a-z가-하]동(?= ?\d)|[a-z]룸|\d{2,4}-\d{1,4}|\d{3,4}(?=[)\n\x00]))"
)
_SOON_A_ROOM = r"(?=(?: [가-힣a-z0-9·]{1,14})? ?(?:[a-z가-하]동 ?)?\d{1,4}(?:동|호|층|단지|차|-\d{1,4}(?!-)))"
_PLACE = "(?:앞|옆|뒤|부근|인근|일원|일대|맞은편|노상|교차로|사거리|주차장|진입로|입구|도로)(?![가-힣])"
_DETAIL = (
    rf"(?: ?\((?!우편|우\)|예금|대표|전화|만 |☎)[가-힣a-z0-9·, ]{{2,30}}\)|,? {{0,2}}(?:{_ROOM}"
    rf"|[가-힣a-z0-9·]{{0,16}}(?:{_BUILDINGS})|[가-힣a-z0-9·]{{2,14}}{_SOON_A_ROOM}|{_PLACE}))"
)
_LAST_WORD = r"(?: [가-힣a-z0-9]{2,14})?(?=[\n\x00,])"
"""A building's name at the end of a line; a region before it makes sure that this is an address."""
_ADDRESS = re.compile(
    r"(?<![가-힣0-9a-z一-鿿])(?P<v>"
    rf"(?P<region>(?:{PROVINCES}(?:,? {{0,2}}{_TOWN}){{0,2}}|{_TOWN}(?: {_TOWN})?)[, ]{{1,2}})?"
    rf"(?P<parish>{_PARISH}[, ]{{1,2}}){{0,2}}"
    rf"(?:(?P<quarter>{_PARISH}) ?{_LOT}|\d?{ROAD} ?,? ?{_NUMBER})(?![\d:.%]\d|\d|,\d){_COUNTED}"
    rf"(?P<detail>{_DETAIL}){{0,7}}(?(region){_LAST_WORD}|)?"
    rf"|(?P<wide>{PROVINCES},? {{1,2}}{_TOWN}(?: {_TOWN})?(?: {_PARISH}){{1,2}}(?!\d)(?:{_DETAIL}){{0,6}}))"
)
_ADDRESS_WORD = re.compile(
    r"(?:주소|소재지?|거주지?|주거|본적|등록기준지|사용본거지|배송지|배송|목적물|사업장|장소"
    r"|출발지|도착지|사는 ?곳|살아|집은?)"
    r"[^\n]{0,12}\Z"
)
_POSTCODE = re.compile(r"(?<![\d\-])(?P<v>\d{5}|\d{3}-\d{3})(?![\d\-]|[,.]\d| ?[가-힣]?원)")
_POSTCODE_BEFORE = re.compile(
    r"(?:우편 ?번호|우\)|\b우편?(?![가-힣])|〒|postal code|zip(?: ?code)?)[^\d\n]{0,6}\Z"
)
_POSTCODE_BEHIND = re.compile(r"(?:\d|호|층|동|\)) ?\(\Z")
_POSTCODE_AFTER = re.compile(rf"[)\]]? {{0,2}}{PROVINCES} ?[가-힣]")


def _address(match: re.Match[str], before: str, _after: str) -> Judged:
    certain = match["region"] or match["wide"] or match["detail"] or match["parish"]
    if not certain and not _ADDRESS_WORD.search(before):
        return None
    return InfoType.ADDRESS, re.sub(r"[\s,]+", " ", match["v"]).strip()


def _postcode(match: re.Match[str], before: str, after: str) -> Judged:
    behind = _POSTCODE_BEHIND.search(before) and after.startswith(")")
    if not (behind or _POSTCODE_BEFORE.search(before) or _POSTCODE_AFTER.match(after)):
        return None
    return InfoType.ADDRESS, match["v"]


KOREAN = (Recogniser(_ADDRESS, _address),)
"""For zones with Korean letters."""
POSTCODES = (Recogniser(_POSTCODE, _postcode, 5, ("postal", "zip", "(")),)
"""For zones with digits."""
