from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.cli.cases import case_id, patiently
from garim.cli.decisions import make_decision
from garim.statements.decisions import Decision
from garim.statements.model import CheckpointSeen
from garim.statements.refusal import Kind, RefusedError

KEY = Ed25519PrivateKey.generate()
SEEN = CheckpointSeen(size=3, root="cd" * 32)
DAY_MS = 24 * 3_600_000


def made(**changes: Any) -> Decision:
    stated: dict[str, Any] = {
        "mesh": "demo.example",
        "person": "ga-on",
        "action": "approve",
        "subject": "ab" * 32,
        "reason": "TEST",
        "governance": 4,
        "freeze": "ef" * 16,
        "checkpoint": SEEN,
        "now_ms": 1_000,
        "key": KEY,
    }
    envelope = make_decision(**(stated | changes))
    return Decision.verify(envelope, [KEY.public_key().public_bytes_raw()], mesh="demo.example", now=1_000)


def test_a_decision_is_bound_to_what_its_person_saw() -> None:
    decision = made()
    assert (decision.governance, decision.freeze, decision.checkpoint) == (4, "ef" * 16, SEEN)
    assert (decision.person, decision.subject) == ("ga-on", "ab" * 32)


def test_a_decision_ends_within_a_day() -> None:
    decision = made()
    assert decision.issued == 1_000
    assert 1_000 < decision.expires <= 1_000 + DAY_MS


@pytest.mark.parametrize("action", ["deny", "review-deny", "lift", "cancel", "freeze"])
@pytest.mark.parametrize("reason", ["", "  "])
def test_to_deny_lift_cancel_or_freeze_needs_a_reason(action: str, reason: str) -> None:
    with pytest.raises(RefusedError) as refused:
        made(action=action, reason=reason)
    assert (refused.value.reason, refused.value.field) == ("DECISION_REASON", "reason")


@pytest.mark.parametrize("text", ["", "ab", "zz" * 16, "ab" * 17])
def test_an_id_has_sixteen_bytes(text: str) -> None:
    with pytest.raises(RefusedError) as refused:
        case_id(text)
    assert refused.value.reason == "ID_FORM"


def test_only_what_may_succeed_later_is_tried_again() -> None:
    calls: list[int] = []

    def once_away() -> str:
        calls.append(1)
        if len(calls) == 1:
            raise RefusedError("PEER_UNAVAILABLE", "gone", kind=Kind.UNAVAILABLE)
        return "answer"

    assert patiently(once_away) == "answer"
    assert len(calls) == 2

    def wrong() -> str:
        calls.append(1)
        raise RefusedError("FIELD_VALUE", "wrong")

    with pytest.raises(RefusedError):
        patiently(wrong)
    assert len(calls) == 3


def test_patience_ends() -> None:
    def away() -> str:
        raise RefusedError("PEER_UNAVAILABLE", "gone", kind=Kind.UNAVAILABLE)

    with pytest.raises(RefusedError):
        patiently(away, patience_s=-1)
