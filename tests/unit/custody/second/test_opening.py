"""How a second request is opened: once, within its budget, durably at every step."""

from __future__ import annotations

import pytest

from custody_support.second import NAMES, Packed, SecondVault
from custody_support.vault import digest_of
from garim.custody.kinds import REQUEST
from garim.custody.tables import objects, unmask
from garim.documents.policy import DAY_MS
from garim.statements import strict_json
from garim.statements.refusal import RefusedError
from garim.testing.operator import away


def test_the_same_document_again_is_the_same_request(vault: SecondVault, packed: Packed) -> None:
    received = vault.second(packed)
    grant = vault.unmask_grant(received)
    first = vault.unmasking.open(received, grant)
    assert vault.unmasking.open(received, grant) == first
    assert vault.logged("unmask-requested") == 1
    assert len(vault.provider.list(REQUEST)) == 1


def test_the_same_document_under_another_grant_is_refused(vault: SecondVault, packed: Packed) -> None:
    received = vault.second(packed)
    vault.unmasking.open(received, vault.unmask_grant(received))
    with pytest.raises(RefusedError, match="DOCUMENT_USED"):
        vault.unmasking.open(received, vault.unmask_grant(received))


def test_another_document_of_the_same_number_is_refused(vault: SecondVault, packed: Packed) -> None:
    vault.ask(packed, number="2026-TEST-same")
    with pytest.raises(RefusedError, match="DOCUMENT_USED"):
        vault.ask(packed, NAMES[1], number="2026-TEST-same")


def test_an_opening_whose_log_was_silent_is_completed_by_the_next_call(
    vault: SecondVault, packed: Packed
) -> None:
    received = vault.second(packed)
    grant = vault.unmask_grant(received)

    def silent() -> None:
        raise away()

    vault.before("unmask-requested", silent)
    with pytest.raises(RefusedError, match="LOG_UNAVAILABLE"):
        vault.unmasking.open(received, grant)
    with vault.database.reading() as connection:
        made = unmask.of_document(connection, digest_of(received))
    assert made is not None
    assert made.state == "making"
    with pytest.raises(RefusedError, match="REQUEST_UNKNOWN"):
        vault.approve(made, "ga-on")
    again = vault.unmasking.open(received, grant)
    assert (again.id, again.state) == (made.id, "pending")
    assert vault.logged("unmask-requested") == 1


def test_two_calls_at_once_open_one_request(vault: SecondVault, packed: Packed) -> None:
    received = vault.second(packed)
    grant = vault.unmask_grant(received)
    plain, inner = vault.opener.run, []

    def run(job: bytes) -> bytes:
        if b'"make-request-key"' in job and not inner:
            inner.append(None)
            inner[0] = vault.unmasking.open(received, grant)
        return plain(job)

    vault.opener.run = run  # type: ignore[method-assign]
    assert vault.unmasking.open(received, grant).id == inner[0].id
    vault.keeper.tick()
    assert [one.object_id for one in vault.provider.list(REQUEST)] == [inner[0].id]


def test_the_budget_counts_every_request_that_may_still_release(vault: SecondVault) -> None:
    packed = vault.pack(unmask_budget=2)
    vault.ask(packed, NAMES[0])
    vault.ask(packed, NAMES[1])
    with pytest.raises(RefusedError, match="UNMASK_BUDGET"):
        vault.ask(packed, NAMES[2])


def test_a_request_that_is_not_logged_yet_counts_against_the_budget(vault: SecondVault) -> None:
    packed = vault.pack(unmask_budget=1)

    def silent() -> None:
        raise away()

    vault.before("unmask-requested", silent)
    with pytest.raises(RefusedError, match="LOG_UNAVAILABLE"):
        vault.ask(packed)
    with pytest.raises(RefusedError, match="UNMASK_BUDGET"):
        vault.ask(packed, NAMES[1])


def test_a_denied_request_gives_its_budget_back(vault: SecondVault) -> None:
    packed = vault.pack(unmask_budget=1)
    vault.deny(vault.ask(packed), "ga-on", "na-rae")
    assert vault.ask(packed, NAMES[1]).state == "pending"


def test_dossiers_of_the_same_conversations_share_the_smaller_budget(vault: SecondVault) -> None:
    tag = "ab" * 32
    wide, narrow = vault.pack(unmask_budget=9, tag=tag), shared(vault, tag)
    vault.ask(wide, NAMES[0])
    with pytest.raises(RefusedError, match="UNMASK_BUDGET"):
        vault.ask(narrow, NAMES[1])
    assert vault.ask(vault.pack(unmask_budget=1)).state == "pending"


def shared(vault: SecondVault, tag: str) -> Packed:
    """Return a reviewed dossier that touches a conversation of an earlier one."""
    plain = vault.request

    def reviewed(**parts: object) -> object:
        request = plain(**parts)  # type: ignore[arg-type]
        request.decisions = vault.approvals(request, ("ra-on", "sol-bi"))
        return request

    vault.request = reviewed  # type: ignore[method-assign,assignment]
    try:
        return vault.pack(unmask_budget=1, tag=tag)
    finally:
        del vault.request


def test_a_request_ends_by_policy_with_its_grant_or_with_its_dossier(vault: SecondVault) -> None:
    now_ms = vault.clock.now_ms()
    assert vault.ask(vault.pack()).expires_ms == now_ms + 14 * DAY_MS
    short = vault.pack(unmask_until=now_ms + DAY_MS)
    assert vault.ask(short).expires_ms == now_ms + DAY_MS
    received = vault.second(vault.pack())
    grant = vault.unmask_grant(received, expires=now_ms + 5)
    assert vault.unmasking.open(received, grant).expires_ms == now_ms + 5


def test_after_its_deadline_a_dossier_takes_no_request(vault: SecondVault) -> None:
    packed = vault.pack(unmask_until=vault.clock.now_ms() + 1000)
    vault.clock.advance(1000)
    with pytest.raises(RefusedError, match="DOSSIER_EXPIRED"):
        vault.ask(packed)
    assert vault.logged("unmask-requested") == 0


def test_expiry_is_judged_at_the_time_of_the_log_entry(vault: SecondVault, packed: Packed) -> None:
    received = vault.second(packed)
    grant = vault.unmask_grant(received, expires=vault.clock.now_ms() + 60_000)
    vault.operator.audit.misbehaviour.time_shift_ms = 60_000
    with pytest.raises(RefusedError, match="DOSSIER_EXPIRED"):
        vault.unmasking.open(received, grant)
    with vault.database.reading() as connection:
        made = unmask.of_document(connection, digest_of(received))
    assert made is not None
    assert made.state == "making"


def test_a_first_document_revoked_while_the_request_is_logged_ends_it(
    vault: SecondVault, packed: Packed
) -> None:
    received = vault.second(packed)
    grant = vault.unmask_grant(received)
    vault.before("unmask-requested", lambda: vault.revoke(packed))
    with pytest.raises(RefusedError, match="DOCUMENT_REVOKED"):
        vault.unmasking.open(received, grant)
    with vault.database.reading() as connection:
        made = unmask.of_document(connection, digest_of(received))
    assert made is not None
    assert made.state == "revoked"


def test_a_request_that_expired_while_it_was_logged_stays_so(vault: SecondVault, packed: Packed) -> None:
    received = vault.second(packed)
    grant = vault.unmask_grant(received)

    def expire() -> None:
        with vault.database.writing() as connection:
            made = unmask.of_document(connection, digest_of(received))
            assert made is not None
            unmask.end_without_key(connection, made.id)

    vault.before("unmask-requested", expire)
    assert vault.unmasking.open(received, grant).state == "expired"


def test_a_crash_before_the_request_is_kept_leaves_no_key_for_ever(
    vault: SecondVault, packed: Packed
) -> None:
    plain = vault.opener.run

    def crash(job: bytes) -> bytes:
        if b'"make-request-key"' in job:
            raise RuntimeError
        return plain(job)

    vault.opener.run = crash  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        vault.ask(packed)
    orphan = vault.provider.list(REQUEST)[0]
    with vault.database.reading() as connection:
        known = objects.find(connection, REQUEST, orphan.object_id)
    assert known is not None
    assert known.due_ms == vault.clock.now_ms() + 14 * DAY_MS


def test_the_opening_is_logged_with_all_that_custodians_decide_on(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed, NAMES[0], NAMES[1])
    body = strict_json.parse_object(request.opened_body)
    assert body.keys() == {"document", "dossier", "filer", "grant", "identities", "request"}
    assert sorted(body["identities"]) == sorted(NAMES[:2])
