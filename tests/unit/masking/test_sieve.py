"""Passing over chat texts without analysis: nothing is lost by it, and it does pass over them."""

import itertools
from collections.abc import Sequence

from garim.masking.normalise import Batch
from garim.masking.open_names.korean_names import KoreanNames, near_names
from garim.masking.open_names.sieve import Sieve

SURNAMES = "김이박최정강조윤한서신권송홍문배심노하"
GIVEN = ("민수", "영희", "서연", "도윤", "하은", "철수", "보라", "은지", "시우", "혜림")
ENDINGS = (
    "",
    "이",
    "가",
    "는",
    "를",
    "도",
    "네",
    "한테",
    "랑",
    "아",
    "씨",
    "님이",
    " 과장님",
    " 선배한테",
    "쌤",
)
PLAIN = (
    "오늘 저녁에 뭐 먹을까",
    "아까 거기서 봤다던데 진짜야",
    "내일 비 온다니까 우산 챙겨",
    "너무 졸려서 커피 마시러 간다",
    "시험 망한 것 같아서 우울해",
    "주말에는 집에서 쉬고 싶다",
    "그 영화 재미있었는데 또 보고 싶어",
)


class Everything(Sieve):
    """Passes nothing over."""

    def __init__(self) -> None:
        super().__init__(near_names)

    def sifted(self, texts: Sequence[str]) -> list[bool]:
        return [True] * len(texts)


def names(detector: KoreanNames, texts: Sequence[str]) -> set[tuple[int, str]]:
    batch = Batch(texts)
    return {(batch.text_at(one.start), one.name) for one in detector.detect(batch)}


def test_names_in_chat_are_found_as_if_every_text_were_analysed() -> None:
    people = [surname + given for surname, given in itertools.product(SURNAMES, GIVEN)]
    texts = []
    for number, (person, ending) in enumerate(itertools.product(people, ENDINGS)):
        words = PLAIN[number % len(PLAIN)].split()
        words.insert(number // 3 % (len(words) + 1), person + ending)
        texts.append(" ".join(words))
    every = names(KoreanNames(Everything()), texts)
    sifted = names(KoreanNames(), texts)
    assert len(every) > len(texts) * 0.2
    assert len(every - sifted) <= len(every) * 0.002
    assert sifted <= every


def test_text_of_plain_words_is_passed_over_and_each_word_judged_once() -> None:
    asked: list[str] = []

    def likely(words: Sequence[str]) -> list[bool]:
        asked.extend(words)
        return list(near_names(words))

    judge = Sieve(likely)
    assert not any(judge.sifted(PLAIN))
    assert not any(judge.sifted(PLAIN))
    assert len(asked) == len(set(asked)) == len({word for text in PLAIN for word in text.split()})


def test_title_or_sign_of_a_name_keeps_a_text() -> None:
    judge = Sieve(lambda words: [False for _ in words])
    kept = ["보람 과장님 계세요", "이름: 보람", "보람(32)", "“보람” 왔어", "김 모 씨", "보람, 다솜, 한별"]
    assert all(judge.sifted(kept))


def test_no_more_words_are_remembered_than_told() -> None:
    asked: list[str] = []

    def likely(words: Sequence[str]) -> list[bool]:
        asked.extend(words)
        return [False for _ in words]

    words = [chr(0xAC00 + at) * 2 for at in range(200)]
    judge = Sieve(likely, kept=100)
    judge.sifted(words)
    judge.sifted(words)
    assert asked == [*words, *words[:150]]
