"""Start an attempt's process, feed it its job, and read its events."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from garim.redaction.attempt.job import EVENTS, Event, Job
from garim.statements import strict_json
from garim.statements.refusal import Kind, RefusedError

_GRACE_S = 10


def run_attempt(job: Job) -> Iterator[Event]:
    """Run one attempt in a process of its own and yield its events; the process is gone at the end.

    Args:
        job: What to make.

    Raises:
        RefusedError: `ATTEMPT_DIED` where the process ends without saying how it went.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "garim.redaction.attempt"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None  # noqa: S101 - pipes were asked for
    assert process.stdout is not None  # noqa: S101 - as above
    ended = False
    try:
        with process.stdin as sink:
            sink.write(job.to_bytes() + b"\n")
        for line in process.stdout:
            event = _event(line)
            ended = event.event not in {"progress", "account"}
            if ended:
                _end(process)
            yield event
        if not ended:
            raise RefusedError(
                "ATTEMPT_DIED", "the attempt's process ended early: build again", kind=Kind.UNAVAILABLE
            )
    except BrokenPipeError:
        raise RefusedError(
            "ATTEMPT_DIED", "the attempt's process did not start: see the log", kind=Kind.UNAVAILABLE
        ) from None
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let the process end, so that what it knew is gone before anybody acts on what it said."""
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _event(line: bytes) -> Event:
    value = strict_json.parse_object(line)
    kind = EVENTS.get(str(value.get("event")))
    if kind is None:
        raise RefusedError("ATTEMPT_DIED", "the attempt said something unknown", kind=Kind.DATA_LOSS)
    return kind.from_json(value)
