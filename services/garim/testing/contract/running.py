"""Run the cases against addresses and say how each ended."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from garim.testing.contract.calls import CALL_S, Callers, Outcome
from garim.testing.contract.cases import Case, Facts, cases_of
from garim.testing.contract.stories import Story, stories_of


@dataclass(frozen=True, slots=True)
class Result:
    """How a case ended.

    Attributes:
        rpc: Name of service and RPC.
        case: What was sent.
        role: Who called.
        problem: What was otherwise than the contract says; empty where nothing was.
        seconds: How long it took.
        skipped: Whether it was left out, since it stores something.
    """

    rpc: str
    case: str
    role: str
    problem: str
    seconds: float
    skipped: bool = False


def run(callers: Callers, facts: Facts, *, read_only: bool = False) -> Iterator[Result]:
    """Run all cases of the services that an address is known of.

    Args:
        callers: Channels to them.
        facts: What requests are made of.
        read_only: Whether cases that store something are left out.
    """
    for service in callers.addresses:
        for one in all_of(service):
            yield judged(one, callers, facts, read_only=read_only)


def all_of(service: str) -> list[Case | Story]:
    """Return the cases and stories of a service."""
    return [*cases_of(service), *stories_of(service)]


def judged(one: Case | Story, callers: Callers, facts: Facts, *, read_only: bool = False) -> Result:
    """Run one case or story; see `run`."""
    skipped = read_only and one.writes
    begun = time.perf_counter()
    problem = "" if skipped else problem_of(one, callers, facts)
    seconds = round(time.perf_counter() - begun, 4)
    rpc = f"{one.method.containing_service.name}.{one.method.name}"
    return Result(rpc, one.name, one.role or "nobody", problem, seconds, skipped)


def problem_of(one: Case | Story, callers: Callers, facts: Facts) -> str:
    """Return what is otherwise than the contract says; empty where nothing is."""
    if isinstance(one, Story):
        return one.tell(callers, facts)
    request = one.request(facts)

    def call() -> Outcome:
        return callers.call(one.method, one.role, request, one.timeout_s or CALL_S)

    first = call()
    if str(first) not in one.expected:
        return f"expected {' or '.join(one.expected)}, got {first}"
    if one.repeated:
        second = call()
        if str(second) != str(first):
            return f"ended with {first}, repeated with {second}"
        if one.settled and second.answers != first.answers:
            return "the same request got another answer"
    return ""


def counted(results: Iterable[Result]) -> dict[str, tuple[int, int, int]]:
    """Return how many cases each RPC has, failed and left out."""
    found: dict[str, tuple[int, int, int]] = {}
    for one in results:
        cases, failed, skipped = found.get(one.rpc, (0, 0, 0))
        found[one.rpc] = (cases + 1, failed + bool(one.problem), skipped + one.skipped)
    return found
