"""Forgetting: an epoch's rows go once its retention is over, except what a preservation order keeps.

What makes them unreadable is custody, which destroys the keys of an epoch or an order by its own clock. This
store only drops ciphertext that nobody can open any more; it waits until its clock has stood behind the time
for a while, so that a clock that jumps ahead for a moment loses nothing. What is preserved is copied to a
partition of its own first; then the old one goes whole.
"""

from __future__ import annotations

import sqlalchemy as sa

from garim.kit.clock import Clock
from garim.kit.db import Database
from garim.messages import kept_rows, partition_rows, scope_rows
from garim.messages.reader import Read, proof_of

_NO_ORDER = -1
"""An end that every order lies behind: an epoch's retention ends none."""


class Retention:
    """Drops rows, and keeps what orders preserve.

    Args:
        database: The store's tables.
        clock: For both times.
        grace_ms: How long the clock must have stood behind an epoch's retention or an order's end.
    """

    def __init__(self, database: Database, clock: Clock, *, grace_ms: int) -> None:
        self._database = database
        self._clock = clock
        self._grace_ms = grace_ms
        self._due_since_ms: dict[tuple[int, int], int] = {}

    def preserve(self, read: Read, document: bytes, until_ms: int) -> None:
        """Note what a preservation order reads, so that it outlives its epoch's retention.

        Args:
            read: The order's stream, not begun.
            document: SHA-256 of the order's payload.
            until_ms: When the order ends.
        """
        for epoch, rosters in read.matched():
            with self._database.writing() as connection:
                scope_rows.preserve(connection, document, epoch.number, rosters, read.window, until_ms)

    def drop_due(self, retention_ms: int) -> list[int]:
        """Drop the rows of epochs past retention, and what was kept for orders that have ended.

        Args:
            retention_ms: How long governance lets an epoch's keys live after its end.

        Returns:
            Numbers of the epochs of which rows were dropped now.
        """
        now_ms, monotonic_ms = self._clock.now_ms(), self._clock.monotonic_ms()
        with self._database.reading() as connection:
            due = [(epoch, _NO_ORDER) for epoch in kept_rows.droppable(connection, now_ms - retention_ms)]
            due += kept_rows.lapsed(connection, now_ms)
        self._due_since_ms = {one: self._due_since_ms.get(one, monotonic_ms) for one in due}
        settled = [one for one in due if monotonic_ms - self._due_since_ms[one] >= self._grace_ms]
        for epoch, ended_ms in settled:
            self._move(epoch, ended_ms)
        return self._drop_left()

    def _move(self, epoch: int, ended_ms: int) -> None:
        """Leave an epoch nothing but what orders that end after a time preserve; all or nothing."""
        to = self._open_for_kept(epoch, ended_ms)
        with self._database.writing(shared=True) as connection:
            row = scope_rows.epoch_row(connection, epoch)
            if row is None or (to is None and kept_rows.kept_rosters(connection, row.shelf, ended_ms)):
                return  # somebody was faster, or an order has come meanwhile: the next time sees what is
            if not kept_rows.leave(connection, epoch):
                return
            if to is not None:
                self._copy_kept(connection, row, to, ended_ms)
            kept_rows.arrive(connection, epoch, to)
            kept_rows.forget_orders(connection, epoch, ended_ms)

    def _open_for_kept(self, epoch: int, ended_ms: int) -> int | None:
        """Open a partition for what is kept, if anything is: other servers must have it before it is used."""
        with self._database.writing() as connection:
            row = scope_rows.epoch_row(connection, epoch)
            if row is None or not kept_rows.kept_rosters(connection, row.shelf, ended_ms):
                return None
            return partition_rows.open_one(connection)

    @staticmethod
    def _copy_kept(connection: sa.Connection, epoch: scope_rows.EpochRow, to: int, ended_ms: int) -> None:
        shelf = epoch.shelf
        rosters = kept_rows.kept_rosters(connection, shelf, ended_ms)
        kept_rows.copy_write_secrets(connection, shelf, to)
        kept_rows.copy_rosters(connection, shelf, to, rosters)
        for tag in sorted({one.tag for one in rosters}):
            proof = proof_of(connection, epoch, tag)
            kept_rows.copy_conversation(connection, shelf, to, tag, proof.headers)
            kept_rows.copy_nodes(connection, shelf, to, proof.nodes)
        kept_rows.copy_segments_kept(connection, shelf, to, ended_ms)

    def _drop_left(self) -> list[int]:
        """Drop the partitions that epochs have left, each in a short transaction of its own."""
        with self._database.reading() as connection:
            left = kept_rows.left(connection)
        for epoch, partition in left:
            with self._database.writing() as connection:
                kept_rows.drop_left(connection, epoch, partition)
        return [epoch for epoch, _ in left]
