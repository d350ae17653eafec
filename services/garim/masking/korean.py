"""What may stand around a Korean name: surnames before it, honorifics and particles behind it."""

from __future__ import annotations

import re

from garim.masking.words_ko import COMMON_WORDS, LEXICAL_NIM, PRONOUNS


def alternatives(words: str) -> str:
    """Return the words of `words` as the alternatives of a regular expression, in their order."""
    return "|".join(words.split())


SURNAMES = frozenset(
    "김이박최정강조윤장임한오서신권황안송전홍유고문양손배백허남심노하곽성차주우구민류나진지엄채원천방공현"
    "함변염여추도소석선설마길연위표명기반라왕금옥육인맹제모탁국어은편용예경봉사부"
)
COMPOUND_SURNAMES = ("남궁", "황보", "제갈", "사공", "선우", "서문", "독고", "동방")
TITLES = alternatives(
    """
    씨 님 군 양 선생님 선생 쌤 샘 형님 형 누나 누님 언니 오빠 선배님 선배 후배 이모 삼촌 고모 아저씨 아줌마
    어머님 어머니 아버님 아버지 엄마 아빠 대표이사 대표님 대표 사장님 사장 부사장 회장님 회장 이사님 이사
    전무님? 상무님? 본부장님? 부장님 부장 차장님 차장 과장님 과장 대리님 대리 팀장님 팀장 실장님 실장 국장님?
    소장님? 센터장님? 점장님? 반장님? 계장님? 주임님 주임 사원님? 인턴님? 매니저님? 책임님? 선임님? 수석님?
    원장님? 교수님 교수 박사님 박사 강사님? 조교님? 의원님? 장관님? 기자님? 변호사님? 검사님? 판사님? 의사님?
    간호사님? 약사님? 감독님? 코치님? 작가님? 목사님? 집사님? 권사님? 장로님? 스님 신부님 수녀님 학생 어린이
    고객님 회원님 환자님? 배우님? 선수님? 여사님? 사모님 도련님 방장님? 이장님? 병장 상병 일병 이병 하사 중사
    상사 소위 중위 대위 소령
    """
)
_PERSONAL = alternatives(
    """
    에게서? 한테서? 께서 께 더러 보고 이한테서? 이에게서? 이가 이는 이를 이도 이만 이의 이네 이랑 이하고
    이보다 이처럼 이부터 이까지 이껀 이꺼 이거
    """
)
_COMMON = alternatives(
    """
    의 도 만 만큼 까지 부터 처럼 보다 마저 조차 에게서? 한테서? 께서 께 하고 들 뿐 밖에 에 대로 같이 더러
    보고 치고 네 이네 껀 꺼 거 입니다 입니까 이세요 이십니다 이신 인지 일까 인가요? 일지 이셔 님 땜에 때문
    말고 빼고 씩 마다
    """
)
_AFTER_CONSONANT = alternatives(
    """
    이 은 을 과 이랑 아 으로 으로서 이라 이라고 이라는 이라도 이라서 이다 이야 이에요 이예요 이면 이지 이지만
    인데 인가 인 일 이고 이나 이든 이란 이여 이요 이었다? 이었어요? 이었고 이며 이자 이냐 이니 이구나 이군
    이잖아 이한테 이에게 이가 이는 이를 이도 이만 이의 이하고
    """
)
_AFTER_VOWEL = alternatives(
    """
    가 는 를 와 랑 야 로 로서 라 라고 라는 라도 라서 예요 에요 여 요 인데 인가 인 일 란 였다? 였어요? 였고
    였는데 이며 냐 구나 군 잖아 ㄴ ㄴ데 이야 이다 이고 이랑 이라고 이라는 이었다 며 든 나
    """
)
_ONE_SYLLABLE_PARTICLES = frozenset("이가은는을를의도만에와과")
_STRONG = f"(?:{TITLES})|이?한테|이?에게|께서|이랑|이네|이가(?= )"
_END = r"(?![가-힣])"


_LAST = "(?:(?<=[랑와과테게서까터])(?:은|는|도|만|의|요))?"
"""A second particle, which agrees with the first and not with the name (지혜랑은, 지민과는)."""


def _follows(particles: str) -> re.Pattern[str]:
    chain = f"(?: ?(?:{TITLES}))?(?:{particles}|{_COMMON}){{0,3}}{_LAST}{_END}"
    return re.compile(f"{chain}|{_STRONG}")


_AFTER = (_follows(_AFTER_VOWEL), _follows(_AFTER_CONSONANT))
_CASE = "(?:이|가|은|는|을|를|의|도|만|께서|께|한테|에게|이랑|랑|과|와|하고|이고|이야|입니다|요)"
_SPACED_TITLES = "씨|님|선생님|쌤|선배|대리|과장|팀장|부장|차장|언니|오빠|누나|형"
_PERSON_ONLY = re.compile(
    rf"(?:{TITLES}){_CASE}?{_END}| (?:{_SPACED_TITLES})(?:님|아|야|{_CASE})*{_END}"
    rf"|(?:{_PERSONAL})(?:은|는|도|만|요)?{_END}"
)
_VOCATIVE = re.compile(r"아(?=[ ,.!?~\n\x00ㅋㅎㅠㅜ]|$)")
_TITLE_ONLY = re.compile(rf"(?:씨|님){_CASE}?{_END}")
_PREFIXES = frozenset(
    (
        "우리",
        "울",
        "내",
        "네",
        "니",
        "저",
        "그",
        "이",
        "친구",
        "동생",
        "사랑하는",
        "우리의",
        "예쁜",
        "귀여운",
        "착한",
        "안녕",
        "오늘",
        "근데",
        "그리고",
        "아니",
    )
)


_LONGEST_LOOK = 12
"""How many syllables before a name are looked at: more than any word that may precede one."""


def is_syllable(character: str) -> bool:
    """Tell whether `character` is a composed Korean syllable."""
    return "가" <= character <= "힣"


def is_hangul(text: str) -> bool:
    """Tell whether `text` is nothing but Korean syllables, at least one."""
    return bool(text) and all("가" <= character <= "힣" for character in text)


def ends_with_consonant(syllable: str) -> bool:
    """Tell whether a Korean syllable has a final consonant, which decides the particle behind it."""
    return (ord(syllable) - 0xAC00) % 28 != 0


def split_name(name: str) -> tuple[str, str] | None:
    """Split a Korean full name into surname and given name.

    Args:
        name: Three syllables with a known surname, or four and five with a compound one.

    Returns:
        Surname and given name, or None where `name` has another shape.
    """
    if not is_hangul(name):
        return None
    if len(name) in {4, 5} and name.startswith(COMPOUND_SURNAMES):
        return name[:2], name[2:]
    if len(name) == 3 and name[0] in SURNAMES:
        return name[0], name[1:]
    return None


def name_may_end(text: str, end: int, limit: int) -> bool:
    """Tell whether a Korean name may end at `end`: at a word's end, a particle, a title.

    Args:
        text: Folded text.
        end: Where the name ends.
        limit: Where the text ends.
    """
    if end >= limit or not is_syllable(text[end]):
        return True
    return _AFTER[ends_with_consonant(text[end - 1])].match(text, end, limit) is not None


def only_a_person(text: str, start: int, end: int, limit: int) -> bool:
    """Tell whether what follows a common word says that it is somebody's name here.

    Args:
        text: Folded text.
        start: Where the word begins.
        end: Where it ends.
        limit: Where the text ends.
    """
    word = text[start:end]
    if word in LEXICAL_NIM and text.startswith("님", end):
        return False
    if word in PRONOUNS or len(word) == 1:
        return _TITLE_ONLY.match(text, end, limit) is not None and word not in PRONOUNS
    if _PERSON_ONLY.match(text, end, limit):
        return True
    return ends_with_consonant(word[-1]) and _VOCATIVE.match(text, end, limit) is not None


def reads_as_word(text: str) -> bool:
    """Tell whether a surname and a given name together are an everyday word, or one with a particle: 사람+이.

    Args:
        text: Surname and given name, joined and folded.
    """
    return text in COMMON_WORDS or (text[:-1] in COMMON_WORDS and text[-1] in _ONE_SYLLABLE_PARTICLES)


def word_before(text: str, start: int, floor: int) -> str:
    """Return the Korean syllables that stand directly before `start`, a dozen at most.

    Args:
        text: Folded text.
        start: Where a name begins.
        floor: Where the text begins.
    """
    at = start
    floor = max(floor, start - _LONGEST_LOOK)
    while at > floor and is_syllable(text[at - 1]):
        at -= 1
    return text[at:start]


def may_precede(word: str) -> bool:
    """Tell whether a name may follow `word` without a space."""
    return not word or word in _PREFIXES or word.endswith(("님", "씨"))
