"""A preservation order's scope reaches custody whole, checked, and still encrypted."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import cast

import pytest

from garim.api.common.v1 import statement_pb2
from garim.api.custody.v1 import custody_pb2
from garim.api.messages.v1 import messages_pb2 as pb
from garim.redaction.attempt import preserving
from garim.redaction.attempt.job import Event, Progress
from garim.redaction.attempt.reading import RosterAppearedError
from garim.redaction.attempt.run import preserve
from garim.sealing import roster
from garim.sealing.segment import SegmentHeader
from garim.statements import dsse
from garim.statements.refusal import RefusedError
from redaction_support.scope import DAON, HANEUL, HOUR, MARU, MESH, NOW, Scope, text

T = NOW - HOUR + 1_000
ORDER = b"signed order"
GRANT = statement_pb2.LoggedStatement(statement=statement_pb2.Envelope(payload=b"grant"))


class PreservingScope(Scope):
    """A scope whose custody takes records in, and counts what it keeps as custody does."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[custody_pb2.PreserveSegmentsRequest] = []

    def PreserveSegments(  # noqa: N802 - the RPC's name
        self, request: custody_pb2.PreserveSegmentsRequest
    ) -> custody_pb2.PreserveSegmentsResponse:
        """Keep what is handed over."""
        self.asked.append(request)
        return custody_pb2.PreserveSegmentsResponse(segments=len(self.headers()))

    def headers(self) -> set[bytes]:
        """Return the headers that custody was given."""
        return {header for request in self.asked for header in request.headers}

    def run(self, folder: Path) -> tuple[int, list[Event]]:
        """Preserve the scope; returns how many segments are kept, and the progress."""
        events: list[Event] = []
        ticket = self.ticket(purpose="preserve", until=NOW + HOUR)
        job = self.job(
            folder,
            purpose="preserve",
            ticket=base64.b64encode(dsse.to_bytes(ticket)).decode(),
            document=base64.b64encode(ORDER).decode(),
            media_type="application/jose",
            logged_grant=base64.b64encode(GRANT.SerializeToString()).decode(),
        )
        return preserve(job, self.stubs(), events.append, MESH), events


@pytest.fixture
def scope() -> PreservingScope:
    """A closed epoch with two rooms of the subject's, and one of others'."""
    made = PreservingScope()
    epoch = made.epoch(T)
    for name in ("room-1", "room-2"):
        room = made.room(epoch, name, [DAON, HANEUL])
        for at in range(3):
            made.put(epoch, room, [text(T + at, DAON, f"TEST {name} {at}")])
    made.put(epoch, made.room(epoch, "room-3", [HANEUL, MARU]), [text(T, MARU, "남의 말")])
    epoch.closed = True
    return made


def test_the_whole_scope_reaches_custody_with_order_and_grant(scope: PreservingScope, tmp_path: Path) -> None:
    kept, _ = scope.run(tmp_path)
    (request,) = scope.asked
    (epoch,) = scope.epochs
    assert kept == 6
    assert (request.document.content, request.document.media_type) == (ORDER, "application/jose")
    assert request.grant == GRANT
    assert scope.headers() == {one.header for one in epoch.segments[:6]}
    named = {SegmentHeader.decode(one).roster for one in request.headers}
    assert {roster.digest(one) for one in request.rosters} == named
    assert list(request.write_secrets) == [epoch.write_secret()]


def test_no_key_is_asked_for_and_no_ciphertext_handed_over(scope: PreservingScope, tmp_path: Path) -> None:
    scope.run(tmp_path)
    assert scope.releases == []
    sent = b"".join(one.SerializeToString() for one in scope.asked)
    assert not [one for one in scope.epochs[0].segments if one.ciphertext in sent]


def test_a_large_scope_goes_over_in_batches_that_name_what_they_need(
    scope: PreservingScope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preserving, "BATCH", 2)
    kept, events = scope.run(tmp_path)
    assert [len(one.headers) for one in scope.asked] == [2, 2, 2]
    for request in scope.asked:
        named = {SegmentHeader.decode(one).roster for one in request.headers}
        assert {roster.digest(one) for one in request.rosters} == named
    assert kept == 6
    assert [cast("Progress", one).done for one in events if isinstance(one, Progress)] == [2, 4, 6]


def test_a_segment_that_the_store_logged_and_keeps_back_is_missed(
    scope: PreservingScope, tmp_path: Path
) -> None:
    def keep_back(which: int, items: list[pb.ReadSegmentsResponse]) -> list[pb.ReadSegmentsResponse]:
        return items[:-1] if which == pb.READ_PASS_SEGMENTS else items

    scope.tamper = keep_back
    with pytest.raises(RefusedError, match="STORE_INCONSISTENT"):
        scope.run(tmp_path)


def test_a_roster_that_is_new_in_the_second_pass_starts_the_attempt_again(
    scope: PreservingScope, tmp_path: Path
) -> None:
    def hide(which: int, items: list[pb.ReadSegmentsResponse]) -> list[pb.ReadSegmentsResponse]:
        return items[:-1] if which == pb.READ_PASS_ROSTERS else items

    scope.tamper = hide
    with pytest.raises(RosterAppearedError):
        scope.run(tmp_path)
    assert scope.asked == []
