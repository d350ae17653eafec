"""Channels to peers: mutual TLS, the peer's identity, a deadline for each call, careful retries.

A call over a `PeerChannel` raises `RefusedError` where one over a plain channel raises `grpc.RpcError`. It is
made with the newest certificate. An idempotent unary call is sent again when the peer is unavailable,
within the call's deadline and within a budget that all calls of the channel share, so that repeats never
multiply an overload (gRFC A6). Streams are not sent again.

It is a channel rather than a set of gRPC client interceptors: those cannot change the certificate of the
channel below them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NoReturn, Self, TypeVar, cast

import grpc

from garim.kit.access import find_rule
from garim.kit.clock import Clock
from garim.kit.deadlines import Deadline, outgoing_timeout_s
from garim.kit.errors import refusal_from
from garim.kit.identity import dns_name
from garim.kit.retries import Retries
from garim.kit.telemetry import Telemetry
from garim.kit.tls import Rotation, TlsMaterial, channel_credentials
from garim.statements.refusal import Kind, RefusedError

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
MAX_ATTEMPTS = 4

StubT = TypeVar("StubT")
Metadata = Iterable[tuple[str, str | bytes]]


class PeerChannel(grpc.Channel):
    """A channel to one service of the caller's own mesh.

    Args:
        rotation: The caller's identity.
        service: Name of the service that must answer; the certificate of another one is refused.
        address: `host:port`.
        clock: Where deadlines are measured.
        telemetry: Where calls are counted and traced.
        retries: The budget of repeated calls.
    """

    def __init__(
        self,
        rotation: Rotation,
        service: str,
        address: str,
        *,
        clock: Clock,
        telemetry: Telemetry,
        retries: Retries | None = None,
    ) -> None:
        self._rotation = rotation
        self._service = service
        self._address = address
        self._lock = threading.Lock()
        self._material = rotation.current()
        self._connection = self._connect()
        self.clock = clock
        self.telemetry = telemetry
        self.retries = retries or Retries()

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Return a callable for an RPC of one request and one answer."""
        return _UnaryCall(self, grpc.Channel.unary_unary.__name__, method, args, kwargs)

    def stream_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Return a callable for an RPC of many requests and one answer."""
        return _UnaryCall(self, grpc.Channel.stream_unary.__name__, method, args, kwargs)

    def unary_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Return a callable for an RPC of one request and many answers."""
        return _StreamCall(self, grpc.Channel.unary_stream.__name__, method, args, kwargs)

    def stream_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Return a callable for an RPC of many requests and many answers."""
        return _StreamCall(self, grpc.Channel.stream_stream.__name__, method, args, kwargs)

    def subscribe(
        self, callback: Callable[[grpc.ChannelConnectivity], None], try_to_connect: bool = False
    ) -> None:
        """Tell `callback` of the present connection's states."""
        self._connection.channel.subscribe(callback, try_to_connect)

    def unsubscribe(self, callback: Callable[[grpc.ChannelConnectivity], None]) -> None:
        """Undo `subscribe`."""
        self._connection.channel.unsubscribe(callback)

    def close(self) -> None:
        """End the connection and every call on it."""
        self._connection.channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def borrow(self) -> _Connection:
        """Return the connection for one call, made with the newest certificate; the caller returns it."""
        material = self._rotation.current()
        with self._lock:
            if material is not self._material:
                self._material = material
                former, self._connection = self._connection, self._connect()
                former.retire()
            self._connection.take()
            return self._connection

    def _connect(self) -> _Connection:
        return _Connection(_open(self._material, self._service, self._address))


class Peers:
    """The channels of a service (or a person's client) to the services it calls.

    Args:
        rotation: The caller's identity.
        addresses: `host:port` by name of the service.
        clock: Where deadlines are measured.
        telemetry: Where calls are counted and traced.
    """

    def __init__(
        self, rotation: Rotation, addresses: Mapping[str, str], *, clock: Clock, telemetry: Telemetry
    ) -> None:
        self._rotation = rotation
        self._addresses = addresses
        self._clock = clock
        self._telemetry = telemetry
        self._lock = threading.Lock()
        self._channels: dict[str, PeerChannel] = {}

    def stub(self, kind: Callable[[grpc.Channel], StubT], service: str) -> StubT:
        """Return a typed stub: ``peers.stub(AuditServiceStub, "audit")``.

        Raises:
            RefusedError: `PEER_ADDRESS_MISSING`, or `ACCESS_UNLISTED_RPC` (an RPC has no rule).
        """
        with self._lock:
            if service not in self._channels:
                self._channels[service] = self._open(service)
            return kind(self._channels[service])

    def close(self) -> None:
        """Close all channels."""
        with self._lock:
            for channel in self._channels.values():
                channel.close()
            self._channels.clear()

    def _open(self, service: str) -> PeerChannel:
        address = self._addresses.get(service)
        if address is None:
            raise RefusedError(
                "PEER_ADDRESS_MISSING",
                f"the settings name no address for {service}: add it under peers",
                kind=Kind.PRECONDITION,
                field=f"peers.{service}",
            )
        return PeerChannel(self._rotation, service, address, clock=self._clock, telemetry=self._telemetry)


class _Connection:
    """A plain channel with one certificate, closed once it is retired and its last call has ended."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.channel = channel
        self._lock = threading.Lock()
        self._calls = 0
        self._retired = False

    def take(self) -> None:
        with self._lock:
            self._calls += 1

    def give_back(self) -> None:
        with self._lock:
            self._calls -= 1
            last = self._retired and self._calls == 0
        if last:
            self.channel.close()

    def retire(self) -> None:
        with self._lock:
            self._retired = True
            unused = self._calls == 0
        if unused:
            self.channel.close()


class _Call:
    """What unary and streaming calls share: the rule, the deadline, the metadata."""

    def __init__(
        self, channel: PeerChannel, shape: str, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self._channel = channel
        self._shape = shape
        self._method = method
        self._args = args
        self._kwargs = kwargs
        self._rule = find_rule(method)

    def _deadline(self, timeout: float | None) -> Deadline:
        clock = self._channel.clock
        timeout_s = outgoing_timeout_s(self._rule.deadline_s, timeout)
        return Deadline(clock.monotonic_ms() + int(timeout_s * 1000), clock)

    def _send(
        self, connection: _Connection, request: Any, deadline: Deadline, metadata: Metadata | None
    ) -> Any:
        call = getattr(connection.channel, self._shape)(self._method, *self._args, **self._kwargs)
        headers = (*(metadata or ()), *self._channel.telemetry.trace_headers().items())
        return call(request, timeout=max(deadline.remaining_ms(), 1) / 1000, metadata=headers)

    def _refused(self, error: grpc.RpcError) -> RefusedError:
        refusal = refusal_from(error)
        self._channel.telemetry.count("calls_failed", method=self._method, reason=refusal.reason)
        return refusal

    def with_call(self, *_: Any, **__: Any) -> NoReturn:
        """Not offered: what a call carries beside its answer is the kit's."""
        raise NotImplementedError("a peer channel makes plain calls only")

    def future(self, *_: Any, **__: Any) -> NoReturn:
        """Not offered: a call in the background would outlive the deadline of the call being served."""
        raise NotImplementedError("a peer channel makes plain calls only")


class _UnaryCall(_Call):
    def __call__(self, request: Any, timeout: float | None = None, metadata: Metadata | None = None) -> Any:
        deadline = self._deadline(timeout)
        attempt = 1
        with self._channel.telemetry.span(self._method):
            while True:
                connection = self._channel.borrow()
                try:
                    answer = self._send(connection, request, deadline, metadata)
                except grpc.RpcError as error:
                    if not self._may_repeat(error, attempt, deadline):
                        raise self._refused(error) from error
                else:
                    self._channel.retries.succeeded()
                    return answer
                finally:
                    connection.give_back()
                self._channel.retries.wait(attempt, deadline.remaining_ms() / 1000)
                attempt += 1

    def _may_repeat(self, error: grpc.RpcError, attempt: int, deadline: Deadline) -> bool:
        if cast("grpc.Call", error).code() is not grpc.StatusCode.UNAVAILABLE:
            return False
        within_budget = self._channel.retries.failed()
        return (
            within_budget
            and self._rule.idempotent
            and self._shape == grpc.Channel.unary_unary.__name__
            and attempt < MAX_ATTEMPTS
            and deadline.remaining_ms() > 0
        )


class _StreamCall(_Call):
    def __call__(
        self, request: Any, timeout: float | None = None, metadata: Metadata | None = None
    ) -> PeerStream:
        deadline = self._deadline(timeout)
        connection = self._channel.borrow()
        call = self._send(connection, request, deadline, metadata)
        if not call.add_callback(connection.give_back):
            connection.give_back()
        return PeerStream(call, self._refused)


class PeerStream:
    """The answers of a streaming call; iterate it, or `cancel` it to stop early.

    Raises:
        RefusedError: While iterating, where the peer refuses or fails.
    """

    def __init__(self, call: Any, refused: Callable[[grpc.RpcError], RefusedError]) -> None:
        self._call = call
        self._refused = refused

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            return next(self._call)
        except grpc.RpcError as error:
            raise self._refused(error) from error

    def cancel(self) -> bool:
        """End the call; the peer sees it as cancelled."""
        return bool(self._call.cancel())


def _open(material: TlsMaterial, service: str, address: str) -> grpc.Channel:
    return grpc.secure_channel(
        address,
        channel_credentials(material),
        options=(
            ("grpc.ssl_target_name_override", dns_name(material.identity.mesh, service)),
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
            ("grpc.keepalive_time_ms", 60_000),
            ("grpc.keepalive_timeout_ms", 20_000),
            # A name with many addresses is a service with many replicas: each call goes to the next.
            ("grpc.lb_policy_name", "round_robin"),
            # One that went away is looked for soon, and so are new addresses: a restart takes seconds.
            ("grpc.initial_reconnect_backoff_ms", 200),
            ("grpc.max_reconnect_backoff_ms", 2_000),
            ("grpc.dns_min_time_between_resolutions_ms", 2_000),
            # A proxy from the environment has no place between two services of a mesh.
            ("grpc.enable_http_proxy", 0),
            # Whether to send again is decided above, by the RPC's own rule.
            ("grpc.enable_retries", 0),
        ),
    )
