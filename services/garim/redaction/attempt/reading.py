"""Read what a ticket matches: first the rosters, then the segments, each checked and decrypted in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import zstandard

from garim.api.messages.v1 import messages_pb2, messages_pb2_grpc
from garim.kit.convert import envelope_from
from garim.redaction.attempt.accounts import EpochAccounts, inconsistent
from garim.redaction.attempt.custody_keys import KeyRequester
from garim.sealing import roster as rosters
from garim.sealing import segment as segments
from garim.sealing import write_secret as write_secrets
from garim.sealing.secret import Secret
from garim.statements import roster as canonical

BATCH = 256
MAX_BLOCK = 64 * 1024 * 1024


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


@dataclass(frozen=True, slots=True)
class OpenedSegment:
    """A decrypted segment.

    Args:
        header: Its header.
        roster: Its roster.
        messages: Its messages; empty for the opaque blocks of a secret chat.
    """

    header: segments.SegmentHeader
    roster: OpenedRoster
    messages: list[messages_pb2.ChatMessage]


@dataclass(slots=True)
class ScopeReader:
    """Reads one scope in two passes.

    Args:
        store: The message store's stub.
        ticket: Custody's scope ticket.
        requester: Releases keys.
        accounts: Checks closed epochs.
        on_account: Takes each closed epoch's statement and proof, to be checked against the service's pin.
    """

    store: messages_pb2_grpc.MessageStoreServiceStub
    ticket: messages_pb2.ReadSegmentsRequest
    requester: KeyRequester
    accounts: EpochAccounts
    on_account: Callable[[messages_pb2.EpochAccount], None]
    rosters: dict[bytes, OpenedRoster] = field(default_factory=dict)
    _secrets: dict[bytes, messages_pb2.WriteSecret] = field(default_factory=dict)

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
        roster_keys, segment_keys = self.requester.keys(self.named_by(records, headers), records, headers)
        _wipe(segment_keys)
        for encoded, key in zip(records, roster_keys, strict=True):
            with key:
                plain = rosters.open_roster(key, rosters.RosterRecord.decode(encoded))
            conversation, _, members = canonical.parse(plain)
            self.rosters[rosters.digest(encoded)] = OpenedRoster(encoded, conversation, members)

    def read_segments(self) -> Iterator[list[OpenedSegment]]:
        """Run the second pass; yields batches of decrypted segments.

        Raises:
            RosterAppearedError: A roster is new since the first pass.
            RefusedError: `STORE_INCONSISTENT`, custody's reasons, `SEALING_OPEN`.
        """
        records = {digest: one.record for digest, one in self.rosters.items()}
        batch: list[messages_pb2.SegmentItem] = []
        for item in self.stream(messages_pb2.READ_PASS_SEGMENTS):
            if item.WhichOneof("item") != "segment":
                continue
            self.account_for(item.segment, records)
            batch.append(item.segment)
            if len(batch) == BATCH:
                yield self._open_segments(batch)
                batch = []
        if batch:
            yield self._open_segments(batch)
        self.accounts.finish()

    def account_for(self, served: messages_pb2.SegmentItem, records: Mapping[bytes, bytes]) -> None:
        """Check a served segment against the first pass and its epoch's account.

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
        self.accounts.segment(header, served.header, rosters.RosterRecord.decode(record).plain.epoch)

    def _open_segments(self, batch: list[messages_pb2.SegmentItem]) -> list[OpenedSegment]:
        decoded = [segments.SegmentHeader.decode(one.header) for one in batch]
        readable = [
            (one, header)
            for one, header in zip(batch, decoded, strict=True)
            if header.kind == segments.KIND_MESSAGES
        ]
        named = list({header.roster: self.rosters[header.roster].record for _, header in readable}.values())
        headers = [one.header for one, _ in readable]
        opened: dict[bytes, list[messages_pb2.ChatMessage]] = {}
        if readable:
            roster_keys, segment_keys = self.requester.keys(self.named_by(named, headers), named, headers)
            _wipe(roster_keys)
            for (one, header), key in zip(readable, segment_keys, strict=True):
                with key:
                    opened[header.segment] = _messages(key, one, header)
        return [
            OpenedSegment(header, self.rosters[header.roster], opened.get(header.segment, []))
            for header in decoded
        ]

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


def _messages(
    key: Secret, item: messages_pb2.SegmentItem, header: segments.SegmentHeader
) -> list[messages_pb2.ChatMessage]:
    compressed = segments.open_block(key, item.header, item.ciphertext)
    try:
        # A frame that states its size is not bounded by max_output_size.
        if zstandard.frame_content_size(compressed) > MAX_BLOCK:
            raise inconsistent("a segment's block is larger than any block")
        block = zstandard.ZstdDecompressor().decompress(compressed, max_output_size=MAX_BLOCK)
    except zstandard.ZstdError:
        raise inconsistent("a segment's block does not decompress") from None
    messages = list(messages_pb2.MessageBlock.FromString(block).messages)
    times = [one.sent_at_ms for one in messages]
    if len(messages) != header.count or (min(times), max(times)) != (header.sent_first, header.sent_last):
        raise inconsistent("a segment's block is not what its header says")
    return messages


def _wipe(keys: list[Secret]) -> None:
    for key in keys:
        key.wipe()
