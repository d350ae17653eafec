"""What masking has masked honestly passes: nothing blocks, and almost nothing is held."""

import itertools
import json
from pathlib import Path

import pytest

from garim.leakscan.found import Leak
from garim.leakscan.scan import LeakScan
from garim.masking.engine import Engine
from garim.masking.mask import mask
from garim.masking.people import Person
from garim.masking.pseudonyms import PseudonymTable

GOLD = Path("../shared/testdata/gold")
JIMIN = Person("a1", "jimin77", ("김지민",), phones=("010-0000-1234",), emails=("jimin@mail.example",))


def leaks_behind_masking(texts: list[str], people: list[Person]) -> list[Leak]:
    numbers = itertools.count(0xABCDEF0123456)
    table = PseudonymTable(lambda size: (next(numbers) * 2654435761).to_bytes(max(size, 11), "big")[-size:])
    found = Engine(people).find(texts)
    masked = [mask(text, findings, table).text for text, findings in zip(texts, found, strict=True)]
    return LeakScan(people, table=table.items()).scan(masked)


WRITTEN = [
    *("010-2345-6789", "010 2345 6789", "010.2345.6789", "01023456789", "011-234-5678", "+82 10-2345-6789"),
    *("+82-10-2345-6789", "010-2345-6789로 전화", "(010-2345-6789)", "tel:010-2345-6789", "02-345-6789"),
    *(
        "somebody@mail.com",
        "메일은 some.body+x@mail.co.kr 이야",
        "<a_b@mail.example>",
        "a.b@mail.org, c@mail.net",
    ),
    *("900101-1234567", "850505-2345678 입니다", "주민번호 900101-1******", "900101-5234567"),
    *("4111-1111-1111-1111", "4111 1111 1111 1111", "5555-5555-5555-4444 카드"),
    *("GB33BUKB20201555555555", "DE89 3704 0044 0532 0130 00", "00:1a:2b:3c:4d:5e", "00-1A-2B-3C-4D-5E"),
    *("203.0.113.44", "078-05-1120", "12가 3456", "37.000123, 127.000456", "M12345678", "120-81-47521"),
    *("국민은행 123456-01-123456", "11-90-123456-01", "https://instagram.com/some_body", "생일 1990. 1. 2"),
    *("김지민이 010-0000-1234 jimin@mail.example", "jimin77한테"),
]


@pytest.mark.parametrize("text", WRITTEN)
def test_what_masking_masks_does_not_block(text: str) -> None:
    texts = [text, f"어제 {text} 라고 했어", f"{text}\n그래", f"음... {text}."]
    assert [leak for leak in leaks_behind_masking(texts, [JIMIN]) if leak.certain] == []


@pytest.mark.shared
@pytest.mark.skipif(not GOLD.exists(), reason="the outside test data is absent")
def test_real_chat_behind_masking_is_hardly_held() -> None:
    chat = (GOLD / "songys_negatives.txt").read_text(encoding="utf-8").splitlines()
    assert leaks_behind_masking(chat, [JIMIN]) == []
    with (GOLD / "irc_dev.jsonl").open(encoding="utf-8") as rows:
        room = list(itertools.islice(map(json.loads, rows), 3_000))
    room = [row for row in room if row["room"] == room[0]["room"]]
    rosters = json.loads((GOLD / "irc_dev_participants.json").read_text(encoding="utf-8"))
    people = [Person(name, name, (name,)) for name in rosters[room[0]["room"]]]
    leaks = leaks_behind_masking([row["text"] for row in room], people)
    assert not [leak for leak in leaks if leak.certain]
    assert len({leak.index for leak in leaks}) <= len(room) * 0.002


@pytest.mark.shared
@pytest.mark.skipif(not GOLD.exists(), reason="the outside test data is absent")
def test_real_documents_behind_masking_do_not_block() -> None:
    with (GOLD / "ko_pii_generated.jsonl").open(encoding="utf-8") as rows:
        texts = [json.loads(row)["text"] for row in rows]
    leaks = leaks_behind_masking(texts, [])
    assert not [leak for leak in leaks if leak.certain]
    assert len({leak.index for leak in leaks}) <= len(texts) * 0.01
