"""Custody keeps its promises on either engine, as a role that may do no more than it does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from custody_support.second import NAMES, Packed, SecondVault, made_vault
from custody_support.transfers import STAYING, SUCCESSOR, dismiss, transfer, welcome
from custody_support.vault import NOW, CustodyOperator, Vault, records_of
from garim.custody.kinds import ORDER
from garim.custody.tables import epochs, objects
from garim.custody.tables.schema import order_keys
from garim.documents.policy import DAY_MS
from garim.sealing import segment
from garim.statements.refusal import RefusedError
from garim.testing import documents
from garim.testing.pki import DocumentPki, make_pki


@pytest.fixture(scope="module")
def pki() -> DocumentPki:
    return make_pki(NOW)


@pytest.fixture
def vault(engine: str, tmp_path: Path, pki: DocumentPki) -> Iterator[SecondVault]:
    made = made_vault(tmp_path, pki)
    yield made
    made.close()


@pytest.fixture
def packed(vault: SecondVault) -> Packed:
    return vault.pack()


def test_an_identity_goes_out_once_and_stays_the_same_after_a_restart(
    vault: SecondVault, packed: Packed
) -> None:
    request = vault.ask(packed)
    vault.approve(request, "ga-on")
    with pytest.raises(RefusedError, match="REQUEST_UNDECIDED"):
        vault.collecting.collect(request.id)
    vault.approve(request, "na-rae")
    answer = vault.collecting.collect(request.id)
    assert vault.opened(answer, packed) == {NAMES[0]: {"type": "PERSON", "value": NAMES[0]}}
    vault.database.close()
    vault.open()
    assert vault.collecting.collect(request.id) == answer
    assert vault.logged("identities-released") == 1


def test_denials_freezes_and_revocations_bind(vault: SecondVault, packed: Packed) -> None:
    denied, other = vault.ask(packed, NAMES[0]), vault.ask(packed, NAMES[1])
    vault.deny(denied, "ga-on", "na-rae")
    assert vault.find(denied).state == "denied"
    vault.approve(other, "ga-on", "na-rae")
    vault.freeze()
    with pytest.raises(RefusedError, match="FROZEN"):
        vault.collecting.collect(other.id)
    vault.thaw("ga-on", "na-rae")
    vault.revoke(packed)
    with pytest.raises(RefusedError, match="DOCUMENT_REVOKED"):
        vault.collecting.collect(other.id)


def test_a_successor_takes_a_leaving_custodians_place(vault: SecondVault, packed: Packed) -> None:
    welcome(vault)
    transfer(vault, packed)
    dismiss(vault)
    request = vault.ask(packed)
    vault.approve(request, SUCCESSOR, STAYING)
    assert vault.opened(vault.collecting.collect(request.id), packed)


def test_what_ends_is_dropped_and_what_an_order_kept_opens_until_it_ends(
    engine: str, tmp_path: Path, pki: DocumentPki
) -> None:
    vault = Vault(tmp_path, CustodyOperator(pki))
    stored = vault.sample(vault.stored_epoch())
    first = vault.epochs.current_and_next()[0]
    vault.until_request()
    received = vault.document(documents.preservation(vault.pki))
    grant = vault.warrants.log(vault.preservation_grant(received), "preservation-granted")
    assert vault.orders.preserve(received, grant, records_of(stored)) == 1
    vault.clock.advance(4 * DAY_MS)
    vault.keeper.tick()
    with vault.database.reading() as connection:
        ended = epochs.find(connection, first.id)
    assert ended is not None
    assert ended.wrapped_private is None
    dossier = vault.create(vault.request())
    _, key = vault.release(dossier, stored)
    assert segment.open_block(key, stored.header, stored.ciphertext) == stored.block
    vault.clock.advance(400 * DAY_MS)
    vault.keeper.tick()
    with vault.database.reading() as connection:
        kept = [one for one in objects.due(connection, vault.clock.now_ms()) if one.kind == ORDER]
        assert connection.execute(sa.select(sa.func.count()).select_from(order_keys)).scalar_one() == 0
    assert kept == []
    vault.close()


def test_a_restored_database_starts_frozen_and_takes_back_nothing(vault: SecondVault, packed: Packed) -> None:
    request = vault.approve(vault.ask(packed), "ga-on", "na-rae")
    copy = vault.backup()
    vault.collecting.collect(request.id)
    vault.restore(copy)
    with pytest.raises(RefusedError, match="RECOVERY_PENDING"):
        vault.collecting.collect(request.id)
    assert vault.restoring.attempt() > 0
    with pytest.raises(RefusedError, match="FROZEN"):
        vault.collecting.collect(request.id)
