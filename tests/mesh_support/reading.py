"""What a compromised redaction can get hold of: what the store serves it, and a stolen database."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from garim.api.custody.v1 import custody_pb2
from garim.api.messages.v1 import messages_pb2
from garim.api.warrants.v1 import warrants_pb2
from garim.kit.convert import envelope_from, envelope_to
from garim.sealing import hpke, released, roster
from garim.sealing.roster import RosterRecord
from garim.sealing.secret import Secret
from garim.sealing.segment import SegmentHeader
from garim.sealing.write_secret import SealedWriteSecret
from garim.statements import dsse
from mesh_support.live import LiveMesh

HEADER_BYTES = 154


@dataclass(slots=True)
class Loot:
    """Records, with or without a right to them.

    Attributes:
        secrets: Write secrets by id.
        rosters: Roster records by digest.
        segments: Encoded headers and ciphertexts.
    """

    secrets: dict[bytes, messages_pb2.WriteSecret] = field(default_factory=dict)
    rosters: dict[bytes, bytes] = field(default_factory=dict)
    segments: list[tuple[bytes, bytes]] = field(default_factory=list)

    def of_conversation(self, tag: bytes) -> Loot:
        """Return what belongs to one conversation."""
        kept = {
            digest: one
            for digest, one in self.rosters.items()
            if RosterRecord.decode(one).plain.conversation == tag
        }
        mine = [one for one in self.segments if SegmentHeader.decode(one[0]).conversation == tag]
        return Loot(self.secrets, kept, mine)

    def first(self) -> tuple[bytes, bytes]:
        """Return a roster record and the header of a segment under it."""
        header = self.segments[0][0]
        return self.rosters[SegmentHeader.decode(header).roster], header


def take_secret(served: messages_pb2.WriteSecret) -> bytes:
    """Return a write secret's id."""
    return SealedWriteSecret(served.record, served.signature, served.sealed).id


def served(mesh: LiveMesh, ticket: dsse.Envelope) -> Loot:
    """Read everything that a ticket matches, as redaction."""
    loot = Loot()
    store = mesh.stolen("service/redaction").messages
    for which in (messages_pb2.READ_PASS_ROSTERS, messages_pb2.READ_PASS_SEGMENTS):
        request = messages_pb2.ReadSegmentsRequest(ticket=envelope_to(ticket))
        setattr(request, "pass", which)
        for item in store.ReadSegments(request):
            kind = item.WhichOneof("item")
            if kind == "write_secret":
                loot.secrets[take_secret(item.write_secret)] = item.write_secret
            elif kind == "roster":
                loot.rosters[roster.digest(item.roster.record)] = item.roster.record
            elif kind == "segment":
                loot.segments.append((item.segment.header, item.segment.ciphertext))
    return loot


STORED_SEGMENTS = """
SELECT s.segment, b.secret, r.tag, r.digest, s.sent_first, s.sent_first + s.sent_span, b.received, s.messages,
       s.kind, substr(p.data, s.place + 1, s.size)
FROM segments s
JOIN batches b ON b.partition = s.partition AND b.number = s.batch
JOIN parts p ON p.partition = s.partition AND p.bucket = s.bucket AND p.batch = s.batch
JOIN rosters r ON r.partition = s.partition AND r.bucket = s.bucket AND r.number = s.roster
"""


def stored_header(row: tuple[Any, ...]) -> bytes:
    """Return a stored segment's header, of whose parts each stands where it is said once."""
    segment, secret, tag, digest, first, last, received, count, kind, *_ = row
    return SegmentHeader(segment, secret, tag, digest, first, last, received, received, count, kind).encode()


def stolen_store(mesh: LiveMesh) -> Loot:
    """Return everything in a stolen database of the store."""
    loot = Loot()
    for row in mesh.query("messages", "SELECT record, signature, sealed FROM write_secrets"):
        secret = messages_pb2.WriteSecret(record=row[0], signature=row[1], sealed=row[2])
        loot.secrets[take_secret(secret)] = secret
    for (record,) in mesh.query("messages", "SELECT record FROM rosters"):
        loot.rosters[roster.digest(record)] = record
    loot.segments = [(stored_header(row), row[-1]) for row in mesh.query("messages", STORED_SEGMENTS)]
    return loot


def read_ticket(mesh: LiveMesh, case: warrants_pb2.GetCaseResponse) -> dsse.Envelope:
    """Ask custody for a ticket to read, as redaction."""
    request = custody_pb2.SignScopeTicketRequest(
        document=case.document, purpose=custody_pb2.TICKET_PURPOSE_READ, grant=case.grant
    )
    return envelope_from(mesh.stolen("service/redaction").custody.SignScopeTicket(request).ticket)


def create_key(
    mesh: LiveMesh, case: warrants_pb2.GetCaseResponse, **other: object
) -> custody_pb2.CreateDossierKeyResponse:
    """Ask custody for a case's dossier key, as redaction, with parts of the request replaced."""
    parts: dict[str, object] = {
        "document": case.document,
        "grant": case.grant,
        "forecast": case.forecast,
        "decisions": case.decisions,
        **other,
    }
    request = custody_pb2.CreateDossierKeyRequest(**parts)  # type: ignore[arg-type] # parts of one message
    return mesh.stolen("service/redaction").custody.CreateDossierKey(request)


@dataclass(slots=True)
class Attempt:
    """An attempt of the thief's own.

    Attributes:
        mesh: Where.
        dossier: Which dossier it asks for.
    """

    mesh: LiveMesh
    dossier: bytes
    private: Secret = field(init=False)
    public: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.private, self.public = hpke.generate()

    def keys(self, loot: Loot, rosters: list[bytes], headers: list[bytes]) -> list[Secret]:
        """Ask custody for keys and open what it answers: those of rosters, then those of headers."""
        answer = self.mesh.stolen("service/redaction").custody.ReleaseSegmentKeys(
            custody_pb2.ReleaseSegmentKeysRequest(
                dossier_id=self.dossier,
                attempt_public_key=self.public,
                write_secrets=list(loot.secrets.values()),
                rosters=rosters,
                headers=headers,
            )
        )
        digest = released.request_digest(rosters, headers)
        count = len(rosters) + len(headers)
        return released.open_keys(
            answer.sealed_keys, self.private, self.mesh.file.mesh, self.dossier, digest, count
        )
