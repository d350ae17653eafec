"""Read what a ticket matches: first the rosters, then the segments, each checked, with keys, in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from garim.api.messages.v1 import messages_pb2, messages_pb2_grpc
from garim.kit.convert import envelope_from
from garim.redaction.attempt.accounts import EpochAccounts, inconsistent
from garim.redaction.attempt.batches import Batch, ReadSegment
from garim.redaction.attempt.custody_keys import KeyRequester
from garim.sealing import roster as rosters
from garim.sealing import segment as segments
from garim.sealing import write_secret as write_secrets
from garim.sealing.secret import Secret
from garim.statements import roster as canonical

BATCH = 256
"""Rosters a request."""
RELEASE_KEYS = 1_024
RELEASE_MESSAGES = 16_384
RELEASE_BYTES = 4 * 1024 * 1024
"""Keys are asked for when whichever of these is reached: it bounds what an attempt holds at a time."""
BATCH_MESSAGES = 2_048
"""So many messages a worker masks at a time, or one segment."""


class RosterAppearedError(Exception):
    """A roster was served that the first pass had not seen: the attempt starts again."""


@dataclass(frozen=True, slots=True)
class OpenedRoster:
    """A roster of the scope.

    Args:
        record: The whole record.
        conversation: Conversation id.
        members: All members.
    """

    record: bytes
    conversation: str
    members: tuple[canonical.RosterMember, ...]


@dataclass(slots=True)
class ScopeReader:
    """Reads one scope in two passes.

    Args:
        store: The message store's stub.
        ticket: Custody's scope ticket.
        requester: Releases keys.
        accounts: Checks closed epochs.
        on_account: Takes each closed epoch's statement and proof, to be checked against the service's pin.

    Attributes:
        rosters: Those of the first pass, by digest.
        opaque: How many messages of secret chats the second pass met.
    """

    store: messages_pb2_grpc.MessageStoreServiceStub
    ticket: messages_pb2.ReadSegmentsRequest
    requester: KeyRequester
    accounts: EpochAccounts
    on_account: Callable[[messages_pb2.EpochAccount], None]
    rosters: dict[bytes, OpenedRoster] = field(default_factory=dict)
    opaque: int = 0
    _secrets: dict[bytes, messages_pb2.WriteSecret] = field(default_factory=dict)
    _epochs: dict[bytes, bytes] = field(default_factory=dict)

    def read_rosters(self) -> Iterator[int]:
        """Run the first pass; yields how many rosters were opened so far."""
        batch: list[messages_pb2.RosterItem] = []
        for item in self.stream(messages_pb2.READ_PASS_ROSTERS):
            if item.WhichOneof("item") != "roster":
                continue
            batch.append(item.roster)
            if len(batch) == BATCH:
                self._open_rosters(batch)
                batch = []
                yield len(self.rosters)
        if batch:
            self._open_rosters(batch)
        yield len(self.rosters)

    def _open_rosters(self, batch: list[messages_pb2.RosterItem]) -> None:
        records = [one.record for one in batch]
        headers = [one.header for one in batch]
        sealed = self.requester.ask(self.named_by(records, headers), records, headers)
        roster_keys, segment_keys = self.requester.key.open(sealed)
        wipe(segment_keys)
        for encoded, key in zip(records, roster_keys, strict=True):
            with key:
                plain = rosters.open_roster(key, rosters.RosterRecord.decode(encoded))
            conversation, _, members = canonical.parse(plain)
            self.rosters[rosters.digest(encoded)] = OpenedRoster(encoded, conversation, members)

    def read_batches(self) -> Iterator[Batch]:
        """Run the second pass; yields batches of segments with their sealed keys.

        Raises:
            RosterAppearedError: A roster is new since the first pass.
            RefusedError: `STORE_INCONSISTENT`, custody's reasons.
        """
        records = {digest: one.record for digest, one in self.rosters.items()}
        batch: list[messages_pb2.SegmentItem] = []
        messages = size = 0
        for item in self.stream(messages_pb2.READ_PASS_SEGMENTS):
            if item.WhichOneof("item") != "segment":
                continue
            served = item.segment
            header = self.account_for(served, records)
            if header.kind != segments.KIND_MESSAGES:
                self.opaque += header.count
                continue
            batch.append(served)
            messages, size = messages + header.count, size + len(served.ciphertext)
            if len(batch) == RELEASE_KEYS or messages >= RELEASE_MESSAGES or size >= RELEASE_BYTES:
                yield from self._with_keys(batch)
                batch, messages, size = [], 0, 0
        if batch:
            yield from self._with_keys(batch)
        self.accounts.finish()

    def account_for(
        self, served: messages_pb2.SegmentItem, records: Mapping[bytes, bytes]
    ) -> segments.SegmentHeader:
        """Check a served segment against the first pass and its epoch's account; returns its header.

        Args:
            served: The segment.
            records: Roster records of the first pass, by digest.

        Raises:
            RosterAppearedError: Its roster is new since the first pass.
            RefusedError: `STORE_INCONSISTENT`.
        """
        header = segments.SegmentHeader.decode(served.header)
        record = records.get(header.roster)
        if record is None:
            raise RosterAppearedError
        epoch = self._epochs.get(header.roster)
        if epoch is None:
            epoch = self._epochs[header.roster] = rosters.RosterRecord.decode(record).plain.epoch
        self.accounts.segment(header, served.header, epoch)
        return header

    def _with_keys(self, served: list[messages_pb2.SegmentItem]) -> Iterator[Batch]:
        """Ask for the keys of all, and yield them in batches of a size that a worker masks at a time."""
        headers = [one.header for one in served]
        decoded = [segments.SegmentHeader.decode(one) for one in headers]
        records = [self.rosters[one].record for one in {header.roster for header in decoded}]
        keys = self.requester.ask(self.named_by(records, headers), records, headers)
        batch, messages = list[ReadSegment](), 0
        for position, (one, header) in enumerate(zip(served, decoded, strict=True), start=1):
            room = self.rosters[header.roster].conversation
            batch.append(ReadSegment(one.header, one.ciphertext, room))
            messages += header.count
            if messages >= BATCH_MESSAGES or position == len(served):
                yield Batch(batch, keys, position - len(batch))
                batch, messages = [], 0

    def stream(self, which: messages_pb2.ReadPass.ValueType) -> Iterator[messages_pb2.ReadSegmentsResponse]:
        """Yield what the store serves in one pass, after taking in its accounts and write secrets.

        Args:
            which: The pass.

        Raises:
            RefusedError: The store's reasons, and those of `EpochAccounts`.
        """
        request = messages_pb2.ReadSegmentsRequest()
        request.CopyFrom(self.ticket)
        setattr(request, "pass", which)
        for item in self.store.ReadSegments(request):
            kind = item.WhichOneof("item")
            if kind == "write_secret":
                self._take_write_secret(item.write_secret)
            elif kind == "epoch":
                self.accounts.epoch(item.epoch, envelope_from(item.epoch.closed.statement))
                self.on_account(item.epoch)
            elif kind == "roster" and which == messages_pb2.READ_PASS_ROSTERS:
                self.accounts.roster(item.roster.record)
            elif kind == "conversation":
                self.accounts.conversation(item.conversation)
            yield item

    def _take_write_secret(self, served: messages_pb2.WriteSecret) -> None:
        kept = write_secrets.SealedWriteSecret(served.record, served.signature, served.sealed)
        self.accounts.write_secret(write_secrets.WriteSecretRecord.decode(served.record), served.record)
        self._secrets[kept.id] = served

    def named_by(self, records: list[bytes], headers: list[bytes]) -> list[messages_pb2.WriteSecret]:
        """Return the write secrets that records and headers name.

        Raises:
            RefusedError: `STORE_INCONSISTENT`: one was not served.
        """
        wanted = {rosters.RosterRecord.decode(one).plain.write_secret for one in records}
        wanted |= {segments.SegmentHeader.decode(one).write_secret for one in headers}
        if not wanted <= self._secrets.keys():
            raise inconsistent("a record names a write secret that was not served")
        return [self._secrets[one] for one in sorted(wanted)]


def wipe(keys: list[Secret]) -> None:
    """Overwrite keys."""
    for key in keys:
        key.wipe()
