"""Which epoch it is, with its keys: fetched ahead of time, kept in memory, dropped at its end.

Custody may be away at midnight: the next epoch is known by then. Outside any known epoch nothing is stored.
"""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from garim.kit.clock import Clock
from garim.sealing import hpke
from garim.sealing.secret import Secret
from garim.statements.labels import Purpose, bind
from garim.statements.refusal import Kind, RefusedError

EPOCH_ID_BYTES = 16
INDEX_KEY_BYTES = 32
_ASK_AGAIN_MS = 1_000


@dataclass(frozen=True, slots=True)
class EpochOffer:
    """An epoch as custody hands it out.

    Attributes:
        epoch: Random id, 16 bytes.
        not_before: First millisecond inside, since the Unix epoch.
        not_after: First millisecond behind.
        public_key: HPKE public key of the epoch.
        index_key: The index key K.
    """

    epoch: bytes
    not_before: int
    not_after: int
    public_key: bytes
    index_key: Secret


class Shelf(NamedTuple):
    """Where an epoch's rows lie.

    Attributes:
        number: The epoch's number in this store's tables.
        partition: The partition of the tables.
        buckets: Into how many buckets its conversations fall.
    """

    number: int
    partition: int
    buckets: int

    def bucket(self, tag: bytes) -> int:
        """Return the bucket of a conversation's tag; tags are evenly distributed."""
        return int.from_bytes(tag[:8], "big") % self.buckets


@dataclass(frozen=True, slots=True)
class Epoch:
    """A known epoch, ready for storing.

    Attributes:
        shelf: Where its rows lie.
        offer: What custody said of it.
        batch_key: Key under which the contents of batches are compared, derived from K.
    """

    shelf: Shelf
    offer: EpochOffer
    batch_key: Secret

    @property
    def number(self) -> int:
        """Its number in this store's tables."""
        return self.shelf.number

    def covers(self, now_ms: int) -> bool:
        """Tell whether the wall time lies inside."""
        return self.offer.not_before <= now_ms < self.offer.not_after


class EpochBook:
    """The epochs that custody has told of.

    Args:
        ask: Asks custody for the current and the next epoch.
        register: Keeps id and times durably and returns where its rows go, or None where it has ended here.
        mesh: Name of the mesh.
        clock: For the wall time.
    """

    def __init__(
        self,
        ask: Callable[[], Sequence[EpochOffer]],
        register: Callable[[bytes, int, int], Shelf | None],
        *,
        mesh: str,
        clock: Clock,
    ) -> None:
        self._ask = ask
        self._register = register
        self._mesh = mesh
        self._clock = clock
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._asked_ms: int | None = None
        self._known: dict[bytes, Epoch] = {}

    def current(self) -> Epoch:
        """Return the epoch that it is now, asking custody where it is not known.

        Raises:
            RefusedError: `STORE_EPOCH` (unavailable).
        """
        epoch = self._covering(self._clock.now_ms())
        if epoch is None:
            self._refresh_calmly()
            epoch = self._covering(self._clock.now_ms())
        if epoch is None:
            raise RefusedError(
                "STORE_EPOCH",
                "no epoch is known for this time and custody gives none: try again",
                kind=Kind.UNAVAILABLE,
            )
        return epoch

    def knows_next(self) -> bool:
        """Tell whether the present epoch and the one behind it are known."""
        now = self._covering(self._clock.now_ms())
        return now is not None and self._covering(now.offer.not_after) is not None

    def refresh(self) -> None:
        """Ask custody and take in what is new.

        Raises:
            RefusedError: Custody does not answer; `EPOCH_INVALID` or `EPOCH_CHANGED` where its answer cannot
                be.
        """
        with self._asking:
            for offer in self._ask():
                self._take(offer)

    def ended(self) -> list[Epoch]:
        """Return known epochs whose time is over."""
        now_ms = self._clock.now_ms()
        with self._lock:
            return [one for one in self._known.values() if one.offer.not_after <= now_ms]

    def batch_key(self, number: int) -> Secret | None:
        """Return the key that compares batches of an epoch, while it is known."""
        with self._lock:
            return next((one.batch_key for one in self._known.values() if one.number == number), None)

    def drop_index_key(self, epoch: Epoch) -> None:
        """Overwrite an ended epoch's index key; the key that compares batches stays one epoch longer."""
        epoch.offer.index_key.wipe()

    def forget(self, epoch: Epoch) -> None:
        """Overwrite all that is known of an epoch."""
        with self._lock:
            self._known.pop(epoch.offer.epoch, None)
        epoch.offer.index_key.wipe()
        epoch.batch_key.wipe()

    def _covering(self, now_ms: int) -> Epoch | None:
        with self._lock:
            covering = (one for one in self._known.values() if one.covers(now_ms))
            return next((one for one in covering if len(one.offer.index_key)), None)

    def _refresh_calmly(self) -> None:
        now_ms = self._clock.monotonic_ms()
        with self._lock:
            if self._asked_ms is not None and now_ms - self._asked_ms < _ASK_AGAIN_MS:
                return
            self._asked_ms = now_ms
        try:
            self.refresh()
        except RefusedError as error:
            if error.kind is not Kind.UNAVAILABLE:
                raise

    def _take(self, offer: EpochOffer) -> None:
        self._demand_sound(offer)
        with self._lock:
            known = self._known.get(offer.epoch)
            others = [one for one in self._known.values() if one.offer.epoch != offer.epoch]
        if known is not None:
            self._demand_same(known, offer)
            offer.index_key.wipe()
            return
        if any(
            one.offer.not_before < offer.not_after and offer.not_before < one.offer.not_after
            for one in others
        ):
            raise _changed("custody tells of two epochs at one time")
        shelf = self._register(offer.epoch, offer.not_before, offer.not_after)
        if shelf is None:
            offer.index_key.wipe()
            return
        batch_key = Secret(
            bytearray(
                hmac.digest(offer.index_key.buffer, bind(Purpose.TAG, self._mesh, b"batch-key"), "sha256")
            )
        )
        with self._lock:
            self._known[offer.epoch] = Epoch(shelf, offer, batch_key)

    @staticmethod
    def _demand_sound(offer: EpochOffer) -> None:
        if (
            len(offer.epoch) != EPOCH_ID_BYTES
            or len(offer.index_key) != INDEX_KEY_BYTES
            or len(offer.public_key) != hpke.PUBLIC_BYTES
            or not offer.not_before < offer.not_after
        ):
            raise RefusedError(
                "EPOCH_INVALID", "custody's answer is no epoch: check custody", kind=Kind.DATA_LOSS
            )

    @staticmethod
    def _demand_same(known: Epoch, offer: EpochOffer) -> None:
        same_key = not len(known.offer.index_key) or known.offer.index_key == offer.index_key
        times = (known.offer.not_before, known.offer.not_after, known.offer.public_key)
        if not same_key or times != (offer.not_before, offer.not_after, offer.public_key):
            raise _changed("custody tells something else of an epoch than before")


def _changed(message: str) -> RefusedError:
    return RefusedError("EPOCH_CHANGED", f"{message}: check custody", kind=Kind.DATA_LOSS)
