"""A chat export handed to the store: messages, and every change of who is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from garim.documents.draft import normalise_identifier
from garim.importers import Chat, ChatReader, Event, Joined, Left, Message, Renamed, SecretChat
from garim.importers import Kind as ExportKind
from garim.importers import Member as ExportMember
from garim.sdk import Member, Roster
from garim.sdk import Message as StoreMessage
from garim.sdk.model import MessageKind
from garim.statements.refusal import RefusedError

# An export shows a placeholder or a file's name instead of what was sent: neither is kept.
_ATTACHED: dict[ExportKind, MessageKind] = {
    ExportKind.PHOTO: "photo",
    ExportKind.VIDEO: "video",
    ExportKind.VOICE: "voice",
    ExportKind.FILE: "file",
    ExportKind.CONTACT: "file",
    ExportKind.STICKER: "sticker",
    ExportKind.EMOTICON: "sticker",
}
_REPORT_EVERY = 100


class Sink(Protocol):
    """Where messages go; `garim.sdk.Producer` is one."""

    def put(self, roster: Roster, message: StoreMessage) -> None:
        """Take a message."""
        ...


@dataclass(slots=True)
class Imported:
    """What was handed over.

    Attributes:
        conversation: Id of the conversation.
        messages: Messages of people.
        changes: Joins, leaves and renames, each a message of its own.
        secret: Blocks of the secret chat.
        members: Everybody who was there at some time.
    """

    conversation: str
    messages: int = 0
    changes: int = 0
    secret: int = 0
    members: set[str] = field(default_factory=set)


def store_member(member: ExportMember) -> Member:
    """Return a member as the store keeps them: phone and e-mail in the form that documents demand.

    A chat network's `user@host` is no e-mail address and is not kept.

    Raises:
        RefusedError: `ROSTER_FILE`: a phone number is none.
    """
    names = tuple(dict.fromkeys((member.name, *member.other_names)))
    try:
        phones = (normalise_identifier("phone", member.phone),) if member.phone else ()
    except RefusedError:
        raise RefusedError("ROSTER_FILE", "a member's phone number is none", field="phone") from None
    emails = (normalise_identifier("email", member.email),) if member.email else ()
    return Member(member.account, names, phones, emails)


def store_message(message: Message) -> StoreMessage:
    """Return a message as the store keeps it."""
    attached = _ATTACHED.get(message.kind)
    if attached is not None:
        return StoreMessage(message.at_ms, message.sender, kind=attached)
    return StoreMessage(message.at_ms, message.sender, message.text)


class Importer:
    """Turns the events of one export into messages under their rosters.

    Args:
        sink: Where messages go.
        conversation: Id of the conversation.
        title: Title of the room.
    """

    def __init__(self, sink: Sink, conversation: str, title: str) -> None:
        self._sink = sink
        self._title = title
        self._present: dict[str, Member] = {}
        self._roster: Roster | None = None
        self.done = Imported(conversation)

    def take(self, event: Event) -> None:
        """Hand one event over."""
        if isinstance(event, Chat):
            for one in event.members_at_start:
                self._admit(store_member(one))
        elif isinstance(event, Joined):
            self._join(event)
        elif isinstance(event, Left):
            self._change(StoreMessage(event.at_ms, event.account, kind="left"))
            del self._present[event.account]
            self._roster = None
        elif isinstance(event, Renamed):
            self._rename(event)
        else:
            self._put(store_message(event))
            self.done.messages += 1

    def _admit(self, member: Member) -> None:
        self.done.members.add(member.account)
        if self._present.get(member.account) != member:
            self._present[member.account] = member
            self._roster = None

    def _join(self, event: Joined) -> None:
        # An importer announces a member again who is there already when it learns more of them.
        was_there = event.member.account in self._present
        self._admit(store_member(event.member))
        if not was_there:
            self._change(StoreMessage(event.at_ms, event.member.account, kind="joined"))

    def _rename(self, event: Renamed) -> None:
        member = self._present[event.account]
        names = tuple(dict.fromkeys((event.new_name, *member.names)))
        self._admit(replace(member, names=names))
        self._change(StoreMessage(event.at_ms, event.account, event.new_name, kind="renamed"))

    def _change(self, message: StoreMessage) -> None:
        self._put(message)
        self.done.changes += 1

    def _put(self, message: StoreMessage) -> None:
        if self._roster is None:
            self._roster = Roster(self.done.conversation, tuple(self._present.values()), self._title)
        self._sink.put(self._roster, message)


def conversation_id(reader: ChatReader) -> str:
    """Return the id under which an export's room is kept."""
    return f"{reader.format.network}:{reader.title}"


def import_export(
    reader: ChatReader, sink: Sink, progress: Callable[[int, int], None], conversation: str = ""
) -> Imported:
    """Hand a whole export over.

    Args:
        reader: The export.
        sink: Where messages go.
        progress: Told bytes read and bytes in all, now and then.
        conversation: Id of the conversation; made of network and title without.
    """
    importer = Importer(sink, conversation or conversation_id(reader), reader.title)
    for position, event in enumerate(reader):
        importer.take(event)
        if position % _REPORT_EVERY == 0:
            progress(reader.bytes_read, reader.bytes_total)
    progress(reader.bytes_total, reader.bytes_total)
    return importer.done


def import_secret(secret: SecretChat, known: Iterable[ExportMember], sink: Sink, conversation: str) -> int:
    """Hand a secret chat over: opaque blocks of a conversation of its own.

    Args:
        secret: The chat.
        known: Members of whom more is known.
        sink: Where messages go.
        conversation: Id of the conversation.

    Returns:
        How many blocks there were.
    """
    profiles = {one.account: one for one in known}
    members = [
        store_member(profiles.get(account) or ExportMember(account, account)) for account in secret.members
    ]
    roster = Roster(conversation, members)
    for block in secret.blocks:
        sink.put(roster, StoreMessage(block.at_ms, opaque=block.block))
    return len(secret.blocks)


def roster_beside(path: Path | None) -> tuple[ExportMember, ...]:
    """Return the members of a roster file, or none where none is named.

    Raises:
        RefusedError: `ROSTER_FILE`.
    """
    from garim.importers import read_roster

    return read_roster(path) if path is not None else ()
