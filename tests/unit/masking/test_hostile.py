import pytest

from garim.leakscan.scan import LeakScan
from garim.masking.engine import Engine
from garim.masking.open_names.english_names import EnglishNames
from garim.masking.open_names.every_name import EveryName
from garim.masking.people import Person

PEOPLE = [
    Person("a", "a", ("김지민", "하하하", "x_", "i", "aaa"), phones=("010-0000-1234",)),
    Person("b", "b", ("|trey|",)),
]
ENGINE = Engine(PEOPLE)
ENGLISH = Engine(PEOPLE, open_names=EnglishNames())
SIZE = 60_000


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "지민",
            "하",
            "a",
            "_",
            "x_",
            "i:",
            "\n",
            "@",
            "a@",
            "a.",
            "1",
            "1 ",
            "010-0000-1234,",
            "0-",
            ":",
            "fe:",
            "김",
        ),
        *(
            "성명:",
            "과장",
            "\u1100",
            "\u0301",
            "\u200b",
            "①",
            "http://",
            "/@a",
            "+",
            "(",
            "4000 ",
            "카톡",
            "서울 ",
            "서울 강남구 ",
            "가로 1",
            "가동 1, ",
            "1동 ",
            "(동",
            "900101-",
            "\x00",
            "|trey|",
        ),
    ],
)
@pytest.mark.timeout(120)  # far more than linear work needs, far less than quadratic work
def test_a_hostile_long_message_takes_no_more_than_linear_time(unit: str) -> None:
    text = unit * (SIZE // len(unit))
    ENGINE.find([text])
    ENGINE.find([text + "@a", "a" + text])
    LeakScan(PEOPLE).scan([text])


def test_a_number_of_no_country_ends_nothing() -> None:
    assert len(ENGINE.find(["0018.8590.0640", "a0019–2150–6393", "0021 5027 3391"])) == 3


def test_number_across_the_end_of_a_zone_is_found() -> None:
    for filler in range(40, 75):
        text = "7 " * filler + "/ 010-0000-1234 끝"
        start = text.index("010")
        covered = {i for f in ENGINE.find([text])[0] for i in range(f.start, f.end)}
        assert covered.issuperset(range(start, start + 13)), filler


@pytest.mark.timeout(60)  # as above
@pytest.mark.parametrize(
    "unit",
    ["지민", "하", "성명:", "김", "가 나", "모", "\n성명: 김", "여자애", "톰", "김모 씨", "과장 ", "\u1100"],
)
def test_names_in_a_hostile_long_message_are_looked_for_in_linear_time(unit: str) -> None:
    Engine(PEOPLE, open_names=EveryName()).find([unit * (6_000 // len(unit))])


@pytest.mark.timeout(60)  # as above
@pytest.mark.parametrize(
    "unit",
    [
        *(
            "John",
            "John ",
            "John, ",
            "John and ",
            "J. ",
            "A",
            "A ",
            "A-",
            "O'",
            "de ",
            "John de ",
            "Smith's ",
        ),
        *("Dr. ", "Dr", "My name is john ", "Dear ", "Hi, ", "Regards\n", "Name: ", "said "),
    ],
)
def test_english_names_in_a_hostile_long_message_are_looked_for_in_linear_time(unit: str) -> None:
    text = unit * (SIZE // len(unit))
    ENGLISH.find([text, "x" + text, text + " John Smith"])
