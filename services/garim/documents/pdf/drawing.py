"""The readable pages of a drafted document: its claims in Korean and English, for rehearsals.

Non-embedded standard fonts: Courier, and HYSMyeongJo with the predefined CMap UniKS-UTF16-H (ISO 32000-1
clause 9.7.5.2), which a viewer replaces by a Korean font of its own. So Garim ships no font.
"""

from __future__ import annotations

import dataclasses
import hashlib
import textwrap
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

WIDTH, HEIGHT = 595, 842
"""A4 in points."""
MARGIN = 56
LATIN, KOREAN = "/F1", "/F2"
"""Names of the fonts in a page's resources."""
_LABEL_COLUMNS = 34
_VALUE_COLUMNS = 46
_SIZE = 9
_LEADING = 15
_HALF = _SIZE * 0.6
_LAST_BASELINE = MARGIN + 2 * _LEADING

_KINDS = {
    "disclosure": "압수·수색 (통신 내용 제공) / Disclosure",
    "supplementary": "추가 요청 (가린 사람의 신원) / Supplementary request",
    "preservation": "보전 요청 / Preservation order",
    "revocation": "철회 / Revocation",
}
_LABELS = {
    "kind": "종류 / Kind",
    "number": "문서번호 / Number",
    "case_number": "사건번호 / Case number",
    "court": "법원 / Court",
    "authority": "수사기관 / Authority",
    "audience": "받는 사업자 / Addressee",
    "issued_at": "발부일시 / Issued at",
    "offence": "죄명 / Offence",
    "warrant_type": "영장 종류 / Warrant type",
    "subjects": "대상 / Subjects",
    "period": "기간 / Period",
    "until": "보전 기한 / Until",
    "mode": "가림 방식 / Mode",
    "expires_at": "유효기간 / Expires at",
    "first_document": "첫 문서 / First document",
    "dossier": "자료철 / Dossier",
    "identities": "요청하는 신원 / Identities",
    "revokes": "철회하는 문서 / Revokes",
    "reason": "사유 / Reason",
    "recipient": "받는 공개키 / Recipient key",
    "acknowledger": "수령 확인 인증서 / Acknowledger",
    "format": "형식 / Format",
}
_BANNER = ("시험용 문서 - 실제 영장이 아님", "TEST RENDERING OF CLAIMS FOR REHEARSALS - NOT A REAL WARRANT")


@dataclasses.dataclass(frozen=True)
class _Line:
    """One printed line: a label (perhaps none) and a value."""

    label: str
    value: str


def draw_pages(payload: bytes, members: Mapping[str, Any]) -> list[bytes]:
    """Return the content streams of the pages, one a page.

    Args:
        payload: The claims, whose SHA-256 stands at each page's foot.
        members: The same claims, parsed.
    """
    rows = list(_lines(members))
    first = HEIGHT - MARGIN - 5 * _LEADING
    per_page = int((first - _LAST_BASELINE) // _LEADING) + 1
    chunks = [rows[start : start + per_page] for start in range(0, len(rows), per_page)]
    digest = hashlib.sha256(payload).hexdigest()
    return [_page(chunk, first, digest, f"{number}/{len(chunks)}") for number, chunk in enumerate(chunks, 1)]


def _lines(members: Mapping[str, Any]) -> Iterator[_Line]:
    for name in (*_LABELS, *sorted(members.keys() - _LABELS.keys())):
        if name not in members:
            continue
        label = _LABELS.get(name, name)
        for text in _texts(name, members[name]):
            for part in _wrap(text):
                yield _Line(label, part)
                label = ""


def _texts(name: str, value: Any) -> list[str]:
    if name == "kind":
        return [_KINDS.get(value, str(value))]
    if name == "subjects":
        return [f"{one['kind']}: {one['value']}" for one in value]
    if name == "period":
        return [f"{value['from']} 부터 / from", f"{value['to']} 전까지 / up to"]
    if name == "identities":
        return [
            f"{one['pseudonym']} - 근거 / grounds: {', '.join(each['message'] for each in one['grounds'])}"
            for one in value
        ]
    if name == "revokes":
        return [f"{value['authority']} {value['number']}", f"SHA-256 {value['sha256']}"]
    return ["없음 / none" if value is None else str(value)]


def _columns(text: str) -> int:
    return sum(_wide(character) + 1 for character in text)


def _wide(character: str) -> bool:
    return ord(character) > 0x7E or unicodedata.east_asian_width(character) in "WF"


def _wrap(text: str) -> list[str]:
    """Break a value where it is wider than its column, at a space where there is one."""
    lines = []
    for word in textwrap.wrap(text, _VALUE_COLUMNS, break_on_hyphens=False) or [""]:
        rest = word
        while _columns(rest) > _VALUE_COLUMNS:
            cut = len(rest)
            while _columns(rest[:cut]) > _VALUE_COLUMNS:
                cut -= 1
            space = rest.rfind(" ", 0, cut)
            cut = space + 1 if space > 0 else cut
            lines.append(rest[:cut].rstrip())
            rest = rest[cut:]
        lines.append(rest)
    return lines


def _page(lines: list[_Line], first: float, digest: str, number: str) -> bytes:
    top = HEIGHT - MARGIN
    drawn = [
        "0.75 0 0 rg",
        *(_text(MARGIN, top - row * _LEADING, text) for row, text in enumerate(_BANNER)),
        "0 g",
        f"{MARGIN} {top - 2 * _LEADING} m {WIDTH - MARGIN} {top - 2 * _LEADING} l S",
    ]
    for row, line in enumerate(lines):
        height = first - row * _LEADING
        drawn += [
            _text(MARGIN, height, line.label),
            _text(MARGIN + _LABEL_COLUMNS * _HALF, height, line.value),
        ]
    drawn += [
        _text(MARGIN, MARGIN, f"SHA-256 {digest}"),
        _text(MARGIN, MARGIN - _LEADING, f"garim-document.json  {number}"),
    ]
    return "\n".join(drawn).encode("ascii")


def _text(left: float, height: float, text: str) -> str:
    """Show one line: runs of ASCII in Courier (0.6 em), the rest in the Korean font (1 em)."""
    if not text:
        return ""
    parts = []
    for wide, run in _runs(text):
        font = KOREAN if wide else LATIN
        encoded = run.encode("utf-16-be" if wide else "ascii").hex()
        parts.append(f"{font} {_SIZE} Tf <{encoded}> Tj")
    return f"BT 1 0 0 1 {left:.2f} {height:.2f} Tm {' '.join(parts)} ET"


def _runs(text: str) -> Iterator[tuple[bool, str]]:
    start = 0
    for index in range(1, len(text) + 1):
        if index == len(text) or _wide(text[index]) != _wide(text[start]):
            yield _wide(text[start]), text[start:index]
            start = index
