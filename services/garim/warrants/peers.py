"""Calls to other services: custody and the message store (the log is the ledger's)."""

from __future__ import annotations

from garim.api.custody.v1 import custody_pb2
from garim.api.custody.v1.custody_pb2_grpc import CustodyServiceStub
from garim.api.messages.v1 import messages_pb2
from garim.api.messages.v1.messages_pb2_grpc import MessageStoreServiceStub
from garim.kit.channel import Peers
from garim.kit.convert import Logged, Received, document_to, envelope_from, envelope_to, logged_to
from garim.statements.dsse import Envelope
from garim.statements.refusal import Kind, RefusedError


class CustodyPeer:
    """The `ports.Custody` of a running service.

    Args:
        peers: The service's channels.
    """

    def __init__(self, peers: Peers) -> None:
        self._stub = peers.stub(CustodyServiceStub, "custody")

    def forecast_ticket(self, document: Received) -> Envelope:
        """Return custody's signed scope ticket for a forecast."""
        request = custody_pb2.SignScopeTicketRequest(
            document=document_to(document), purpose=custody_pb2.TICKET_PURPOSE_FORECAST
        )
        return envelope_from(self._stub.SignScopeTicket(request).ticket)

    def request_unmask(self, document: Received, grant: Logged) -> bytes:
        """Open an unmask request and return its id."""
        request = custody_pb2.RequestUnmaskRequest(
            document=document_to(document), grant=logged_to(grant.statement, grant.proof)
        )
        return self._stub.RequestUnmask(request).request_id

    def submit_revocation(self, document: Received) -> None:
        """Hand on a signed revocation."""
        self._stub.SubmitRevocation(custody_pb2.SubmitRevocationRequest(document=document_to(document)))


class MessagesPeer:
    """The `ports.Messages` of a running service.

    Args:
        peers: The service's channels.
    """

    def __init__(self, peers: Peers) -> None:
        self._stub = peers.stub(MessageStoreServiceStub, "messages")

    def forecast(self, ticket: Envelope) -> Envelope:
        """Return the store's signed forecast of what a ticket matches.

        Raises:
            RefusedError: `FORECAST_UNAVAILABLE`, whatever the store refused: its reasons may tell about
                stored data, and a clerk's answer goes to the applicant.
        """
        request = messages_pb2.ForecastScopeRequest(ticket=envelope_to(ticket))
        try:
            return envelope_from(self._stub.ForecastScope(request).forecast)
        except RefusedError as error:
            raise RefusedError(
                "FORECAST_UNAVAILABLE",
                "the forecast cannot be made now: submit the document again later",
                kind=Kind.UNAVAILABLE,
            ) from error
