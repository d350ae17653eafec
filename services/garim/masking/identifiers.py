"""Recognisers of values with letters: addresses of mail, hosts and profiles, plates, passports, IBAN."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from garim.masking import checksums
from garim.masking.infotype import InfoType
from garim.masking.recogniser import Recogniser

if TYPE_CHECKING:
    Judged = tuple[InfoType, str] | None

_NETWORK = r"(?:instagram|twitter|x|facebook|threads|tiktok|github|youtube)\.(?:com|net)/"
_MEMBERS = (
    r"(?:t\.me/|open\.kakao\.com/(?:o|me)/|pf\.kakao\.com/|linkedin\.com/in/|blog\.naver\.com/|band\.us/@"
    r"|/~|/u(?:ser|sers)?/|/@|/profile/|/people/)"
)
PROFILE = f"(?:{_NETWORK}|{_MEMBERS})"
"""What stands before a handle in a link; RE2 reads it, too."""
TRACKING = (
    r"(?:igsh(?:id)?|fbclid|gclid|dclid|msclkid|twclid|ttclid|yclid|mibextid|mc_eid|li_fat_id|_hsenc|si|share_id"
    r"|u(?:ser)?_?id|member_?id|invite(?:_?code)?|ref(?:erral)?_?code)"
)
"""Parameters of links that name who shared or clicked; RE2 reads it, too."""
KOREAN_SERVICES = r"(?:카톡|카카오톡?|인스타(?:그램)?|텔레(?:그램)?|라인|디코|디스코드|트위터)"
SERVICES = rf"(?:{KOREAN_SERVICES}|kakao(?:talk)?|insta(?:gram)?|telegram|discord|skype|line)"
_HANDLE_URL = re.compile(
    rf"(?:(?<![a-z0-9\-]){_NETWORK}@?(?!p/|reel|watch|search|share|hashtag|explore|status|intent|about|login)"
    rf"|(?!(?<=[a-z0-9\-])t\.me){_MEMBERS})"
    r"(?P<v>[a-z0-9_.%\-]{2,})"
)
_TRACKING = re.compile(rf"[?&;]{TRACKING}=(?P<v>[a-z0-9_.%~+=\-]{{4,200}})")
_LOCAL_INNER = r"a-z0-9_%+=~^|\\{}\[\]`\-"
_BEFORE_LOCAL = rf"(?<![.{_LOCAL_INNER}])\.{{0,3}}"
"""One place only to begin at, so that a long run without an at sign is read once."""
_LOCAL = rf"(?P<local>[{_LOCAL_INNER}](?:[.{_LOCAL_INNER}]*[{_LOCAL_INNER}])?)"
_MAIL = re.compile(
    rf"{_BEFORE_LOCAL}(?P<v>{_LOCAL}@(?P<host>(?:[a-z0-9\-]+\.)+(?:xn--[a-z0-9\-]{{1,58}}[a-z0-9]|[a-z]{{2,24}})))(?![a-z0-9_]|[.\-][a-z0-9]|/[a-z])"
)
_MAIL_SPACED = re.compile(
    rf"{_BEFORE_LOCAL}(?P<v>{_LOCAL} ?@ ?(?P<host>(?:[a-z0-9\-]+\.)+[a-z]{{2,24}}))"
    r"(?![a-z0-9_]|[.\-][a-z0-9]|/[a-z])"
)
_MAIL_HOST = re.compile(
    r"(?:naver|gmail|daum|hanmail|kakao|nate|outlook|hotmail|yahoo|icloud|korea|proton(?:mail)?)\."
)
_AT_HOST = re.compile(rf"{_BEFORE_LOCAL}(?P<v>{_LOCAL}@(?P<host>[a-z0-9](?:[a-z0-9.\-:_/]*[a-z0-9])?))")
_IDENT = re.compile(r"[~^+=-]|[ni]=")
_MAC = re.compile(
    r"(?<![0-9a-f:\-])(?P<v>[0-9a-f]{2}(?:(?::[0-9a-f]{2}){5}|(?:-[0-9a-f]{2}){5}))"
    r"(?![0-9a-f:\-])"
)
_IPV6 = re.compile(
    r"(?<![0-9a-z:.])(?P<v>[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:(?:\.\d{1,3}){3})?(?:%[a-z0-9]{1,16})?(?:/\d{1,3})?)"
    r"(?![0-9a-z:])"
)
_IPV4 = re.compile(r"(?<![\d.])(?P<v>\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?)(?!\d)")
_VERSION_BEFORE = re.compile(r"(?:version|버전|ver\.?|v|release|kernel|modules/|linux|-|_)[ :]?\Z")
_ADDRESS_WORD = re.compile(
    r"\bip|아이피|주소|서버|접속|address|host|\bdns|gateway|ping|route|server|subnet|\bnet"
)
_LARGEST_IN_VERSION = 31
_PRIVATE = 10
_IBAN_JOINED = re.compile(r"\b(?P<v>[a-z]{2}\d{2}[a-z0-9]{11,30})(?![a-z0-9])")
_IBAN_GROUPED = re.compile(
    r"\b(?P<v>[a-z]{2}\d{2}(?P<gap>[ \-])[a-z0-9]{4}(?:(?P=gap)[a-z0-9]{4}){1,6}"
    r"(?:(?P=gap)[a-z0-9]{1,3})?)(?![a-z0-9])"
)
_IBAN_WITHOUT_REST = re.compile(
    r"\b(?P<v>[a-z]{2}\d{2}(?P<gap>[ \-])[a-z0-9]{4}(?:(?P=gap)[a-z0-9]{4}){2,6})(?![a-z0-9])"
)
"""The word behind may look like the last, shorter group."""
_PASSPORT = re.compile(r"(?<![a-z0-9])(?P<v>[a-z]{1,2} ?-?\d{7,8}|[a-z]\d{3}[a-z]\d{4})(?![a-z0-9])")
_PASSPORT_DIGITS = re.compile(r"(?<![\d\-])(?P<v>\d{9})(?![\d\-])")
_PASSPORT_WORD = re.compile(r"(?:여권|passport)[^\d\n]{0,14}\Z")
_PLATE = re.compile(
    r"(?<![\d.\-])(?P<v>(?:(?:서울|부산|대구|인천|광주|대전|울산|세종|경기|강원"
    r"|충북|충남|전북|전남|경북|경남|제주) ?)?"
    r"\d{2,3} ?[가나다라마거너더러머버서어저고노도로모보소오조구누두루무부수우주바사아자배차하허호] ?\d{4})"
    r"(?!\d|[\-,]\d)(?! ?(?:원|호실|년|명|개))"
)
_PLATE_PLAIN = re.compile(r"\d{2,3} ?[차도사이자수호주서부]")
_PLATE_WORD = re.compile(r"차량|차번|번호판|승용|화물|택시|차")
_PLATE_NUMBER_WORD = re.compile(r"차량 ?번호|번호판|차 ?번호|차번")
_SERVICE = re.compile(
    rf"{SERVICES}(?P<link>[^\n\x00a-z0-9@]{{0,12}}(?:id)?[^\n\x00a-z0-9@]{{0,6}})"
    r"(?P<v>@?[a-z0-9][a-z0-9_.]{2,29})(?![a-z0-9_])"
)
_BARE_HANDLE = re.compile(
    r"(?!ver|windows|android|ios|galaxy|update|www\.)(?=[a-z_]*[\d_.][a-z_\d]|[a-z_]+\d)[a-z][a-z0-9_.]{5,}"
    r"(?<!\.com)(?<!\.net)(?<!\.org)(?<!\.kr)(?<!\.js)(?<!\.py)(?<!\.apk)(?<!\.exe)(?<!\.txt)(?<!\.pdf)"
)
"""What is nothing but a handle behind the name of a service."""
_SERVICE_LINK = re.compile(r"아이디|계정|id|[:=]")


def _handle_url(match: re.Match[str], _before: str, _after: str) -> Judged:
    return InfoType.URL_HANDLE, match["v"].rstrip(".")


def _mail(match: re.Match[str], before: str, _after: str) -> Judged:
    kind = InfoType.USER_HOST if before.endswith("!") or _IDENT.match(match["local"]) else InfoType.EMAIL
    return kind, f"{match['local']}@{match['host']}"


def _mail_spaced(match: re.Match[str], _before: str, _after: str) -> Judged:
    # Between spaces, an at sign also says where somebody is.
    sure = _MAIL_HOST.match(match["host"]) or not match["local"].isalpha()
    return (InfoType.EMAIL, f"{match['local']}@{match['host']}") if sure else None


def _at_host(match: re.Match[str], _before: str, _after: str) -> Judged:
    return InfoType.USER_HOST, f"{match['local']}@{match['host']}"


def _mac(match: re.Match[str], _before: str, _after: str) -> Judged:
    return InfoType.MAC, match["v"].replace("-", ":")


def _ipv6(match: re.Match[str], _before: str, _after: str) -> Judged:
    try:
        address = ipaddress.IPv6Address(match["v"].partition("/")[0])
    except ValueError:
        return None
    spelled = sum(character.isalnum() for character in match["v"])
    return (InfoType.IP, address.compressed) if spelled >= 4 or match["v"].startswith("::1") else None


def _ipv4(match: re.Match[str], before: str, after: str) -> Judged:
    parts = match["v"].partition("/")[0].split(".")
    octets = [int(part) for part in parts]
    if max(octets) > 255 or any(part != str(int(part)) for part in parts):
        return None
    # Four small numbers are a version more often than an address, unless something says address.
    small = max(octets) <= _LARGEST_IN_VERSION and octets[0] != _PRIVATE
    if _VERSION_BEFORE.search(before) or (small and not _ADDRESS_WORD.search(before + after)):
        return None
    return InfoType.IP, ".".join(map(str, octets))


def _iban(match: re.Match[str], _before: str, _after: str) -> Judged:
    value = re.sub(r"[ \-]", "", match["v"])
    return (InfoType.IBAN, value) if len(value) >= 15 and checksums.iban(value) else None


def _passport(match: re.Match[str], before: str, _after: str) -> Judged:
    value = re.sub(r"[ \-]", "", match["v"])
    shaped = re.fullmatch(r"[a-z]\d{8}|[mspgrd]\d{3}[a-z]\d{4}", value)
    return (InfoType.PASSPORT, value) if shaped or _PASSPORT_WORD.search(before) else None


def _plate(match: re.Match[str], before: str, after: str) -> Judged:
    value = match["v"].replace(" ", "")
    doubtful = _PLATE_PLAIN.match(match["v"]) is not None
    named = _PLATE_WORD.search(before[-20:] + after) or _PLATE_NUMBER_WORD.search(before)
    if doubtful and not named:
        return None
    return InfoType.VEHICLE, value


def _service(match: re.Match[str], _before: str, _after: str) -> Judged:
    bare = match["link"] == " " and not match[0].isascii() and _BARE_HANDLE.fullmatch(match["v"])
    named = bare or _SERVICE_LINK.search(match["link"]) or match["v"].startswith("@")
    return (InfoType.HANDLE, match["v"].lstrip("@").rstrip(".")) if named else None


AT = (Recogniser(_MAIL, _mail), Recogniser(_MAIL_SPACED, _mail_spaced), Recogniser(_AT_HOST, _at_host))
"""For zones with an at sign."""
LINK = (Recogniser(_HANDLE_URL, _handle_url), Recogniser(_TRACKING, _handle_url))
"""For zones with a slash."""
COLONS = (Recogniser(_MAC, _mac), Recogniser(_IPV6, _ipv6))
"""For zones with colons, or hyphens in their place."""
LETTERS = (
    Recogniser(_SERVICE, _service),
    Recogniser(_IBAN_JOINED, _iban, 2),
    Recogniser(_IBAN_GROUPED, _iban, 2),
    Recogniser(_IBAN_WITHOUT_REST, _iban, 2),
    Recogniser(_PASSPORT, _passport, 3),
)
"""For zones with letters."""
DIGITS = (
    Recogniser(_IPV4, _ipv4, 4, (".",)),
    Recogniser(_PLATE, _plate, 2, ()),
    Recogniser(_PASSPORT_DIGITS, _passport, 9, ("passport",)),
)
"""For zones with digits."""
