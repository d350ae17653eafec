"""What a message store keeps, made small: write secrets, rosters, segments, true ones and bent ones."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable, Sequence

from garim.sealing import roster as roster_format
from garim.sealing import segment as segment_format
from garim.sealing import tags, write_secret
from garim.sealing.roster import MemberTag, RosterPlain, RosterRecord
from garim.sealing.secret import Secret
from garim.sealing.segment import KIND_MESSAGES, SegmentHeader
from garim.sealing.write_secret import FIRST_PREVIOUS, SealedWriteSecret, WriteSecretRecord

LIFE_MS = 60_000


@dataclasses.dataclass(frozen=True)
class StoredEpoch:
    """What custody tells a store of an epoch.

    Attributes:
        id: 16 bytes.
        public: HPKE public key.
        index: Index key K.
    """

    id: bytes
    public: bytes
    index: bytes

    def tag(self, mesh: str, kind: str, value: str) -> bytes:
        """Return the blinded tag of an identifier."""
        return tags.tag(Secret(bytearray(self.index)), mesh, kind, value)


@dataclasses.dataclass(frozen=True)
class Written:
    """A write secret in the clear, and as it is kept.

    Attributes:
        secret: W.
        kept: Its sealed record.
        record: What the record says.
    """

    secret: Secret
    kept: SealedWriteSecret
    record: WriteSecretRecord


@dataclasses.dataclass(frozen=True)
class Stored:
    """One stored segment with all that its release needs.

    Attributes:
        write_secret: As it is kept.
        roster: The whole roster record.
        header: The encoded header.
        ciphertext: The encrypted block.
        block: What was encrypted.
    """

    write_secret: SealedWriteSecret
    roster: bytes
    header: bytes
    ciphertext: bytes
    block: bytes


@dataclasses.dataclass(frozen=True)
class SampleStore:
    """A message store's writing hand.

    Args:
        mesh: Name of the mesh.
        name: Name of the store.
        sign: Signs with the store's key.

    Attributes:
        conversations: Blinded tags of all conversations so far, by which an honest forecast is made.
    """

    mesh: str
    name: str
    sign: Callable[[bytes], bytes]
    conversations: set[str] = dataclasses.field(default_factory=set)

    def write_secret(self, epoch: StoredEpoch, not_before_ms: int, **changes: object) -> Written:
        """Make a write secret.

        Args:
            epoch: Its epoch.
            not_before_ms: Its first millisecond.
            changes: Members of the record that differ.
        """
        record = WriteSecretRecord(
            self.mesh, self.name, epoch.id, not_before_ms, not_before_ms + LIFE_MS, FIRST_PREVIOUS
        )
        record = dataclasses.replace(record, **changes)  # type: ignore[arg-type] # members by name
        secret, kept = write_secret.make(record, epoch.public, self.sign)
        return Written(secret, kept, record)

    def roster(
        self,
        epoch: StoredEpoch,
        written: Written,
        members: Sequence[str],
        *,
        conversation: str = "room-1",
        plain: dict[str, object] | None = None,
    ) -> RosterRecord:
        """Make a roster record.

        Args:
            epoch: Whose index key blinds.
            written: The write secret it is sealed under.
            members: Account ids, or `kind:value`.
            conversation: Conversation id.
            plain: Members of the plain part that differ.
        """
        named = [one.split(":", 1) if ":" in one else ["account", one] for one in members]
        blinded = [MemberTag(epoch.tag(self.mesh, kind, value), kind) for kind, value in named]
        part = RosterPlain(
            written.kept.id,
            secrets.token_bytes(16),
            epoch.id,
            epoch.tag(self.mesh, "conversation", conversation),
            tuple(sorted(blinded, key=lambda one: one.tag)),
        )
        part = dataclasses.replace(part, **(plain or {}))  # type: ignore[arg-type] # members by name
        self.conversations.add(part.conversation.hex())
        with roster_format.roster_root(written.secret, self.mesh) as root:
            return roster_format.seal_roster(root, self.mesh, part, b"members of " + conversation.encode())

    def segment(
        self,
        written: Written,
        roster: RosterRecord,
        sent_ms: int,
        *,
        received_ms: int | None = None,
        block: bytes = b"TEST block",
        header: dict[str, object] | None = None,
    ) -> Stored:
        """Make a segment.

        Args:
            written: The write secret it is sealed under.
            roster: Its roster.
            sent_ms: When its only message was sent.
            received_ms: When it was received; just after the write secret began, if None.
            block: What is encrypted.
            header: Members of the header that differ.
        """
        received = written.record.not_before + 1_000 if received_ms is None else received_ms
        head = SegmentHeader(
            segment=secrets.token_bytes(16),
            write_secret=written.kept.id,
            conversation=roster.plain.conversation,
            roster=roster_format.digest(roster.encode()),
            sent_first=sent_ms,
            sent_last=sent_ms,
            received_first=received,
            received_last=received,
            count=1,
            kind=KIND_MESSAGES,
        )
        encoded = dataclasses.replace(head, **(header or {})).encode()  # type: ignore[arg-type] # as above
        with segment_format.segment_root(written.secret, self.mesh) as root:
            ciphertext = segment_format.BlockSealer(root, self.mesh).seal(encoded, block)
        return Stored(written.kept, roster.encode(), encoded, ciphertext, block)
