"""Forgetting: an epoch's rows go once its retention is over, except what a preservation order keeps.

What makes them unreadable is custody, which destroys the keys of an epoch or an order by its own clock. This
store only drops ciphertext that nobody can open any more; it waits until its clock has stood behind the time
for a while, so that a clock that jumps ahead for a moment loses nothing.
"""

from __future__ import annotations

import itertools

from garim.kit.clock import Clock
from garim.kit.db import Database
from garim.messages import epoch_rows, scope_rows
from garim.messages.reader import HEADER_BYTES, Read

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
        for epoch, conversations in read.matched():
            with self._database.writing() as connection:
                scope_rows.preserve(connection, document, epoch.number, conversations, read.window, until_ms)

    def drop_due(self, retention_ms: int) -> list[int]:
        """Drop the rows of epochs past retention, and what was kept for orders that have ended.

        Args:
            retention_ms: How long governance lets an epoch's keys live after its end.

        Returns:
            Numbers of the epochs of which rows were dropped now.
        """
        now_ms, monotonic_ms = self._clock.now_ms(), self._clock.monotonic_ms()
        with self._database.reading() as connection:
            due = [(epoch, _NO_ORDER) for epoch in epoch_rows.droppable(connection, now_ms - retention_ms)]
            due += epoch_rows.lapsed(connection, now_ms)
        self._due_since_ms = {one: self._due_since_ms.get(one, monotonic_ms) for one in due}
        settled = [one for one in due if monotonic_ms - self._due_since_ms[one] >= self._grace_ms]
        for epoch, ended_ms in settled:
            self._drop(epoch, ended_ms)
        return [epoch for epoch, _ in settled]

    def _drop(self, epoch: int, ended_ms: int) -> None:
        """Drop an epoch but for what is preserved by orders that end after a time; all or nothing."""
        with self._database.writing() as connection:
            for conversation in epoch_rows.whole_conversations(connection, epoch, ended_ms):
                headers = b"".join(scope_rows.all_headers(connection, conversation, HEADER_BYTES))
                epoch_rows.keep_headers(connection, conversation, headers)
            kept = epoch_rows.preserved_segments(connection, epoch, ended_ms)
            epoch_rows.drop_all_but(connection, epoch, kept)
            for batch, segments in itertools.groupby(kept, key=lambda one: one.batch):
                epoch_rows.narrow_batch(connection, batch, list(segments))
            epoch_rows.forget_lapsed(connection, epoch, ended_ms)
            epoch_rows.mark_dropped(connection, epoch)
