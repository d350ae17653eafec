from __future__ import annotations

import pytest

from garim.api.messages.v1 import messages_pb2 as pb
from garim.sealing.segment import KIND_OPAQUE
from garim.statements import dsse
from garim.statements.refusal import RefusedError
from garim.statements.scope import Forecast, round_up
from messages_support import people
from messages_support.store import MESH, NOW_MS, STORE, StoreWorld

SUBJECT = ("account", "acct-00001")


def _read(world: StoreWorld, envelope: dsse.Envelope) -> Forecast:
    return Forecast.verify(envelope, world.governance.current().keys_of("messages"), mesh=MESH, now=None)


@pytest.mark.parametrize(
    ("count", "rounded"),
    [(0, 0), (1, 1), (2, 2), (3, 5), (5, 5), (6, 10), (11, 20), (50, 50), (51, 100), (101, 200), (999, 1000)],
)
def test_numbers_are_rounded_up_to_steps_of_1_2_5(count: int, rounded: int) -> None:
    assert round_up(count) == rounded


def test_a_forecast_counts_what_the_ticket_matches(world: StoreWorld) -> None:
    rooms = [people.room("방-1", [1, 2, 3, 4]), people.room("방-2", [1, 4]), people.room("방-3", [5, 6])]
    world.put(*rooms)
    world.append(
        people.batch(
            *(
                people.part(room, people.chatter(NOW_MS - 99, [4, 6][room is rooms[2] :][:1], 7))
                for room in rooms
            )
        )
    )
    world.append(
        people.batch(people.part(rooms[1], people.secret_chat(NOW_MS - 9, 2), pb.SEGMENT_KIND_OPAQUE))
    )
    forecast = _read(world, world.store.forecast(world.custody.ticket(SUBJECT, purpose="forecast")))
    assert (forecast.messages, forecast.conversations, forecast.bystanders, forecast.opaque) == (20, 2, 5, 1)
    assert len(forecast.conversation_tags) == 2
    assert forecast.store == STORE
    assert KIND_OPAQUE == 2


def test_an_unknown_account_and_an_empty_period_count_nothing(world: StoreWorld) -> None:
    room = people.room("방-1", [1, 2])
    world.put(room)
    world.append(people.batch(people.part(room, people.chatter(NOW_MS - 99, [1], 7))))
    unknown = world.custody.ticket(("account", "nobody"), purpose="forecast", document="44" * 32)
    earlier = world.custody.ticket(SUBJECT, purpose="forecast", document="55" * 32, end=NOW_MS - 5_000)
    for ticket in (unknown, earlier):
        forecast = _read(world, world.store.forecast(ticket))
        assert (forecast.messages, forecast.conversations, forecast.bystanders) == (0, 0, 0)


def test_a_document_is_counted_once_whatever_comes_later(world: StoreWorld) -> None:
    room = people.room("방-1", [1, 2])
    world.put(room)
    first = world.store.forecast(world.custody.ticket(SUBJECT, purpose="forecast"))
    world.append(people.batch(people.part(room, people.chatter(NOW_MS - 99, [1], 7))))
    world.clock.advance(300_000)
    world.start()
    again = world.store.forecast(world.custody.ticket(SUBJECT, purpose="forecast"))
    assert again == first
    assert [leaf for leaf in world.audit.leaves if b'"forecast"' in leaf][1:] == []


def test_no_forecast_leaves_before_it_is_logged(world: StoreWorld) -> None:
    world.audit.misbehaviour.silent = True
    with pytest.raises(RefusedError, match="LOG_UNAVAILABLE"):
        world.store.forecast(world.custody.ticket(SUBJECT, purpose="forecast"))
    world.audit.misbehaviour.silent = False
    world.store.forecast(world.custody.ticket(SUBJECT, purpose="forecast"))
    assert len([leaf for leaf in world.audit.leaves if b'"forecast"' in leaf]) == 1


def test_the_store_keeps_no_tag_of_a_ticket(world: StoreWorld) -> None:
    ticket = world.custody.ticket(("account", "acct-09999"), purpose="forecast", epochs=None)
    world.store.epochs.current()
    ticket = world.custody.ticket(("account", "acct-09999"), purpose="forecast")
    world.store.forecast(ticket)
    tag = world.custody.tags(world.custody.epochs[0], ("account", "acct-09999"))[0]
    assert tag.encode() in ticket.payload
    world.close()
    copy = b"".join(path.read_bytes() for path in world.folder.glob("messages.db*"))
    assert tag.encode() not in copy
    assert bytes.fromhex(tag) not in copy


def test_counting_opens_nothing(world: StoreWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    room = people.room("방-1", [1, 2])
    world.put(room)
    world.append(people.batch(people.part(room, people.chatter(NOW_MS - 99, [1], 7))))
    monkeypatch.setattr("garim.messages.index_rows.slices", None)
    world.store.forecast(world.custody.ticket(SUBJECT, purpose="forecast"))
