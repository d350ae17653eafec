from __future__ import annotations

import secrets
from typing import Any

import pytest

from custody_support.vault import MESH, Vault
from garim.custody.tables import dossiers, stopping
from garim.kit.identity import service_id
from garim.statements.grants import Masking
from garim.statements.receipts import DossierReceipt
from garim.statements.refusal import RefusedError
from garim.testing.operator import away


@pytest.fixture(autouse=True)
def _time_of_the_request(vault: Vault) -> None:
    vault.until_request()


def test_the_receipt_is_signed_logged_and_says_what_was_closed(vault: Vault) -> None:
    dossier = vault.create(vault.request())
    logged = vault.closing.close(bytes.fromhex(dossier.id), vault.finished())
    keys = vault.operator.governance.current().keys_of("custody")
    receipt = DossierReceipt.verify(logged.statement, keys, mesh=MESH, now=None)
    assert receipt.dossier == dossier.id
    assert receipt.identities_root == "01" * 32
    assert receipt.unmask_until == dossier.unmask_until_ms
    payload, actor = logged.statement.payload, service_id(MESH, "custody")
    vault.warrants.ledger.verify(payload, logged.proof, kind="dossier-closed", actor=actor)


def test_the_receipt_says_how_the_grant_had_it_masked(vault: Vault) -> None:
    masking = Masking(names="all-persons", times="day")
    dossier = vault.create(vault.request(grant={"masking": masking}))
    logged = vault.closing.close(bytes.fromhex(dossier.id), vault.finished())
    assert DossierReceipt.from_bytes(logged.statement.payload).masking == masking


def test_the_same_digests_return_the_same_receipt(vault: Vault) -> None:
    dossier_id = bytes.fromhex(vault.create(vault.request()).id)
    first = vault.closing.close(dossier_id, vault.finished())
    assert vault.closing.close(dossier_id, vault.finished()) == first
    assert vault.logged("dossier-closed") == 1


@pytest.mark.parametrize(
    "change",
    [
        {"sealed_secret": b"\x01" * 1168},
        {"package": b"\x01" * 32},
        {"package_bytes": 1},
        {"identities_root": b"\x03" * 32},
        {"identities": 1},
        {"messages_root": b"\x03" * 32},
        {"messages": 1},
    ],
)
def test_any_other_digest_is_refused(vault: Vault, change: dict[str, Any]) -> None:
    dossier_id = bytes.fromhex(vault.create(vault.request()).id)
    vault.closing.close(dossier_id, vault.finished())
    with pytest.raises(RefusedError, match="DOSSIER_CHANGED"):
        vault.closing.close(dossier_id, vault.finished(**change))


def test_a_silent_log_leaves_it_closing_and_a_repeat_completes_it(vault: Vault) -> None:
    dossier_id = bytes.fromhex(vault.create(vault.request()).id)
    vault.operator.audit.misbehaviour.silent = True
    with pytest.raises(RefusedError, match="LOG_UNAVAILABLE"):
        vault.closing.close(dossier_id, vault.finished())
    vault.operator.audit.misbehaviour.silent = False
    with pytest.raises(RefusedError, match="DOSSIER_CHANGED"):
        vault.closing.close(dossier_id, vault.finished(messages=4))
    vault.clock.advance(300_000)
    assert vault.closing.close(dossier_id, vault.finished())


def test_an_erased_dossier_has_no_secret_and_no_time_for_unmasking(vault: Vault) -> None:
    dossier = vault.create(vault.request(document={"mode": "erased"}))
    logged = vault.closing.close(bytes.fromhex(dossier.id), vault.erased())
    receipt = DossierReceipt.from_bytes(logged.statement.payload)
    assert receipt.mode == "erased"
    assert receipt.unmask_until is None
    with vault.database.reading() as connection:
        kept = dossiers.find(connection, dossier.id)
    assert kept is not None
    assert kept.sealed_secret is None


@pytest.mark.parametrize(
    ("mode", "change"),
    [
        ("sealed", {"sealed_secret": b""}),
        ("sealed", {"sealed_secret": bytes(1167)}),
        ("sealed", {"package": bytes(31)}),
        ("sealed", {"identities_root": b""}),
        ("sealed", {"messages_root": bytes(33)}),
        ("erased", {"sealed_secret": bytes(1168)}),
        ("erased", {"sealed_secret": b"", "identities": 0}),
    ],
)
def test_fields_that_do_not_fit_the_mode_are_refused(vault: Vault, mode: str, change: dict[str, Any]) -> None:
    dossier_id = bytes.fromhex(vault.create(vault.request(document={"mode": mode})).id)
    with pytest.raises(RefusedError, match="CLOSING_FIELD"):
        vault.closing.close(dossier_id, vault.finished(**change))


def test_an_unknown_dossier_is_not_closed(vault: Vault) -> None:
    with pytest.raises(RefusedError, match="DOSSIER_UNKNOWN"):
        vault.closing.close(secrets.token_bytes(16), vault.finished())


def test_nothing_is_closed_while_frozen(vault: Vault) -> None:
    dossier_id = bytes.fromhex(vault.create(vault.request()).id)
    with vault.database.writing() as connection:
        stopping.begin_freeze(connection, stopping.Freeze("00" * 16, vault.clock.now_ms(), "custodian"))
    with pytest.raises(RefusedError, match="FROZEN"):
        vault.closing.close(dossier_id, vault.finished())
    assert vault.logged("dossier-closed") == 0


def test_nothing_is_closed_for_a_case_that_is_not_granted(vault: Vault) -> None:
    dossier_id = bytes.fromhex(vault.create(vault.request()).id)
    vault.warrants.refusal = away()
    with pytest.raises(RefusedError, match="CASE_STATUS"):
        vault.closing.close(dossier_id, vault.finished())
    vault.warrants.refusal, vault.warrants.state = None, "cancelled"
    with pytest.raises(RefusedError, match="CASE_STATE"):
        vault.closing.close(dossier_id, vault.finished())
