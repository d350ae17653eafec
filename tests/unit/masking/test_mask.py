import itertools
import re
from collections.abc import Callable

import pytest

from garim.masking.engine import Engine
from garim.masking.finding import Finding
from garim.masking.infotype import InfoType
from garim.masking.mask import mask
from garim.masking.people import Person
from garim.masking.pseudonyms import ALPHABET, PSEUDONYM, PseudonymTable
from garim.masking.scan_rows import scan_rows
from garim.statements.refusal import RefusedError


def counting() -> Callable[[int], bytes]:
    numbers = itertools.count(0xABCDEF0123456)
    return lambda size: next(numbers).to_bytes(max(size, 7), "big")[-size:]


def pinned(*draws: int) -> Callable[[int], bytes]:
    values = iter(draws)
    return lambda size: bytes(size) if size == 32 else next(values).to_bytes(size, "big")


def bits(text: str) -> int:
    number = 0
    for character in text:
        number = number << 5 | ALPHABET.index(character)
    return number


def test_pseudonym_has_kind_and_fifty_bits_in_readable_letters() -> None:
    table = PseudonymTable(pinned(bits("7K4Q2M9XAT")))
    assert table.of(InfoType.PERSON, "a1") == "P-7K4Q2-M9XAT"
    assert not set("ILOU") & set(ALPHABET)
    assert len(ALPHABET) == 32


def test_one_value_has_one_pseudonym_and_kinds_are_apart() -> None:
    table = PseudonymTable(counting())
    first = table.of(InfoType.PHONE, "+821000001234")
    assert table.of(InfoType.PHONE, "+821000001234") == first
    assert table.of(InfoType.CARD, "+821000001234") != first
    assert [value for _, _, value in table.items()] == ["+821000001234", "+821000001234"]
    assert len(table) == 2


def test_collision_is_redrawn_whatever_the_kind() -> None:
    same, other = bits("7K4Q2M9XAT"), bits("7K4Q2M9XAV")
    table = PseudonymTable(pinned(same, same, other))
    assert table.of(InfoType.PERSON, "a") == "P-7K4Q2-M9XAT"
    assert table.of(InfoType.PHONE, "b") == "PHONE-7K4Q2-M9XAV"


def test_pseudonym_never_reads_as_a_number() -> None:
    table = PseudonymTable(pinned(bits("12345M9XAT"), bits("7K4Q209876"), bits("7K4Q2M9XAT")))
    assert table.of(InfoType.CARD, "v") == "CARD-7K4Q2-M9XAT"


def test_two_tables_share_no_pseudonym_for_one_value() -> None:
    first, second = PseudonymTable(counting()), PseudonymTable(pinned(bits("7K4Q2M9XAT")))
    assert first.of(InfoType.PERSON, "a1") != second.of(InfoType.PERSON, "a1")


def test_wiped_table_holds_nothing_and_refuses() -> None:
    table = PseudonymTable(counting())
    pseudonym = table.of(InfoType.PERSON, "a1")
    table.opening(pseudonym, "abc")
    (kept,) = table._values.values()
    (original,) = kept.originals.values()
    table.wipe()
    assert (kept.value, kept.opening, original) == (bytes(2), bytes(32), bytes(3))
    assert list(table.items()) == []
    with pytest.raises(RefusedError, match="TABLE_WIPED"):
        table.of(InfoType.PERSON, "a1")


def test_masked_text_differs_only_in_spans_and_restores() -> None:
    engine = Engine([Person("a1", "", ("김지민",), phones=("010-0000-1234",))])
    table = PseudonymTable(counting())
    text = "지민아, 010-0000-1234 로 연락해. 010-0000-7777은 아니야"
    masked = mask(text, engine.find([text])[0], table)
    name, phone, other = (span.pseudonym for span in masked.spans)
    assert masked.text == f"{name}아, {phone} 로 연락해. {other}은 아니야"
    assert [masked.text[s.start : s.end] for s in masked.spans] == [name, phone, other]
    assert [s.original for s in masked.spans] == ["지민", "010-0000-1234", "010-0000-7777"]
    assert masked.restored() == text
    assert name == phone
    assert name.startswith("P-")
    assert other.startswith("PHONE-")
    assert "지민" not in repr(masked.spans[0])


def test_second_pass_changes_nothing() -> None:
    engine = Engine([Person("a1", "", ("김지민",)), Person("a2", "", ("phone",)), Person("a3", "", ("p",))])
    table = PseudonymTable(counting())
    text = "지민 p: 010-0000-7777 phone, 900101-1000000 x@y.example"
    masked = mask(text, engine.find([text])[0], table).text
    assert engine.find([masked]) == [()]


def test_name_of_nobody_known_never_shares_a_members_pseudonym() -> None:
    table = PseudonymTable(counting())
    member = Finding(0, 1, InfoType.PERSON, "kim", "kim")
    stranger = Finding(1, 2, InfoType.PERSON, "kim", None)
    first, second = mask("ab", [member, stranger], table).spans
    assert first.pseudonym != second.pseudonym


@pytest.mark.parametrize("places", [[(0, 2), (1, 3)], [(2, 3), (0, 1)], [(0, 9)], [(1, 1)]])
def test_findings_that_overlap_or_leave_the_text_are_refused(places: list[tuple[int, int]]) -> None:
    findings = [Finding(start, end, InfoType.PHONE, "v", None) for start, end in places]
    with pytest.raises(RefusedError, match="FINDINGS_OVERLAP"):
        mask("abcd", findings, PseudonymTable(counting()))


def test_scan_rows_answers_each_row_in_order() -> None:
    rows = [
        {"id": "1", "text": "지민아 010-0000-1234", "participants": ["김지민"], "sender": "박수빈"},
        {"id": "2", "text": "수빈이", "participants": ["김지민"], "sender": "박수빈"},
        {"id": 3, "text": "지민이"},
        {"id": "4", "text": "지민이", "participants": ["김지민"]},
    ]
    answers = list(scan_rows(rows, random_bytes=counting()))
    assert [answer["id"] for answer in answers] == ["1", "2", 3, "4"]
    spans = [[(s["start"], s["end"], s["type"]) for s in answer["spans"]] for answer in answers]
    assert spans == [[(0, 2, "PERSON"), (4, 17, "PHONE")], [(0, 2, "PERSON")], [], [(0, 2, "PERSON")]]
    assert answers[0]["spans"][0]["pseudonym"] == answers[3]["spans"][0]["pseudonym"]
    assert all(re.fullmatch(PSEUDONYM, s["pseudonym"]) for answer in answers for s in answer["spans"])


@pytest.mark.parametrize(
    "row",
    [
        {"text": "x"},
        {"id": 1},
        {"id": 1, "text": 2},
        {"id": 1, "text": "x", "participants": "kim"},
        {"id": 1, "text": "x", "sender": 3},
    ],
)
def test_malformed_row_is_refused_by_number(row: dict[str, object]) -> None:
    with pytest.raises(RefusedError, match="ROW_MALFORMED: Row 1"):
        list(scan_rows([row]))
