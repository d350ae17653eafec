"""Plain calls of bytes: what the suite sends need not be a message at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

import grpc
from google.protobuf import descriptor

from garim.api.audit.v1 import audit_pb2
from garim.api.custody.v1 import custody_pb2
from garim.api.messages.v1 import messages_pb2
from garim.api.redaction.v1 import redaction_pb2
from garim.api.warrants.v1 import warrants_pb2
from garim.kit.errors import refusal_from
from garim.kit.identity import dns_name
from garim.statements.refusal import RefusedWithReasonsError
from garim.testing.contract.identities import Identities

SERVICES: dict[str, descriptor.ServiceDescriptor] = {
    service: module.DESCRIPTOR.services_by_name[name]
    for service, module, name in (
        ("messages", messages_pb2, "MessageStoreService"),
        ("warrants", warrants_pb2, "WarrantsService"),
        ("redaction", redaction_pb2, "RedactionService"),
        ("custody", custody_pb2, "CustodyService"),
        ("audit", audit_pb2, "AuditLogService"),
    )
}
CALL_S = 30.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended.

    Attributes:
        code: The status.
        reasons: Reasons of a refusal; for a bare status the one that `kit.errors` gives it.
        answers: The messages received.
    """

    code: grpc.StatusCode
    reasons: tuple[str, ...]
    answers: tuple[bytes, ...]

    def __str__(self) -> str:
        return " ".join((self.code.name, *self.reasons))


class Callers:
    """Channels to the services under test, one for each role.

    Args:
        addresses: `host:port` by name of the service.
        identities: Who calls.
    """

    def __init__(self, addresses: Mapping[str, str], identities: Identities) -> None:
        self.addresses = dict(addresses)
        self.identities = identities
        self._channels: dict[tuple[str, str], grpc.Channel] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connections."""
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()

    def call(
        self, method: descriptor.MethodDescriptor, role: str, request: bytes, timeout_s: float = CALL_S
    ) -> Outcome:
        """Make one call.

        Args:
            method: The RPC.
            role: Whose certificate is shown; nobody's where it is empty.
            request: Bytes of the request.
            timeout_s: Deadline in seconds.
        """
        service = next(name for name, one in SERVICES.items() if one is method.containing_service)
        channel = self._channels.get((service, role)) or self._open(service, role)
        path = f"/{method.containing_service.full_name}/{method.name}"
        answers: list[bytes] = []
        try:
            if method.server_streaming:
                stream: Any = channel.unary_stream(path)
                answers.extend(stream(request, timeout=timeout_s))
            else:
                unary: Any = channel.unary_unary(path)
                answers.append(unary(request, timeout=timeout_s))
        except grpc.RpcError as error:
            refusal = refusal_from(error)
            reasons = refusal.reasons if isinstance(refusal, RefusedWithReasonsError) else (refusal,)
            code = cast("grpc.Call", error).code()
            return Outcome(code, tuple(one.reason for one in reasons), tuple(answers))
        finally:
            if not role:
                # A refused handshake must not make the next call wait.
                self._channels.pop((service, role)).close()
        return Outcome(grpc.StatusCode.OK, (), tuple(answers))

    def _open(self, service: str, role: str) -> grpc.Channel:
        channel = grpc.secure_channel(
            self.addresses[service],
            self.identities.credentials(role),
            options=(
                ("grpc.ssl_target_name_override", dns_name(self.identities.mesh, service)),
                ("grpc.max_send_message_length", -1),
                ("grpc.max_receive_message_length", -1),
                ("grpc.enable_retries", 0),
                ("grpc.enable_http_proxy", 0),
            ),
        )
        self._channels[service, role] = channel
        return channel
