"""The opener's processes: a zygote that never holds an open key, and a short-lived child for each job.

`OpenerProcess` starts ``python -m garim.custody.opener`` before the service takes calls. For each job it
makes a pair of sockets and hands one end to the zygote, which forks; the child reads the job, does it,
answers and exits, and all that it had opened ends with it. The zygote has no gRPC, no database and no
network; it holds the key provider: a root key at most, where the objects have a passphrase.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from garim.custody import work
from garim.kit.hardening import harden_process
from garim.kit.providers import KeyProvider
from garim.kit.providers.opening import open_file_provider
from garim.statements import strict_json
from garim.statements.refusal import Kind, RefusedError

JOB_TIMEOUT_S = 50.0
MAX_BYTES = 64 * 1024 * 1024
_LENGTH_BYTES = 4
_DONE, _REFUSED = b"\x00", b"\x01"


class OpenerProcess:
    """The service's end: an `Opener` whose work is done in child processes.

    Args:
        folder: Folder of the key provider that the children open.
        passphrase_file: File with its passphrase, if it has one.
        mesh: Name of the mesh.
    """

    def __init__(self, folder: Path, passphrase_file: Path | None, mesh: str) -> None:
        self._arguments = [mesh, str(folder), *([str(passphrase_file)] if passphrase_file else [])]
        self._lock = threading.Lock()
        self._control, self._process = self._start()

    def run(self, job: bytes) -> bytes:
        """Have a child perform a job; see `ports.Opener`."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                self._hand_over(theirs)
            ours.settimeout(JOB_TIMEOUT_S)
            try:
                _send(ours, job)
                answer = _receive(ours)
            except OSError as error:
                raise _failed() from error
        if answer[:1] == _REFUSED:
            raise _refusal_of(answer[1:])
        if answer[:1] != _DONE:
            raise _failed()
        return answer[1:]

    def check(self) -> None:
        """Return if the zygote lives; for `health.Health.register`.

        Raises:
            RefusedError: `OPENER_FAILED`.
        """
        if self._process.poll() is not None:
            raise _failed()

    def close(self) -> None:
        """End the zygote; jobs under way are finished."""
        with self._lock:
            self._control.close()
        self._process.wait(timeout=JOB_TIMEOUT_S)

    def _hand_over(self, end: socket.socket) -> None:
        with self._lock:
            for attempt in (1, 2):
                try:
                    socket.send_fds(self._control, [b"j"], [end.fileno()])
                except OSError as error:
                    if attempt == 2:
                        raise _failed() from error
                    self._restart()
                else:
                    return

    def _restart(self) -> None:
        self._control.close()
        self._process.wait(timeout=JOB_TIMEOUT_S)
        self._control, self._process = self._start()

    def _start(self) -> tuple[socket.socket, subprocess.Popen[bytes]]:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "garim.custody.opener",
                    str(theirs.fileno()),
                    *self._arguments,
                ],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                # A signal to the service's group must not end the zygote before the last call is served.
                start_new_session=True,
            )
        ours.settimeout(JOB_TIMEOUT_S)
        try:
            ready = ours.recv(1)
        except OSError:
            ready = b""
        if not ready:
            ours.close()
            process.kill()
            process.wait()
            raise _failed()
        ours.settimeout(None)
        return ours, process


def serve_job(end: socket.socket, provider: KeyProvider) -> None:
    """Read one job, do it, answer.

    Args:
        end: The child's end of the pair.
        provider: Holds the objects.
    """
    try:
        answer = _DONE + work.perform(_receive(end), provider)
    except RefusedError as refusal:
        answer = _REFUSED + strict_json.dump(
            {
                "field": refusal.field,
                "kind": refusal.kind.value,
                "message": refusal.message,
                "reason": refusal.reason,
            }
        )
    _send(end, answer)


def serve(control: socket.socket, provider: KeyProvider) -> None:
    """Fork a child for each pair of sockets that comes in, until the service closes its end.

    Args:
        control: The zygote's end.
        provider: Holds the objects.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    control.send(b"r")
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not data:
            return
        for descriptor in descriptors:
            if os.fork() == 0:
                _child(control, descriptor, provider)
            os.close(descriptor)


def _child(control: socket.socket, descriptor: int, provider: KeyProvider) -> None:
    """Do one job and leave without running anything that belongs to the zygote."""
    status = 1
    with contextlib.suppress(BaseException):
        control.close()
        with socket.socket(fileno=descriptor) as end:
            end.settimeout(JOB_TIMEOUT_S)
            serve_job(end, provider)
        status = 0
    os._exit(status)


def _send(end: socket.socket, data: bytes) -> None:
    end.sendall(len(data).to_bytes(_LENGTH_BYTES, "big") + data)


def _receive(end: socket.socket) -> bytes:
    length = int.from_bytes(_exactly(end, _LENGTH_BYTES), "big")
    if length > MAX_BYTES:
        raise OSError("too long")
    return _exactly(end, length)


def _exactly(end: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = end.recv(min(size - len(parts), 1 << 20))
        if not part:
            raise OSError("the other end closed")
        parts += part
    return bytes(parts)


def _refusal_of(data: bytes) -> RefusedError:
    members = strict_json.parse_object(data)
    return RefusedError(
        members["reason"], members["message"], kind=Kind(members["kind"]), field=members["field"]
    )


def _failed() -> RefusedError:
    return RefusedError(
        "OPENER_FAILED", "the process that opens keys gives no answer: try again", kind=Kind.UNAVAILABLE
    )


def main() -> None:
    """Run the zygote: ``python -m garim.custody.opener DESCRIPTOR MESH FOLDER [PASSPHRASE_FILE]``."""
    harden_process()
    descriptor, mesh, folder, *passphrase = sys.argv[1:]
    try:
        provider = open_file_provider(Path(folder), Path(passphrase[0]) if passphrase else None, mesh)
    except RefusedError as refusal:
        sys.stderr.write(f"garim-custody-opener: {refusal.reason}: {refusal.message}\n")
        raise SystemExit(2) from None
    with socket.socket(fileno=int(descriptor)) as control:
        serve(control, provider)


if __name__ == "__main__":
    main()
