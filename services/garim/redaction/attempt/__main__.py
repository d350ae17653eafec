"""Run one attempt: a job on standard input, events on standard output."""

from __future__ import annotations

import sys
from collections.abc import Callable
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
from garim.redaction.attempt.workshop import Workshop
from garim.redaction.settings import RedactionSettings
from garim.statements.refusal import Kind, RefusedError


def _emit(event: Event) -> None:
    sys.stdout.buffer.write(event.to_bytes() + b"\n")
    sys.stdout.buffer.flush()


def main() -> int:
    """Run the job; returns the exit status."""
    harden_process()
    job = Job.from_bytes(sys.stdin.buffer.readline())
    settings = load_settings(Path(job.settings), RedactionSettings)
    # Workers are forked before anything connects or starts a thread.
    workshop = (
        Workshop(
            Path(job.package).parent,
            settings.mesh,
            bytes.fromhex(job.dossier),
            settings.workers,
            open_names=job.masking.open_names,
        )
        if job.purpose == "read"
        else None
    )
    clock = SystemClock()
    telemetry = Telemetry("redaction", clock)
    rotation = Rotation(settings.tls.files(), settings.mesh, clock, telemetry)
    peers = Peers(rotation, settings.peers, clock=clock, telemetry=telemetry)
    stubs = Stubs(peers.stub(MessageStoreServiceStub, "messages"), peers.stub(CustodyServiceStub, "custody"))

    def steps() -> Event:
        if workshop is None:
            return Preserved(segments=preserve(job, stubs, _emit, settings.mesh))
        return DossierAttempt(job, stubs, workshop, _emit).run()

    try:
        _emit(outcome(steps))
    finally:
        peers.close()
    return 0


def outcome(steps: Callable[[], Event]) -> Event:
    """Run an attempt's steps and return the event that says how it ended.

    Args:
        steps: Returns the last event.
    """
    try:
        return steps()
    except RosterAppearedError:
        return Restart()
    except RefusedError as refusal:
        return Failed(
            reason=refusal.reason, message=refusal.message, kind=refusal.kind.value, field=refusal.field
        )
    except Exception as error:  # noqa: BLE001 - its text and traceback may hold a message's: only its type leaves
        return Failed(
            reason="ATTEMPT_DIED",
            message=f"the attempt met an error of its own ({type(error).__name__}): build again",
            kind=Kind.UNAVAILABLE.value,
            field="",
        )


if __name__ == "__main__":
    sys.exit(main())
