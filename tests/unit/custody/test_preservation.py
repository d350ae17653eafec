from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from custody_support.vault import Vault, digest_of, records_of, resigned
from garim.custody.kinds import ORDER
from garim.custody.tables import orders, stopping
from garim.documents.fields import write_instant
from garim.documents.policy import DAY_MS
from garim.kit.convert import Logged, Received
from garim.sealing import segment
from garim.statements.refusal import RefusedError
from garim.statements.scope import ScopeTicket
from garim.testing import documents
from garim.testing.records import Stored


def order_of(vault: Vault, **members: Any) -> tuple[Received, Logged]:
    received = vault.document(documents.preservation(vault.pki, **members))
    return received, vault.warrants.log(vault.preservation_grant(received), "preservation-granted")


def preserve(vault: Vault, *stored: Stored, **members: Any) -> int:
    received, grant = order_of(vault, **members)
    return vault.orders.preserve(received, grant, records_of(*stored))


def past_retention(vault: Vault) -> None:
    vault.clock.advance(4 * DAY_MS)
    vault.keeper.tick()


def test_a_disclosure_inside_an_order_opens_what_was_kept_after_the_epochs_end(
    vault: Vault, stored: Stored
) -> None:
    assert preserve(vault, stored) == 1
    past_retention(vault)
    dossier = vault.create(vault.request())
    roster_key, key = vault.release(dossier, stored)
    assert segment.open_block(key, stored.header, stored.ciphertext) == stored.block
    assert roster_key != key


def test_its_read_ticket_names_the_kept_tags(vault: Vault, stored: Stored) -> None:
    request = vault.request()
    vault.create(request)
    before = ScopeTicket.from_bytes(vault.tickets.read(request.received, request.grant).payload)
    preserve(vault, stored)
    past_retention(vault)
    after = ScopeTicket.from_bytes(vault.tickets.read(request.received, request.grant).payload)
    assert after.epochs[0] in before.epochs
    assert len(after.epochs) == 1


def test_without_an_order_nothing_survives_retention(vault: Vault, stored: Stored) -> None:
    past_retention(vault)
    dossier = vault.create(vault.request())
    with pytest.raises(RefusedError, match="KEY_RETENTION"):
        vault.release(dossier, stored)


def test_what_the_order_did_not_keep_stays_shut(vault: Vault) -> None:
    epoch = vault.stored_epoch()
    kept, other = vault.sample(epoch), vault.sample(epoch)
    vault.until_request()
    preserve(vault, kept)
    past_retention(vault)
    dossier = vault.create(vault.request())
    assert vault.release(dossier, kept)
    with pytest.raises(RefusedError, match="KEY_RETENTION"):
        vault.release(dossier, other)


@pytest.mark.parametrize(
    "outside",
    [
        {"subjects": [{"kind": "account", "value": "bystander-1"}]},
        {"case_number": "2026형제99999"},
    ],
)
def test_a_disclosure_outside_the_order_gets_nothing_of_it(
    vault: Vault, stored: Stored, outside: dict[str, Any]
) -> None:
    preserve(vault, stored)
    past_retention(vault)
    dossier = vault.create(vault.request(document=outside))
    with pytest.raises(RefusedError, match="KEY_RETENTION"):
        vault.release(dossier, stored)


def test_a_disclosure_of_a_longer_time_than_the_orders_gets_nothing_of_it(
    vault: Vault, stored: Stored
) -> None:
    end = documents.millis(vault.pki) - DAY_MS
    preserve(vault, stored)
    past_retention(vault)
    period = {"from": write_instant(end - DAY_MS - 1000), "to": write_instant(end)}
    dossier = vault.create(vault.request(document={"period": period}))
    with pytest.raises(RefusedError, match="KEY_RETENTION"):
        vault.release(dossier, stored)


def test_the_orders_end_destroys_what_it_kept(vault: Vault, stored: Stored) -> None:
    until = write_instant(vault.clock.now_ms() + 5 * DAY_MS)
    preserve(vault, stored, until=until)
    vault.clock.advance(5 * DAY_MS)
    dossier = vault.create(vault.request())
    with pytest.raises(RefusedError, match="KEY_RETENTION"):
        vault.release(dossier, stored)
    vault.keeper.tick()
    assert vault.provider.list(ORDER) == []
    with vault.database.reading() as connection:
        order = orders.of_case(connection, documents.AUTHORITY, "2026형제00001")[0]
        assert orders.segments(connection, order.id) == 0
    with pytest.raises(RefusedError, match="KEY_RETENTION"):
        vault.release(dossier, stored)


@pytest.mark.parametrize("cause", ["revoked", "cancelled"])
def test_a_stopped_order_serves_nobody(vault: Vault, stored: Stored, cause: stopping.Stop) -> None:
    received, grant = order_of(vault)
    vault.orders.preserve(received, grant, records_of(stored))
    past_retention(vault)
    dossier = vault.create(vault.request())
    with vault.database.writing() as connection:
        stopping.stop(connection, digest_of(received), cause, vault.clock.now_ms())
    with pytest.raises(RefusedError, match="KEY_RETENTION"):
        vault.release(dossier, stored)


def test_preserving_twice_keeps_once(vault: Vault, stored: Stored) -> None:
    received, grant = order_of(vault)
    for _ in range(2):
        assert vault.orders.preserve(received, grant, records_of(stored)) == 1
    assert len(vault.provider.list(ORDER)) == 1
    assert vault.logged("keys-preserved") == 1


def test_preserving_goes_on_in_batches(vault: Vault) -> None:
    epoch = vault.stored_epoch()
    first, second = vault.sample(epoch), vault.sample(epoch)
    vault.until_request()
    received, grant = order_of(vault)
    assert vault.orders.preserve(received, grant, records_of(first)) == 1
    assert vault.orders.preserve(received, grant, records_of(first, second)) == 2
    past_retention(vault)
    assert len(vault.release(vault.create(vault.request()), first, second)) == 4


def test_a_preservation_answers_no_key_and_writes_none_in_the_clear(vault: Vault, stored: Stored) -> None:
    preserve(vault, stored)
    dossier = vault.create(vault.request())
    keys = vault.release(dossier, stored)
    vault.database.close()
    files = b"".join(one.read_bytes() for one in vault.folder.iterdir() if one.is_file())
    assert all(bytes(key.buffer) not in files for key in keys)
    vault.open()


def test_a_conversation_without_the_subject_is_not_kept(vault: Vault) -> None:
    made = vault.sample(vault.stored_epoch(), ("bystander-1", "bystander-2"))
    vault.until_request()
    with pytest.raises(RefusedError, match="KEY_ROSTER"):
        preserve(vault, made)
    assert vault.logged("keys-preserved") == 0


def test_an_order_cannot_revive_an_epoch_past_retention(vault: Vault, stored: Stored) -> None:
    received, grant = order_of(vault)
    vault.clock.advance(4 * DAY_MS)
    with pytest.raises(RefusedError, match="KEY_RETENTION"):
        vault.orders.preserve(received, grant, records_of(stored))


def test_a_forged_or_widened_preservation_grant_is_refused(vault: Vault, stored: Stored) -> None:
    received, grant = order_of(vault)
    forged = Logged(resigned(grant.statement, Ed25519PrivateKey.generate()), grant.proof)
    with pytest.raises(RefusedError, match="STATEMENT_SIGNATURE"):
        vault.orders.preserve(received, forged, records_of(stored))
    for change in ({"until": 10**13}, {"period": {"start": 0, "end": 10**13}}):
        wide = vault.warrants.log(vault.preservation_grant(received, **change), "preservation-granted")
        with pytest.raises(RefusedError, match="GRANT_SCOPE"):
            vault.orders.preserve(received, wide, records_of(stored))


def test_a_disclosure_grant_preserves_nothing(vault: Vault, stored: Stored) -> None:
    received, _ = order_of(vault)
    with pytest.raises(RefusedError, match="STATEMENT_TYPE"):
        vault.orders.preserve(received, vault.request().grant, records_of(stored))


def test_an_order_longer_than_policy_is_refused(vault: Vault, stored: Stored) -> None:
    until = write_instant(vault.clock.now_ms() + 200 * DAY_MS)
    with pytest.raises(RefusedError, match="PRESERVATION_TOO_LONG"):
        preserve(vault, stored, until=until)


def test_nothing_is_kept_while_frozen_or_without_a_granted_case_or_log(vault: Vault, stored: Stored) -> None:
    received, grant = order_of(vault)
    vault.warrants.state = "in-review"
    with pytest.raises(RefusedError, match="CASE_STATE"):
        vault.orders.preserve(received, grant, records_of(stored))
    vault.warrants.state = "granted"
    vault.operator.audit.misbehaviour.silent = True
    with pytest.raises(RefusedError, match="LOG_UNAVAILABLE"):
        vault.orders.preserve(received, grant, records_of(stored))
    vault.operator.audit.misbehaviour.silent = False
    with vault.database.writing() as connection:
        stopping.begin_freeze(connection, stopping.Freeze("00" * 16, vault.clock.now_ms(), "custodian"))
    with pytest.raises(RefusedError, match="FROZEN"):
        vault.orders.preserve(received, grant, records_of(stored))
    assert vault.logged("keys-preserved") == 0


def test_an_ended_order_keeps_nothing(vault: Vault, stored: Stored) -> None:
    until = write_instant(vault.clock.now_ms() + 60_000)
    received, grant = order_of(vault, until=until)
    vault.clock.advance(30_000)
    vault.operator.audit.misbehaviour.time_shift_ms = 60_000
    with pytest.raises(RefusedError, match="ORDER_ENDED"):
        vault.orders.preserve(received, grant, records_of(stored))


def test_the_number_of_an_order_is_used_once(vault: Vault, stored: Stored) -> None:
    preserve(vault, stored)
    with pytest.raises(RefusedError, match="DOCUMENT_USED"):
        preserve(vault, stored, until=write_instant(vault.clock.now_ms() + DAY_MS))
