"""Conversations among people who do not exist."""

from __future__ import annotations

import hashlib
import random
import secrets
from collections.abc import Iterable, Sequence

from garim.api.messages.v1 import messages_pb2 as pb
from garim.statements import roster

WORDS = ["오늘", "회의", "자료", "점심", "바다", "산책", "우산", "기차", "사진", "저녁"]


def member(number: int) -> pb.Member:
    return pb.Member(
        account=f"acct-{number:05d}",
        names=[f"다온{number}"],
        phones=[f"+8210000{number:05d}"],
        emails=[f"daon{number}@example.test"],
    )


def room(name: str, members: Iterable[int], title: str = "") -> pb.Roster:
    return pb.Roster(conversation_id=name, title=title, members=[member(one) for one in members])


def digest(requested: pb.Roster) -> bytes:
    members = (
        roster.RosterMember(one.account, tuple(one.names), tuple(one.phones), tuple(one.emails))
        for one in requested.members
    )
    return roster.digest(roster.canonical(requested.conversation_id, requested.title, members))


def text(sent_at: int, sender: int, body: str) -> pb.ChatMessage:
    return pb.ChatMessage(
        sent_at_ms=sent_at, sender=f"acct-{sender:05d}", kind=pb.MESSAGE_KIND_TEXT, text=body
    )


def chatter(sent_at: int, senders: Sequence[int], count: int, seed: int = 0) -> list[pb.ChatMessage]:
    drawn = random.Random(seed)
    return [
        text(sent_at + at, drawn.choice(senders), " ".join(drawn.choices(WORDS, k=6)) + f" {seed}/{at}")
        for at in range(count)
    ]


def secret_chat(sent_at: int, count: int) -> list[pb.ChatMessage]:
    return [
        pb.ChatMessage(sent_at_ms=sent_at + at, opaque=hashlib.sha256(bytes([at])).digest())
        for at in range(count)
    ]


def part(
    requested: pb.Roster, messages: Iterable[pb.ChatMessage], kind: int = pb.SEGMENT_KIND_MESSAGES
) -> pb.ConversationBatch:
    return pb.ConversationBatch(
        conversation_id=requested.conversation_id,
        roster_digest=digest(requested),
        kind=kind,  # type: ignore[arg-type] # an enum's number
        messages=messages,
    )


def serialised(given: pb.ConversationBatch) -> pb.ConversationBatch:
    """Return the same part with its messages as one block."""
    made = pb.ConversationBatch(block=pb.MessageBlock(messages=given.messages).SerializeToString())
    made.MergeFrom(given)
    made.ClearField("messages")
    return made


def batch(*parts: pb.ConversationBatch, batch_id: bytes | None = None) -> pb.AppendMessagesRequest:
    return pb.AppendMessagesRequest(batch_id=batch_id or secrets.token_bytes(16), conversations=parts)
