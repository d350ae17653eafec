"""The access table: who may call what, read from the `access` option that stands with each RPC.

There is no second list. An RPC without the option, or without callers, keeps the server from starting; a
caller that no pattern covers is refused.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterable, Mapping

from google.protobuf import descriptor, descriptor_pool

from garim.api.common.v1 import access_pb2
from garim.kit.identity import Peer
from garim.statements.refusal import Kind, RefusedError, RefusedWithReasonsError

DEFAULT_DEADLINE_S = 10
MAX_DEADLINE_S = 24 * 3600
_PATTERN = re.compile(r"(service|backend|agency)(/[a-z0-9._-]+)?|person(/[a-z0-9._-]+){0,2}")

HEALTH = "grpc.health.v1.Health"
REFLECTION = "grpc.reflection.v1alpha.ServerReflection"


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """The rule of one RPC.

    Attributes:
        method: Path of the RPC, such as `/garim.api.audit.v1.AuditService/AppendEntry`.
        callers: Patterns of SPIFFE paths that may call it; never empty.
        idempotent: Whether sending it again has no second effect.
        deadline_s: Longest time a call may take, in seconds.
    """

    method: str
    callers: tuple[str, ...]
    idempotent: bool
    deadline_s: int

    def check(self, peer: Peer) -> None:
        """Refuse a caller that no pattern covers.

        Raises:
            RefusedError: `ACCESS_DENIED`.
        """
        if not any(peer.matches(pattern) for pattern in self.callers):
            raise RefusedError("ACCESS_DENIED", "this identity may not call this RPC", kind=Kind.FORBIDDEN)


Table = Mapping[str, Rule]

# Services that gRPC brings along, without option. Health has no Watch: a watcher would hold a thread.
BUILT_IN: Table = {
    rule.method: rule
    for rule in (
        Rule(f"/{HEALTH}/Check", ("service", "backend", "person/operator"), idempotent=True, deadline_s=5),
        Rule(f"/{REFLECTION}/ServerReflectionInfo", ("person/operator",), idempotent=False, deadline_s=60),
    )
}


def find_service(name: str) -> descriptor.ServiceDescriptor:
    """Return the descriptor of a service whose generated module is imported.

    Args:
        name: Full name, such as `garim.api.audit.v1.AuditService`.

    Raises:
        RefusedError: `ACCESS_UNLISTED_RPC`: a service without descriptor has no rules.
    """
    try:
        return descriptor_pool.Default().FindServiceByName(name)
    except KeyError:
        raise _unlisted(name, "no descriptor of this service is known") from None


def rule_of(method: descriptor.MethodDescriptor) -> Rule:
    """Read the rule that stands with one RPC.

    Raises:
        RefusedError: `ACCESS_UNLISTED_RPC` (no option or no callers) or `ACCESS_RULE_INVALID`.
    """
    path = f"/{method.containing_service.full_name}/{method.name}"
    access = method.GetOptions().Extensions[access_pb2.access]
    if not access.callers:
        raise _unlisted(path, "the RPC has no access option, or one without callers")
    if not all(_PATTERN.fullmatch(pattern) for pattern in access.callers):
        raise RefusedError("ACCESS_RULE_INVALID", "a caller pattern names no kind of identity", field=path)
    if not 0 <= access.deadline_seconds <= MAX_DEADLINE_S:
        raise RefusedError("ACCESS_RULE_INVALID", "the deadline lies outside 0 to 24 hours", field=path)
    deadline_s = access.deadline_seconds or DEFAULT_DEADLINE_S
    return Rule(path, tuple(access.callers), access.idempotent, deadline_s)


def access_table(services: Iterable[descriptor.ServiceDescriptor]) -> dict[str, Rule]:
    """Build the table of the given services.

    Raises:
        RefusedWithReasonsError: With one reason for each RPC whose rule is missing or invalid.
    """
    table: dict[str, Rule] = {}
    refused: list[RefusedError] = []
    for service in services:
        for method in service.methods:
            try:
                rule = rule_of(method)
            except RefusedError as error:
                refused.append(error)
            else:
                table[rule.method] = rule
    if refused:
        raise RefusedWithReasonsError(refused)
    return table


@functools.lru_cache(maxsize=1024)
def find_rule(path: str) -> Rule:
    """Return the rule of an RPC by its path; for clients, which know only the path.

    Raises:
        RefusedError: `ACCESS_UNLISTED_RPC` or `ACCESS_RULE_INVALID`.
    """
    if path in BUILT_IN:
        return BUILT_IN[path]
    service_name, _, method_name = path.removeprefix("/").partition("/")
    method = find_service(service_name).methods_by_name.get(method_name)
    if method is None:
        raise _unlisted(path, "the service has no such RPC")
    return rule_of(method)


def _unlisted(field: str, message: str) -> RefusedError:
    return RefusedError("ACCESS_UNLISTED_RPC", message, kind=Kind.FORBIDDEN, field=field)
