import itertools

import pytest

from garim.leakscan.scan import LeakScan
from garim.masking.engine import Engine
from garim.masking.infotype import InfoType
from garim.masking.mask import mask
from garim.masking.people import Person
from garim.masking.pseudonyms import PseudonymTable

JIMIN = Person("a1", "jimin77", ("김지민",), phones=("010-0000-1234",), emails=("jimin@mail.example",))
TREY = Person("a3", "a3", ("|trey|",))
USUAL = Person("a5", "a5", ("usual", "for"))
SARANG = Person("a6", "a6", ("사랑",))
NAMESAKE = Person("a7", "a7", ("이도현", "박서준"))
PEOPLE = (JIMIN, TREY, USUAL, SARANG, NAMESAKE)
SUBJECT = ("이도현", "최서준", "trey_king")
SCAN = LeakScan(PEOPLE, SUBJECT)


def leaks(text: str, scan: LeakScan = SCAN) -> list[tuple[str, bool, str | None]]:
    return [(text[leak.start : leak.end], leak.certain, leak.person) for leak in scan.scan([text])]


@pytest.mark.parametrize(
    ("text", "stretch", "person"),
    [
        ("어제 김지민이 왔다", "김지민", "a1"),
        ("지민아", "지민", "a1"),
        ("지민한테 줘", "지민", "a1"),
        ("\u110c\u1175\u1106\u1175\u11ab아", "\u110c\u1175\u1106\u1175\u11ab", "a1"),
        ("지\u200b민아", "지\u200b민", "a1"),
        ("전화 010-0000-1234", "010-0000-1234", "a1"),
        ("０１０ ００００ １２３４", "０１０ ００００ １２３４", "a1"),
        ("+82 10 0000 1234", "82 10 0000 1234", "a1"),
        ("뒤는 0000-1234", "0000-1234", "a1"),
        ("JIMIN@mail.example 로", "JIMIN@mail.example", "a1"),
        ("아이디 jimin77이야", "jimin77", "a1"),
        ("|trey|: hi", "|trey|", "a3"),
    ],
)
def test_unambiguous_form_of_a_bystander_blocks(text: str, stretch: str, person: str) -> None:
    assert (stretch, True, person) in leaks(text)


@pytest.mark.parametrize(
    ("text", "stretch", "person"),
    [
        ("usual: hi", "usual", "a5"),
        ("@usual hi", "usual", "a5"),
        ("for: hi", "for", "a5"),
        ("사랑씨", "사랑", "a6"),
        ("사랑아 안녕", "사랑", "a6"),
        ("서준아", "서준", "a7"),
        ("이도현이", "이도현", "a7"),
        ("지민", "지민", "a1"),
        ("지민은 왔어", "지민", "a1"),
        ("ask Trey now", "Trey", "a3"),
        ("trey가", "trey", "a3"),
    ],
)
def test_ambiguous_form_is_a_hold(text: str, stretch: str, person: str) -> None:
    assert leaks(text) == [(stretch, False, person)]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "as usual",
            "for, well, me",
            "wait for it",
            "사랑해",
            "사랑이 뭐야",
            "재지민원",
            "portreyal",
            "최서준이 trey_king",
        ),
        *("2026-11-22 10:00", "지민하게", "mail.example", ""),
    ],
)
def test_what_names_nobody_passes(text: str) -> None:
    assert leaks(text) == []


def test_longer_spelling_of_the_subject_may_hold_a_bystanders() -> None:
    scan = LeakScan([Person("b", "", ("fox",))], ("red fox",))
    assert leaks("red fox", scan) == []
    assert leaks("the fox", scan) == [("fox", True, "b")]


def test_value_masked_in_one_place_is_found_in_another() -> None:
    table = [
        ("PHONE-AAAAA-AAAAB", InfoType.PHONE, "+821000007777"),
        ("EMAIL-AAAAA-AAAAC", InfoType.EMAIL, "x@y.example"),
        ("ACCOUNT-AAAAA-AAAAD", InfoType.BANK_ACCOUNT, "000000000123"),
    ]
    scan = LeakScan([], table=table)
    assert leaks("010 0000 7777", scan) == [("010 0000 7777", True, None)]
    assert leaks("to X@y.example.", scan) == [("X@y.example", True, None)]
    assert leaks("000000-000123", scan) == [("000000-000123", False, None)]


def test_pseudonyms_of_the_attempt_are_no_leak_and_others_are_looked_into() -> None:
    bystander = Person("b", "", ("7k4q2",))
    scan = LeakScan([bystander], table=[("P-7K4Q2-M9XAT", InfoType.PERSON, "b")])
    assert leaks("P-7K4Q2-M9XAT: hi", scan) == []
    assert leaks("P-7K4Q2-M9XAV: hi", scan) == [("7K4Q2", True, "b")]


def test_name_glued_to_a_pseudonym_is_a_hold() -> None:
    scan = LeakScan([TREY], table=[("PHONE-7K4Q2-M9XAT", InfoType.PHONE, "+821000007777")])
    assert leaks("treyPHONE-7K4Q2-M9XAT", scan) == [("trey", False, "a3")]


def test_leak_names_the_place_in_its_text() -> None:
    (leak,) = SCAN.scan(["", "안녕", "아, \u110c\u1175민아"])
    assert (leak.index, leak.start, leak.end, leak.type) == (2, 3, 6, InfoType.PERSON)


def test_what_the_engine_masks_passes_and_what_it_would_miss_does_not() -> None:
    numbers = itertools.count(0xABCDEF0123456)
    table = PseudonymTable(lambda size: next(numbers).to_bytes(max(size, 7), "big")[-size:])
    people = [*PEOPLE[:4], Person("s", "", ("이도현",), subject=True)]
    texts = [
        "김지민씨 지민아 |trey|: jimin77 010.0000.1234 또는 0 1 0 0000 1234 끝은 0000.1234",
        "usual: jimin@mail.example 사랑아 trey_ 이도현 왔어",
    ]
    masked = [
        mask(text, findings, table).text
        for text, findings in zip(texts, Engine(people).find(texts), strict=True)
    ]
    scan = LeakScan(people[:4], ("이도현",), table=table.items())
    assert scan.scan(masked) == []
    assert scan.scan(texts)
