"""What holds for every text: nothing outside a span changes, texts do not join, an inserted name is found."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from garim.masking.engine import Engine
from garim.masking.mask import mask
from garim.masking.people import Person
from garim.masking.pseudonyms import PseudonymTable

PEOPLE = [
    Person("a", "a", ("홍길순",), phones=("010-0000-1234",)),
    Person("b", "b", ("trey_",), emails=("trey@mail.example",)),
]
ENGINE = Engine(PEOPLE)
PIECES = st.sampled_from(
    [
        *(
            "홍길순",
            "길순이",
            "trey",
            "trey_:",
            "010-0000-1234",
            "900101-1000000",
            "trey@mail.example",
            "②",
            "가로 12",
        ),
        *(
            " ",
            "\n",
            "-",
            "오늘",
            "ㅋㅋ",
            "\u200b",
            "\u1112\u1169\u11bc",
            "０１０",
            "а",
            "é",
            "서울 가나구",
            "4000 ",
        ),
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=3), max_size=8).map("".join)
PARTICLES = (
    "",
    "이",
    "은",
    "을",
    "의",
    "에게",
    "한테",
    "과",
    "이랑",
    "아",
    "이가",
    "이네",
    "께서",
    "씨",
    "님",
    " 선생님",
)


@settings(deadline=None, max_examples=60)
@given(TEXTS)
def test_masking_changes_no_character_outside_a_finding(text: str) -> None:
    findings = ENGINE.find([text])[0]
    draws = itertools.count(1)
    table = PseudonymTable(
        lambda size: (next(draws) * 2654435761 + (1 << 48)).to_bytes(max(size, 7), "big")[-size:]
    )
    assert mask(text, findings, table).restored() == text
    assert all(0 <= one.start < one.end <= len(text) for one in findings)
    assert all(one.end <= two.start for one, two in itertools.pairwise(findings))


@settings(deadline=None, max_examples=60)
@given(st.lists(TEXTS, max_size=4))
def test_texts_of_a_batch_do_not_touch_each_other(texts: list[str]) -> None:
    assert ENGINE.find(texts) == [ENGINE.find([text])[0] for text in texts]


@pytest.mark.parametrize("particle", PARTICLES)
@settings(deadline=None, max_examples=20)
@given(
    st.sampled_from(["오늘 ", "그럼 ", "ㅋㅋ ", "야, ", "(", "\n", "② ", ""]),
    st.sampled_from([" 왔어", "?", "", "\n", " ㅋㅋ"]),
)
def test_name_inserted_anywhere_with_any_particle_is_found(particle: str, before: str, behind: str) -> None:
    findings = ENGINE.find([before + "홍길순" + particle + behind])[0]
    place = len(before)
    assert any(one.start <= place and place + 3 <= one.end and one.person == "a" for one in findings)


@pytest.mark.parametrize("spelled", ["tr\u0435y_", "t\u200brey_", "ｔｒｅｙ_", "TREY_"])
def test_name_in_letters_that_look_alike_is_found(spelled: str) -> None:
    assert [one.person for one in ENGINE.find([f"hi {spelled} there"])[0]] == ["b"]
