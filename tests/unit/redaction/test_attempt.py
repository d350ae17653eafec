"""What an attempt hands over: the exact period, everybody else masked, nothing it should not know."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from garim.api.messages.v1 import messages_pb2 as pb
from garim.dossier import verification
from garim.redaction.attempt import reading
from garim.redaction.attempt.job import Event, Held, Packed, Progress
from garim.redaction.attempt.reading import RosterAppearedError
from garim.redaction.attempt.run import READ_AHEAD
from garim.sealing import segment
from garim.statements.receipts import DossierReceipt
from garim.statements.refusal import Kind, RefusedError
from garim.statements.roster import RosterMember
from redaction_support.scope import DAON, DOSSIER, GRANT, HANEUL, HOUR, MARU, NOW, WORKERS, Scope, text

T = NOW - HOUR


@pytest.fixture
def scope() -> Scope:
    return Scope()


def one_room(
    scope: Scope, *messages: pb.ChatMessage, members: tuple[RosterMember, ...] = (DAON, HANEUL, MARU)
) -> None:
    epoch = scope.epoch()
    scope.put(epoch, scope.room(epoch, "room-1", members), messages)


def test_only_the_exact_period_is_handed_over(scope: Scope, tmp_path: Path) -> None:
    one_room(scope, *(text(T + at, DAON, f"{at}번째") for at in range(10)))
    made = scope.made(tmp_path, period={"start": T + 3, "end": T + 6})
    assert made.texts() == ["3번째", "4번째", "5번째"]
    assert made.packed.figures.messages == 3


def test_what_is_no_finding_stays_as_it_was(scope: Scope, tmp_path: Path) -> None:
    body = "내일  산에 갈까?\t<b>&amp;</b> ㅋㅋ 🎉 한하늘님이 온대"
    one_room(scope, text(T, DAON, body))
    made = scope.made(tmp_path)
    (line,) = made.opened.messages()
    (mask,) = line.masks
    assert line.text[: mask.start] + "한하늘" + line.text[mask.end :] == body
    assert line.sender.account == DAON.account
    assert line.sender.name == "다온"


def test_a_bystander_has_one_pseudonym_as_sender_and_wherever_they_are_mentioned(
    scope: Scope, tmp_path: Path
) -> None:
    one_room(
        scope,
        text(T, HANEUL, "안녕"),
        text(T + 1, DAON, "한하늘씨 안녕"),
        text(T + 2, DAON, "010-0000-0002 로 전화할게"),
        text(T + 3, DAON, "haneul@example.test 로 보낼게"),
    )
    made = scope.made(tmp_path)
    lines = list(made.opened.messages())
    pseudonym = lines[0].sender.pseudonym
    assert pseudonym is not None
    assert [[mask.pseudonym for mask in line.masks] for line in lines] == [
        [],
        [pseudonym],
        [pseudonym],
        [pseudonym],
    ]
    assert made.identities() == {
        pseudonym: {
            "type": "PERSON",
            "value": "acct-00002",
            "account": "acct-00002",
            "names": ["한하늘"],
            "phones": ["+821000000002"],
            "emails": ["haneul@example.test"],
        }
    }


def test_a_bystander_is_the_same_in_every_room_and_epoch(scope: Scope, tmp_path: Path) -> None:
    first, second = scope.epoch(T), scope.epoch(T + 60_000)
    scope.put(first, scope.room(first, "room-1", [DAON, HANEUL]), [text(T, HANEUL, "하나")])
    scope.put(second, scope.room(second, "room-2", [DAON, HANEUL, MARU]), [text(T + 1, HANEUL, "둘")])
    made = scope.made(tmp_path)
    assert len({line.sender.pseudonym for line in made.opened.messages()}) == 1
    assert {line.number for line in made.opened.messages()} == {"C1-0001", "C2-0001"}
    assert (made.packed.figures.conversations, made.packed.figures.bystanders) == (2, 1)


def test_a_name_that_is_known_only_from_a_later_roster_is_masked_before_it(
    scope: Scope, tmp_path: Path
) -> None:
    epoch = scope.epoch()
    scope.put(epoch, scope.room(epoch, "room-1", [DAON, HANEUL]), [text(T, DAON, "마루치아라 초대할게")])
    scope.put(epoch, scope.room(epoch, "room-1", [DAON, HANEUL, MARU]), [text(T + 1, MARU, "왔어")])
    made = scope.made(tmp_path)
    first, second = made.opened.messages()
    assert [mask.pseudonym for mask in first.masks] == [second.sender.pseudonym]


def test_the_package_verifies_against_what_custody_is_given(scope: Scope, tmp_path: Path) -> None:
    one_room(scope, text(T, HANEUL, "안녕"), text(T + 1, DAON, "그래"))
    made = scope.made(tmp_path)
    packed = made.packed
    receipt = DossierReceipt.model_construct(
        dossier=DOSSIER.hex(),
        grant=GRANT,
        authority="가온지방검찰청",
        case_number="2026형제1",
        mode="sealed",
        package=packed.package,
        package_bytes=packed.figures.package_bytes,
        identities_root=packed.identities_root,
        identities=packed.identities,
        messages_root=packed.messages_root,
        messages=packed.figures.messages,
    )
    verification.verify_opened(made.opened, receipt)
    with (tmp_path / "package.age").open("rb") as source:
        verification.verify_package_file(source, receipt)


def test_a_bystander_who_takes_another_name_shows_none(scope: Scope, tmp_path: Path) -> None:
    renamed = pb.MESSAGE_KIND_RENAMED
    one_room(scope, text(T, HANEUL, "새로운이름", renamed), text(T + 1, DAON, "다온이다", renamed))
    made = scope.made(tmp_path)
    assert made.texts() == ["", "다온이다"]
    assert "새로운이름".encode() not in made.plain


def test_secret_chats_are_counted_and_no_key_is_asked_for(scope: Scope, tmp_path: Path) -> None:
    epoch = scope.epoch()
    room = scope.room(epoch, "room-1", [DAON, HANEUL])
    opaque = scope.put(epoch, room, [pb.ChatMessage(sent_at_ms=T, opaque=b"x")] * 3, segment.KIND_OPAQUE)
    scope.put(epoch, room, [text(T, DAON, "보이는 말")])
    made = scope.made(tmp_path)
    assert made.opened.opaque == made.packed.figures.opaque == 3
    assert made.texts() == ["보이는 말"]
    assert all(opaque.header not in one.headers for one in scope.releases[1:])


def test_erased_mode_keeps_no_identity(scope: Scope, tmp_path: Path) -> None:
    one_room(scope, text(T, HANEUL, "안녕"))
    made = scope.made(tmp_path, mode="erased", public_key="")
    assert made.packed.sealed_secret == ""
    assert made.packed.identities == 0
    assert made.opened.identities() == []
    (line,) = made.opened.messages()
    assert re.fullmatch(r"P-\w{5}-\w{5}", line.sender.pseudonym or "")


def test_two_dossiers_of_the_same_scope_share_no_pseudonym_salt_or_sealed_value(
    scope: Scope, tmp_path: Path
) -> None:
    one_room(scope, text(T, HANEUL, "안녕"), text(T + 1, MARU, "010-0000-9999"))
    folders = [tmp_path / "first", tmp_path / "second"]
    made = []
    for folder in folders:
        folder.mkdir()
        made.append(scope.made(folder))
    first, second = ({one.pseudonym for one in it.opened.identities()} for it in made)
    assert len(first) == len(second) == 3
    assert not first & second
    assert not set(made[0].opened.salts()) & set(made[1].opened.salts())
    assert made[0].packed.sealed_secret != made[1].packed.sealed_secret


def test_a_roster_that_appears_in_the_second_pass_restarts_the_attempt(scope: Scope, tmp_path: Path) -> None:
    one_room(scope, text(T, DAON, "하나"))

    def appear(which: int, items: list[pb.ReadSegmentsResponse]) -> list[pb.ReadSegmentsResponse]:
        if which == pb.READ_PASS_ROSTERS:
            late = scope.room(
                scope.epochs[0], "room-1", [DAON, HANEUL, MARU, RosterMember("acct-00009", ("새봄",))]
            )
            scope.put(scope.epochs[0], late, [text(T + 1, DAON, "둘")])
        return items

    scope.tamper = appear
    with pytest.raises(RosterAppearedError):
        scope.attempt(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_certain_leak_ends_the_attempt_and_leaves_no_package(
    scope: Scope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_room(scope, text(T, DAON, "한하늘님 안녕"))
    monkeypatch.setattr("garim.masking.engine.Engine.find", lambda _, texts: [[] for _ in texts])
    with pytest.raises(RefusedError) as refused:
        scope.attempt(tmp_path)
    assert (refused.value.reason, refused.value.kind) == ("LEAK_FOUND", Kind.DATA_LOSS)
    assert "하늘" not in str(refused.value)
    assert not list(tmp_path.iterdir())


def held(scope: Scope, folder: Path, **change: object) -> Held:
    outcome = scope.attempt(folder, **change)
    assert isinstance(outcome, Held)
    return outcome


NAMESAKE = RosterMember("acct-00007", ("다온",))


def test_a_certain_leak_blocks_also_where_a_hold_was_lifted(
    scope: Scope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_room(scope, text(T, DAON, "한하늘님 안녕"))
    place = {"segment": scope.epochs[0].segments[0].header[5:21].hex(), "message": 0, "start": 0, "end": 3}
    monkeypatch.setattr("garim.masking.engine.Engine.find", lambda _, texts: [[] for _ in texts])
    with pytest.raises(RefusedError, match="LEAK_FOUND"):
        scope.attempt(tmp_path, lifted=[place])


def test_an_ambiguous_place_holds_the_attempt_and_passes_once_it_is_lifted(
    scope: Scope, tmp_path: Path
) -> None:
    one_room(scope, text(T, DAON, "한하늘님, 다온이 왔어"), members=(DAON, HANEUL, NAMESAKE))
    outcome = held(scope, tmp_path)
    assert not list(tmp_path.iterdir())
    (hold,) = outcome.holds
    original = "한하늘님, 다온이 왔어"
    assert original[hold.place.start : hold.place.end] == "다온"
    assert "다온" not in outcome.to_bytes().decode()
    made = scope.made(tmp_path, lifted=[hold.place.to_json()])
    assert made.texts()[0].endswith("다온이 왔어")
    elsewhere = hold.place.to_json() | {"message": 1}
    held(scope, tmp_path, lifted=[elsewhere], package=str(tmp_path / "other.age"))


def test_nothing_on_disk_holds_plaintext_while_an_attempt_runs(scope: Scope, tmp_path: Path) -> None:
    words = "산꼭대기에서 만나자"
    one_room(scope, *(text(T + at, DAON, f"{words} {at}") for at in range(50)))
    seen: list[bytes] = []

    def look(event: Event) -> None:
        for path in Path("/proc/self/fd").iterdir():
            try:
                if str(path.readlink()).startswith(str(tmp_path)):
                    seen.append(Path(path).read_bytes())
            except OSError:
                continue

    assert isinstance(scope.attempt(tmp_path, look), Packed)
    seen.append((tmp_path / "package.age").read_bytes())
    assert max(map(len, seen)) > 2_000
    assert not [one for one in seen if words.encode() in one or DAON.account.encode() in one]


def test_a_sender_in_no_roster_is_refused(scope: Scope, tmp_path: Path) -> None:
    one_room(scope, text(T, DAON, "x"), text(T, RosterMember("acct-00009", ()), "x"))
    with pytest.raises(RefusedError, match="STORE_INCONSISTENT"):
        scope.attempt(tmp_path)


def test_a_recipient_that_is_no_age_key_is_refused(scope: Scope, tmp_path: Path) -> None:
    one_room(scope, text(T, DAON, "x"))
    with pytest.raises(RefusedError, match="RECIPIENT"):
        scope.attempt(tmp_path, recipient="age1nobody")
    assert not list(tmp_path.iterdir())


def test_an_attempt_never_holds_more_than_a_window_of_the_scope(
    scope: Scope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "RELEASE_MESSAGES", 2)
    epoch = scope.epoch()
    room = scope.room(epoch, "room-1", [DAON, HANEUL])
    for at in range(60):
        scope.put(epoch, room, [text(T + at, DAON, f"말 {at}")] * 2)
    held: list[int] = []

    def watch(event: Event) -> None:
        if getattr(event, "stage", "") == "masking":
            # One release of keys is of the rosters, each other one of a batch of one segment.
            held.append(len(scope.releases) - 1 - event.done // 2)  # type: ignore[union-attr] # a Progress

    attempt = scope.starting(tmp_path, watch)
    window = attempt._shop.crew.window
    assert isinstance(attempt.run(), Packed)
    assert len(held) == 60
    assert max(held) <= window + READ_AHEAD + 2


def test_progress_counts_every_message_in_every_stage(scope: Scope, tmp_path: Path) -> None:
    one_room(scope, *(text(T + at, DAON, "x") for at in range(7)))
    last: dict[str, int] = {}

    def watch(event: Event) -> None:
        if isinstance(event, Progress):
            last[event.stage] = event.done

    scope.attempt(tmp_path, watch)
    assert last == {"rosters": 1, "masking": 7, "scanning": 7, "packing": 7}


def test_a_conversation_longer_than_a_page_keeps_its_order(
    scope: Scope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BATCH_MESSAGES", 300)
    epoch = scope.epoch()
    rooms = [scope.room(epoch, name, [DAON, HANEUL]) for name in ("room-1", "room-2")]
    for at in range(6):
        for room in rooms:
            scope.put(epoch, room, [text(T + 200 * at + one, HANEUL, f"{at} {one}") for one in range(200)])
    made = scope.made(tmp_path)
    wanted = [f"{at} {one}" for at in range(6) for one in range(200)]
    assert made.texts() == wanted * 2
    pages = sorted(path.name for path in (made.opened.folder / "transcript").glob("C1-*"))
    assert pages == ["C1-1.html", "C1-2.html", "C1-3.html"]
    last = (made.opened.folder / "transcript" / "C2-3.html").read_text(encoding="utf-8")
    assert 'id="C2-1200"' in last


def test_only_the_owner_reads_the_spool(scope: Scope, tmp_path: Path) -> None:
    one_room(scope, text(T, DAON, "x"))
    scope.attempt(tmp_path)
    assert (tmp_path / "package.age").stat().st_mode & 0o777 == 0o600


def test_the_key_of_an_attempt_and_its_table_are_overwritten(scope: Scope, tmp_path: Path) -> None:
    one_room(scope, text(T, HANEUL, "x"))
    attempt = scope.starting(tmp_path)
    attempt.run()
    assert len(attempt._table) == 0
    assert len(attempt._shop.key._private) == 0
    assert [len(one._secret) for one in attempt._shop.spools.own] == [0] * WORKERS


def test_every_mask_opens_alone_to_what_was_written_there(scope: Scope, tmp_path: Path) -> None:
    body = "한하늘님 맞지? 하늘 언니 번호는 010 0000 0002"
    one_room(scope, text(T, HANEUL, "안녕"), text(T + 1, DAON, body))
    made = scope.made(tmp_path)
    released = made.released()
    line = list(made.opened.messages())[1]
    assert verification.verify_originals(made.opened, released) == 1 + len(line.masks)
    restored, at = "", 0
    for place, mask in enumerate(line.masks):
        original = released[mask.pseudonym].original(line.number, place, mask.commitment)
        restored, at = restored + line.text[at : mask.start] + (original or ""), mask.end
    assert restored + line.text[at:] == body
    assert body != line.text
