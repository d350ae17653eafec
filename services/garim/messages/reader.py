"""Reading what a ticket matches, as it stood when the call began, in two passes, resumable.

Each page is a short transaction bounded by the horizon at the stream's start: nothing stored meanwhile
appears, and no long transaction holds the database. Memory grows with the matched rosters and the write
secrets named, not with messages.
"""

from __future__ import annotations

import enum
import hashlib
import heapq
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias, TypeVar

import sqlalchemy as sa

from garim.kit.db import Database
from garim.messages import epoch_rows, index_rows, scope_rows
from garim.messages.epochs import Shelf
from garim.messages.index_rows import IndexRow, Roster, RosterCount, Window
from garim.messages.resuming import BINDING_BYTES, Position, Resumed
from garim.messages.scope_rows import EpochRow, SecretRow
from garim.messages.tickets import Ticket
from garim.sealing.roster import RosterRecord
from garim.sealing.segment import SegmentHeader
from garim.statements import dsse, strict_json
from garim.statements.refusal import Kind, RefusedError
from garim.translog.proven import LogProof
from garim.translog.tree import Node, prove_inclusion

HEADER_BYTES = 154
# Ciphertexts are fetched several at a time, so many bytes of them.
_FETCH_BYTES = 1024 * 1024
_LEAST_PAGE = 20

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


class ConversationProof(NamedTuple):
    """What proves a conversation's segments against its epoch's account.

    Attributes:
        place: Its place in the epoch's tree.
        headers: The headers of all its segments, joined.
        path: Hashes that lead to the root.
        nodes: The stored nodes that they are made from.
    """

    place: int
    headers: bytes
    path: list[bytes]
    nodes: list[Node]


Item: TypeAlias = EpochItem | ConversationItem | SecretRow | RosterItem | SegmentItem


class Read:
    """One stream.

    Args:
        database: The store's tables.
        ticket: A verified ticket for reading or preserving.
        which: Which pass.
        resume_token: Where an earlier stream broke off; empty to start.

    Raises:
        RefusedError: `RESUME_TOKEN`, and those of the database.
    """

    def __init__(self, database: Database, ticket: Ticket, which: Pass, resume_token: str = "") -> None:
        self._database = database
        self._ticket = ticket
        self._pass = which
        scope = ticket.scope
        self.window = Window(scope.period.start, scope.period.end, scope.received_until)
        # Alone for a moment: nothing that is being stored now can come to lie before the horizon later.
        with database.writing() as connection:
            horizon = scope_rows.horizon(connection)
            # An epoch that closes while a stream runs, or before it resumes, stays open for that stream.
            closed = scope_rows.newest_closed(connection)
            self.epochs = scope_rows.find_epochs(connection, list(ticket.epochs))
        named = f"{scope.document} {scope.purpose} {scope.grant}".encode()
        binding = which.to_bytes() + hashlib.sha256(named).digest()[:BINDING_BYTES]
        self._resumed = Resumed(binding, closed, horizon, Position())
        if resume_token:
            self._resumed = self._resumed.parse(resume_token)
            self._demand_place(self._resumed.position)
        self._sent: set[bytes] = set()

    def items(self) -> Iterator[tuple[Item, str]]:
        """Yield the items in order, each with the token that resumes behind it.

        Raises:
            RefusedError: `EPOCH_DROPPED` where an epoch's rows went meanwhile; those of the database.
        """
        at = self._resumed.position
        for epoch in self.epochs:
            if epoch.number < at.epoch:
                continue
            if epoch.number > at.epoch:
                at = Position(epoch.number, epoch.shelf.partition)
            for tag, rosters in self._matched(epoch).items():
                if tag < at.tag:
                    continue
                follow = self._rosters if self._pass is Pass.ROSTERS else self._segments
                for item, position in follow(epoch, tag, rosters, at):
                    at = position
                    yield item, self._resumed.token(position)

    def matched(self) -> Iterator[tuple[EpochRow, list[Roster]]]:
        """Yield each epoch with the rosters under which something lies in scope."""
        for epoch in self.epochs:
            found = [roster for roster, _ in self.counted(epoch)]
            if found:
                yield epoch, found

    def counted(self, epoch: EpochRow) -> Iterator[tuple[Roster, RosterCount]]:
        """Yield the matched rosters of an epoch under which something lies in scope, with how much it is."""
        newest = self._resumed.horizon.newest(epoch.number)
        for rosters in self._matched(epoch).values():
            for roster in rosters:
                with self._database.reading() as connection:
                    count = index_rows.count_roster(connection, epoch.shelf, roster, self.window, newest)
                if count.segments:
                    yield roster, count

    def _matched(self, epoch: EpochRow) -> dict[bytes, tuple[Roster, ...]]:
        with self._database.reading() as connection:
            return scope_rows.matched_rosters(connection, epoch.shelf, self._ticket.epochs[epoch.epoch])

    def _rosters(
        self, epoch: EpochRow, tag: bytes, rosters: Sequence[Roster], at: Position
    ) -> Iterator[tuple[Item, Position]]:
        resumed = (at.epoch, at.tag) == (epoch.number, tag)
        position = at
        for roster in rosters:
            if resumed and roster.number < at.major:
                continue
            row = next(self._index(epoch, roster, (0, 0)), None)
            if row is None:
                continue
            with self._database.reading() as connection:
                record = _present(scope_rows.roster_record(connection, epoch.shelf, roster))
            secrets = (
                RosterRecord.decode(record).plain.write_secret,
                SegmentHeader.decode(row.header).write_secret,
            )
            for secret in self._secrets(epoch.shelf, *secrets):
                yield secret, position
            position = Position(epoch.number, epoch.shelf.partition, tag, roster.number + 1)
            yield RosterItem(record, row.header), position

    def _segments(
        self, epoch: EpochRow, tag: bytes, rosters: Sequence[Roster], at: Position
    ) -> Iterator[tuple[Item, Position]]:
        resumed = (at.epoch, at.tag) == (epoch.number, tag)
        behind = (at.major, at.minor) if resumed else (0, 0)
        position = at
        announced = resumed
        for row, ciphertext in self._fetched(epoch, self._merged(epoch, rosters, behind)):
            if not announced:
                for item, behind_item in self._accounts(epoch, tag, at):
                    position = behind_item
                    yield item, position
                announced = True
            for secret in self._secrets(epoch.shelf, SegmentHeader.decode(row.header).write_secret):
                yield secret, position
            position = Position(epoch.number, epoch.shelf.partition, tag, row.batch, row.place + 1)
            yield SegmentItem(row.header, ciphertext), position

    def _accounts(self, epoch: EpochRow, tag: bytes, at: Position) -> Iterator[tuple[Item, Position]]:
        if epoch.envelope is None or epoch.proof is None or epoch.number > self._resumed.closed:
            return
        if not at.is_inside:
            with self._database.reading() as connection:
                chains = scope_rows.records(connection, epoch.shelf)
            logged = LogProof.from_object(strict_json.parse_object(epoch.proof))
            item = EpochItem(dsse.from_bytes(epoch.envelope), logged, chains)
            yield item, Position(epoch.number, epoch.shelf.partition, major=1)
        with self._database.reading() as connection:
            proof = proof_of(connection, epoch, tag)
        headers = [proof.headers[at : at + HEADER_BYTES] for at in range(0, len(proof.headers), HEADER_BYTES)]
        account = ConversationItem(epoch.epoch, tag, headers, proof.place, _present(epoch.leaves), proof.path)
        yield account, Position(epoch.number, epoch.shelf.partition, tag)

    def _merged(
        self, epoch: EpochRow, rosters: Sequence[Roster], behind: tuple[int, int]
    ) -> Iterator[IndexRow]:
        """Yield the segments under all these rosters of a conversation in stored order."""
        page = max(_LEAST_PAGE, index_rows.PAGE // len(rosters))
        streams = [self._index(epoch, roster, behind, page) for roster in rosters]
        return heapq.merge(*streams, key=_stored)

    def _index(
        self, epoch: EpochRow, roster: Roster, behind: tuple[int, int], page: int | None = None
    ) -> Iterator[IndexRow]:
        newest = self._resumed.horizon.newest(epoch.number)
        following: tuple[int, int] | None = behind
        while following is not None:
            with self._database.reading() as connection:
                rows, following = index_rows.index_page(
                    connection,
                    epoch.shelf,
                    roster,
                    self.window,
                    following,
                    newest=newest,
                    page=page or index_rows.PAGE,
                )
            yield from rows

    def _fetched(self, epoch: EpochRow, rows: Iterator[IndexRow]) -> Iterator[tuple[IndexRow, bytes]]:
        """Yield segments with their ciphertexts, some of which are fetched at once."""
        group: list[IndexRow] = []
        size = 0
        for row in rows:
            group.append(row)
            size += row.size
            if size >= _FETCH_BYTES or len(group) >= index_rows.PAGE:
                yield from zip(group, self._slices(epoch, group), strict=True)
                group, size = [], 0
        yield from zip(group, self._slices(epoch, group), strict=True)

    def _slices(self, epoch: EpochRow, rows: Sequence[IndexRow]) -> list[bytes]:
        with self._database.reading() as connection:
            return [_present(one) for one in index_rows.slices(connection, epoch.shelf, rows)]

    def _secrets(self, shelf: Shelf, *wanted: bytes) -> Iterator[SecretRow]:
        for secret in wanted:
            if secret not in self._sent:
                with self._database.reading() as connection:
                    row = _present(scope_rows.write_secret(connection, shelf, secret))
                self._sent.add(secret)
                yield row

    def _demand_place(self, position: Position) -> None:
        """Refuse to go on in an epoch whose rows have moved: places in it are others now."""
        if position.epoch:
            with self._database.reading() as connection:
                partition = scope_rows.partition_of(connection, position.epoch)
            _present(partition if partition == position.partition else None)


def all_headers(connection: sa.Connection, shelf: Shelf, tag: bytes) -> list[bytes]:
    """Return the headers of all segments of a conversation in stored order."""
    streams = [_whole(connection, shelf, roster) for roster in scope_rows.rosters_of(connection, shelf, tag)]
    return [row.header for row in heapq.merge(*streams, key=_stored)]


def proof_of(connection: sa.Connection, epoch: EpochRow, tag: bytes) -> ConversationProof:
    """Return what proves a conversation's segments against its epoch's account.

    Args:
        connection: An open transaction.
        epoch: A closed epoch.
        tag: The conversation's.

    Raises:
        RefusedError: `EPOCH_DROPPED`.
    """
    row = _present(scope_rows.conversation(connection, epoch.shelf, tag))
    headers = row.headers
    if headers is None:
        headers = b"".join(all_headers(connection, epoch.shelf, tag))
    named: list[Node] = []

    def read(nodes: Sequence[Node]) -> list[bytes]:
        named.extend(nodes)
        return epoch_rows.read_nodes(connection, epoch.shelf, nodes)

    path = prove_inclusion(row.place, _present(epoch.leaves), read)
    return ConversationProof(row.place, headers, path, named)


def _whole(connection: sa.Connection, shelf: Shelf, roster: Roster) -> Iterator[IndexRow]:
    following: tuple[int, int] | None = (0, 0)
    while following is not None:
        rows, following = index_rows.index_page(connection, shelf, roster, None, following)
        yield from rows


def _stored(row: IndexRow) -> tuple[int, int]:
    return row.batch, row.place


def _present(value: T | None) -> T:
    if value is None:
        raise RefusedError(
            "EPOCH_DROPPED",
            "rows of this scope were dropped at their retention: ask for a new ticket",
            kind=Kind.PRECONDITION,
        )
    return value
