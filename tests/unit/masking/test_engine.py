import pytest

from garim.masking.engine import Engine
from garim.masking.infotype import InfoType
from garim.masking.open_names.every_name import EveryName
from garim.masking.people import Person
from garim.masking.policy import MaskingPolicy

JIMIN = Person("a1", "a1", ("김지민",), phones=("010-0000-1234",), emails=("jimin@mail.example",))
SUBIN = Person("a2", "a2", ("박수빈 대리",))
TREY = Person("a3", "a3", ("|trey|",))
ANN = Person("a4", "a4", ("ann",))
USUAL = Person("a5", "a5", ("usual",))
SARANG = Person("a6", "a6", ("사랑",))
DOHYUN = Person("s1", "s1", ("이도현",), phones=("010-0000-9999",), subject=True)
ROOM = (JIMIN, SUBIN, TREY, ANN, USUAL, SARANG, DOHYUN)
ENGINE = Engine(ROOM, open_names=EveryName())


def found(text: str, engine: Engine = ENGINE) -> list[tuple[str, str | None]]:
    return [(text[f.start : f.end], f.person) for f in engine.find([text])[0]]


@pytest.mark.parametrize(
    "after",
    [
        *(
            "이",
            "은",
            "을",
            "의",
            "도",
            "만",
            "에게",
            "한테",
            "한테는",
            "과",
            "이랑",
            "아",
            "이가",
            "이네",
            "께서",
            "이는",
        ),
        *(
            "씨",
            "님",
            " 씨",
            " 선생님",
            "형",
            "누나",
            "언니가",
            "오빠",
            " 대리님",
            " 팀장님이",
            "이한테만",
            "이랑은",
            "",
        ),
        *(
            "입니다",
            "이라고",
            "만큼",
            "과는",
            "이랑도",
            "한테서는",
            ", 어디야?",
            "!",
            "ㅋㅋ",
            "(친구)",
            "이라는",
        ),
    ],
)
@pytest.mark.parametrize("name", ["지민", "김지민", "김 지민"])
def test_name_is_found_before_every_particle_and_only_the_name(name: str, after: str) -> None:
    assert found(f"어제 {name}{after}") == [(name, "a1")]


@pytest.mark.parametrize("text", ["지민하게 굴지 마", "해지민원 접수", "단지민원실", "거지민족"])
def test_syllables_of_a_name_inside_another_word_stay(text: str) -> None:
    assert found(text) == []


def test_title_in_the_display_name_is_no_part_of_the_name() -> None:
    assert found("수빈이 왔어, 박수빈 팀장님도") == [("수빈", "a2"), ("박수빈", "a2")]


def test_given_name_behind_another_surname_is_somebody_else() -> None:
    assert found("최지민이 그랬어") == [("최지민", None)]


@pytest.mark.parametrize(
    "text",
    [
        "|trey|: hi",
        "trey: hi",
        "ask TREY",
        "@trey yes",
        "Trey's box",
        "<|trey|> hi",
        "trey_: hi",
        "trey가 그랬어",
    ],
)
def test_nick_is_found_however_it_is_decorated(text: str) -> None:
    assert [person for _, person in found(text)] == ["a3"]


@pytest.mark.parametrize("text", ["planning", "the annex", "joann said", "ann1e", "an_ann_x"])
def test_nick_inside_a_word_stays(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "text", ["ann: hi", "hi ann", "ann, ok?", "ANN!", "ann이랑", "(ann)", "it's ann's", "ann한테 줘"]
)
def test_nick_is_found_at_its_own_boundaries(text: str) -> None:
    assert [person for _, person in found(text)] == ["a4"]


@pytest.mark.parametrize(
    "text", ["usual, quite stable", "usual: hi", "@usual hi", "<usual> hi", "thanks usual", "!ask | usual"]
)
def test_common_word_nick_is_found_where_somebody_is_addressed(text: str) -> None:
    assert found(text) == [("usual", "a5")]


@pytest.mark.parametrize("text", ["as usual", "the usual suspects", "usually", "usual stuff"])
def test_common_word_nick_stays_elsewhere(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "text", ["사랑아 안녕", "사랑이가 왔어", "사랑씨", "사랑님도", "@사랑", "사랑: 안녕", "사랑한테 줘"]
)
def test_korean_common_word_nick_is_found_where_a_person_is_meant(text: str) -> None:
    assert found(text) == [("사랑", "a6")]


@pytest.mark.parametrize("text", ["사랑이 뭐야", "사랑을 했다", "사랑 노래", "첫사랑아", "사랑해"])
def test_korean_common_word_nick_stays_elsewhere(text: str) -> None:
    assert found(text) == []


def test_subject_stays_readable_by_name_and_number() -> None:
    assert found("이도현 010-0000-9999 도현이가 이도현씨") == []


def test_phone_and_mail_of_a_member_are_the_member() -> None:
    assert found("01000001234 / +82 10 0000 1234 / Jimin@Mail.example 로") == [
        ("01000001234", "a1"),
        ("+82 10 0000 1234", "a1"),
        ("Jimin@Mail.example", "a1"),
    ]


@pytest.mark.parametrize("tail", ["0000-1234", "00001234", "0000 1234"])
def test_end_of_a_members_phone_is_the_member(tail: str) -> None:
    assert found(f"뒤에는 {tail}이야") == [(tail, "a1")]


def test_offsets_are_those_of_the_text_as_written() -> None:
    decomposed = "\u110c\u1175\u1106\u1175\u11ab"
    for text, stretch in (
        (f"안녕 {decomposed}아", decomposed),
        ("전화 ０１０－００００－１２３４요", "０１０－００００－１２３４"),
        ("지\u200b민이가", "지\u200b민"),
        ("①번 ⑩⑩ 김지민", "김지민"),
        ("0️⃣1️⃣0️⃣-0000-1234", "0️⃣1️⃣0️⃣-0000-1234"),
        ("010\u20110000\u20111234", "010\u20110000\u20111234"),
    ):
        assert found(text) == [(stretch, "a1")]


def test_two_people_of_one_given_name_are_nobody_in_particular() -> None:
    engine = Engine([Person("b1", "", ("김민서",)), Person("b2", "", ("박민서",))])
    assert found("민서야 김민서 박민서", engine) == [("민서", None), ("김민서", "b1"), ("박민서", "b2")]


def test_namesake_of_the_subject_stays_for_the_leak_scan_to_hold() -> None:
    engine = Engine([Person("b1", "", ("김민서",)), Person("s", "", ("박민서",), subject=True)])
    assert found("민서야 김민서 박민서", engine) == [("김민서", "b1")]


def test_nothing_of_two_overlapping_detections_stays_readable() -> None:
    engine = Engine([Person("b1", "", ("red fox",)), Person("b2", "", ("fox hill",))])
    text = "ask red fox hill now"
    covered = {i for f in engine.find([text])[0] for i in range(f.start, f.end)}
    assert {text[i] for i in range(len(text)) if i not in covered} == set("ask now")
    assert covered.issuperset(range(text.index("red"), text.index(" now")))


def test_longer_name_of_the_subject_holds_a_shorter_one_of_a_bystander() -> None:
    engine = Engine([Person("b1", "", ("fox",)), Person("s", "", ("red fox",), subject=True)])
    assert found("red fox met fox", engine) == [("fox", "b1")]


def test_policy_limits_kinds_and_open_names() -> None:
    policy = MaskingPolicy(types=frozenset({InfoType.PERSON}), open_names=False)
    engine = Engine(ROOM, open_names=EveryName(), policy=policy)
    assert found("지민 010-0000-7777 홍길동 대리", engine) == [("지민", "a1")]


def test_open_names_are_found_by_what_stands_around_them() -> None:
    assert found("홍길순 과장님이 왔고 홍길순은") == [("홍길순", None), ("홍길순", None)]
    assert found("성명: 홍길순") == [("홍길순", None)]
    assert found("유일한 사람이군. 이유로 의사를. 부탁해요 과장님") == []


def test_batch_finds_what_single_texts_give() -> None:
    texts = [
        "지민아",
        "",
        "x\x00지민아",
        "plain",
        "전화 ０１０ ００００ １２３４",
        "끝",
        "지민\n지민: ok",
        "\ud800 ann",
    ]
    assert ENGINE.find(texts) == [ENGINE.find([text])[0] for text in texts]
    assert ENGINE.find([]) == []


def test_engine_without_people_finds_values_alone() -> None:
    assert found("지민 010-0000-1234", Engine([])) == [("010-0000-1234", None)]


def test_repr_of_a_finding_shows_no_value() -> None:
    assert "0000" not in repr(ENGINE.find(["010-0000-1234"])[0][0])
