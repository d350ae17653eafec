"""The write secret W in use: made, sealed and recorded before its first use, overwritten at its end.

W ends by the monotonic clock, with its epoch, or as soon as the wall clock leaves the span that its record
names. Sealing happens inside `use`, which no end can interrupt; whether W had ended meanwhile is asked
afterwards, and what was sealed too late is sealed again under the next one.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from garim.kit.clock import Clock
from garim.messages.epochs import Epoch
from garim.sealing import roster, segment
from garim.sealing.secret import Secret
from garim.sealing.write_secret import FIRST_PREVIOUS, MAX_LIFE_MS, SealedWriteSecret, WriteSecretRecord, make


@dataclass(frozen=True, slots=True)
class InUse:
    """The write secret in use.

    Attributes:
        id: What headers and rosters name.
        secret: W itself.
        segment_root: K_seg.
        roster_root: K_roster.
        epoch: Number of its epoch.
        not_before: First millisecond of its record, wall time.
        not_after: First millisecond behind it.
        ends_ms: Its end on the monotonic clock.
    """

    id: bytes
    secret: Secret
    segment_root: Secret
    roster_root: Secret
    epoch: int
    not_before: int
    not_after: int
    ends_ms: int

    def holds(self, now_ms: int, monotonic_ms: int) -> bool:
        """Tell whether it may be used at this time."""
        return monotonic_ms < self.ends_ms and self.not_before <= now_ms < self.not_after

    def wipe(self) -> None:
        """Overwrite it and what was derived from it."""
        for secret in (self.secret, self.segment_root, self.roster_root):
            secret.wipe()


class Moment:
    """One use of the write secret.

    Attributes:
        held: The write secret.
        received_ms: The wall time that counts as received-at.
    """

    def __init__(self, held: InUse, received_ms: int, clock: Clock) -> None:
        self.held = held
        self.received_ms = received_ms
        self._clock = clock

    def sealed_in_time(self) -> bool:
        """Tell, after sealing, whether W has held until now."""
        return self.held.holds(self._clock.now_ms(), self._clock.monotonic_ms())


class WriteSecrets:
    """Makes and ends write secrets, one at a time.

    Args:
        mesh: Name of the mesh.
        store: Name of this store.
        signer: Signs with the store's key.
        keep: Makes a sealed secret durable for an epoch.
        last_record: Returns this process's newest record in an epoch, None where there is none.
        clock: For both times.
        life_ms: How long one lives, at most 60,000 milliseconds.
    """

    def __init__(
        self,
        *,
        mesh: str,
        store: str,
        signer: Callable[[bytes], bytes],
        keep: Callable[[Epoch, SealedWriteSecret], None],
        last_record: Callable[[Epoch], bytes | None],
        clock: Clock,
        life_ms: int,
    ) -> None:
        self._mesh = mesh
        self._store = store
        self._signer = signer
        self._keep = keep
        self._last_record = last_record
        self._clock = clock
        self._life_ms = min(life_ms, MAX_LIFE_MS)
        self._lock = threading.Lock()
        self._held: InUse | None = None

    @contextlib.contextmanager
    def use(self, epoch: Epoch) -> Iterator[Moment]:
        """Hold the write secret of an epoch while sealing; the caller asks `sealed_in_time` at the end.

        Never entered inside a database transaction: making a secret writes its record.

        Args:
            epoch: The epoch in which it is to be stored.

        Raises:
            RefusedError: The record cannot be made durable.
        """
        with self._lock:
            now_ms = self._clock.now_ms()
            held = self._held
            if (
                held is None
                or held.epoch != epoch.number
                or not held.holds(now_ms, self._clock.monotonic_ms())
            ):
                self._end()
                held = self._held = self._begin(epoch, now_ms)
            yield Moment(held, now_ms, self._clock)

    def end_old(self) -> None:
        """Overwrite the write secret if its time is over; to be called several times a second."""
        with self._lock:
            held = self._held
            if held is not None and not held.holds(self._clock.now_ms(), self._clock.monotonic_ms()):
                self._end()

    def end(self) -> None:
        """Overwrite the write secret now."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._held is not None:
            self._held.wipe()
            self._held = None

    def _begin(self, epoch: Epoch, now_ms: int) -> InUse:
        began_ms = self._clock.monotonic_ms()
        previous = self._last_record(epoch)
        record = WriteSecretRecord(
            self._mesh,
            self._store,
            epoch.offer.epoch,
            now_ms,
            min(now_ms + self._life_ms, epoch.offer.not_after),
            FIRST_PREVIOUS if previous is None else hashlib.sha256(previous).digest(),
        )
        secret, kept = make(record, epoch.offer.public_key, self._signer)
        try:
            self._keep(epoch, kept)
        except BaseException:
            secret.wipe()
            raise
        return InUse(
            kept.id,
            secret,
            segment.segment_root(secret, self._mesh),
            roster.roster_root(secret, self._mesh),
            epoch.number,
            now_ms,
            record.not_after,
            began_ms + self._life_ms,
        )
