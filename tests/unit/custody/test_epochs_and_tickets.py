from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from custody_support.vault import MESH, SENT_MS, Vault, digest_of, resigned
from garim.custody.kinds import EPOCH
from garim.custody.tables import stopping
from garim.documents.fields import write_instant
from garim.documents.policy import DAY_MS
from garim.kit.convert import Logged
from garim.statements.dsse import Envelope
from garim.statements.refusal import RefusedError
from garim.statements.scope import ScopeTicket
from garim.testing import documents


def ticket_of(vault: Vault, envelope: Envelope) -> ScopeTicket:
    keys = vault.operator.governance.current().keys_of("custody")
    return ScopeTicket.verify(envelope, keys, mesh=MESH, now=vault.clock.now_ms())


def test_the_store_gets_the_current_and_the_next_epoch_alone(vault: Vault) -> None:
    first, second = vault.epochs.current_and_next()
    assert first.not_before_ms <= vault.clock.now_ms() < first.not_after_ms == second.not_before_ms
    assert second.not_after_ms - second.not_before_ms == DAY_MS
    vault.clock.advance(DAY_MS)
    moved = vault.epochs.current_and_next()
    assert moved[0].id == second.id
    assert first.id not in {one.id for one in moved}


def test_asking_again_makes_no_further_epoch(vault: Vault) -> None:
    assert vault.epochs.current_and_next() == vault.epochs.current_and_next()
    assert len(vault.provider.list(EPOCH)) == 2


def test_epochs_have_random_ids_and_keys_of_their_own(vault: Vault) -> None:
    first, second = vault.stored_epoch(0), vault.stored_epoch(1)
    assert first.id != second.id
    assert first.public != second.public
    assert first.index != second.index


def test_epochs_follow_on_after_a_time_without_any(vault: Vault) -> None:
    _, last = vault.epochs.current_and_next()
    vault.clock.advance(10 * DAY_MS)
    first, second = vault.epochs.current_and_next()
    assert last.not_after_ms <= first.not_before_ms <= vault.clock.now_ms() < first.not_after_ms
    assert second.not_before_ms == first.not_after_ms


def test_a_forecast_ticket_needs_the_document_alone_and_holds_no_identifier(vault: Vault) -> None:
    epoch = vault.stored_epoch()
    vault.until_request()
    received = vault.document(documents.disclosure(vault.pki))
    envelope = vault.tickets.forecast(received)
    ticket = ticket_of(vault, envelope)
    assert ticket.purpose == "forecast"
    assert ticket.grant is None
    assert ticket.document == digest_of(received)
    assert ticket.received_until == documents.millis(vault.pki) - 3_600_000
    by_epoch = {one.epoch: one.tags for one in ticket.epochs}
    assert by_epoch[epoch.id.hex()] == (epoch.tag(MESH, "account", "subject-1").hex(),)
    assert b"subject-1" not in envelope.payload


def test_a_ticket_names_epochs_that_messages_of_the_period_may_have_reached(vault: Vault) -> None:
    before = vault.stored_epoch()
    for _ in range(4):
        vault.epochs.current_and_next()
        vault.clock.advance(DAY_MS // 2)
    members = documents.disclosure(
        vault.pki,
        issued_at=write_instant(SENT_MS + 20 * 3_600_000),
        period={"from": write_instant(SENT_MS - 60_000), "to": write_instant(SENT_MS)},
    )
    ticket = ticket_of(vault, vault.tickets.forecast(vault.document(members)))
    named = {one.epoch for one in ticket.epochs}
    assert before.id.hex() in named
    assert len(named) == 2


def test_destroyed_epochs_are_counted_and_have_no_tags(vault: Vault) -> None:
    vault.stored_epoch()
    vault.until_request()
    received = vault.document(documents.disclosure(vault.pki))
    before = ticket_of(vault, vault.tickets.forecast(received))
    vault.clock.advance(2 * DAY_MS)
    after = ticket_of(vault, vault.tickets.forecast(received))
    assert after.destroyed_epochs == before.destroyed_epochs + 1
    assert len(after.epochs) == len(before.epochs) - 1


def test_a_read_ticket_names_its_grant(vault: Vault) -> None:
    vault.stored_epoch()
    vault.until_request()
    request = vault.request()
    vault.create(request)
    ticket = ticket_of(vault, vault.tickets.read(request.received, request.grant))
    assert ticket.purpose == "read"
    assert ticket.grant is not None


def test_a_ticket_expires_within_the_hour(vault: Vault) -> None:
    vault.until_request()
    envelope = vault.tickets.forecast(vault.document(documents.disclosure(vault.pki)))
    vault.clock.advance(3_600_000)
    with pytest.raises(RefusedError, match="STATEMENT_EXPIRED"):
        ticket_of(vault, envelope)


def test_a_read_ticket_needs_a_true_grant(vault: Vault) -> None:
    vault.until_request()
    request = vault.request()
    forged = Logged(resigned(request.grant.statement, Ed25519PrivateKey.generate()), request.grant.proof)
    with pytest.raises(RefusedError, match="STATEMENT_SIGNATURE"):
        vault.tickets.read(request.received, forged)


def test_a_read_ticket_needs_the_grants_log_entry(vault: Vault) -> None:
    vault.until_request()
    request, other = vault.request(), vault.request(document={"number": "2026-압수-0009"})
    with pytest.raises(RefusedError, match="LOG_COMMITMENT"):
        vault.tickets.read(request.received, Logged(request.grant.statement, other.grant.proof))


def test_a_read_ticket_needs_a_grant_of_the_documents_own_scope(vault: Vault) -> None:
    vault.until_request()
    request = vault.request(grant={"period": {"start": 0, "end": 10**13}})
    with pytest.raises(RefusedError, match="GRANT_SCOPE"):
        vault.tickets.read(request.received, request.grant)


def test_a_read_ticket_needs_a_granted_case(vault: Vault) -> None:
    vault.until_request()
    request = vault.request()
    vault.create(request)
    vault.warrants.state = "cancelled"
    with pytest.raises(RefusedError, match="CASE_STATE"):
        vault.tickets.read(request.received, request.grant)


def test_a_ticket_to_preserve_needs_a_granted_case_and_the_documents_own_scope(vault: Vault) -> None:
    vault.until_request()
    order = vault.document(documents.preservation(vault.pki))
    wide = vault.preservation_grant(order, period={"start": 0, "end": 10**13})
    with pytest.raises(RefusedError, match="GRANT_SCOPE"):
        vault.tickets.preserve(order, vault.warrants.log(wide, "preservation-granted"))
    grant = vault.warrants.log(vault.preservation_grant(order), "preservation-granted")
    vault.warrants.state = "cancelled"
    with pytest.raises(RefusedError, match="CASE_STATE"):
        vault.tickets.preserve(order, grant)


def test_no_read_ticket_without_an_open_dossier_so_none_without_its_review(vault: Vault) -> None:
    vault.until_request()
    request = vault.request(forecast={"bystanders": 101})
    with pytest.raises(RefusedError, match="REVIEW_DUE"):
        vault.create(request)
    with pytest.raises(RefusedError, match="DOSSIER_UNKNOWN"):
        vault.tickets.read(request.received, request.grant)


def test_no_read_ticket_under_another_grant_than_the_dossiers(vault: Vault) -> None:
    vault.until_request()
    vault.create(vault.request())
    other = vault.request()
    with pytest.raises(RefusedError, match="DOSSIER_UNKNOWN"):
        vault.tickets.read(other.received, other.grant)


def test_a_mesh_without_a_pinned_store_gets_no_epoch(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    governance = vault.operator.governance.current().model_copy(update={"services": ()})
    monkeypatch.setattr(vault.operator.governance, "current", lambda: governance)
    with pytest.raises(RefusedError, match="STORE_UNKNOWN"):
        vault.epochs.current_and_next()


def test_no_read_ticket_after_the_close(vault: Vault) -> None:
    vault.until_request()
    request = vault.request()
    dossier = vault.create(request)
    vault.closing.close(bytes.fromhex(dossier.id), vault.finished())
    with pytest.raises(RefusedError, match="DOCUMENT_CLOSED"):
        vault.tickets.read(request.received, request.grant)


def test_no_ticket_while_frozen(vault: Vault) -> None:
    vault.until_request()
    request = vault.request()
    order = vault.document(documents.preservation(vault.pki))
    grant = vault.warrants.log(vault.preservation_grant(order), "preservation-granted")
    with vault.database.writing() as connection:
        stopping.begin_freeze(connection, stopping.Freeze("00" * 16, vault.clock.now_ms(), "custodian"))
    for ask in (
        lambda: vault.tickets.forecast(request.received),
        lambda: vault.tickets.read(request.received, request.grant),
        lambda: vault.tickets.preserve(order, grant),
    ):
        with pytest.raises(RefusedError, match="FROZEN"):
            ask()


def test_a_revoked_document_gets_no_ticket(vault: Vault) -> None:
    vault.until_request()
    request = vault.request()
    with vault.database.writing() as connection:
        stopping.stop(connection, digest_of(request.received), "revoked", vault.clock.now_ms())
    with pytest.raises(RefusedError, match="DOCUMENT_REVOKED"):
        vault.tickets.forecast(request.received)


def test_a_ticket_to_preserve_needs_an_order_in_force(vault: Vault) -> None:
    vault.until_request()
    until = write_instant(vault.clock.now_ms() + DAY_MS)
    order = vault.document(documents.preservation(vault.pki, until=until))
    grant = vault.warrants.log(vault.preservation_grant(order, expires=None), "preservation-granted")
    ticket = ticket_of(vault, vault.tickets.preserve(order, grant))
    assert (ticket.purpose, ticket.until) == ("preserve", vault.clock.now_ms() + DAY_MS)
    with pytest.raises(RefusedError, match="DOCUMENT_KIND"):
        vault.tickets.preserve(vault.document(documents.disclosure(vault.pki)), grant)
    vault.clock.advance(DAY_MS)
    with pytest.raises(RefusedError, match="ORDER_ENDED"):
        vault.tickets.preserve(order, grant)
