"""The audit service over mutual TLS on loopback, with real ledgers around it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.api.audit.v1 import audit_pb2 as pb
from garim.kit.clock import SystemClock
from garim.kit.ledger import Flusher
from garim.statements.refusal import Kind, RefusedError
from garim.translog.leaf import parse_leaf
from integration.audit.conftest import AuditMesh
from ledger_support.core import open_log, open_log_database
from ledger_support.mesh import CUSTODY


def reason_of(call: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as refused:
        call()
    return refused.value.reason


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until, "it did not happen within ten seconds"
        time.sleep(0.02)


def begin(mesh: AuditMesh) -> None:
    mesh.ledger("custody").begin(mesh.governance.versions[0].document)
    for service in ("custody", "warrants"):
        mesh.ledger(service).refresh()


def test_what_one_service_logs_another_verifies(audit_mesh: AuditMesh) -> None:
    begin(audit_mesh)
    custody, warrants = audit_mesh.ledger("custody"), audit_mesh.ledger("warrants")
    entry = warrants.append("disclosure-granted", b"grant", key="1", magnitudes={"subjects": 1})
    actor = f"spiffe://{audit_mesh.authority.mesh}/service/warrants"
    leaf = custody.verify(b"grant", entry.proof, kind="disclosure-granted", actor=actor)
    assert leaf.actor == actor
    assert custody.checkpoint_seen() == warrants.checkpoint_seen()


def test_the_actor_is_who_the_certificate_names(audit_mesh: AuditMesh) -> None:
    begin(audit_mesh)
    stub = audit_mesh.stub(audit_mesh.authority.service("redaction"))
    now_ms = time.time_ns() // 1_000_000
    answer = stub.AppendEntry(pb.AppendEntryRequest(type="x", commitment=bytes(32), time_ms=now_ms))
    assert parse_leaf(answer.leaf).actor == f"spiffe://{audit_mesh.authority.mesh}/service/redaction"


def test_who_may_not_call_is_refused_and_the_refusal_is_logged(audit_mesh: AuditMesh) -> None:
    begin(audit_mesh)
    now_ms = time.time_ns() // 1_000_000
    entry = pb.AppendEntryRequest(type="x", commitment=bytes(32), time_ms=now_ms)
    for path in ("person/custodian/ga-on", "backend/chat", "agency/one"):
        stub = audit_mesh.stub(audit_mesh.authority.issue(path))
        for _ in range(3):
            assert reason_of(lambda stub=stub: stub.AppendEntry(entry)) == "ACCESS_DENIED"  # type: ignore[misc]
    clerk = audit_mesh.stub(audit_mesh.authority.issue("person/clerk/na-rae"))
    assert reason_of(lambda: clerk.ListEntries(pb.ListEntriesRequest())) == "ACCESS_DENIED"
    auditor = audit_mesh.stub(audit_mesh.authority.issue("person/auditor/da-som"))

    def refusals() -> int:
        leaves = auditor.ListEntries(pb.ListEntriesRequest()).leaves
        return sum(parse_leaf(leaf).type == "access-refused" for leaf in leaves)

    wait_until(lambda: refusals() == 4)
    leaf = parse_leaf(auditor.ListEntries(pb.ListEntriesRequest(start=1, page_size=1)).leaves[0])
    assert leaf.actor == f"spiffe://{audit_mesh.authority.mesh}/service/audit"


def test_after_a_restart_the_log_waits_for_its_witnesses(audit_mesh: AuditMesh) -> None:
    begin(audit_mesh)
    audit_mesh.ledger("custody").append("cancel", b"1", key="1")
    audit_mesh.restart()
    custody, warrants = audit_mesh.ledger("custody"), audit_mesh.ledger("warrants")
    assert reason_of(lambda: custody.append("cancel", b"2", key="2")) == "LOG_UNAVAILABLE"
    warrants.refresh()
    assert custody.append("cancel", b"2", key="2").index == 2


def test_the_flusher_logs_what_was_put_off_while_the_log_was_away(audit_mesh: AuditMesh) -> None:
    begin(audit_mesh)
    audit_mesh.stop()
    custody = audit_mesh.ledger("custody")
    custody.later("freeze", b"freeze 1", key="1")
    with pytest.raises(RefusedError) as refused:
        custody.flush()
    assert (refused.value.reason, refused.value.kind) == ("LOG_UNAVAILABLE", Kind.UNAVAILABLE)
    audit_mesh.start()
    custody, warrants = audit_mesh.ledger("custody"), audit_mesh.ledger("warrants")
    flushers = [Flusher(ledger, audit_mesh.telemetry, interval_s=0.05) for ledger in (custody, warrants)]
    for flusher in flushers:
        flusher.start()
    custody.later("denial", b"denial 1", key="1")
    auditor = audit_mesh.stub(audit_mesh.authority.issue("person/auditor/da-som"))
    try:
        wait_until(lambda: len(auditor.ListEntries(pb.ListEntriesRequest()).leaves) == 3)
    finally:
        for flusher in flushers:
            flusher.close()
    types = [parse_leaf(leaf).type for leaf in auditor.ListEntries(pb.ListEntriesRequest()).leaves]
    assert types == ["genesis", "freeze", "denial"]


def test_a_key_file_that_others_may_read_keeps_the_service_from_starting(audit_mesh: AuditMesh) -> None:
    audit_mesh.settings.log.key.chmod(0o644)
    completed = subprocess.run(
        [sys.executable, "-m", "garim.audit", str(audit_mesh.folder / "audit.toml")],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert completed.returncode == 2
    assert b"KEY_FILE_MODE" in completed.stderr


KILLED = """
import sys, time, os
from pathlib import Path
from ledger_support.core import open_log, open_log_database
from garim.audit.service import Entry
from garim.kit.clock import SystemClock
from garim.translog.leaf import ZERO_SALT, commitment
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from ledger_support.mesh import CUSTODY
import hashlib

clock = SystemClock()
key, genesis = Ed25519PrivateKey.generate(), hashlib.sha256(b"g").hexdigest()
log = open_log(open_log_database(Path(sys.argv[1])), key, genesis, clock)
log.append(CUSTODY, Entry("genesis", commitment(ZERO_SALT, b"g"), clock.now_ms(), {}, None), None)
for number in range(10**9):
    salt = os.urandom(32)
    done = log.append(CUSTODY, Entry("cancel", commitment(salt, b"x"), clock.now_ms(), {}, None), None)
    print(done.index, flush=True)
"""


def test_a_killed_log_keeps_every_entry_it_has_answered(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    for killed_after in (1, 7, 30):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(path)],
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": ":".join(sys.path)},
        )
        assert process.stdout is not None
        last = -1
        for _ in range(killed_after):
            last = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
        process.stdout.close()
        process.wait()
        last = int(rest[-1]) if rest else last
        database = open_log_database(path)
        log = open_log(database, Ed25519PrivateKey.generate(), "00" * 32, SystemClock())
        assert len(log.entries(CUSTODY, None, 0, 0)) >= last + 1
        database.close()
