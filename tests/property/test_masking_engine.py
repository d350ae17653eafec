"""What must hold of the engine for every text, not only for those somebody thought of."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from garim.masking.engine import Engine
from garim.masking.mask import mask
from garim.masking.normalise import Batch, fold
from garim.masking.open_names.every_name import EveryName
from garim.masking.people import Person
from garim.masking.pseudonyms import PseudonymTable

PEOPLE = (
    Person("a1", "a1", ("김지민",), phones=("010-0000-1234",), emails=("jimin@mail.example",)),
    Person("a2", "a2", ("|trey|", "for")),
    Person("a3", "a3", ("사랑", "i")),
    Person("s1", "s1", ("이도현", "red fox"), subject=True),
)
ENGINE = Engine(PEOPLE, open_names=EveryName())
PIECES = st.sampled_from(
    [
        *(
            "지민",
            "김지민",
            "아",
            "이가",
            "씨",
            "trey",
            "|",
            "_",
            "for",
            ":",
            ",",
            " ",
            "\n",
            "사랑",
            "i",
            "@",
            "red fox",
        ),
        *(
            "010",
            "-",
            "0000",
            "1234",
            "０１０",
            "\u200b",
            "\u110c\u1175",
            "①",
            "⑩",
            "é",
            "e\u0301",
            "İ",
            "x@y.example",
        ),
        *(
            "900101-1000000",
            "계좌 ",
            "국민은행 ",
            "도현",
            "박",
            "과장님",
            "http://t.me/",
            "\x00",
            "\ud800",
            "🙂",
            "(",
            ")",
        ),
    ]
)
TEXTS = st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=14).map("".join))
PARTICLES = (
    "이",
    "은",
    "을",
    "의",
    "도",
    "만",
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
    "",
)


def table() -> PseudonymTable:
    numbers = itertools.count(0xABCDEF0123456)
    return PseudonymTable(lambda size: next(numbers).to_bytes(max(size, 7), "big")[-size:])


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_masking_changes_no_character_outside_a_finding(text: str) -> None:
    findings = ENGINE.find([text])[0]
    assert all(0 <= f.start < f.end <= len(text) for f in findings)
    assert all(a.end <= b.start for a, b in itertools.pairwise(findings))
    masked = mask(text, findings, table())
    assert masked.restored() == text
    outside = [
        text[a:b]
        for a, b in itertools.pairwise([0, *(x for f in findings for x in (f.start, f.end)), len(text)])
    ]
    kept = [
        masked.text[a:b]
        for a, b in itertools.pairwise(
            [0, *(x for s in masked.spans for x in (s.start, s.end)), len(masked.text)]
        )
    ]
    assert outside[::2] == kept[::2]


@given(st.lists(TEXTS, max_size=6))
@settings(max_examples=150, deadline=None)
def test_what_is_found_does_not_depend_on_the_rest_of_the_batch(texts: list[str]) -> None:
    assert ENGINE.find(texts) == [ENGINE.find([text])[0] for text in texts]


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_folding_keeps_every_offset_inside_the_text(text: str) -> None:
    batch = Batch([text])
    start, end = batch.bounds(0)
    assert batch.lowered[start:end] == fold(text)
    stretches = [batch.original(0, at, at + 1) for at in range(start, end)]
    assert all(0 <= low < high <= len(text) for low, high in stretches)
    assert stretches == sorted(stretches)


@given(
    TEXTS,
    st.sampled_from(PARTICLES),
    st.sampled_from(["지민", "김지민", "\u110c\u1175\u1106\u1175\u11ab"]),
    TEXTS,
)
@settings(max_examples=300, deadline=None)
def test_name_between_any_texts_is_masked_before_any_particle(
    before: str, particle: str, name: str, after: str
) -> None:
    text = f"{before} {name}{particle} {after}"
    start = len(before) + 1
    covered = {i for f in ENGINE.find([text])[0] for i in range(f.start, f.end)}
    assert covered.issuperset(range(start, start + len(name)))
