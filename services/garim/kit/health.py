"""Health that follows what the service needs: serving only while every readiness check passes."""

from __future__ import annotations

import contextlib
import importlib.metadata
import threading
from collections.abc import Callable

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from garim.kit.clock import Clock
from garim.kit.telemetry import Telemetry
from garim.statements.refusal import RefusedError

FRESH_MS = 1_000
LIVE = "live"
"""The name to ask for whether the process answers at all: one that waits for a peer need not be restarted."""

VERSION_KEY, TIME_KEY, GOVERNANCE_KEY = "garim-version", "garim-time-ms", "garim-governance"
"""What an answer carries as trailing metadata: of which version the code is, what the service's clock shows,
which governance version it works under. `garim doctor` compares them between services."""

ReadinessCheck = Callable[[], None]


class Health:
    """What the health service answers.

    Not serving before `set_started`, after `set_draining`, and while any check raises. The checks run at most
    once a second, whoever asks how often.

    Args:
        telemetry: Where changes are logged.
        clock: Where the second is measured.
    """

    def __init__(self, telemetry: Telemetry, clock: Clock) -> None:
        self._telemetry = telemetry
        self._clock = clock
        self._lock = threading.Lock()
        self._checks: dict[str, ReadinessCheck] = {}
        self._governance: Callable[[], int] | None = None
        self._version = importlib.metadata.version("garim")
        self._started = False
        self._draining = False
        self._checked_ms: int | None = None
        self._failed: frozenset[str] = frozenset()

    def register(self, name: str, check: ReadinessCheck) -> None:
        """Add a readiness check: it returns if all is well and raises otherwise.

        Args:
            name: For the log: `database`.
            check: Quick and repeatable; it is called while health is asked.
        """
        with self._lock:
            self._checks[name] = check
            self._checked_ms = None

    def tell_governance(self, version: Callable[[], int]) -> None:
        """Say under which governance version the service works.

        Args:
            version: Returns it, or raises while none is known.
        """
        self._governance = version

    def facts(self) -> tuple[tuple[str, str], ...]:
        """Return what an answer carries as metadata."""
        facts = [(VERSION_KEY, self._version), (TIME_KEY, str(self._clock.now_ms()))]
        if self._governance is not None:
            with contextlib.suppress(RefusedError):
                facts.append((GOVERNANCE_KEY, str(self._governance())))
        return tuple(facts)

    def set_started(self) -> None:
        """Say that the server accepts calls."""
        self._started = True

    def set_draining(self) -> None:
        """Say that the server is about to stop."""
        self._draining = True

    def serving(self) -> bool:
        """Tell whether the service can do its work now."""
        if not self._started or self._draining:
            return False
        with self._lock:
            now_ms = self._clock.monotonic_ms()
            if self._checked_ms is None or now_ms - self._checked_ms >= FRESH_MS:
                self._run_checks()
                self._checked_ms = now_ms
            return not self._failed

    def _run_checks(self) -> None:
        failed: set[str] = set()
        for name, check in self._checks.items():
            try:
                check()
            except Exception as error:  # noqa: BLE001 - whatever a check raises, the service is not ready
                failed.add(name)
                if name not in self._failed:
                    reason = error.reason if isinstance(error, RefusedError) else type(error).__name__
                    self._telemetry.warning("not_ready", check=name, reason=reason)
        for name in sorted(self._failed - failed):
            self._telemetry.info("ready_again", check=name)
        self._failed = frozenset(failed)


class HealthServicer(health_pb2_grpc.HealthServicer):
    """`grpc.health.v1.Health` without `Watch`, which would hold a thread for each watcher.

    Args:
        health: What to answer.
        names: The services that may be asked for; the empty name stands for all of them, `LIVE` for
            the process.
    """

    def __init__(self, health: Health, names: frozenset[str]) -> None:
        self._health = health
        self._names = names | {""}

    def Check(  # noqa: N802 - the name of the RPC
        self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        """Answer SERVING or NOT_SERVING; a name that is not served here is NOT_FOUND."""
        context.set_trailing_metadata(self._health.facts())
        if request.service == LIVE:
            return health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)
        if request.service not in self._names:
            context.abort(grpc.StatusCode.NOT_FOUND, "this service is not served here")
        status = health_pb2.HealthCheckResponse
        return status(status=status.SERVING if self._health.serving() else status.NOT_SERVING)
