"""What is sent to each RPC, and how it must end.

Some cases every RPC has: bytes that are no request from each role (who may call is told that they are
malformed, who may not is told nothing), no certificate, no time. Its own cases stand in `own`: a request, and
the status and reason that it is answered with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from google.protobuf import descriptor, message, message_factory

from garim.kit.access import rule_of
from garim.testing.contract.calls import SERVICES
from garim.testing.contract.identities import ROLES

DENIED = "PERMISSION_DENIED ACCESS_DENIED"
MALFORMED = "INVALID_ARGUMENT REQUEST_MALFORMED"
NO_CERTIFICATE = "UNAVAILABLE PEER_UNAVAILABLE"
# The server began nothing; or the caller's own clock was first.
NO_TIME = ("UNAVAILABLE DEADLINE_TOO_SHORT", "DEADLINE_EXCEEDED DEADLINE_EXCEEDED")
TOO_LARGE = "RESOURCE_EXHAUSTED PEER_OVERLOADED"
OK = "OK"
NO_TIME_S = 0.02
TOO_MANY_BYTES = 16 * 1024 * 1024 + 1

_NO_REQUEST = b"\xff"


@dataclass(frozen=True, slots=True)
class Facts:
    """What requests are made of.

    Attributes:
        now_ms: Time in milliseconds since the Unix epoch.
        random_bytes: Draws ids.
    """

    now_ms: int
    random_bytes: Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Own:
    """A case of one RPC.

    Attributes:
        name: What is sent.
        expected: Status, and reasons behind it.
        fields: Returns the request's fields.
        role: Who calls; the first role that may where it is empty.
        writes: Whether the server stores something.
        settled: Whether a second answer must be the first one byte for byte; otherwise it must end alike.
    """

    name: str
    expected: str
    fields: Callable[[Facts], dict[str, object]]
    role: str = ""
    writes: bool = False
    settled: bool = True


@dataclass(frozen=True, slots=True)
class Case:
    """One call with its answer.

    Attributes:
        method: The RPC.
        name: What is sent.
        role: Whose certificate is shown; nobody's where it is empty.
        expected: How it may end.
        request: Makes the bytes.
        timeout_s: Deadline in seconds; None for the suite's own.
        repeated: Whether it is sent twice and must end alike.
        settled: Whether both answers must be equal.
        writes: Whether the server stores something.
    """

    method: descriptor.MethodDescriptor
    name: str
    role: str
    expected: tuple[str, ...]
    request: Callable[[Facts], bytes]
    timeout_s: float | None = None
    repeated: bool = False
    settled: bool = False
    writes: bool = False

    @property
    def label(self) -> str:
        """Name of RPC, case and caller."""
        return (
            f"{self.method.containing_service.name}.{self.method.name} {self.name} as {self.role or 'nobody'}"
        )


def cases_of(service: str) -> Iterator[Case]:
    """Yield the cases of all RPCs of a service, as its descriptor lists them.

    Args:
        service: `messages`, `warrants`, `redaction`, `custody` or `audit`.
    """
    methods = SERVICES[service].methods
    for method in methods:
        yield from _matrix(method)
        yield from _own(method)
    # The limit is the server's, before it looks which RPC is meant.
    allowed = may_call(methods[0])[0]
    yield Case(methods[0], "too large", allowed, (TOO_LARGE,), lambda _facts: bytes(TOO_MANY_BYTES))


def may_call(method: descriptor.MethodDescriptor) -> list[str]:
    """Return the roles that the access table lets call an RPC."""
    callers = rule_of(method).callers
    return [role for role in ROLES if any(f"{role}/".startswith(f"{one}/") for one in callers)]


def without_cases() -> list[str]:
    """Return the RPCs that nobody wrote a case for, and names of cases that no RPC has."""
    from garim.testing.contract.own import OWN

    known = {f"{one.name}.{method.name}" for one in SERVICES.values() for method in one.methods}
    return sorted(known.symmetric_difference(OWN))


def _matrix(method: descriptor.MethodDescriptor) -> Iterator[Case]:
    allowed = may_call(method)
    for role in ROLES:
        expected = MALFORMED if role in allowed else DENIED
        yield Case(method, "no request", role, (expected,), lambda _facts: _NO_REQUEST)
    yield Case(method, "no certificate", "", (NO_CERTIFICATE,), lambda _facts: b"")
    yield Case(method, "no time", allowed[0], NO_TIME, lambda _facts: b"", timeout_s=NO_TIME_S)


def _own(method: descriptor.MethodDescriptor) -> Iterator[Case]:
    from garim.testing.contract.own import OWN

    kind: type[message.Message] = message_factory.GetMessageClass(method.input_type)
    rule = rule_of(method)
    for one in OWN.get(f"{method.containing_service.name}.{method.name}", ()):

        def request(facts: Facts, own: Own = one) -> bytes:
            return kind(**own.fields(facts)).SerializeToString(deterministic=True)

        yield Case(
            method,
            one.name,
            one.role or may_call(method)[0],
            (one.expected,),
            request,
            repeated=rule.idempotent,
            settled=one.settled,
            writes=one.writes,
        )
