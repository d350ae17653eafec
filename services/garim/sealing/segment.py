"""Segments: one encrypted block of messages of one conversation (protocol, Storing 5).

Layout of a header: magic ``GRMS``, version 1, segment id (16), write secret id (32), conversation tag (32),
roster digest (32), first and last sent-at, first and last received-at (milliseconds, 8 each), count (4),
kind (1: 1 messages, 2 opaque).
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

from garim.sealing import keys
from garim.sealing.layout import VERSION, Reader
from garim.sealing.secret import Secret
from garim.statements.labels import Purpose, bind
from garim.statements.refusal import RefusedError

MAGIC = b"GRMS"
HOUR_MS = 3_600_000
KIND_MESSAGES = 1
KIND_OPAQUE = 2
_LAYOUT = struct.Struct(">4sB16s32s32s32sQQQQIB")


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """What is readable of a segment.

    Args:
        segment: Fresh random id, 16 bytes.
        write_secret: Id of the write secret, 32 bytes.
        conversation: Blinded tag of the conversation, 32 bytes.
        roster: SHA-256 of the roster record, 32 bytes.
        sent_first: Earliest sent-at, by the producer's clock, in milliseconds since the Unix epoch.
        sent_last: Latest sent-at, in the same hour (UTC) as the earliest.
        received_first: Earliest received-at, by the store's clock.
        received_last: Latest received-at.
        count: Number of messages.
        kind: 1 for messages, 2 for the opaque blocks of a secret chat.
    """

    segment: bytes
    write_secret: bytes
    conversation: bytes
    roster: bytes
    sent_first: int
    sent_last: int
    received_first: int
    received_last: int
    count: int
    kind: int

    def encode(self) -> bytes:
        """Return the header's fixed layout."""
        return encode_header(
            self.segment,
            self.write_secret,
            self.conversation,
            self.roster,
            self.sent_first,
            self.sent_last,
            self.received_first,
            self.received_last,
            self.count,
            self.kind,
        )

    @classmethod
    def decode(cls, data: bytes) -> SegmentHeader:
        """Read a header.

        Raises:
            RefusedError: `RECORD_LAYOUT`, `SEGMENT_KIND`, `SEGMENT_COUNT` or `SEGMENT_TIMES` (out of order,
                or sent-at crosses an hour).
        """
        if len(data) != _LAYOUT.size:
            short = len(data) < _LAYOUT.size
            raise Reader(data, MAGIC).refuse("is cut short" if short else "has surplus bytes")
        magic, version, *fields = _LAYOUT.unpack(data)
        if magic != MAGIC or version != VERSION:
            raise Reader(data, MAGIC).refuse("has another magic or version")
        header = cls(*fields)
        if header.kind not in {KIND_MESSAGES, KIND_OPAQUE}:
            raise RefusedError("SEGMENT_KIND", "the segment's kind is unknown")
        if header.count == 0:
            raise RefusedError("SEGMENT_COUNT", "the segment holds no message")
        if header.sent_first > header.sent_last or header.received_first > header.received_last:
            raise RefusedError("SEGMENT_TIMES", "the segment's times are out of order")
        if header.sent_first // HOUR_MS != header.sent_last // HOUR_MS:
            raise RefusedError("SEGMENT_TIMES", "the segment's sent-at crosses an hour")
        return header


def encode_header(
    segment: bytes,
    write_secret: bytes,
    conversation: bytes,
    roster: bytes,
    sent_first: int,
    sent_last: int,
    received_first: int,
    received_last: int,
    count: int,
    kind: int,
) -> bytes:
    """Return a header's fixed layout without the detour of a `SegmentHeader`, whose fields these are."""
    return _LAYOUT.pack(
        MAGIC,
        VERSION,
        segment,
        write_secret,
        conversation,
        roster,
        sent_first,
        sent_last,
        received_first,
        received_last,
        count,
        kind,
    )


def segment_root(write_secret: Secret, mesh: str) -> Secret:
    """Derive K_seg from a write secret."""
    return keys.expand(write_secret, bind(Purpose.SEGMENT_ROOT, mesh))


def segment_key(root: Secret, mesh: str, header: bytes) -> Secret:
    """Derive the key of one segment from K_seg and the encoded header."""
    return keys.expand(root, bind(Purpose.SEGMENT_KEY, mesh, hashlib.sha256(header).digest()))


class BlockSealer:
    """Seals the blocks of one write secret.

    Args:
        root: K_seg.
        mesh: Name of the mesh.
    """

    def __init__(self, root: Secret, mesh: str) -> None:
        self._root = root
        # What `segment_key` binds, up to the digest of the header.
        self._label = bind(Purpose.SEGMENT_KEY, mesh) + hashlib.sha256().digest_size.to_bytes(4, "big")

    def seal(self, header: bytes, block: bytes) -> bytes:
        """Encrypt a compressed block under its segment's key, with the header as associated data."""
        with keys.expand(self._root, self._label + hashlib.sha256(header).digest()) as key:
            return keys.encrypt_once(key, block, header)


def open_block(key: Secret, header: bytes, ciphertext: bytes) -> bytes:
    """Decrypt a block with its released key.

    Raises:
        RefusedError: `SEALING_OPEN`.
    """
    return keys.decrypt_once(key, ciphertext, header)
