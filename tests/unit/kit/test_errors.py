from __future__ import annotations

from google.rpc import error_details_pb2

from garim.kit.errors import RETRY_AFTER_S, status_of
from garim.statements.refusal import Kind, RefusedError


def delay_of(refusal: RefusedError) -> int | None:
    retry = error_details_pb2.RetryInfo()
    found = [one for one in status_of(refusal).details if one.Unpack(retry)]
    return retry.retry_delay.seconds if found else None


def test_a_busy_service_says_when_to_call_again() -> None:
    assert delay_of(RefusedError("STORE_BUSY", "later", kind=Kind.EXHAUSTED, retry_after_s=3)) == 3


def test_an_unavailable_service_always_says_when_to_call_again() -> None:
    assert delay_of(RefusedError("LOG_UNAVAILABLE", "later", kind=Kind.UNAVAILABLE)) == RETRY_AFTER_S


def test_a_spent_budget_does_not_invite_to_call_again() -> None:
    assert delay_of(RefusedError("UNMASK_BUDGET", "no more", kind=Kind.EXHAUSTED)) is None
