"""Attacks on custody's counting: a second document, its grant and each decision count once, for one thing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from custody_support.second import NAMES, Packed, SecondVault, made_vault
from custody_support.vault import NOW
from garim.documents import formats
from garim.documents.sign import sign_document
from garim.statements.refusal import RefusedError
from garim.testing import documents
from garim.testing.pki import DocumentPki, make_pki


@pytest.fixture(scope="module")
def custody_pki() -> DocumentPki:
    return make_pki(NOW)


@pytest.fixture
def vault(tmp_path: Path, custody_pki: DocumentPki) -> Iterator[SecondVault]:
    made = made_vault(tmp_path, custody_pki)
    yield made
    made.close()


@pytest.fixture
def packed(vault: SecondVault) -> Packed:
    return vault.pack()


def test_the_same_payload_in_another_envelope_is_the_same_request(vault: SecondVault, packed: Packed) -> None:
    received = vault.second(packed)
    grant = vault.unmask_grant(received)
    first = vault.unmasking.open(received, grant)
    payload = formats.open_document(received.media_type, received.content).payload
    again = sign_document(payload, vault.pki.chief.signer, vault.pki.judge.signer)
    assert again != received.content
    assert vault.unmasking.open(received._replace(content=again), grant).id == first.id
    assert vault.logged("unmask-requested") == 1


def test_a_grant_serves_no_second_document(vault: SecondVault, packed: Packed) -> None:
    received = vault.second(packed)
    grant = vault.unmask_grant(received)
    vault.unmasking.open(received, grant)
    with pytest.raises(RefusedError, match="GRANT_SCOPE"):
        vault.unmasking.open(vault.second(packed), grant)


def test_a_number_of_a_first_document_serves_no_second_one(vault: SecondVault) -> None:
    vault.create(vault.request(document={"number": "2026-TEST-one"}))
    with pytest.raises(RefusedError, match="DOCUMENT_USED"):
        vault.ask(vault.pack(), number="2026-TEST-one")


def test_an_approval_of_one_request_is_replayed_to_no_other(vault: SecondVault, packed: Packed) -> None:
    first, second = vault.ask(packed), vault.ask(packed, NAMES[1])
    envelope = vault.decision("ga-on", "approve", first.subject)
    vault.decisions.decide(first.id, envelope, vault.shares(first, "ga-on"), "ga-on")
    with pytest.raises(RefusedError, match="DECISION_SUBJECT"):
        vault.decisions.decide(second.id, envelope, vault.shares(second, "ga-on"), "ga-on")


def test_an_approval_handed_in_twice_counts_once(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed)
    envelope = vault.decision("ga-on", "approve", request.subject)
    for _ in range(2):
        vault.decisions.decide(request.id, envelope, vault.shares(request, "ga-on"), "ga-on")
    with pytest.raises(RefusedError, match="REQUEST_UNDECIDED"):
        vault.collecting.collect(request.id)


def test_an_approval_of_an_older_governance_is_not_replayed(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed)
    old = vault.decision("da-som", "approve", request.subject)
    vault.govern(vault.next_governance(issued=2), "ga-on", "na-rae")
    with pytest.raises(RefusedError, match="GOVERNANCE_VERSION"):
        vault.decisions.decide(request.id, old, vault.shares(request, "da-som"), "da-som")


def test_a_document_for_another_operator_counts_nowhere_here(vault: SecondVault, packed: Packed) -> None:
    received = vault.second(packed, audience=documents.AUDIENCE + "2")
    with pytest.raises(RefusedError, match="AUDIENCE_WRONG"):
        vault.unmasking.open(received, vault.unmask_grant(received))
