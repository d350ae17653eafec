"""A store that counts low, so that nobody reviews and no overlap is seen, gains nothing by what it hides."""

from __future__ import annotations

import pytest

from custody_support.vault import Vault
from garim.statements.refusal import RefusedError


@pytest.mark.parametrize("tags", [(), ("00" * 32,)])
def test_a_conversation_that_the_forecast_left_out_stays_shut(vault: Vault, tags: tuple[str, ...]) -> None:
    hidden = vault.sample(vault.stored_epoch())
    vault.until_request()
    dossier = vault.create(vault.request(forecast={"conversation_tags": tags}))
    with pytest.raises(RefusedError, match="KEY_FORECAST"):
        vault.release(dossier, hidden)
    assert vault.logged("keys-released") == 0


def test_one_hidden_conversation_keeps_the_whole_request_shut(vault: Vault) -> None:
    epoch = vault.stored_epoch()
    counted = vault.sample(epoch)
    (tag,) = vault.store.conversations
    written = vault.store.write_secret(epoch, vault.clock.now_ms())
    room = vault.store.roster(epoch, written, ("subject-1", "bystander-2"), conversation="room-3")
    hidden = vault.store.segment(written, room, vault.clock.now_ms())
    vault.until_request()
    dossier = vault.create(vault.request(forecast={"conversation_tags": (tag,)}))
    with pytest.raises(RefusedError, match="KEY_FORECAST"):
        vault.release(dossier, counted, hidden)
    assert vault.release(dossier, counted)
