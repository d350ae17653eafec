"""Whoever holds redaction's certificate can send custody anything; it never gets what no document covers."""

from __future__ import annotations

import dataclasses
import secrets

import pytest

from custody_support.vault import Vault, records_of
from garim.sealing import hpke, released, roster, segment
from garim.sealing.roster import MemberTag, RosterRecord
from garim.sealing.segment import SegmentHeader
from garim.statements.refusal import RefusedError
from garim.testing.operator import MESH
from garim.testing.records import Stored, StoredEpoch


@dataclasses.dataclass
class Scene:
    """A conversation of the subject's and one of two bystanders', under one write secret."""

    vault: Vault
    epoch: StoredEpoch
    subjects: Stored
    others: Stored


@pytest.fixture
def scene(vault: Vault) -> Scene:
    epoch = vault.stored_epoch()
    now_ms = vault.clock.now_ms()
    written = vault.store.write_secret(epoch, now_ms)
    ours = vault.store.roster(epoch, written, ("subject-1", "bystander-1"))
    theirs = vault.store.roster(epoch, written, ("bystander-1", "bystander-2"), conversation="room-2")
    subjects = vault.store.segment(written, ours, now_ms)
    others = vault.store.segment(written, theirs, now_ms, block=b"TEST private talk")
    vault.until_request()
    return Scene(vault, epoch, subjects, others)


def test_a_conversation_without_the_subject_stays_shut(scene: Scene) -> None:
    dossier = scene.vault.create(scene.vault.request())
    for asked in ((scene.others,), (scene.subjects, scene.others)):
        with pytest.raises(RefusedError, match="KEY_ROSTER"):
            scene.vault.release(dossier, *asked)
    assert scene.vault.logged("keys-released") == 0


def test_a_header_forged_onto_the_subjects_roster_opens_nothing_of_theirs(scene: Scene) -> None:
    true = SegmentHeader.decode(scene.others.header)
    ours = SegmentHeader.decode(scene.subjects.header)
    forged = dataclasses.replace(true, conversation=ours.conversation, roster=ours.roster).encode()
    dossier = scene.vault.create(scene.vault.request())
    _, key = scene.vault.release(dossier, scene.subjects, headers=[forged])
    for header in (forged, scene.others.header):
        with pytest.raises(RefusedError, match="SEALING_OPEN"):
            segment.open_block(key, header, scene.others.ciphertext)


def test_a_roster_with_the_subject_written_in_opens_nothing_of_theirs(scene: Scene) -> None:
    true = RosterRecord.decode(scene.others.roster)
    tag = MemberTag(scene.epoch.tag(MESH, "account", "subject-1"), "account")
    members = tuple(sorted((*true.plain.members, tag), key=lambda one: one.tag))
    plain = dataclasses.replace(true.plain, members=members)
    forged = RosterRecord(plain, plain.encode(), true.sealed)
    header = dataclasses.replace(
        SegmentHeader.decode(scene.others.header), roster=roster.digest(forged.encode())
    ).encode()
    dossier = scene.vault.create(scene.vault.request())
    roster_key, key = scene.vault.release(dossier, scene.others, rosters=[forged.encode()], headers=[header])
    with pytest.raises(RefusedError, match="SEALING_OPEN"):
        roster.open_roster(roster_key, forged)
    with pytest.raises(RefusedError, match="SEALING_OPEN"):
        roster.open_roster(roster_key, true)
    with pytest.raises(RefusedError, match="SEALING_OPEN"):
        segment.open_block(key, scene.others.header, scene.others.ciphertext)


def test_a_back_dated_header_opens_nothing_that_came_later(vault: Vault) -> None:
    vault.until_request()
    late = vault.stored_epoch()
    written = vault.store.write_secret(late, vault.clock.now_ms())
    room = vault.store.roster(late, written, ("subject-1",))
    made = vault.store.segment(written, room, vault.clock.now_ms())
    dossier = vault.create(vault.request())
    true = SegmentHeader.decode(made.header)
    sent = true.sent_first - 40 * 3_600_000
    sent -= sent % 3_600_000
    back = dataclasses.replace(
        true,
        sent_first=sent,
        sent_last=sent,
        received_first=true.received_first - 7_200_000,
        received_last=true.received_last - 7_200_000,
    ).encode()
    with pytest.raises(RefusedError, match="KEY_RECORD"):
        vault.release(dossier, made, headers=[back])


def test_after_the_close_neither_a_new_attempt_nor_the_same_document_opens_anything(scene: Scene) -> None:
    vault = scene.vault
    request = vault.request()
    dossier = vault.create(request)
    vault.closing.close(bytes.fromhex(dossier.id), vault.finished())
    again = vault.create(request)
    assert again.id == dossier.id
    with pytest.raises(RefusedError, match="DOSSIER_CLOSED"):
        vault.release(again, scene.subjects)
    with pytest.raises(RefusedError, match="DOCUMENT_CLOSED"):
        vault.tickets.read(request.received, request.grant)


def test_a_dossier_id_that_was_guessed_opens_nothing(scene: Scene) -> None:
    dossier = scene.vault.create(scene.vault.request())
    guessed = dataclasses.replace(dossier, id=secrets.token_hex(16))
    with pytest.raises(RefusedError, match="DOSSIER_UNKNOWN"):
        scene.vault.release(guessed, scene.subjects)


def test_keys_sealed_to_one_attempt_open_for_no_other(scene: Scene) -> None:
    dossier = scene.vault.create(scene.vault.request())
    _, public = hpke.generate()
    stranger, _ = hpke.generate()
    records = records_of(scene.subjects)
    sealed = scene.vault.releases.release(bytes.fromhex(dossier.id), public, records)
    digest = released.request_digest(records.rosters, records.headers)
    with pytest.raises(RefusedError, match="SEALING_OPEN"):
        released.open_keys(sealed, stranger, MESH, bytes.fromhex(dossier.id), digest, 2)
