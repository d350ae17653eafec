from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from rich.console import Console

from cli_support.world import PERSON, SUBJECT, SampleCase, line
from garim.cli.demo import leaks
from garim.cli.demo.chosen import DAY_MS, Chosen, choose
from garim.cli.demo.excerpt import best_stretch, pairs_of, side_by_side
from garim.cli.demo.second_request import whom_to_ask_for
from garim.cli.demo.stage import MARK, Stage
from garim.cli.demo.story import Story, promise
from garim.cli.demo.summary import Summary
from garim.documents.fields import parse_instant
from garim.dossier.lines import MessageLine, Sender
from garim.dossier.opening import OpenedDossier
from garim.importers import Member
from garim.statements.refusal import RefusedError

BYSTANDERS = [
    Member("kakao:도윤슬", "도윤슬", "010-0000-1234", "yunseul@example.com", other_names=("윤슬",)),
    Member("kakao:하늘", "하늘"),
    Member("irc:kumo`", "kumo`"),
]
OWN = Member("kakao:나루한", "나루한", "010-0000-9999")


def opened(case: SampleCase, folder: Path, *texts: str, page: str = "") -> OpenedDossier:
    shutil.copytree(case.opened, folder)
    lines = [line(place, text, SUBJECT) for place, text in enumerate(texts, 1)]
    (folder / "messages.jsonl").write_bytes(b"".join(one + b"\n" for one in lines))
    for path in (folder / "transcript").iterdir():
        path.write_text(page, encoding="utf-8")
    return OpenedDossier(folder)


@pytest.mark.parametrize(
    "text",
    [
        "도윤슬 왔어?",
        "윤슬이가 그랬어",
        "어제윤슬 말고 윤슬씨",
        "YUNSEUL@example.com",
        "０１０－００００－１２３４",
        "+82 10 0000 1234",
        "번호는 01000001234야",
        "도윤슬",
        "kumo`: hi",
        "hi KUMO`!",
    ],
)
def test_a_bystander_left_standing_is_found(case: SampleCase, tmp_path: Path, text: str) -> None:
    found = leaks.scan(opened(case, tmp_path / "o", "안녕", text), BYSTANDERS, OWN)
    assert found.certain
    assert set(found.certain) == {"C1-0002"}


def test_a_bystander_left_standing_in_the_transcript_is_found(case: SampleCase, tmp_path: Path) -> None:
    page = "<p>윤슬<b>이가</b></p>"
    found = leaks.scan(opened(case, tmp_path / "o", "안녕", page=page), BYSTANDERS, OWN)
    assert found.certain
    assert all(place.endswith(".html") for place in found.certain)


@pytest.mark.parametrize(
    "text",
    [
        "나루한 왔어요",
        "내 번호는 010-0000-9999",
        f"{PERSON}이가 그랬어",
        "미윤슬기",
        "kumonoth",
        "2026-03-13 10:00:00",
    ],
)
def test_subjects_pseudonyms_and_other_words_are_no_leaks(
    case: SampleCase, tmp_path: Path, text: str
) -> None:
    found = leaks.scan(opened(case, tmp_path / "o", text), BYSTANDERS, OWN)
    assert found.certain == ()


def test_a_name_that_is_a_word_is_counted_apart(case: SampleCase, tmp_path: Path) -> None:
    found = leaks.scan(opened(case, tmp_path / "o", "하늘이 맑다"), BYSTANDERS, OWN)
    assert (found.certain, found.doubtful) == ((), 1)


def test_a_bystanders_account_beside_a_pseudonym_is_found(case: SampleCase, tmp_path: Path) -> None:
    dossier = opened(case, tmp_path / "o", "안녕")
    named = Sender(pseudonym=PERSON, account="kakao:도윤슬", name=None, commitment="0c" * 32)
    (dossier.folder / "messages.jsonl").write_bytes(line(1, "안녕", named) + b"\n")
    assert leaks.scan(dossier, BYSTANDERS, OWN).certain


def test_without_a_chat_the_sample_rooms_story_is_told() -> None:
    chosen = choose(None, "", "")
    assert chosen.subject == "kakao:최현우"
    assert chosen.wanted == "kakao:강도윤"
    assert len(chosen.people) >= 12
    assert len(chosen.originals) >= 600
    start, end = chosen.span
    assert all(start <= one.at_ms < end for one in chosen.originals)


@pytest.mark.parametrize("name", ["kakao:이수아", "이수아", "수아"])
def test_a_subject_is_found_by_account_name_or_nick(name: str) -> None:
    assert choose(None, name, "").subject == "kakao:이수아"


def own_lines(chosen: Chosen, senders: set[str]) -> list[MessageLine]:
    lines = []
    for place, one in enumerate(chosen.originals, 1):
        own = one.sender == chosen.subject
        sender = Sender(
            pseudonym=None if own else PERSON,
            account=chosen.subject if own else None,
            name="최현우" if own else None,
            commitment=None if own else "0c" * 32,
        )
        if one.sender in senders:
            made = MessageLine.from_bytes(line(place, "가려짐", sender))
            lines.append(made.model_copy(update={"at": one.at_ms}))
    return lines


def test_the_storys_bystander_is_asked_for_where_the_dossier_holds_them() -> None:
    chosen = choose(None, "", "")
    everybody = {one.sender for one in chosen.originals}
    assert whom_to_ask_for(chosen, own_lines(chosen, everybody)) == "kakao:강도윤"


def test_otherwise_it_is_who_wrote_most_of_the_dossier_and_never_the_subject() -> None:
    chosen = choose(None, "", "")
    lines = own_lines(chosen, {chosen.subject, "kakao:하늘"})
    assert whom_to_ask_for(chosen, lines) == "kakao:하늘"
    with pytest.raises(RefusedError) as refused:
        whom_to_ask_for(chosen, own_lines(chosen, {chosen.subject}))
    assert refused.value.reason == "DEMO_BYSTANDER"


@pytest.mark.parametrize(
    ("subject", "window", "reason"),
    [
        ("아무개", "", "DEMO_SUBJECT"),
        ("", "2026-03-13", "DEMO_WINDOW"),
        ("", "2026-03-13/soon", "DEMO_WINDOW"),
        ("", "2020-01-01/2020-01-02", "DEMO_BYSTANDER"),
    ],
)
def test_a_wrong_subject_or_window_is_refused(subject: str, window: str, reason: str) -> None:
    with pytest.raises(RefusedError) as refused:
        choose(None, subject, window)
    assert refused.value.reason == reason


def test_a_window_is_taken_as_a_warrant_takes_it() -> None:
    chosen = choose(None, "", "2026-03-13/2026-03-14")
    assert chosen.period == ("2026-03-13", "2026-03-14")
    assert chosen.span[1] - chosen.span[0] == DAY_MS


def test_a_chat_longer_than_policy_allows_is_cut_to_its_end(tmp_path: Path) -> None:
    chat = tmp_path / "long.csv"
    chat.write_text(
        'Date,User,Message\n2024-01-01 10:00:00,다온,"안녕"\n2024-12-31 10:00:00,가람,"잘 지냈어?"\n'
    )
    chosen = choose(chat, "", "")
    start, end = chosen.span
    assert chosen.shortened
    assert end - start == 184 * DAY_MS
    assert end == parse_instant("2024-12-31T10:00:00+09:00") + 1


def test_the_excerpt_pairs_what_was_stored_with_what_is_read() -> None:
    chosen = choose(None, "", "")
    lines = [
        MessageLine.from_bytes(
            line(1, "가려짐", Sender(pseudonym=PERSON, account=None, name=None, commitment="0c" * 32))
        ),
        MessageLine.from_bytes(
            line(2, "그대로", Sender(pseudonym=None, account=chosen.subject, name="최현우", commitment=None))
        ),
    ]
    own = next(one for one in chosen.originals if one.sender == chosen.subject)
    other = next(one for one in chosen.originals if one.sender != chosen.subject)
    masked = lines[0].model_copy(update={"at": other.at_ms})
    plain = lines[1].model_copy(update={"at": own.at_ms})
    pairs = pairs_of(chosen, [masked, plain])
    assert {line.text: message.sender for message, line in pairs} == {
        "가려짐": other.sender,
        "그대로": chosen.subject,
    }
    console = Console(width=100, record=True, file=Path("/dev/null").open("w"))  # noqa: SIM115 - closed below
    console.print(side_by_side(chosen, best_stretch(pairs), width=90))
    text = console.export_text()
    console.file.close()
    assert PERSON in text
    assert "그대로" in text


def test_a_broken_promise_ends_the_story() -> None:
    promise(holds=True, what="kept")
    with pytest.raises(RefusedError) as refused:
        promise(holds=False, what="broken")
    assert refused.value.reason == "DEMO_PROMISE"


def test_what_must_be_refused_and_is_not_ends_the_story() -> None:
    story = Story(quiet=True)

    def other() -> None:
        raise RefusedError("OTHER", "for another reason")

    story.refused("right", other, "OTHER")
    for attempt in (other, lambda: None):
        with pytest.raises(RefusedError) as refused:
            story.refused("wrong", attempt, "ACCESS_DENIED")
        assert refused.value.reason == "DEMO_PROMISE"


def test_only_a_former_demos_folder_is_cleared(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "demo", Story(quiet=True))
    stage.clear()
    (stage.root / "left.txt").touch()
    stage.clear()
    assert {path.name for path in stage.root.iterdir()} == {MARK, "papers"}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    with pytest.raises(RefusedError) as refused:
        Stage(tmp_path / "mine", Story(quiet=True)).clear()
    assert refused.value.reason == "DEMO_FOLDER"
    assert (tmp_path / "mine" / "thesis.txt").exists()


def test_the_summary_names_every_figure() -> None:
    value = Summary(more={"opaque": 1}).to_json()
    assert value.keys() >= {
        *("messages", "conversations", "subjects", "bystanders", "pseudonyms", "leaks"),
        *("identities_unmasked", "log_size", "verified", "package", "transcript", "opened", "opaque"),
    }


def test_dates_that_can_be_read_in_two_ways_are_read_as_the_demo_is_told(tmp_path: Path) -> None:
    chat = tmp_path / "chat.txt"
    chat.write_text("03/04/24, 10:00 - 나루한: 안녕\n03/04/24, 10:01 - 하늘빛: 그래\n", encoding="utf-8")
    with pytest.raises(RefusedError, match="--day-first"):
        choose(chat, "", "")
    assert choose(chat, "", "", day_first=True).period[0].startswith("2024-04-03")
    assert choose(chat, "", "", day_first=False).period[0].startswith("2024-03-04")
