"""People in no roster: found where the text says that a person is meant, left where it does not."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

from garim.masking.engine import Engine
from garim.masking.normalise import Batch
from garim.masking.open_names.every_name import EveryName
from garim.masking.open_names.spacy_names import SpacyNames
from garim.masking.people import Person
from garim.statements.refusal import RefusedError

ENGINE = Engine([Person("a", "", ("Dana Whitlock",))], open_names=EveryName())


def names(text: str, engine: Engine = ENGINE) -> list[str]:
    return [text[one.start : one.end] for one in engine.find([text])[0] if one.type == "PERSON"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I talked to Dr. Vanterpool yesterday", ["Vanterpool"]),
        ("my friend Zuleyka is coming", ["Zuleyka"]),
        ("My name is Obiageli Nwosu, hello", ["Obiageli Nwosu"]),
        ("my name is obiageli", ["obiageli"]),
        ("Dear Ghislaine,\nthe parcel is here", ["Ghislaine"]),
        ("See you there.\nKind regards,\nThrandur Okafor", ["Thrandur Okafor"]),
        ("Contact: Thrandur Okafor", ["Thrandur Okafor"]),
        ("and then Ghislaine said no", ["Ghislaine"]),
        ("Call Peter Vanterpool about it", ["Peter Vanterpool"]),
        ("is Peter home?", ["Peter"]),
        ("Thrandur B. Okafor wrote it", ["Thrandur B. Okafor"]),
        ("Anna, Ghislaine and Zuleyka went out", ["Anna", "Ghislaine", "Zuleyka"]),
        ("Peter Okafor left. Where is Okafor now?", ["Peter Okafor", "Okafor"]),
        ("that is Peter's phone", ["Peter"]),
        ("Mary O'Brien-McDonald called", ["Mary O'Brien-McDonald"]),
    ],
)
def test_english_names_are_found_by_what_stands_around_them(text: str, expected: list[str]) -> None:
    assert names(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "The Network Manager of Ubuntu crashed on Monday",
        "Happy Birthday to you, see you in San Francisco",
        "Thanks, Windows works. Besides, Gnome is fine",
        "Peter Street 12, Kent University",
        "Will you May I? Mark this as Done. Grant it, Rose",
        "http://example.test/John/Smith and john@example.test or /etc/Peter",
        "New York, Los Angeles and Hong Kong",
        "Unfortunately, I can not. Personally, I would",
    ],
)
def test_english_words_with_capitals_are_no_names_by_themselves(text: str) -> None:
    assert names(text) == []


def test_a_roster_name_is_known_by_the_roster_and_not_found_twice() -> None:
    (finding,) = ENGINE.find(["Hi Dana Whitlock, hello"])[0]
    assert finding.person == "a"


def test_latin_words_in_korean_texts_are_left_to_the_korean_rules() -> None:
    assert names("Peter 라는 파일 열어줘") == []


def test_everyday_words_that_begin_like_a_name_are_no_names() -> None:
    for text in ("저 여자애는 자기가 공주라는 망상에 빠져 있어.", 'Tom이 "Happy Birthday" 노래를 시작했다.'):
        assert names(text) == []


@pytest.mark.parametrize(
    ("roster", "text"),
    [("람이", "그 사람이 나 좋아해"), ("나만", "나만 힘든가"), ("음이", "내 마음이 아파")],
)
def test_a_rosters_odd_name_is_not_found_inside_everyday_words(roster: str, text: str) -> None:
    assert names(text, Engine([Person("a", "", (roster,))])) == []


def test_a_rosters_odd_name_is_found_where_its_own_surname_stands() -> None:
    assert names("사람이 왔어", Engine([Person("a", "", ("사람이",))])) == ["사람이"]


def test_a_given_name_of_three_syllables_is_found_alone() -> None:
    engine = Engine([Person("a", "", ("윤보라미",)), Person("b", "", ("김아저씨",))])
    assert names("보라미야 계좌 보내줘, 보라미한테 줄게", engine) == ["보라미", "보라미"]
    assert names("옆집 아저씨가 왔어", engine) == []


def spacy_that_knows(monkeypatch: pytest.MonkeyPatch, *people: str) -> None:
    def entities(text: str) -> SimpleNamespace:
        found = [(text.find(one), one) for one in people if one in text]
        return SimpleNamespace(
            ents=[
                SimpleNamespace(label_="PERSON", start_char=at, end_char=at + len(one)) for at, one in found
            ]
        )

    def load(_model: str) -> SimpleNamespace:
        return SimpleNamespace(pipe=lambda texts: map(entities, texts))

    module = ModuleType("spacy")
    module.load = load  # type: ignore[attr-defined] # made here
    monkeypatch.setitem(sys.modules, "spacy", module)


def test_a_spacy_pipeline_adds_what_it_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    spacy_that_knows(monkeypatch, "Qinqzhou")
    texts = ["nothing", "ask Qinqzhou or Peter"]
    engine = Engine([], open_names=EveryName(SpacyNames("any")))
    assert [names(text, engine) for text in texts] == [[], ["Qinqzhou", "Peter"]]
    assert not list(SpacyNames("any").detect(Batch(["", "Peter"])))


def test_a_missing_spacy_is_refused_and_never_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(RefusedError, match="OPEN_NAMES_MODEL"):
        SpacyNames("en_core_web_sm")
