"""RPCs by which a leaving custodian's shares go to a successor: look, offer, look, accept."""

# ruff: noqa: N802 - names are the generated base class's

from __future__ import annotations

import re

import grpc

from garim.api.custody.v1 import custody_pb2 as pb
from garim.api.custody.v1 import custody_pb2_grpc
from garim.custody.core import Core
from garim.custody.tables import dossiers, transfers
from garim.custody.tables.dossiers import KeptShare
from garim.custody.transferring import ShareTransfers
from garim.kit.convert import envelope_from, envelope_to
from garim.kit.identity import peer_of
from garim.statements import dsse
from garim.statements.refusal import RefusedError

DEFAULT_PAGE = 50
MAX_PAGE = 100
"""A dossier's shares take up to 25 kB."""

_ID = re.compile(r"(?:[0-9a-f]{32}|[0-9a-f]{64})?")


class ShareRpcs(custody_pb2_grpc.CustodyServiceServicer):
    """Proto to domain and back, one method an RPC.

    Args:
        core: Custody's means.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._transfers = ShareTransfers(core)

    def ListShares(
        self, request: pb.ListSharesRequest, context: grpc.ServicerContext
    ) -> pb.ListSharesResponse:
        """List what the caller holds."""
        caller = peer_of(context, self._core.mesh).name
        size, after = _page(request.page_size, request.page_token)
        now_ms = self._core.clock.now_ms()
        answer = pb.ListSharesResponse()
        with self._core.database.reading() as connection:
            found = dossiers.held_by(connection, caller, after, size + 1)
            for dossier in found[:size]:
                own = dossiers.shares(connection, dossier.id, caller)
                offered = transfers.pending_of(connection, dossier.id, caller)
                is_open = offered is not None and offered.expires_ms > now_ms
                answer.dossiers.add(
                    dossier_id=bytes.fromhex(dossier.id),
                    custodian=own[0].custodian,
                    needed=dossier.quorum,
                    unmask_until_ms=dossier.unmask_until_ms,
                    holders=sorted(dossiers.holders(connection, dossier.id).values()),
                    shares=[share_to(one) for one in own],
                    successor=offered.successor if offered and is_open else "",
                    transfer_expires_at_ms=offered.expires_ms if offered and is_open else 0,
                )
        answer.next_page_token = found[size - 1].id if len(found) > size else ""
        return answer

    def TransferShares(
        self, request: pb.TransferSharesRequest, context: grpc.ServicerContext
    ) -> pb.TransferSharesResponse:
        """Take an offer."""
        sealed = {tuple(one.subset): one.sealed for one in request.shares}
        if len(sealed) != len(request.shares):
            raise RefusedError("SHARES_INCOMPLETE", "a subset is named twice", field="shares")
        digest = self._transfers.offer(
            request.dossier_id.hex(),
            request.successor,
            envelope_from(request.decision),
            sealed,
            peer_of(context, self._core.mesh).name,
        )
        return pb.TransferSharesResponse(transfer=bytes.fromhex(digest))

    def ListShareTransfers(
        self, request: pb.ListShareTransfersRequest, context: grpc.ServicerContext
    ) -> pb.ListShareTransfersResponse:
        """List what is offered to the caller."""
        caller = peer_of(context, self._core.mesh).name
        size, after = _page(request.page_size, request.page_token)
        now_ms = self._core.clock.now_ms()
        answer = pb.ListShareTransfersResponse()
        with self._core.database.reading() as connection:
            found = transfers.pending_for(connection, caller, after, size + 1)
            for one in found[:size]:
                dossier = dossiers.find(connection, one.dossier_id)
                if dossier is None or one.expires_ms <= now_ms:
                    continue
                sealed = transfers.shares(connection, one.digest)
                kept = dossiers.shares(connection, one.dossier_id, one.leaving)
                answer.transfers.add(
                    dossier_id=bytes.fromhex(one.dossier_id),
                    custodian=one.custodian,
                    leaving=one.leaving,
                    decision=envelope_to(dsse.from_bytes(one.envelope)),
                    shares=[
                        pb.SealedShare(
                            subset=share.subset,
                            sealed=sealed[share.subset],
                            digest=share.digest,
                            custodian=share.custodian,
                        )
                        for share in kept
                    ],
                    unmask_until_ms=dossier.unmask_until_ms,
                    expires_at_ms=one.expires_ms,
                )
        answer.next_page_token = found[size - 1].digest if len(found) > size else ""
        return answer

    def AcceptShares(
        self, request: pb.AcceptSharesRequest, context: grpc.ServicerContext
    ) -> pb.AcceptSharesResponse:
        """Take an acceptance."""
        caller = peer_of(context, self._core.mesh).name
        self._transfers.accept(request.transfer.hex(), envelope_from(request.decision), caller)
        return pb.AcceptSharesResponse()


def share_to(share: KeptShare) -> pb.SealedShare:
    """Return the message that carries a share."""
    return pb.SealedShare(
        subset=share.subset, sealed=share.sealed, digest=share.digest, custodian=share.custodian
    )


def _page(size: int, token: str) -> tuple[int, str]:
    if not _ID.fullmatch(token):
        raise RefusedError("PAGE_TOKEN", "the page token is not one of an earlier answer", field="page_token")
    return min(size or DEFAULT_PAGE, MAX_PAGE), token
