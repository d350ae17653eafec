"""Roster records: who was in a conversation, blinded in the plain part, sealed in full (protocol, Storing 3).

Layout of a record: plain part, then lp(ciphertext). Plain part: magic ``GRMR``, version 1, write secret id
(32), fresh id (16), epoch (16), conversation tag (32), number of member tags (4), then for each, sorted by
value, the tag (32) and its kind (1: 1 account, 2 phone, 3 email).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from garim.sealing import keys
from garim.sealing.layout import Reader, head
from garim.sealing.secret import Secret
from garim.statements.labels import Purpose, bind, lp
from garim.statements.refusal import Kind, RefusedError

MAGIC = b"GRMR"
TAG_KINDS = {"account": 1, "phone": 2, "email": 3}
_KIND_NAMES = {number: name for name, number in TAG_KINDS.items()}


@dataclass(frozen=True, slots=True)
class MemberTag:
    """One blinded identifier of a member.

    Args:
        tag: The tag, 32 bytes.
        kind: `account`, `phone` or `email`.
    """

    tag: bytes
    kind: str


@dataclass(frozen=True, slots=True)
class RosterPlain:
    """What is readable of a roster record.

    Args:
        write_secret: Id of the write secret, 32 bytes.
        fresh: Fresh random id, 16 bytes.
        epoch: Id of the epoch, 16 bytes.
        conversation: Blinded tag of the conversation, 32 bytes.
        members: All members' tags, sorted by value.
    """

    write_secret: bytes
    fresh: bytes
    epoch: bytes
    conversation: bytes
    members: tuple[MemberTag, ...]

    def encode(self) -> bytes:
        """Return the plain part's fixed layout."""
        members = b"".join(one.tag + TAG_KINDS[one.kind].to_bytes(1, "big") for one in self.members)
        count = len(self.members).to_bytes(4, "big")
        return head(MAGIC) + self.write_secret + self.fresh + self.epoch + self.conversation + count + members


@dataclass(frozen=True, slots=True)
class RosterRecord:
    """A whole roster record.

    Args:
        plain: Its readable part.
        plain_bytes: The same, encoded.
        sealed: The members' identifiers and names, encrypted.
    """

    plain: RosterPlain
    plain_bytes: bytes
    sealed: bytes

    def encode(self) -> bytes:
        """Return the whole record; segment headers name its SHA-256."""
        return self.plain_bytes + lp(self.sealed)

    @classmethod
    def decode(cls, data: bytes) -> RosterRecord:
        """Read a whole record.

        Raises:
            RefusedError: `RECORD_LAYOUT`, or `ROSTER_ORDER` where the tags are not sorted or repeat.
        """
        reader = Reader(data, MAGIC)
        write_secret, fresh, epoch, conversation = (
            reader.take(32),
            reader.take(16),
            reader.take(16),
            reader.take(32),
        )
        members = []
        for _ in range(reader.number(4)):
            tag, kind = reader.take(32), reader.number(1)
            if kind not in _KIND_NAMES:
                raise reader.refuse("names an unknown kind of identifier")
            members.append(MemberTag(tag, _KIND_NAMES[kind]))
        sealed = reader.take(reader.number(4))
        reader.end()
        tags = [one.tag for one in members]
        if tags != sorted(set(tags)):
            raise RefusedError("ROSTER_ORDER", "member tags must be sorted and unique", kind=Kind.DATA_LOSS)
        plain = RosterPlain(write_secret, fresh, epoch, conversation, tuple(members))
        return cls(plain, plain.encode(), sealed)


def digest(record: bytes) -> bytes:
    """Return the digest that segment headers name."""
    return hashlib.sha256(record).digest()


def roster_root(write_secret: Secret, mesh: str) -> Secret:
    """Derive K_roster from a write secret."""
    return keys.expand(write_secret, bind(Purpose.ROSTER_ROOT, mesh))


def roster_key(root: Secret, mesh: str, plain: bytes) -> Secret:
    """Derive the key of one roster from K_roster and the encoded plain part."""
    return keys.expand(root, bind(Purpose.ROSTER_KEY, mesh, hashlib.sha256(plain).digest()))


def seal_roster(root: Secret, mesh: str, plain: RosterPlain, members: bytes) -> RosterRecord:
    """Encrypt the members' identifiers and names behind their plain part.

    Args:
        root: K_roster.
        mesh: Name of the mesh.
        plain: The readable part; its members are sorted by tag.
        members: Canonical bytes of the roster.
    """
    encoded = plain.encode()
    with roster_key(root, mesh, encoded) as key:
        return RosterRecord(plain, encoded, keys.encrypt_once(key, members, encoded))


def open_roster(key: Secret, record: RosterRecord) -> bytes:
    """Decrypt a roster with its released key.

    Raises:
        RefusedError: `SEALING_OPEN`.
    """
    return keys.decrypt_once(key, record.sealed, record.plain_bytes)
