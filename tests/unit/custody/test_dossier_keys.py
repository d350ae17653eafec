from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from custody_support.vault import MESH, Vault, digest_of, resigned
from garim.custody.kinds import DOSSIER
from garim.custody.tables import dossiers, stopping
from garim.documents.fields import write_instant
from garim.documents.policy import DAY_MS
from garim.documents.sign import sign_document
from garim.kit.convert import Logged, Received
from garim.kit.providers import KeyHandle
from garim.sealing import quorum
from garim.sealing.secret import Secret
from garim.statements.decisions import Decision
from garim.statements.refusal import Kind, RefusedError
from garim.testing import documents
from garim.testing.operator import OperatorGovernance, away


@pytest.fixture(autouse=True)
def _time_of_the_request(vault: Vault) -> None:
    vault.stored_epoch()
    vault.until_request()


def refused(vault: Vault, reason: str, **bent: Any) -> RefusedError:
    request = vault.request(**bent)
    with pytest.raises(RefusedError) as caught:
        vault.create(request)
    assert caught.value.reason == reason, caught.value
    assert vault.logged("dossier-key-created") == 0
    assert vault.provider.list(DOSSIER) == []
    return caught.value


def test_k_custodians_shares_open_the_dossiers_key_and_nothing_else_does(vault: Vault) -> None:
    dossier = vault.create(vault.request())
    dossier_id = bytes.fromhex(dossier.id)
    assert dossier.wrapped_private is not None
    with vault.database.reading() as connection:
        kept = dossiers.shares(connection, dossier.id)
    under_q = vault.provider.unwrap(KeyHandle(DOSSIER, dossier.id), dossier.wrapped_private, b"private")
    subset = kept[0].subset
    shares = [
        quorum.open_share(
            quorum.SealedShare(one.subset, one.custodian, one.sealed, one.digest, one.holder),
            vault.operator.governance.share_keys[one.custodian][0],
            MESH,
            dossier_id,
        )
        for one in kept
        if one.subset == subset
    ]
    with quorum.combine(shares) as q:
        private = quorum.unwrap_private(q, bytes(under_q.buffer), MESH, dossier_id)
    with Secret.random() as wrong, pytest.raises(RefusedError, match="SEALING_OPEN"):
        quorum.unwrap_private(wrong, bytes(under_q.buffer), MESH, dossier_id)
    assert len(private) == 96
    assert len(kept) == 3 * 2


def test_creation_is_logged_before_the_dossier_counts(vault: Vault) -> None:
    request = vault.request()

    def silent(_kind: str) -> None:
        raise away()

    vault.operator.audit.before_append = silent
    with pytest.raises(RefusedError, match="LOG_UNAVAILABLE"):
        vault.create(request)
    with vault.database.reading() as connection:
        used = dossiers.used_for(
            connection, digest="00" * 32, authority=documents.AUTHORITY, number="2026-압수-0001"
        )
        made = dossiers.find(connection, used or "")
    assert made is not None
    assert made.state == "making"
    vault.operator.audit.before_append = lambda _kind: None
    assert vault.create(request).id == made.id
    assert vault.logged("dossier-key-created") == 1


def test_the_same_payload_returns_the_same_dossier(vault: Vault) -> None:
    request = vault.request()
    first = vault.create(request)
    again = Received(
        request.received.media_type,
        documents.signed(vault.pki, documents.disclosure(vault.pki)),
        (),
    )
    assert again.content != request.received.content
    request.received = again
    assert vault.create(request).id == first.id
    assert vault.logged("dossier-key-created") == 1


def test_the_same_document_under_another_grant_is_refused(vault: Vault) -> None:
    vault.create(vault.request())
    with pytest.raises(RefusedError, match="DOCUMENT_USED"):
        vault.create(vault.request())


def test_another_document_of_the_same_number_is_refused(vault: Vault) -> None:
    vault.create(vault.request())
    with pytest.raises(RefusedError, match="DOCUMENT_USED"):
        vault.create(vault.request(document={"offence": "murder"}))


def test_a_refused_document_claims_nothing(vault: Vault) -> None:
    refused(vault, "GRANT_SCOPE", grant={"recipient": "age1other"})
    assert vault.create(vault.request())


def test_an_erased_dossier_has_no_key(vault: Vault) -> None:
    dossier = vault.create(vault.request(document={"mode": "erased"}))
    assert dossier.public_key is None
    assert dossier.wrapped_private is None
    assert vault.provider.list(DOSSIER) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subjects", ({"kind": "account", "value": "bystander-1"},)),
        ("period", {"start": 0, "end": 10**13}),
        ("mode", "erased"),
        ("recipient", "age1other"),
        ("acknowledger", "00" * 32),
        ("document_issued", 10**13),
        (
            "document",
            {
                "authority": documents.AUTHORITY,
                "number": "other",
                "case_number": "2026형제00001",
                "digest": "00" * 32,
            },
        ),
    ],
)
def test_a_grant_that_says_anything_else_than_its_document_is_refused(
    vault: Vault, field: str, value: object
) -> None:
    assert refused(vault, "GRANT_SCOPE", grant={field: value}).field == f"grant.{field}"


def test_a_forged_grant_is_refused(vault: Vault) -> None:
    request = vault.request()
    forged = resigned(request.grant.statement, Ed25519PrivateKey.generate())
    request.grant = Logged(forged, request.grant.proof)
    with pytest.raises(RefusedError, match="STATEMENT_SIGNATURE"):
        vault.create(request)


def test_a_grant_without_its_log_entry_is_refused(vault: Vault) -> None:
    request, other = vault.request(), vault.request(document={"number": "2026-압수-0009"})
    request.grant = Logged(request.grant.statement, other.grant.proof)
    with pytest.raises(RefusedError, match="LOG_COMMITMENT"):
        vault.create(request)


def test_a_grant_logged_as_something_else_is_refused(vault: Vault) -> None:
    request = vault.request()
    envelope = request.grant.statement
    logged = vault.warrants.ledger.append("forecast", envelope.payload, key="other")
    request.grant = Logged(envelope, logged.proof)
    with pytest.raises(RefusedError, match="LOG_TYPE"):
        vault.create(request)


def test_an_expired_grant_is_refused(vault: Vault) -> None:
    refused(vault, "STATEMENT_EXPIRED", grant={"expires": vault.clock.now_ms()})


def test_a_document_that_expires_before_the_log_entry_makes_no_open_dossier(vault: Vault) -> None:
    request = vault.request(document={"expires_at": write_instant(vault.clock.now_ms() + 60_000)})
    vault.clock.advance(30_000)
    vault.operator.audit.misbehaviour.time_shift_ms = 60_000
    with pytest.raises(RefusedError, match="DOSSIER_EXPIRED"):
        vault.create(request)


def test_a_document_that_only_the_chief_investigator_signed_is_refused(vault: Vault) -> None:
    request = vault.request()
    payload = documents.payload(documents.disclosure(vault.pki))
    content = sign_document(payload, vault.pki.chief.signer, vault.pki.chief.signer)
    request.received = Received(request.received.media_type, content, ())
    with pytest.raises(RefusedError):
        vault.create(request)


def test_a_document_is_refused_without_fresh_revocation_lists(vault: Vault) -> None:
    request = vault.request()
    vault.crls = []
    with pytest.raises(RefusedError, match="CRL_MISSING"):
        vault.create(request)


def test_custody_in_production_refuses_certificates_marked_for_development(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = vault.request()
    production = vault.operator.governance.current().model_copy(update={"environment": "production"})
    monkeypatch.setattr(OperatorGovernance, "current", lambda _self: production)
    with pytest.raises(RefusedError, match="TRUST_DEVELOPMENT"):
        vault.create(request)


def test_a_document_for_another_operator_is_refused(vault: Vault) -> None:
    request = vault.request()
    content = documents.signed(vault.pki, documents.disclosure(vault.pki, audience="TEST 다른메신저"))
    request.received = Received(request.received.media_type, content, ())
    with pytest.raises(RefusedError, match="AUDIENCE_WRONG"):
        vault.create(request)


def test_a_preservation_order_makes_no_dossier(vault: Vault) -> None:
    request = vault.request()
    request.received = vault.document(documents.preservation(vault.pki))
    with pytest.raises(RefusedError, match="DOCUMENT_KIND"):
        vault.create(request)


def test_what_policy_does_not_allow_is_refused_whatever_warrants_says(vault: Vault) -> None:
    refused(vault, "OFFENCE_NOT_LISTED", document={"offence": "jaywalking"})


def test_a_grant_judged_by_another_policy_is_refused(vault: Vault) -> None:
    refused(vault, "POLICY_OTHER", grant={"policy": "00" * 32})


def test_a_policy_file_that_governance_does_not_pin_is_refused(vault: Vault) -> None:
    vault.policy = vault.policy.replace(b"bystanders_over: 100", b"bystanders_over: 100000")
    digest = hashlib.sha256(vault.policy).hexdigest()
    refused(vault, "POLICY_OTHER", grant={"policy": digest})
    refused(vault, "POLICY_OTHER")


@pytest.mark.parametrize(
    ("field", "value"), [("unmask_budget", 11), ("unmask_until", 10**13)], ids=["budget", "time"]
)
def test_a_grant_that_allows_more_than_policy_is_refused(vault: Vault, field: str, value: int) -> None:
    assert refused(vault, "POLICY_MAXIMUM", grant={field: value}).field == f"grant.{field}"


def test_a_grant_that_has_less_masked_than_policy_is_refused(vault: Vault) -> None:
    masking = {"names": "roster+identifiers", "times": "exact"}
    assert refused(vault, "POLICY_MAXIMUM", grant={"masking": masking}).field == "grant.masking"


def test_the_forecast_must_be_the_stores_own(vault: Vault) -> None:
    request = vault.request()
    request.forecast = resigned(request.forecast, Ed25519PrivateKey.generate())
    with pytest.raises(RefusedError, match="STATEMENT_SIGNATURE"):
        vault.create(request)


def test_the_forecast_must_be_of_this_document(vault: Vault) -> None:
    refused(vault, "FORECAST_OTHER", forecast={"document": "00" * 32})


def test_the_forecast_must_be_the_one_that_the_grant_names(vault: Vault) -> None:
    refused(vault, "FORECAST_OTHER", grant={"forecast": "00" * 32})


def test_over_the_budget_of_bystanders_nothing_helps(vault: Vault) -> None:
    request = vault.request(forecast={"bystanders": 5001})
    request.decisions = vault.approvals(request, ("ra-on", "sol-bi"))
    with pytest.raises(RefusedError, match="SCOPE_REFUSED"):
        vault.create(request)


def test_review_is_due_above_the_policys_figure(vault: Vault) -> None:
    refused(vault, "REVIEW_DUE", forecast={"bystanders": 101})


def test_enough_reviewers_let_it_pass(vault: Vault) -> None:
    request = vault.request(forecast={"bystanders": 101})
    request.decisions = vault.approvals(request, ("ra-on", "sol-bi"))
    assert vault.create(request)


def approvals_that_do_not_count() -> list[Any]:
    hour = 3_600_000
    return [
        pytest.param(("ra-on",), {}, id="too few"),
        pytest.param(("ra-on", "ra-on"), {}, id="one person twice"),
        pytest.param(("ra-on", "sol-bi"), {"subject": "00" * 32}, id="of another subject"),
        pytest.param(("ra-on", "sol-bi"), {"governance": 2}, id="under another governance"),
        pytest.param(("ra-on", "sol-bi"), {"action": "review-deny"}, id="denials"),
        pytest.param(("ra-on", "sol-bi"), {"action": "lift"}, id="of another action"),
        pytest.param(("ra-on", "sol-bi"), {"mesh": "other.mesh"}, id="of another mesh"),
        pytest.param(("ra-on", "sol-bi"), {"person": "yeo-reum"}, id="in another's name"),
        pytest.param(("ra-on", "sol-bi"), {"expires": 1}, id="expired"),
        pytest.param(("ra-on", "sol-bi"), {"issued": 0}, id="living too long"),
        pytest.param(("ra-on", "sol-bi"), {"issued": 10**13, "expires": 10**13 + hour}, id="from tomorrow"),
    ]


@pytest.mark.parametrize(("people", "changes"), approvals_that_do_not_count())
def test_approvals_that_do_not_count(
    vault: Vault, people: tuple[str, ...], changes: dict[str, object]
) -> None:
    request = vault.request(forecast={"bystanders": 101})
    if "action" in changes or "person" in changes:
        plain = vault.approvals(request, people)
        bent = []
        for person, envelope in zip(people, plain, strict=True):
            decision = Decision.from_bytes(envelope.payload).model_copy(update=changes)
            bent.append(decision.sign(vault.operator.reviewer_keys[person].sign))
        request.decisions = bent
    else:
        request.decisions = vault.approvals(request, people, **changes)
    with pytest.raises(RefusedError, match="REVIEW_DUE"):
        vault.create(request)


def test_a_denial_takes_back_the_same_reviewers_approval(vault: Vault) -> None:
    request = vault.request(forecast={"bystanders": 101})
    approvals = vault.approvals(request, ("ra-on", "sol-bi"))
    subject = Decision.from_bytes(approvals[0].payload).subject
    request.decisions = [*approvals, vault.operator.decision("ra-on", "review-deny", subject)]
    with pytest.raises(RefusedError, match="REVIEW_DUE"):
        vault.create(request)


def test_a_stranger_is_no_reviewer(vault: Vault) -> None:
    request = vault.request(forecast={"bystanders": 101})
    key = Ed25519PrivateKey.generate()
    request.decisions = vault.approvals(request, ("ra-on", "sol-bi"), key=key)
    with pytest.raises(RefusedError, match="REVIEW_DUE"):
        vault.create(request)


def test_a_scope_that_overlaps_an_earlier_dossiers_needs_review(vault: Vault) -> None:
    tags = (secrets.token_hex(32),)
    vault.create(vault.request(forecast={"conversation_tags": tags}))
    second = vault.request(
        document={"number": "2026-압수-0002"}, forecast={"conversation_tags": (*tags, "00" * 32)}
    )
    with pytest.raises(RefusedError, match="REVIEW_DUE"):
        vault.create(second)
    second.decisions = vault.approvals(second, ("ra-on", "sol-bi"))
    assert vault.create(second)


def test_a_dossier_granted_later_but_built_first_makes_no_review_due(vault: Vault) -> None:
    tags = (secrets.token_hex(32),)
    first = vault.request(forecast={"conversation_tags": tags})
    second = vault.request(document={"number": "2026-압수-0002"}, forecast={"conversation_tags": tags})
    second.decisions = vault.approvals(second, ("ra-on", "sol-bi"))
    assert vault.create(second)
    assert vault.create(first)


def test_decisions_are_judged_at_the_time_of_the_grant(vault: Vault) -> None:
    request = vault.request(forecast={"bystanders": 101})
    request.decisions = vault.approvals(request, ("ra-on", "sol-bi"))
    vault.clock.advance(DAY_MS + 1)
    vault.crls = [
        vault.pki.court_ca.crl(vault.pki.now + timedelta(days=1)),
        vault.pki.agency_ca.crl(vault.pki.now + timedelta(days=1)),
    ]
    assert vault.create(request)


def test_an_overlap_that_warrants_names_needs_review(vault: Vault) -> None:
    refused(vault, "REVIEW_DUE", grant={"overlaps": ("00" * 16,)})


def test_no_dossier_while_frozen(vault: Vault) -> None:
    request = vault.request()
    with vault.database.writing() as connection:
        stopping.begin_freeze(connection, stopping.Freeze("00" * 16, vault.clock.now_ms(), "custodian"))
    with pytest.raises(RefusedError, match="FROZEN"):
        vault.create(request)
    assert vault.warrants.asked == 0
    assert vault.provider.list(DOSSIER) == []


def test_a_freeze_while_the_log_answers_keeps_the_dossier_shut(vault: Vault) -> None:
    request = vault.request()

    def freeze(_kind: str) -> None:
        with vault.database.writing() as connection:
            stopping.begin_freeze(connection, stopping.Freeze("00" * 16, vault.clock.now_ms(), "custodian"))

    vault.operator.audit.before_append = freeze
    with pytest.raises(RefusedError, match="FROZEN"):
        vault.create(request)


@pytest.mark.parametrize("cause", ["revoked", "cancelled"])
def test_no_dossier_for_a_stopped_document(vault: Vault, cause: stopping.Stop) -> None:
    request = vault.request()
    with vault.database.writing() as connection:
        stopping.stop(connection, digest_of(request.received), cause, vault.clock.now_ms())
    with pytest.raises(RefusedError) as caught:
        vault.create(request)
    assert caught.value.reason in {"DOCUMENT_REVOKED", "CASE_STATE"}


@pytest.mark.parametrize("state", ["refused", "no-data", "in-review", "cancelled", "delivered"])
def test_no_dossier_unless_the_case_is_granted(vault: Vault, state: str) -> None:
    vault.warrants.state = state
    refused(vault, "CASE_STATE")


def test_no_dossier_while_warrants_is_silent(vault: Vault) -> None:
    vault.warrants.refusal = away()
    assert refused(vault, "CASE_STATUS").kind is Kind.UNAVAILABLE


def test_the_status_is_asked_for_a_known_dossier_as_well(vault: Vault) -> None:
    request = vault.request()
    vault.create(request)
    vault.warrants.state = "cancelled"
    with pytest.raises(RefusedError, match="CASE_STATE"):
        vault.create(request)


def test_the_key_is_destroyed_when_nobody_has_asked_in_time(vault: Vault) -> None:
    dossier = vault.create(vault.request(grant={"unmask_until": vault.clock.now_ms() + DAY_MS}))
    vault.clock.advance(DAY_MS)
    vault.keeper.tick()
    with vault.database.reading() as connection:
        after = dossiers.find(connection, dossier.id)
        assert dossiers.shares(connection, dossier.id) == []
    assert after is not None
    assert after.wrapped_private is None
    assert vault.provider.list(DOSSIER) == []
