"""Reading what a ticket matches, as it stood when the call began, in two passes, resumable.

Each page is a short transaction bounded by the newest batch at the stream's start: nothing stored meanwhile
appears, and no long transaction holds the database. Memory grows with the matched rosters and the write
secrets named, not with messages.
"""

from __future__ import annotations

import base64
import binascii
import enum
import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, TypeVar

from garim.kit.db import Database
from garim.messages import epoch_rows, scope_rows
from garim.messages.scope_rows import EpochRow, IndexRow, SecretRow, Window
from garim.messages.tickets import Ticket
from garim.sealing.roster import RosterRecord
from garim.sealing.segment import SegmentHeader
from garim.statements import dsse, strict_json
from garim.statements.refusal import Kind, RefusedError
from garim.translog.proven import LogProof
from garim.translog.tree import Node, prove_inclusion

HEADER_BYTES = 154
_TOKEN = struct.Struct(">BB16sQQQQQQ")
_TOKEN_VERSION = 1

T = TypeVar("T")


class Pass(enum.IntEnum):
    """Which of the two passes a read is."""

    ROSTERS = 1
    SEGMENTS = 2


class EpochItem(NamedTuple):
    """Account of a closed epoch."""

    statement: dsse.Envelope
    proof: LogProof
    records: list[bytes]


class ConversationItem(NamedTuple):
    """Account of one conversation in a closed epoch."""

    epoch: bytes
    tag: bytes
    headers: list[bytes]
    place: int
    size: int
    path: list[bytes]


class RosterItem(NamedTuple):
    """A roster record and one header in scope that names it."""

    record: bytes
    header: bytes


class SegmentItem(NamedTuple):
    """A segment."""

    header: bytes
    ciphertext: bytes


Item: TypeAlias = EpochItem | ConversationItem | SecretRow | RosterItem | SegmentItem


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Behind which item a stream stands.

    Attributes:
        epoch: Number of the epoch it stands in; 0 at the start.
        conversation: Number of the conversation whose account was sent; 0 before the epoch's first.
        major: Batch, or in the pass over rosters the roster, from which to go on; before the first
            conversation 1 if the epoch's account was sent.
        minor: Place in the batch from which to go on.
    """

    epoch: int = 0
    conversation: int = 0
    major: int = 0
    minor: int = 0


class Read:
    """One stream.

    Args:
        database: The store's tables.
        ticket: A verified ticket for reading or preserving.
        which: Which pass.
        resume_token: Where an earlier stream broke off; empty to start.

    Raises:
        RefusedError: `RESUME_TOKEN`.
    """

    def __init__(self, database: Database, ticket: Ticket, which: Pass, resume_token: str = "") -> None:
        self._database = database
        self._ticket = ticket
        self._pass = which
        scope = ticket.scope
        self._binding = hashlib.sha256(f"{scope.document} {scope.purpose} {scope.grant}".encode()).digest()[
            :16
        ]
        with database.reading() as connection:
            newest = scope_rows.newest_batch(connection)
            # An epoch that closes while a stream runs, or before it resumes, stays open for that stream.
            self._closed = scope_rows.newest_closed(connection)
            self.epochs = scope_rows.find_epochs(connection, list(ticket.epochs))
        if resume_token:
            newest, self._closed, self._start = self._parse(resume_token, newest)
        else:
            self._start = Position()
        self.window = Window(scope.period.start, scope.period.end, scope.received_until, newest)
        self._sent: set[bytes] = set()

    def items(self) -> Iterator[tuple[Item, str]]:
        """Yield the items in order, each with the token that resumes behind it.

        Raises:
            RefusedError: `EPOCH_DROPPED` where an epoch's rows went meanwhile; those of the database.
        """
        at = self._start
        for epoch in self.epochs:
            if epoch.number < at.epoch:
                continue
            if epoch.number > at.epoch:
                at = Position(epoch.number)
            with self._database.reading() as connection:
                tags = self._ticket.epochs[epoch.epoch]
                matched = scope_rows.matched_rosters(connection, epoch.number, tags)
            for conversation, rosters in matched.items():
                if conversation < at.conversation:
                    continue
                follow = self._rosters if self._pass is Pass.ROSTERS else self._segments
                for item, position in follow(epoch, conversation, rosters, at):
                    at = position
                    yield item, self._token(position)

    def matched(self) -> Iterator[tuple[EpochRow, list[int]]]:
        """Yield each epoch with the conversations of which something lies in scope."""
        for epoch in self.epochs:
            with self._database.reading() as connection:
                matched = scope_rows.matched_rosters(
                    connection, epoch.number, self._ticket.epochs[epoch.epoch]
                )
            found = [
                conversation
                for conversation, rosters in matched.items()
                if next(self._index(conversation, rosters, (0, 0)), None) is not None
            ]
            if found:
                yield epoch, found

    def _rosters(
        self, epoch: EpochRow, conversation: int, rosters: frozenset[int], at: Position
    ) -> Iterator[tuple[Item, Position]]:
        first: dict[int, IndexRow] = {}
        for row in self._index(conversation, rosters, (0, 0)):
            first.setdefault(row.roster, row)
            if len(first) == len(rosters):
                break
        resumed = (at.epoch, at.conversation) == (epoch.number, conversation)
        position = at
        for roster in sorted(first):
            if resumed and roster < at.major:
                continue
            row = first[roster]
            with self._database.reading() as connection:
                record = _present(scope_rows.roster_record(connection, roster))
            header = self._slice(row)[:HEADER_BYTES]
            secrets = (
                RosterRecord.decode(record).plain.write_secret,
                SegmentHeader.decode(header).write_secret,
            )
            for secret in self._secrets(*secrets):
                yield secret, position
            position = Position(epoch.number, conversation, roster + 1)
            yield RosterItem(record, header), position

    def _segments(
        self, epoch: EpochRow, conversation: int, rosters: frozenset[int], at: Position
    ) -> Iterator[tuple[Item, Position]]:
        resumed = (at.epoch, at.conversation) == (epoch.number, conversation)
        behind = (at.major, at.minor) if resumed else (0, 0)
        position = at
        announced = resumed
        for row in self._index(conversation, rosters, behind):
            if not announced:
                for item, behind_item in self._accounts(epoch, conversation, at):
                    position = behind_item
                    yield item, position
                announced = True
            data = self._slice(row)
            header = data[:HEADER_BYTES]
            for secret in self._secrets(SegmentHeader.decode(header).write_secret):
                yield secret, position
            position = Position(epoch.number, conversation, row.batch, row.place + 1)
            yield SegmentItem(header, data[HEADER_BYTES:]), position

    def _accounts(self, epoch: EpochRow, conversation: int, at: Position) -> Iterator[tuple[Item, Position]]:
        if epoch.envelope is None or epoch.proof is None or epoch.number > self._closed:
            return
        if not (at.conversation or at.major):
            with self._database.reading() as connection:
                chain = scope_rows.records(connection, epoch.number)
            proof = LogProof.from_object(strict_json.parse_object(epoch.proof))
            yield EpochItem(dsse.from_bytes(epoch.envelope), proof, chain), Position(epoch.number, 0, 1)
        yield self._account(epoch, conversation), Position(epoch.number, conversation)

    def _account(self, epoch: EpochRow, conversation: int) -> ConversationItem:
        with self._database.reading() as connection:
            row = _present(scope_rows.conversation(connection, conversation))
            if row.headers is not None:
                joined = row.headers
            else:
                joined = b"".join(scope_rows.all_headers(connection, conversation, HEADER_BYTES))
            place, size = _present(row.place), _present(epoch.leaves)

            def read(nodes: Sequence[Node]) -> list[bytes]:
                return epoch_rows.read_nodes(connection, epoch.number, nodes)

            path = prove_inclusion(place, size, read)
        headers = [joined[at : at + HEADER_BYTES] for at in range(0, len(joined), HEADER_BYTES)]
        return ConversationItem(epoch.epoch, row.tag, headers, place, size, path)

    def _index(
        self, conversation: int, rosters: frozenset[int], behind: tuple[int, int]
    ) -> Iterator[IndexRow]:
        while True:
            with self._database.reading() as connection:
                page = scope_rows.index_page(connection, conversation, self.window, behind)
            yield from (row for row in page if row.roster in rosters)
            if len(page) < scope_rows.PAGE:
                return
            behind = (page[-1].batch, page[-1].place + 1)

    def _slice(self, row: IndexRow) -> bytes:
        with self._database.reading() as connection:
            return _present(scope_rows.slice_of(connection, row.batch, row.place, row.size))

    def _secrets(self, *wanted: bytes) -> Iterator[SecretRow]:
        for secret in wanted:
            if secret not in self._sent:
                with self._database.reading() as connection:
                    row = _present(scope_rows.write_secret(connection, secret))
                self._sent.add(secret)
                yield row

    def _token(self, at: Position) -> str:
        packed = _TOKEN.pack(
            _TOKEN_VERSION,
            self._pass,
            self._binding,
            self.window.newest,
            self._closed,
            at.epoch,
            at.conversation,
            at.major,
            at.minor,
        )
        return base64.urlsafe_b64encode(packed).decode()

    def _parse(self, token: str, newest: int) -> tuple[int, int, Position]:
        try:
            version, which, binding, until, closed, *place = _TOKEN.unpack(
                base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
            )
        except (binascii.Error, struct.error, UnicodeEncodeError):
            raise _bad_token() from None
        if (version, which, binding) != (_TOKEN_VERSION, self._pass, self._binding) or until > newest:
            raise _bad_token()
        return until, closed, Position(*place)


def _bad_token() -> RefusedError:
    return RefusedError(
        "RESUME_TOKEN",
        "the token is not one of this document's streams: start from the beginning",
        field="resume_token",
    )


def _present(value: T | None) -> T:
    if value is None:
        raise RefusedError(
            "EPOCH_DROPPED",
            "rows of this scope were dropped at their retention: ask for a new ticket",
            kind=Kind.PRECONDITION,
        )
    return value
