"""However messages are cut into batches, what is read back is what was sent."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from garim.api.messages.v1 import messages_pb2 as pb
from garim.messages.segments import cut
from garim.sealing.segment import HOUR_MS
from messages_support import people
from messages_support.store import NOW_MS, StoreWorld

ROOMS = [people.room(f"방-{number}", [1, 2, number]) for number in (3, 4, 5)]

sent = st.lists(
    st.tuples(
        st.sampled_from(range(3)),
        st.integers(min_value=NOW_MS - 3 * HOUR_MS, max_value=NOW_MS - 1),
        st.text(max_size=30),
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=25, deadline=None)
@given(sent, st.lists(st.integers(min_value=1, max_value=30), max_size=8))
def test_any_split_into_batches_yields_the_same_content(
    messages: list[tuple[int, int, str]], cuts: list[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = StoreWorld(Path(folder))
        world.put(*ROOMS)
        bounds = sorted({0, len(messages), *(one for one in cuts if one < len(messages))})
        for low, high in itertools.pairwise(bounds):
            parts = []
            for number, room in enumerate(ROOMS):
                of_it = [people.text(at, 1, body) for one, at, body in messages[low:high] if one == number]
                if of_it:
                    parts.append(people.part(room, of_it))
            world.append(people.batch(*parts))
        for number, member in ((0, 3), (1, 4), (2, 5)):
            found = world.messages(world.custody.ticket(("account", f"acct-{member:05d}")))
            assert found == [people.text(at, 1, body) for one, at, body in messages if one == number]
        world.close()


@given(
    st.lists(st.integers(min_value=1, max_value=5 * HOUR_MS), min_size=1, max_size=40),
    st.booleans(),
)
def test_a_cut_loses_nothing_and_no_segment_crosses_an_hour(times: list[int], serialised: bool) -> None:
    messages = [people.text(at, 1, str(number)) for number, at in enumerate(times)]
    part = people.part(ROOMS[0], messages)
    drafts = cut(people.batch(people.serialised(part) if serialised else part), 5 * HOUR_MS).drafts
    found = [message for draft in drafts for message in pb.MessageBlock.FromString(draft.block).messages]
    assert found == messages
    for draft in drafts:
        assert draft.sent_first // HOUR_MS == draft.sent_last // HOUR_MS
    assert sum(draft.messages for draft in drafts) == len(messages)
