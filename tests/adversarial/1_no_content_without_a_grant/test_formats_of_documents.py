"""In each format: what a tampered warrants accepts and custody does not, releases nothing."""

from __future__ import annotations

import pytest

import etsi_support
from custody_support.vault import NOW, Request, Vault
from document_support import SIGN, Signer
from garim.kit.convert import Received
from garim.statements.refusal import RefusedError
from garim.testing import documents
from garim.testing.pki import make_pki

HANDS = (
    "judge alone",
    "judge twice",
    "chief twice",
    "strangers",
    "stranger as chief",
    "revoked",
    "wrong role",
)


def hands(vault: Vault, name: str) -> tuple[Signer, ...]:
    """Return who signs, court first; each has the right name and a key that every format takes."""
    pki, strangers = vault.pki, make_pki(NOW)
    judge, chief = pki.judge.signer, etsi_support.agency(pki).signer
    other = etsi_support.agency(strangers).signer
    return {
        "right": (judge, chief),
        "judge alone": (judge,),
        "judge twice": (judge, judge),
        "chief twice": (chief, chief),
        "strangers": (strangers.judge.signer, other),
        "stranger as chief": (judge, other),
        "revoked": (judge, pki.revoked.signer),
        "wrong role": (judge, pki.wrong_role.signer),
    }[name]


def granted(vault: Vault, media_type: str, *signers: Signer) -> Request:
    """Return a request whose grant warrants has signed and logged, whoever signed the document."""
    members = documents.disclosure(vault.pki)
    true = vault.document(members)
    forecast = vault.forecast(true)
    grant = vault.warrants.log(vault.disclosure_grant(true, forecast), "disclosure-granted")
    content = SIGN[media_type](documents.payload(members), *signers)
    return Request(Received(media_type, content, ()), grant, forecast, [])


@pytest.fixture(autouse=True)
def _stored(vault: Vault) -> None:
    vault.sample(vault.stored_epoch())
    vault.until_request()


@pytest.mark.parametrize("media_type", sorted(SIGN))
def test_signed_by_both_roles_it_is_the_document_that_was_granted(vault: Vault, media_type: str) -> None:
    assert vault.create(granted(vault, media_type, *hands(vault, "right")))


@pytest.mark.parametrize("name", HANDS)
@pytest.mark.parametrize("media_type", sorted(SIGN))
def test_signed_by_anybody_else_it_opens_nothing(vault: Vault, media_type: str, name: str) -> None:
    try:
        request = granted(vault, media_type, *hands(vault, name))
    except RefusedError as refusal:
        # XMLDSig has no place for an Ed25519 key: nobody can sign so at all.
        assert refusal.reason == "KEY_ALGORITHM_MISMATCH"  # noqa: PT017 - most hands can
        return
    for ask in (lambda: vault.create(request), lambda: vault.tickets.read(request.received, request.grant)):
        with pytest.raises(RefusedError):
            ask()
    assert not any(b'"release-keys"' in job for job in vault.opener.jobs)
