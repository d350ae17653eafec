"""Whoever holds warrants' key signs and logs any grant; custody believes only what the document says."""

from __future__ import annotations

import datetime as dt

import pytest

from custody_support.vault import NOW, Request, Vault
from garim.documents.fields import write_instant
from garim.documents.media_types import JWS_MEDIA_TYPE
from garim.documents.sign import sign_document
from garim.kit.convert import Received
from garim.statements.refusal import RefusedError
from garim.testing import documents
from garim.testing.pki import make_pki


def attempt(vault: Vault, received: Received, **grant: object) -> Request:
    """Return a request whose grant warrants' key has signed and logged for whatever was received."""
    forecast = vault.forecast(vault.document(documents.disclosure(vault.pki)))
    true = vault.document(documents.disclosure(vault.pki))
    given = vault.disclosure_grant(true, forecast, **grant)
    return Request(received, vault.warrants.log(given, "disclosure-granted"), forecast, [])


@pytest.fixture(autouse=True)
def _stored(vault: Vault) -> None:
    vault.sample(vault.stored_epoch())
    vault.until_request()


def test_a_grant_without_a_signed_document_opens_nothing(vault: Vault) -> None:
    members = documents.disclosure(vault.pki)
    alone = sign_document(documents.payload(members), vault.pki.chief.signer)
    request = attempt(vault, Received(JWS_MEDIA_TYPE, alone, ()))
    with pytest.raises(RefusedError, match="ROLES_WRONG"):
        vault.create(request)
    with pytest.raises(RefusedError, match="ROLES_WRONG"):
        vault.tickets.read(request.received, request.grant)


def test_a_document_of_the_attackers_own_authorities_opens_nothing(vault: Vault) -> None:
    own = make_pki(NOW)
    content = documents.signed(own, documents.disclosure(own))
    request = attempt(vault, Received(JWS_MEDIA_TYPE, content, ()))
    with pytest.raises(RefusedError):
        vault.create(request)


@pytest.mark.parametrize("signer", ["wrong_role", "expired", "revoked"])
def test_a_document_of_a_signer_who_may_not_opens_nothing(vault: Vault, signer: str) -> None:
    payload = documents.payload(documents.disclosure(vault.pki))
    content = sign_document(payload, vault.pki.judge.signer, getattr(vault.pki, signer).signer)
    request = attempt(vault, Received(JWS_MEDIA_TYPE, content, ()))
    with pytest.raises(RefusedError):
        vault.create(request)


@pytest.mark.parametrize(
    "wider",
    [
        {
            "subjects": (
                {"kind": "account", "value": "bystander-1"},
                {"kind": "account", "value": "subject-1"},
            )
        },
        {"period": {"start": 0, "end": 10**13}},
        {"document_issued": 10**13},
        {"recipient": "age1attacker"},
        {"mode": "erased"},
    ],
)
def test_a_widened_grant_opens_nothing(vault: Vault, wider: dict[str, object]) -> None:
    request = attempt(vault, vault.document(documents.disclosure(vault.pki)), **wider)
    for ask in (
        lambda: vault.create(request),
        lambda: vault.tickets.read(request.received, request.grant),
    ):
        with pytest.raises(RefusedError, match="GRANT_SCOPE"):
            ask()


def test_a_grant_for_one_document_opens_nothing_with_another(vault: Vault) -> None:
    other = documents.disclosure(vault.pki, subjects=[{"kind": "account", "value": "bystander-1"}])
    request = attempt(vault, vault.document(other))
    with pytest.raises(RefusedError, match="GRANT_SCOPE"):
        vault.create(request)


def test_a_certificate_revoked_later_stops_the_document(vault: Vault) -> None:
    request = vault.request()
    vault.create(request)
    vault.crls = [
        vault.pki.court_ca.crl(NOW),
        vault.pki.agency_ca.crl(NOW + dt.timedelta(seconds=1), [vault.pki.chief.certificate], number=2),
    ]
    with pytest.raises(RefusedError, match="CERTIFICATE_REVOKED"):
        vault.create(request)
    with pytest.raises(RefusedError, match="CERTIFICATE_REVOKED"):
        vault.tickets.read(request.received, request.grant)


def test_a_period_that_has_not_ended_is_refused_whatever_warrants_says(vault: Vault) -> None:
    now_ms = vault.clock.now_ms()
    period = {"from": write_instant(now_ms - 3_600_000), "to": write_instant(now_ms + 3_600_000)}
    with pytest.raises(RefusedError, match="PERIOD_NOT_PAST"):
        vault.create(vault.request(document={"period": period}))
