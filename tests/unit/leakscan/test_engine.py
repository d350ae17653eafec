"""The third party's detectors, and the cheap look before them that must not cost a finding."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maskingtape import Pipeline
from maskingtape.detectors import default_detectors

from garim.leakscan.engine import Engine

GOLD = Path("../shared/testdata/gold")
ENGINE = Engine()
UNFILTERED = [Pipeline([one]) for one in default_detectors() if one.kind != "name"]
PIECES = st.sampled_from(
    [
        *("1", "10", "900101", "1990", "010", "0000", "1234", "1234567", "80", "4111", "M12345678", "12-34"),
        *("-", "-1", " ", ".", "/", ") ", "년 ", "월 ", "일", "+82 ", "*", "@", "a", "mail.example", ".com"),
        *(
            "생일 ",
            "생년월일: ",
            "에 태어",
            "계좌 ",
            "국민은행 ",
            "여권 ",
            "카드 ",
            "사업자번호 ",
            "서울 ",
            "강남구 ",
        ),
        *("가나로 ", "없음동 ", "101동 ", "202호", "\n", "ㅋㅋ", "네, "),
    ]
)


def all_of_theirs(text: str) -> set[tuple[int, int]]:
    found = (one for pipeline in UNFILTERED for one in pipeline.scan(text))
    return {(one.start, one.end) for one in found if one.kind != "address" or re.search(r"\d", one.text)}


def missed_in(text: str) -> set[tuple[int, int]]:
    found = [(spot.start, spot.end) for spot in ENGINE.find(text)]
    return {(a, b) for a, b in all_of_theirs(text) if not any(low <= a and b <= high for low, high in found)}


@given(st.lists(PIECES, max_size=12).map("".join))
@settings(max_examples=1_000, deadline=None)
def test_the_first_look_costs_no_finding(text: str) -> None:
    assert missed_in(text) == set()


@pytest.mark.shared
@pytest.mark.skipif(not GOLD.exists(), reason="the outside test data is absent")
def test_the_first_look_costs_no_finding_in_real_texts() -> None:
    missed = [text for text in real_texts() if missed_in(text)]
    assert missed == []


def real_texts() -> Iterator[str]:
    for name in ("ko_pii_generated", "presidio_synth_v2"):
        with (GOLD / f"{name}.jsonl").open(encoding="utf-8") as rows:
            yield from (json.loads(row)["text"][:1_500] for row in list(rows)[:300])


@pytest.mark.parametrize("before", [0, 1_780, 1_795, 1_990, 5_000])
def test_a_number_across_the_pieces_of_a_long_text_is_found(before: int) -> None:
    text = "가" * before + " 010-0000-1234 " + "나" * 3_000
    assert [(spot.start, spot.end, spot.certain) for spot in ENGINE.find(text) if spot.type == "PHONE"] == [
        (before + 1, before + 14, True)
    ]


@pytest.mark.parametrize(
    ("text", "certain"),
    [
        ("010-0000-1234", True),
        ("01000001234", True),
        ("+82 10-0000-1234", True),
        ("02-000-1234", False),
        ("somebody@mail.com", True),
        ("somebody@mail.internal", False),
        ("4111-1111-1111-1111", True),
        ("4111111111111111", False),
        ("900101-1234567", False),
        ("M12345678", False),
        ("20041023-1", False),
    ],
)
def test_only_what_has_one_reading_is_certain(text: str, certain: bool) -> None:
    assert {spot.certain for spot in ENGINE.find(text)} == {certain}
