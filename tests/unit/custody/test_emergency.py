"""An emergency request keeps until its end, and what it kept outlives it only under a court's document."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from custody_support.vault import Vault, records_of
from garim.custody.kinds import ORDER
from garim.custody.tables import epochs, orders
from garim.documents.fields import write_instant
from garim.documents.policy import DAY_MS, HOUR_MS
from garim.kit.convert import Logged, Received
from garim.sealing import segment
from garim.statements.refusal import RefusedError
from garim.statements.scope import ScopeTicket
from garim.testing import documents
from garim.testing.records import Stored

MINUTE_MS = 60_000


def dated(vault: Vault, **members: Any) -> dict[str, Any]:
    """Return members of a document that is issued a minute ago."""
    return {"issued_at": write_instant(vault.clock.now_ms() - MINUTE_MS), **members}


def emergency_of(vault: Vault, **members: Any) -> tuple[Received, Logged]:
    until = write_instant(vault.clock.now_ms() + 35 * HOUR_MS)
    received = vault.emergency(documents.emergency(vault.pki, **dated(vault, until=until, **members)))
    return received, vault.warrants.log(vault.preservation_grant(received), "preservation-granted")


def order_of(vault: Vault, **members: Any) -> tuple[Received, Logged]:
    until = write_instant(vault.clock.now_ms() + 20 * DAY_MS)
    received = vault.document(
        documents.preservation(vault.pki, **dated(vault, **({"until": until} | members)))
    )
    return received, vault.warrants.log(vault.preservation_grant(received), "preservation-granted")


def keep(vault: Vault, made: tuple[Received, Logged], *stored: Stored) -> int:
    return vault.orders.preserve(*made, records_of(*stored))


def near_retention(vault: Vault) -> None:
    """Go to an hour before the end of the retention of all epochs."""
    retention_ms = vault.core.governance.current().terms.retention
    with vault.database.reading() as connection:
        ends_ms = [one.released_until(retention_ms) for one in epochs.with_keys(connection)]
    vault.clock.advance(min(ends_ms) - HOUR_MS - vault.clock.now_ms())


def pass_time(vault: Vault, hours: float) -> None:
    vault.clock.advance(round(hours * HOUR_MS))
    vault.keeper.tick()


@pytest.fixture
def kept(vault: Vault, stored: Stored) -> Stored:
    """Something that only an emergency request keeps: its epoch is past retention."""
    near_retention(vault)
    assert keep(vault, emergency_of(vault), stored) == 1
    pass_time(vault, 2)
    return stored


def request_of(vault: Vault, **members: Any) -> Any:
    return vault.request(document=dated(vault, **members))


def test_without_a_courts_document_its_keys_are_destroyed_at_its_end(vault: Vault, kept: Stored) -> None:
    assert len(vault.provider.list(ORDER)) == 1
    pass_time(vault, 33)
    assert vault.provider.list(ORDER) == []
    with vault.database.reading() as connection:
        (order,) = orders.of_case(connection, documents.AUTHORITY, "2026형제00001")
        assert (order.wrapped_key, orders.segments(connection, order.id)) == (b"", 0)
    with pytest.raises(RefusedError, match="KEY_RETENTION"):
        keep(vault, order_of(vault), kept)
    with pytest.raises(RefusedError, match="KEY_RETENTION"):
        vault.release(vault.create(request_of(vault)), kept)


def test_a_courts_order_inside_it_takes_over_what_it_kept(vault: Vault, kept: Stored) -> None:
    order = order_of(vault)
    ticket = ScopeTicket.from_bytes(vault.tickets.preserve(*order).payload)
    assert ticket.destroyed_epochs == 0
    assert keep(vault, order, kept) == 1
    pass_time(vault, 40)
    assert len(vault.provider.list(ORDER)) == 1
    _, key = vault.release(vault.create(request_of(vault)), kept)
    assert segment.open_block(key, kept.header, kept.ciphertext) == kept.block
    pass_time(vault, 24 * 20)
    assert vault.provider.list(ORDER) == []


def test_a_courts_warrant_inside_it_opens_what_it_kept_until_its_end(vault: Vault, kept: Stored) -> None:
    dossier = vault.create(request_of(vault))
    assert vault.release(dossier, kept)
    pass_time(vault, 33)
    with pytest.raises(RefusedError, match="KEY_RETENTION"):
        vault.release(dossier, kept)


@pytest.mark.parametrize(
    "outside",
    [
        {"subjects": [{"kind": "account", "value": "bystander-1"}]},
        {"subjects": [{"kind": "account", "value": one} for one in ("subject-1", "bystander-1")]},
        {"case_number": "2026형제99999"},
        {"period": "longer"},
    ],
)
def test_a_courts_document_outside_it_gets_nothing_of_it(
    vault: Vault, kept: Stored, outside: dict[str, Any]
) -> None:
    if "period" in outside:
        end = documents.millis(vault.pki) - DAY_MS
        outside = {"period": {"from": write_instant(end - DAY_MS - 1), "to": write_instant(end)}}
    with pytest.raises(RefusedError, match="KEY_RETENTION"):
        keep(vault, order_of(vault, **outside), kept)
    with pytest.raises(RefusedError, match="KEY_RETENTION"):
        vault.release(vault.create(request_of(vault, number="2026-압수-0009", **outside)), kept)


def test_an_emergency_request_never_prolongs_another(vault: Vault, kept: Stored) -> None:
    second = emergency_of(vault, number="2026-긴급-0002")
    assert ScopeTicket.from_bytes(vault.tickets.preserve(*second).payload).destroyed_epochs == 1
    with pytest.raises(RefusedError, match="KEY_RETENTION"):
        keep(vault, second, kept)


def test_a_courts_order_is_not_prolonged_by_another(vault: Vault, stored: Stored) -> None:
    near_retention(vault)
    keep(vault, order_of(vault), stored)
    pass_time(vault, 2)
    with pytest.raises(RefusedError, match="KEY_RETENTION"):
        keep(vault, order_of(vault, number="2026-보전-0002"), stored)


def test_an_emergency_request_opens_no_dossier_and_no_forecast(vault: Vault, stored: Stored) -> None:
    received, grant = emergency_of(vault)
    keep(vault, (received, grant), stored)
    for call in (
        lambda: vault.tickets.forecast(received),
        lambda: vault.tickets.read(received, grant),
        lambda: vault.create(dataclasses.replace(request_of(vault), received=received)),
    ):
        with pytest.raises(RefusedError, match="DOCUMENT_KIND"):
            call()


def test_the_end_is_judged_at_the_time_of_the_log_entry(vault: Vault, kept: Stored) -> None:
    dossier = vault.create(request_of(vault))
    vault.clock.advance(33 * HOUR_MS - 30_000)
    vault.operator.audit.misbehaviour.time_shift_ms = 60_000
    with pytest.raises(RefusedError, match="KEY_RETENTION"):
        vault.release(dossier, kept)


def test_an_emergency_request_longer_than_policy_or_law_keeps_nothing(vault: Vault, stored: Stored) -> None:
    until = write_instant(vault.clock.now_ms() + 36 * HOUR_MS)
    received = vault.emergency(documents.emergency(vault.pki, until=until))
    with pytest.raises(RefusedError, match="FIELD_VALUE"):
        vault.orders.preserve(received, order_of(vault)[1], records_of(stored))
