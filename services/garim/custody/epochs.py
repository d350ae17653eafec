"""Epochs: custody makes each one's key pair and index key ahead of time and hands them to the store alone."""

from __future__ import annotations

import threading

from garim.custody import jobs, work
from garim.custody.core import Core
from garim.custody.kinds import EPOCH
from garim.custody.tables import epochs, objects
from garim.custody.tables.epochs import Epoch
from garim.kit.providers import KeyHandle
from garim.sealing.secret import Secret
from garim.statements.refusal import Kind, RefusedError

ID_BYTES = 16


class Epochs:
    """Makes epochs and hands out the current and the next one.

    Args:
        core: Custody's means.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._lock = threading.Lock()

    def current_and_next(self) -> list[Epoch]:
        """Return the current and the next epoch, made now where they are missing.

        Raises:
            RefusedError: `STORE_UNKNOWN`, `OPENER_FAILED`, and those of the key provider.
        """
        if not self._core.governance.current().keys_of("messages"):
            raise RefusedError("STORE_UNKNOWN", "governance pins no message store's key", kind=Kind.FORBIDDEN)
        now_ms = self._core.clock.now_ms()
        with self._lock:
            found = self._known(now_ms)
            while len(found) < 2:
                self._make(self._start(found, now_ms))
                found = self._known(now_ms)
        return found[:2]

    def open_index(self, epoch: Epoch) -> Secret:
        """Open an epoch's index key for the store; the caller wipes it.

        Raises:
            RefusedError: `EPOCH_DESTROYED`, and those of the key provider.
        """
        return work.unwrap(self._core.provider, wrapped_index(epoch), "index")

    def _known(self, now_ms: int) -> list[Epoch]:
        with self._core.database.reading() as connection:
            return epochs.ending_after(connection, now_ms)

    def _start(self, found: list[Epoch], now_ms: int) -> int:
        """Return when the next epoch begins: behind the last one, or at a multiple of its length."""
        if found:
            return found[-1].not_after_ms
        length_ms = self._core.governance.current().terms.epoch
        with self._core.database.reading() as connection:
            last = epochs.last(connection)
        return max(now_ms - now_ms % length_ms, last.not_after_ms if last else 0)

    def _make(self, not_before_ms: int) -> None:
        terms = self._core.governance.current().terms
        epoch_id = self._core.draw(ID_BYTES).hex()
        not_after_ms = not_before_ms + terms.epoch
        with self._core.database.writing() as connection:
            due_ms = not_after_ms + terms.retention
            objects.add(connection, EPOCH, epoch_id, due_ms, "retention")
        self._core.provider.create_object(EPOCH, epoch_id)
        job = jobs.MakeEpoch(mesh=self._core.mesh, id=epoch_id)
        made = jobs.EpochMade.model_validate_json(self._core.opener.run(job.encode()))
        with self._core.database.writing() as connection:
            epochs.add(
                connection,
                Epoch(
                    epoch_id,
                    not_before_ms,
                    not_after_ms,
                    terms.retention,
                    made.public,
                    made.private,
                    made.index,
                ),
            )


def wrapped_index(epoch: Epoch) -> jobs.Wrapped:
    """Return an epoch's wrapped index key, for a job.

    Raises:
        RefusedError: `EPOCH_DESTROYED`.
    """
    if epoch.wrapped_index is None:
        raise _destroyed()
    return jobs.Wrapped(kind=EPOCH, id=epoch.id, wrapped=epoch.wrapped_index)


def wrapped_private(epoch: Epoch) -> jobs.Wrapped:
    """Return an epoch's wrapped private key, for a job.

    Raises:
        RefusedError: `EPOCH_DESTROYED`.
    """
    if epoch.wrapped_private is None:
        raise _destroyed()
    return jobs.Wrapped(kind=EPOCH, id=epoch.id, wrapped=epoch.wrapped_private)


def handle(epoch: Epoch) -> KeyHandle:
    """Return the provider object of an epoch."""
    return KeyHandle(EPOCH, epoch.id)


def _destroyed() -> RefusedError:
    return RefusedError("EPOCH_DESTROYED", "the epoch's keys are destroyed", kind=Kind.PRECONDITION)
