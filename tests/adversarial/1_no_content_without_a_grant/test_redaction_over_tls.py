"""Redaction's stolen certificate against the running services: nothing opens beyond the document."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.api.messages.v1 import messages_pb2
from garim.api.warrants.v1 import warrants_pb2
from garim.documents.fields import write_instant
from garim.kit.convert import envelope_to
from garim.sealing import hpke, roster, segment
from garim.sealing.roster import MemberTag, RosterRecord
from garim.sealing.segment import SegmentHeader
from garim.sealing.write_secret import WriteSecretRecord, signed_bytes
from garim.statements import dsse
from garim.statements.labels import Purpose, bind
from garim.statements.refusal import RefusedError
from garim.statements.scope import ScopeTicket
from mesh_support.live import LiveMesh, refused
from mesh_support.played import OTHERS, Played
from mesh_support.reading import Attempt, Loot, create_key, read_ticket, served, stolen_store, take_secret

DAY_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Open:
    """A second warrant for the same subject, its dossier still open, and all that can be stolen.

    Attributes:
        case: As redaction sees it.
        dossier: Id of the open dossier.
        ticket: Custody's ticket to read.
        loot: What the store serves under it.
        others: The conversation of two people whom no document names, from the stolen database.
    """

    case: warrants_pb2.GetCaseResponse
    dossier: bytes
    ticket: dsse.Envelope
    loot: Loot
    others: Loot


@pytest.fixture(scope="module")
def opened(played: Played) -> Open:
    mesh = played.mesh
    case = mesh.case(mesh.granted(played.another()))
    dossier = create_key(mesh, case).dossier_id
    ticket = read_ticket(mesh, case)
    loot = served(mesh, ticket)
    every = stolen_store(mesh)
    mine = {SegmentHeader.decode(one).conversation for one, _ in loot.segments}
    (others,) = {SegmentHeader.decode(one).conversation for one, _ in every.segments} - mine
    return Open(case, dossier, ticket, loot, every.of_conversation(others))


def test_what_the_document_covers_opens_so_that_every_refusal_below_has_its_own_cause(
    live: LiveMesh, opened: Open
) -> None:
    record, header = opened.loot.first()
    keys = Attempt(live, opened.dossier).keys(opened.loot, [record], [header])
    ciphertext = dict(opened.loot.segments)[header]
    assert segment.open_block(keys[1], header, ciphertext)
    assert roster.open_roster(keys[0], RosterRecord.decode(record))


def test_a_conversation_without_the_subject_stays_shut(live: LiveMesh, opened: Open) -> None:
    record, header = opened.others.first()
    mine = opened.loot.first()
    attempt = Attempt(live, opened.dossier)
    before = live.logged("keys-released")
    for rosters, headers in (([record], [header]), ([mine[0], record], [mine[1], header])):
        with refused("KEY_ROSTER"):
            attempt.keys(opened.others, rosters, headers)
    assert live.logged("keys-released") == before


@pytest.mark.parametrize("swap", ["header onto our roster", "subject into their roster"])
def test_headers_and_rosters_that_were_altered_open_nothing(live: LiveMesh, opened: Open, swap: str) -> None:
    ours, _ = opened.loot.first()
    theirs, their_header = opened.others.first()
    us, them = RosterRecord.decode(ours).plain, RosterRecord.decode(theirs)
    if swap == "header onto our roster":
        record = ours
        forged = dataclasses.replace(
            SegmentHeader.decode(their_header), conversation=us.conversation, roster=roster.digest(ours)
        )
    else:
        tags = {one.epoch: one.tags for one in ScopeTicket.from_bytes(opened.ticket.payload).epochs}
        tag = MemberTag(bytes.fromhex(tags[them.plain.epoch.hex()][0]), "account")
        members = tuple(sorted((*them.plain.members, tag), key=lambda one: one.tag))
        plain = dataclasses.replace(them.plain, members=members)
        record = RosterRecord(plain, plain.encode(), them.sealed).encode()
        forged = dataclasses.replace(SegmentHeader.decode(their_header), roster=roster.digest(record))
    header = forged.encode()
    if swap == "subject into their roster":
        # Not even the keys of a forged record: the forecast named no such conversation.
        with refused("KEY_FORECAST"):
            Attempt(live, opened.dossier).keys(opened.others, [record], [header])
        return
    keys = Attempt(live, opened.dossier).keys(opened.others, [record], [header])
    ciphertext = dict(opened.others.segments)[their_header]
    for key in keys:
        for named in (header, their_header):
            with pytest.raises(RefusedError, match="SEALING_OPEN"):
                segment.open_block(key, named, ciphertext)
        with pytest.raises(RefusedError, match="SEALING_OPEN"):
            roster.open_roster(key, them)


def test_a_dossier_that_is_closed_releases_nothing_however_it_is_asked(played: Played, opened: Open) -> None:
    mesh = played.mesh
    record, header = opened.loot.first()
    with refused("DOSSIER_CLOSED"):
        Attempt(mesh, played.dossier).keys(opened.loot, [record], [header])
    closed = mesh.case(played.case)
    assert create_key(mesh, closed).dossier_id == played.dossier
    with refused("DOCUMENT_CLOSED"):
        read_ticket(mesh, closed)


def _self_made(
    loot: Loot, header: bytes, signer: Ed25519PrivateKey, *, back_ms: int = 0
) -> messages_pb2.WriteSecret:
    """Return a write secret's record signed anew, dated back, around the same sealed secret."""
    kept = loot.secrets[SegmentHeader.decode(header).write_secret]
    true = WriteSecretRecord.decode(kept.record)
    record = dataclasses.replace(
        true, not_before=true.not_before - back_ms, not_after=true.not_after - back_ms
    ).encode()
    signature = signer.sign(signed_bytes(true.mesh, record, kept.sealed))
    return messages_pb2.WriteSecret(record=record, signature=signature, sealed=kept.sealed)


def test_a_write_secret_that_the_store_did_not_sign_is_refused(live: LiveMesh, opened: Open) -> None:
    record, header = opened.loot.first()
    made = _self_made(opened.loot, header, Ed25519PrivateKey.generate())
    name = take_secret(made)
    forged = dataclasses.replace(SegmentHeader.decode(header), write_secret=name).encode()
    loot = Loot({**opened.loot.secrets, name: made})
    with refused("WRITE_SECRET_SIGNATURE"):
        Attempt(live, opened.dossier).keys(loot, [record], [forged])


def test_even_with_the_stores_key_no_record_can_be_dated_back_around_a_sealed_secret(
    live: LiveMesh, opened: Open
) -> None:
    record, header = opened.loot.first()
    made = _self_made(opened.loot, header, live.stolen_key("messages"), back_ms=1_000)
    name = take_secret(made)
    true = SegmentHeader.decode(header)
    forged = dataclasses.replace(
        true,
        write_secret=name,
        received_first=true.received_first - 1_000,
        received_last=true.received_last - 1_000,
    ).encode()
    loot = Loot({**opened.loot.secrets, name: made})
    with refused("SEALING_OPEN"):
        Attempt(live, opened.dossier).keys(loot, [record], [forged])


def test_a_secret_of_the_thiefs_own_behind_a_signed_record_is_refused(live: LiveMesh, opened: Open) -> None:
    record, header = opened.loot.first()
    kept = opened.loot.secrets[SegmentHeader.decode(header).write_secret]
    true = WriteSecretRecord.decode(kept.record)
    (row,) = live.query("custody", "SELECT public_key FROM epochs WHERE epoch_id = ?", true.epoch.hex())
    sealed = hpke.seal(bytes(32), row[0], bind(Purpose.WRITE_SECRET, true.mesh, kept.record))
    made = messages_pb2.WriteSecret(record=kept.record, signature=kept.signature, sealed=sealed)
    name = take_secret(made)
    forged = dataclasses.replace(SegmentHeader.decode(header), write_secret=name).encode()
    loot = Loot({**opened.loot.secrets, name: made})
    with refused("WRITE_SECRET_SIGNATURE"):
        Attempt(live, opened.dossier).keys(loot, [record], [forged])


def test_what_was_received_after_the_issue_or_sent_outside_the_period_stays_shut(
    played: Played, opened: Open
) -> None:
    mesh = played.mesh
    start, _ = played.chosen.period
    narrow = mesh.document(
        [("account", played.chosen.subject)], (start, write_instant(played.chosen.span[0] + 3_600_000))
    )
    case = mesh.case(mesh.granted(narrow))
    dossier = create_key(mesh, case).dossier_id
    late = max(opened.loot.segments, key=lambda one: SegmentHeader.decode(one[0]).sent_first)[0]
    record = opened.loot.rosters[SegmentHeader.decode(late).roster]
    with refused("KEY_SCOPE"):
        Attempt(mesh, dossier).keys(opened.loot, [record], [late])
    forged = dataclasses.replace(
        SegmentHeader.decode(late), sent_first=played.chosen.span[0], sent_last=played.chosen.span[0]
    ).encode()
    _, key = Attempt(mesh, dossier).keys(opened.loot, [record], [forged])
    for named in (late, forged):
        with pytest.raises(RefusedError, match="SEALING_OPEN"):
            segment.open_block(key, named, dict(opened.loot.segments)[late])


def test_keys_sealed_to_an_attempt_open_under_no_other_key_dossier_or_request(
    live: LiveMesh, opened: Open
) -> None:
    record, header = opened.loot.first()
    attempt, other = Attempt(live, opened.dossier), Attempt(live, opened.dossier)
    other.public = attempt.public
    with refused("SEALING_OPEN"):
        other.keys(opened.loot, [record], [header])


def test_the_parts_of_another_case_make_no_dossier_key(played: Played, opened: Open) -> None:
    mesh, mine = played.mesh, opened.case
    other = mesh.case(played.case)
    with refused("GRANT_SCOPE"):
        create_key(mesh, mine, grant=other.grant)
    with refused("GRANT_SCOPE"):
        create_key(mesh, mine, document=other.document)
    fresh = mesh.case(mesh.granted(played.another()))
    with refused("FORECAST_OTHER"):
        create_key(mesh, fresh, forecast=other.forecast)
    with refused("REVIEW_DUE"):
        create_key(mesh, fresh, decisions=[])
    with refused("REVIEW_DUE"):
        create_key(mesh, fresh, decisions=other.decisions)
    with refused("REVIEW_DUE"):
        create_key(mesh, fresh, decisions=[fresh.decisions[0], fresh.decisions[0]])
    assert create_key(mesh, fresh).dossier_id not in {played.dossier, opened.dossier}


def test_a_ticket_counts_for_its_own_purpose_document_and_bytes_alone(live: LiveMesh, opened: Open) -> None:
    forged = ScopeTicket.from_bytes(opened.ticket.payload)
    wider = forged.model_copy(update={"period": forged.period.model_copy(update={"start": 0})})
    for key in (live.stolen_key("warrants"), live.stolen_key("messages"), Ed25519PrivateKey.generate()):
        with refused("STATEMENT_SIGNATURE"):
            served(live, wider.sign(key.sign))
    kept = dsse.Envelope(opened.ticket.payload_type, wider.to_bytes(), opened.ticket.signatures)
    with refused("STATEMENT_SIGNATURE"):
        served(live, kept)
    counting = messages_pb2.ForecastScopeRequest(ticket=envelope_to(opened.ticket))
    with refused("TICKET_PURPOSE"):
        live.stolen("service/warrants").messages.ForecastScope(counting)


def test_the_other_conversation_is_in_nobodys_dossier(played: Played) -> None:
    for path in played.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert "둘만의 이야기".encode() not in content
            assert OTHERS.encode() not in content
