from __future__ import annotations

import functools
import io
import threading
import time
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from garim.kit.clock import SystemClock
from garim.kit.health import LIVE
from garim.kit.server import MeshServer
from garim.kit.telemetry import Telemetry
from garim.statements.refusal import Kind, RefusedError, RefusedWithReasonsError
from kit_support.authority import Authority
from kit_support.echo import NAME, NOBODY, UNLISTED, WIDE, Echo, EchoStub, Text
from kit_support.running import Running, serve, settings_of, wait_for

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def health(running: Running, service: str = "") -> int:
    with grpc.insecure_channel(f"127.0.0.1:{running.server.health_port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        return int(stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=5).status)


def mutual(running: Running, path: str) -> grpc.Channel:
    files = running.authority.issue(path)
    credentials = grpc.ssl_channel_credentials(
        files.trust.read_bytes(), files.key.read_bytes(), files.certificate.read_bytes()
    )
    override = f"custody.{running.authority.mesh}.garim.internal"
    return grpc.secure_channel(
        running.address, credentials, options=[("grpc.ssl_target_name_override", override)]
    )


def test_the_health_port_answers_health_and_nothing_else(running: Running) -> None:
    assert health(running) == SERVING
    assert health(running, NAME) == SERVING
    with grpc.insecure_channel(f"127.0.0.1:{running.server.health_port}") as channel:
        for method in (
            f"/{NAME}/Say",
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
            "/grpc.health.v1.Health/Watch",
        ):
            with pytest.raises(grpc.RpcError) as caught:
                channel.unary_unary(method)(b"", timeout=5)
            assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED, method
    assert running.echo.calls == 0


def test_health_of_a_service_that_is_not_served_is_not_found(running: Running) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        health(running, "garim.api.nobody")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_the_main_port_speaks_no_plaintext(running: Running) -> None:
    with grpc.insecure_channel(running.address) as channel, pytest.raises(grpc.RpcError) as caught:
        health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_process_that_waits_for_a_peer_is_alive_all_the_same(running: Running) -> None:
    def check() -> None:
        raise RefusedError("LOG_UNAVAILABLE", "away", kind=Kind.UNAVAILABLE)

    running.server.health.register("log", check)
    assert (health(running), health(running, LIVE)) == (NOT_SERVING, SERVING)


def test_health_follows_the_readiness_checks(running: Running) -> None:
    ready = [False]

    def check() -> None:
        if not ready[0]:
            raise RefusedError("DATABASE_LOCKED", "locked")

    running.server.health.register("database", check)
    assert health(running) == NOT_SERVING
    assert '"check": "database"' in running.log.getvalue()
    ready[0] = True
    wait_for(lambda: health(running) == SERVING)


def test_reflection_is_for_operators_only(running: Running) -> None:
    def listed(path: str) -> list[str]:
        with mutual(running, path) as channel:
            stub = reflection_pb2_grpc.ServerReflectionStub(channel)
            request = reflection_pb2.ServerReflectionRequest(list_services="")
            answer = next(iter(stub.ServerReflectionInfo(iter([request]), timeout=5)))
            return [service.name for service in answer.list_services_response.service]

    for path in ("service/redaction", "person/custodian/lee", "person/reviewer/kim", "backend/chat"):
        with pytest.raises(grpc.RpcError) as caught:
            listed(path)
        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert NAME in listed("person/operator/choi")


def test_health_on_the_main_port_is_for_services_and_operators(running: Running) -> None:
    with mutual(running, "agency/prosecution") as channel, pytest.raises(grpc.RpcError) as caught:
        health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    with mutual(running, "service/audit") as channel:
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
    assert answer.status == SERVING


def test_a_drain_finishes_the_running_call_and_takes_no_new_one(tmp_path: Path, authority: Authority) -> None:
    running = serve(tmp_path, authority)
    begun, release = threading.Event(), threading.Event()

    def slow(text: str, _context: grpc.ServicerContext) -> str:
        begun.set()
        assert release.wait(10)
        return text

    running.echo.say = slow
    answers: list[str] = []
    stub = running.stub(authority.issue("service/redaction"))
    caller = threading.Thread(target=lambda: answers.append(stub.SayOnce(Text(value="done")).value))
    caller.start()
    assert begun.wait(10)
    drain = threading.Thread(target=running.server.drain)
    drain.start()
    wait_for(lambda: '"draining"' in running.log.getvalue())
    assert health(running) == NOT_SERVING
    late = running.stub(authority.issue("person/custodian/lee"))
    with pytest.raises(RefusedError, match="PEER_UNAVAILABLE"):
        late.SayOnce(Text(value="late"))
    release.set()
    caller.join(10)
    drain.join(10)
    assert answers == ["done"]
    assert running.echo.calls == 1
    assert '"stopped"' in running.log.getvalue()


def test_a_rotated_certificate_is_used_without_a_restart(running: Running) -> None:
    files = running.authority.issue("service/redaction")
    stub = running.stub(files)
    assert stub.Say(Text(value="x")).value == "x"

    # A new authority issues for server and client; who trusts only the old one can no longer connect.
    successor = Authority(running.authority.folder.parent / "next")
    running.files.trust.write_bytes(successor.trust.read_bytes())
    for path, dns in (
        ("service/custody", [f"custody.{successor.mesh}.garim.internal"]),
        ("service/redaction", []),
    ):
        issued = successor.issue(path, dns=dns)
        target = running.files if path.endswith("custody") else files
        target.key.write_bytes(issued.key.read_bytes())
        target.certificate.write_bytes(issued.certificate.read_bytes())
    assert stub.Say(Text(value="y")).value == "y"
    assert running.stub(files).Say(Text(value="z")).value == "z"
    assert running.log.getvalue().count('"certificate_rotated"') >= 2

    old = running.authority.issue("person/custodian/lee")
    old_trust = old.trust.with_name("old-trust.pem")
    old_trust.write_bytes(old.trust.read_bytes())
    credentials = grpc.ssl_channel_credentials(
        successor.trust.read_bytes(), old.key.read_bytes(), old.certificate.read_bytes()
    )
    override = f"custody.{successor.mesh}.garim.internal"
    with (
        grpc.secure_channel(
            running.address, credentials, options=[("grpc.ssl_target_name_override", override)]
        ) as channel,
        pytest.raises(grpc.RpcError),
    ):
        channel.unary_unary(f"/{NAME}/Say")(b"", timeout=5)


def test_an_open_channel_shows_its_new_certificate_at_the_next_call(running: Running) -> None:
    running.echo.say = lambda _text, context: dict(context.auth_context())["x509_pem_cert"][0].decode()
    files = running.authority.issue("service/redaction")
    stub = running.stub(files)
    for _ in range(2):
        assert stub.Say(Text()).value == files.certificate.read_text()
        running.authority.issue("service/redaction")
    assert stub.Say(Text()).value == files.certificate.read_text()


def test_a_rotation_in_the_middle_of_a_stream_does_not_end_it(running: Running) -> None:
    release = threading.Event()

    def count(text: str) -> object:
        yield text
        assert release.wait(10)
        yield text

    running.echo.count = count
    files = running.authority.issue("service/redaction")
    stub = running.stub(files)
    answers = stub.Count(Text(value="x"), timeout=5)
    next(answers)
    time.sleep(0.01)
    running.authority.issue("service/redaction")
    assert stub.Say(Text(value="y")).value == "y"
    release.set()
    assert next(answers).value == "x"


def test_a_rotation_that_is_half_written_leaves_the_former_in_use(running: Running) -> None:
    running.files.key.write_bytes(b"half")
    assert running.stub(running.authority.issue("service/redaction")).Say(Text(value="x")).value == "x"
    assert '"certificate_rotation_refused"' in running.log.getvalue()


def build(tmp_path: Path, authority: Authority, name: str = NAME, **changes: object) -> MeshServer:
    settings = settings_of(tmp_path, authority, authority.service("custody")).model_copy(update=changes)
    clock = SystemClock()
    return MeshServer(
        settings,
        [functools.partial(Echo().register, name=name)],
        clock=clock,
        telemetry=Telemetry("custody", clock, stream=io.StringIO(), strict=True),
    )


@pytest.mark.parametrize(
    ("name", "reason"),
    [(UNLISTED, "ACCESS_UNLISTED_RPC"), (NOBODY, "ACCESS_UNLISTED_RPC"), (WIDE, "ACCESS_RULE_INVALID")],
)
def test_a_server_with_an_rpc_without_rule_does_not_start(
    tmp_path: Path, authority: Authority, name: str, reason: str
) -> None:
    with pytest.raises(RefusedWithReasonsError) as caught:
        build(tmp_path, authority, name)
    assert [(r.reason, r.field) for r in caught.value.reasons] == [(reason, f"/{name}/Say")]


def test_a_server_whose_service_has_no_descriptor_does_not_start(
    tmp_path: Path, authority: Authority
) -> None:
    with pytest.raises(RefusedError, match="ACCESS_UNLISTED_RPC"):
        build(tmp_path, authority, "kit.test.v1.NoService")


def test_a_server_with_handlers_beside_its_services_does_not_start(
    tmp_path: Path, authority: Authority
) -> None:
    def register(server: grpc.Server) -> None:
        Echo().register(server)
        handler = grpc.unary_unary_rpc_method_handler(lambda request, _context: request)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("a.B", {"C": handler}),))

    settings = settings_of(tmp_path, authority, authority.service("custody"))
    telemetry = Telemetry("custody", SystemClock(), strict=True)
    with pytest.raises(RefusedError, match="ACCESS_UNLISTED_RPC"):
        MeshServer(settings, [register], clock=SystemClock(), telemetry=telemetry)


def test_a_server_with_an_empty_trust_store_or_a_persons_certificate_does_not_start(
    tmp_path: Path, authority: Authority
) -> None:
    former = authority.trust.read_bytes()
    authority.trust.write_bytes(b"")
    with pytest.raises(RefusedError, match="TRUST_STORE_EMPTY"):
        build(tmp_path, authority)
    authority.trust.write_bytes(former)
    settings = settings_of(tmp_path, authority, authority.issue("person/operator/choi"))
    with pytest.raises(RefusedError, match="CERTIFICATE_IDENTITY"):
        build(tmp_path, authority, tls=settings.tls)
    settings = settings_of(tmp_path, authority, authority.issue("service/custody"))
    assert settings.tls.files()
    with pytest.raises(RefusedError, match="CERTIFICATE_IDENTITY"):
        MeshServer(settings, [], clock=SystemClock(), telemetry=Telemetry("custody", SystemClock()))


def test_a_port_that_is_taken_is_refused(running: Running, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="LISTEN_FAILED"):
        build(tmp_path, running.authority, listen=running.address)


def test_a_peer_that_is_away_is_said_to_be_so(tmp_path: Path, authority: Authority) -> None:
    running = serve(tmp_path, authority)
    stub = EchoStub(running.channel(authority.issue("service/redaction")))
    running.server.drain()
    with pytest.raises(RefusedError, match="PEER_UNAVAILABLE"):
        stub.SayOnce(Text(value="x"))
