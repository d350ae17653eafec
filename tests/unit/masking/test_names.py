import pytest

from garim.masking import forms
from garim.masking.engine import Engine
from garim.masking.forms import Strength
from garim.masking.people import Person


def found(name: str, text: str) -> list[str]:
    engine = Engine([Person("a", "", (name,))])
    return [text[f.start : f.end] for f in engine.find([text])[0]]


@pytest.mark.parametrize(
    "name",
    [
        *(
            "김지민",
            "김지민(개발팀)",
            "[팀장] 김지민",
            "김지민 대리",
            "♥김지민♥",
            "김지민🐰",
            "김 지민",
            "김지민/서울",
            "김지민ㅋㅋ",
        ),
        *("개발팀 김지민", "김지민 Jimin Kim", "\u1100\u1175\u11b7\u110c\u1175\u1106\u1175\u11ab"),
    ],
)
def test_person_in_a_decorated_display_name_is_found_by_full_and_given_name(name: str) -> None:
    assert found(name, "김지민이랑 지민이가 와") == ["김지민", "지민"]


@pytest.mark.parametrize("name", ["지민", "지민🐰", "♡지민♡", "지민 (회사)", "지민이"])
def test_given_name_as_a_nick_is_found(name: str) -> None:
    assert found(name, "어제 지민이가 왔어") == ["지민이" if name == "지민이" else "지민"]


@pytest.mark.parametrize(
    ("nick", "text", "stretch"),
    [
        ("nick_", "nick: hi", "nick"),
        ("nick", "nick_: hi", "nick_"),
        ("nick|away", "nick: hi", "nick"),
        ("nick-laptop", "ask nick", "nick"),
        ("[Foo]bar", "[foo]BAR: hi", "[foo]BAR"),
        ("\\9", "\\9: hi", "\\9"),
        ("Jimin Kim", "JIMIN said", "JIMIN"),
        ("Jimin Kim", "jimin kim said", "jimin kim"),
        ("José", "josé: hi", "josé"),
        ("José", "jose\u0301: hi", "jose\u0301"),
        ("İpek", "ipek: hi", "ipek"),
        ("톰", "톰이랑은 톰만큼 톰한테서", None),
        ("메리", "메리라는 메리는 메리랑", None),
    ],
)
def test_nick_is_found_in_the_spellings_people_type(nick: str, text: str, stretch: str | None) -> None:
    assert found(nick, text) == ([stretch] if stretch else [nick] * 3)


@pytest.mark.parametrize("nick", ["the", "i", "_", "x", "12", "home", "나", "우리", "하늘"])
def test_common_word_is_weak_as_a_whole_nick(nick: str) -> None:
    assert [form.strength for form in forms.collect([Person("a", "", (nick,))]).values()] == [Strength.WEAK]


def test_part_of_a_nick_that_is_a_word_or_product_is_weak() -> None:
    assert found("ubuntu_", "on ubuntu: try ubuntu") == []
    assert found("ubuntu_", "ubuntu: try it") == ["ubuntu"]
    assert found("ubuntu", "on ubuntu") == ["ubuntu"]


def test_spelling_that_is_somebody_elses_whole_name_is_theirs() -> None:
    engine = Engine(
        [
            Person("a", "", ("nick_",)),
            Person("b", "", ("nick",)),
            Person("c", "", ("김지민",)),
            Person("d", "", ("지민",)),
        ]
    )
    assert [f.person for f in engine.find(["nick nick_ 지민이 김지민이"])[0]] == ["b", "a", "d", "c"]


def test_name_of_spaces_or_nothing_is_ignored() -> None:
    assert found("  ", "a  b") == []
    assert found("", "a") == []


@pytest.mark.parametrize("text", ["우주야 너도", "이지민아 여기", "하나님", "전지민구청"])
def test_longer_words_are_not_cut(text: str) -> None:
    engine = Engine([Person("a", "", ("하나",)), Person("b", "", ("민구",))])
    assert engine.find([text]) == [()]


def test_a_name_ends_where_another_begins() -> None:
    engine = Engine([Person("a", "", ("김지민",)), Person("b", "", ("박서윤",))])
    for text in ("지민아김지민", "서윤이김지민이랑"):
        assert len(engine.find([text])[0]) == 2, text
