"""Warrants' RPCs, called by a peer of the test's choice."""

from __future__ import annotations

from typing import Any

from garim.api.common.v1 import statement_pb2
from garim.api.warrants.v1 import warrants_pb2 as pb
from garim.documents.etsi.opening import read_exchange
from garim.documents.media_types import JWS_MEDIA_TYPE
from garim.kit.identity import Peer
from garim.testing.operator import MESH
from garim.warrants.hi1 import Correspondence
from garim.warrants.servicer import WarrantsServicer
from warrants_support.desk import CLERK, Desk


class Call:
    """A servicer that is called by a peer of the test's choice."""

    def __init__(self, desk: Desk) -> None:
        self.peer = CLERK
        self.servicer = WarrantsServicer(
            desk.warrants,
            Correspondence(desk.means, desk.warrants, read_exchange),
            MESH,
            lambda _context, _mesh: self.peer,
        )

    def by(self, peer: Peer, method: str, request: Any) -> Any:
        self.peer = peer
        return getattr(self.servicer, method)(request, None)

    def submit(self, content: bytes) -> pb.SubmitDocumentResponse:
        document = statement_pb2.Document(media_type=JWS_MEDIA_TYPE, content=content)
        answer = self.by(CLERK, "SubmitDocument", pb.SubmitDocumentRequest(document=document))
        assert isinstance(answer, pb.SubmitDocumentResponse)
        return answer
