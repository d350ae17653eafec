"""The background thread that logs what could wait, and tells the log our pin."""

from __future__ import annotations

import threading

from garim.kit.ledger.ledger import Ledger
from garim.kit.telemetry import Telemetry, log_refusal
from garim.statements.refusal import RefusedError

INTERVAL_S = 5.0
PIN_EVERY = 4


class Flusher:
    """Flushes a ledger soon after each `later`, and every few seconds.

    Every fourth time it also fetches the newest checkpoint: so quiet services witness the log too, and a log
    that has just started hears of their pins.

    Args:
        ledger: What to flush.
        telemetry: Where failures are logged.
        interval_s: Longest time between two attempts, in seconds.
    """

    def __init__(self, ledger: Ledger, telemetry: Telemetry, interval_s: float = INTERVAL_S) -> None:
        self._ledger = ledger
        self._telemetry = telemetry
        self._interval_s = interval_s
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        ledger.on_later(self._wake.set)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self, timeout_s: float = 5.0) -> None:
        """Stop after one last attempt; what is not logged then stays for the next start.

        Args:
            timeout_s: Longest time to wait, in seconds.
        """
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        rounds = 0
        while not self._stop.is_set():
            self._wake.clear()
            # A log that waits for our pin takes no entry before it has heard of it.
            rounds = rounds + 1 if self._attempted(refresh=rounds % PIN_EVERY == 0) else 0
            if self._wake.wait(self._interval_s) and rounds == 0:
                # A failing log is not asked at the rate at which entries come in.
                self._stop.wait(self._interval_s / 5)
        # Calls that were refused while the service drained are logged now, not at the next start.
        self._attempted(refresh=False)

    def _attempted(self, *, refresh: bool) -> bool:
        """Log what waits; tell whether the log took it."""
        try:
            if refresh:
                self._ledger.refresh()
            self._ledger.flush()
        except RefusedError as refusal:
            log_refusal(self._telemetry, "ledger_waits", refusal)
        except Exception as error:  # noqa: BLE001 - whatever fails once is tried again
            self._telemetry.error("ledger_failed", error=type(error).__name__)
        else:
            return True
        return False
