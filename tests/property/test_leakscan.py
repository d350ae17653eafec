"""The two implementations against each other: what one calls certain, the other masks."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from garim.leakscan.scan import LeakScan
from garim.masking.engine import Engine
from garim.masking.infotype import InfoType
from garim.masking.mask import mask
from garim.masking.people import Person
from garim.masking.pseudonyms import PSEUDONYM, PseudonymTable

BYSTANDERS = [
    Person("a1", "jimin77", ("김지민",), phones=("010-0000-1234",), emails=("jimin@mail.example",)),
    Person("a2", "a2xx", ("|trey|", "for")),
    Person("a3", "a3xx", ("사랑", "Red Fox", "민서")),
]
SUBJECT = Person("s1", "s1xx", ("이도현",), subject=True)
ENGINE = Engine([*BYSTANDERS, SUBJECT])
PIECES = st.sampled_from(
    [
        *(
            "지민",
            "김지민",
            "아",
            "이가",
            "은",
            "trey",
            "|",
            "_",
            "for",
            ":",
            ",",
            " ",
            "\n",
            "사랑",
            "민서",
            "가",
            "@",
            "-",
            "/",
        ),
        *(
            "red fox",
            "jimin77",
            "jimin@mail.example",
            "010-0000-1234",
            "0000-1234",
            "01000001234",
            "이도현",
            "a2xx",
            "x",
        ),
    ]
)
TEXTS = st.lists(PIECES, max_size=10).map("".join)


def table() -> PseudonymTable:
    numbers = itertools.count(0xABCDEF0123456)
    return PseudonymTable(lambda size: next(numbers).to_bytes(max(size, 7), "big")[-size:])


@given(st.lists(TEXTS, min_size=1, max_size=4))
@settings(max_examples=400, deadline=None)
def test_nothing_certain_is_left_behind_the_engine(texts: list[str]) -> None:
    pseudonyms = table()
    masked = [mask(t, f, pseudonyms).text for t, f in zip(texts, ENGINE.find(texts), strict=True)]
    leaks = LeakScan(BYSTANDERS, ("이도현",), table=pseudonyms.items()).scan(masked)
    assert [masked[leak.index][leak.start : leak.end] for leak in leaks if leak.certain] == []


@given(TEXTS, TEXTS)
@settings(max_examples=200, deadline=None)
def test_a_name_that_no_engine_touched_is_found(before: str, after: str) -> None:
    text = f"{before} 김지민 {after}"
    leaks = LeakScan(BYSTANDERS, ("이도현",)).scan([text])
    start = len(before) + 1
    assert any(leak.certain and leak.start <= start and start + 3 <= leak.end for leak in leaks)


@given(st.binary(min_size=7, max_size=7))
@settings(max_examples=200, deadline=None)
def test_every_drawn_pseudonym_has_its_shape(drawn: bytes) -> None:
    draws = itertools.chain([drawn], itertools.repeat(bytes.fromhex("01ebd9a5c7e3f2")))
    pseudonyms = PseudonymTable(lambda size: bytes(size) if size == 32 else next(draws))
    pseudonym = pseudonyms.of(InfoType.PHONE, "v")
    assert PSEUDONYM.fullmatch(pseudonym)
    assert not any(Engine([]).find([pseudonym]))
