"""The layers around every call, and their one order.

Outside in: telemetry, errors, refusals, deadline, access. Errors stand outside all that refuses, so each
refusal gets its status in one place; refusals stand outside deadline and access, so what those refuse is
reported too.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import grpc
from google.rpc import status_pb2  # type: ignore[import-untyped] # it has no py.typed
from grpc_status import rpc_status

from garim.kit.access import DEFAULT_DEADLINE_S
from garim.kit.calls import ActiveCall, Layer, status_code
from garim.kit.clock import Clock
from garim.kit.deadlines import served_deadline
from garim.kit.errors import incident_status, new_incident, places_of, status_of
from garim.kit.identity import peer_of
from garim.kit.refusals import Refusal
from garim.kit.telemetry import Telemetry
from garim.statements.refusal import Kind, RefusedError


def layers_of_server(
    mesh: str, clock: Clock, telemetry: Telemetry, report: Callable[[Refusal], None]
) -> tuple[Layer, ...]:
    """Return the layers of every server of the mesh, outermost first.

    Args:
        mesh: The mesh whose identities are accepted.
        clock: Where deadlines are measured.
        telemetry: Where calls are counted and traced and incidents written.
        report: Takes each refused call; it must not block.
    """
    return (
        telemetry_layer(telemetry, clock),
        errors_layer(telemetry),
        refusals_layer(report),
        deadline_layer(clock),
        access_layer(mesh),
    )


def telemetry_layer(telemetry: Telemetry, clock: Clock) -> Layer:
    """Count and trace each call by its method and status."""

    @contextlib.contextmanager
    def layer(call: ActiveCall) -> Iterator[None]:
        # The name of an RPC that no table lists is the caller's text: it is neither counted nor traced.
        method = call.rule.method if call.rule else "unlisted"
        begun_ms = clock.monotonic_ms()
        try:
            with telemetry.span(method, call.metadata):
                yield
        finally:
            code = status_code(call.context) or grpc.StatusCode.OK
            telemetry.count("calls_served", method=method, code=_code_name(code))
            telemetry.observe("call_served", (clock.monotonic_ms() - begun_ms) / 1000, method=method)

    return layer


def errors_layer(telemetry: Telemetry) -> Layer:
    """Turn refusals into statuses, and every other exception into an incident without detail."""

    @contextlib.contextmanager
    def layer(call: ActiveCall) -> Iterator[None]:
        try:
            yield
        except RefusedError as refusal:
            _abort(call, status_of(refusal))
        except Exception as error:
            if type(error) is Exception and not error.args and status_code(call.context) is not None:
                raise  # this is how gRPC's own abort leaves a handler
            if not call.context.is_active():
                # The caller is gone. Left to itself, gRPC would log the error with its text.
                call.context.abort(grpc.StatusCode.CANCELLED, "the caller has gone")
            incident = new_incident()
            telemetry.count("incidents")
            telemetry.error(
                "incident", incident=incident, error=type(error).__name__, places=places_of(error)[-1200:]
            )
            _abort(call, incident_status(incident))

    return layer


def refusals_layer(report: Callable[[Refusal], None]) -> Layer:
    """Report every refused call; authorisation stands inside, so its refusals are reported as well."""

    @contextlib.contextmanager
    def layer(call: ActiveCall) -> Iterator[None]:
        try:
            yield
        except RefusedError as refusal:
            report(
                Refusal(
                    method=call.rule.method if call.rule else "unlisted",
                    caller=call.peer.id if call.peer else "unknown",
                    reason=refusal.reason,
                    kind=refusal.kind,
                )
            )
            raise

    return layer


def deadline_layer(clock: Clock) -> Layer:
    """Give every call a deadline: the shorter of the caller's and the RPC's own."""

    @contextlib.contextmanager
    def layer(call: ActiveCall) -> Iterator[None]:
        maximum_s = call.rule.deadline_s if call.rule else DEFAULT_DEADLINE_S
        call.deadline = served_deadline(clock, maximum_s, call.context.time_remaining())
        yield

    return layer


def access_layer(mesh: str) -> Layer:
    """Let a call pass only if its caller's certificate and the RPC's rule say so."""

    @contextlib.contextmanager
    def layer(call: ActiveCall) -> Iterator[None]:
        call.peer = peer_of(call.context, mesh)
        if call.rule is None:
            raise RefusedError("ACCESS_UNLISTED_RPC", "no table lists this RPC", kind=Kind.FORBIDDEN)
        call.rule.check(call.peer)
        yield

    return layer


def _abort(call: ActiveCall, status: status_pb2.Status) -> None:
    call.context.abort_with_status(rpc_status.to_status(status))


def _code_name(code: object) -> str:
    return code.name if isinstance(code, grpc.StatusCode) else str(code)
