"""Refused calls of this service, as entries of its own log."""

from __future__ import annotations

from collections.abc import Callable

from garim.audit.service import Entry, TransparencyLog
from garim.kit.clock import Clock
from garim.kit.ledger.refusals import ENTRY_REFUSED, refusal_body
from garim.kit.refusals import Refusal
from garim.translog.leaf import SALT_BYTES, commitment


class OwnRefusals:
    """A `garim.kit.refusals.RefusalSink` that appends to the log of the same process.

    Args:
        log: The log.
        actor: This service's SPIFFE id.
        clock: For the entries' times.
        random_bytes: Draws salts.
    """

    def __init__(
        self, log: TransparencyLog, actor: str, clock: Clock, random_bytes: Callable[[int], bytes]
    ) -> None:
        self._log = log
        self._actor = actor
        self._clock = clock
        self._random_bytes = random_bytes

    def __call__(self, refusal: Refusal) -> None:
        """Append one refused call.

        Raises:
            RefusedError: As `TransparencyLog.append_own`; the kit counts what could not be handed over.
        """
        now_ms = self._clock.now_ms()
        salt, body = self._random_bytes(SALT_BYTES), refusal_body(refusal, now_ms)
        entry = Entry(ENTRY_REFUSED, commitment(salt, body), now_ms, {"calls": refusal.count}, None)
        self._log.append_own(self._actor, entry, body, salt)
