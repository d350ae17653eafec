"""RPCs of storage and of the first request: epochs, tickets, dossier keys, releases, closing."""

# ruff: noqa: N802, ARG002 - names and arguments are the generated base class's

from __future__ import annotations

import grpc

from garim.api.custody.v1 import custody_pb2 as pb
from garim.api.custody.v1 import custody_pb2_grpc
from garim.custody.epochs import Epochs


class DossierRpcs(custody_pb2_grpc.CustodyServiceServicer):
    """Proto to domain and back, one method an RPC.

    Args:
        epochs: Makes and hands out epochs.
    """

    def __init__(self, epochs: Epochs) -> None:
        self._epochs = epochs

    def GetEpoch(self, request: pb.GetEpochRequest, context: grpc.ServicerContext) -> pb.GetEpochResponse:
        """Return the current and the next epoch."""
        answer = pb.GetEpochResponse()
        for epoch in self._epochs.current_and_next():
            with self._epochs.open_index(epoch) as index:
                answer.epochs.add(
                    epoch_id=bytes.fromhex(epoch.id),
                    not_before_ms=epoch.not_before_ms,
                    not_after_ms=epoch.not_after_ms,
                    public_key=epoch.public_key,
                    index_key=bytes(index.buffer),
                )
        return answer
