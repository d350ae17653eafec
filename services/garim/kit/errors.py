"""The one mapping between refusals and gRPC statuses, in both directions.

A refusal travels as `google.rpc.Status` with one `ErrorInfo` (domain `garim`) for each reason, `BadRequest`
for wrong fields and `RetryInfo` where time helps (AIP-193). Its message is written for the caller. Any other
exception becomes INTERNAL with an incident number; where it happened goes to the log, what it said goes
nowhere.
"""

from __future__ import annotations

import secrets
import traceback
from collections.abc import Callable
from types import MappingProxyType
from typing import cast

import grpc
from google.protobuf import any_pb2, message
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped] # it has no py.typed
from grpc_status import rpc_status

from garim.statements.refusal import Kind, RefusedError, RefusedWithReasonsError

DOMAIN = "garim"
RETRY_AFTER_S = 1
# gRPC refuses trailing metadata beyond 8 KiB; what is binary grows by a third on its way, and the message
# travels beside it.
MAX_DETAIL_BYTES = 5_000

CODES = MappingProxyType(
    {
        Kind.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
        Kind.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
        Kind.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
        Kind.EXISTS: grpc.StatusCode.ALREADY_EXISTS,
        Kind.PRECONDITION: grpc.StatusCode.FAILED_PRECONDITION,
        Kind.EXHAUSTED: grpc.StatusCode.RESOURCE_EXHAUSTED,
        Kind.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
        Kind.DATA_LOSS: grpc.StatusCode.DATA_LOSS,
    }
)
_KINDS = MappingProxyType({code: kind for kind, code in CODES.items()})

# What a status of gRPC itself, without reasons of ours, means to a caller.
_BARE: MappingProxyType[grpc.StatusCode, tuple[Kind, str, str]] = MappingProxyType(
    {
        grpc.StatusCode.UNAVAILABLE: (Kind.UNAVAILABLE, "PEER_UNAVAILABLE", "the peer cannot be reached"),
        grpc.StatusCode.DEADLINE_EXCEEDED: (
            Kind.UNAVAILABLE,
            "DEADLINE_EXCEEDED",
            "the peer did not answer in time",
        ),
        grpc.StatusCode.CANCELLED: (Kind.UNAVAILABLE, "CALL_CANCELLED", "the call was cancelled"),
        grpc.StatusCode.RESOURCE_EXHAUSTED: (
            Kind.EXHAUSTED,
            "PEER_OVERLOADED",
            "the peer takes no more, or no larger",
        ),
        grpc.StatusCode.UNIMPLEMENTED: (Kind.PRECONDITION, "RPC_UNKNOWN", "the peer does not offer this RPC"),
        grpc.StatusCode.PERMISSION_DENIED: (Kind.FORBIDDEN, "ACCESS_DENIED", "the peer refuses this caller"),
        grpc.StatusCode.UNAUTHENTICATED: (
            Kind.FORBIDDEN,
            "ACCESS_DENIED",
            "the peer does not accept the certificate",
        ),
    }
)


def status_of(refusal: RefusedError) -> status_pb2.Status:
    """Return the status that carries a refusal, with all of its reasons.

    Where the reasons with their messages outgrow what gRPC carries, the messages are left out; where that is
    still too much, the last reason is `MORE_REASONS` with a count.
    """
    reasons = refusal.reasons if isinstance(refusal, RefusedWithReasonsError) else (refusal,)
    code, _ = CODES[refusal.kind].value
    status = status_pb2.Status(code=code, message=refusal.message[:500])
    details = [_packed(_error_info(reason, with_message=True)) for reason in reasons]
    if sum(detail.ByteSize() for detail in details) > MAX_DETAIL_BYTES:
        details = _shortened(reasons)
    status.details.extend(details)
    violations = _bad_request(reasons)
    if violations.field_violations and status.ByteSize() + violations.ByteSize() <= MAX_DETAIL_BYTES:
        status.details.append(_packed(violations))
    retry_after_s = refusal.retry_after_s or (RETRY_AFTER_S if refusal.kind is Kind.UNAVAILABLE else 0)
    if retry_after_s:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromSeconds(retry_after_s)
        status.details.append(_packed(retry))
    return status


def refusal_from(error: grpc.RpcError) -> RefusedError:
    """Return the refusal that a failed call carries: the inverse of `status_of`.

    A status without reasons of ours (the peer is away, the deadline passed) gets a reason of its own, and
    `PEER_FAILED` where it has none. A peer's incident is `INTERNAL`, with its number in the message.
    """
    call = cast("grpc.Call", error)  # every RpcError that a channel raises is also the call
    code = call.code()
    kind = _KINDS.get(code, Kind.UNAVAILABLE)
    status = _status_in(call)
    infos = _unpack_all(status, error_details_pb2.ErrorInfo) if status is not None else []
    reasons = [_refusal_in(info, kind) for info in infos if info.domain == DOMAIN]
    if status is None or not reasons:
        bare_kind, reason, text = _BARE.get(code, (kind, "PEER_FAILED", "the peer failed"))
        return RefusedError(reason, text, kind=bare_kind)
    if len(reasons) > 1:
        return RefusedWithReasonsError(reasons)
    return RefusedError(reasons[0].reason, status.message, kind=kind, field=reasons[0].field)


def incident_status(incident: str) -> status_pb2.Status:
    """Return the status of an unexpected error: INTERNAL and its number, nothing of the error itself."""
    code, _ = grpc.StatusCode.INTERNAL.value
    status = status_pb2.Status(code=code, message=f"internal error, incident {incident}")
    info = error_details_pb2.ErrorInfo(
        reason="INTERNAL",
        domain=DOMAIN,
        metadata={"incident": incident, "message": status.message, "kind": Kind.UNAVAILABLE.value},
    )
    status.details.append(_packed(info))
    return status


def new_incident(random_hex: Callable[[int], str] = secrets.token_hex) -> str:
    """Return a fresh incident number: 64 random bits as hexadecimal digits."""
    return random_hex(8)


def places_of(error: BaseException) -> str:
    """Return where an error came from (file, line and function, innermost last), without its text.

    The text of an exception may quote what was being worked on; the code's own places cannot.
    """
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    return ">".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}:{frame.name}" for frame in frames)


def _error_info(reason: RefusedError, *, with_message: bool) -> error_details_pb2.ErrorInfo:
    info = error_details_pb2.ErrorInfo(
        reason=reason.reason, domain=DOMAIN, metadata={"kind": reason.kind.value}
    )
    if reason.field:
        info.metadata["field"] = reason.field[:200]
    if with_message:
        info.metadata["message"] = reason.message[:500]
    return info


def _shortened(reasons: tuple[RefusedError, ...]) -> list[any_pb2.Any]:
    details: list[any_pb2.Any] = []
    size = 0
    for position, reason in enumerate(reasons):
        detail = _packed(_error_info(reason, with_message=False))
        size += detail.ByteSize()
        if size > MAX_DETAIL_BYTES:
            left = RefusedError("MORE_REASONS", f"{len(reasons) - position} more", kind=reason.kind)
            return [*details, _packed(_error_info(left, with_message=True))]
        details.append(detail)
    return details


def _bad_request(reasons: tuple[RefusedError, ...]) -> error_details_pb2.BadRequest:
    return error_details_pb2.BadRequest(
        field_violations=[
            error_details_pb2.BadRequest.FieldViolation(
                field=reason.field[:200], description=reason.message[:500], reason=reason.reason
            )
            for reason in reasons
            if reason.kind is Kind.INVALID and reason.field
        ]
    )


def _refusal_in(info: error_details_pb2.ErrorInfo, fallback: Kind) -> RefusedError:
    try:
        kind = Kind(info.metadata.get("kind", fallback.value))
    except ValueError:
        kind = fallback
    text = info.metadata.get("message", "see the catalogue of reasons")
    return RefusedError(info.reason, text, kind=kind, field=info.metadata.get("field", ""))


def _status_in(call: grpc.Call) -> status_pb2.Status | None:
    try:
        return rpc_status.from_call(call)
    except (ValueError, message.DecodeError):
        return None


def _unpack_all(
    status: status_pb2.Status, kind: type[error_details_pb2.ErrorInfo]
) -> list[error_details_pb2.ErrorInfo]:
    found = []
    for detail in status.details:
        unpacked = kind()
        if detail.Is(kind.DESCRIPTOR) and detail.Unpack(unpacked):
            found.append(unpacked)
    return found


def _packed(detail: message.Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(detail)
    return packed
