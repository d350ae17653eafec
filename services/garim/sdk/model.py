"""What a back end hands over: messages, and who was in the conversation."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from garim.api.messages.v1 import messages_pb2 as pb
from garim.statements import roster

MessageKind = Literal[
    "text", "photo", "video", "voice", "file", "sticker", "joined", "left", "renamed", "deleted"
]
_KINDS = {kind: pb.MessageKind.Value(f"MESSAGE_KIND_{kind.upper()}") for kind in get_args(MessageKind)}


@dataclass(frozen=True)
class Member:
    """A member of a conversation.

    Args:
        account: Account id, unique at the operator.
        names: Names shown in this conversation, the current one first.
        phones: Phone numbers in E.164 form (`+82…`).
        emails: E-mail addresses.
    """

    account: str
    names: Sequence[str] = ()
    phones: Sequence[str] = ()
    emails: Sequence[str] = ()


@dataclass(frozen=True)
class Roster:
    """Who is in a conversation from now on; make a new one whenever somebody joins, leaves or is renamed.

    Args:
        conversation: Conversation id, unique at the operator.
        members: All members.
        title: Title of the room; may be empty.

    Raises:
        RefusedError: When it is first put: no member, or an empty or repeated account id.
    """

    conversation: str
    members: Sequence[Member]
    title: str = ""

    @functools.cached_property
    def digest(self) -> bytes:
        """SHA-256 of its canonical form, by which batches name it."""
        members = (
            roster.RosterMember(one.account, tuple(one.names), tuple(one.phones), tuple(one.emails))
            for one in self.members
        )
        return roster.digest(roster.canonical(self.conversation, self.title, members))

    def to_proto(self) -> pb.Roster:
        """Return the message that carries it."""
        return pb.Roster(
            conversation_id=self.conversation,
            title=self.title,
            members=[
                pb.Member(account=one.account, names=one.names, phones=one.phones, emails=one.emails)
                for one in self.members
            ],
        )


@dataclass(frozen=True, slots=True)
class Attachment:
    """What was attached, without its content or file name.

    Args:
        media_type: Media type.
        size: Size in bytes.
        sha256: SHA-256 of its content.
    """

    media_type: str
    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """A message; either readable, or the opaque block of a secret chat.

    Args:
        sent_at_ms: When it was sent, milliseconds since the Unix epoch.
        sender: Account id of the sender, a member of the roster; empty for an opaque block.
        text: Its text, or an attachment's caption.
        kind: What it is.
        attachment: What was attached.
        opaque: The end-to-end encrypted block of a secret chat; everything else but the time is then empty.
    """

    sent_at_ms: int
    sender: str = ""
    text: str = ""
    kind: MessageKind = "text"
    attachment: Attachment | None = None
    opaque: bytes = b""

    @property
    def is_opaque(self) -> bool:
        """Whether it is a secret chat's block."""
        return bool(self.opaque)

    def add_to(self, block: pb.MessageBlock) -> None:
        """Write it behind a block's messages."""
        if self.opaque:
            block.messages.add(sent_at_ms=self.sent_at_ms, opaque=self.opaque)
            return
        made = block.messages.add(
            sent_at_ms=self.sent_at_ms, sender=self.sender, kind=_KINDS[self.kind], text=self.text
        )
        if self.attachment is not None:
            made.attachment.media_type = self.attachment.media_type
            made.attachment.size = self.attachment.size
            made.attachment.sha256 = self.attachment.sha256
