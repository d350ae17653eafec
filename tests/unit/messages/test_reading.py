from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.api.messages.v1 import messages_pb2 as pb
from garim.messages import index_rows
from garim.messages.reader import ConversationItem, EpochItem, Pass, RosterItem, SegmentItem
from garim.messages.scope_rows import SecretRow
from garim.sealing import roster as roster_records
from garim.sealing.segment import SegmentHeader
from garim.sealing.write_secret import SealedWriteSecret
from garim.statements.refusal import RefusedError
from messages_support import people
from messages_support.store import NOW_MS, StoreWorld

ROOM = people.room("방-1", [1, 2, 3])
OTHER = people.room("방-2", [2, 3])
SUBJECT = ("account", "acct-00001")


@pytest.fixture
def filled(world: StoreWorld) -> StoreWorld:
    world.put(ROOM, OTHER)
    for number in range(4):
        world.append(
            people.batch(
                people.part(ROOM, people.chatter(NOW_MS - 100_000 + number * 10_000, [1, 2, 3], 10, number)),
                people.part(
                    OTHER, people.chatter(NOW_MS - 100_000 + number * 10_000, [2, 3], 10, 90 + number)
                ),
            )
        )
        world.clock.advance(1_000)
    return world


def test_only_conversations_of_the_ticket_are_read(filled: StoreWorld) -> None:
    found = filled.messages(filled.custody.ticket(SUBJECT))
    assert len(found) == 40
    assert not [one for one in found if "/" in one.text and one.text.split()[-1].startswith("9")]


@pytest.mark.parametrize("subject", [("phone", "+82 10-0000-0001"), ("email", "DAON1@example.test")])
def test_a_subject_is_found_by_phone_and_email(filled: StoreWorld, subject: tuple[str, str]) -> None:
    assert len(filled.messages(filled.custody.ticket(subject))) == 40


def test_an_account_that_is_named_like_a_phone_is_not_found_by_it(filled: StoreWorld) -> None:
    assert filled.items(filled.custody.ticket(("account", "+821000000001"))) == []


def test_the_period_is_judged_by_overlap_of_sent_at(filled: StoreWorld) -> None:
    start, end = NOW_MS - 90_000, NOW_MS - 80_000
    ticket = filled.custody.ticket(SUBJECT, start=start, end=end)
    headers = [
        SegmentHeader.decode(one.header) for one in filled.items(ticket) if isinstance(one, SegmentItem)
    ]
    assert [(one.sent_first, one.count) for one in headers] == [(start, 10)]


def test_nothing_received_after_the_documents_issue_is_read(filled: StoreWorld) -> None:
    ticket = filled.custody.ticket(SUBJECT, received_until=NOW_MS + 1_000)
    assert len(filled.messages(ticket)) == 20


def test_nothing_that_is_stored_during_a_stream_appears_in_it(filled: StoreWorld) -> None:
    ticket = filled.custody.ticket(SUBJECT)
    stream = filled.store.read(ticket, Pass.SEGMENTS, "")
    items = [next(stream)[0]]
    filled.append(people.batch(people.part(ROOM, people.chatter(NOW_MS, [1], 5, 7))))
    items += [item for item, _ in stream]
    assert len(filled.opened(items)) == 40


def test_a_member_who_joins_later_does_not_open_what_was_before(filled: StoreWorld) -> None:
    grown = people.room("방-1", [1, 2, 3, 9])
    filled.put(grown)
    sent = people.chatter(NOW_MS, [9], 3, 50)
    filled.append(people.batch(people.part(grown, sent)))
    assert filled.messages(filled.custody.ticket(("account", "acct-00009"))) == sent
    assert len(filled.messages(filled.custody.ticket(SUBJECT))) == 43


def test_each_matched_roster_comes_once_with_a_header_that_qualifies_it(filled: StoreWorld) -> None:
    grown = people.room("방-1", [1, 2, 3, 9])
    filled.put(grown)
    filled.append(people.batch(people.part(grown, people.chatter(NOW_MS, [9], 3))))
    filled.append(people.batch(people.part(ROOM, people.chatter(NOW_MS, [1], 3))))
    items = filled.items(filled.custody.ticket(SUBJECT), Pass.ROSTERS)
    secrets = {
        one.secret: SealedWriteSecret(one.record, one.signature, one.sealed)
        for one in items
        if isinstance(one, SecretRow)
    }
    rosters = [one for one in items if isinstance(one, RosterItem)]
    assert len(rosters) == 2
    for one in rosters:
        header = SegmentHeader.decode(one.header)
        plain = roster_records.RosterRecord.decode(one.record).plain
        assert header.roster == hashlib.sha256(one.record).digest()
        assert header.conversation == plain.conversation
        assert {header.write_secret, plain.write_secret} <= secrets.keys()
        assert "다온1" in filled.custody.read_roster(secrets[plain.write_secret], one.record).decode()


def test_a_roster_without_a_segment_in_scope_is_not_read(filled: StoreWorld) -> None:
    filled.put(people.room("방-9", [1, 8]))
    items = filled.items(filled.custody.ticket(SUBJECT), Pass.ROSTERS)
    assert len([one for one in items if isinstance(one, RosterItem)]) == 1


def test_a_write_secret_comes_once_and_before_what_names_it(filled: StoreWorld) -> None:
    filled.clock.advance(120_000)
    filled.append(people.batch(people.part(ROOM, people.chatter(NOW_MS, [1], 5, 7))))
    seen: list[bytes] = []
    for item in filled.items(filled.custody.ticket(SUBJECT)):
        if isinstance(item, SecretRow):
            assert item.secret not in seen
            seen.append(item.secret)
        elif isinstance(item, SegmentItem):
            assert SegmentHeader.decode(item.header).write_secret in seen
    assert len(seen) == 2


@pytest.mark.parametrize("which", list(Pass))
def test_a_stream_resumes_behind_each_of_its_items(filled: StoreWorld, which: Pass) -> None:
    filled.put(people.room("방-1", [1, 2, 3, 9]), people.room("방-3", [1]))
    filled.append(people.batch(people.part(people.room("방-3", [1]), people.chatter(NOW_MS, [1], 2))))
    filled.clock.advance(86_400_000)
    filled.store.keep_house()
    filled.put(ROOM)
    filled.append(people.batch(people.part(ROOM, people.chatter(NOW_MS, [1], 2))))
    ticket = filled.custody.ticket(SUBJECT)
    whole = list(filled.store.read(ticket, which, ""))
    bare = [item for item, _ in whole if not isinstance(item, SecretRow)]
    assert len(bare) >= 3
    for at, (_, token) in enumerate(whole):
        rest = [
            one
            for one in filled.items(filled.custody.ticket(SUBJECT), which, token)
            if not isinstance(one, SecretRow)
        ]
        before = [item for item, _ in whole[: at + 1] if not isinstance(item, SecretRow)]
        assert before + rest == bare


def test_a_resumed_stream_sees_what_the_first_one_saw(filled: StoreWorld) -> None:
    ticket = filled.custody.ticket(SUBJECT)
    stream = filled.store.read(ticket, Pass.SEGMENTS, "")
    first = [next(stream) for _ in range(2)]
    filled.append(people.batch(people.part(ROOM, people.chatter(NOW_MS, [1], 5, 7))))
    rest = filled.items(ticket, token=first[-1][1])
    assert len(filled.opened([item for item, _ in first] + rest)) == 40


def test_an_epoch_that_closes_before_a_stream_resumes_stays_open_for_it(filled: StoreWorld) -> None:
    filled.put(people.room("방-3", [1]))
    filled.append(people.batch(people.part(people.room("방-3", [1]), people.chatter(NOW_MS, [1], 2))))
    ticket = filled.custody.ticket(SUBJECT, expires=NOW_MS + 10 * 86_400_000)
    _, token = list(filled.store.read(ticket, Pass.SEGMENTS, ""))[2]
    filled.clock.advance(86_400_000)
    filled.store.keep_house()
    rest = filled.items(ticket, token=token)
    assert not [one for one in rest if isinstance(one, EpochItem | ConversationItem)]
    assert [one for one in filled.items(ticket) if isinstance(one, EpochItem)]


@pytest.mark.parametrize("token", ["x", "é", base64.urlsafe_b64encode(bytes(75)).decode()])
def test_a_made_up_token_is_refused(filled: StoreWorld, token: str) -> None:
    with pytest.raises(RefusedError, match="RESUME_TOKEN"):
        filled.items(filled.custody.ticket(SUBJECT), token=token)


@pytest.mark.parametrize(("at", "value"), [(22, 9), (-12, 9_999), (-16, 7)])
def test_a_token_that_reaches_behind_what_is_stored_is_refused(
    filled: StoreWorld, at: int, value: int
) -> None:
    """Behind the newest epoch, the newest batch of an open one, in an epoch that is not there."""
    _, token = next(iter(filled.store.read(filled.custody.ticket(SUBJECT), Pass.SEGMENTS, "")))
    packed = bytearray(base64.urlsafe_b64decode(token))
    at %= len(packed)
    packed[at : at + 4] = value.to_bytes(4, "big")
    with pytest.raises(RefusedError, match="RESUME_TOKEN"):
        filled.items(filled.custody.ticket(SUBJECT), token=base64.urlsafe_b64encode(packed).decode())


def test_a_token_of_another_document_or_pass_is_refused(filled: StoreWorld) -> None:
    _, token = next(iter(filled.store.read(filled.custody.ticket(SUBJECT), Pass.SEGMENTS, "")))
    with pytest.raises(RefusedError, match="RESUME_TOKEN"):
        filled.items(filled.custody.ticket(SUBJECT, document="33" * 32), token=token)
    with pytest.raises(RefusedError, match="RESUME_TOKEN"):
        filled.items(filled.custody.ticket(SUBJECT), Pass.ROSTERS, token)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"signer": Ed25519PrivateKey.generate()}, "STATEMENT_SIGNATURE"),
        ({"purpose": "forecast"}, "TICKET_PURPOSE"),
        ({"grant": None}, "TICKET_PURPOSE"),
        ({"expires": NOW_MS}, "STATEMENT_EXPIRED"),
        ({"mesh": "other.mesh"}, "STATEMENT_MESH"),
        ({"received_until": NOW_MS + 60_000}, "TICKET_TIME"),
        ({"received_until": NOW_MS, "end": NOW_MS + 1}, "TICKET_TIME"),
    ],
)
def test_a_ticket_that_does_not_allow_it_reads_nothing(
    filled: StoreWorld, change: dict[str, object], reason: str
) -> None:
    with pytest.raises(RefusedError, match=f"^{reason}"):
        filled.items(filled.custody.ticket(SUBJECT, **change))  # type: ignore[arg-type] # one at a time


def test_a_read_ticket_forecasts_nothing(filled: StoreWorld) -> None:
    with pytest.raises(RefusedError, match="TICKET_PURPOSE"):
        filled.store.forecast(filled.custody.ticket(SUBJECT))


def test_long_conversations_are_read_page_by_page(world: StoreWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_rows, "PAGE", 3)
    world.put(ROOM)
    sent = people.chatter(NOW_MS - 1000, [1, 2], 20)
    for message in sent:
        world.append(people.batch(people.part(ROOM, [message])))
    assert world.messages(world.custody.ticket(SUBJECT)) == sent


def test_an_open_epoch_has_no_account(filled: StoreWorld) -> None:
    items = filled.items(filled.custody.ticket(SUBJECT))
    assert not [one for one in items if isinstance(one, EpochItem | ConversationItem)]


def test_opaque_segments_are_read_as_such(world: StoreWorld) -> None:
    world.put(ROOM)
    world.append(people.batch(people.part(ROOM, people.secret_chat(NOW_MS - 9, 2), pb.SEGMENT_KIND_OPAQUE)))
    items = [one for one in world.items(world.custody.ticket(SUBJECT)) if isinstance(one, SegmentItem)]
    assert [SegmentHeader.decode(one.header).kind for one in items] == [2]
