"""Run one attempt: a job on standard input, events on standard output."""

from __future__ import annotations

import sys
from pathlib import Path

from garim.api.custody.v1.custody_pb2_grpc import CustodyServiceStub
from garim.api.messages.v1.messages_pb2_grpc import MessageStoreServiceStub
from garim.kit.channel import Peers
from garim.kit.clock import SystemClock
from garim.kit.hardening import harden_process
from garim.kit.settings import load_settings
from garim.kit.telemetry import Telemetry
from garim.kit.tls import Rotation
from garim.redaction.attempt.job import Event, Failed, Job, Preserved, Restart
from garim.redaction.attempt.reading import RosterAppearedError
from garim.redaction.attempt.run import DossierAttempt, Stubs, preserve
from garim.redaction.settings import RedactionSettings
from garim.statements.refusal import RefusedError


def _emit(event: Event) -> None:
    sys.stdout.buffer.write(event.to_bytes() + b"\n")
    sys.stdout.buffer.flush()


def main() -> int:
    """Run the job; returns the exit status."""
    harden_process()
    job = Job.from_bytes(sys.stdin.buffer.readline())
    settings = load_settings(Path(job.settings), RedactionSettings)
    clock = SystemClock()
    telemetry = Telemetry("redaction", clock)
    rotation = Rotation(settings.tls.files(), settings.mesh, clock, telemetry)
    peers = Peers(rotation, settings.peers, clock=clock, telemetry=telemetry)
    stubs = Stubs(peers.stub(MessageStoreServiceStub, "messages"), peers.stub(CustodyServiceStub, "custody"))
    try:
        if job.purpose == "preserve":
            _emit(Preserved(segments=preserve(job, stubs, _emit, settings.mesh)))
        else:
            _emit(DossierAttempt(job, stubs, settings.mesh, _emit).run())
    except RosterAppearedError:
        _emit(Restart())
    except RefusedError as refusal:
        _emit(
            Failed(
                reason=refusal.reason,
                message=refusal.message,
                kind=refusal.kind.value,
                field=refusal.field,
            )
        )
    finally:
        peers.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
