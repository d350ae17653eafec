"""Calls to other services: custody's epochs, refused calls into the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from garim.api.custody.v1 import custody_pb2
from garim.api.custody.v1.custody_pb2_grpc import CustodyServiceStub
from garim.kit.channel import Peers
from garim.kit.clock import Clock
from garim.kit.ledger import Ledger
from garim.kit.refusals import Refusal, RefusalSink
from garim.messages.epochs import EpochOffer
from garim.sealing.secret import Secret
from garim.statements import strict_json

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


def refusals_into(ledger: Ledger, clock: Clock, random_bytes: Callable[[int], bytes]) -> RefusalSink:
    """Return what takes note of refused callers in the log.

    Args:
        ledger: The store's access to the log.
        clock: For the time of the note.
        random_bytes: Draws the notes' keys.
    """

    def note(refusal: Refusal) -> None:
        body = strict_json.dump(
            {
                "method": refusal.method,
                "caller": refusal.caller,
                "reason": refusal.reason,
                "count": refusal.count,
                "time": clock.now_ms(),
            }
        )
        ledger.later("access-refused", body, key=random_bytes(16).hex())

    return note
