"""`garim bench read`: a scope's segments streamed out of the store, beside a SELECT of plaintext rows."""

from __future__ import annotations

from garim.api.custody.v1 import custody_pb2
from garim.api.custody.v1.custody_pb2_grpc import CustodyServiceStub
from garim.api.messages.v1 import messages_pb2 as pb
from garim.api.messages.v1.messages_pb2_grpc import MessageStoreServiceStub
from garim.api.warrants.v1 import warrants_pb2
from garim.api.warrants.v1.warrants_pb2_grpc import WarrantsServiceStub
from garim.cli.bench import plain
from garim.cli.bench.figures import Figure, compared
from garim.cli.bench.ingest import append_all
from garim.cli.bench.load import SUBJECT, make_load
from garim.cli.bench.plan import Plan, timed
from garim.cli.bench.texts import texts
from garim.kit.channel import Peers
from garim.kit.clock import SystemClock
from garim.sealing.segment import SegmentHeader
from garim.statements.refusal import Kind, RefusedError

_POSTGRESQL = "SELECT of plaintext rows, room by room, psycopg"
_SQLITE = "SELECT of plaintext rows, room by room, SQLite"


def measure(plan: Plan) -> list[Figure]:
    """Measure reading; see `Plan`."""
    now_ms = SystemClock().now_ms()
    load = make_load(plan.messages, plan.conversations, plan.members, texts(plan.texts), now_ms)
    server, path = plan.databases.create("plain"), plan.folder / "plain.sqlite"
    rooms = [one.conversation for one in load.rosters]
    rows = load.rows()
    plain.copy(server, rows)
    plain.executemany(path, rows)
    streams: list[float] = []
    selects: dict[str, list[float]] = {_POSTGRESQL: [], _SQLITE: []}
    with plan.mesh() as mesh:
        with mesh.store() as store:
            store.put_rosters(load.rosters)
            append_all(store, load.requests())
        case = mesh.granted([("account", SUBJECT)], load.period)
        with mesh.peers_of("redaction") as peers:
            for run in range(plan.runs):
                plan.say(f"read, run {run + 1} of {plan.runs}")
                streams.append(plan.messages / _read(peers, case, plan.messages))
                selects[_POSTGRESQL].append(plan.messages / plain.select_postgres(server, rooms, load.period))
                selects[_SQLITE].append(plan.messages / plain.select_sqlite(path, rooms, load.period))
    conditions = (
        f"{plan.databases.kind}; {plan.messages:,} messages in {plan.conversations:,} conversations of"
        f" {plan.members}; mutual TLS, encrypted segments as they are stored"
    )
    return [
        compared("read, pass over segments", "messages/s", streams, name, values, conditions=conditions)
        for name, values in selects.items()
    ]


def _read(peers: Peers, case_id: bytes, expected: int) -> float:
    """Return the seconds of one stream over a granted case's scope, read as redaction reads it."""
    custody = peers.stub(CustodyServiceStub, "custody")
    case = peers.stub(WarrantsServiceStub, "warrants").GetCase(warrants_pb2.GetCaseRequest(case_id=case_id))
    custody.CreateDossierKey(
        custody_pb2.CreateDossierKeyRequest(
            document=case.document, grant=case.grant, forecast=case.forecast, decisions=case.decisions
        )
    )
    signed = custody.SignScopeTicket(
        custody_pb2.SignScopeTicketRequest(
            document=case.document, purpose=custody_pb2.TICKET_PURPOSE_READ, grant=case.grant
        )
    )
    request = pb.ReadSegmentsRequest(ticket=signed.ticket)
    setattr(request, "pass", pb.READ_PASS_SEGMENTS)
    stub = peers.stub(MessageStoreServiceStub, "messages")
    headers: list[bytes] = []

    def work() -> None:
        headers.extend(item.segment.header for item in stub.ReadSegments(request) if item.segment.header)

    seconds = timed(work)
    if sum(SegmentHeader.decode(header).count for header in headers) != expected:
        raise RefusedError("BENCH_FAILED", "the stream held another number of messages", kind=Kind.DATA_LOSS)
    return seconds
