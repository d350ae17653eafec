from __future__ import annotations

import dataclasses
import secrets
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from custody_support.vault import SENT_MS, Vault, records_of
from garim.custody.tables import dossiers, stopping
from garim.documents.fields import write_instant
from garim.documents.policy import DAY_MS
from garim.sealing import hpke, roster, segment
from garim.sealing.roster import RosterRecord
from garim.statements.refusal import Kind, RefusedError
from garim.testing import documents
from garim.testing.operator import MESH, away
from garim.testing.records import SampleStore, Stored


def refused(vault: Vault, reason: str, *stored: Stored, field: str | None = None) -> RefusedError:
    dossier = vault.create(vault.request())
    with pytest.raises(RefusedError) as caught:
        vault.release(dossier, *stored)
    assert caught.value.reason == reason
    if field is not None:
        assert caught.value.field == field
    assert vault.logged("keys-released") == 0
    return caught.value


def test_released_keys_open_roster_and_segment(vault: Vault, stored: Stored) -> None:
    dossier = vault.create(vault.request())
    roster_key, key = vault.release(dossier, stored)
    assert segment.open_block(key, stored.header, stored.ciphertext) == stored.block
    record = RosterRecord.decode(stored.roster)
    assert roster.open_roster(roster_key, record) == b"members of room-1"
    assert vault.logged("keys-released") == 1


def test_a_repeated_release_is_one_entry(vault: Vault, stored: Stored) -> None:
    dossier = vault.create(vault.request())
    _, public = hpke.generate()
    for _ in range(2):
        vault.releases.release(bytes.fromhex(dossier.id), public, records_of(stored))
    assert vault.logged("keys-released") == 1


def test_the_log_learns_how_many_keys_and_not_whose(vault: Vault, stored: Stored) -> None:
    vault.release(vault.create(vault.request()), stored)
    leaf = next(one for one in vault.entries() if one.type == "keys-released")
    assert dict(leaf.magnitudes) == {"keys": 2}
    assert b"subject-1" not in leaf.encode()


def test_the_main_process_asks_the_opener_for_ciphertext_only(vault: Vault, stored: Stored) -> None:
    dossier = vault.create(vault.request())
    keys = vault.release(dossier, stored)
    for key in keys:
        assert all(bytes(key.buffer) not in job for job in vault.opener.jobs)


def test_256_segments_under_a_dozen_write_secrets_are_released_within_seconds(vault: Vault) -> None:
    epoch = vault.stored_epoch()
    stored = []
    for _ in range(12):
        written = vault.store.write_secret(epoch, vault.clock.now_ms())
        room = vault.store.roster(epoch, written, ("subject-1", "bystander-1"))
        now_ms = vault.clock.now_ms()
        stored += [vault.store.segment(written, room, now_ms) for _ in range(24)]
        vault.clock.advance(60_000)
    vault.until_request()
    dossier = vault.create(vault.request())
    began = time.monotonic()
    assert len(vault.release(dossier, *stored)) == 12 + len(stored)
    assert time.monotonic() - began < 5


def test_subjects_are_blinded_once_a_minute_however_often_keys_are_asked_for(
    vault: Vault, stored: Stored
) -> None:
    dossier = vault.create(vault.request())
    asked = len(vault.opener.jobs)

    def blinded() -> int:
        return sum(b'"blind-subjects"' in job for job in vault.opener.jobs[asked:])

    for _ in range(3):
        vault.release(dossier, stored)
    assert blinded() == 1
    vault.clock.advance(60_000)
    vault.release(dossier, stored)
    assert blinded() == 2


def test_a_phone_number_names_the_subject_as_well(vault: Vault) -> None:
    made = vault.sample(vault.stored_epoch(), ("bystander-1", "phone:+821000001234"))
    vault.until_request()
    subjects = [{"kind": "phone", "value": "+821000001234"}]
    dossier = vault.create(vault.request(document={"subjects": subjects}))
    assert len(vault.release(dossier, made)) == 2


def test_an_unknown_dossier_gets_nothing(vault: Vault, stored: Stored) -> None:
    _, public = hpke.generate()
    with pytest.raises(RefusedError, match="DOSSIER_UNKNOWN"):
        vault.releases.release(secrets.token_bytes(16), public, records_of(stored))


def test_a_dossier_whose_creation_is_not_logged_gets_nothing(vault: Vault, stored: Stored) -> None:
    dossier = vault.create(vault.request())
    with vault.database.writing() as connection:
        dossiers.change(connection, dossier.id, state="making")
    with pytest.raises(RefusedError, match="DOSSIER_UNKNOWN"):
        vault.release(dossier, stored)


def test_nothing_is_released_after_the_close(vault: Vault, stored: Stored) -> None:
    dossier = vault.create(vault.request())
    vault.closing.close(bytes.fromhex(dossier.id), vault.finished())
    with pytest.raises(RefusedError, match="DOSSIER_CLOSED"):
        vault.release(dossier, stored)


def test_nothing_is_released_once_closing_has_begun(vault: Vault, stored: Stored) -> None:
    dossier = vault.create(vault.request())
    vault.operator.audit.misbehaviour.silent = True
    with pytest.raises(RefusedError, match="LOG_UNAVAILABLE"):
        vault.closing.close(bytes.fromhex(dossier.id), vault.finished())
    vault.operator.audit.misbehaviour.silent = False
    with pytest.raises(RefusedError, match="DOSSIER_CLOSED"):
        vault.release(dossier, stored)


def freeze(vault: Vault) -> None:
    with vault.database.writing() as connection:
        stopping.begin_freeze(
            connection, stopping.Freeze(secrets.token_hex(16), vault.clock.now_ms(), "custodian")
        )


def revoke(vault: Vault, digest: str) -> None:
    with vault.database.writing() as connection:
        stopping.stop(connection, digest, "revoked", vault.clock.now_ms())


def test_nothing_is_released_while_frozen(vault: Vault, stored: Stored) -> None:
    dossier = vault.create(vault.request())
    freeze(vault)
    with pytest.raises(RefusedError, match="FROZEN"):
        vault.release(dossier, stored)
    assert vault.logged("keys-released") == 0


def test_nothing_is_released_for_a_revoked_document(vault: Vault, stored: Stored) -> None:
    dossier = vault.create(vault.request())
    revoke(vault, dossier.document_digest)
    with pytest.raises(RefusedError, match="DOCUMENT_REVOKED"):
        vault.release(dossier, stored)


@pytest.mark.parametrize("moment", ["log", "opener"])
def test_a_freeze_during_a_release_keeps_the_keys_inside(
    vault: Vault, stored: Stored, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = vault.create(vault.request())
    if moment == "log":
        vault.operator.audit.before_append = lambda _kind: freeze(vault)
    else:
        perform = vault.opener.run

        def run(job: bytes) -> bytes:
            answer = perform(job)
            if b'"release-keys"' in job:
                freeze(vault)
            return answer

        monkeypatch.setattr(vault.opener, "run", run)
    with pytest.raises(RefusedError, match="FROZEN"):
        vault.release(dossier, stored)
    if moment == "log":
        assert not any(b'"release-keys"' in job for job in vault.opener.jobs)


def test_a_case_that_is_not_granted_gets_nothing(vault: Vault, stored: Stored) -> None:
    dossier = vault.create(vault.request())
    vault.warrants.state = "in-review"
    with pytest.raises(RefusedError, match="CASE_STATE"):
        vault.release(dossier, stored)
    vault.warrants.state = "granted"
    assert vault.release(dossier, stored)


def test_a_cancelled_case_is_final_even_if_warrants_grants_it_again(vault: Vault, stored: Stored) -> None:
    dossier = vault.create(vault.request())
    vault.warrants.state = "cancelled"
    for state in ("cancelled", "granted"):
        vault.warrants.state = state
        with pytest.raises(RefusedError, match="CASE_STATE"):
            vault.release(dossier, stored)


def test_no_answer_of_warrants_pauses(vault: Vault, stored: Stored) -> None:
    dossier = vault.create(vault.request())
    vault.warrants.refusal = away()
    with pytest.raises(RefusedError, match="CASE_STATUS") as caught:
        vault.release(dossier, stored)
    assert caught.value.kind is Kind.UNAVAILABLE
    vault.warrants.refusal = None
    assert vault.release(dossier, stored)


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "00" * 32},
        {"case": "00" * 16},
        {"document": "00" * 32},
        {"expires": SENT_MS + 100 * DAY_MS},
        {"expires": SENT_MS},
        {"mesh": "other.mesh"},
    ],
)
def test_a_status_that_answers_another_question_counts_nothing(
    vault: Vault, stored: Stored, changes: dict[str, object]
) -> None:
    dossier = vault.create(vault.request())
    vault.warrants.changes = changes
    with pytest.raises(RefusedError, match="CASE_STATUS"):
        vault.release(dossier, stored)


def test_a_status_of_another_key_counts_nothing(vault: Vault, stored: Stored) -> None:
    dossier = vault.create(vault.request())
    vault.warrants.key = Ed25519PrivateKey.generate()
    with pytest.raises(RefusedError, match="CASE_STATUS"):
        vault.release(dossier, stored)


def test_the_status_is_asked_for_at_every_call(vault: Vault, stored: Stored) -> None:
    dossier = vault.create(vault.request())
    asked = vault.warrants.asked
    vault.release(dossier, stored)
    vault.release(dossier, stored)
    assert vault.warrants.asked == asked + 2


def test_a_silent_log_means_no_release(vault: Vault, stored: Stored) -> None:
    dossier = vault.create(vault.request())
    vault.operator.audit.misbehaviour.silent = True
    with pytest.raises(RefusedError, match="LOG_UNAVAILABLE"):
        vault.release(dossier, stored)
    assert not any(b'"release-keys"' in job for job in vault.opener.jobs)


def test_a_document_that_expires_before_the_log_entry_opens_nothing(vault: Vault, stored: Stored) -> None:
    expires = write_instant(documents.millis(vault.pki) + 60_000)
    dossier = vault.create(vault.request(document={"expires_at": expires}))
    vault.clock.advance(30_000)
    vault.operator.audit.misbehaviour.time_shift_ms = 60_000
    with pytest.raises(RefusedError, match="DOSSIER_EXPIRED"):
        vault.release(dossier, stored)
    assert not any(b'"release-keys"' in job for job in vault.opener.jobs)


def test_an_expired_document_opens_nothing(vault: Vault, stored: Stored) -> None:
    expires = write_instant(documents.millis(vault.pki) + 60_000)
    dossier = vault.create(vault.request(document={"expires_at": expires}))
    vault.clock.advance(60_000)
    with pytest.raises(RefusedError, match="DOSSIER_EXPIRED"):
        vault.release(dossier, stored)
    assert vault.logged("keys-released") == 0


def test_a_malformed_attempt_key_gets_nothing(vault: Vault, stored: Stored) -> None:
    dossier = vault.create(vault.request())
    with pytest.raises(RefusedError, match="KEY_LENGTH"):
        vault.releases.release(bytes.fromhex(dossier.id), b"short", records_of(stored))
    assert vault.logged("keys-released") == 0


def test_a_conversation_without_the_subject_gets_nothing(vault: Vault) -> None:
    made = vault.sample(vault.stored_epoch(), ("bystander-1", "bystander-2"))
    vault.until_request()
    refused(vault, "KEY_ROSTER", made, field="rosters[0]")


def test_one_record_out_of_scope_refuses_all(vault: Vault, stored: Stored) -> None:
    dossier = vault.create(vault.request())
    other = vault.sample(vault.stored_epoch(), ("bystander-1",))
    with pytest.raises(RefusedError):
        vault.release(dossier, stored, other)
    assert vault.logged("keys-released") == 0


def test_a_swapped_roster_gets_nothing(vault: Vault) -> None:
    epoch = vault.stored_epoch()
    without = vault.sample(epoch, ("bystander-1", "bystander-2"))
    with_subject = vault.sample(epoch)
    vault.until_request()
    dossier = vault.create(vault.request())
    swapped = {"rosters": [with_subject.roster], "headers": [without.header]}
    with pytest.raises(RefusedError, match="KEY_ROSTER") as caught:
        vault.release(dossier, with_subject, without, **swapped)
    assert caught.value.field == "headers[0]"


def test_a_header_that_names_the_subjects_roster_but_another_conversation_gets_nothing(vault: Vault) -> None:
    epoch = vault.stored_epoch()
    written = vault.store.write_secret(epoch, vault.clock.now_ms())
    room = vault.store.roster(epoch, written, ("subject-1",))
    other = {"conversation": epoch.tag(MESH, "conversation", "room-2")}
    made = vault.store.segment(written, room, vault.clock.now_ms(), header=other)
    vault.until_request()
    refused(vault, "KEY_ROSTER", made, field="headers[0]")


def test_a_roster_that_no_header_names_gets_nothing(vault: Vault, stored: Stored) -> None:
    dossier = vault.create(vault.request())
    extra = roster_only(vault, stored)
    with pytest.raises(RefusedError, match="KEY_ROSTER") as caught:
        vault.release(dossier, stored, rosters=[stored.roster, extra])
    assert caught.value.field == "rosters[1]"


def roster_only(vault: Vault, stored: Stored) -> bytes:
    """Return the same roster with another fresh id: a record of its own, which nothing names."""
    record = RosterRecord.decode(stored.roster)
    plain = dataclasses.replace(record.plain, fresh=secrets.token_bytes(16))
    return RosterRecord(plain, plain.encode(), record.sealed).encode()


@pytest.mark.parametrize(
    ("sent_ms", "granted"),
    [
        # The period lies from 48 to 24 hours before the request, SENT_MS 46 hours before it.
        (SENT_MS - 2 * 3_600_000 - 1, False),
        (SENT_MS - 2 * 3_600_000, True),
        (SENT_MS + 22 * 3_600_000 - 1, True),
        (SENT_MS + 22 * 3_600_000, False),
    ],
)
def test_only_what_was_sent_in_the_period_is_released(vault: Vault, sent_ms: int, granted: bool) -> None:
    epoch = vault.stored_epoch()
    written = vault.store.write_secret(epoch, vault.clock.now_ms())
    made = vault.store.segment(written, vault.store.roster(epoch, written, ("subject-1",)), sent_ms)
    vault.until_request()
    if granted:
        assert vault.release(vault.create(vault.request()), made)
    else:
        refused(vault, "KEY_SCOPE", made, field="headers[0]")


def test_nothing_received_after_the_issue_is_released(vault: Vault) -> None:
    vault.stored_epoch()
    issued_ms = documents.millis(vault.pki) - 3_600_000
    vault.clock.advance(issued_ms - vault.clock.now_ms() - 30_000)
    epoch = vault.stored_epoch()
    written = vault.store.write_secret(epoch, vault.clock.now_ms())
    room = vault.store.roster(epoch, written, ("subject-1",))
    in_time = vault.store.segment(written, room, SENT_MS, received_ms=issued_ms)
    late = vault.store.segment(written, room, SENT_MS, received_ms=issued_ms + 1)
    vault.until_request()
    dossier = vault.create(vault.request())
    assert vault.release(dossier, in_time)
    with pytest.raises(RefusedError, match="KEY_SCOPE"):
        vault.release(dossier, late)


@pytest.mark.parametrize(
    ("first", "last"), [(-1, 1), (0, 60_000), (-5_000, -1_000)], ids=["before", "after", "back-dated"]
)
def test_a_header_outside_its_write_secrets_life_gets_nothing(vault: Vault, first: int, last: int) -> None:
    epoch = vault.stored_epoch()
    now_ms = vault.clock.now_ms()
    written = vault.store.write_secret(epoch, now_ms)
    room = vault.store.roster(epoch, written, ("subject-1",))
    times: dict[str, object] = {"received_first": now_ms + first, "received_last": now_ms + last}
    made = vault.store.segment(written, room, now_ms, header=times)
    vault.until_request()
    refused(vault, "KEY_RECORD", made, field="headers[0]")


@pytest.mark.parametrize("record", ["roster", "header"])
def test_a_record_without_its_write_secret_gets_nothing(vault: Vault, record: str) -> None:
    epoch = vault.stored_epoch()
    now_ms = vault.clock.now_ms()
    one, two = vault.store.write_secret(epoch, now_ms), vault.store.write_secret(epoch, now_ms)
    made = vault.store.segment(two, vault.store.roster(epoch, one, ("subject-1",)), now_ms)
    vault.until_request()
    dossier = vault.create(vault.request())
    given = [two.kept] if record == "roster" else [one.kept]
    with pytest.raises(RefusedError, match="KEY_RECORD"):
        vault.release(dossier, made, write_secrets=given)
    assert vault.release(dossier, made, write_secrets=[one.kept, two.kept])


def test_a_write_secret_that_no_pinned_store_signed_gets_nothing(vault: Vault) -> None:
    forger = SampleStore(MESH, vault.store.name, Ed25519PrivateKey.generate().sign)
    vault.store = forger
    made = vault.sample(vault.stored_epoch())
    vault.until_request()
    refused(vault, "WRITE_SECRET_SIGNATURE", made)


def test_a_write_secret_of_an_unknown_store_gets_nothing(vault: Vault) -> None:
    vault.store = dataclasses.replace(vault.store, name="store-9")
    made = vault.sample(vault.stored_epoch())
    vault.until_request()
    refused(vault, "WRITE_SECRET_SIGNATURE", made)


def test_a_write_secret_of_another_mesh_gets_nothing(vault: Vault) -> None:
    vault.store = dataclasses.replace(vault.store, mesh="other.mesh")
    made = vault.sample(vault.stored_epoch())
    vault.until_request()
    refused(vault, "WRITE_SECRET_MESH", made)


@pytest.mark.parametrize("shift_ms", [-DAY_MS, DAY_MS])
def test_a_write_secret_that_lies_outside_its_epoch_gets_nothing(vault: Vault, shift_ms: int) -> None:
    epoch = vault.stored_epoch()
    written = vault.store.write_secret(epoch, vault.clock.now_ms() + shift_ms)
    made = vault.store.segment(written, vault.store.roster(epoch, written, ("subject-1",)), SENT_MS)
    vault.until_request()
    refused(vault, "KEY_RECORD", made, field="write_secrets[0]")


def test_a_roster_under_a_write_secret_of_another_epoch_gets_nothing(vault: Vault) -> None:
    now, later = vault.stored_epoch(0), vault.stored_epoch(1)
    written = vault.store.write_secret(now, vault.clock.now_ms())
    room = vault.store.roster(later, written, ("subject-1",))
    made = vault.store.segment(written, room, SENT_MS)
    vault.until_request()
    refused(vault, "KEY_RECORD", made, field="rosters[0]")


def test_a_header_and_a_roster_of_different_epochs_get_nothing(vault: Vault) -> None:
    now, later = vault.stored_epoch(0), vault.stored_epoch(1)
    one = vault.store.write_secret(now, vault.clock.now_ms())
    two = vault.store.write_secret(later, vault.clock.now_ms() + DAY_MS)
    made = vault.store.segment(two, vault.store.roster(now, one, ("subject-1",)), SENT_MS)
    vault.until_request()
    dossier = vault.create(vault.request())
    with pytest.raises(RefusedError, match="KEY_RECORD") as caught:
        vault.release(dossier, made, write_secrets=[one.kept, two.kept])
    assert caught.value.field == "headers[0]"


def test_a_header_and_a_roster_of_different_stores_get_nothing(vault: Vault) -> None:
    key = Ed25519PrivateKey.generate()
    vault.operator.keys["messages", "store-2"] = key
    vault.operator.governance.advance()
    other = SampleStore(MESH, "store-2", key.sign)
    epoch, now_ms = vault.stored_epoch(), vault.clock.now_ms()
    one, two = vault.store.write_secret(epoch, now_ms), other.write_secret(epoch, now_ms)
    room = vault.store.roster(epoch, one, ("subject-1",))
    own, foreign = vault.store.segment(one, room, now_ms), other.segment(two, room, now_ms)
    vault.until_request()
    dossier = vault.create(vault.request())
    assert vault.release(dossier, own)
    with pytest.raises(RefusedError, match="KEY_RECORD") as caught:
        vault.release(dossier, foreign, write_secrets=[one.kept, two.kept])
    assert caught.value.field == "headers[0]"


def test_a_tag_of_another_epoch_does_not_make_a_subject(vault: Vault) -> None:
    now, later = vault.stored_epoch(0), vault.stored_epoch(1)
    written = vault.store.write_secret(now, vault.clock.now_ms())
    plain: dict[str, object] = {"epoch": now.id}
    made = vault.store.segment(
        written, vault.store.roster(later, written, ("subject-1",), plain=plain), SENT_MS
    )
    vault.until_request()
    refused(vault, "KEY_ROSTER", made, field="rosters[0]")


def test_an_unknown_epoch_gets_nothing(vault: Vault) -> None:
    epoch = dataclasses.replace(vault.stored_epoch(), id=secrets.token_bytes(16))
    made = vault.sample(epoch)
    vault.until_request()
    refused(vault, "KEY_RETENTION", made)


def end_of_retention(vault: Vault) -> int:
    epoch = vault.epochs.current_and_next()[0]
    return epoch.not_after_ms + vault.operator.governance.current().terms.retention


def test_past_retention_nothing_is_released_destroyed_or_not(vault: Vault) -> None:
    ends_ms = end_of_retention(vault)
    made = vault.sample(vault.stored_epoch())
    vault.until_request()
    dossier = vault.create(vault.request())
    vault.clock.advance(ends_ms - 1 - vault.clock.now_ms())
    assert vault.release(dossier, made)
    vault.clock.advance(1)
    with pytest.raises(RefusedError, match="KEY_RETENTION"):
        vault.release(dossier, made)


def test_retention_is_judged_at_the_log_entrys_time_as_well(vault: Vault) -> None:
    ends_ms = end_of_retention(vault)
    made = vault.sample(vault.stored_epoch())
    vault.until_request()
    dossier = vault.create(vault.request())
    vault.clock.advance(ends_ms - 30_000 - vault.clock.now_ms())
    vault.operator.audit.misbehaviour.time_shift_ms = 60_000
    with pytest.raises(RefusedError, match="KEY_RETENTION"):
        vault.release(dossier, made)
    assert not any(b'"release-keys"' in job for job in vault.opener.jobs)


def test_a_log_two_minutes_off_our_clock_means_no_release(vault: Vault, stored: Stored) -> None:
    dossier = vault.create(vault.request())
    vault.operator.audit.misbehaviour.time_shift_ms = 121_000
    with pytest.raises(RefusedError, match="LOG_TIME"):
        vault.release(dossier, stored)


def test_a_request_without_headers_or_with_too_many_records_is_refused(vault: Vault, stored: Stored) -> None:
    dossier = vault.create(vault.request())
    with pytest.raises(RefusedError, match="KEY_COUNT"):
        vault.release(dossier, stored, headers=[])
    with pytest.raises(RefusedError, match="KEY_COUNT"):
        vault.release(dossier, stored, headers=[stored.header] * 5000)


@pytest.mark.sqlite
def test_a_damaged_kept_document_opens_nothing(vault: Vault, stored: Stored) -> None:
    dossier = vault.create(vault.request())
    widened = documents.disclosure(vault.pki, subjects=[{"kind": "account", "value": "bystander-1"}])
    with vault.database.writing() as connection:
        dossiers.change(connection, dossier.id, payload=documents.payload(widened))
    with pytest.raises(RefusedError, match="DOSSIER_DAMAGED"):
        vault.release(dossier, stored)
