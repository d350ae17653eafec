"""The server of every service: mutual TLS, the access table, health, reflection for operators, a calm stop.

It does not start where an RPC has no rule, a certificate, key or trust store is not as it must be, or an
address cannot be had.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from concurrent import futures
from typing import Any, cast

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from garim.kit.access import BUILT_IN, HEALTH, REFLECTION, Rule, access_table, find_service
from garim.kit.calls import Guard
from garim.kit.clock import Clock
from garim.kit.health import Health, HealthServicer
from garim.kit.interceptors import layers_of_server
from garim.kit.metrics import MetricsServer
from garim.kit.refusals import RefusalReporter, RefusalSink
from garim.kit.settings import ServiceSettings
from garim.kit.telemetry import Telemetry
from garim.kit.tls import Rotation, server_credentials
from garim.statements.refusal import Kind, RefusedError

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
HEALTH_WORKERS = 2

# Adds one servicer: functools.partial(add_AuditServiceServicer_to_server, servicer).
Registration = Callable[[grpc.Server], None]

_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 30_000),
    # A connection ends after five minutes: no caller outlives its certificate for long, and callers find new
    # replicas, whose addresses they look up when they connect.
    ("grpc.max_connection_age_ms", 300_000),
    ("grpc.max_connection_age_grace_ms", 3_600_000),
    # A second server on the same port fails instead of sharing its calls.
    ("grpc.so_reuseport", 0),
)


class MeshServer:
    """One service's server.

    Args:
        settings: Addresses, identity and limits.
        registrations: The servicers.
        clock: For deadlines and rates.
        telemetry: For logs, counters and traces.
        refusal_sink: Where refused callers are appended to the audit log; see `refusals.RefusalSink`.
        rotation: The service's own identity, where it is open already; read from the settings if None.

    Attributes:
        health: Where the service registers its readiness checks.
        rotation: The service's own identity, for its channels to peers.

    Raises:
        RefusedError: A certificate, key or trust store is not as it must be (see `tls.load`), or
            `LISTEN_FAILED`.
        RefusedWithReasonsError: `ACCESS_UNLISTED_RPC` and others, one for each RPC without a valid rule.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        registrations: Sequence[Registration],
        *,
        clock: Clock,
        telemetry: Telemetry,
        refusal_sink: RefusalSink | None = None,
        rotation: Rotation | None = None,
    ) -> None:
        self._drain_s = settings.drain_s
        self._telemetry = telemetry
        self.health = Health(telemetry, clock)
        self.rotation = rotation or Rotation(settings.tls.files(), settings.mesh, clock, telemetry)
        self._reporter = RefusalReporter(telemetry, clock, refusal_sink)
        offered = _Offered()
        for register in registrations:
            register(cast("grpc.Server", offered))
        table = offered.table()
        names = frozenset(offered.handlers)
        health_servicer = HealthServicer(self.health, names)
        health_pb2_grpc.add_HealthServicer_to_server(health_servicer, cast("grpc.Server", offered))
        reflection.enable_server_reflection(
            [*sorted(names), HEALTH, REFLECTION], cast("grpc.Server", offered)
        )
        layers = layers_of_server(settings.mesh, clock, telemetry, self._reporter.report)
        self._server = grpc.server(
            futures.ThreadPoolExecutor(settings.workers, thread_name_prefix="call"),
            interceptors=[Guard({**table, **BUILT_IN}, layers)],
            options=_OPTIONS,
            maximum_concurrent_rpcs=settings.workers * 4,
        )
        offered.replay(self._server)
        self._health_server = grpc.server(
            futures.ThreadPoolExecutor(HEALTH_WORKERS, thread_name_prefix="health"),
            options=_OPTIONS,
            maximum_concurrent_rpcs=HEALTH_WORKERS * 4,
        )
        health_pb2_grpc.add_HealthServicer_to_server(health_servicer, self._health_server)
        credentials = server_credentials(self.rotation)
        self.port = _bound(settings.listen, lambda it: self._server.add_secure_port(it, credentials))
        self.health_port = _bound(settings.health_listen, self._health_server.add_insecure_port)
        telemetry.gauge("ready", self.health.serving)
        telemetry.gauge("certificate_expiry", lambda: self.rotation.current().expires_ms / 1000)
        self._metrics = _shown(settings.metrics_listen, telemetry)

    def start(self) -> None:
        """Accept calls."""
        self._reporter.start()
        self._server.start()
        self._health_server.start()
        self.health.set_started()
        self._telemetry.info(
            "listening",
            port=self.port,
            health_port=self.health_port,
            metrics_port=self._metrics.port if self._metrics else None,
        )

    def drain(self) -> None:
        """Stop: health says so first, no new call is taken, running calls get the settings' time to end."""
        self.health.set_draining()
        self._telemetry.info("draining")
        self._server.stop(self._drain_s).wait()
        self._reporter.close()
        self._health_server.stop(0).wait()
        if self._metrics:
            self._metrics.close()
        self._telemetry.info("stopped")
        self._telemetry.close()

    def serve_until_signalled(self) -> None:
        """Start, wait for SIGTERM or SIGINT, drain; only on the main thread."""
        # An event cannot be set from a handler: the handler may interrupt the wait while it holds the event's
        # lock. And a handler in Python runs only when the main thread wakes, which a read of this pipe does.
        woken, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        self.start()
        while os.read(woken, 1)[0] not in {signal.SIGTERM, signal.SIGINT}:
            pass
        self.drain()


class _Offered:
    """Stands in for a `grpc.Server` while servicers register, so that their rules can be read first."""

    def __init__(self) -> None:
        self.handlers: dict[str, Mapping[str, grpc.RpcMethodHandler[Any, Any]]] = {}
        self._generic: list[Sequence[grpc.GenericRpcHandler]] = []

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        self._generic.append(handlers)

    def add_registered_method_handlers(
        self, service_name: str, handlers: Mapping[str, grpc.RpcMethodHandler[Any, Any]]
    ) -> None:
        self.handlers[service_name] = handlers

    def table(self) -> dict[str, Rule]:
        if len(self._generic) != len(self.handlers):
            raise RefusedError(
                "ACCESS_UNLISTED_RPC", "only generated code may register servicers", kind=Kind.FORBIDDEN
            )
        return access_table(find_service(name) for name in self.handlers)

    def replay(self, server: grpc.Server) -> None:
        for handlers in self._generic:
            server.add_generic_rpc_handlers(handlers)
        for name, methods in self.handlers.items():
            server.add_registered_method_handlers(name, dict(methods))


def _shown(address: str | None, telemetry: Telemetry) -> MetricsServer | None:
    if address is None:
        return None
    host, _, port = address.rpartition(":")
    try:
        return MetricsServer(telemetry.metrics, host, int(port))
    except OSError:
        raise _not_had(address) from None


def _not_had(address: str) -> RefusedError:
    return RefusedError(
        "LISTEN_FAILED",
        f"{address} cannot be had: another process has it, or it is not ours",
        kind=Kind.PRECONDITION,
    )


def _bound(address: str, bind: Callable[[str], int]) -> int:
    try:
        port = bind(address)
    except RuntimeError:
        port = 0
    if port == 0:
        raise _not_had(address)
    return port
