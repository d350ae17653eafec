from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from garim.kit.deadlines import current_deadline
from garim.kit.identity import peer_of
from garim.kit.retries import Retries
from garim.statements.refusal import Kind, RefusedError, RefusedWithReasonsError
from kit_support.echo import NAME, EchoStub, Text
from kit_support.running import Running, wait_for


@pytest.fixture
def stub(running: Running) -> EchoStub:
    return running.stub(running.authority.issue("service/redaction"))


def raising(error: Exception) -> object:
    def say(_text: str, _context: grpc.ServicerContext) -> str:
        raise error

    return say


def raw(running: Running, path: str) -> grpc.Channel:
    files = running.authority.issue(path)
    credentials = grpc.ssl_channel_credentials(
        files.trust.read_bytes(), files.key.read_bytes(), files.certificate.read_bytes()
    )
    override = f"custody.{running.authority.mesh}.garim.internal"
    return grpc.secure_channel(
        running.address, credentials, options=[("grpc.ssl_target_name_override", override)]
    )


def refused(stub: EchoStub) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        stub.SayOnce(Text(value="x"))
    return caught.value


@pytest.mark.parametrize("kind", Kind)
def test_a_refusal_comes_back_as_it_was(running: Running, stub: EchoStub, kind: Kind) -> None:
    running.echo.say = raising(RefusedError("CASE_CLOSED", "the case is closed", kind=kind, field="case.id"))
    refusal = refused(stub)
    assert (refusal.reason, refusal.message, refusal.kind, refusal.field) == (
        "CASE_CLOSED",
        "the case is closed",
        kind,
        "case.id",
    )
    assert not isinstance(refusal, RefusedWithReasonsError)


def test_all_reasons_of_a_refusal_travel(running: Running, stub: EchoStub) -> None:
    reasons = [
        RefusedError("PERIOD_OPEN", "기간이 끝나지 않았습니다", kind=Kind.INVALID, field="period.end"),
        RefusedError("OFFENCE_UNLISTED", "the offence is not on the list", kind=Kind.PRECONDITION),
        RefusedError("BUDGET", "over the budget", kind=Kind.EXHAUSTED),
    ]
    running.echo.say = raising(RefusedWithReasonsError(reasons))
    refusal = refused(stub)
    assert isinstance(refusal, RefusedWithReasonsError)
    assert [(r.reason, r.message, r.kind, r.field) for r in refusal.reasons] == [
        (r.reason, r.message, r.kind, r.field) for r in reasons
    ]


def test_many_reasons_travel_without_breaking_the_call(running: Running, stub: EchoStub) -> None:
    reasons = [RefusedError("SUBJECT", "x" * 300, field=f"subjects[{i}]") for i in range(40)]
    running.echo.say = raising(RefusedWithReasonsError(reasons))
    refusal = refused(stub)
    assert isinstance(refusal, RefusedWithReasonsError)
    assert [r.field for r in refusal.reasons] == [r.field for r in reasons]
    running.echo.say = raising(RefusedWithReasonsError(reasons * 100))
    refusal = refused(stub)
    assert isinstance(refusal, RefusedWithReasonsError)
    assert refusal.reasons[-1].reason == "MORE_REASONS"


def test_a_foreign_client_finds_the_standard_details(running: Running) -> None:
    running.echo.say = raising(RefusedError("BAD", "wrong", field="a.b"))
    with raw(running, "service/redaction") as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(f"/{NAME}/Say")(b"", timeout=5)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    info, bad = rpc_status.from_call(caught.value).details
    read = error_details_pb2.ErrorInfo.FromString(info.value)
    assert (read.reason, read.domain, read.metadata["field"]) == ("BAD", "garim", "a.b")
    assert error_details_pb2.BadRequest.FromString(bad.value).field_violations[0].field == "a.b"


def test_an_unexpected_error_says_nothing_but_its_incident(
    running: Running, stub: EchoStub, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    running.echo.say = raising(KeyError("김가림 010-0000-1234"))
    with caplog.at_level(logging.DEBUG):
        refusal = refused(stub)
    assert "incident" in refusal.message
    incident = refusal.message.rpartition(" ")[2]
    log = running.log.getvalue()
    assert f'"incident": "{incident}"' in log
    assert "test_calls.py" in log
    everything = log + caplog.text + "".join(capfd.readouterr()) + repr(refusal)
    assert "김가림" not in everything
    assert "0000-1234" not in everything


def test_streams_are_guarded_like_calls(running: Running, stub: EchoStub) -> None:
    def count(text: str) -> Iterator[str]:
        yield text
        raise RefusedError("STOPPED", "stopped half way", kind=Kind.PRECONDITION)

    assert [text.value for text in stub.Count(Text(value="x"))] == ["x"] * 3
    assert stub.Gather(iter([Text(value="a"), Text(value="b")])).value == "a,b"
    assert [text.value for text in stub.Talk(iter([Text(value="a"), Text(value="b")]))] == ["a", "b"]
    running.echo.count = count
    answers = stub.Count(Text(value="x"))
    assert next(answers).value == "x"
    with pytest.raises(RefusedError, match="STOPPED"):
        next(answers)
    stranger = running.stub(running.authority.issue("service/messages"))
    for call in (lambda: list(stranger.Count(Text())), lambda: list(stranger.Talk(iter([Text()])))):
        with pytest.raises(RefusedError, match="ACCESS_DENIED"):
            call()


def test_a_handler_knows_who_calls(running: Running) -> None:
    running.echo.say = lambda _text, context: peer_of(context, running.authority.mesh).path
    stub = running.stub(running.authority.issue("person/custodian/lee"))
    assert stub.Say(Text()).value == "person/custodian/lee"


def test_every_call_has_a_deadline_and_the_shorter_one_holds(running: Running, stub: EchoStub) -> None:
    def remaining(_text: str, _context: grpc.ServicerContext) -> str:
        deadline = current_deadline()
        assert deadline is not None
        return str(deadline.remaining_ms())

    running.echo.say = remaining
    assert 4_000 < int(stub.Say(Text()).value) <= 5_000
    assert 500 < int(stub.Say(Text(), timeout=1.0).value) <= 1_100
    assert 4_000 < int(stub.Say(Text(), timeout=500.0).value) <= 5_000
    assert 4_000 < int(next(iter(stub.Talk(iter([Text()])))).value) <= 5_000


def test_a_stream_ends_at_its_deadline_even_if_the_caller_would_wait(running: Running) -> None:
    def endless(text: str) -> Iterator[str]:
        while True:
            time.sleep(0.05)
            yield text

    running.echo.count = endless
    with raw(running, "service/redaction") as channel, pytest.raises(grpc.RpcError) as caught:
        list(channel.unary_stream(f"/{NAME}/Count")(b"", timeout=60))
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert "longer than it may" in caught.value.details()


def test_a_cancelled_stream_stops_at_the_server(running: Running, stub: EchoStub) -> None:
    ended: list[bool] = []

    def endless(text: str) -> Iterator[str]:
        try:
            while True:
                time.sleep(0.01)
                yield text
        finally:
            ended.append(True)

    running.echo.count = endless
    answers = stub.Count(Text(value="x"))
    next(answers)
    answers.cancel()
    wait_for(lambda: bool(ended))


def flaky(running: Running, failures: int) -> None:
    def say(text: str, _context: grpc.ServicerContext) -> str:
        if running.echo.calls <= failures:
            raise RefusedError("LOG_AWAY", "the log does not answer", kind=Kind.UNAVAILABLE)
        return text

    running.echo.say = say


def test_an_idempotent_call_is_repeated_and_another_is_not(running: Running) -> None:
    waits: list[float] = []
    retries = Retries(sleep=waits.append, jitter=lambda: 1.0)
    files = running.authority.issue("service/redaction")
    stub = EchoStub(running.channel(files, retries=retries))
    flaky(running, 2)
    assert stub.Say(Text(value="x")).value == "x"
    assert running.echo.calls == 3
    assert waits == [0.1, 0.2]

    running.echo.calls = 0
    assert refused(stub).reason == "LOG_AWAY"
    assert running.echo.calls == 1

    for error in (RefusedError("CASE_CLOSED", "closed", kind=Kind.PRECONDITION), KeyError("a bug")):
        running.echo.calls = 0
        running.echo.say = raising(error)
        with pytest.raises(RefusedError):
            stub.Say(Text(value="x"))
        assert running.echo.calls == 1


def test_repeats_end_after_a_few_and_share_a_budget(running: Running) -> None:
    retries = Retries(tokens=10, sleep=lambda _s: None, jitter=lambda: 0.5)
    stub = EchoStub(running.channel(running.authority.issue("service/redaction"), retries=retries))
    flaky(running, 10_000)
    for _ in range(10):
        with pytest.raises(RefusedError, match="LOG_AWAY"):
            stub.Say(Text(value="x"))
    # Four attempts for the first call; the fifth failure uses up the budget: the others are made once.
    assert running.echo.calls == 4 + 9


def test_a_request_that_is_no_message_is_refused_and_only_after_access(running: Running) -> None:
    for path, code in (
        ("service/messages", grpc.StatusCode.PERMISSION_DENIED),
        ("service/redaction", grpc.StatusCode.INVALID_ARGUMENT),
    ):
        with raw(running, path) as channel:
            with pytest.raises(grpc.RpcError) as caught:
                channel.unary_unary(f"/{NAME}/Say")(b"\xff\xff", timeout=5)
            assert caught.value.code() is code
            with pytest.raises(grpc.RpcError) as caught:
                channel.stream_unary(f"/{NAME}/Gather")(iter([b"\xff\xff"]), timeout=5)
            assert caught.value.code() is code
    assert running.echo.calls == 0


def test_an_answer_that_is_no_message_is_an_incident_without_text(
    running: Running, stub: EchoStub, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    running.echo.answer = lambda _text: "김가림"
    refusal = refused(stub)
    assert refusal.reason == "INTERNAL"
    assert "김가림" not in caplog.text + running.log.getvalue() + "".join(capfd.readouterr())


def test_an_error_after_the_caller_has_gone_leaves_no_text_in_any_log(
    running: Running, stub: EchoStub, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    ended: list[bool] = []

    def fail_late(text: str) -> Iterator[str]:
        yield text
        wait_for(lambda: bool(ended))
        time.sleep(0.2)
        raise KeyError("김가림")

    running.echo.count = fail_late
    with caplog.at_level(logging.DEBUG):
        answers = stub.Count(Text(value="x"))
        next(answers)
        answers.cancel()
        ended.append(True)
        wait_for(lambda: running.telemetry.counted("calls_served", method=f"/{NAME}/Count") == 1)
        time.sleep(0.1)
    assert '"incident"' not in running.log.getvalue()
    assert "김가림" not in caplog.text + running.log.getvalue() + "".join(capfd.readouterr())
