"""Work in short-lived child processes: a zygote that forks one for each job, and the service's end of it.

`Zygote` starts ``python -m MODULE DESCRIPTOR …`` anew, so that it shares no memory with the service. For each
job it makes a pair of sockets and hands one end over; the zygote forks, and the child reads the job, does it,
answers and exits. All that a child had in memory ends with it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence

from garim.statements import strict_json
from garim.statements.refusal import Kind, RefusedError, RefusedWithReasonsError

MAX_BYTES = 64 * 1024 * 1024
START_S = 50.0
"""How long a zygote may take until it is ready, in seconds."""
_STATUS_S = 1.0
_LENGTH_BYTES = _STATUS_BYTES = 4
_DONE, _REFUSED = b"\x00", b"\x01"


class Zygote:
    """The service's end.

    Args:
        module: What the zygote runs; it calls `serve`.
        arguments: Its arguments, after the descriptor of its control socket.
        failed: Makes the refusal where no answer came: from the child's exit status (a signal's number,
            negative), or from None where that is not known.
        timeout_s: How long a job may take, in seconds.
        environment: The zygote's; the service's own without.
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        *,
        failed: Callable[[int | None], RefusedError],
        timeout_s: float,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._module = module
        self._arguments = list(arguments)
        self._failed = failed
        self._timeout_s = timeout_s
        self._environment = environment
        self._lock = threading.Lock()
        self._control, self._process = self._start()

    def run(self, job: bytes) -> bytes:
        """Have a child perform a job.

        Args:
            job: As the child's module reads it.

        Raises:
            RefusedError: What the child refused it with, or what `failed` makes of its death.
        """
        ours, theirs = socket.socketpair()
        verdict, teller = socket.socketpair()
        with ours, verdict:
            with theirs, teller:
                self._hand_over(theirs, teller)
            ours.settimeout(self._timeout_s)
            try:
                send(ours, job)
                answer = receive(ours)
            except OSError as error:
                raise self._failed(_status(verdict)) from error
        if answer[:1] == _DONE:
            return answer[1:]
        refusal = _read_refusal(answer[1:]) if answer[:1] == _REFUSED else None
        raise refusal or self._failed(None)

    def check(self) -> None:
        """Return if the zygote lives; for `health.Health.register`.

        Raises:
            RefusedError: As `failed` makes it.
        """
        if self._process.poll() is not None:
            raise self._failed(None)

    def close(self) -> None:
        """End the zygote; jobs under way are finished."""
        with self._lock:
            self._control.close()
        self._process.wait(timeout=self._timeout_s)

    def _hand_over(self, *ends: socket.socket) -> None:
        with self._lock:
            for attempt in (1, 2):
                try:
                    socket.send_fds(self._control, [b"j"], [end.fileno() for end in ends])
                except OSError as error:
                    if attempt == 2:
                        raise self._failed(None) from error
                    self._restart()
                else:
                    return

    def _restart(self) -> None:
        self._control.close()
        self._process.wait(timeout=self._timeout_s)
        self._control, self._process = self._start()

    def _start(self) -> tuple[socket.socket, subprocess.Popen[bytes]]:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", self._module, str(theirs.fileno()), *self._arguments],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                env=self._environment,
                # A signal to the service's group must not end the zygote before the last call is served.
                start_new_session=True,
            )
        ours.settimeout(START_S)
        try:
            ready = ours.recv(1)
        except OSError:
            ready = b""
        if not ready:
            ours.close()
            process.kill()
            process.wait()
            raise self._failed(None)
        ours.settimeout(None)
        return ours, process


def serve(
    control: socket.socket,
    perform: Callable[[bytes], bytes],
    *,
    timeout_s: float,
    enter: Callable[[socket.socket], None] | None = None,
) -> None:
    """Fork a child for each job that comes in, until the service closes its end; runs in the zygote.

    Args:
        control: The zygote's end.
        perform: Does a job and returns the answer, or raises a `RefusedError`.
        timeout_s: How long a child waits for its job or for its answer to be taken, in seconds.
        enter: What a child does first; it is given its end of the pair.
    """
    woken, waker = socket.socketpair()
    waker.settimeout(0.0)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    tellers: dict[int, socket.socket] = {}
    # What the zygote has loaded is never garbage: a child that looks for some would copy all of it.
    gc.collect()
    gc.freeze()
    control.send(b"r")
    while True:
        ready, _, _ = select.select([control, woken], [], [])
        if woken in ready:
            woken.recv(4096)
            _report(tellers)
        if control not in ready:
            continue
        data, descriptors, _, _ = socket.recv_fds(control, 1, 2)
        if not data:
            return
        end, teller = (socket.socket(fileno=descriptor) for descriptor in descriptors)
        child = os.fork()
        if child == 0:
            control.close()
            teller.close()
            _work(end, perform, timeout_s, enter)
        end.close()
        tellers[child] = teller


def _report(tellers: dict[int, socket.socket]) -> None:
    """Tell the service how children ended that have ended."""
    while tellers:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child == 0:
            return
        with tellers.pop(child) as teller, contextlib.suppress(OSError):
            code = os.waitstatus_to_exitcode(status)
            teller.sendall(code.to_bytes(_STATUS_BYTES, "big", signed=True))


def _status(verdict: socket.socket) -> int | None:
    verdict.settimeout(_STATUS_S)
    try:
        return int.from_bytes(_exactly(verdict, _STATUS_BYTES), "big", signed=True)
    except OSError:
        return None


def _work(
    end: socket.socket,
    perform: Callable[[bytes], bytes],
    timeout_s: float,
    enter: Callable[[socket.socket], None] | None,
) -> None:
    """Do one job and leave without running anything that belongs to the zygote."""
    status = 1
    with contextlib.suppress(BaseException):
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if enter is not None:
            enter(end)
        end.settimeout(timeout_s)
        try:
            answer = _DONE + perform(receive(end))
        except RefusedError as refusal:
            answer = _REFUSED + _write_refusal(refusal)
        send(end, answer)
        status = 0
    os._exit(status)


def send(end: socket.socket, data: bytes) -> None:
    """Send a length and so many bytes."""
    end.sendall(len(data).to_bytes(_LENGTH_BYTES, "big") + data)


def receive(end: socket.socket) -> bytes:
    """Receive what `send` sent.

    Raises:
        OSError: Too long, cut short, or too late.
    """
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


def _write_refusal(refusal: RefusedError) -> bytes:
    every = refusal.reasons if isinstance(refusal, RefusedWithReasonsError) else (refusal,)
    listed = [
        {"field": one.field, "kind": one.kind.value, "message": one.message, "reason": one.reason}
        for one in every
    ]
    return strict_json.dump({"refusals": listed})


def _read_refusal(data: bytes) -> RefusedError | None:
    """Return what a child refused with; None where that cannot be read: a child may have been taken over."""
    try:
        listed = strict_json.parse_object(data, max_bytes=MAX_BYTES)["refusals"]
        reasons = [
            RefusedError(one["reason"], one["message"], kind=Kind(one["kind"]), field=one["field"])
            for one in listed
            if all(isinstance(one[name], str) for name in ("field", "kind", "message", "reason"))
        ]
    except (RefusedError, KeyError, TypeError, ValueError):
        return None
    if len(reasons) < 2:
        return reasons[0] if reasons else None
    return RefusedWithReasonsError(reasons)
