"""Check what the store serves against what it logged when each epoch closed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from garim.api.messages.v1 import messages_pb2
from garim.sealing.roster import digest as roster_digest
from garim.sealing.segment import SegmentHeader
from garim.sealing.write_secret import FIRST_PREVIOUS, WriteSecretRecord, head_of
from garim.statements import dsse
from garim.statements.governance import Governance
from garim.statements.labels import lp
from garim.statements.receipts import EpochClosed
from garim.statements.refusal import Kind, RefusedError
from garim.translog.proofs import verify_inclusion
from garim.translog.tree import hash_leaf

CLOSING_MS = 6 * 3_600_000
"""How long after its end an epoch may stay without an account, as while the log does not answer."""


def inconsistent(why: str) -> RefusedError:
    """Return the refusal of a store that serves other than it logged."""
    return RefusedError("STORE_INCONSISTENT", why, kind=Kind.DATA_LOSS)


def conversation_leaf(tag: bytes, headers: list[bytes]) -> bytes:
    """Return a conversation's leaf in the tree of a closed epoch.

    Layout: lp(tag), number of segments (8), SHA-256 of the concatenated SHA-256 of its headers, in order.
    """
    digests = b"".join(hashlib.sha256(header).digest() for header in headers)
    return lp(tag) + len(headers).to_bytes(8, "big") + hashlib.sha256(digests).digest()


@dataclass(slots=True)
class _Conversation:
    """What is still to be served of a conversation, the next at the end."""

    expected: list[bytes]


@dataclass(slots=True)
class EpochAccounts:
    """Closed epochs' accounts, as far as a stream has told them.

    Args:
        governance: Names the stores' keys.
        period_start: First millisecond of the scope, by sent-at.
        period_end: First millisecond behind it.
        received_until: Nothing received later is in scope.
        asked: When custody signed the ticket, in milliseconds since the Unix epoch.
    """

    governance: Governance
    period_start: int
    period_end: int
    received_until: int
    asked: int
    _rosters: set[bytes] = field(default_factory=set)
    _accounted: set[bytes] = field(default_factory=set)
    _closed: dict[bytes, EpochClosed] = field(default_factory=dict)
    _records: dict[bytes, frozenset[bytes]] = field(default_factory=dict)
    _conversations: dict[bytes, _Conversation] = field(default_factory=dict)

    def epoch(self, account: messages_pb2.EpochAccount, envelope: dsse.Envelope) -> None:
        """Take in a closed epoch: its statement and its write-secret records, whole, chain by chain.

        Raises:
            RefusedError: `STORE_INCONSISTENT`, and those of the statement's verification.
        """
        closed = EpochClosed.verify(
            envelope, self.governance.keys_of("messages"), mesh=self.governance.mesh, now=None
        )
        heads: list[bytes] = []
        for encoded in account.records:
            record = WriteSecretRecord.decode(encoded)
            if record.previous == FIRST_PREVIOUS:
                heads.append(FIRST_PREVIOUS)
            if (
                record.previous != (heads[-1] if heads else FIRST_PREVIOUS)
                or record.epoch.hex() != closed.epoch
                or record.store != closed.store
            ):
                raise inconsistent("the chain of write secrets is broken")
            heads[-1] = hashlib.sha256(encoded).digest()
        head = head_of(heads)
        named = None if head is None else head.hex()
        if named != closed.head or len(account.records) != closed.write_secrets:
            raise inconsistent("the chain of write secrets does not end at the logged head")
        epoch = bytes.fromhex(closed.epoch)
        self._closed[epoch] = closed
        self._records[epoch] = frozenset(account.records)

    def roster(self, record: bytes) -> None:
        """Note that a roster was served: segments under other rosters are not in scope."""
        self._rosters.add(roster_digest(record))

    def write_secret(self, record: WriteSecretRecord, encoded: bytes) -> None:
        """Demand that a served write secret stands in its closed epoch's chain.

        Raises:
            RefusedError: `STORE_INCONSISTENT`.
        """
        records = self._records.get(record.epoch)
        if records is not None and encoded not in records:
            raise inconsistent("a write secret stands in no logged chain")

    def conversation(self, account: messages_pb2.ConversationAccount) -> None:
        """Take in all headers of one conversation of a closed epoch.

        Raises:
            RefusedError: `STORE_INCONSISTENT` or `LOG_INCLUSION`.
        """
        self._finish(account.conversation_tag)
        if account.conversation_tag in self._accounted:
            raise inconsistent("a conversation is accounted for twice")
        self._accounted.add(account.conversation_tag)
        closed = self._closed.get(account.epoch_id)
        if closed is None or account.size != closed.conversations:
            raise inconsistent("a conversation is accounted for in no logged epoch")
        headers = list(account.headers)
        verify_inclusion(
            hash_leaf(conversation_leaf(account.conversation_tag, headers)),
            account.index,
            account.size,
            list(account.path),
            bytes.fromhex(closed.conversations_root),
        )
        expected = [one for one in headers if self._in_scope(SegmentHeader.decode(one))]
        self._conversations[account.conversation_tag] = _Conversation(expected[::-1])

    def segment(self, header: SegmentHeader, encoded: bytes, epoch: bytes) -> None:
        """Demand that a served segment is the next one that the account of its conversation names.

        Only an epoch that may still be open needs no account, so that a store cannot keep one back.

        Raises:
            RefusedError: `STORE_INCONSISTENT`: a segment is planted, missing or out of order, or its epoch is
                over and not accounted for.
        """
        if epoch not in self._closed:
            over = header.received_last + self.governance.terms.epoch + CLOSING_MS
            if over < self.asked:
                raise inconsistent("an epoch that is over was not accounted for: ask again when it is closed")
            return
        known = self._conversations.get(header.conversation)
        if known is None or not known.expected or known.expected.pop() != encoded:
            raise inconsistent("a segment is planted, missing or out of order")

    def finish(self) -> None:
        """Demand that no accounted segment of the scope is missing.

        Raises:
            RefusedError: `STORE_INCONSISTENT`.
        """
        for tag in list(self._conversations):
            self._finish(tag)

    def _finish(self, tag: bytes) -> None:
        known = self._conversations.pop(tag, None)
        if known is not None and known.expected:
            raise inconsistent("a segment that the store logged is missing")

    def _in_scope(self, header: SegmentHeader) -> bool:
        return (
            header.roster in self._rosters
            and header.sent_first < self.period_end
            and header.sent_last >= self.period_start
            and header.received_last <= self.received_until
        )
