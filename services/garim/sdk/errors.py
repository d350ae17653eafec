"""What the sdk raises, and how a failed call is read.

A refusal of Garim travels as `google.rpc.Status` in the call's trailing metadata. Its few messages are
described here in a pool of their own, so that the sdk needs no further package for them.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, cast

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory

_STATUS_KEY = "grpc-status-details-bin"
_DOMAIN = "garim"
_TRANSIENT = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
    }
)


class GarimError(Exception):
    """Base of what the sdk raises.

    Attributes:
        reason: UPPER_SNAKE reason; the store's own where it gave one.
        field: The offending field, where there is one.
        retry_after_s: How long the store asks to wait, in seconds; None where it says nothing.
    """

    def __init__(
        self, reason: str, text: str, *, field: str = "", retry_after_s: float | None = None
    ) -> None:
        super().__init__(f"{reason}: {text}" + (f" (field {field})" if field else ""))
        self.reason = reason
        self.field = field
        self.retry_after_s = retry_after_s


class StoreRefusedError(GarimError):
    """The store refuses what was sent and would refuse it again."""


class StoreUnavailableError(GarimError):
    """The store does not answer, or takes no more at the moment; the same may succeed later."""


class QueueFullError(GarimError):
    """The producer holds as much as it may, and was told not to wait."""

    def __init__(self) -> None:
        super().__init__("QUEUE_FULL", "the producer's queue is full: put the message again later")


def error_of(failure: grpc.RpcError) -> GarimError:
    """Return what a failed call means.

    Args:
        failure: What the stub raised.
    """
    call = cast("grpc.Call", failure)  # every RpcError that a stub raises is also the call
    code = call.code()
    transient = code in _TRANSIENT
    kind = StoreUnavailableError if transient else StoreRefusedError
    status = _status_of(call.trailing_metadata() or ())
    if status is None:
        return kind(f"GRPC_{code.name}", "the store cannot be reached or refuses the caller")
    reason, field, delay = f"GRPC_{code.name}", "", None
    for detail in status.details:
        name = detail.type_url.rpartition("/")[2]
        if name == "google.rpc.ErrorInfo":
            info = _messages()["google.rpc.ErrorInfo"].FromString(detail.value)
            if info.domain == _DOMAIN and field == "":
                reason, field = info.reason, info.metadata.get("field", "")
        elif name == "google.rpc.RetryInfo":
            wait = _messages()["google.rpc.RetryInfo"].FromString(detail.value).retry_delay
            delay = wait.seconds + wait.nanos / 1e9
    return kind(reason, status.message, field=field, retry_after_s=delay)


def _status_of(metadata: Iterable[tuple[str, str | bytes]]) -> Any:
    for key, value in metadata:
        if key == _STATUS_KEY and isinstance(value, bytes):
            try:
                return _messages()["google.rpc.Status"].FromString(value)
            except message.DecodeError:
                return None
    return None


@functools.cache
def _messages() -> dict[str, Any]:
    """Return the classes of google/rpc/status.proto and error_details.proto that are read here."""
    pool = descriptor_pool.DescriptorPool()
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="garim/sdk/rpc.proto", package="google.rpc", syntax="proto3"
    )

    def describe(name: str, *fields: tuple[str, int, int, str]) -> descriptor_pb2.DescriptorProto:
        described = file.message_type.add(name=name)
        for at, kind, label, type_name in fields:
            described.field.add(
                name=at, number=len(described.field) + 1, type=kind, label=label, type_name=type_name or None
            )
        return described

    one, many = field.LABEL_OPTIONAL, field.LABEL_REPEATED
    describe("Any", ("type_url", field.TYPE_STRING, one, ""), ("value", field.TYPE_BYTES, one, ""))
    describe("Duration", ("seconds", field.TYPE_INT64, one, ""), ("nanos", field.TYPE_INT32, one, ""))
    describe(
        "Status",
        ("code", field.TYPE_INT32, one, ""),
        ("message", field.TYPE_STRING, one, ""),
        ("details", field.TYPE_MESSAGE, many, ".google.rpc.Any"),
    )
    info = describe(
        "ErrorInfo",
        ("reason", field.TYPE_STRING, one, ""),
        ("domain", field.TYPE_STRING, one, ""),
        ("metadata", field.TYPE_MESSAGE, many, ".google.rpc.ErrorInfo.MetadataEntry"),
    )
    entry = info.nested_type.add(name="MetadataEntry", options=descriptor_pb2.MessageOptions(map_entry=True))
    for number, name in enumerate(("key", "value"), start=1):
        entry.field.add(name=name, number=number, type=field.TYPE_STRING, label=one)
    describe("RetryInfo", ("retry_delay", field.TYPE_MESSAGE, one, ".google.rpc.Duration"))
    pool.Add(file)
    names = ("google.rpc.Status", "google.rpc.ErrorInfo", "google.rpc.RetryInfo")
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(name)) for name in names}
