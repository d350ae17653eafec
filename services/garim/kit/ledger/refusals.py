"""Refused calls as log entries: what is said about whom is in the body, which the log never sees."""

from __future__ import annotations

from collections.abc import Callable

from garim.kit.clock import Clock
from garim.kit.ledger.ledger import Ledger
from garim.kit.refusals import Refusal
from garim.statements import strict_json

ENTRY_REFUSED = "access-refused"


def refusal_body(refusal: Refusal, now_ms: int) -> bytes:
    """Return what an entry about a refused call commits to.

    Args:
        refusal: The call, or several alike.
        now_ms: When it was reported, milliseconds since 1970.
    """
    return strict_json.dump(
        {
            "caller": refusal.caller,
            "count": refusal.count,
            "method": refusal.method,
            "reason": refusal.reason,
            "time": now_ms,
        }
    )


class RefusedCalls:
    """A `garim.kit.refusals.RefusalSink` that logs refused calls when the log answers.

    Args:
        ledger: The service's ledger.
        clock: For the time in the body.
        random_bytes: Draws the entry's key.
    """

    def __init__(self, ledger: Ledger, clock: Clock, random_bytes: Callable[[int], bytes]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._random_bytes = random_bytes

    def __call__(self, refusal: Refusal) -> None:
        """Take one refused call; it is durable on return.

        Raises:
            RefusedError: As `Ledger.later`.
        """
        body = refusal_body(refusal, self._clock.now_ms())
        key = self._random_bytes(16).hex()
        self._ledger.later(ENTRY_REFUSED, body, key=key, magnitudes={"calls": refusal.count})
