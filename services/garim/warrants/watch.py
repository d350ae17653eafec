"""The background thread that lets time act on cases: reviews that lapse, duties that become overdue."""

from __future__ import annotations

import threading

from garim.kit.telemetry import Telemetry, log_refusal
from garim.statements.refusal import RefusedError
from garim.warrants.duties import Standing
from garim.warrants.service import Warrants

INTERVAL_S = 300.0


class Watch:
    """Looks at every case now and then, and counts what is overdue.

    `due_items_overdue` counts each overdue item once, by its name, from the start of the process on;
    `due_overdue` in the log has how many there are now. Neither names a person; a line names a case by its
    random id.

    Args:
        warrants: Lets reviews lapse, and knows what is due.
        telemetry: Where it is counted.
        interval_s: Time between two looks, in seconds.
    """

    def __init__(self, warrants: Warrants, telemetry: Telemetry, interval_s: float = INTERVAL_S) -> None:
        self._warrants = warrants
        self._telemetry = telemetry
        self._interval_s = interval_s
        self._known: frozenset[tuple[bytes, str]] = frozenset()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self, timeout_s: float = 5.0) -> None:
        """Stop after the look that is under way.

        Args:
            timeout_s: Longest time to wait, in seconds.
        """
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def overdue(self) -> int:
        """Return how many duties were overdue at the last look."""
        return len(self._known)

    def look(self) -> int:
        """Let what is late have its effect, and return how many duties are overdue.

        Raises:
            RefusedError: Those of `Means.policy_of`, of governance and the database.
        """
        self._warrants.lapse_reviews()
        items = self._warrants.casebook.everything_due()
        overdue = frozenset((one.case, one.item) for one in items if one.standing is Standing.OVERDUE)
        for case, item in sorted(overdue - self._known):
            self._telemetry.count("due_items_overdue", kind=item)
            self._telemetry.warning("due_item_overdue", case=case.hex(), kind=item)
        if len(overdue) != len(self._known):
            self._telemetry.info("due_overdue", count=len(overdue))
        self._known = overdue
        return len(overdue)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.look()
            except RefusedError as refusal:
                log_refusal(self._telemetry, "watch_waits", refusal)
            except Exception as error:  # noqa: BLE001 - whatever fails once is tried again
                self._telemetry.error("watch_failed", error=type(error).__name__)
            self._stop.wait(self._interval_s)
