"""Proto to domain and back."""

from __future__ import annotations

from collections.abc import Iterator

import grpc

from garim.api.messages.v1 import messages_pb2 as pb
from garim.api.messages.v1 import messages_pb2_grpc
from garim.kit.convert import envelope_from, envelope_to, logged_to
from garim.kit.identity import peer_of
from garim.messages.reader import (
    ConversationItem,
    EpochItem,
    Item,
    Pass,
    RosterItem,
    SegmentItem,
)
from garim.messages.service import MessageStore
from garim.messages.writer import Before, Stored, Unknown
from garim.statements.refusal import RefusedError

_PASSES = {pb.READ_PASS_ROSTERS: Pass.ROSTERS, pb.READ_PASS_SEGMENTS: Pass.SEGMENTS}


class MessagesServicer(messages_pb2_grpc.MessageStoreServiceServicer):
    """The store's RPCs.

    Args:
        store: The use cases.
        mesh: Name of the mesh.
    """

    def __init__(self, store: MessageStore, mesh: str) -> None:
        self._store = store
        self._mesh = mesh

    def AppendMessages(  # noqa: N802 - the name of the RPC
        self, request: pb.AppendMessagesRequest, context: grpc.ServicerContext
    ) -> pb.AppendMessagesResponse:
        """Store a batch."""
        return append_response(self._store.append(peer_of(context, self._mesh).id, request))

    def PutRosters(  # noqa: N802 - the name of the RPC
        self, request: pb.PutRostersRequest, _context: grpc.ServicerContext
    ) -> pb.PutRostersResponse:
        """Keep rosters."""
        return pb.PutRostersResponse(digests=self._store.put_rosters(request.rosters))

    def ForecastScope(  # noqa: N802 - the name of the RPC
        self, request: pb.ForecastScopeRequest, _context: grpc.ServicerContext
    ) -> pb.ForecastScopeResponse:
        """Count a scope."""
        return pb.ForecastScopeResponse(
            forecast=envelope_to(self._store.forecast(envelope_from(request.ticket)))
        )

    def ReadSegments(  # noqa: N802 - the name of the RPC
        self, request: pb.ReadSegmentsRequest, _context: grpc.ServicerContext
    ) -> Iterator[pb.ReadSegmentsResponse]:
        """Stream a scope."""
        which = _PASSES.get(getattr(request, "pass"))
        if which is None:
            raise RefusedError("READ_PASS", "must say which pass it is", field="pass")
        for item, token in self._store.read(envelope_from(request.ticket), which, request.resume_token):
            yield _response(item, token)


def append_response(answer: Stored | Unknown | Before) -> pb.AppendMessagesResponse:
    """Return what became of a batch, as the back end is told."""
    if isinstance(answer, Unknown):
        return pb.AppendMessagesResponse(rosters_unknown=pb.RostersUnknown(positions=answer.positions))
    if isinstance(answer, Before):
        return pb.AppendMessagesResponse(stored_before=pb.StoredBefore(messages=answer.messages))
    accepted = pb.Accepted(epoch_id=answer.epoch, received_at_ms=answer.received_ms)
    return pb.AppendMessagesResponse(accepted=accepted)


def _response(item: Item, token: str) -> pb.ReadSegmentsResponse:
    if isinstance(item, SegmentItem):
        segment = pb.SegmentItem(header=item.header, ciphertext=item.ciphertext)
        return pb.ReadSegmentsResponse(segment=segment, resume_token=token)
    if isinstance(item, RosterItem):
        roster = pb.RosterItem(record=item.record, header=item.header)
        return pb.ReadSegmentsResponse(roster=roster, resume_token=token)
    if isinstance(item, EpochItem):
        account = pb.EpochAccount(closed=logged_to(item.statement, item.proof), records=item.records)
        return pb.ReadSegmentsResponse(epoch=account, resume_token=token)
    if isinstance(item, ConversationItem):
        conversation = pb.ConversationAccount(
            epoch_id=item.epoch,
            conversation_tag=item.tag,
            headers=item.headers,
            index=item.place,
            size=item.size,
            path=item.path,
        )
        return pb.ReadSegmentsResponse(conversation=conversation, resume_token=token)
    secret = pb.WriteSecret(record=item.record, signature=item.signature, sealed=item.sealed)
    return pb.ReadSegmentsResponse(write_secret=secret, resume_token=token)
