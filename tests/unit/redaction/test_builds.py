"""A dossier is built once and closed before a byte leaves; what a failed attempt wrote is gone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.api.warrants.v1 import warrants_pb2
from garim.documents.acknowledgement import write_acknowledgement
from garim.kit.convert import proof_from
from garim.kit.identity import service_id
from garim.redaction import child
from garim.redaction.attempt.__main__ import outcome
from garim.redaction.attempt.job import Event, Failed, Job, Preserved, Progress, Restart
from garim.redaction.attempt.reading import RosterAppearedError
from garim.redaction.child import run_attempt
from garim.statements.refusal import Kind, RefusedError
from garim.testing.operator import MESH, away
from redaction_support.office import (
    CASE,
    DOSSIER,
    PACKAGE,
    STAGE,
    Office,
    fails,
    packed,
    packs,
    reason,
    stages,
)


def test_a_build_ends_closed_with_a_receipt(office: Office) -> None:
    responses = office.build()
    assert STAGE(responses[-1].stage) == "BUILD_STAGE_CLOSED"
    assert responses[-1].dossier_id == DOSSIER
    assert responses[-1].figures.messages == 3
    (request,) = office.closed
    assert request.package_digest.hex() == packed().package
    assert (request.sealed_secret, request.package_bytes, request.messages) == (b"sealed", len(PACKAGE), 3)
    assert len(office.files()) == 1
    assert office.files()[0].startswith(DOSSIER.hex())


def test_a_build_is_made_once(office: Office) -> None:
    office.build()
    assert stages(office)[-1] == "CLOSED"
    assert len(office.jobs) == len(office.closed) == 1


def test_progress_is_passed_on(office: Office) -> None:
    def script(job: Job) -> Iterator[Event]:
        for stage in ("rosters", "masking", "scanning", "packing"):
            yield Progress(stage=stage, done=7)
        yield from packs(job)

    office.scripts = [script]
    assert stages(office) == [
        "PREPARING",
        "PREPARING",
        "ROSTERS",
        "MASKING",
        "SCANNING",
        "PACKING",
        "CLOSING",
        "CLOSED",
    ]


def test_the_package_of_an_attempt_that_fails_is_gone(office: Office) -> None:
    office.scripts = [fails, packs]
    with pytest.raises(RefusedError) as refused:
        office.build()
    assert (refused.value.reason, refused.value.kind) == ("LEAK_FOUND", Kind.DATA_LOSS)
    assert office.files() == []
    assert office.closed == []
    assert stages(office)[-1] == "CLOSED"


def test_the_package_of_an_attempt_that_dies_is_gone(office: Office) -> None:
    def dies(job: Job) -> Iterator[Event]:
        Path(job.package).write_bytes(b"partial")
        yield Progress(stage="masking", done=1)

    office.scripts = [dies]
    assert reason(office.build) == "ATTEMPT_DIED"
    assert office.files() == []


def test_a_caller_who_hangs_up_leaves_no_package(office: Office) -> None:
    def slow(job: Job) -> Iterator[Event]:
        Path(job.package).write_bytes(b"partial")
        yield Progress(stage="masking", done=1)
        yield from packs(job)

    office.scripts = [slow]
    stream = office.builds.build(CASE)
    assert [STAGE(next(stream).stage) for _ in range(3)][-1] == "BUILD_STAGE_MASKING"
    stream.close()  # type: ignore[attr-defined] # a generator
    assert office.files() == []
    assert stages(office)[-1] == "CLOSED"


def test_what_a_crash_left_in_the_spool_is_deleted(office: Office) -> None:
    (office.spool / f"{DOSSIER.hex()}-old.age").write_bytes(b"left")
    (office.spool / "another.age").write_bytes(b"other")
    office.build()
    assert len(office.files()) == 2
    assert f"{DOSSIER.hex()}-old.age" not in office.files()


def test_a_new_roster_starts_another_attempt_but_not_for_ever(office: Office) -> None:
    def restart(job: Job) -> Iterator[Event]:
        Path(job.package).write_bytes(b"partial")
        yield Restart()

    office.scripts = [restart, packs]
    assert stages(office)[-1] == "CLOSED"
    assert len(office.jobs) == 2


def test_rosters_that_keep_changing_end_the_build(office: Office) -> None:
    office.scripts = [lambda _: iter([Restart()])]
    with pytest.raises(RefusedError) as refused:
        office.build()
    assert (refused.value.reason, refused.value.kind) == ("ROSTERS_CHANGING", Kind.UNAVAILABLE)
    assert len(office.jobs) == 2
    assert office.files() == []


def test_closing_goes_on_where_it_stopped(office: Office) -> None:
    office.closing = RefusedError("LOG_UNAVAILABLE", "away", kind=Kind.UNAVAILABLE)
    assert reason(office.build) == "LOG_UNAVAILABLE"
    assert reason(lambda: next(office.delivery.fetch(CASE, 0))) == "DOSSIER_NOT_CLOSED"
    office.closing = None
    office.start()
    assert stages(office) == ["PREPARING", "CLOSING", "CLOSED"]
    assert len(office.jobs) == 1


def test_two_builds_of_a_case_do_not_run_at_once(office: Office) -> None:
    stream = office.builds.build(CASE)
    next(stream)
    assert reason(office.build) == "BUILD_RUNNING"
    stream.close()  # type: ignore[attr-defined] # a generator
    assert stages(office)[-1] == "CLOSED"


def test_a_case_that_is_not_granted_is_not_built(office: Office) -> None:
    office.summary_state = warrants_pb2.CASE_STATE_IN_REVIEW
    assert reason(office.build) == "CASE_STATE"
    office.summary_state = warrants_pb2.CASE_STATE_GRANTED
    for state in ("cancelled", "in-review", "refused"):
        office.state = state
        assert reason(office.build) == "CASE_STATE"
    assert office.jobs == []


def test_a_status_that_answers_another_question_does_not_count(office: Office) -> None:
    office.nonce = "00" * 32
    assert reason(office.build) == "NONCE"
    office.nonce = None
    office.status_document = "11" * 32
    assert reason(office.build) == "NONCE"
    office.status_document = None
    office.status_key = Ed25519PrivateKey.generate()
    assert reason(office.build) == "STATEMENT_SIGNATURE"
    assert office.jobs == []


def test_a_grant_counts_only_signed_by_warrants_and_logged_as_one(office: Office) -> None:
    office.grant = office.granted(key=Ed25519PrivateKey.generate())
    assert reason(office.build) == "STATEMENT_SIGNATURE"
    office.grant = office.granted(entry="preservation-granted")
    assert reason(office.build) == "LOG_TYPE"
    unlogged = office.granted()
    unlogged.proof.CopyFrom(office.granted(grant="01" * 16).proof)
    office.grant = unlogged
    assert reason(office.build) == "LOG_COMMITMENT"
    office.grant.ClearField("proof")
    assert reason(office.build)
    assert office.jobs == []


def test_a_stores_account_counts_only_as_it_was_logged(office: Office) -> None:
    def with_account(logged: bytes | None) -> Callable[[Job], Iterator[Event]]:
        def script(job: Job) -> Iterator[Event]:
            Path(job.package).write_bytes(b"partial")
            yield office.account(logged=logged)
            yield from packs(job)

        return script

    office.scripts = [with_account(b"another body"), with_account(None)]
    assert reason(office.build) == "LOG_COMMITMENT"
    assert office.files() == []
    assert stages(office)[-1] == "CLOSED"


def test_a_preservation_order_is_kept_without_a_package(office: Office) -> None:
    office.kind = "preservation"
    office.grant = office.granted()
    office.scripts = [lambda _: iter([Preserved(segments=12)])]
    office.state = "cancelled"
    assert reason(office.build) == "CASE_STATE"
    assert office.jobs == []
    office.state = "granted"
    last = office.build()[-1]
    assert (STAGE(last.stage), last.done) == ("BUILD_STAGE_CLOSED", 12)
    assert office.jobs[0].purpose == "preserve"
    assert office.jobs[0].public_key == ""
    assert office.files() == []
    assert [one.preserved for one in office.steps] == [True]
    assert office.closed == []
    assert stages(office)[-1] == "CLOSED"
    assert reason(lambda: next(office.delivery.fetch(CASE, 0))) == "DOSSIER_NOT_CLOSED"


def test_nothing_is_delivered_before_the_log_and_the_status_say_so(office: Office) -> None:
    assert reason(lambda: next(office.delivery.fetch(CASE, 0))) == "DOSSIER_NOT_CLOSED"
    office.build()
    office.state = "cancelled"
    assert reason(lambda: next(office.delivery.fetch(CASE, 0))) == "CASE_STATE"
    office.state = "granted"
    office.operator.audit.misbehaviour.silent = True
    assert reason(lambda: next(office.delivery.fetch(CASE, 0))) == "LOG_UNAVAILABLE"
    office.operator.audit.misbehaviour.silent = False
    first, *chunks = office.delivery.fetch(CASE, 0)
    assert first.HasField("receipt")
    assert b"".join(one.chunk for one in chunks) == PACKAGE
    assert "delivered" in office.logged_types()


def test_nothing_is_delivered_that_warrants_does_not_know_of(office: Office) -> None:
    office.build()
    assert [one.WhichOneof("step") for one in office.steps] == ["closed"]
    office.recording = away()
    assert reason(lambda: next(office.delivery.fetch(CASE, 0))) == "PEER_UNAVAILABLE"
    office.recording = None
    list(office.delivery.fetch(CASE, 0))
    told = office.steps[-1]
    assert told.case_id == CASE
    proof = proof_from(told.delivered.proof)
    office.warrants_ledger.verify(
        told.delivered.body, proof, kind="delivered", actor=service_id(MESH, "redaction")
    )


def test_every_delivery_is_an_entry_of_its_own(office: Office) -> None:
    office.build()
    for offset in (0, 0, 1_000):
        list(office.delivery.fetch(CASE, offset))
    assert office.logged_types().count("delivered") == 3


def test_a_delivery_goes_on_from_an_offset(office: Office) -> None:
    office.build()
    chunks = [one.chunk for one in office.delivery.fetch(CASE, 1_000)][1:]
    assert b"".join(chunks) == PACKAGE[1_000:]
    for offset in (-1, len(PACKAGE) + 1):
        assert reason(lambda offset=offset: next(office.delivery.fetch(CASE, offset))) == "OFFSET"  # type: ignore[misc] # bound now


def test_a_lost_package_is_said_to_be_lost(office: Office) -> None:
    office.build()
    (office.spool / office.files()[0]).unlink()
    assert reason(lambda: next(office.delivery.fetch(CASE, 0))) == "SPOOL_MISSING"


def test_the_spool_goes_when_the_named_certificate_acknowledges(office: Office) -> None:
    signer = office.operator.pki.chief
    certificate = signer.certificate
    der = certificate.public_bytes(serialization.Encoding.DER)
    office.acknowledger = hashlib.sha256(der).hexdigest()
    office.grant = office.granted()

    assert isinstance(signer.key, Ed25519PrivateKey)
    sign = signer.key.sign

    good = write_acknowledgement(packed().package, 1, certificate, sign)
    assert reason(lambda: office.delivery.acknowledge(CASE, good)) == "DOSSIER_NOT_CLOSED"
    office.build()
    other = write_acknowledgement("00" * 32, 1, certificate, sign)
    assert reason(lambda: office.delivery.acknowledge(CASE, other)) == "ACKNOWLEDGEMENT_DIGEST"
    stranger = write_acknowledgement(packed().package, 1, office.operator.pki.judge.certificate, sign)
    assert reason(lambda: office.delivery.acknowledge(CASE, stranger)) == "ACKNOWLEDGEMENT_SIGNER"
    assert len(office.files()) == 1
    office.recording = away()
    assert reason(lambda: office.delivery.acknowledge(CASE, good)) == "PEER_UNAVAILABLE"
    assert office.files() == []
    assert "acknowledged" in office.logged_types()
    office.recording = None
    office.delivery.acknowledge(CASE, good)
    assert office.steps[-1].acknowledged == good
    assert reason(lambda: next(office.delivery.fetch(CASE, 0))) == "DOSSIER_ACKNOWLEDGED"


def job(office: Office) -> Job:
    office.build()
    return office.jobs[0]


def test_a_child_that_dies_without_a_word_is_noticed(office: Office) -> None:
    absent = job(office).model_copy(update={"settings": str(office.folder / "absent.toml")})
    with pytest.raises(RefusedError) as refused:
        list(run_attempt(absent))
    assert (refused.value.reason, refused.value.kind) == ("ATTEMPT_DIED", Kind.UNAVAILABLE)


def program(office: Office, monkeypatch: pytest.MonkeyPatch, body: str) -> Job:
    """Let the child be a small script instead."""
    made = job(office)
    script = office.folder / "attempt.sh"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o700)
    monkeypatch.setattr(child.sys, "executable", str(script))
    return made


def test_a_child_that_never_reads_its_job_is_noticed(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    made = program(office, monkeypatch, "exec <&-; exit 1")
    large = made.model_copy(update={"number": "x" * 1_000_000})
    assert reason(lambda: list(run_attempt(large))) == "ATTEMPT_DIED"


def test_a_child_that_says_something_unknown_is_refused(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = program(office, monkeypatch, 'read line; echo \'{"event":"gift"}\'; sleep 60')
    assert reason(lambda: list(run_attempt(made))) == "ATTEMPT_DIED"


def test_a_child_that_does_not_end_is_ended_before_its_word_counts(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = office.folder / "pid"
    said = '{"event":"restart"}'
    made = program(office, monkeypatch, f"read line; echo $$ > {noted}; echo '{said}'; exec sleep 60")
    monkeypatch.setattr(child, "_GRACE_S", 0.2)
    events = run_attempt(made)
    assert next(events) == Restart()
    assert not Path(f"/proc/{noted.read_text().strip()}").exists()
    assert list(events) == []


def test_an_error_of_the_attempts_own_shows_its_type_and_nothing_it_knew() -> None:
    def breaks() -> Event:
        raise KeyError("방-1 한하늘")

    event = outcome(breaks)
    assert isinstance(event, Failed)
    assert (event.reason, event.kind) == ("ATTEMPT_DIED", "unavailable")
    assert "KeyError" in event.message
    assert "하늘" not in event.to_bytes().decode()


def test_how_an_attempt_ends_is_told_by_its_event() -> None:
    def appears() -> Event:
        raise RosterAppearedError

    def refuses() -> Event:
        raise RefusedError("LEAK_FOUND", "nothing left", kind=Kind.DATA_LOSS, field="x")

    assert outcome(appears) == Restart()
    assert outcome(refuses) == Failed(
        reason="LEAK_FOUND", message="nothing left", kind="data-loss", field="x"
    )
    assert outcome(lambda: Preserved(segments=3)) == Preserved(segments=3)
