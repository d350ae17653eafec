from __future__ import annotations

import datetime as dt
from pathlib import Path

import grpc
import pytest

from garim.kit.refusals import Refusal
from garim.statements.refusal import Kind, RefusedError
from kit_support.authority import Authority
from kit_support.echo import NAME, EchoStub, Text
from kit_support.running import Running, wait_for


def refused(stub: EchoStub, text: str = "hello") -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        stub.Say(Text(value=text), timeout=5)
    return caught.value


def raw_channel(running: Running, credentials: grpc.ChannelCredentials) -> grpc.Channel:
    return grpc.secure_channel(
        running.address,
        credentials,
        options=[("grpc.ssl_target_name_override", f"custody.{running.authority.mesh}.garim.internal")],
    )


def test_every_denial_before_the_one_success(running: Running, tmp_path: Path) -> None:
    authority = running.authority

    # No certificate, and none of this mesh's authority: the handshake itself fails.
    with raw_channel(running, grpc.ssl_channel_credentials(authority.trust.read_bytes())) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(f"/{NAME}/Say")(b"", timeout=5)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    stranger = Authority(tmp_path / "stranger").issue("service/redaction")
    credentials = grpc.ssl_channel_credentials(
        authority.trust.read_bytes(), stranger.key.read_bytes(), stranger.certificate.read_bytes()
    )
    with raw_channel(running, credentials) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(f"/{NAME}/Say")(b"", timeout=5)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE

    expired = authority.issue("service/redaction", until=-dt.timedelta(hours=1))
    credentials = grpc.ssl_channel_credentials(
        authority.trust.read_bytes(), expired.key.read_bytes(), expired.certificate.read_bytes()
    )
    with raw_channel(running, credentials) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(f"/{NAME}/Say")(b"", timeout=5)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE

    # The right authority, but not an identity that may call.
    other_mesh = authority.issue("service/redaction", mesh="other.mesh")
    override = f"custody.{authority.mesh}.garim.internal"
    credentials = grpc.ssl_channel_credentials(
        authority.trust.read_bytes(), other_mesh.key.read_bytes(), other_mesh.certificate.read_bytes()
    )
    with grpc.secure_channel(
        running.address, credentials, options=[("grpc.ssl_target_name_override", override)]
    ) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(f"/{NAME}/Say")(b"", timeout=5)
        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
        assert "another mesh" in caught.value.details()
    for path in (
        "service/messages",
        "service/redaction2",
        "person/reviewer/kim",
        "person/operator/custodian",
        "backend/redaction",
        "agency/redaction",
    ):
        refusal = refused(running.stub(authority.issue(path)))
        assert (refusal.reason, refusal.kind) == ("ACCESS_DENIED", Kind.FORBIDDEN), path
    two_names = authority.issue("service/redaction", more_uris=[f"spiffe://{authority.mesh}/service/audit"])
    credentials = grpc.ssl_channel_credentials(
        authority.trust.read_bytes(), two_names.key.read_bytes(), two_names.certificate.read_bytes()
    )
    with raw_channel(running, credentials) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(f"/{NAME}/Say")(b"", timeout=5)
        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
        assert "exactly one SPIFFE id" in caught.value.details()
    allowed = authority.issue("service/redaction")
    with pytest.raises(RefusedError, match="ACCESS_UNLISTED_RPC"):
        running.channel(allowed).unary_unary(f"/{NAME}/Shout")
    credentials = grpc.ssl_channel_credentials(
        authority.trust.read_bytes(), allowed.key.read_bytes(), allowed.certificate.read_bytes()
    )
    with raw_channel(running, credentials) as channel:
        for unknown in (f"/{NAME}/Shout", "/kit.test.v1.NoService/Say", "/grpc.health.v1.Health/Watch"):
            with pytest.raises(grpc.RpcError) as caught:
                channel.unary_unary(unknown)(b"", timeout=5)
            assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED, unknown
    assert running.echo.calls == 0

    # What is listed passes.
    assert running.stub(allowed).Say(Text(value="hello")).value == "hello"
    assert running.stub(authority.issue("person/custodian/lee")).Say(Text(value="hi")).value == "hi"

    wait_for(lambda: len(running.refusals) >= 9)
    assert {refusal.reason for refusal in running.refusals} == {
        "ACCESS_DENIED",
        "ACCESS_UNLISTED_RPC",
        "IDENTITY_OTHER_MESH",
        "IDENTITY_MISSING",
    }


def test_a_refused_caller_is_handed_to_the_audit_sink_with_its_identity(running: Running) -> None:
    stub = running.stub(running.authority.issue("person/reviewer/kim"))
    for _ in range(5):
        refused(stub)
    wait_for(lambda: bool(running.refusals))
    assert running.refusals == [
        Refusal(
            f"/{NAME}/Say",
            f"spiffe://{running.authority.mesh}/person/reviewer/kim",
            "ACCESS_DENIED",
            Kind.FORBIDDEN,
        )
    ]
    assert running.telemetry.counted("calls_refused") == 5
    assert running.log.getvalue().count('"call_refused"') == 1


def test_the_certificate_of_one_service_does_not_answer_for_another(running: Running) -> None:
    allowed = running.authority.issue("service/redaction")
    refusal = refused(running.stub(allowed, expects="audit"))
    assert refusal.kind is Kind.UNAVAILABLE
    assert running.echo.calls == 0


def test_a_client_whose_dns_names_are_another_services_is_refused(running: Running) -> None:
    authority = running.authority
    files = authority.issue("service/redaction", dns=[f"audit.{authority.mesh}.garim.internal"])
    credentials = grpc.ssl_channel_credentials(
        authority.trust.read_bytes(), files.key.read_bytes(), files.certificate.read_bytes()
    )
    with raw_channel(running, credentials) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(f"/{NAME}/Say")(b"", timeout=5)
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
