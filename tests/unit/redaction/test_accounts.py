"""A store that serves other than it logged is found out; an honest one never is."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from garim.api.messages.v1 import messages_pb2 as pb
from garim.redaction.attempt.accounts import CLOSING_MS, EpochAccounts, conversation_leaf
from garim.redaction.attempt.job import Account, Event
from garim.sealing import hpke, segment, write_secret
from garim.statements import dsse
from garim.statements.receipts import EpochClosed
from garim.statements.refusal import Kind, RefusedError
from redaction_support.scope import DAON, DAY, HANEUL, HOUR, MARU, NOW, Scope, text

T = NOW - HOUR + 1_000
Items = list[pb.ReadSegmentsResponse]


def kind(item: pb.ReadSegmentsResponse) -> str:
    return item.WhichOneof("item") or ""


@pytest.fixture
def scope() -> Scope:
    """A closed epoch with two rooms of the subject, three segments in each, and one room of others."""
    made = Scope()
    epoch = made.epoch(T)
    for name in ("room-1", "room-2"):
        room = made.room(epoch, name, [DAON, HANEUL])
        for at in range(3):
            made.put(epoch, room, [text(T + at, DAON, f"{name} {at}")])
    made.put(epoch, made.room(epoch, "room-3", [HANEUL, MARU]), [text(T, MARU, "남의 말")])
    epoch.closed = True
    return made


def refusal(scope: Scope, folder: Path, change: Callable[[Items], Items]) -> RefusedError:
    scope.tamper = lambda which, items: change(items) if which == pb.READ_PASS_SEGMENTS else items
    with pytest.raises(RefusedError) as refused:
        scope.attempt(folder)
    assert not (folder / "package.age").exists()
    return refused.value


def places(items: Items, wanted: str) -> list[int]:
    return [at for at, item in enumerate(items) if kind(item) == wanted]


def test_an_honest_store_passes_and_its_account_goes_to_the_service(scope: Scope, tmp_path: Path) -> None:
    events: list[Event] = []
    scope.attempt(tmp_path, events.append)
    assert len([one for one in events if isinstance(one, Account)]) == 1
    assert (
        len(scope.opened(tmp_path, scope.attempt(tmp_path, package=str(tmp_path / "again.age"))).texts()) == 6
    )


def test_the_bytes_of_a_conversations_leaf_never_change() -> None:
    assert (
        conversation_leaf(b"tag", [b"one", b"two"]).hex()
        == "00000003746167000000000000000211914c19a28a98c57d12f3cce6c32b7944784f4b4781a706c24eb1dc284e2856"
    )


def test_a_group_that_the_subject_joined_or_left_is_not_inconsistent(scope: Scope, tmp_path: Path) -> None:
    epoch = scope.epochs[0]
    scope.put(epoch, scope.room(epoch, "room-1", [HANEUL, MARU]), [text(T + 5, HANEUL, "없는 사이")])
    scope.put(epoch, scope.room(epoch, "room-1", [DAON, HANEUL, MARU]), [text(T + 6, DAON, "다시 왔어")])
    made = scope.made(tmp_path)
    assert len(made.texts()) == 7
    assert not [one for one in made.texts() if "사이" in one]


def test_segments_outside_period_or_received_later_need_not_be_served(scope: Scope, tmp_path: Path) -> None:
    epoch = scope.epochs[0]
    room = epoch.segments[0].roster
    late = scope.put(epoch, room, [text(T + 9, DAON, "늦은")], received_last=NOW + 1)
    old = scope.put(epoch, room, [text(T - DAY, DAON, "옛날")])

    def unserved(items: Items) -> Items:
        return [one for one in items if one.segment.header not in {late.header, old.header}]

    scope.tamper = lambda which, items: unserved(items) if which == pb.READ_PASS_SEGMENTS else items
    ticket = scope.ticket(period={"start": T - HOUR, "end": NOW})
    scope.attempt(tmp_path, ticket=base64.b64encode(dsse.to_bytes(ticket)).decode())


@pytest.mark.parametrize("at", [0, 1, 2, 3, 5])
def test_a_missing_segment_shows(scope: Scope, tmp_path: Path, at: int) -> None:
    def drop(items: Items) -> Items:
        del items[places(items, "segment")[at]]
        return items

    found = refusal(scope, tmp_path, drop)
    assert (found.reason, found.kind) == ("STORE_INCONSISTENT", Kind.DATA_LOSS)


def test_a_planted_segment_shows(scope: Scope, tmp_path: Path) -> None:
    planted = scope.put(scope.epochs[0], scope.epochs[0].segments[0].roster, [text(T + 5, DAON, "지어낸 말")])
    scope.epochs[0].segments.remove(planted)
    item = pb.ReadSegmentsResponse(
        segment=pb.SegmentItem(header=planted.header, ciphertext=planted.ciphertext)
    )

    def plant(items: Items) -> Items:
        items.insert(places(items, "segment")[3], item)
        return items

    assert refusal(scope, tmp_path, plant).reason == "STORE_INCONSISTENT"


def test_segments_in_another_order_show(scope: Scope, tmp_path: Path) -> None:
    def swap(items: Items) -> Items:
        first, second = places(items, "segment")[:2]
        items[first], items[second] = items[second], items[first]
        return items

    assert refusal(scope, tmp_path, swap).reason == "STORE_INCONSISTENT"


def test_a_segment_served_twice_shows(scope: Scope, tmp_path: Path) -> None:
    def twice(items: Items) -> Items:
        at = places(items, "segment")[0]
        return [*items[: at + 1], items[at], *items[at + 1 :]]

    assert refusal(scope, tmp_path, twice).reason == "STORE_INCONSISTENT"


def test_a_conversation_told_twice_shows(scope: Scope, tmp_path: Path) -> None:
    def twice(items: Items) -> Items:
        first, second = places(items, "conversation")
        return items[:second] + items[first:second] + items[second:]

    assert refusal(scope, tmp_path, twice).reason == "STORE_INCONSISTENT"


def test_a_conversation_without_an_account_shows(scope: Scope, tmp_path: Path) -> None:
    def drop(items: Items) -> Items:
        del items[places(items, "conversation")[0]]
        return items

    assert refusal(scope, tmp_path, drop).reason == "STORE_INCONSISTENT"


def test_an_account_with_other_headers_is_not_the_logged_one(scope: Scope, tmp_path: Path) -> None:
    def shorten(items: Items) -> Items:
        at = places(items, "conversation")[0]
        del items[at].conversation.headers[0]
        del items[at + 1]
        return items

    assert refusal(scope, tmp_path, shorten).reason == "LOG_INCLUSION"


def test_the_account_of_another_epoch_or_tree_size_shows(scope: Scope, tmp_path: Path) -> None:
    def other_epoch(items: Items) -> Items:
        items[places(items, "conversation")[0]].conversation.epoch_id = bytes(16)
        return items

    def other_size(items: Items) -> Items:
        items[places(items, "conversation")[0]].conversation.size += 1
        return items

    assert refusal(scope, tmp_path, other_epoch).reason == "STORE_INCONSISTENT"
    assert refusal(scope, tmp_path, other_size).reason == "STORE_INCONSISTENT"


def test_a_broken_chain_of_write_secrets_shows(scope: Scope, tmp_path: Path) -> None:
    def longer(items: Items) -> Items:
        account = items[places(items, "epoch")[0]].epoch
        account.records.append(account.records[0])
        return items

    def empty(items: Items) -> Items:
        del items[places(items, "epoch")[0]].epoch.records[:]
        return items

    def foreign(items: Items) -> Items:
        account = items[places(items, "epoch")[0]].epoch
        account.records[0] = scope.epoch(T + 1).kept.record
        return items

    for change in (longer, empty, foreign):
        assert refusal(scope, tmp_path, change).reason == "STORE_INCONSISTENT"


@pytest.mark.parametrize("wrong", ["", "previous", "epoch", "store", "head", "count"])
def test_each_link_of_the_chain_is_judged(scope: Scope, wrong: str) -> None:
    epoch = b"\x01" * 16
    first = write_secret.WriteSecretRecord("test.mesh", "store-1", epoch, T, T + 60_000, bytes(32)).encode()
    second = write_secret.WriteSecretRecord(
        "test.mesh",
        "store-2" if wrong == "store" else "store-1",
        b"\x02" * 16 if wrong == "epoch" else epoch,
        T,
        T + 60_000,
        bytes(32) if wrong == "previous" else hashlib.sha256(first).digest(),
    ).encode()
    closed = EpochClosed.from_json(
        {
            "mesh": "test.mesh",
            "purpose": "epoch-closed",
            "issued": NOW,
            "expires": None,
            "checkpoint": None,
            "store": "store-1",
            "epoch": epoch.hex(),
            "head": hashlib.sha256(first if wrong == "head" else second).hexdigest(),
            "write_secrets": 3 if wrong == "count" else 2,
            "segments": 0,
            "conversations": 0,
            "conversations_root": "00" * 32,
        }
    ).sign(scope.governance.service_keys["messages"].sign)
    accounts = EpochAccounts(scope.governance.current(), 0, NOW, NOW, NOW)
    account = pb.EpochAccount(records=[first, second])
    if not wrong:
        accounts.epoch(account, closed)
        return
    with pytest.raises(RefusedError, match="STORE_INCONSISTENT"):
        accounts.epoch(account, closed)


def test_an_account_that_the_store_did_not_sign_is_refused(scope: Scope, tmp_path: Path) -> None:
    def forge(items: Items) -> Items:
        items[places(items, "epoch")[0]].epoch.closed.statement.signatures[0].sig = bytes(64)
        return items

    assert refusal(scope, tmp_path, forge).reason == "STATEMENT_SIGNATURE"


def test_a_write_secret_that_stands_in_no_logged_chain_shows(scope: Scope, tmp_path: Path) -> None:
    epoch = scope.epochs[0]
    record = write_secret.WriteSecretRecord("test.mesh", "store-1", epoch.id, T, T + 50_000, bytes(32))
    _, planted = write_secret.make(record, hpke.generate()[1], scope.governance.service_keys["messages"].sign)
    served = pb.WriteSecret(record=planted.record, signature=planted.signature, sealed=planted.sealed)

    def plant(items: Items) -> Items:
        items.insert(places(items, "segment")[0], pb.ReadSegmentsResponse(write_secret=served))
        return items

    assert refusal(scope, tmp_path, plant).reason == "STORE_INCONSISTENT"


def test_a_write_secret_that_is_not_served_is_missed(scope: Scope, tmp_path: Path) -> None:
    scope.tamper = lambda _, items: [one for one in items if kind(one) != "write_secret"]
    with pytest.raises(RefusedError, match="STORE_INCONSISTENT"):
        scope.attempt(tmp_path)


@pytest.mark.parametrize(
    ("age", "refused"), [(DAY + CLOSING_MS + 2_000, True), (DAY + CLOSING_MS - 2_000, False)]
)
def test_a_store_cannot_keep_back_the_account_of_an_epoch_that_is_over(
    tmp_path: Path, age: int, refused: bool
) -> None:
    scope = Scope()
    start = NOW - age
    epoch = scope.epoch(start)
    scope.put(epoch, scope.room(epoch, "room-1", [DAON]), [text(start, DAON, "x")])
    if refused:
        with pytest.raises(RefusedError, match="STORE_INCONSISTENT"):
            scope.attempt(tmp_path)
    else:
        scope.attempt(tmp_path)


@pytest.mark.parametrize("change", [{"count": 2}, {"sent_first": T - 1}, {"sent_last": T + 1}])
def test_a_block_that_is_not_what_its_header_says_shows(tmp_path: Path, change: dict[str, int]) -> None:
    scope = Scope()
    epoch = scope.epoch(T)
    room = scope.room(epoch, "room-1", [DAON])
    scope.put(epoch, room, [text(T, DAON, "x")], segment.KIND_MESSAGES, **change)
    with pytest.raises(RefusedError, match="STORE_INCONSISTENT"):
        scope.attempt(tmp_path)


def test_a_changed_ciphertext_does_not_open(scope: Scope, tmp_path: Path) -> None:
    def change(items: Items) -> Items:
        item = items[places(items, "segment")[0]].segment
        item.ciphertext = item.ciphertext[:-1] + bytes([item.ciphertext[-1] ^ 1])
        return items

    assert refusal(scope, tmp_path, change).reason == "SEALING_OPEN"


def test_a_ticket_that_custody_did_not_sign_is_refused(scope: Scope, tmp_path: Path) -> None:
    forged = dsse.sign(
        "application/vnd.garim.scope-ticket.v1+json", scope.ticket().payload, lambda _: bytes(64)
    )
    with pytest.raises(RefusedError, match="STATEMENT_SIGNATURE"):
        scope.attempt(tmp_path, ticket=base64.b64encode(dsse.to_bytes(forged)).decode())
