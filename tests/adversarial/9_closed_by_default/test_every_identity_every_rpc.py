"""The whole access table against running services: every identity calls every RPC of every service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor, message_factory
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from garim.api.audit.v1 import audit_pb2
from garim.api.custody.v1 import custody_pb2
from garim.api.messages.v1 import messages_pb2
from garim.api.redaction.v1 import redaction_pb2
from garim.api.warrants.v1 import warrants_pb2
from garim.kit.access import HEALTH, REFLECTION, rule_of
from garim.kit.channel import PeerChannel
from garim.kit.identity import SCHEME, parse_spiffe_id
from garim.statements.refusal import RefusedError
from mesh_support.live import LiveMesh, refused

OFFERED = {
    "audit": audit_pb2,
    "custody": custody_pb2,
    "messages": messages_pb2,
    "redaction": redaction_pb2,
    "warrants": warrants_pb2,
}
LEAST_REFUSED = 400
"""There are more combinations of identity and RPC that no table allows."""


def _methods(service: str) -> Iterator[descriptor.MethodDescriptor]:
    for offered in OFFERED[service].DESCRIPTOR.services_by_name.values():
        yield from offered.methods


def _call(channel: PeerChannel, method: descriptor.MethodDescriptor) -> str:
    """Call with an empty request; returns why it was refused, or nothing."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    request = message_factory.GetMessageClass(method.input_type)()
    answer = message_factory.GetMessageClass(method.output_type)
    shape = "unary_stream" if method.server_streaming else "unary_unary"
    assert not method.client_streaming
    call = getattr(channel, shape)(
        path, request_serializer=type(request).SerializeToString, response_deserializer=answer.FromString
    )
    try:
        answered = call(request, timeout=10)
        if method.server_streaming:
            list(answered)
    except RefusedError as error:
        return error.reason
    return ""


@pytest.mark.parametrize("service", OFFERED)
def test_nobody_calls_an_rpc_that_the_table_does_not_give_them(live: LiveMesh, service: str) -> None:
    wrong: list[str] = []
    denied = 0
    for whose in live.identities():
        peer = parse_spiffe_id(f"{SCHEME}{live.file.mesh}/{whose}", live.file.mesh)
        channel = live.stolen(whose).channel(service)
        for method in _methods(service):
            allowed = any(peer.matches(pattern) for pattern in rule_of(method).callers)
            reason = _call(channel, method)
            denied += reason == "ACCESS_DENIED"
            if allowed == (reason == "ACCESS_DENIED"):
                wrong.append(f"{whose} {method.name}: {reason or 'answered'}")
    assert wrong == []
    assert denied >= len(live.identities())


def test_every_service_is_walked(live: LiveMesh) -> None:
    assert set(OFFERED) == set(live.file.addresses)
    assert len(live.identities()) * sum(1 for one in OFFERED for _ in _methods(one)) > LEAST_REFUSED


@pytest.mark.parametrize("service", OFFERED)
def test_only_operators_may_list_what_a_service_offers(live: LiveMesh, service: str) -> None:
    for whose in live.identities():
        call = (
            live.stolen(whose)
            .channel(service)
            .stream_stream(
                f"/{REFLECTION}/ServerReflectionInfo",
                request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
                response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
            )
        )
        ask = reflection_pb2.ServerReflectionRequest(list_services="*")
        if whose.startswith("person/operator/"):
            assert next(call(iter([ask]))).HasField("list_services_response")
        else:
            with refused("ACCESS_DENIED"):
                next(call(iter([ask])))


def _plain(channel: grpc.Channel, path: str, request: Any) -> grpc.StatusCode:
    call = channel.unary_unary(path, request_serializer=lambda one: one.SerializeToString())
    try:
        call(request, timeout=5)
    except grpc.RpcError as error:
        return error.code()  # type: ignore[no-any-return] # every RpcError of a channel is also its call
    return grpc.StatusCode.OK


@pytest.mark.parametrize("service", OFFERED)
def test_the_plaintext_port_answers_health_and_nothing_else(live: LiveMesh, service: str) -> None:
    with grpc.insecure_channel(live.file.health[service]) as channel:
        health = f"/{HEALTH}/Check"
        assert _plain(channel, health, health_pb2.HealthCheckRequest()) is grpc.StatusCode.OK
        for method in _methods(service):
            path = f"/{method.containing_service.full_name}/{method.name}"
            request = message_factory.GetMessageClass(method.input_type)()
            assert _plain(channel, path, request) is grpc.StatusCode.UNIMPLEMENTED
        listing = f"/{REFLECTION}/ServerReflectionInfo"
        ask = reflection_pb2.ServerReflectionRequest(list_services="*")
        assert _plain(channel, listing, ask) is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("service", OFFERED)
def test_without_a_certificate_of_the_mesh_nothing_answers(live: LiveMesh, service: str) -> None:
    path = next(f"/{one.containing_service.full_name}/{one.name}" for one in _methods(service))
    address = live.file.addresses[service]
    trust = (live.folder_of(f"service/{service}") / "ca.pem").read_bytes()
    options = (("grpc.ssl_target_name_override", f"{service}.{live.file.mesh}.garim.internal"),)
    anonymous = grpc.ssl_channel_credentials(root_certificates=trust)
    with (
        grpc.insecure_channel(address) as plain,
        grpc.secure_channel(address, anonymous, options=options) as nameless,
    ):
        for channel in (plain, nameless):
            assert _plain(channel, path, health_pb2.HealthCheckRequest()) is grpc.StatusCode.UNAVAILABLE
