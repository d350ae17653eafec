"""Hand custody the records of a preservation order's scope, without ever getting a key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from garim.api.common.v1 import statement_pb2
from garim.api.custody.v1 import custody_pb2, custody_pb2_grpc
from garim.api.messages.v1 import messages_pb2
from garim.redaction.attempt.reading import BATCH, ScopeReader
from garim.sealing import roster as rosters
from garim.sealing import segment as segments


@dataclass(slots=True)
class PreservingReader:
    """Reads a scope and passes it on, still encrypted.

    Args:
        custody: Custody's stub.
        document: The order as received.
        grant: Its grant with its proof.
        reader: Streams the scope; none of it is opened.
    """

    custody: custody_pb2_grpc.CustodyServiceStub
    document: statement_pb2.Document
    grant: statement_pb2.LoggedStatement
    reader: ScopeReader

    def run(self, progress: Callable[[int], None]) -> int:
        """Pass everything on; returns how many segments custody keeps for the order."""
        records = {
            rosters.digest(item.roster.record): item.roster.record
            for item in self.reader.stream(messages_pb2.READ_PASS_ROSTERS)
            if item.WhichOneof("item") == "roster"
        }
        kept = done = 0
        batch: list[bytes] = []
        for item in self.reader.stream(messages_pb2.READ_PASS_SEGMENTS):
            if item.WhichOneof("item") != "segment":
                continue
            self.reader.account_for(item.segment, records)
            batch.append(item.segment.header)
            if len(batch) == BATCH:
                kept, batch, done = self._pass_on(batch, records), [], done + BATCH
                progress(done)
        if batch:
            kept = self._pass_on(batch, records)
        self.reader.accounts.finish()
        return kept

    def _pass_on(self, headers: list[bytes], records: dict[bytes, bytes]) -> int:
        named = [records[one] for one in {segments.SegmentHeader.decode(one).roster for one in headers}]
        response = self.custody.PreserveSegments(
            custody_pb2.PreserveSegmentsRequest(
                document=self.document,
                grant=self.grant,
                write_secrets=self.reader.named_by(named, headers),
                rosters=named,
                headers=headers,
            )
        )
        return int(response.segments)
