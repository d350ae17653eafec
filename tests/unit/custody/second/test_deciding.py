"""How custodians decide: logged, once, also again after a lost answer."""

from __future__ import annotations

import pytest

from custody_support.second import HOUR_MS, NAMES, Packed, SecondVault
from garim.custody.kinds import REQUEST
from garim.custody.tables import unmask
from garim.kit.providers import KeyHandle
from garim.statements.refusal import RefusedError
from garim.testing.operator import away


def test_an_approval_is_logged_before_it_counts(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed)
    envelope = vault.decision("ga-on", "approve", request.subject)
    shares = vault.shares(request, "ga-on")
    vault.operator.audit.misbehaviour.silent = True
    with pytest.raises(RefusedError, match="LOG_UNAVAILABLE"):
        vault.decisions.decide(request.id, envelope, shares, "ga-on")
    with vault.database.reading() as connection:
        assert unmask.decisions(connection, request.id) == []
        assert unmask.shares(connection, request.id) == []
    vault.operator.audit.misbehaviour.silent = False
    vault.decisions.decide(request.id, envelope, shares, "ga-on")
    assert vault.logged("approval") == 1


@pytest.mark.parametrize("action", ["approve", "deny"])
def test_the_same_decision_again_is_answered_again(vault: SecondVault, packed: Packed, action: str) -> None:
    request = vault.ask(packed)
    envelope = vault.decision("ga-on", action, request.subject)  # type: ignore[arg-type] # both are actions
    shares = vault.shares(request, "ga-on") if action == "approve" else []
    first = vault.decisions.decide(request.id, envelope, shares, "ga-on")
    assert vault.decisions.decide(request.id, envelope, shares, "ga-on") == first
    with vault.database.reading() as connection:
        assert len(unmask.decisions(connection, request.id)) == 1


def test_a_denial_works_while_the_log_is_silent_and_is_logged_next(
    vault: SecondVault, packed: Packed
) -> None:
    request = vault.ask(packed)
    vault.operator.audit.misbehaviour.silent = True
    assert vault.deny(request, "ga-on", "na-rae").state == "denied"
    vault.operator.audit.misbehaviour.silent = False
    vault.ledger.flush()
    assert vault.logged("denial") == 2


def test_n_minus_k_plus_1_denials_end_a_request_for_good(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed)
    assert vault.deny(request, "ga-on").state == "pending"
    vault.approve(request, "da-som")
    assert vault.deny(request, "na-rae").state == "denied"
    with pytest.raises(RefusedError, match="REQUEST_STATE"):
        vault.approve(request, "na-rae")
    with pytest.raises(RefusedError, match="REQUEST_STATE"):
        vault.collecting.collect(request.id)


def test_a_denied_requests_shares_go_at_once_and_its_key_next(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed)
    vault.approve(request, "da-som")
    vault.deny(request, "ga-on", "na-rae")
    with vault.database.reading() as connection:
        assert unmask.shares(connection, request.id) == []
    vault.keeper.tick()
    assert not vault.provider.exists(KeyHandle(REQUEST, request.id))
    assert vault.find(request).wrapped_private is None
    assert vault.find(request).state == "denied"


def test_who_approved_may_still_deny_and_not_the_other_way(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed)
    vault.approve(request, "ga-on", "na-rae")
    vault.deny(request, "ga-on")
    with pytest.raises(RefusedError, match="REQUEST_UNDECIDED"):
        vault.collecting.collect(request.id)
    with pytest.raises(RefusedError, match="DECISION_REPEATED"):
        vault.approve(request, "ga-on", reason="TEST 다시")
    vault.approve(request, "da-som")
    assert vault.collecting.collect(request.id)


def test_one_custodian_denies_once(vault: SecondVault, packed: Packed) -> None:
    request = vault.deny(vault.ask(packed), "ga-on")
    again = vault.decision("ga-on", "deny", request.subject, reason="TEST 다시")
    with pytest.raises(RefusedError, match="DECISION_REPEATED"):
        vault.decisions.decide(request.id, again, [], "ga-on")
    assert vault.find(request).state == "pending"


def test_denial_works_while_frozen_and_approval_does_not(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed)
    vault.freeze()
    with pytest.raises(RefusedError, match="FROZEN"):
        vault.approve(request, "ga-on")
    assert vault.logged("approval") == 0
    assert vault.deny(request, "ga-on", "na-rae").state == "denied"


def test_after_its_expiry_nothing_is_decided(vault: SecondVault) -> None:
    packed = vault.pack(unmask_until=vault.clock.now_ms() + HOUR_MS)
    request = vault.ask(packed)
    vault.clock.advance(HOUR_MS)
    with pytest.raises(RefusedError, match="REQUEST_EXPIRED"):
        vault.approve(request, "ga-on")


def test_an_approval_that_has_expired_at_the_logs_time_does_not_count(
    vault: SecondVault, packed: Packed
) -> None:
    request = vault.ask(packed)
    soon = vault.clock.now_ms() + 60_000
    vault.operator.audit.misbehaviour.time_shift_ms = 60_000
    with pytest.raises(RefusedError, match="GOVERNANCE_VERSION"):
        vault.approve(request, "ga-on", expires=soon)
    with vault.database.reading() as connection:
        assert unmask.decisions(connection, request.id) == []


def test_a_freeze_or_denial_while_an_approval_is_logged_leaves_it_out(
    vault: SecondVault, packed: Packed
) -> None:
    request = vault.ask(packed)
    vault.before("approval", vault.freeze)
    with pytest.raises(RefusedError, match="FROZEN"):
        vault.approve(request, "ga-on")
    vault.thaw("ga-on", "na-rae")
    vault.before("approval", lambda: vault.deny(request, "da-som", "na-rae"))
    with pytest.raises(RefusedError, match="REQUEST_STATE"):
        vault.approve(request, "ga-on", reason="TEST 다시")
    with vault.database.reading() as connection:
        assert {one.action for one in unmask.decisions(connection, request.id)} == {"deny"}


def test_a_revoked_first_document_stops_approvals(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed)
    vault.before("approval", lambda: vault.revoke(packed))
    with pytest.raises(RefusedError, match="REQUEST_STATE"):
        vault.approve(request, "ga-on")


def test_an_approval_lapses_after_its_time_and_can_be_made_anew(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed)
    vault.approve(request, "ga-on", "na-rae")
    vault.clock.advance(HOUR_MS)
    with pytest.raises(RefusedError, match="REQUEST_UNDECIDED"):
        vault.collecting.collect(request.id)
    vault.approve(request, "ga-on", "na-rae")
    assert vault.collecting.collect(request.id)


def test_a_release_that_waits_for_the_log_can_be_denied_or_approved_anew(
    vault: SecondVault, packed: Packed
) -> None:
    request, other = vault.ask(packed), vault.ask(packed, NAMES[1])
    for one in (request, other):
        vault.approve(one, "ga-on", "na-rae")

        def silent() -> None:
            raise away()

        vault.before("identities-released", silent)
        with pytest.raises(RefusedError, match="LOG_UNAVAILABLE"):
            vault.collecting.collect(one.id)
        assert vault.find(one).state == "releasing"
    assert vault.deny(request, "ga-on", "na-rae").state == "denied"
    vault.clock.advance(HOUR_MS)
    vault.approve(other, "ga-on", "da-som")
    assert vault.opened(vault.collecting.collect(other.id), packed)


def test_no_custodian_decides_for_longer_than_a_day(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed)
    now_ms = vault.clock.now_ms()
    envelope = vault.decision(
        "ga-on", "approve", request.subject, issued=now_ms, expires=now_ms + 25 * HOUR_MS
    )
    with pytest.raises(RefusedError, match="lives too long"):
        vault.decisions.decide(request.id, envelope, vault.shares(request, "ga-on"), "ga-on")
