"""Attacks on the opening of a second request: documents, grants, proofs."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from custody_support.second import NAMES, Packed, SecondVault
from custody_support.vault import digest_of, resigned
from garim.custody.kinds import REQUEST
from garim.custody.tables import dossiers, unmask
from garim.documents import formats
from garim.documents.sign import sign_document
from garim.kit.convert import Logged, Received
from garim.statements import strict_json
from garim.statements.grants import NamedPseudonym
from garim.statements.refusal import RefusedError
from garim.testing import documents
from garim.testing.operator import away


def refused(vault: SecondVault, reason: str, received: Received, grant: Logged | None = None) -> RefusedError:
    logged = grant or vault.unmask_grant(received)
    with pytest.raises(RefusedError) as caught:
        vault.unmasking.open(received, logged)
    assert caught.value.reason == reason, caught.value
    assert vault.logged("unmask-requested") == 0
    return caught.value


def test_the_first_document_is_no_second_request(vault: SecondVault, packed: Packed) -> None:
    first = Received(packed.dossier.media_type, packed.dossier.document, ())
    grant = vault.unmask_grant(vault.second(packed))
    refused(vault, "DOCUMENT_KIND", first, grant)


def test_a_malleated_signature_is_refused(vault: SecondVault, packed: Packed) -> None:
    received = vault.second(packed)
    members = strict_json.parse_object(received.content)
    signature = members["signatures"][0]["signature"]
    flipped = ("A" if signature[10] != "A" else "B").join((signature[:10], signature[11:]))
    members["signatures"][0]["signature"] = flipped
    bent = received._replace(content=strict_json.dump(members))
    refused(vault, "SIGNATURE_WRONG", bent, vault.unmask_grant(received))


def test_one_role_alone_is_refused(vault: SecondVault, packed: Packed) -> None:
    received = vault.second(packed)
    payload = formats.open_document(received.media_type, received.content).payload
    chief = vault.pki.chief.signer
    once = received._replace(content=sign_document(payload, chief, chief))
    refused(vault, "ROLES_WRONG", once, vault.unmask_grant(received))


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("case_number", {"case_number": "2026형제99999"}),
        ("first_document", {"first_document": "ab" * 32}),
    ],
)
def test_a_document_of_another_case_is_refused(
    vault: SecondVault, packed: Packed, field: str, changes: dict[str, Any]
) -> None:
    assert refused(vault, "FIRST_DOCUMENT", vault.second(packed, **changes)).field == field


def test_a_document_of_another_dossier_opens_nothing_here(vault: SecondVault, packed: Packed) -> None:
    other = vault.pack()
    refused(vault, "FIRST_DOCUMENT", vault.second(packed, dossier=other.dossier.id))


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("recipient", {"recipient": documents.RECIPIENT}),
        ("dossier", {"dossier": "cd" * 16}),
        ("first", {"first": "ef" * 32}),
        ("document_issued", {"document_issued": 1}),
        (
            "identities",
            {"identities": (NamedPseudonym(pseudonym=NAMES[1], sealed="00" * 32, messages=("C1-0001",)),)},
        ),
    ],
)
def test_a_grant_that_says_more_or_else_than_its_document_is_refused(
    vault: SecondVault, packed: Packed, field: str, changes: dict[str, Any]
) -> None:
    received = vault.second(packed)
    error = refused(vault, "GRANT_SCOPE", received, vault.unmask_grant(received, **changes))
    assert error.field == f"grant.{field}"


def test_a_grant_of_another_document_is_refused(vault: SecondVault, packed: Packed) -> None:
    grant = vault.unmask_grant(vault.second(packed))
    refused(vault, "GRANT_SCOPE", vault.second(packed), grant)


def test_a_grant_that_warrants_did_not_sign_is_refused(vault: SecondVault, packed: Packed) -> None:
    received = vault.second(packed)
    grant = vault.unmask_grant(received)
    forged = Logged(resigned(grant.statement, Ed25519PrivateKey.generate()), grant.proof)
    refused(vault, "STATEMENT_SIGNATURE", received, forged)


def test_a_grant_that_was_not_logged_is_refused(vault: SecondVault, packed: Packed) -> None:
    received = vault.second(packed)
    other = vault.unmask_grant(received)
    grant = vault.unmask_grant(received)
    refused(vault, "LOG_COMMITMENT", received, Logged(grant.statement, other.proof))


def test_an_expired_grant_is_refused(vault: SecondVault, packed: Packed) -> None:
    received = vault.second(packed)
    grant = vault.unmask_grant(received, expires=vault.clock.now_ms() + 1)
    vault.clock.advance(1)
    refused(vault, "STATEMENT_EXPIRED", received, grant)


def test_a_grant_judged_by_another_policy_is_refused(vault: SecondVault, packed: Packed) -> None:
    received = vault.second(packed)
    refused(vault, "POLICY_OTHER", received, vault.unmask_grant(received, policy="00" * 32))


def bent(vault: SecondVault, packed: Packed, **changes: Any) -> Received:
    """Return a second document whose one pseudonym's entry is bent."""
    named = vault.named(packed, NAMES[0])
    return vault.second(packed, identities=[{**named, **changes}])


def test_a_pseudonym_without_a_true_proof_is_refused(vault: SecondVault, packed: Packed) -> None:
    proof = vault.named(packed, NAMES[0])["proof"]
    wrong = {**proof, "hashes": ["00" * 32, *proof["hashes"][1:]]}
    assert refused(vault, "PSEUDONYM_PROOF", bent(vault, packed, proof=wrong)).field == "identities[0].proof"


def test_the_proof_of_another_pseudonym_proves_nothing(vault: SecondVault, packed: Packed) -> None:
    other = vault.named(packed, NAMES[1])["proof"]
    refused(vault, "PSEUDONYM_PROOF", bent(vault, packed, proof=other))


def test_a_message_without_a_true_proof_grounds_nothing(vault: SecondVault, packed: Packed) -> None:
    ground = vault.named(packed, NAMES[0])["grounds"][0]
    wrong = {**ground, "content_sha256": "11" * 32}
    error = refused(vault, "PSEUDONYM_PROOF", bent(vault, packed, grounds=[wrong]))
    assert error.field == "identities[0].grounds"


def test_a_message_with_another_pseudonym_grounds_nothing(vault: SecondVault, packed: Packed) -> None:
    ground = vault.named(packed, NAMES[1])["grounds"][0]
    wrong = {**ground, "pseudonyms": sorted([NAMES[0], NAMES[1]])}
    refused(vault, "PSEUDONYM_PROOF", bent(vault, packed, grounds=[wrong]))


def test_a_pseudonym_of_another_dossier_is_refused(vault: SecondVault, packed: Packed) -> None:
    other = vault.pack(names=("P-55555-DDDDD", *NAMES[1:]))
    foreign = vault.named(other, "P-55555-DDDDD")
    received = vault.second(packed, identities=[foreign])
    received = received._replace(attachments=(other.sealed["P-55555-DDDDD"],))
    refused(vault, "PSEUDONYM_PROOF", received)


def test_a_swapped_sealed_identity_is_refused(vault: SecondVault, packed: Packed) -> None:
    received = vault.second(packed)._replace(attachments=(packed.sealed[NAMES[1]],))
    refused(vault, "PSEUDONYM_PROOF", received)


def test_a_swapped_sealed_identity_that_the_document_names_is_refused(
    vault: SecondVault, packed: Packed
) -> None:
    swapped = hashlib.sha256(packed.sealed[NAMES[1]]).hexdigest()
    received = bent(vault, packed, sealed_sha256=swapped)
    received = received._replace(attachments=(packed.sealed[NAMES[1]],))
    refused(vault, "PSEUDONYM_PROOF", received)


def test_a_document_that_names_another_digest_than_it_brings_is_refused(
    vault: SecondVault, packed: Packed
) -> None:
    assert refused(vault, "PSEUDONYM_PROOF", bent(vault, packed, sealed_sha256="11" * 32)).field == (
        "identities[0].sealed_sha256"
    )


def test_a_document_of_another_authority_is_refused(vault: SecondVault, packed: Packed) -> None:
    other = strict_json.parse_object(packed.dossier.payload) | {"authority": "TEST 다른검찰청"}
    with vault.database.writing() as connection:
        dossiers.change(connection, packed.dossier.id, payload=strict_json.dump(other))
    assert refused(vault, "FIRST_DOCUMENT", vault.second(packed)).field == "authority"


@pytest.mark.parametrize("count", [0, 2])
def test_attachments_are_exactly_those_named(vault: SecondVault, packed: Packed, count: int) -> None:
    received = vault.second(packed)
    received = received._replace(attachments=(packed.sealed[NAMES[0]],) * count)
    assert refused(vault, "PSEUDONYM_PROOF", received).field == "attachments"


def test_an_erased_dossier_has_nothing_to_ask_for(vault: SecondVault, packed: Packed) -> None:
    erased = vault.create(vault.request(document={"number": vault.number(), "mode": "erased"}))
    vault.closing.close(bytes.fromhex(erased.id), vault.erased())
    received = vault.second(packed, dossier=erased.id, first_document=erased.document_digest)
    refused(vault, "DOSSIER_MODE", received)


def test_an_open_dossier_gives_up_nobody(vault: SecondVault, packed: Packed) -> None:
    opened = vault.create(vault.request(document={"number": vault.number()}))
    received = vault.second(packed, dossier=opened.id, first_document=opened.document_digest)
    refused(vault, "DOSSIER_NOT_CLOSED", received)


def test_an_unknown_dossier_is_refused(vault: SecondVault, packed: Packed) -> None:
    refused(vault, "DOSSIER_UNKNOWN", vault.second(packed, dossier="77" * 16))


@pytest.mark.parametrize("state", ["cancelled", "revoked", "waiting"])
def test_a_case_that_is_not_granted_opens_nothing(vault: SecondVault, packed: Packed, state: str) -> None:
    received = vault.second(packed)
    grant = vault.unmask_grant(received)
    vault.warrants.state = {"cancelled": "cancelled", "revoked": "refused", "waiting": "in-review"}[state]
    refused(vault, "CASE_STATE", received, grant)


@pytest.mark.parametrize("which", ["first", "second"])
def test_each_of_the_two_cases_must_be_granted(vault: SecondVault, packed: Packed, which: str) -> None:
    received = vault.second(packed)
    vault.cancelled(packed.dossier.document_digest if which == "first" else digest_of(received))
    refused(vault, "CASE_STATE", received)


def test_no_status_no_request(vault: SecondVault, packed: Packed) -> None:
    received = vault.second(packed)
    grant = vault.unmask_grant(received)
    vault.warrants.refusal = away()
    refused(vault, "CASE_STATUS", received, grant)


def test_no_log_no_request(vault: SecondVault, packed: Packed) -> None:
    received = vault.second(packed)
    grant = vault.unmask_grant(received)
    vault.operator.audit.misbehaviour.silent = True
    with pytest.raises(RefusedError, match="LOG_UNAVAILABLE"):
        vault.unmasking.open(received, grant)
    with vault.database.reading() as connection:
        made = unmask.of_document(connection, digest_of(received))
    assert made is None or made.state == "making"


def test_a_refused_request_leaves_no_key(vault: SecondVault, packed: Packed) -> None:
    refused(vault, "UNMASK_BUDGET", *over_budget(vault))
    vault.keeper.tick()
    assert vault.provider.list(REQUEST) == []


def over_budget(vault: SecondVault) -> tuple[Received, Logged]:
    small = vault.pack(unmask_budget=1)
    received = vault.second(small, *NAMES[:2])
    return received, vault.unmask_grant(received)
