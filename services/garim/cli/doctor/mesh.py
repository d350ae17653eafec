"""The doctor from an operator's place: the health of every service, versions, clocks, the log, governance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health_pb2

from garim.api.audit.v1 import audit_pb2
from garim.cli.doctor.findings import Finding, Findings
from garim.cli.session import Session
from garim.kit.convert import pin_to
from garim.kit.health import GOVERNANCE_KEY, TIME_KEY, VERSION_KEY
from garim.translog.leaf import parse_leaf

_SKEW_MS = 120_000
_SKEW_WARNING_MS = 30_000
_TIMEOUT_S = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """What a health port answered.

    Attributes:
        serving: Whether the service does its work; None where nobody answered.
        facts: Version of the code, the service's clock, its governance version.
        asked_ms: When it was asked, milliseconds since 1970.
    """

    serving: bool | None
    facts: Mapping[str, str]
    asked_ms: int


def ask(address: str, now_ms: int) -> Answer:
    """Ask a health port.

    Args:
        address: `host:port`.
        now_ms: Milliseconds since 1970.
    """
    with grpc.insecure_channel(address, options=(("grpc.enable_http_proxy", 0),)) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer, call = check.with_call(health_pb2.HealthCheckRequest(), timeout=_TIMEOUT_S)
        except grpc.RpcError:
            return Answer(None, {}, now_ms)
        facts = {key: value for key, value in call.trailing_metadata() or () if isinstance(value, str)}
    return Answer(answer.status == health_pb2.HealthCheckResponse.SERVING, facts, now_ms)


def examine(own: Session, answers: Mapping[str, Answer]) -> list[Finding]:
    """Look at a mesh.

    Args:
        own: The session of whoever looks; one that may read the log.
        answers: What each service's health port answered.
    """
    found = Findings("mesh")
    services = [look_at(service, answer) for service, answer in answers.items()]
    look_same(found, "versions", VERSION_KEY, answers, "end the upgrade: all services of one version")
    look_same(
        found, "governance", GOVERNANCE_KEY, answers, "wait some seconds; then see whether it reaches custody"
    )
    do = "call the auditors and keep every database: see deploy/README.md, A lost or stuck log"
    found.look("log", do, lambda: _log(own, found))
    return [one for findings in services for one in findings] + found.found


def look_at(service: str, answer: Answer) -> list[Finding]:
    """Return what one service's answer says about it."""
    found = Findings(service)
    if answer.serving is None:
        found.fault(
            "health", "its health port does not answer", "see whether the process runs and what it logged"
        )
        return found.found
    if answer.serving:
        found.ok("health", f"serves, version {answer.facts.get(VERSION_KEY, 'before 0.2')}")
    else:
        found.fault(
            "health", "it runs and does not serve", "its log says `not_ready` with the check that fails"
        )
    time = answer.facts.get(TIME_KEY, "")
    if not time.isdecimal():
        found.warn("clock", "it does not tell its time", "upgrade it")
        return found.found
    apart_ms = abs(int(time) - answer.asked_ms)
    what = f"{apart_ms / 1000:.1f} s from the clock here"
    if apart_ms > _SKEW_MS:
        found.fault("clock", what, "set both clocks by NTP: beyond two minutes nothing is released")
    elif apart_ms > _SKEW_WARNING_MS:
        found.warn("clock", what, "set both clocks by NTP")
    else:
        found.ok("clock", what)
    return found.found


def look_same(found: Findings, check: str, key: str, answers: Mapping[str, Answer], do: str) -> None:
    """Note whether a fact is the same at every service that tells it."""
    told = {service: one.facts[key] for service, one in answers.items() if key in one.facts}
    values = sorted(set(told.values()))
    if len(values) > 1:
        named = ", ".join(f"{service} {value}" for service, value in told.items())
        found.warn(check, f"not the same: {named}", do)
    elif values:
        found.ok(check, f"{values[0]} at {', '.join(told)}")


def _log(own: Session, found: Findings) -> None:
    version = own.governance().version
    found.ok("governance", f"version {version} as custody shows it, verified from the genesis digest")
    seen = own.ledger.refresh()
    found.ok(
        "log", f"its checkpoint of {seen.size} entries verifies and is consistent with the last one seen"
    )
    request = audit_pb2.ListEntriesRequest(pin=pin_to(seen), start=seen.size - 1, page_size=1)
    answer = own.audit.ListEntries(request)
    ahead_ms = parse_leaf(answer.leaves[0]).time_ms - own.now_ms()
    if ahead_ms > _SKEW_MS:
        do = "set the clocks by NTP; what the log has stays, so entries wait until the clocks have caught up"
        found.fault("log time", f"its last entry lies {ahead_ms // 1000} s ahead of the clock here", do)
    else:
        found.ok("log time", "its last entry is not ahead of the clock here")
