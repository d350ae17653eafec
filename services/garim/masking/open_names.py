"""People who are in no roster: the seam for detectors, and one of rules for Korean.

The rules want a surname and given name together with something that says "person": a title behind it or
a label before it. Conservative: what they find is nearly always a name; they miss bare given names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import re2

from garim.masking import korean, words_ko

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garim.masking.normalise import Batch


@dataclass(frozen=True, slots=True)
class OpenName:
    """A name that stands in no roster.

    Args:
        start: First code point in `Batch.lowered`.
        end: Code point behind the last.
        name: The canonical, folded name.
    """

    start: int
    end: int
    name: str


class OpenNameDetector(Protocol):
    """Finds names of people who are in no roster."""

    def detect(self, batch: Batch) -> Iterator[OpenName]:
        """Yield the names in a batch; they may overlap each other and known names.

        Args:
            batch: The texts.
        """
        ...


_SURNAME = f"(?:{'|'.join(korean.COMPOUND_SURNAMES)}|[{''.join(sorted(korean.SURNAMES))}])"
_TITLED = korean.alternatives(
    """
    씨 님 군 양 선생님 대표이사 대표 사장 부사장 회장 이사 전무 상무 본부장 부장 차장 과장 대리 팀장 실장
    국장 소장 센터장 점장 계장 주임 사원 인턴 매니저 책임 선임 수석 원장 교수 박사 강사 조교 의원 장관 기자
    변호사 검사 판사 의사 간호사 약사 감독 코치 작가 목사 주무관 사무관 서기관 전문의 고객 회원 환자 학생
    어르신 수험생 경위 경감 경사 순경
    """
)
_LABEL = korean.alternatives(
    """
    성명 이름 성함 담당자? 신청인 피고인? 원고 예금주 수신인? 수취인 받는분 보내는분 보호자 환자명?
    대표자 임대인 임차인 매도인 매수인 계약자 피보험자 고객명? 회원명? 작성자 참석자 피해자 피의자 고소인
    피고소인 증인 청구인 대리인 채무자 채권자 근로자 학생 위임인 수임인 주문자 입금자 연락인 검사 변호인 판사
    기자 주무관 과장 팀장 강사 교수 의사 원장 대표
    """
)
_ROLE_END = "자인명름의관원생람주방함사"
"""Last syllables of labels in forms: 신청자, 임차인, 성명, 이름, 집도의, 심사관 …"""
_COLON = r"(?:\([^)\n\x00]{1,8}\))? ?[:：▶]"
_NAMED = re2.compile(
    rf"{_SURNAME}[가-힣]{{1,3}} ?(?:{_TITLED})|(?:{_LABEL})(?: |\()[ (]*{_SURNAME} ?[가-힣]{{1,3}}"
    rf"|[{_ROLE_END}]{_COLON} *{_SURNAME} ?[가-힣]{{1,3}}"
    rf"|{_SURNAME}[가-힣]{{2}} ?\((?:\d{{2,6}}|남|여|만)|(?:이름은|저는|제가) {_SURNAME}[가-힣]{{2}}"
)
_CASE = "이|가|은|는|을|를|의|도|만|과|와|께서|에게|한테|이랑|랑|입니다|으로|로"
_NAME_ENDS = "(?:(?![가-힣])|(?=님|씨|이|가|은|는|에|의|께|으))"
_FORM_FIELD = re.compile(rf"[{_ROLE_END}]{_COLON} *(?P<n>{_SURNAME}[가-힣]{{2}}){_NAME_ENDS}")
_LABEL_BEFORE = re.compile(rf"(?:{_LABEL})(?: {{1,3}}|\()(?P<n>{_SURNAME}[가-힣]{{2}}){_NAME_ENDS}")
_TITLE_BEHIND = re.compile(rf"(?P<n>{_SURNAME}[가-힣]{{2}}) ?(?:{_TITLED})(?:님)?(?:{_CASE})?(?![가-힣])")
_AGE_BEHIND = re.compile(rf"(?P<n>{_SURNAME}[가-힣]{{2}}) ?\((?:\d{{2,6}}|남|여|만)")
_SAID = re.compile(
    rf"(?:이름은|저는|제가) (?P<n>{_SURNAME}[가-힣]{{2}})(?=입니다|이에요|예요|이라고|라고|이고| ?입니다)"
)


class KoreanNameRules:
    """Korean full names with a title, an age or a label, and the same names elsewhere in their text."""

    def detect(self, batch: Batch) -> Iterator[OpenName]:
        """Yield the names in a batch; see `OpenNameDetector`."""
        hits = [match.span() for match in _NAMED.finditer(batch.data)]
        points = batch.code_points(offset for hit in hits for offset in hit)
        names = {(batch.text_at(points[low]), name) for low, _ in hits for name in _named(batch, points[low])}
        for index, name in sorted(names):
            yield from _everywhere(batch, index, name)


def _named(batch: Batch, start: int) -> Iterator[str]:
    floor, limit = batch.bounds(batch.text_at(start))
    for rule in (_FORM_FIELD, _LABEL_BEFORE, _SAID, _TITLE_BEHIND, _AGE_BEHIND):
        match = rule.match(batch.lowered, start, limit)
        if match is None:
            continue
        before = korean.word_before(batch.lowered, match.start("n"), floor)
        if not korean.may_precede(before) or not _is_name(match["n"], in_field=rule is _FORM_FIELD):
            continue
        yield match["n"]
        return


def _everywhere(batch: Batch, index: int, name: str) -> Iterator[OpenName]:
    """Yield every place of a name in the text in which it was found once."""
    floor, limit = batch.bounds(index)
    at = batch.lowered.find(name, floor, limit)
    while at >= 0:
        end = at + len(name)
        whole = korean.may_precede(korean.word_before(batch.lowered, at, floor))
        if whole:
            yield OpenName(at, end, name)
        at = batch.lowered.find(name, end, limit)


def _is_name(name: str, *, in_field: bool) -> bool:
    if name in words_ko.COMMON_WORDS or name[1:] in _NO_GIVEN_NAMES:
        return False
    if name[:2] in words_ko.COMMON_WORDS and name[2:] in _ENDINGS:
        return False
    if not in_field and name[1:] in words_ko.COMMON_WORDS:
        return False
    return korean.split_name(name) is not None and name[-1] not in "다요"


_ENDINGS = frozenset("이가은는을를의에로도만과와해한하된일인적력성용별화다요지네")
_NO_GIVEN_NAMES = frozenset(
    korean.alternatives(
        """
        락처 흥원 미국 결 국 나라 지역 대학 회사 학교 병원 사람 친구 엄마 아빠 담당 부서 관리 영업 개발 기획
        인사 총무 재무 민원 상담 고객 환자 회원 학생 선생 남자 여자 동료 직원
        """
    ).split("|")
)
