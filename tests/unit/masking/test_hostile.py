import time

import pytest

from garim.masking.engine import Engine
from garim.masking.leakscan import LeakScan
from garim.masking.open_names import KoreanNameRules
from garim.masking.people import Person

PEOPLE = [
    Person("a", "a", ("김지민", "하하하", "x_", "i", "aaa"), phones=("010-0000-1234",)),
    Person("b", "b", ("|trey|",)),
]
ENGINE = Engine(PEOPLE, open_names=KoreanNameRules())
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
            "\x00",
            "|trey|",
        ),
    ],
)
def test_a_hostile_long_message_takes_no_more_than_linear_time(unit: str) -> None:
    started = time.perf_counter()
    text = unit * (SIZE // len(unit))
    ENGINE.find([text])
    ENGINE.find([text + "@a", "a" + text])
    LeakScan(PEOPLE).scan([text])
    assert time.perf_counter() - started < 8


def test_number_across_the_end_of_a_zone_is_found() -> None:
    for filler in range(40, 75):
        text = "7 " * filler + "/ 010-0000-1234 끝"
        start = text.index("010")
        covered = {i for f in ENGINE.find([text])[0] for i in range(f.start, f.end)}
        assert covered.issuperset(range(start, start + 13)), filler
