"""Whoever writes into the store's database, without its key, cannot plant segments in the open epoch."""

from __future__ import annotations

import dataclasses

import pytest

from custody_support.vault import Vault
from garim.sealing import hpke, roster, segment
from garim.sealing.roster import RosterRecord
from garim.sealing.secret import Secret
from garim.statements.labels import Purpose, bind
from garim.statements.refusal import RefusedError
from garim.testing.operator import MESH
from garim.testing.records import Stored, StoredEpoch, Written


def _planted(vault: Vault, epoch: StoredEpoch, true: Written, room: RosterRecord, now_ms: int) -> Stored:
    """Return a segment of the subject's conversation under a secret of the thief's behind a signed record."""
    secret = Secret.random()
    sealed = hpke.seal(secret.buffer, epoch.public, bind(Purpose.WRITE_SECRET, MESH, true.kept.record))
    kept = dataclasses.replace(true.kept, sealed=sealed)
    plain = dataclasses.replace(room.plain, write_secret=kept.id)
    with roster.roster_root(secret, MESH) as root:
        forged = roster.seal_roster(root, MESH, plain, b"planted members")
    return vault.store.segment(
        Written(secret, kept, true.record), forged, now_ms, block=b"TEST planted words"
    )


def test_a_secret_planted_in_the_stores_database_gets_no_keys(vault: Vault) -> None:
    epoch = vault.stored_epoch()
    now_ms = vault.clock.now_ms()
    true = vault.store.write_secret(epoch, now_ms)
    room = vault.store.roster(epoch, true, ("subject-1", "bystander-1"))
    stored = vault.store.segment(true, room, now_ms)
    planted = _planted(vault, epoch, true, room, now_ms)
    vault.until_request()
    dossier = vault.create(vault.request())
    for asked in ((planted,), (stored, planted)):
        with pytest.raises(RefusedError, match="WRITE_SECRET_SIGNATURE"):
            vault.release(dossier, *asked)
    assert vault.logged("keys-released") == 0
    _, key = vault.release(dossier, stored)
    assert segment.open_block(key, stored.header, stored.ciphertext) == stored.block
