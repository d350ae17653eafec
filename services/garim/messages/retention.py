"""Forgetting: an epoch's rows go once its retention is over, except what a preservation order keeps.

What makes them unreadable is custody, which destroys the epoch's keys by its own clock. This store only drops
ciphertext that nobody can open any more; it waits until its clock has stood behind the time for a while, so
that a clock that jumps ahead for a moment loses nothing.
"""

from __future__ import annotations

import itertools

from garim.kit.clock import Clock
from garim.kit.db import Database
from garim.messages import epoch_rows, scope_rows
from garim.messages.reader import HEADER_BYTES, Read

DAY_MS = 86_400_000


class Retention:
    """Drops rows, and keeps what orders preserve.

    Args:
        database: The store's tables.
        clock: For both times.
        grace_ms: How long the clock must have stood behind an epoch's retention.
        preservation_ms: How long what an order was read for is kept at least.
    """

    def __init__(self, database: Database, clock: Clock, *, grace_ms: int, preservation_ms: int) -> None:
        self._database = database
        self._clock = clock
        self._grace_ms = grace_ms
        self._preservation_ms = preservation_ms
        self._due_since_ms: dict[int, int] = {}

    def preserve(self, read: Read, document: bytes, ticket_expires_ms: int) -> None:
        """Note what a preservation order reads, so that it outlives its epoch's retention.

        Args:
            read: The order's stream, not begun.
            document: SHA-256 of the order's payload.
            ticket_expires_ms: When its ticket ends.
        """
        until = max(ticket_expires_ms, self._clock.now_ms() + self._preservation_ms)
        for epoch, conversations in read.matched():
            with self._database.writing() as connection:
                scope_rows.preserve(connection, document, epoch.number, conversations, read.window, until)

    def drop_due(self, retention_ms: int) -> list[int]:
        """Drop the rows of epochs past retention.

        Args:
            retention_ms: How long governance lets an epoch's keys live after its end.

        Returns:
            Numbers of the epochs dropped now.
        """
        now_ms, monotonic_ms = self._clock.now_ms(), self._clock.monotonic_ms()
        with self._database.reading() as connection:
            due = set(epoch_rows.droppable(connection, now_ms - retention_ms))
            lapsed = epoch_rows.lapsed_epochs(connection, now_ms)
        self._due_since_ms = {one: self._due_since_ms.get(one, monotonic_ms) for one in due}
        dropped = [one for one in sorted(due) if monotonic_ms - self._due_since_ms[one] >= self._grace_ms]
        for epoch in dropped:
            self._drop(epoch, now_ms)
        for epoch in lapsed:
            self._drop(epoch, now_ms)
        return dropped

    def _drop(self, epoch: int, now_ms: int) -> None:
        """Drop an epoch but for what is preserved now; all or nothing."""
        with self._database.writing() as connection:
            for conversation in epoch_rows.whole_conversations(connection, epoch, now_ms):
                headers = b"".join(scope_rows.all_headers(connection, conversation, HEADER_BYTES))
                epoch_rows.keep_headers(connection, conversation, headers)
            kept = epoch_rows.preserved_segments(connection, epoch, now_ms)
            epoch_rows.drop_all_but(connection, epoch, kept)
            for batch, segments in itertools.groupby(kept, key=lambda one: one.batch):
                epoch_rows.narrow_batch(connection, batch, list(segments))
            epoch_rows.forget_lapsed(connection, epoch, now_ms)
            epoch_rows.mark_dropped(connection, epoch)
