"""The five processes of a throwaway mesh: started, watched, stopped; only those that were started here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2

from garim.cli.files import make_folder, write_private
from garim.cli.mesh_plan import Places
from garim.cli.meshfolder import SERVICES, MeshFile
from garim.statements.refusal import Kind, RefusedError

START_S = 60.0
STOP_S = 30.0
_POLL_S = 0.1
_LOG_TAIL = 6
_EXEC_LOOKS = 50
_EXEC_LOOK_S = 0.01


@dataclass(frozen=True, slots=True)
class Running:
    """A process that was started here.

    Attributes:
        pid: Its id.
        started: Its start time in clock ticks since boot, so that a reused id is not taken for it.
    """

    pid: int
    started: int


def _start_time(pid: int) -> int | None:
    """Return a process's start time (proc(5), /proc/PID/stat field 22), or None where there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        state, *fields = stat.rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return None if state == "Z" else int(fields[18])


def _command_line(running: Running) -> list[bytes]:
    """Return a process's command line; empty where it is gone."""
    for _ in range(_EXEC_LOOKS):
        if _start_time(running.pid) != running.started:
            return []
        try:
            text = Path(f"/proc/{running.pid}/cmdline").read_bytes()
        except OSError:
            return []
        if text:
            return text.split(b"\0")
        # For a moment within an exec a process has none.
        time.sleep(_EXEC_LOOK_S)
    return []


def _is_ours(service: str, running: Running, settings: Path) -> bool:
    command = _command_line(running)
    return str(settings).encode() in command and (
        f"garim.{service}".encode() in command or b"garim.cli.launch" in command
    )


class Processes:
    """The processes of a mesh.

    Args:
        places: The mesh's folders.
        python: The interpreter.
    """

    def __init__(self, places: Places, python: str = sys.executable) -> None:
        self._places = places
        self._python = python
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def running(self, service: str) -> Running | None:
        """Return a service's process, if it runs."""
        path = self._pid_file(service)
        try:
            pid, started = path.read_text().split()
        except (OSError, ValueError):
            return None
        found = Running(int(pid), int(started))
        return found if _is_ours(service, found, self._settings(service)) else None

    def start(self, service: str, *, tied: bool = False) -> None:
        """Start a service that does not run.

        Args:
            service: Its name.
            tied: Whether it ends with this process.
        """
        if self.running(service):
            return
        make_folder(self._places.run)
        command = [self._python, "-m", f"garim.{service}", str(self._settings(service))]
        if tied:
            command = [self._python, "-m", "garim.cli.launch", str(os.getpid()), *command]
        descriptor = os.open(self.log_file(service), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                start_new_session=True,
            )
        finally:
            os.close(descriptor)
        self._children[service] = child
        started = _start_time(child.pid)
        write_private(self._pid_file(service), f"{child.pid} {started or 0}\n".encode(), replace=True)

    def await_ready(self, mesh: MeshFile, ready: Callable[[str], None]) -> None:
        """Wait until every service says that it serves.

        Args:
            mesh: Addresses.
            ready: Told each service as it becomes ready.

        Raises:
            RefusedError: `SERVICE_NOT_STARTED`: one ended, or was not ready in time.
        """
        until = time.monotonic() + START_S
        waiting = list(SERVICES)
        while waiting:
            for service in list(waiting):
                if is_serving(mesh.health[service]):
                    waiting.remove(service)
                    ready(service)
                elif not self.running(service):
                    raise self._not_started(service, "ended")
            if waiting and time.monotonic() > until:
                raise self._not_started(waiting[0], f"was not ready within {START_S:.0f} seconds")
            if waiting:
                time.sleep(_POLL_S)

    def stop(self, stopped: Callable[[str], None] = lambda _service: None) -> list[str]:
        """Ask every running service to drain and end, and wait; returns which were running.

        Args:
            stopped: Told each service as it ends.

        Raises:
            RefusedError: `SERVICE_NOT_STOPPED`: one did not end in time; it is left alone.
        """
        running = {
            service: found for service in reversed(SERVICES) if (found := self.running(service)) is not None
        }
        for found in running.values():
            os.kill(found.pid, signal.SIGTERM)
        until = time.monotonic() + STOP_S
        waiting = dict(running)
        while waiting:
            for service, found in list(waiting.items()):
                child = self._children.get(service)
                if child is not None:
                    child.poll()
                if not _is_ours(service, found, self._settings(service)):
                    del waiting[service]
                    self._pid_file(service).unlink(missing_ok=True)
                    stopped(service)
            if waiting and time.monotonic() > until:
                left = ", ".join(sorted(waiting))
                raise RefusedError(
                    "SERVICE_NOT_STOPPED",
                    f"still draining after {STOP_S:.0f} seconds: {left}; try again",
                    kind=Kind.UNAVAILABLE,
                )
            if waiting:
                time.sleep(_POLL_S)
        return sorted(running)

    def log_file(self, service: str) -> Path:
        """Return where a service's output goes."""
        return self._places.run / f"{service}.log"

    def _pid_file(self, service: str) -> Path:
        return self._places.run / f"{service}.pid"

    def _settings(self, service: str) -> Path:
        return self._places.settings(service).absolute()

    def _not_started(self, service: str, what: str) -> RefusedError:
        path = self.log_file(service)
        tail = path.read_text(errors="replace").splitlines()[-_LOG_TAIL:] if path.exists() else []
        said = "".join(f"\n    {line[:400]}" for line in tail)
        return RefusedError(
            "SERVICE_NOT_STARTED", f"{service} {what}; it says in {path}:{said}", kind=Kind.UNAVAILABLE
        )


def is_serving(address: str) -> bool:
    """Tell whether a health port answers SERVING."""
    with grpc.insecure_channel(address, options=(("grpc.enable_http_proxy", 0),)) as channel:
        try:
            check = channel.unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            answer = check(health_pb2.HealthCheckRequest(), timeout=1)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
