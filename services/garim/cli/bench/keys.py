"""Key release: batches of segment keys out of custody, each checked, logged and sealed to an attempt."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from garim.api.custody.v1 import custody_pb2
from garim.api.custody.v1.custody_pb2_grpc import CustodyServiceStub
from garim.api.messages.v1 import messages_pb2 as pb
from garim.api.messages.v1.messages_pb2_grpc import MessageStoreServiceStub
from garim.api.warrants.v1 import warrants_pb2
from garim.api.warrants.v1.warrants_pb2_grpc import WarrantsServiceStub
from garim.cli.bench.plan import timed
from garim.kit.channel import Peers
from garim.sealing import hpke
from garim.sealing import roster as rosters
from garim.sealing.segment import SegmentHeader
from garim.sealing.write_secret import SealedWriteSecret

BATCH = 256


@dataclass(frozen=True, slots=True)
class Scope:
    """What redaction knows of a granted case before it asks for keys.

    Attributes:
        dossier: Id of the dossier.
        secrets: Served write secrets by id.
        rosters: Roster records by digest.
        headers: Encoded segment headers.
    """

    dossier: bytes
    secrets: dict[bytes, pb.WriteSecret]
    rosters: dict[bytes, bytes]
    headers: list[bytes]


def read_scope(peers: Peers, case_id: bytes) -> Scope:
    """Prepare a case's dossier and read its scope, as redaction does.

    Args:
        peers: Channels under redaction's identity.
        case_id: A granted case.
    """
    custody = peers.stub(CustodyServiceStub, "custody")
    case = peers.stub(WarrantsServiceStub, "warrants").GetCase(warrants_pb2.GetCaseRequest(case_id=case_id))
    made = custody.CreateDossierKey(
        custody_pb2.CreateDossierKeyRequest(
            document=case.document, grant=case.grant, forecast=case.forecast, decisions=case.decisions
        )
    )
    signed = custody.SignScopeTicket(
        custody_pb2.SignScopeTicketRequest(
            document=case.document, purpose=custody_pb2.TICKET_PURPOSE_READ, grant=case.grant
        )
    )
    scope = Scope(made.dossier_id, {}, {}, [])
    stub = peers.stub(MessageStoreServiceStub, "messages")
    for which in (pb.READ_PASS_ROSTERS, pb.READ_PASS_SEGMENTS):
        request = pb.ReadSegmentsRequest(ticket=signed.ticket)
        setattr(request, "pass", which)
        for item in stub.ReadSegments(request):
            _take(scope, item)
    return scope


def _take(scope: Scope, item: pb.ReadSegmentsResponse) -> None:
    kind = item.WhichOneof("item")
    if kind == "write_secret":
        one = item.write_secret
        scope.secrets[SealedWriteSecret(one.record, one.signature, one.sealed).id] = one
    elif kind == "roster":
        scope.rosters[rosters.digest(item.roster.record)] = item.roster.record
    elif kind == "segment":
        scope.headers.append(item.segment.header)


def requests(scope: Scope, batches: int) -> Iterator[custody_pb2.ReleaseSegmentKeysRequest]:
    """Yield so many requests for `BATCH` keys, each to an attempt of its own, so that each is logged.

    Args:
        scope: From `read_scope`; its headers are asked for over and over.
        batches: How many.
    """
    for number in range(batches):
        first = number * BATCH % max(1, len(scope.headers) - BATCH)
        headers = scope.headers[first : first + BATCH]
        decoded = [SegmentHeader.decode(one) for one in headers]
        records = [scope.rosters[one] for one in {header.roster for header in decoded}]
        wanted = {header.write_secret for header in decoded}
        wanted |= {rosters.RosterRecord.decode(one).plain.write_secret for one in records}
        private, public = hpke.generate()
        private.wipe()
        yield custody_pb2.ReleaseSegmentKeysRequest(
            dossier_id=scope.dossier,
            attempt_public_key=public,
            write_secrets=[scope.secrets[one] for one in sorted(wanted)],
            rosters=records,
            headers=headers,
        )


def released_per_second(
    peers: Peers, asked: list[custody_pb2.ReleaseSegmentKeysRequest], callers: int
) -> float:
    """Return keys a second.

    Args:
        peers: Channels under redaction's identity.
        asked: From `requests`.
        callers: How many ask at a time.
    """
    stub = peers.stub(CustodyServiceStub, "custody")
    with ThreadPoolExecutor(callers) as pool:
        seconds = timed(lambda: list(pool.map(stub.ReleaseSegmentKeys, asked)))
    return sum(len(one.headers) for one in asked) / seconds
