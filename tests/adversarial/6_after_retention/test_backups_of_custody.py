"""After retention nobody reads anything: not from a backup, not with the clock put back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from custody_support.vault import MESH, CustodyOperator, Vault, records_of
from garim.custody.kinds import DOSSIER, EPOCH, ORDER
from garim.documents.policy import DAY_MS
from garim.kit.providers import KeyHandle
from garim.kit.providers.file import FileKeyProvider
from garim.sealing.write_secret import WriteSecretRecord
from garim.statements.refusal import RefusedError
from garim.testing import documents
from garim.testing.pki import DocumentPki
from garim.testing.records import Stored
from kit_support.engines import copy_database


@pytest.fixture
def filed(tmp_path: Path, pki: DocumentPki) -> Iterator[Vault]:
    """Custody with the file provider."""
    opened = Vault(tmp_path, CustodyOperator(pki), FileKeyProvider(tmp_path / "keys", MESH))
    yield opened
    opened.close()


def backup(vault: Vault) -> Path:
    """Return a copy of custody's database as a backup has it."""
    copy = vault.folder / "backup.db"
    copy_database(vault.folder / "custody.db", copy)
    return copy


def restore(vault: Vault, copy: Path) -> None:
    """Put a backup in the database's place and start custody on it."""
    vault.database.close()
    copy_database(copy, vault.folder / "custody.db")
    vault.open()


def stored_and_past(vault: Vault) -> tuple[Stored, Path]:
    """Store a message, back custody's database up, and let its epoch be destroyed."""
    made = vault.sample(vault.stored_epoch())
    vault.until_request()
    copy = backup(vault)
    vault.clock.advance(4 * DAY_MS)
    vault.keeper.tick()
    return made, copy


def test_a_database_restored_from_before_the_destruction_opens_nothing(filed: Vault) -> None:
    made, copy = stored_and_past(filed)
    restore(filed, copy)
    dossier = filed.create(filed.request())
    with pytest.raises(RefusedError, match="KEY_RETENTION"):
        filed.release(dossier, made)


def test_a_restored_database_and_a_clock_put_back_open_nothing(filed: Vault) -> None:
    made, copy = stored_and_past(filed)
    restore(filed, copy)
    filed.clock.jump_wall(-4 * DAY_MS)
    filed.operator.audit.clock = filed.clock
    with pytest.raises(RefusedError):
        filed.release(filed.create(filed.request()), made)
    with pytest.raises(RefusedError, match="KEY_OBJECT_MISSING"):
        filed.tickets.forecast(filed.document(documents.disclosure(filed.pki)))


def test_no_file_of_custody_holds_what_the_object_had_wrapped(filed: Vault) -> None:
    epoch = filed.epochs.current_and_next()[0]
    assert epoch.wrapped_private is not None
    filed.clock.advance(6 * DAY_MS)
    filed.keeper.tick()
    filed.database.close()
    files = b"".join(path.read_bytes() for path in filed.folder.rglob("*") if path.is_file())
    assert epoch.wrapped_private not in files
    assert not any(path.stem == epoch.id for path in filed.folder.rglob("*.key"))
    filed.open()


def test_a_log_that_is_silent_for_ever_opens_nothing_and_saves_no_key(filed: Vault) -> None:
    made = filed.sample(filed.stored_epoch())
    filed.until_request()
    dossier = filed.create(filed.request())
    filed.clock.advance(3 * DAY_MS)
    filed.operator.audit.misbehaviour.silent = True
    with pytest.raises(RefusedError, match="KEY_RETENTION"):
        filed.release(dossier, made)
    for _ in range(26):
        filed.keeper.tick()
        filed.clock.advance(3_600_000)
    filed.keeper.tick()
    epoch = KeyHandle(EPOCH, made_epoch(made))
    assert not filed.provider.exists(epoch)


def made_epoch(made: Stored) -> str:
    return WriteSecretRecord.decode(made.write_secret.record).epoch.hex()


def test_an_ended_order_and_dossier_do_not_come_back_from_a_backup(filed: Vault) -> None:
    made = filed.sample(filed.stored_epoch())
    filed.until_request()
    received = filed.document(documents.preservation(filed.pki))
    grant = filed.warrants.log(filed.preservation_grant(received), "preservation-granted")
    filed.orders.preserve(received, grant, records_of(made))
    filed.create(filed.request())
    copy = backup(filed)
    filed.clock.advance(120 * DAY_MS)
    filed.keeper.tick()
    restore(filed, copy)
    assert filed.provider.list(ORDER) == []
    assert filed.provider.list(DOSSIER) == []
