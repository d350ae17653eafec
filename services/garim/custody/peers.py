"""Calls to other services: warrants alone (the log is the ledger's)."""

from __future__ import annotations

from garim.api.warrants.v1 import warrants_pb2
from garim.api.warrants.v1.warrants_pb2_grpc import WarrantsServiceStub
from garim.kit.channel import Peers
from garim.kit.convert import envelope_from
from garim.statements.dsse import Envelope

STATUS_TIMEOUT_S = 5.0


class WarrantsPeer:
    """Asks warrants.

    Args:
        peers: Custody's channels.
    """

    def __init__(self, peers: Peers) -> None:
        self._stub = peers.stub(WarrantsServiceStub, "warrants")

    def case_status(self, document: bytes, nonce: bytes) -> Envelope:
        """Return the status that warrants signs for a document (SHA-256 of its payload) and this nonce.

        Raises:
            RefusedError: Whatever kept warrants from answering.
        """
        request = warrants_pb2.GetCaseStatusRequest(document_digest=document, nonce=nonce)
        return envelope_from(self._stub.GetCaseStatus(request, timeout=STATUS_TIMEOUT_S).status)
