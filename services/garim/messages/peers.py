"""Calls to other services: custody's epochs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from garim.api.custody.v1 import custody_pb2
from garim.api.custody.v1.custody_pb2_grpc import CustodyServiceStub
from garim.kit.channel import Peers
from garim.messages.epochs import EpochOffer
from garim.sealing.secret import Secret

ASK_TIMEOUT_S = 5.0


def epochs_of_custody(peers: Peers) -> Callable[[], Sequence[EpochOffer]]:
    """Return a function that asks custody for the current and the next epoch.

    Args:
        peers: The store's channels.
    """
    custody = peers.stub(CustodyServiceStub, "custody")

    def ask() -> Sequence[EpochOffer]:
        answer = custody.GetEpoch(custody_pb2.GetEpochRequest(), timeout=ASK_TIMEOUT_S)
        return [
            EpochOffer(
                one.epoch_id,
                one.not_before_ms,
                one.not_after_ms,
                one.public_key,
                Secret(bytearray(one.index_key)),
            )
            for one in answer.epochs
        ]

    return ask
